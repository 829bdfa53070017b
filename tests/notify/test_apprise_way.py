"""The channel `apprise`, with services that are web servers on loopback."""

import asyncio
import json
import logging
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from running import free_port
from webserver import Reply, Web, Wire

from feedd.config.channels import AppriseChannel
from feedd.model import Kind
from feedd.notify import apprise_way
from feedd.notify.apprise_way import form_of, loudness, objection, send, spelled, valid, without
from feedd.notify.values import Delivered, Fact, Failed, Form, Message, Outcome, Text

TEXT = Text("Edited: A title", "Some words.", Form.PLAIN)
TOKEN = "TIiajkdnlazkcOXrIdevi7FQ"
TELEGRAM = "tgram://123456789:abcdefg_hijklmnop/123"


def message(*kinds: Kind) -> Message:
    facts = [Fact(1, kind, "Edited: A title", "A title", 0, "news", "https://example.org/") for kind in kinds]
    return Message("m1", "entry.edited", 0, "desk", {}, tuple(facts))


def channel(url: str, **settings: Any) -> AppriseChannel:
    return AppriseChannel.model_validate({"name": "desk", "type": "apprise", "url": url, **settings})


def sent(url: str, text: Text = TEXT, one: Message | None = None, **settings: Any) -> Outcome:
    return asyncio.run(send(channel(url, **settings), one or message(Kind.EDITED), text))


def at(web: Web, scheme: str = "json", path: str = f"/hook/{TOKEN}") -> str:
    return f"{scheme}://ann:right-horse@127.0.0.1:{web.port}{path}"


def test_json() -> None:
    with Web() as web:
        web.page(f"/hook/{TOKEN}", "")
        assert sent(at(web)) == Delivered("JSON took it")
        (request,) = web.requests
    body = json.loads(request.body)
    assert (body["title"], body["message"], body["type"]) == ("Edited: A title", "Some words.", "info")
    assert request.headers["user-agent"] == "feedd"


def test_forms() -> None:
    with Web() as web:
        web.page(f"/hook/{TOKEN}", "")
        assert sent(at(web, "form"), TEXT._replace(title="中 & <文>")) == Delivered("Form took it")
        assert parse_qs(web.requests[-1].body.decode())["title"] == ["中 & <文>"]
        assert sent(at(web, "xml"), TEXT._replace(body="a < b & c")) == Delivered("XML took it")
        assert b"a &lt; b &amp; c" in web.requests[-1].body


def test_a_text_in_another_form_than_the_service_wants() -> None:
    with Web() as web:
        web.page(f"/hook/{TOKEN}", "")
        sent(at(web) + "?format=text", Text("A < B", "<p>One &amp; <b>two</b></p>", Form.HTML))
        body = json.loads(web.requests[-1].body)
        assert body["title"] == "A < B"
        assert "<" not in body["message"]
        assert "One & two" in body["message"]


@pytest.mark.parametrize(
    ("kinds", "loud"),
    [
        ((), "info"),
        ((Kind.EDITED,), "info"),
        ((Kind.SILENT_EDIT,), "warning"),
        ((Kind.REMOVED,), "warning"),
        ((Kind.SOURCE_FAILING,), "warning"),
        ((Kind.SOURCE_RECOVERED,), "info"),
        ((Kind.ADDED, Kind.REMOVED), "warning"),
    ],
)
def test_how_loud(kinds: tuple[Kind, ...], loud: str) -> None:
    assert loudness(message(*kinds)) == loud


@pytest.mark.parametrize(
    ("status", "rests"), [(400, False), (429, True), (500, False), (503, True), (302, False)]
)
def test_refusals(status: int, rests: bool) -> None:
    with Web() as web:
        web.page(f"/hook/{TOKEN}", "no", status=status)
        outcome = sent(at(web) + "?optional=yes&redirect=no")
    assert isinstance(outcome, Failed)
    assert outcome.rests == rests
    assert outcome.why.startswith("JSON did not take it; it says: Failed to send JSON POST notification: ")
    assert f"error={status}" in outcome.why


def test_one_that_is_down_and_nothing_secret() -> None:
    outcome = sent(f"json://ann:right-horse@127.0.0.1:{free_port()}/{TOKEN}")
    assert isinstance(outcome, Failed)
    assert outcome.why.startswith(
        "JSON did not take it; it says: A Connection error occurred sending JSON notification to"
    )
    assert not any(part in outcome.why for part in ("ann:", "right-horse", TOKEN))


