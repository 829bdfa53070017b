"""The pages of sources: the list, one in full, and what their buttons do."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import html
from shelf import BORN_MS, Piece, Shelf
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from feedd.access.scopes import Scope
from feedd.config.sources import Source
from feedd.fetch.client import Fetcher
from feedd.looks import Looked, key_of, now_ms
from feedd.model import Item, Tally
from feedd.notify.message import Messages
from feedd.notify.rendering import Renderer
from feedd.operations import Operations
from feedd.schedule import Due
from feedd.store import tokens
from feedd.store.passes import Failure
from feedd.telling import tools_of
from feedd.web.access import Doors, Gate
from feedd.web.pages import refused
from feedd.web.source_list import State, state_of
from feedd.web.source_pages import SourcePages, routes

HOSTILE = '<script>alert("1")</script> \u202eأهلا'
SOURCES = """
[server]
base_url = "http://feeds.example/"
[sources.a]
type = "directory"
path = "a"
title = "The <a>rchive"
tags = ["news", "zh"]
[sources.broken]
type = "feed"
url = "https://example.org/feed.xml?key=hush#x"
[sources.calm]
type = "directory"
path = "calm"
[sources.rest]
type = "directory"
path = "rest"
paused = true
[sources.secret]
type = "directory"
path = "secret"
[feeds.secret]
access = "token"
"""
GONE = '[sources.gone]\ntype = "directory"\npath = "gone"\n'
DAY_MS = 86_400_000
DETAIL = "GET https://example.org/: 500 <b>x</b>"


class Board:
    """The pages over a shelf, behind the gate; looks that a button asks for are this one's own."""

    def __init__(self, root: Path) -> None:
        self.shelf = Shelf(root, SOURCES + GONE)
        self.shelf.look("gone", BORN_MS, [Piece("old")])
        self.shelf.configure(SOURCES)
        self.look = self.usual_look
        today = now_ms() - 1000
        recent = [Piece(f"new{n}", HOSTILE if n == 0 else f"Title {n}", time_ms=today) for n in range(3)]
        self.shelf.look("a", BORN_MS, [*recent, Piece("long-ago", "Long ago", time_ms=today - 200 * DAY_MS)])
        self.shelf.look("secret", BORN_MS, [Piece("hidden", "Nobody's business", time_ms=today)])
        for n in range(4):
            self.fail("broken", BORN_MS + n)
        self.runner = asyncio.Runner()
        shelf = self.shelf
        messages = Messages(shelf.reader, "http://feeds.example/", {})
        tools = tools_of(shelf.config, shelf.reader, Fetcher(), Renderer("http://feeds.example/", print))
        look: Any = lambda source, *, begun: self.look(source, begun)  # noqa: E731 (which one is chosen later)
        self.operations = Operations(shelf.config, shelf.desk, look, messages, tools)
        doors = Doors(shelf.config, shelf.desk, shelf.reader)
        app = Starlette(
            routes=routes(shelf.config, shelf.feeds, self.operations),
            middleware=[Middleware(Gate, doors=doors)],
            exception_handlers={HTTPException: refused},  # type: ignore[dict-item]
        )
        app.router.redirect_slashes = False
        self.pages: SourcePages = app.routes[0].endpoint.__self__  # type: ignore[attr-defined]
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://feeds.example")
        self.tokens = {scope: self.token(scope) for scope in (Scope.READ, Scope.WRITE)}

    async def usual_look(self, source: Source, begun: Callable[[], None]) -> Looked:
        begun()
        self.shelf.look(source.name, now_ms(), [Piece("checked", "Checked")])
        return Looked(source.name, "ok", Tally(added=1))

    def fail(self, name: str, at_ms: int) -> None:
        source = self.shelf.config.source(name)
        assert source is not None
        key, failure = key_of(source), Failure(DETAIL, Due(at_ms + 60_000, "failed once"))
        started = self.shelf.desk.run(lambda writer: writer.begin(key, at_ms))
        self.shelf.desk.run(lambda writer: writer.fail(key, started.look, failure))

    def token(self, scope: Scope) -> str:
        work = partial(tokens.create, name=f"the {scope}r", scope=scope, now_ms=BORN_MS)
        made: str = self.shelf.desk.run(lambda writer: writer.within(work))
        return made

    def ask(self, method: str, path: str, scope: Scope | None = None, language: str = "en") -> httpx.Response:
        headers = {"Accept": "text/html", "Accept-Language": language}
        if scope is not None:
            headers["Authorization"] = f"Bearer {self.tokens[scope]}"
        return self.runner.run(self.client.request(method, path, headers=headers))

    def page(self, path: str, scope: Scope | None = None, status: int = 200, language: str = "en") -> Any:
        found = self.ask("GET", path, scope, language)
        assert found.status_code == status, found.text
        tree = html.document_fromstring(found.text)
        assert not tree.xpath("//main//script | //main//img | //*[@style]")
        assert len(tree.xpath("//h1")) == 1
        ids = tree.xpath("//@id")
        assert len(ids) == len(set(ids))
        return tree

    def names(self, path: str) -> list[str]:
        links = self.page(path).xpath("//tr[@data-row]/th/a/@href")
        return [link.rpartition("/")[2] for link in links]

    def close(self) -> None:
        self.runner.run(self.client.aclose())
        self.runner.run(self.operations.close())
        self.runner.close()
        self.shelf.close()


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    made = Board(tmp_path_factory.mktemp("board"))
    yield made
    made.close()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Board]:
    """For who changes something."""
    made = Board(tmp_path)
    yield made
    made.close()


