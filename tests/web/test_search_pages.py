"""The page /search, and searches as feeds, over HTTP."""

import asyncio
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import feedparser
import httpx
import pytest
from lxml import html
from shelf import BORN_MS, Piece, Shelf
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from feedd.config.values import Listen
from feedd.search.feeds import SearchFeeds
from feedd.search.finder import Finder
from feedd.search.indexer import Indexer
from feedd.web.app import application
from feedd.web.search import Search, routes
from feedd.web.server import bind, server
from feedd.web.viewer import VIEWER, Viewer

TOML = """
[sources.news]
type = "directory"
path = "."
title = "The <News>"
tags = ["zh", "the world"]
[sources.other]
type = "directory"
path = "b"
[feeds.secret]
access = "token"
"""
HOSTILE = '<img src=x onerror="alert(1)"> "quoted" & \u202e'


class Doorkeeper:
    """Who shows anything may see the feed `secret`; stands where the gate does."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "authorization" not in Request(scope).headers:
            scope[VIEWER] = Viewer(private=frozenset({"secret"}))
        await self.app(scope, receive, send)


class Served:
    """feedd's application with its searches, on a port of its own."""

    def __init__(self, root: Path) -> None:
        self.shelf = Shelf(root, TOML)
        pieces = [Piece(f"p{number}", f"网络 {number}", "<p>Some words</p>") for number in range(40)]
        pieces.append(Piece("hostile", HOSTILE, "<p>&lt;script&gt;alert(1)&lt;/script&gt; water</p>"))
        self.shelf.look("news", BORN_MS, pieces)
        self.shelf.look("other", BORN_MS, [Piece("else", "Water elsewhere", "<p>water</p>")])
        assert Indexer(self.shelf.desk, self.shelf.reader, {}).catch_up()
        feeds = self.shelf.feeds
        finder = Finder(self.shelf.reader, self.shelf.config, feeds.plans)
        search = Search(finder, SearchFeeds(finder, feeds.base_url, feeds.titles))
        self.listening = bind(Listen("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        self.server = server(application(feeds, routes(search), [Middleware(Doorkeeper)]))
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self) -> None:
        asyncio.run(self.server.serve(sockets=[self.listening]))

    def get(self, path: str, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        found = httpx.get(f"{self.url}{path}", headers=named, trust_env=False, verify=False, timeout=30)
        assert found.status_code < 500, found.text
        return found

    def page(self, query: str, status: int = 200, **more: str) -> Any:
        found = httpx.get(
            f"{self.url}/search", params={"q": query, **more}, trust_env=False, verify=False, timeout=30
        )
        assert found.status_code == status, found.text
        tree = html.document_fromstring(found.text)
        assert not tree.xpath("//main//script | //main//img | //*[@style] | //@onerror")
        return tree

    def close(self) -> None:
        self.server.should_exit = True
        self.thread.join(30)
        self.listening.close()
        self.shelf.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(tmp_path_factory.mktemp("site"))
    yield made
    made.close()


def test_the_page_without_a_query(served: Served) -> None:
    tree = served.page("")
    assert tree.xpath("//form[@role='search']//input[@name='q']/@value") == [""]
    assert not tree.xpath("//ol")
    chips = tree.xpath("//a[@class='chip']/@href")
    assert {"/search?q=source%3Anews", "/search?q=tag%3Azh", "/search?q=tag%3A%22the+world%22"} <= set(chips)
    assert tree.xpath("//details//code[text()='elect*']")
    for chip in chips:
        assert served.get(chip).status_code == 200


def test_results(served: Served) -> None:
    tree = served.page("网络")
    assert len(tree.xpath("//ol/li[@data-row]")) == 30
    assert tree.xpath("string(//h2[@id='found'])") == "The best 30 results"
    assert tree.xpath("//ol/li[1]//h3//mark/text()") == ["网络"]
    assert tree.xpath("//a[starts-with(@href, '/search?') and contains(., 'More')]")
    assert tree.xpath("//link[@rel='alternate']/@href") == [
        f"/search.{each}?q=%E7%BD%91%E7%BB%9C" for each in ("atom", "rss", "json")
    ]
    rest = served.page("网络", limit="100")
    assert len(rest.xpath("//ol/li")) == 40
    assert rest.xpath("string(//h2[@id='found'])") == "40 results"
    assert not rest.xpath("//a[contains(., 'More')]")
    assert "Nothing was found" in served.page("absent").text_content()


def test_a_search_is_narrowed_by_links(served: Served) -> None:
    tree = served.page("water")
    links = {link.text_content(): link.get("href") for link in tree.xpath("//ul[@class='chips']//a")}
    assert links["The <News>"] == "/search?q=source%3Anews+water"
    assert {"published within 7 days", "edited within 7 days"} <= set(links)
    for href in links.values():
        assert served.get(href).status_code == 200
    narrow = served.page("source:news water")
    assert narrow.xpath("//a[@class='chip on']/@href") == ["/search?q=water"]
    assert not [each for each in narrow.xpath("//a[@class='chip']/@href") if "source%3Aother" in each]


@pytest.mark.parametrize("query", ['"source:news water', "source:news OR source:other"])
def test_what_would_mean_something_else_is_not_taken_out(served: Served, query: str) -> None:
    assert not served.page(query).xpath("//a[@class='chip on']")


def test_a_search_may_be_kept_in_the_configuration(served: Served) -> None:
    query = 'water -"a \\ \'b" 网络'
    said = served.page(query).xpath("string(//pre[@class='toml']/code)")
    assert tomllib.loads(said) == {"feeds": {"my-search": {"query": query}}}
    assert served.page(query).xpath("//button[@data-copy=$said]", said=said)
    assert not served.page("feed:all water").xpath("//pre[@class='toml']")


def test_in_chinese(served: Served) -> None:
    found = httpx.get(
        f"{served.url}/search?q=网络", headers={"Accept-Language": "zh"}, trust_env=False, verify=False
    )
    assert "最相关的 30 条结果" in found.text


def test_what_is_hostile_is_shown_as_text(served: Served) -> None:
    tree = served.page('water "quoted"')
    assert '<img src=x onerror="alert(1)">' in tree.xpath("string(//ol/li//h3[contains(., 'quoted')])")
    assert "<script>alert(1)</script>" in tree.xpath(
        "string(//ol/li[.//h3[contains(., 'quoted')]]//p[@class='summary'])"
    )
    typed = '"><script>alert(1)</script>'
    assert served.page(typed).xpath("//input[@name='q']/@value") == [typed]


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("-x", "only what must not be there"),
        ('"', "nothing to look for"),
        ("before:soon", "is no date"),
        ("source:nope", "there is no source 'nope'"),
        ("x" * 1001, "at most 1,000 characters"),
    ],
    ids=["negative", "nothing", "date", "source", "long"],
)
def test_a_query_that_is_wrong(served: Served, query: str, why: str) -> None:
    assert why in served.page(query, 400).xpath("string(//p[@role='alert'])")
    for format_ in ("atom", "rss", "json"):
        found = httpx.get(
            f"{served.url}/search.{format_}", params={"q": query}, trust_env=False, verify=False
        )
        assert found.status_code == 400
        assert why.lower() in found.text.lower()


