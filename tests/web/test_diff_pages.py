"""The page of what differs between two versions: views, jumps from change to change, formats for programs."""

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inprocess import BROWSER, Pages, hrefs, pages_of, words
from lxml import html
from running import run
from shelf import BORN_MS, Piece, Shelf
from starlette.exceptions import HTTPException
from starlette.routing import Route

from feedd.changes.compare import compare
from feedd.changes.layout import Words, words_changed
from feedd.changes.markup import inline, side_by_side
from feedd.changes.values import Content, Diff
from feedd.comparison import Comparison, Comparisons
from feedd.publish.cache import Feeds
from feedd.store.reader import Revision
from feedd.threads import COMPARING
from feedd.web.app import Web, application
from feedd.web.diff_markup import anchored, anchored_rows, worded
from feedd.web.diff_pages import LINKED, NUMBERED, Asked, diff, numbers
from feedd.web.look import Look

TOML = '[sources.news]\ntype = "directory"\npath = "a"\ntitle = "The News"\n'
STAYS = "".join(f"<p>Number {number} stays as it is. So does this.</p>" for number in range(9))
FIRST = f"<p>The council met. Fees rise by 1.5 %.</p>{STAYS}<p>It was long.</p>"
SECOND = FIRST.replace("1.5 %", "15 %")
THIRD = SECOND.replace("It was long.", "It was short.</p><p>One more. And <i>another</i> one.")
WRITTEN_MS = BORN_MS - 1_000_000
ANCHOR = re.compile(r'<span data-change id="change-[0-9]+">(.*?)</span>', re.DOTALL)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """1 with three versions, 2 in Hebrew and 3 of many changes with two, 4 with one."""
    shelf = Shelf(tmp_path_factory.mktemp("shelf"), TOML)
    many = "".join(
        f"<p>Number {number} is of no account here, as ever.</p>" for number in range(NUMBERED + 20)
    )
    bodies = [
        ("a", "Fees rise", (FIRST, SECOND, THIRD)),
        ("b", "האגרות", ("<p>האגרות יעלו ב-1.5 %.</p>", "<p>האגרות יעלו ב-15 %.</p>")),
        ("c", "Many", (many, many.replace("of no account", "of great weight"))),
        ("d", "One", ("<p>One.</p>",)),
    ]
    for second in range(3):
        shelf.look(
            "news",
            BORN_MS + second * 1000,
            [
                Piece(name, title, some[second], WRITTEN_MS + second * 1000)
                for name, title, some in bodies
                if second < len(some)
            ],
        )
    yield shelf
    shelf.close()


@pytest.fixture(scope="module")
def web(shelf: Shelf) -> Iterator[Pages]:
    with pages_of(shelf.feeds) as pages:
        yield pages


def test_a_comparison(web: Pages) -> None:
    tree = web.page("/entries/1/diff/1..3")
    (shown,) = tree.xpath("//div[contains(@class, 'diff')]")
    assert [words(each) for each in shown.xpath(".//del")] == ["1.5", "long"]
    assert [words(each) for each in shown.xpath(".//ins")] == ["15", "short", "One more. And another one."]
    assert "unchanged sentences" in words(shown)
    assert "substantial" in words(tree)
    assert tree.xpath("//ul[@class='reasons']/li")
    assert [words(each) for each in tree.xpath("//span[contains(@class, 'count')]")] == [
        "3 changes",
        "+7 words",
        "−2 words",
    ]


@pytest.mark.parametrize("query", ["", "?view=side", "?text=whole", "?view=side&text=whole"])
def test_each_change_can_be_jumped_to_without_a_script(web: Pages, query: str) -> None:
    tree = web.page(f"/entries/1/diff/1..3{query}")
    anchors = tree.xpath("//*[@data-change]/@id")
    assert anchors == [f"change-{number}" for number in range(1, len(anchors) + 1)]
    assert [f"#{each}" for each in anchors] == tree.xpath("//nav[@class='jump']//a/@href")
    assert not tree.xpath("//ins[not(ancestor::*[@data-change])] | //del[not(ancestor::*[@data-change])]")


def test_right_to_left(web: Pages) -> None:
    tree = web.page("/entries/2/diff/1..2")
    assert tree.xpath("//h1/@dir") == ["auto"]
    assert {
        each.get("dir") for each in tree.xpath("//div[contains(@class, 'diff')]/descendant-or-self::*[@dir]")
    } == {"auto"}


def test_of_many_changes_some_are_linked_to(web: Pages) -> None:
    tree = web.page("/entries/3/diff/1..2")
    anchors = set(tree.xpath("//*[@data-change]/@id"))
    assert len(anchors) == NUMBERED + 20
    links = [each.lstrip("#") for each in tree.xpath("//nav[@class='jump']//a/@href")]
    assert (links[0], links[-1]) == ("change-1", f"change-{len(anchors)}")
    assert len(links) <= LINKED + 1
    assert set(links) <= anchors


