"""The page of what changed lately, and its filters."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from urllib.parse import quote

import pytest
from inprocess import Pages, hrefs, pages_of, words
from shelf import BORN_MS, Piece, Shelf

from feedd.web import change_pages

HOSTILE = '<script>alert("1")</script> & \u202eأهلا'
TOML = """
[sources.news]
type = "directory"
path = "a"
title = "The News"
[sources.other]
type = "directory"
path = "b"
"""
DAY_MS = 86_400_000
WRITTEN_MS = BORN_MS - 1_000_000
KINDS = ("edited", "silent-edit", "reverted", "removed", "restored")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path_factory.mktemp("shelf"), TOML)
    pieces = [
        Piece("a", "Fees rise"),
        Piece("b"),
        Piece("c", HOSTILE),
        Piece("long", body="<p>It was 1.</p>"),
    ]
    shelf.look("news", BORN_MS, pieces)
    shelf.look("other", BORN_MS + 1, [Piece("x", "Elsewhere", "<p>Five words stand here now.</p>")])
    later = WRITTEN_MS + 1000
    shelf.look(
        "news",
        BORN_MS + 1000,
        [Piece("a", "Fees soar", "<p>It was 15 %.</p>", later), Piece("c", HOSTILE, "<p>2</p>")],
    )
    shelf.look("news", BORN_MS + 2000, [], ["b"])
    shelf.look(
        "other", BORN_MS + DAY_MS, [Piece("x", "Elsewhere", "<p>Five words stand here today.</p>", later)]
    )
    shelf.look("news", BORN_MS + 2 * DAY_MS, [Piece("b", time_ms=later)])
    shelf.look(
        "news", BORN_MS + 3 * DAY_MS, [Piece("long", body=f"<p>It was {'2' * 50}.</p>", time_ms=later)]
    )
    yield shelf
    shelf.close()


@pytest.fixture(scope="module")
def web(shelf: Shelf) -> Iterator[Pages]:
    with pages_of(shelf.feeds) as pages:
        yield pages


def shown(web: Pages, path: str) -> list[tuple[str, str]]:
    """Title and kind of what a page lists."""
    rows = web.page(path).xpath("//div[@id='changes']//li[@data-row]")
    return [
        (words(row.xpath(".//h3")[0]), words(row.xpath(".//span[contains(@class, 'tag')]")[0]))
        for row in rows
    ]


def test_changes_newest_first(web: Pages) -> None:
    tree = web.page("/changes")
    times = tree.xpath("//li//time/@datetime")
    assert times == sorted(times, reverse=True)
    days = [words(each) for each in tree.xpath("//main//h2")]
    assert days == sorted({each[:10] for each in times}, reverse=True)
    found = shown(web, "/changes")
    assert (HOSTILE, "edited silently") in found
    assert ("Fees soar", "edited") in found
    assert ("A title", "removed") in found
    assert "Fees rise" not in dict(found)
    assert "/entries/1/diff/1..2" in hrefs(tree)
    assert tree.xpath("//ul[@class='reasons']/li[@dir='auto']")
    assert tree.xpath("//div[@id='changes'][@data-live]")


@pytest.mark.parametrize(
    ("source", "kind", "level"), [*product(("", "news", "other"), ("", *KINDS), ("", "minor", "substantial"))]
)
def test_filters_are_combined(web: Pages, source: str, kind: str, level: str) -> None:
    everything = web.feeds.reader.change_log()
    wanted = [
        each
        for each in everything
        if source in {"", each.source} and kind in {"", each.kind} and level in {"", each.significance}
    ]
    path = f"/changes?source={source}&kind={kind}&significance={level}"
    assert [title for title, _ in shown(web, path)] == [each.title for each in wanted]
    (form,) = web.page(path).xpath("//main//form")
    assert dict(form.fields) == {"source": source, "kind": kind, "significance": level}
    assert (form.action, form.method) == ("/changes", "GET")


@pytest.mark.parametrize("filter_", ["", "source=news", "significance=substantial"])
def test_pages_hold_each_change_once(web: Pages, monkeypatch: pytest.MonkeyPatch, filter_: str) -> None:
    whole = shown(web, f"/changes?{filter_}")
    monkeypatch.setattr(change_pages, "SHOWN", 2)
    path, found = f"/changes?{filter_}", list[tuple[str, str]]()
    while path:
        tree = web.page(path)
        some = shown(web, path)
        assert len(some) <= 2
        found += some
        (path,) = tree.xpath("//a[@rel='next']/@href") or [""]
        assert filter_ in (path or filter_)
    assert found == whole
    assert len(found) > 2


def test_further_pages_are_not_live(web: Pages) -> None:
    tree = web.page("/changes?before=3&kind=edited")
    assert not tree.xpath("//*[@data-live]")
    assert "/changes?kind=edited" in hrefs(tree), "the newest"


def test_of_many_sources_the_name_is_asked_for(web: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_pages, "OFFERED", 1)
    (form,) = web.page("/changes?source=news").xpath("//main//form")
    assert [each.get("value") for each in form.xpath(".//input[@name='source']")] == ["news"]


def test_a_source_can_be_searched_for_what_it_edited(web: Pages) -> None:
    assert "/search?q=source%3Anews+changed%3A30d" in hrefs(web.page("/changes?source=news"))
    assert "/feeds/changes" in hrefs(web.page("/changes"))


def test_sources_that_left_the_configuration_can_be_chosen(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, TOML)
    shelf.look("other", BORN_MS, [Piece("x")])
    shelf.look("other", BORN_MS + 1000, [Piece("x", body="<p>Other words.</p>", time_ms=WRITTEN_MS + 1)])
    shelf.configure(TOML.partition("[sources.other]")[0])
    with pages_of(shelf.feeds) as web:
        assert len(shown(web, "/changes?source=other")) == 1
        assert web.page("/changes").xpath("//select[@name='source']/option/@value") == ["", "news", "other"]
    shelf.close()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("before=x", 400),
        ("before=-5", 400),
        ("before=0", 400),
        (f"before={'9' * 30}", 400),
        ("before=", 400),
        ("significance=huge", 400),
        ("significance=none", 400),
        ("kind=added", 400),
        ("kind=%00", 400),
        ("source=nobody", 404),
        ("source=%ff%00", 404),
        (f"source={'x' * 5000}", 404),
        (f"source={quote(HOSTILE)}", 404),
        ("before=1", 200),
        ("before=999999999999999999", 200),
    ],
)
def test_what_is_asked_amiss_is_answered_in_words(web: Pages, query: str, status: int) -> None:
    tree = web.page(f"/changes?{query}", status)
    if status != 200:
        assert tree.xpath("string(//main/p)").endswith(".")


def test_in_chinese(web: Pages) -> None:
    tree = web.page("/changes", language="zh")
    assert words(tree.xpath("//h1")[0]) == "改动"
    assert "静默修改" in words(tree)


def test_an_unused_database(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, TOML)
    with pages_of(shelf.feeds) as web:
        assert "No change of that kind was seen yet." in words(web.page("/changes"))
        assert web.get("/entries/1").status_code == 404
    shelf.close()