def test_its_log_is_not_ours() -> None:
    seen: list[logging.LogRecord] = []

    class Seen(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record)

    root, handler = logging.getLogger(), Seen()
    root.addHandler(handler)
    try:
        sent(f"json://ann:right-horse@127.0.0.1:{free_port()}/{TOKEN}")
    finally:
        root.removeHandler(handler)
    assert not [each for each in seen if each.name.startswith("apprise")]


def test_each_says_why_it_failed_itself() -> None:
    """Also where several fail at once."""

    async def all_at_once(web: Web) -> list[Outcome]:
        urls = [at(web, path=f"/{status}") for status in range(401, 421)]
        return await asyncio.gather(*(send(channel(url), message(), TEXT) for url in urls))

    with Web() as web:
        for status in range(401, 421):
            web.page(f"/{status}", status=status)
        outcomes = asyncio.run(all_at_once(web))
    for status, outcome in zip(range(401, 421), outcomes, strict=True):
        assert isinstance(outcome, Failed)
        assert outcome.why.count("error=") == 1, status


def test_one_that_hangs_is_given_up_and_holds_up_nobody() -> None:
    let_go = threading.Event()

    def dripping(wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not let_go.is_set():
            wire.drip(b"x", 0.05)

    async def beside(web: Web) -> tuple[Outcome, Outcome]:
        slow = asyncio.create_task(send(channel(at(web, path="/slow"), timeout="1s"), message(), TEXT))
        await asyncio.sleep(0.3)
        began = time.monotonic()
        quick = await send(channel(at(web, path="/quick")), message(), TEXT)
        assert time.monotonic() - began < 0.5
        return await slow, quick

    with Web() as web:
        web.raw("/slow", dripping)
        web.page("/quick")
        slow, quick = asyncio.run(beside(web))
        assert slow == Failed("the service did not take the message within 1 s")
        assert quick == Delivered("JSON took it")
        assert len(apprise_way.stuck) == 1
        let_go.set()
    end = time.monotonic() + 5
    while apprise_way.stuck and time.monotonic() < end:
        time.sleep(0.02)
    assert not apprise_way.stuck


def test_too_many_that_hang_hold_up_their_own_channel_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    hanging = {("desk", threading.Event()) for _ in range(apprise_way.MOST_STUCK)}
    monkeypatch.setattr(apprise_way, "stuck", hanging)
    with Web() as web:
        web.page(f"/hook/{TOKEN}")
        assert sent(at(web)) == Failed("4 messages that were given up still wait for an answer")
        assert sent(at(web), name="other") == Delivered("JSON took it")
        hanging |= {(f"c{number}", threading.Event()) for number in range(apprise_way.MOST_STUCK_IN_ALL)}
        assert isinstance(sent(at(web), name="other"), Failed)


def test_a_redirect_is_no_success() -> None:
    """Where it leads, such as a page to log in, may answer 200 without having taken anything."""
    with Web() as web:
        web.page("/login", "please log in")
        web.redirect(f"/hook/{TOKEN}", "/login")
        outcome = sent(at(web))
        assert isinstance(outcome, Failed)
        assert web.count("/login") == 0


@pytest.mark.parametrize(
    ("url", "targets"),
    [
        (TELEGRAM, 1),
        (TELEGRAM + "/456", 2),
        ("ntfy://localhost/a/b/c", 3),
        ("ntfy://localhost/a?retry=2", 1),
        (f"slack://T1JJ3T3L2/A1BRTD4JD/{TOKEN}", 1),
        (f"slack://T1JJ3T3L2/A1BRTD4JD/{TOKEN}/#a/#b", 2),
        ("mailto://ann:right-horse@gmail.com?to=a@example.org", 1),
        ("mailto://ann:right-horse@gmail.com?to=a@example.org,b@example.org", 2),
        ("matrix://ann:right-horse@localhost/#a/#b", 2),
        (f"discord://4174216298/{TOKEN}", 1),
        (f"mmost://localhost/{TOKEN}", 1),
        ("json://localhost/a/b/c", 1),
    ],
)
def test_one_target_a_channel(url: str, targets: int) -> None:
    said = f"names {targets} targets; write a channel for each, so that one that fails repeats nothing at the others"
    assert objection(url) == (said if targets > 1 else None)


MENTIONS = "@everyone <!channel> @Here <@123> <#45> https://x.example/@all/<!here> a@b.example 1 < 2"


def test_plain_text_calls_nobody() -> None:
    ready = apprise_way.calm(MENTIONS, Form.PLAIN, "discord://a/b")
    assert ready.replace("\u200b", "") == MENTIONS.replace("/@all/<!here>", "/%40all/%3C!here>")
    assert ready.count("\u200b") == 5
    assert "@\u200beveryone <\u200b!channel> @\u200bHere <\u200b@123> <\u200b#45>" in ready


def test_people_are_called_in_chats_and_not_by_programs() -> None:
    text = Text(MENTIONS, MENTIONS, Form.PLAIN)
    with Web() as web:
        web.page(f"/hook/{TOKEN}", "")
        sent(at(web), text)
        assert json.loads(web.requests[-1].body)["message"] == MENTIONS
        sent(at(web, "apprise", path=f"/{TOKEN}"), text)
        said = web.requests[-1].body.decode().encode().decode("unicode_escape")
        assert "@everyone" not in said
        assert "<!channel" not in said


def test_what_is_read_as_markdown_is_sent_it() -> None:
    text = Text("*A* @everyone", "**15**", Form.MARKDOWN)
    with Web() as web:
        web.page(f"/hooks/{TOKEN}")
        assert sent(f"mmost://127.0.0.1:{web.port}/{TOKEN}", text) == Delivered("Mattermost took it")
        said = json.loads(web.requests[-1].body)["text"]
    assert said == "\\*A\\* @\u200beveryone\r\n**15**"


def test_a_service_of_few_lines_gets_all_in_one() -> None:
    with Web() as web:
        web.page("/jsonrpc")
        url = f"kodi://127.0.0.1:{web.port}"
        sent(url, Text("A title", "One.\n\nTwo.\n\nhttps://x.example/\n", Form.PLAIN))
        assert json.loads(web.requests[-1].body)["params"]["message"] == "One. Two. https://x.example/"


@pytest.mark.parametrize(
    ("url", "body", "title", "joined"),
    [
        (TELEGRAM, 4096, 1365, True),
        (f"discord://4174216298/{TOKEN}", 2000, 250, True),
        (f"slack://T1JJ3T3L2/A1BRTD4JD/{TOKEN}/#c", 35000, 250, False),
        ("json://localhost", 32768, 250, False),
        (TELEGRAM + "?overflow=split", 1_000_000, 1_000_000, False),
        (TELEGRAM + "?overflow=truncate", 4096, 1365, True),
        ("nonsense://x", 1_000_000, 1_000_000, False),
    ],
)
def test_the_room_of_a_service(url: str, body: int, title: int, joined: bool) -> None:
    room = apprise_way.service(url).room
    assert (room.body, room.title, room.joined) == (body, title, joined)


def test_what_a_service_makes_of_a_text_takes_room() -> None:
    room = apprise_way.service(TELEGRAM + "?format=markdown&mdv=v2").room
    assert room.size("a.b-c!") > 6  # each sign is escaped
    assert room.size("😀") >= 2
    assert apprise_way.service(TELEGRAM).room.size("<p>x</p>") == 8


def test_a_text_that_is_too_long_is_cut_rather_than_refused() -> None:
    with Web() as web:
        web.page(f"/hooks/{TOKEN}")
        url = f"mmost://127.0.0.1:{web.port}/{TOKEN}"
        sent(url, Text("A title", "x" * 9_000, Form.MARKDOWN))
        assert len(json.loads(web.requests[-1].body)["text"]) == 4_000
        sent(url + "?overflow=split", Text("A title", "x" * 5_000, Form.MARKDOWN))
        assert web.count(f"/hooks/{TOKEN}") > 2


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("json://localhost/x", None),
        (TELEGRAM, None),
        ("tgram://12", "is not how Telegram is written for Apprise: a part is missing or wrong"),
        ("growl://localhost", "names Growl, which needs a package that is not installed here"),
        (f"nonsense://{TOKEN}", "names a service that Apprise does not know"),
        (TOKEN, "is not an Apprise URL, which begins with a service and ://"),
        ("file:///etc/passwd", "names a service that Apprise does not know"),
        ("", "is not an Apprise URL, which begins with a service and ://"),
        ("json://", "is not how JSON is written for Apprise: a part is missing or wrong"),
    ],
    ids=["json", "telegram", "part", "package", "unknown", "no scheme", "file", "empty", "no host"],
)
def test_urls(url: str, why: str | None) -> None:
    found = objection(url)
    assert valid(url) == (why is None)
    assert (found or "").startswith(why or "")
    assert TOKEN not in (found or "")