def test_side_by_side(web: Pages) -> None:
    side = web.page("/entries/1/diff/1..3?view=side")
    assert side.xpath("//th/text()") == ["Version 1", "Version 3"]
    assert [words(each) for each in side.xpath("//td[1]//del")] == ["1.5", "long"]
    assert side.xpath("//td[2]//ins")
    assert side.xpath("//a[@aria-current='page']/text()")[-1] == "Side by side"


def test_the_whole_text(web: Pages) -> None:
    (link,) = web.page("/entries/1/diff/1..3?view=side").xpath("//a[text()='Whole text']/@href")
    assert link == "/entries/1/diff/1..3?view=side&text=whole"
    tree = web.page(link)
    assert "Number 5 stays" in words(tree)
    assert tree.xpath("//a[text()='Changes only']/@href") == ["/entries/1/diff/1..3?view=side"]


def test_the_versions_are_swapped(web: Pages) -> None:
    (link,) = web.page("/entries/1/diff/1..2").xpath("//a[text()='Swap']/@href")
    assert link == "/entries/1/diff/2..1"
    tree = web.page(link)
    assert [words(each) for each in tree.xpath("//del")] == ["15"]


def test_comparisons_lead_to_those_before_and_after(web: Pages) -> None:
    tree = web.page("/entries/1/diff/1..2?view=side")
    assert tree.xpath("//a[@rel='next']/@href") == ["/entries/1/diff/2..3?view=side"]
    assert not tree.xpath("//a[@rel='prev']")
    tree = web.page("/entries/1/diff/2..3")
    assert tree.xpath("//a[@rel='prev']/@href") == ["/entries/1/diff/1..2"]


def test_a_version_beside_itself(web: Pages) -> None:
    assert "Version 1 and version 1 are one." in words(web.page("/entries/4/diff/1..1", 400))


def test_in_chinese(web: Pages) -> None:
    tree = web.page("/entries/1/diff/1..3", language="zh")
    assert "句未变" in words(tree.xpath("//div[contains(@class, 'diff')]")[0])
    assert "3 处改动" in words(tree)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("1/diff/1..99", 404),
        ("1/diff/1..", 404),
        ("1/diff/1...2", 404),
        ("1/diff/-1..2", 404),
        ("1/diff/1..%00", 404),
        (f"1/diff/1..{'9' * 400}", 404),
        ("99999/diff/1..2", 404),
        ("1/diff/1..2?format=xml", 400),
        ("1/diff/1..2?view=up", 400),
        ("1/diff/1..2?text=none", 400),
    ],
)
def test_what_does_not_exist_is_answered_in_words(web: Pages, path: str, status: int) -> None:
    said = web.page(f"/entries/{path}", status).xpath("string(//main/p)")
    assert said.endswith(".")
    assert said not in {"Not Found", "Bad Request"}


def test_a_comparison_for_programs(web: Pages, shelf: Shelf) -> None:
    path = "/entries/1/diff/1..3"

    def printed(*how: str) -> str:
        words = ["diff", "1", "1", "3", *how, "--config", str(shelf.path)]
        return run(words, shelf.path.parent).stdout

    shape = json.loads(printed("--json"))
    for found in (web.get(path, Accept="application/json"), web.get(f"{path}?format=json")):
        assert found.headers["content-type"] == "application/json; charset=utf-8"
        assert found.headers["vary"] == "Accept"
        assert json.loads(found.text) == shape
    unified = web.get(f"{path}?format=unified")
    assert unified.headers["content-type"] == "text/plain; charset=utf-8"
    assert unified.text == printed("--format", "unified")
    assert "Accept" in re.split(", *", web.get(path).headers["vary"])
    assert {f"{path}?format=unified", f"{path}?format=json"} <= set(hrefs(web.page(f"{path}?view=side")))


def test_what_is_too_long_names_the_command(shelf: Shelf) -> None:
    reader, asked = shelf.feeds.reader, Asked("1", "1..2", {}, BROWSER)
    assert diff(Look(), shelf.feeds, Comparisons(reader), asked).status_code == 200
    with pytest.raises(HTTPException) as failed:
        diff(Look(), shelf.feeds, Comparisons(reader, longest=30), asked)
    assert failed.value.status_code == 422
    assert failed.value.detail == (
        "Versions 1 and 2 are too long to be compared here; the command `feedd diff 1 1 2` compares them."
    )


def test_the_views_and_formats_of_a_pair_share_a_comparison(shelf: Shelf) -> None:
    comparisons, found = Comparisons(shelf.feeds.reader), set[int]()
    for query in ({}, {"view": "side"}, {"format": "json"}, {"format": "unified"}):
        diff(Look(), shelf.feeds, comparisons, Asked("1", "1..2", query, BROWSER))
        found.update(map(id, comparisons.kept.values()))
    assert len(found) == 1


