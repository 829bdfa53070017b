"""Pages about entries, their versions, what differs between them, and what changed lately."""

import asyncio
import json
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import html
from running import FIRST_MS, Daemon, Site, write_seed
from shelf import BORN_MS, Piece, Shelf
from starlette.exceptions import HTTPException
from starlette.routing import Route

from feedd.comparison import Comparison, Comparisons
from feedd.publish.cache import Feeds
from feedd.store.reader import Revision
from feedd.web.app import COMPARING, Web, application
from feedd.web.entry_pages import Asked, diff

HOSTILE = '<script>alert("1")</script> & \u202eأهلا'
FIRST = (
    "<p>The council met. Fees rise by 1.5 %.</p><p>It was long.</p>"
    "<p><a href='https://example.org/x'><img src='https://example.org/1.jpg' alt='A &lt;mayor&gt;'></a></p>"
    "<video src='https://example.org/v.mp4' controls></video>"
)
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


class Filled:
    """A daemon over: 1 edited twice and seen through a second source, 2 removed, 3 hostile, 4 with one version."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.ids = {item["url"].rpartition("/")[2]: self.number(item) for item in daemon.items()}

    def number(self, item: dict[str, Any]) -> int:
        return int(self.daemon.site.json("show", item["url"])["id"])

    def get(self, path: str, **headers: str) -> httpx.Response:
        found = self.daemon.get(path, **{"Accept": BROWSER, **headers})
        assert found.status_code != 500, found.text
        return found

    def page(self, path: str, status: int = 200) -> Any:
        found = self.get(path)
        assert found.status_code == status, found.text
        assert found.headers["content-type"] == "text/html; charset=utf-8"
        assert "script-src" not in found.headers["content-security-policy"]
        tree = html.document_fromstring(found.text)
        assert not tree.xpath("//script | //main//img | //main//video | //*[@style] | //@onerror")
        return tree


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    site = Site(
        tmp_path_factory.mktemp("site"),
        more='[sources.other]\ntype = "directory"\npath = "other"\npriority = -1',
    )
    site.seed("a.txt", "Fees rise", FIRST)
    gone = site.seed("gone.txt", "Going")
    site.seed("hostile.txt", HOSTILE, "<p>One &lt;b&gt; <i>x</i></p>")
    site.seed("alone.txt")
    write_seed(site.root / "other/a.txt", "Fees rise", FIRST.replace("1.5", "2.5"))
    site.feedd("update")
    site.seed("a.txt", "Fees soar", FIRST.replace("1.5 %", "15 %"), FIRST_MS + 1000)
    site.seed("hostile.txt", HOSTILE, "<p>Two &lt;b&gt; <i>x</i></p>")
    gone_id = site.json("show", "https://example.org/gone")["id"]
    gone.unlink()
    site.feedd("update")
    site.seed(
        "a.txt",
        "Fees soar",
        FIRST.replace("1.5 %", "15 %").replace("It was long", "It was short"),
        FIRST_MS + 2000,
    )
    site.feedd("update")
    with site.running() as daemon:
        filled = Filled(daemon)
        filled.ids["gone"] = gone_id
        yield filled


def words(tree: Any) -> str:
    return " ".join(tree.text_content().split())


def hrefs(tree: Any) -> list[str]:
    return [str(each) for each in tree.xpath("//a/@href")]


def test_an_entry_with_its_history(web: Filled) -> None:
    number = web.ids["a"]
    tree = web.page(f"/entries/{number}")
    assert tree.xpath("string(//h1)") == "Fees soar"
    assert tree.xpath("//a[@href='https://example.org/a'][@rel='noreferrer']")
    article = tree.xpath("//article")[0]
    assert "Fees rise by 15 %." in words(article)
    assert "[picture: A <mayor>]" in words(article)
    rows = tree.xpath("//table//tbody/tr")
    assert [row.xpath("string(td[1])") for row in rows] == ["4", "3", "2", "1"]
    assert {row.xpath("string(td[3])") for row in rows} == {"news", "other"}
    assert f"/entries/{number}/diff/3..4" in hrefs(tree)
    assert f"/entries/{number}?revision=1" in hrefs(tree)
    assert "substantial" in rows[0].xpath("string(td[5])")
    assert "/changes" in hrefs(tree)


def test_the_history_compares_within_a_source(web: Filled) -> None:
    by_source: dict[str, list[int]] = {}
    for each in web.daemon.site.json("history", "https://example.org/a"):
        by_source.setdefault(each["source"], []).append(each["revision"])
    pairs = {
        href.rpartition("/")[2] for href in hrefs(web.page(f"/entries/{web.ids['a']}")) if "/diff/" in href
    }
    assert pairs == {f"{old}..{new}" for own in by_source.values() for old, new in pairwise(own)}


def test_an_earlier_version(web: Filled) -> None:
    first = web.daemon.site.json("history", "https://example.org/a")[0]
    tree = web.page(f"/entries/{web.ids['a']}?revision={first['revision']}")
    assert tree.xpath("string(//h1)") == "Fees rise"
    assert "This is version 1" in words(tree)
    assert "5 %" in words(tree.xpath("//article")[0])


def test_a_removed_entry_says_so(web: Filled) -> None:
    tree = web.page(f"/entries/{web.ids['gone']}")
    assert "Removed 20" in words(tree)
    assert "Some words." in words(tree)
    assert not tree.xpath("//form")


def test_a_comparison(web: Filled) -> None:
    number = web.ids["a"]
    tree = web.page(f"/entries/{number}/diff/1..4")
    text = words(tree)
    assert tree.xpath("//ins") and tree.xpath("//del")  # noqa: PT018
    assert "Title: " in text
    assert "substantial" in text
    assert tree.xpath("//ul[@class='reasons']/li")
    assert f"/entries/{number}/diff/1..4?view=side" in hrefs(tree)
    side = web.page(f"/entries/{number}/diff/1..4?view=side")
    assert side.xpath("//table//del") and side.xpath("//table//ins")  # noqa: PT018
    assert side.xpath("//th/text()") == ["Version 1", "Version 4"]


def test_comparisons_lead_to_those_before_and_after(web: Filled) -> None:
    number = web.ids["a"]
    own = [
        each["revision"]
        for each in web.daemon.site.json("history", "https://example.org/a")
        if each["source"] == "news"
    ]
    first, second, third = own
    tree = web.page(f"/entries/{number}/diff/{first}..{second}?view=side")
    assert tree.xpath("//a[@rel='next']/@href") == [f"/entries/{number}/diff/{second}..{third}?view=side"]
    assert not tree.xpath("//a[@rel='prev']")
    tree = web.page(f"/entries/{number}/diff/{second}..{third}")
    assert tree.xpath("//a[@rel='prev']/@href") == [f"/entries/{number}/diff/{first}..{second}"]


def test_a_version_beside_itself(web: Filled) -> None:
    tree = web.page(f"/entries/{web.ids['alone']}/diff/1..1", 400)
    assert "Version 1 and version 1 are one." in words(tree)


def test_versions_that_were_pruned(tmp_path: Path) -> None:
    site = Site(tmp_path, "keep = 1")
    for number in range(3):
        site.seed("a.txt", "Fees rise", FIRST.replace("1.5", str(number)), FIRST_MS + number)
        site.feedd("update")
    site.feedd("prune")
    number = site.json("show", "https://example.org/a")["id"]
    with site.running() as daemon:
        web = Filled(daemon)
        tree = web.page(f"/entries/{number}")
        assert not tree.xpath("//form"), "one is left"
        assert not any("/diff/" in href for href in hrefs(tree))
        (row,) = tree.xpath("//table//tbody/tr")
        assert "substantial number 1" in words(row)
        for path in (f"/entries/{number}/diff/2..3", f"/entries/{number}?revision=2"):
            assert "Version 2 is no longer kept." in words(web.page(path, 410))
        assert "There is no version 4 of this entry; the last is 3." in words(
            web.page(f"/entries/{number}/diff/3..4", 404)
        )


def test_versions_that_were_kept_without_a_word(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.seed("a.txt", body="<p>One.</p>")
    site.feedd("update")
    site.seed("a.txt", body="<p><b>One.</b></p>", time_ms=FIRST_MS + 1)
    site.feedd("update")
    number = site.json("show", "https://example.org/a")["id"]
    with site.running() as daemon:
        row = Filled(daemon).page(f"/entries/{number}").xpath("//table//tbody/tr")[0]
        assert row.xpath("string(.//span[contains(@class, 'level-none')])") == "none"


@pytest.fixture
def feeds(tmp_path: Path) -> Iterator[Feeds]:
    """Entry 1 with two versions."""
    shelf = Shelf(tmp_path, '[sources.one]\ntype = "directory"\npath = "1"\n')
    for second, body in enumerate(("<p>It was 1.5 %.</p>", "<p>It was 15 %.</p>")):
        shelf.look("one", BORN_MS + second * 1000, [Piece("a", body=body)])
    yield shelf.feeds
    shelf.close()


def test_what_is_too_long_names_the_command(feeds: Feeds) -> None:
    asked = Asked("1", "1..2", {}, BROWSER)
    assert diff(feeds, Comparisons(feeds.reader), asked).status_code == 200
    with pytest.raises(HTTPException) as failed:
        diff(feeds, Comparisons(feeds.reader, longest=30), asked)
    assert failed.value.status_code == 422
    assert failed.value.detail == (
        "Versions 1 and 2 are too long to be compared here; the command `feedd diff 1 1 2` compares them."
    )


def test_the_views_and_formats_of_a_pair_share_a_comparison(feeds: Feeds) -> None:
    comparisons, found = Comparisons(feeds.reader), set[int]()
    for query in ({}, {"view": "side"}, {"format": "json"}, {"format": "unified"}):
        diff(feeds, comparisons, Asked("1", "1..2", query, BROWSER))
        found.update(map(id, comparisons.kept.values()))
    assert len(found) == 1


def test_comparisons_hold_up_no_page(feeds: Feeds) -> None:
    """However many are under way, as long as they like."""
    app = application(feeds)
    (route,) = (each for each in app.routes if isinstance(each, Route) and each.name == "diff")
    endpoint: Any = route.endpoint
    web: Web = endpoint.__self__
    held, begun = threading.Event(), threading.Semaphore(0)

    class Slow(Comparisons):
        most = now = 0

        def of(self, old: Revision, new: Revision) -> Comparison:
            with self.guard:
                self.now += 1
                self.most = max(self.most, self.now)
            begun.release()
            assert held.wait(30)
            with self.guard:
                self.now -= 1
            return super().of(old, new)

    slow = web.comparisons = Slow(feeds.reader)

    async def ask() -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            asked = [asyncio.create_task(client.get("/entries/1/diff/1..2")) for _ in range(8)]
            for _ in range(COMPARING):
                await asyncio.to_thread(begun.acquire)
            for path in ("/", "/entries/1", "/changes", "/feeds/all.atom"):
                assert (await asyncio.wait_for(client.get(path), 30)).status_code == 200
            held.set()
            assert {(await each).status_code for each in asked} == {200}

    try:
        asyncio.run(ask())
    finally:
        held.set()
    assert slow.most == COMPARING


def test_a_comparison_for_programs(web: Filled) -> None:
    path = f"/entries/{web.ids['a']}/diff/1..4"
    printed = web.daemon.site.json("diff", "https://example.org/a", "1", "4")
    for found in (web.get(path, Accept="application/json"), web.get(f"{path}?format=json")):
        assert found.headers["content-type"] == "application/json; charset=utf-8"
        assert found.headers["vary"] == "Accept"
        assert json.loads(found.text) == printed
    unified = web.get(f"{path}?format=unified")
    assert unified.headers["content-type"] == "text/plain; charset=utf-8"
    assert (
        unified.text
        == web.daemon.site.feedd("diff", "https://example.org/a", "1", "4", "--format", "unified").stdout
    )
    assert web.get(path).headers["vary"] == "Accept"


def test_the_form_leads_to_the_comparison(web: Filled) -> None:
    number = web.ids["a"]
    (form,) = web.page(f"/entries/{number}").forms
    assert (form.action, form.method) == (f"/entries/{number}/diff", "GET")
    assert set(form.fields) == {"from", "to"}
    answer = web.get(f"{form.action}?from=1&to=3")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/entries/{number}/diff/1..3")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/entries/0", 404),
        ("/entries/999999", 404),
        ("/entries/-1", 404),
        ("/entries/1e3", 404),
        ("/entries/١", 404),
        (f"/entries/{'9' * 400}", 404),
        ("/entries/x%00y", 404),
        ("/entries/{a}?revision=99", 404),
        ("/entries/{a}?revision=0", 404),
        ("/entries/{a}?revision=-1", 404),
        (f"/entries/{{a}}?revision={'9' * 400}", 404),
        ("/entries/{a}?before=x", 400),
        ("/entries/{a}?before=0", 400),
        ("/entries/{a}/diff/1..99", 404),
        ("/entries/{a}/diff/1..", 404),
        ("/entries/{a}/diff/1...2", 404),
        ("/entries/{a}/diff/-1..2", 404),
        (f"/entries/{{a}}/diff/1..{'9' * 400}", 404),
        ("/entries/99999/diff/1..2", 404),
        ("/entries/{a}/diff/1..2?format=xml", 400),
        ("/entries/{a}/diff/1..2?view=up", 400),
        ("/entries/{a}/diff", 400),
        ("/entries/{a}/diff?from=1&to=x", 400),
        ("/entries/{a}/diff?from=1&to=99999999999999999999", 400),
        ("/changes?before=x", 400),
        ("/changes?before=-5", 400),
        (f"/changes?before={'9' * 30}", 400),
        ("/changes?significance=huge", 400),
        ("/changes?significance=none", 400),
        ("/changes?before=1", 200),
        ("/changes?before=999999999999999999", 200),
        ("/entries/{a}?before=1", 200),
    ],
)
def test_what_does_not_exist_is_answered_in_words(web: Filled, path: str, status: int) -> None:
    found = web.get(path.format(a=web.ids["a"]))
    assert found.status_code == status, found.text
    if status != 200:
        said = html.document_fromstring(found.text).xpath("string(//main/p)")
        assert said.endswith(".")
        assert said not in {"Not Found", "Bad Request"}


def test_changes_newest_first(web: Filled) -> None:
    tree = web.page("/changes")
    kinds = tree.xpath("//ol/li//span[contains(@class, 'tag')][1]/text()")
    assert sorted(set(kinds)) == ["edited", "edited silently", "removed"]
    assert tree.xpath("//ol/li[1]//h3/a/text()") == ["Fees soar"]
    assert HOSTILE in tree.xpath("//ol/li//h3/a/text()")
    assert "Fees rise" not in tree.xpath("//ol/li//h3/a/text()")
    times = tree.xpath("//ol/li//time/@datetime")
    assert times == sorted(times, reverse=True)
    assert any(href.startswith(f"/entries/{web.ids['a']}/diff/") for href in hrefs(tree))
    assert tree.xpath("//ol/li[1]//ul[@class='reasons']/li")


def test_changes_of_one_significance(web: Filled) -> None:
    tree = web.page("/changes?significance=none", 400)
    assert "significance is one of: minor, substantial." in words(tree), "nobody is told of others"
    every = web.page("/changes").xpath("//ol/li//h3")
    substantial = web.page("/changes?significance=substantial")
    assert 0 < len(substantial.xpath("//ol/li//h3")) <= len(every)
    assert substantial.xpath("//a[@aria-current='page']/@href") == ["/changes?significance=substantial"]


def test_hostile_titles_and_texts_are_shown_as_they_are(web: Filled) -> None:
    number = web.ids["hostile"]
    for path in (
        f"/entries/{number}",
        f"/entries/{number}/diff/1..2",
        f"/entries/{number}/diff/1..2?view=side",
    ):
        assert HOSTILE in web.page(path).xpath("string(//h1)")


def test_lists_of_entries_lead_to_their_pages(web: Filled) -> None:
    for path in ("/", "/feeds/news"):
        tree = web.page(path)
        assert f"/entries/{web.ids['a']}" in hrefs(tree)
        assert "https://example.org/a" in hrefs(tree)


def test_head_is_answered(web: Filled) -> None:
    found = httpx.head(f"{web.daemon.site.url}/entries/{web.ids['a']}", trust_env=False)
    assert (found.status_code, found.content) == (200, b"")


def test_pages_of_an_unused_database(tmp_path: Path) -> None:
    with Site(tmp_path).running() as daemon:
        assert "No change of that kind was seen yet." in daemon.get("/changes").text
        assert daemon.get("/entries/1").status_code == 404