def words(tree: Any) -> str:
    return " ".join(tree.text_content().split())


def test_the_list_says_how_each_source_is(board: Board) -> None:
    tree = board.page("/sources")
    rows = {
        row.xpath("string(th/a/@href)").rpartition("/")[2]: words(row)
        for row in tree.xpath("//tr[@data-row]")
    }
    assert list(rows) == ["broken", "calm", "rest", "secret", "a"]  # by title
    assert "The <a>rchive" in rows["a"]
    assert "in order" in rows["a"]
    assert "failing" in rows["broken"]
    assert "4 failures in a row" in rows["broken"]
    assert DETAIL in rows["broken"]
    assert "not looked at yet" in rows["calm"]
    assert "paused in the configuration" in rows["rest"]
    assert [words(each) for each in tree.xpath("//*[@id='counts']/a/strong")] == ["5", "1", "1", "3"]
    assert "gone" in words(tree.xpath("//details")[0])
    assert tree.xpath("//details/@open") == []
    assert "hush" not in html.tostring(tree, encoding="unicode")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("state=failing", ["broken"]),
        ("state=paused", ["rest"]),
        ("state=ok", ["calm", "secret", "a"]),
        ("q=NEWS", ["a"]),
        ("q=rchive+ZH", ["a"]),
        ("q=nothing", []),
        ("q=s&state=paused", ["rest"]),
        ("sort=state", ["broken", "rest", "calm", "secret", "a"]),
    ],
)
def test_the_list_is_narrowed_and_put_in_order(board: Board, query: str, names: list[str]) -> None:
    assert board.names(f"/sources?{query}") == names


@pytest.mark.parametrize(
    "query",
    ["state=x", "sort=x", "page=0", "page=-1", "page=1e3", "page=999999", "page=%D9%A1", f"q={'x' * 201}"],
    ids=["state", "sort", "none", "negative", "float", "huge", "arabic", "long"],
)
def test_what_is_asked_amiss_of_the_list_is_refused(board: Board, query: str) -> None:
    assert words(board.page(f"/sources?{query}", status=400))


def test_there_is_no_page_after_the_last(board: Board) -> None:
    assert board.page("/sources?page=2", status=404) is not None