def test_what_is_wrong_with_a_query_is_said_in_chinese(served: Served) -> None:
    found = served.get("/search?q=-x", Accept_Language="zh")
    (alarm,) = html.document_fromstring(found.text).xpath("//p[@role='alert']")
    assert "".join(alarm.text_content().split()) == "无法搜索：只写了要排除的内容，还需写出要找什么。"
    assert not alarm.xpath(".//@lang")


def test_a_search_is_shown_as_a_document_where_that_is_asked_for(served: Served) -> None:
    (atom, *_) = served.page("water").xpath("//ul[contains(@class, 'ways-of-search')]//a/@href")
    assert atom == "/search.atom?q=water&raw=1"
    shown = served.get(atom, Sec_Fetch_Dest="document")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "text/plain; charset=utf-8")


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "x", "９", "", "1" * 50])
def test_limits_that_are_wrong(served: Served, limit: str) -> None:
    for path in ("/search", "/search.atom"):
        found = httpx.get(
            f"{served.url}{path}", params={"q": "x", "limit": limit}, trust_env=False, verify=False
        )
        assert found.status_code == 400
        assert "limit is a whole number" in found.text


def test_a_hundred_kilobytes(served: Served) -> None:
    for path in ("/search", "/search.json"):
        assert served.get(f"{path}?q={'a' * 50_000}").status_code in {400, 414}
    assert served.get("/search.atom").status_code == 400
    assert served.get("/search?q=%ff%00%fe").status_code in {200, 400}


