"""The pages about feeds: the list, and one of each."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from gated import Gated
from inprocess import Pages, hrefs, pages_of, words
from lxml import etree, html
from shelf import BORN_MS, Piece, Shelf

from feedd.access.scopes import Scope
from feedd.publish.cache import FORMATS
from feedd.quoting import quoted
from feedd.store import incidents

TOML = """
[server]
base_url = "https://feeds.example/"
[sources.news]
type = "directory"
path = "a"
title = "The <News> & co"
[sources.other]
type = "directory"
path = "b"
[feeds.picked]
title = "أخبار"
sources = ["news", "other"]
query = "网络 -\\"a b\\""
content = "summary"
[feeds.picked.match]
title = "<script>|x"
[feeds.picked.reject]
text = "draft"
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    shelf = Shelf(tmp_path_factory.mktemp("feeds"), TOML)
    shelf.look("news", BORN_MS, [Piece(f"p{number}", f"网络 {number}") for number in range(35)])
    with pages_of(shelf.feeds) as pages:
        yield pages
    shelf.close()


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    toml = "".join(
        f'[feeds.f{number:03}]\nsources = []\ntitle = "Feed {number}"\n' for number in range(1, 410)
    )
    shelf = Shelf(tmp_path_factory.mktemp("many"), toml)
    with pages_of(shelf.feeds) as pages:
        yield pages
    shelf.close()


def test_the_list_says_what_each_feed_holds(site: Pages) -> None:
    tree = site.page("/feeds")
    cards = {card.xpath("string(h2)"): words(card) for card in tree.xpath("//li[@data-row]")}
    assert list(cards) == [
        "All entries",
        "What changed",
        "Health of the sources",
        "The <News> & co",
        "other",
        "أخبار",
    ]
    assert "The entries of all sources." in cards["All entries"]
    assert "All that this source has." in cards["The <News> & co"]
    assert "35 entries" in cards["The <News> & co"]
    assert "The entries of: The <News> & co, other" in cards["أخبار"]
    assert "a search with rules summaries" in cards["أخبار"]
    assert "private" not in words(tree.xpath("//main")[0])
    copied = tree.xpath("//button/@data-copy")
    assert copied[0] == "https://feeds.example/feeds/all.atom"
    assert all(button.get("hidden") is not None for button in tree.xpath("//button[@data-copy]"))


def test_a_long_list_is_paged_and_may_be_asked_by_name(many: Pages) -> None:
    first, last = many.page("/feeds"), many.page("/feeds?page=3")
    assert len(first.xpath("//li[@data-row]")) == 200
    assert len(last.xpath("//li[@data-row]")) == 12
    assert first.xpath("//a[@rel='next']/@href") == ["/feeds?name=&page=2"]
    assert not last.xpath("//a[@rel='next']")
    some = many.page("/feeds?name=FEED+40")
    assert len(some.xpath("//li[@data-row]")) == 11  # 40, 400 to 409
    assert "No feed has that" in words(many.page("/feeds?name=%3Cscript%3E"))


@pytest.mark.parametrize(
    ("query", "status"),
    [("page=0", 400), ("page=-1", 400), ("page=x", 400), ("page=9999999", 400), ("page=%D9%A3", 400)]
    + [("page=", 400), ("page=4", 404), (f"name={'x' * 101}", 400)],
    ids=["zero", "negative", "word", "huge", "digits of others", "empty", "beyond", "long"],
)
def test_what_can_not_be_listed(many: Pages, query: str, status: int) -> None:
    many.page(f"/feeds?{query}", status)


def test_a_feed_says_how_to_subscribe(site: Pages) -> None:
    tree = site.page("/feeds/picked")
    addresses = [f"https://feeds.example/feeds/picked.{each}" for each in ("atom", "rss", "json")]
    assert tree.xpath("//ul[@class='addresses']//code/text()") == addresses
    assert tree.xpath("//button/@data-copy") == addresses
    assert tree.xpath("//link[@rel='alternate']/@href") == addresses
    assert "feed:https://feeds.example/feeds/picked.atom" in hrefs(tree)
    assert "/feeds.opml?feed=picked" in hrefs(tree)
    assert tree.xpath("//h1/@dir") == ["auto"]
    assert "token" not in words(tree.xpath("//main")[0])


def test_a_feed_says_what_it_holds(site: Pages) -> None:
    (about,) = site.page("/feeds/picked").xpath("//aside")
    said = words(about)
    assert "only where title fits <script>|x" in said
    assert "not where text fits draft" in said
    assert "The newest 100 entries, in summary." in said
    assert about.xpath(".//a[starts-with(@href, '/search?q=')]//code/text()") == ['网络 -"a b"']
    assert "/sources/news" in hrefs(about)


def test_a_feed_shows_its_newest_entries(site: Pages) -> None:
    tree = site.page("/feeds/news")
    assert len(tree.xpath("//*[@id='entries'][@data-live]//li[@data-row]")) == 30
    assert "/sources/news" in hrefs(tree.xpath("//aside")[0])
    for name in ("all", "changes", "health"):
        site.page(f"/feeds/{name}")