def test_the_configuration_refuses_what_apprise_does_not_know(tmp_path: Path) -> None:
    with pytest.raises(ValidationError) as caught:
        channel(f"nonsense://{TOKEN}")
    (mistake,) = caught.value.errors(include_input=False, include_context=False)
    assert mistake["loc"] == ("url",)
    assert TOKEN not in mistake["msg"]
    missing = channel("env:NOT_SET_HERE")
    assert missing.url.missing, "a matter of the machine, not of the configuration"
    outcome = asyncio.run(send(missing, message(), TEXT))
    assert isinstance(outcome, Failed)
    assert "NOT_SET_HERE is not set" in outcome.why


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("json://localhost", Form.PLAIN),
        ("json://localhost?format=markdown", Form.MARKDOWN),
        (TELEGRAM, Form.HTML),
        (TELEGRAM + "?format=markdown", Form.MARKDOWN),
        (f"slack://T1JJ3T3L2/A1BRTD4JD/{TOKEN}/#c", Form.MARKDOWN),
        (f"slack://T1JJ3T3L2/A1BRTD4JD/{TOKEN}/#c?format=text", Form.PLAIN),
        (f"discord://4174216298/{TOKEN}", Form.MARKDOWN),
        (f"discord://4174216298/{TOKEN}?format=text", Form.PLAIN),
        (f"mmost://localhost/{TOKEN}", Form.MARKDOWN),
        ("mailto://ann:right-horse@gmail.com", Form.HTML),
        ("nonsense://x", Form.PLAIN),
    ],
)
def test_the_form_of_a_service(url: str, form: Form) -> None:
    assert form_of(url) == form