def test_a_hostile_search_is_only_words(board: Board) -> None:
    tree = board.page('/sources?q="><script>%00%27')
    assert tree.xpath("string(//input[@id='q']/@value)").startswith('"><script>')


def test_thousands_are_paged(tmp_path: Path) -> None:
    lines = (f'[sources.s{n:04}]\ntype = "directory"\npath = "s"\n' for n in range(250))
    shelf = Shelf(tmp_path, "".join(lines))
    tools = tools_of(shelf.config, shelf.reader, Fetcher(), Renderer("http://feeds.example/", print))
    look: Any = None
    operations = Operations(shelf.config, shelf.desk, look, Messages(shelf.reader, "", {}), tools)
    app = Starlette(routes=routes(shelf.config, shelf.feeds, operations))

    async def pages() -> list[Any]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
            answers = [await client.get(f"/sources?page={n}") for n in (1, 2, 3)]
        return [html.document_fromstring(each.text) for each in answers]

    found = asyncio.run(pages())
    assert [len(each.xpath("//tr[@data-row]")) for each in found] == [100, 100, 50]
    assert found[1].xpath("//nav/a[@rel='next']/@href") == ["/sources?page=3"]
    assert found[1].xpath("//nav/a[@rel='prev']/@href") == ["/sources"]
    assert found[2].xpath("//a[@rel='next']") == []
    shelf.close()


def test_a_page_of_a_source(board: Board) -> None:
    tree = board.page("/sources/a")
    assert words(tree.xpath("//h1")[0]) == "The <a>rchive"
    (chart,) = tree.xpath("//svg")
    labels = [each.text for each in chart.xpath("./g/title")]
    assert len(labels) == 90
    assert labels[-1].endswith(": 3 entries") or labels[-2].endswith(": 3 entries")  # about midnight
    assert "All together: 3 entries" in words(chart.xpath("./desc")[0])
    assert [words(row) for row in tree.xpath("//table[contains(@class, 'numbers')]//td")] == ["3"]
    titles = [words(each) for each in tree.xpath("//ol[@class='entries']//h3")]
    assert {"Title 1", "Title 2", "Long ago"} <= set(titles)
    assert any(title.startswith("<script>") for title in titles)
    assert "4 added" in words(tree.xpath("//table[contains(@class, 'looks')]")[0])
    assert "/feeds/a" in tree.xpath("//a/@href")
    about = words(tree.xpath("//aside")[0])
    assert "directory" in about
    assert "1h" in about


class Copy(Piece):
    """The same article at another location."""

    def item(self) -> Item:
        return Piece("copied").item()._replace(location=f"{self.name}.txt")


def test_one_is_counted_as_one(own: Board) -> None:
    own.shelf.look("calm", BORN_MS, [Copy("a"), Copy("b")])
    own.shelf.look("calm", BORN_MS + 1, [Copy("c"), Copy("d")])
    one, two = "1 duplicate ", "2 duplicates "
    said = words(own.page("/sources/calm").xpath("//table[contains(@class, 'looks')]")[0])
    assert one in f"{said} ", said
    assert two in f"{said} ", said


def test_each_source_is_in_one_state(own: Board) -> None:
    own.runner.run(own.operations.pause("broken", "the desk"))
    tree = own.page("/sources")
    assert [words(each) for each in tree.xpath("//*[@id='counts']/a/strong")] == ["5", "0", "2", "3"]
    assert own.names("/sources?state=failing") == []
    assert own.names("/sources?state=paused") == ["broken", "rest"]
    row = next(row for row in own.shelf.reader.sources() if row.name == "broken")
    assert (row.error is not None, state_of(row)) == (True, State.PAUSED)
    said = words(tree.xpath("//tr[@data-row][th/a[@href='/sources/broken']]")[0])
    assert re.search(r"paused by the desk since \d{4}-\d\d-\d\d \d\d:\d\d(?!:)", said)
    chinese = words(own.page("/sources/broken", language="zh"))
    assert re.search(r"由 the desk 暂停，自 \d{4}-\d\d-\d\d \d\d:\d\d 起", chinese)