def test_older_entries_are_on_further_pages(site: Pages) -> None:
    first, second = (
        site.page(f"/feeds/news?page={number}").xpath("//li[@data-row]//h3/a") for number in (1, 2)
    )
    assert (len(first), len(second)) == (30, 5)
    assert len({link.text for link in [*first, *second]}) == 35
    assert "/feeds/news?page=2#newest" in hrefs(site.page("/feeds/news"))
    assert "/feeds/news#newest" in hrefs(site.page("/feeds/news?page=2"))


@pytest.mark.parametrize(
    ("page", "status"),
    [("3", 404), ("34", 404), ("0", 400), ("-1", 400), ("x", 400), ("1" * 99, 400), ("", 400)],
)
def test_pages_that_a_feed_has_not(site: Pages, page: str, status: int) -> None:
    site.page(f"/feeds/news?page={page}", status)


@pytest.mark.parametrize("format_", ["atom", "rss", "json"])
def test_links_to_a_document_show_it_in_a_browser(site: Pages, format_: str) -> None:
    opened = {"Sec-Fetch-Dest": "document"}
    assert site.get(f"/feeds/news.{format_}", **opened).status_code == 303
    for page in ("/feeds", "/feeds/news"):
        assert f"/feeds/news.{format_}?raw=1" in hrefs(site.page(page))
    shown, subscribed = site.get(f"/feeds/news.{format_}?raw=1", **opened), site.get(f"/feeds/news.{format_}")
    assert shown.status_code == 200
    assert shown.headers["content-type"] == "text/plain; charset=utf-8"
    assert subscribed.headers["content-type"].startswith("application/")
    assert shown.content == subscribed.content
    assert "raw=" not in subscribed.text


def test_what_went_wrong_is_told_to_everybody_without_what_a_receiver_said(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, TOML + '[notify.desk]\ntype = "command"\ncommand = ["/bin/false"]\n')
    why = quoted("false ended in a way without words, exit status 1", "no such user: zoe")

    def report(connection: sqlite3.Connection) -> None:
        (source,) = connection.execute("SELECT id FROM sources WHERE name = 'news'").fetchone()
        incidents.report(
            connection,
            source,
            "silent",
            "nothing new since 2025-01-01 10:00 UTC: it is silent for longer than ever",
            BORN_MS,
        )
        connection.execute(
            "INSERT INTO channels (name, type, location, settings, configured, added_at) VALUES"
            " ('desk', 'command', '', '', 1, 0)"
        )
        (channel,) = connection.execute("SELECT id FROM channels").fetchone()
        incidents.report(connection, channel, "undelivered", why, BORN_MS, "channel")

    shelf.desk.run(lambda writer: writer.within(report))
    with pages_of(shelf.feeds) as pages:
        answers = [pages.get(path) for path in ("/feeds/health", *(f"/feeds/health.{x}" for x in FORMATS))]
        for answer in answers:
            assert "exit status 1" in answer.text
            assert "zoe" not in answer.text
        english, chinese = (
            words(pages.page("/feeds/health")),
            words(pages.page("/feeds/health", language="zh")),
        )
        assert "Nobody takes the messages of channel desk" in english
        assert "Since 2025-06-15 15:06." in english
        tree = pages.page("/feeds/health", language="zh")
        for said in (
            "来源健康状况",
            "渠道 desk 的消息无人接收",
            "自 2025-06-15 15:06 起。",
            "没有出错，只是没有新内容。",
        ):
            assert said in chinese
        assert [words(each) for each in tree.xpath("//main//*[@lang='en']")] == [
            "false ended in a way without words, exit status 1."
        ]
    shelf.close()


def test_in_chinese(site: Pages) -> None:
    assert {"全部条目", "改动", "来源健康状况"} <= {
        words(each) for each in site.page("/feeds", language="zh").xpath("//h2")
    }
    tree = site.page("/feeds/picked", language="zh")
    assert tree.get("lang") == "zh-Hans"
    assert "最新 100 条，仅摘要。" in words(tree)
    assert "仅限标题符合" in words(tree)


def test_one_feed_as_opml(site: Pages) -> None:
    found = etree.fromstring(site.get("/feeds.opml?feed=picked").content)
    assert found.xpath("//outline/@xmlUrl") == ["https://feeds.example/feeds/picked.atom"]
    assert len(etree.fromstring(site.get("/feeds.opml").content).xpath("//outline")) == 6
    assert site.get("/feeds.opml?feed=nope").status_code == 404
    assert site.get("/feeds.opml?feed=").status_code == 404


def test_a_private_feed_says_that_readers_need_a_token(tmp_path: Path) -> None:
    with Gated(tmp_path) as site:
        assert site.get("/feeds/secret").status_code == 401
        assert site.get("/feeds.opml?feed=secret").status_code == 401
        bearer = {"authorization": f"Bearer {site.token('reader', Scope.READ)}"}
        assert "feedd token new NAME" in site.get("/feeds/secret", **bearer).text
        assert site.get("/feeds.opml?feed=secret", **bearer).status_code == 200
        listed = html.document_fromstring(site.get("/feeds", **bearer).text)
        assert "private" in words(listed.xpath("//li[.//a/@href = '/feeds/secret']")[0])
        assert "/feeds/secret" not in site.get("/feeds").text