def test_a_search_is_a_feed(served: Served) -> None:
    found = served.get("/search.atom?q=网络&limit=7")
    assert found.headers["content-type"] == "application/atom+xml; charset=utf-8"
    feed = feedparser.parse(found.content)
    assert feed.feed.title == "Search: 网络"
    assert len(feed.entries) == 7
    assert "http://127.0.0.1:8080/search.atom?q=%E7%BD%91%E7%BB%9C" in {
        link.href for link in feed.feed.links if link.rel == "self"
    }
    ids = [entry.id for entry in feed.entries]
    assert ids == [
        entry.id for entry in feedparser.parse(served.get("/feeds/news.atom?limit=7").content).entries
    ]
    assert ids == [item["id"] for item in served.get("/search.json?q=网络&limit=7").json()["items"]]
    assert ids == [
        entry.id for entry in feedparser.parse(served.get("/search.rss?q=网络&limit=7").content).entries
    ]
    assert len(served.get("/search.json?q=网络").json()["items"]) == 40


def test_what_a_reader_has_is_not_sent_again(served: Served) -> None:
    first = served.get("/search.atom?q=water")
    tag, date = first.headers["etag"], first.headers["last-modified"]
    assert served.get("/search.atom?q=water", If_None_Match=tag).status_code == 304
    assert served.get("/search.atom?q=water", If_Modified_Since=date).status_code == 304
    assert served.get("/search.atom?q=网络", If_None_Match=tag).status_code == 200
    assert served.get("/search.rss?q=water", Accept_Encoding="gzip").headers["content-encoding"] == "gzip"


def test_a_browser_is_led_to_the_page(served: Served) -> None:
    found = served.get("/search.atom?q=a%26b", Sec_Fetch_Dest="document")
    assert found.status_code == 303
    assert found.headers["location"] == "/search?q=a%26b"


def test_what_takes_too_long_may_be_asked_again(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feedd.search.finder.PATIENCE_S", -1.0)
    for path in ("/search", "/search.atom"):
        found = httpx.get(f"{served.url}{path}?q=some+words", trust_env=False, verify=False)
        assert found.status_code == 503
        assert int(found.headers["retry-after"]) > 0
        assert "takes too long" in found.text
        assert "searched for" not in found.text
    chinese = served_slowly(served, "zh")
    assert chinese == "搜索耗时过长；请加上词语、来源或时间来缩小范围。"


def served_slowly(served: Served, language: str) -> str:
    headers = {"Accept-Language": language}
    found = httpx.get(f"{served.url}/search?q=some+words", headers=headers, trust_env=False, verify=False)
    said: str = html.document_fromstring(found.text).xpath("string(//p[@role='alert'])")
    return said.strip()


def test_a_feed_of_nothing_is_as_old_as_the_database(served: Served) -> None:
    feed = feedparser.parse(served.get("/search.atom?q=absent").content)
    assert feed.entries == []
    assert feed.feed.updated_parsed.tm_year >= 2025


def test_feeds_that_one_may_not_see_are_not_there(served: Served) -> None:
    for path in ("/search", "/search.json"):
        assert served.get(f"{path}?q=feed:secret+water").status_code == 400
        assert served.get(f"{path}?q=feed:secret+water", Authorization="Bearer x").status_code == 200