@pytest.fixture
def feeds(tmp_path: Path) -> Iterator[Feeds]:
    """Entry 1 with two versions."""
    shelf = Shelf(tmp_path, TOML)
    for second, body in enumerate(("<p>It was 1.5 %.</p>", "<p>It was 15 %.</p>")):
        shelf.look("news", BORN_MS + second * 1000, [Piece("a", body=body)])
    yield shelf.feeds
    shelf.close()


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
            for _ in range(COMPARING.threads):
                await asyncio.to_thread(begun.acquire)
            for path in ("/", "/entries/1", "/changes", "/feeds/all.atom"):
                assert (await asyncio.wait_for(client.get(path), 30)).status_code == 200
            held.set()
            assert {(await each).status_code for each in asked} == {200}

    try:
        asyncio.run(ask())
    finally:
        held.set()
    assert slow.most == COMPARING.threads


def told(old: str, new: str, titles: tuple[str, str] = ("A", "A")) -> Diff:
    return compare(Content(titles[0], old), Content(titles[1], new))


@pytest.mark.parametrize(
    ("old", "new", "runs"),
    [
        ("<p>It was 1 of 2.</p>", "<p>It was 3 of 4.</p>", 2),
        ("<p>One.</p><p>Two.</p>", "<p>One.</p>", 1),
        ("<p>One.</p>", "<p>One.</p><p>Two.</p><p>Three.</p>", 1),  # it reaches over paragraphs
        ("<p>One. Two.</p>", "<p>One. Three. Four.</p>", 1),
        (f"<p>One.</p>{STAYS}<p>Two.</p>", f"<p>1.</p>{STAYS}<p>2.</p>", 2),
        ("<p>One.</p>", "<p><b>One.</b></p>", 0),
    ],
)
def test_neighbouring_marks_are_one_change(old: str, new: str, runs: int) -> None:
    assert anchored(inline(told(old, new), context=1)).changes == runs


def test_what_differs_beside_the_text_can_be_jumped_to() -> None:
    what = told("<p>One.</p>", "<p>Two.</p>", ("A title", "Another title"))
    assert anchored(inline(what)).changes == 2
    rows = anchored_rows(side_by_side(what))
    assert rows.changes == 2
    assert re.findall(r'id="(change-.)"', rows.html) == ["change-1", "change-2"]


def body(sentences: list[str]) -> str:
    return "".join(f"<p>{escape(each)}</p>" for each in sentences)


sentences = st.lists(
    st.sampled_from(
        ["One two three.", "It was 15 % in May.", "a < b & c.", "البيت كبير.", "Это дом.", "水库很低。"]
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(sentences, sentences, st.sampled_from([None, 1, 2]))
def test_anchors_only_add(old: list[str], new: list[str], context: int | None) -> None:
    """What is shown stays what it is, and every mark stands within a change."""
    what = told(body(old), body(new))
    plain = inline(what, context=context)
    found = anchored(plain)
    assert re.sub(r'<span data-change id="[^"]*">|</span>', "", found.html) == plain
    assert len(ANCHOR.findall(found.html)) == found.changes
    marks = re.findall("<(?:ins|del)>", plain)
    assert bool(marks) <= bool(found.changes)
    rows = anchored_rows(side_by_side(what, context=context))
    assert re.sub(r' data-change id="[^"]*"', "", rows.html) == side_by_side(what, context=context)
    for row in html.fragment_fromstring(rows.html, "div").xpath(".//tr[td[@dir]]"):
        assert bool(row.xpath(".//ins | .//del | .//em")) == (row.get("data-change") is not None)


def test_our_own_words_are_translated() -> None:
    old = f"<p>Moved away from here to there, as a whole.</p>{STAYS}<p>End.</p>"
    new = f"<p>End.</p>{STAYS}<p>Moved away from here to there, as a whole.</p>"
    made = inline(told(old, new, ("A", "B")), context=1)
    assert worded(made, "en") == made
    chinese = worded(made, "zh")
    assert '<li dir="auto">标题: ' in chinese
    assert "句未变 …</em>" in chinese
    assert re.search(r"<em>\[从(?:上|下)文移来\]", chinese)
    assert "只有标记或排版不同。" in worded(inline(told("<p>a</p>", "<p>a</p>")), "zh")


@pytest.mark.parametrize(
    ("old", "new", "counted"),
    [
        ("<p>One two.</p>", "<p>One two three four.</p>", Words(0, 2)),
        ("<p>One two three.</p>", "<p>One three.</p>", Words(1, 0)),
        ("<p>水库很低。</p>", "<p>水库很高。</p>", Words(1, 1)),
        ("<p>One.</p>", "<p>One.</p>", Words(0, 0)),
    ],
)
def test_words_are_counted(old: str, new: str, counted: Words) -> None:
    assert words_changed(told(old, new)) == counted


@given(st.integers(0, 100_000))
def test_the_numbers_that_are_linked_to(changes: int) -> None:
    found = numbers(changes)
    assert found == sorted(set(found))
    assert len(found) <= NUMBERED
    if changes:
        assert (found[0], found[-1]) == (1, changes)
    if changes <= NUMBERED:
        assert len(found) == changes