def test_who_may_only_read_is_told_why_there_are_no_buttons(board: Board) -> None:
    why = "Your token may read; one that may write finds buttons here."
    assert why in words(board.page("/sources/a", Scope.READ))
    for scope in (None, Scope.WRITE):
        assert why not in words(board.page("/sources/a", scope))


def test_a_source_without_recent_entries_has_no_chart(board: Board) -> None:
    assert "Entries a day" not in words(board.page("/sources/calm"))
    assert "Entries a day" in words(board.page("/sources/a"))
    assert "/feeds/a#newest" in board.page("/sources/a").xpath("//a[text()='All entries']/@href")


def test_the_reasons_for_the_next_look_are_said_in_chinese(board: Board) -> None:
    assert "每 1 小时" in words(board.page("/sources/a", language="zh"))
    assert "失败 1 次" in words(board.page("/sources/broken", language="zh"))


def test_what_is_wrong_is_said_with_what_to_do(board: Board) -> None:
    tree = board.page("/sources/broken")
    (alarm,) = tree.xpath("//section[@class='alarm']")
    assert words(alarm.xpath("./h2")[0]) == "broken is failing"
    assert DETAIL in words(alarm)
    assert "feedd update broken" in words(alarm)
    looks = tree.xpath("//table[contains(@class, 'looks')]/tbody/tr")
    assert [("failed" in words(row), DETAIL in words(row)) for row in looks] == [(True, True)] * 4
    chinese = board.page("/sources/broken", language="zh-CN")
    assert words(chinese.xpath("//section[@class='alarm']/h2")[0]) == "broken 出错"
    assert chinese.xpath(f"//p/span[@lang='en' and contains(., '{DETAIL[:20]}')]")


def test_keys_in_addresses_are_for_who_has_a_token(board: Board) -> None:
    assert "https://example.org/feed.xml?…" in words(board.page("/sources/broken"))
    assert "hush" not in board.ask("GET", "/sources/broken").text
    assert "feed.xml?key=hush" in words(board.page("/sources/broken", Scope.READ))


def test_what_a_private_feed_holds_is_not_shown(board: Board) -> None:
    tree = board.page("/sources/secret")
    text = html.tostring(tree, encoding="unicode")
    assert "business" not in text
    assert not tree.xpath("//svg | //ol[@class='entries']")
    assert "/feeds/secret" not in text
    assert len(tree.xpath("//table[contains(@class, 'looks')]/tbody/tr")) == 1
    shown = board.page("/sources/secret", Scope.READ)
    assert "Nobody's business" in words(shown)
    assert shown.xpath("//svg")


@pytest.mark.parametrize(
    ("name", "status"), [("never", 404), ("gone", 410), ("%00", 404), ("..%2f", 404), ("x" * 5000, 404)]
)
def test_there_is_no_such_source(board: Board, name: str, status: int) -> None:
    assert board.ask("GET", f"/sources/{name}").status_code == status
    assert board.ask("POST", f"/sources/{name}/check", Scope.WRITE).status_code == status


@pytest.mark.parametrize("query", ["before=0", "before=x", f"before={'9' * 30}", "done=x", "before=-1"])
def test_what_is_asked_amiss_of_a_source_is_refused(board: Board, query: str) -> None:
    assert board.ask("GET", f"/sources/a?{query}").status_code == 400


def test_the_history_of_looks_is_paged(own: Board) -> None:
    for n in range(35):
        own.shelf.look("calm", BORN_MS + n)
    seen, path, pages = list[str](), "/sources/calm", 0
    while path:
        tree = own.page(path)
        seen += tree.xpath("//table[contains(@class, 'looks')]//time/@datetime")
        path, pages = tree.xpath("string(//a[@rel='next']/@href)"), pages + 1
    assert (pages, len(seen)) == (2, 35)
    assert not own.page("/sources/calm?before=1").xpath("//table[contains(@class, 'looks')]")


