"""Letters: what the channel `email` sends."""

import email
import email.policy
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedd.config.channels import EmailChannel
from feedd.model import Kind
from feedd.notify.letter import LONGEST_SUBJECT, compose, mailbox, realm_of, subject
from feedd.notify.values import Fact, Form, Message, Text

BORN = UUID(int=7)
NOW = 1_706_867_102_000
BASE = "https://feeds.example.org/"
TEXTS = (
    Text("Edited: A title", "Some words.\n", Form.PLAIN),
    Text("Edited: A title", "<p>Some words.</p>", Form.HTML),
)
HEADERS = [
    *(
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "In-Reply-To",
        "References",
        "List-Id",
        "List-Unsubscribe",
    ),
    *("Auto-Submitted", "MIME-Version", "Content-Type"),
]


def message(
    name: str = "m1", kind: Kind = Kind.EDITED, thread: str | None = "urn:uuid:1", facts: int = 1
) -> Message:
    fact = Fact(1, kind, "Edited: A title", "A title", NOW, "news", BASE)
    return Message(name, f"entry.{kind}", NOW, "desk", {}, (fact,) * facts, thread)


def channel(*, sender: str = "feedd@example.org", **settings: Any) -> EmailChannel:
    values = {
        "name": "desk",
        "type": "email",
        "host": "localhost",
        "from": sender,
        "to": "a@example.org",
    }
    return EmailChannel.model_validate(values | settings)


def texts(title: str, plain: str = "x", html: str = "<p>x</p>") -> tuple[Text, Text]:
    return Text(title, plain, Form.PLAIN), Text(title, html, Form.HTML)


def parsed(letter: EmailMessage | bytes) -> EmailMessage:
    data = letter if isinstance(letter, bytes) else letter.as_bytes()
    return email.message_from_bytes(data, policy=email.policy.default)


def composed(
    one: Message | None = None, words: tuple[Text, Text] = TEXTS, base: str = BASE, **more: Any
) -> EmailMessage:
    return parsed(compose(channel(**more), one or message(), words, base, BORN, NOW))


def contents(letter: EmailMessage) -> list[tuple[str, str]]:
    """Type and text of each part."""
    parts = [part for part in letter.iter_parts() if isinstance(part, EmailMessage)]
    return [(part.get_content_type(), part.get_content().replace("\r\n", "\n")) for part in parts]


def test_a_letter() -> None:
    letter = composed(
        to=["a@example.org", "Bücher, Ida <b@example.org>"], sender='"feedd \\"x\\"" <f@example.org>'
    )
    assert letter.keys() == HEADERS
    assert letter["subject"] == "Edited: A title"
    assert letter["date"].datetime.timestamp() * 1000 == NOW
    assert [(each.display_name, each.addr_spec) for each in letter["to"].addresses] == [
        ("", "a@example.org"),
        ("Bücher, Ida", "b@example.org"),
    ]
    assert letter["from"].addresses[0].display_name == 'feedd "x"'
    assert letter["list-id"] == "feedd desk <desk.feeds.example.org>"
    assert letter["list-unsubscribe"] == "<mailto:f@example.org?subject=unsubscribe>"
    assert letter["auto-submitted"] == "auto-generated"
    assert letter.get_content_type() == "multipart/alternative"
    assert contents(letter) == [
        ("text/plain", "Some words.\n"),
        ("text/html", "<p>Some words.</p>\n"),
    ]


def test_a_thread() -> None:
    """What tells that an entry was added is the root, and all else answers it, also where the root never came."""
    added = composed(message("m1", Kind.ADDED))
    edited, again, removed = (composed(message(name)) for name in ("m2", "m2", "m3"))
    assert added["in-reply-to"] is added["references"] is None
    assert edited["in-reply-to"] == edited["references"] == removed["references"] == added["message-id"]
    assert edited["message-id"] == again["message-id"]
    assert len({each["message-id"] for each in (added, edited, removed)}) == 3
    other = composed(message("m1", thread="urn:uuid:2"))
    assert other["references"] != edited["references"]
    assert composed(message("m1"), name="archive")["references"] != edited["references"], (
        "another channel's thread"
    )
    digest = composed(message("m9", Kind.ADDED, thread=None, facts=3))
    assert digest["in-reply-to"] is digest["references"] is None


