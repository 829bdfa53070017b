"""What is asked of the hub, as a table of values, and whatever else comes."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.websub.requests import (
    Refusal,
    Wanted,
    callback_of,
    granted_s,
    host_of,
    is_private,
    parse,
    with_query,
)
from feedd.websub.topics import Topics
from feedd.websub.verify import Allowance

TOPIC = "https://feeds.example.org/feeds/all.atom"
CALLBACK = "https://reader.example.net/push?id=5"
GOOD = {"hub.mode": "subscribe", "hub.topic": TOPIC, "hub.callback": CALLBACK}
DAY_MS = 86_400_000


def parsed(**more: str | None) -> Wanted | Refusal:
    said = {
        name: value
        for name, value in (GOOD | {f"hub.{name}": more[name] for name in more}).items()
        if value is not None
    }
    return parse(urlencode(said).encode())


def test_a_request() -> None:
    made = parsed(lease_seconds="60", secret="päss", verify="sync")
    assert isinstance(made, Wanted)
    assert made.callback.url == CALLBACK
    assert made[:2] + made[3:] == ("subscribe", TOPIC, 60, "päss")
    assert "päss" not in repr(made)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"mode": "publish"}, "hub.mode"),
        ({"mode": None}, "hub.mode"),
        ({"topic": ""}, "hub.topic"),
        ({"topic": "x" * 2001}, "hub.topic"),
        ({"callback": ""}, "hub.callback"),
        ({"callback": "ftp://example.org/"}, "hub.callback"),
        ({"callback": "javascript:alert(1)"}, "hub.callback"),
        ({"callback": "//example.org/"}, "hub.callback"),
        ({"callback": "https://user:word@example.org/"}, "hub.callback"),
        ({"callback": "https://"}, "hub.callback"),
        ({"callback": "https://example.org:99999/"}, "hub.callback"),
        ({"callback": "https://example.org/" + "x" * 2000}, "hub.callback"),
        ({"callback": "https://example.org/" + "é" * 1000}, "hub.callback"),
        ({"callback": "https://example.org/\r\nX: y"}, "hub.callback"),
        ({"lease_seconds": "0"}, "hub.lease_seconds"),
        ({"lease_seconds": "-1"}, "hub.lease_seconds"),
        ({"lease_seconds": "1.5"}, "hub.lease_seconds"),
        ({"lease_seconds": "٣"}, "hub.lease_seconds"),
        ({"lease_seconds": "9" * 101}, "hub.lease_seconds"),
        ({"secret": "x" * 200}, "hub.secret"),
        ({"secret": "é" * 100}, "hub.secret"),
    ],
)
def test_what_is_refused(said: dict[str, str | None], words: str) -> None:
    made = parsed(**said)
    assert isinstance(made, Refusal)
    assert made.status == 400
    assert words in made.words
    assert all(not value or len(value) < 9 or value not in made.words for value in said.values())


def test_what_is_empty_is_not_given() -> None:
    made = parsed(lease_seconds="", secret="")
    assert isinstance(made, Wanted)
    assert (made.lease_s, made.secret) == (None, None)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://a.example/x", "a.example"),
        ("http://a.example:8080/x:9", "a.example"),
        ("http://[2001:db8::1]:80?x", "[2001:db8::1]"),
        ("http://[2001:db8::1]/", "[2001:db8::1]"),
        ("http://192.0.2.1:1", "192.0.2.1"),
    ],
)
def test_a_host_is_the_same_on_every_port(url: str, host: str) -> None:
    assert host_of(url) == host


def test_forms_that_are_none() -> None:
    for body in (
        b"\xff=x",
        b"hub.mode=%ff",
        b"&".join([b"a=b"] * 101),
        b"hub.mode=subscribe&hub.mode=subscribe",
    ):
        made = parse(body)
        assert isinstance(made, Refusal)
        assert made.status == 400
    assert parse(b"x" * 16_001) == Refusal(413, "The request is longer than 16000 bytes.")


def test_what_is_let_pass() -> None:
    for lease, expected in (("1", 1), ("3153600000", 3_153_600_000), ("007", 7)):
        made = parsed(lease_seconds=lease)
        assert isinstance(made, Wanted)
        assert made.lease_s == expected
    made = parsed(secret="", callback="HTTPS://Reader.Example.NET:443/push#part", topic=f"{TOPIC}#x")
    assert isinstance(made, Wanted)
    assert (made.secret, made.callback.url) == (None, "https://reader.example.net/push")
    ended = parsed(mode="unsubscribe", lease_seconds="0", secret="x" * 300)
    assert isinstance(ended, Wanted)
    assert (ended.lease_s, ended.secret) == (None, None)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [(None, 86_400), (60, 60), (864_000, 864_000), (864_001, 864_000), (10**100, 864_000)],
)
def test_leases_that_are_granted(asked: int | None, expected: int) -> None:
    assert granted_s(asked, DAY_MS, 10 * DAY_MS) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("0x7f.1", True),
        ("[::1]", True),
        ("[::ffff:10.0.0.1]", True),
        ("localhost", True),
        ("localhost.", True),
        ("192.168.1.1", True),
        ("169.254.169.254", True),
        ("1.2.3.4.5", True),
        ("8.8.8.8", False),
        ("example.org", False),
    ],
)
def test_private_callbacks(host: str, expected: bool) -> None:
    callback = callback_of(f"http://{host}/")
    assert not isinstance(callback, Refusal)
    assert is_private(callback) is expected


@pytest.mark.parametrize(
    ("callback", "expected"),
    [
        ("https://a/b", "https://a/b?k=v+w"),
        ("https://a/b?", "https://a/b?k=v+w"),
        ("https://a/b?c", "https://a/b?c&k=v+w"),
        ("https://a/b?c=d&", "https://a/b?c=d&k=v+w"),
    ],
)
def test_the_query_of_a_callback_stays(callback: str, expected: str) -> None:
    assert with_query(callback, {"k": "v w"}) == expected


def test_topics_are_documents_of_feeds() -> None:
    topics = Topics("https://feeds.example.org/", ["all", "x"])
    assert topics.find(TOPIC) == (TOPIC, "all", "atom")
    for same in ("HTTPS://FEEDS.example.org/feeds/x.rss", "https://feeds.example.org:443/feeds/x.rss"):
        assert topics.find(same) == ("https://feeds.example.org/feeds/x.rss", "x", "rss")
    for other in (
        TOPIC.replace("https", "http"),
        f"{TOPIC}?limit=5",
        f"{TOPIC}#x",
        TOPIC.replace("//", "//a@"),
        TOPIC.replace("atom", "Atom"),
        "https://feeds.example.org/feeds/all",
        "",
        "\x00",
    ):
        assert topics.find(other) is None


def test_a_host_is_asked_so_often_a_minute() -> None:
    allowance = Allowance(2)
    assert [allowance.wait_s("a", now) for now in (0.0, 10.0, 20.0)] == [0.0, 0.0, 40.0]
    assert allowance.wait_s("b", 20.0) == 0.0
    assert allowance.wait_s("a", 60.0) == 0.0
    assert allowance.wait_s("a", 65.0) == 5.0
    assert allowance.wait_s("c", 200.0) == 0.0
    assert list(allowance.asked) == ["c"]  # what was long ago is forgotten


@given(st.binary(max_size=300))
def test_whatever_comes(body: bytes) -> None:
    made = parse(body)
    assert isinstance(made, Refusal | Wanted)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "hub.mode": st.sampled_from(["subscribe", "unsubscribe", "x"]),
            "hub.topic": st.text(max_size=50),
            "hub.callback": st.text(max_size=60)
            | st.text(max_size=60).map(lambda text: f"https://example.org/{text}"),
            "hub.lease_seconds": st.text(max_size=6) | st.integers().map(str),
            "hub.secret": st.text(max_size=210),
        },
    )
)
def test_whatever_a_form_says(said: dict[str, str]) -> None:
    made = parse(urlencode(said, errors="surrogatepass").encode())
    if isinstance(made, Refusal):
        assert made.status == 400
        assert made.words.isprintable()
        return
    assert made.mode == said["hub.mode"]
    assert made.topic == said["hub.topic"]
    assert made.callback.url.isascii()
    assert made.callback.url.isprintable()
    assert made.lease_s is None or made.lease_s > 0
    assert made.secret is None or len(made.secret.encode()) < 200
    asked = with_query(made.callback.url, {"hub.topic": made.topic})
    assert parse_qsl(urlsplit(asked).query, keep_blank_values=True)[-1] == ("hub.topic", made.topic)
