"""The page /deliveries and its buttons, asked without a server; the store and the channels are real."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from inprocess import BROWSER, hrefs, words
from lxml import html
from receivers import SECRET
from shelf import BORN_MS, Piece, Shelf
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from feedd.access.scopes import Scope
from feedd.looks import Looked
from feedd.operations import Operations
from feedd.store import attempts, tokens
from feedd.store.delivery_list import listed
from feedd.store.writer import Writer
from feedd.telling import deliverer
from feedd.web.app import application
from feedd.web.delivery_pages import AT_ONCE, Deliveries, routes
from feedd.web.viewer import VIEWER, Viewer
from feedd.wiring import prepare

TOML = """
[sources.news]
type = "directory"
path = "a"
"""
CHANNELS = f"""
[notify.desk]
type = "webhook"
url = "http://127.0.0.1:9/a-secret-path"
secret = "{SECRET}"
[notify.log]
type = "file"
path = "log.jsonl"
"""
ENTRIES = 60


class Desk:
    """The application, and who asks it: somebody with a token of a scope, or nobody."""

    def __init__(self, root: Path, toml: str) -> None:
        self.shelf = Shelf(root, toml)
        prepare(self.shelf.desk, self.shelf.config)
        self.shelf.look("news", BORN_MS, [Piece("first")])
        pieces = [Piece(f"p{number}", f"<b>Water</b> {number}") for number in range(ENTRIES)]
        self.shelf.look("news", BORN_MS + 1000, pieces)
        self.runner, self.stack = asyncio.Runner(), AsyncExitStack()
        self.runner.run(self.open())
        self.viewer = Viewer()

    async def open(self) -> None:
        shelf = self.shelf
        office = await self.stack.enter_async_context(deliverer(shelf.config, shelf.desk, shelf.reader))
        operations = Operations(shelf.config, shelf.desk, never, office.messages, office.tools)
        further = routes(Deliveries(shelf.reader, operations))
        app = application(shelf.feeds, further, [Middleware(Asked, desk=self)])
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://feeds.example")
        self.client = await self.stack.enter_async_context(client)

    def close(self) -> None:
        self.runner.run(self.stack.aclose())
        self.runner.close()
        self.shelf.close()

    def may(self, scope: Scope) -> None:
        work = self.shelf.desk.run
        secret = work(lambda writer: writer.within(lambda run: tokens.create(run, scope, scope, BORN_MS)))
        found = tokens.find(self.shelf.reader.connection, secret)
        self.viewer = Viewer(token=found, name="a session")

    def page(self, path: str, status: int = 200, language: str = "en") -> Any:
        found = self.runner.run(
            self.client.get(path, headers={"Accept": BROWSER, "Accept-Language": language})
        )
        assert found.status_code == status, found.text
        tree = html.document_fromstring(found.text)
        assert not tree.xpath("//main//script | //*[@style]")
        assert len(tree.xpath("//h1")) == 1
        return tree

    def post(self, path: str, expected: int = 303, /, **fields: Any) -> str:
        found = self.runner.run(self.client.post(path, data=fields))
        assert found.status_code == expected, found.text
        return str(found.headers.get("location", found.text))

    def ids(self, **asked: Any) -> list[int]:
        return [each.delivery.id for each in listed(self.shelf.reader.connection, 1000, **asked)]

    def fail(self, *ids: int) -> None:
        for each in ids:
            work = partial(
                attempts.close,
                delivery_id=each,
                status="failed",
                at_ms=BORN_MS + 2000,
                error="it said <no>",
            )
            self.shelf.desk.run(partial(Writer.within, work=work))


class Asked:
    """Stands where the gate does."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self.app = app
        self.desk = desk

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        scope[VIEWER] = self.desk.viewer
        await self.app(scope, receive, send)


async def never(*_: object, **__: object) -> Looked:
    raise AssertionError


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = Desk(tmp_path_factory.mktemp("deliveries"), TOML + CHANNELS)
    made.may(Scope.WRITE)
    yield made
    made.close()


@pytest.fixture
def desk(shared: Desk) -> Desk:
    """Everything waits again."""
    ids = shared.ids()
    shared.shelf.desk.run(lambda writer: writer.within(lambda run: attempts.again(run, ids, BORN_MS)))
    return shared


def test_channels_and_what_waits_for_them(desk: Desk) -> None:
    tree = desk.page("/deliveries")
    cards = {
        card.xpath("string(h3/span[@dir])"): words(card) for card in tree.xpath("//ul[@id='channels']/li")
    }
    assert list(cards) == ["desk", "log"]
    assert "not used yet" in cards["desk"]
    assert f"waiting {ENTRIES}" in cards["desk"]
    assert "127.0.0.1:9" in cards["desk"]
    assert "a-secret-path" not in tree.text_content()
    rows = tree.xpath("//tr[@data-row]")
    assert len(rows) == AT_ONCE
    assert "<b>Water</b> 9 added" in words(rows[0])
    assert tree.xpath("//*[@id='deliveries']/@data-live") == ["10"]


def test_the_list_is_paged_and_filtered(desk: Desk) -> None:
    seen, path = list[str](), "/deliveries?channel=log&status=pending"
    while path:
        tree = desk.page(path)
        seen += tree.xpath("//tr[@data-row]/td[1]/text()")
        path = next(iter(tree.xpath("//a[@rel='next']/@href")), "")
    assert list(map(int, seen)) == desk.ids(channel="log")
    assert len(seen) == ENTRIES
    assert "There is none of that." in words(desk.page("/deliveries?status=failed"))


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("channel=nope", 404),
        ("status=x", 400),
        ("before=0", 400),
        ("before=-1", 400),
        ("before=" + "9" * 30, 400),
        ("said=<script>", 400),
        ("said=retried&n=x", 400),
    ],
    ids=["channel", "status", "zero", "negative", "huge", "said", "count"],
)
def test_what_is_asked_amiss(desk: Desk, query: str, status: int) -> None:
    desk.page(f"/deliveries?{query}", status)