def test_a_title_that_goes_into_the_body_is_spelled_like_it() -> None:
    assert spelled("A <b> & [c](d) *e*", Form.HTML) == "A &lt;b&gt; &amp; [c](d) *e*"
    assert spelled("A <b> & [c](d) *e*", Form.MARKDOWN) == "A <\u200bb\\> & \\[c\\](d) \\*e\\*"
    assert spelled("# @everyone", Form.MARKDOWN) == "\\# @\u200beveryone"
    assert spelled("A <b>", Form.PLAIN) == "A <b>"


def test_an_answer_that_can_not_be_read() -> None:
    """Plugins read what a service answers without fear: whatever they raise is no bug of ours."""
    with Web() as web:
        web.script("/x", lambda _: Reply("\xff\x00", 200, headers={"Content-Encoding": "gzip"}))
        outcome = sent(at(web, path="/x"))
    assert isinstance(outcome, Failed)
    assert outcome.why.startswith("JSON did not take it; it says: ")


@given(st.text(), st.text())
def test_what_is_said_holds_nothing_of_the_url(secret: str, said: str) -> None:
    url = f"json://{TOKEN}/%41bcd%2Fsecret?key={secret}"
    shown = without(url, f"{said} {TOKEN} {TOKEN.lower()} Abcd/secret {said}" * 3)
    assert TOKEN.lower() not in shown.lower()
    assert "abcd" not in shown.lower()
    assert len(shown) <= 300
    assert shown.isprintable()


@pytest.mark.parametrize(
    ("url", "form", "text", "calm"),
    [
        ("matrix://u:p@localhost/#r", Form.HTML, "<p>hey @room</p>", "<p>hey @\u200broom</p>"),
        ("matrix://u:p@localhost/#r", Form.HTML, "<p>&lt;@123&gt;</p>", "<p>&lt;\u200b@123&gt;</p>"),
        (
            "mmost://localhost/token",
            Form.HTML,
            '<a href="https://example.org/@everyone">x</a>',
            '<a href="https://example.org/@everyone">x</a>',
        ),
        (
            "mastodon://token@localhost",
            Form.PLAIN,
            "of @alice@example.org",
            "of @\u200balice@\u200bexample.org",
        ),
        (
            "mastodon://token@localhost",
            Form.PLAIN,
            "https://example.org/@alice",
            "https://example.org/%40alice",
        ),
        ("discord://1/abc", Form.PLAIN, "of @alice", "of @alice"),
    ],
)
def test_nobody_is_called_in_any_form(url: str, form: Form, text: str, calm: str) -> None:
    assert apprise_way.calm(text, form, url) == calm