def test_the_same_bytes_each_time() -> None:
    first, second = (compose(channel(), message(), TEXTS, BASE, BORN, NOW).as_bytes() for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("base_url", "realm"),
    [
        ("https://feeds.example.org/", "feeds.example.org"),
        ("https://Bücher.example:8080/a/", "xn--bcher-kva.example"),
        ("http://127.0.0.1:8080/", f"{BORN.hex}.localhost"),
        ("http://[::1]:8080/", f"{BORN.hex}.localhost"),
        ("http://localhost/", f"{BORN.hex}.localhost"),
        ("http://nas/", f"{BORN.hex}.localhost"),
        ("http://a..b.org/", f"{BORN.hex}.localhost"),
        ("http://" + "a" * 60 + ".example.org/", "a" * 60 + ".example.org"),
        ("http://" + "a." * 60 + "example.org/", f"{BORN.hex}.localhost"),
    ],
)
def test_a_name_of_its_own(base_url: str, realm: str) -> None:
    assert realm_of(base_url, BORN) == realm
    letter = composed(base=base_url)
    assert letter["message-id"].endswith(f"@{realm}>")
    assert letter["list-id"] == f"feedd desk <desk.{realm}>"


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        ("a@b.example", "", "a@b.example"),
        ("Ann <a@b.example>", "Ann", "a@b.example"),
        ('"Doe, \\"J\\"" <a@b.example>', 'Doe, "J"', "a@b.example"),
        ("Doe, J <a+b@bücher.example>", "Doe, J", "a+b@xn--bcher-kva.example"),
        ("ü@b.example", "", "ü@b.example"),
    ],
)
def test_mailboxes(text: str, name: str, address: str) -> None:
    assert channel(to=text).to == (text,)
    assert mailbox(text) == (name, address)


def test_a_page_to_unsubscribe() -> None:
    long = "https://example.org/leave?list=" + "a" * 300
    assert composed(list_unsubscribe=long)["list-unsubscribe"] == f"<{long}>"
    spelled = composed(list_unsubscribe="https://example.org/ü?a==?b")["list-unsubscribe"]
    assert spelled == "<https://example.org/%C3%BC?a==?b>"


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("One\r\nBcc: victim@example.org", "One Bcc: victim@example.org"),
        ("One\r\n\r\n<script>", "One <script>"),
        ("=?utf-8?q?One=0D=0ABcc:_x=40example.org?=", "=?utf-8?q?One=0D=0ABcc:_x=40example.org?="),
        ("One\x00\x1b[31m\u2028two\u202ethree", "One [31m two three"),
        ("a" * 10_000, "a" * (LONGEST_SUBJECT - 1) + "…"),
        ("👩\u200d👩\u200d👧 می\u200cخواهم", "👩\u200d👩\u200d👧 می\u200cخواهم"),
        ("中文 " * 30, ("中文 " * 30).strip()),
        ("", ""),
    ],
    ids=["line", "body", "encoded", "control", "long", "joined", "chinese", "empty"],
)
def test_hostile_titles(title: str, shown: str) -> None:
    letter = composed(words=texts(title))
    assert letter.keys() == HEADERS
    assert letter["subject"] == subject(title) == shown
    assert contents(letter) == [("text/plain", "x\n"), ("text/html", "<p>x</p>\n")]


TITLES = st.text() | st.text("=?utf8QqBb0DA:_\r\n é中").map(lambda text: f"=?utf-8?q?{text}?= x")
BODIES = (
    st.text() | st.text(".\r\n-=_ é\u2028\x0c\x85", max_size=2_000) | st.integers(900, 1_100).map("x".__mul__)
)


@given(
    title=TITLES, plain=BODIES, html=BODIES, name=st.text(min_size=1), thread=st.none() | st.text(min_size=1)
)
@settings(max_examples=100, deadline=None)
def test_whatever_it_says(title: str, plain: str, html: str, name: str, thread: str | None) -> None:
    """It has the headers that it should have and no other, and the words that go in come out."""
    data = compose(
        channel(), message(name, thread=thread), texts(title, plain, html), BASE, BORN, NOW
    ).as_bytes()
    assert data.isascii()
    assert max(map(len, data.split(b"\r\n"))) <= 998
    assert b"\r" not in data.replace(b"\r\n", b"")
    assert b"\n" not in data.replace(b"\r\n", b"")
    letter = parsed(data)
    assert letter.keys() == [each for each in HEADERS if thread or each not in {"In-Reply-To", "References"}]
    assert letter["subject"] == subject(title)
    assert len(letter["subject"]) <= LONGEST_SUBJECT
    assert not letter.defects
    assert not any(part.defects for part in letter.iter_parts())
    assert contents(letter) == [("text/plain", through(plain)), ("text/html", through(html))]


def through(text: str) -> str:
    """What a text becomes in a letter."""
    lines = text.replace("\r\n", "\n")
    signs = ("\n" if sign in "\r\u2028\u2029" else sign if kept(sign) else "\ufffd" for sign in lines)
    return "".join(signs).rstrip("\n") + "\n"


def kept(sign: str) -> bool:
    return sign in "\n\t" or (
        sign >= " " and sign not in "\x7f\x85\ufffe\uffff" and not "\ud800" <= sign <= "\udfff"
    )