def test_one_is_cancelled_and_tried_again(desk: Desk) -> None:
    newest = desk.ids()[0]
    where = desk.post("/deliveries/cancel", id=newest, shown="status=pending&said=x&evil=1")
    assert where == "/deliveries?status=pending&said=cancelled&n=1"
    assert "1 delivery was cancelled." in words(desk.page(where))
    assert desk.ids(status="cancelled") == [newest]
    buttons = desk.page("/deliveries?status=cancelled").xpath("//td//button/text()")
    assert buttons == ["Retry"]
    where = desk.post("/deliveries/retry", id=newest)
    assert "1 delivery is tried again." in words(desk.page(where))
    assert desk.ids(status="cancelled") == []


def test_all_that_failed_of_a_channel_is_tried_again(desk: Desk) -> None:
    mine, other = desk.ids(channel="desk")[:3], desk.ids(channel="log")[:1]
    desk.fail(*mine, *other)
    tree = desk.page("/deliveries?status=failed")
    assert "it said <no>" in words(tree)
    assert tree.xpath("//button[@aria-label='Retry all failed of desk']")
    where = desk.post("/deliveries/retry", channel="desk", status="failed")
    assert where == "/deliveries?said=retried&n=3"
    assert desk.ids(status="failed") == other


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("/deliveries/retry", {}, 400),
        ("/deliveries/retry", {"id": "x"}, 400),
        ("/deliveries/retry", {"id": "999999"}, 404),
        ("/deliveries/retry", {"channel": "nope"}, 404),
        ("/deliveries/cancel", {"status": "failed"}, 400),
        ("/deliveries/cancel", {"status": "<b>"}, 400),
        ("/deliveries/cancel", {"id": ["1"] * 2000}, 400),
        ("/deliveries/cancel", {"id": "1" * 30_000}, 413),
        ("/channels/nope/test", {}, 404),
    ],
    ids=["nothing", "word", "unknown", "channel", "not pending", "status", "many", "long", "no channel"],
)
def test_what_can_not_be_done(desk: Desk, path: str, fields: dict[str, Any], status: int) -> None:
    assert "Traceback" not in desk.post(path, status, **fields)


def test_a_sample_is_sent_and_how_it_fared_is_shown(desk: Desk) -> None:
    assert desk.post("/channels/log/test") == "/deliveries?said=tested&n=0"
    tree = desk.page(desk.post("/channels/desk/test"))
    said = [words(each) for each in tree.xpath("//p[contains(@class, 'tried')]")]
    assert "the sample was not delivered: 127.0.0.1:9 refused the connection" in said[0]
    assert "the sample was delivered: appended to" in said[1]
    desk.viewer, before = Viewer(), desk.viewer
    try:
        assert not desk.page("/deliveries").xpath("//p[contains(@class, 'tried')]")
    finally:
        desk.viewer = before


def test_who_may_not_write_has_no_buttons(desk: Desk) -> None:
    desk.viewer, before = Viewer(), desk.viewer
    try:
        tree = desk.page("/deliveries")
        assert not tree.xpath("//form[@method='post']")
        assert "/login?next=/deliveries" in hrefs(tree)
    finally:
        desk.viewer = before
    assert desk.page("/deliveries").xpath("//form[@method='post']/input[@name='csrf']/@value")[0]


def test_in_chinese(desk: Desk) -> None:
    said = words(desk.page("/deliveries?status=pending", language="zh"))
    assert "尚未使用" in said
    assert "待发送" in said
    assert "重试" in said


def test_without_a_channel_it_says_how_to_add_one(tmp_path: Path) -> None:
    made = Desk(tmp_path, TOML)
    assert "[notify.desk]" in words(made.page("/deliveries"))
    made.close()


@pytest.mark.parametrize(
    ("status", "index"), [("pending", "deliveries_thread"), ("failed", "deliveries_failed")]
)
def test_states_are_found_by_an_index(desk: Desk, status: str, index: str) -> None:
    asked, connection = list[str](), desk.shelf.reader.connection
    connection.set_trace_callback(asked.append)
    listed(connection, 10, "desk", status)
    connection.set_trace_callback(None)
    plan = connection.execute(f"EXPLAIN QUERY PLAN {asked[0]}").fetchall()
    assert index in str(plan)


def test_what_receivers_say_is_for_those_with_a_token(tmp_path: Path) -> None:
    place = Desk(tmp_path, TOML + CHANNELS)
    said = "127.0.0.1:9 answered 500; it says: a word for few"
    place.shelf.desk.run(lambda writer: writer.connection.execute("UPDATE channels SET error = ?", [said]))
    place.shelf.desk.run(lambda writer: writer.connection.execute("UPDATE deliveries SET error = ?", [said]))
    try:
        found = words(place.page("/deliveries"))
        assert "127.0.0.1:9 answered 500" in found
        assert "a word for few" not in found
        assert str(tmp_path) not in found
        place.may(Scope.READ)
        found = words(place.page("/deliveries"))
        assert found.count("a word for few") > 2
        assert str(tmp_path / "log.jsonl") in found
    finally:
        place.close()