def test_buttons_are_for_who_may_write(board: Board) -> None:
    assert board.page("/sources/a").xpath("//form[@method='post']") == []
    assert "/login?next=/sources/a" in board.page("/sources/a").xpath("//main//a/@href")
    assert (
        board.page("/sources/a", Scope.READ).xpath(
            "//form[@method='post'] | //main//a[contains(@href, '/login')]"
        )
        == []
    )
    actions = board.page("/sources/a", Scope.WRITE).xpath("//form[@method='post']/@action")
    assert actions == ["/sources/a/check", "/sources/a/pause"]
    assert board.page("/sources/rest", Scope.WRITE).xpath("//form[@method='post']/@action") == [
        "/sources/rest/check"
    ]
    for action in ("check", "pause", "resume"):
        assert board.ask("POST", f"/sources/a/{action}").status_code == 401
        assert board.ask("POST", f"/sources/a/{action}", Scope.READ).status_code == 403
        assert board.ask("GET", f"/sources/a/{action}").status_code == 405


def answered(own: Board, action: str) -> str:
    """What the page says after a button."""
    answer = own.ask("POST", action, Scope.WRITE)
    assert answer.status_code == 303, answer.text
    return words(own.page(answer.headers["location"]).xpath("//*[@role='status']")[0])


def test_a_source_is_looked_at_now(own: Board) -> None:
    assert answered(own, "/sources/calm/check") == "It was looked at just now, and brought something."
    assert "Checked" in words(own.page("/sources/calm"))


def looks_that_come_to(own: Board, looked: Looked, *, happen: bool) -> Callable[..., Awaitable[Looked]]:
    async def look(source: Source, begun: Callable[[], None]) -> Looked:
        begun()
        if happen:
            own.shelf.look(source.name, now_ms())
        return looked

    return look


def test_what_comes_of_a_look_is_said(own: Board) -> None:
    own.look = looks_that_come_to(own, Looked("calm", "unchanged"), happen=True)  # type: ignore[assignment]
    assert answered(own, "/sources/calm/check") == "It was looked at just now: nothing changed."
    own.look = looks_that_come_to(own, Looked("calm", "failed", error="x"), happen=True)  # type: ignore[assignment]
    assert "that failed" in answered(own, "/sources/calm/check")
    own.look = looks_that_come_to(own, Looked("calm", "unchanged", note="Retry-After"), happen=False)  # type: ignore[assignment]
    assert "asked to be left alone" in answered(own, "/sources/calm/check")


def test_a_look_that_takes_long_goes_on(own: Board) -> None:
    ended = asyncio.Event()

    async def look(source: Source, begun: Callable[[], None]) -> Looked:
        await ended.wait()
        return await own.usual_look(source, begun)

    own.look = look
    own.pages.wait_s = 0.05
    assert "takes its time" in answered(own, "/sources/calm/check")

    async def end() -> None:
        ended.set()
        await asyncio.gather(*own.operations.looking)

    own.runner.run(end())
    assert "Checked" in words(own.page("/sources/calm"))


def test_a_source_is_paused_and_resumed(own: Board) -> None:
    assert answered(own, "/sources/a/pause").startswith("It is paused")
    tree = own.page("/sources/a", Scope.WRITE)
    standing = words(tree.xpath("//*[@id='standing']")[0])
    assert re.search(r"paused by the writer since \d{4}-", standing)
    assert tree.xpath("//form[@method='post']/@action") == ["/sources/a/check", "/sources/a/resume"]
    assert own.names("/sources?state=paused") == ["rest", "a"]
    assert answered(own, "/sources/a/resume").startswith("It goes on")
    assert own.names("/sources?state=paused") == ["rest"]
    refused_ = own.ask("POST", "/sources/rest/resume", Scope.WRITE)
    assert refused_.status_code == 409
    assert "paused = true" in refused_.text
