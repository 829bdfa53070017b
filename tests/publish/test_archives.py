"""Archived feed documents (RFC 5005): what each holds, and that it stays."""

import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import feedparser
import pytest
from lxml import etree
from shelf import BORN_MS, Piece, Shelf

from feedd.publish.archive import rules_of
from feedd.publish.archivist import Archivist
from feedd.store import archives
from feedd.store.pruning import Pruner
from feedd.store.retention import Keeps

DATA = Path(__file__).parent.parent / "data"
NS = {
    "a": "http://www.w3.org/2005/Atom",
    "at": "http://purl.org/atompub/tombstones/1.0",
    "fh": "http://purl.org/syndication/history/1.0",
}
BASE = "http://127.0.0.1:8080/feeds/"
MINUTE = 60_000
T = BORN_MS
TOML = """
[sources.one]
type = "directory"
path = "1"
[sources.two]
type = "directory"
path = "2"
[feeds.even]
match = { title = "[02468]$" }
[feeds.short]
content = "summary"
[feeds.lately]
query = "changed:7d"
[feeds.edits]
changes = "all"
match = { title = "5" }
"""


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path, TOML)
    yield made
    made.close()


def pieces(first: int, count: int, words: str = "Words") -> list[Piece]:
    return [
        Piece(f"n{n:03}", f"Title {n}", f"<p>{words} {n}.</p>", T - 10**9 + n * 1000)
        for n in range(first, first + count)
    ]


def keep(shelf: Shelf) -> None:
    Archivist(shelf.desk, shelf.feeds).catch_up()


def body(shelf: Shelf, number: int, feed: str = "all") -> bytes:
    found = shelf.feeds.archive(feed, number)
    assert found is not None
    return bytes(found.body)


def tree(shelf: Shelf, number: int, feed: str = "all") -> Any:
    return etree.fromstring(body(shelf, number, feed))


def titles(shelf: Shelf, number: int, feed: str = "all") -> list[str]:
    return [each.text for each in tree(shelf, number, feed).iterfind("a:entry/a:title", NS)]


def links(root: Any) -> dict[str, str]:
    return {each.get("rel"): each.get("href") for each in root.iterfind("a:link", NS)}


def test_a_hundred_changes_each_in_the_order_of_the_log(shelf: Shelf) -> None:
    shelf.look("one", T, pieces(0, 130))
    shelf.look("one", T + MINUTE, pieces(130, 120))
    keep(shelf)
    assert shelf.feeds.archives("all")[0] == 2
    assert titles(shelf, 1) == [f"Title {n}" for n in range(100)]
    assert titles(shelf, 2) == [f"Title {n}" for n in range(100, 200)]
    assert shelf.feeds.archive("all", 3) is None
    assert shelf.feeds.archive("all", 0) is None


def test_documents_name_each_other(shelf: Shelf) -> None:
    shelf.look("one", T, pieces(0, 250))
    before = etree.fromstring(shelf.body("all", "atom"))
    assert "prev-archive" not in links(before)
    keep(shelf)
    subscription = etree.fromstring(shelf.body("all", "atom"))
    assert links(subscription)["prev-archive"] == f"{BASE}all/archive/2.atom"
    assert subscription.find("fh:archive", NS) is None
    second, first = tree(shelf, 2), tree(shelf, 1)
    assert links(second) == {
        "self": f"{BASE}all/archive/2.atom",
        "current": f"{BASE}all.atom",
        "prev-archive": f"{BASE}all/archive/1.atom",
        "next-archive": f"{BASE}all/archive/3.atom",
        "alternate": f"{BASE}all",
    }
    assert "prev-archive" not in links(first)
    for each in (first, second):
        assert len(each.findall("fh:archive", NS)) == 1
        assert each.findtext("a:id", None, NS) == subscription.findtext("a:id", None, NS)


def test_who_reads_all_documents_has_the_whole_history(shelf: Shelf) -> None:
    """As RFC 5005 section 4.1 has it: back from the subscription document, link by link."""
    shelf.look("one", T, pieces(0, 330))
    shelf.look("one", T + MINUTE, pieces(7, 1, "Other words"))
    keep(shelf)
    root, newest = etree.fromstring(shelf.body("all", "atom")), dict[str, str]()
    while True:
        for entry in reversed(root.findall("a:entry", NS)):
            newest.setdefault(entry.findtext("a:id", "", NS), entry.findtext("a:content", "", NS))
        link = links(root).get("prev-archive")
        if link is None:
            break
        root = tree(shelf, int(link.rpartition("/")[2].removesuffix(".atom")))
    assert len(newest) >= 300
    assert "<p>Other words 7.</p>" in newest.values()
    assert "<p>Words 7.</p>" not in newest.values()


@pytest.mark.parametrize("feed", ["one", "even", "changes"])
def test_a_document_never_changes(shelf: Shelf, feed: str) -> None:
    shelf.look("one", T, pieces(0, 210))
    shelf.look("one", T + MINUTE, pieces(0, 110, "Edited"))
    keep(shelf)
    before = body(shelf, 1, feed)
    shelf.look("one", T + 2 * MINUTE, [*pieces(0, 60, "Edited again"), *pieces(300, 200)])
    shelf.look("one", T + 3 * MINUTE, gone=["n003", "n004"])
    shelf.look("two", T + 4 * MINUTE, pieces(0, 150, "By another"))
    keep(shelf)
    assert body(shelf, 1, feed) == before
    shelf.configure(TOML.replace('path = "2"', 'path = "2"\npriority = 5'))
    keep(shelf)
    assert body(shelf, 1, feed) == before


def test_each_change_shows_the_version_that_it_brought(shelf: Shelf) -> None:
    shelf.look("one", T, pieces(0, 97))
    shelf.look("one", T + MINUTE, pieces(5, 1, "Second"))
    shelf.look("one", T + 2 * MINUTE, gone=["n005"])
    shelf.look("one", T + 3 * MINUTE, pieces(5, 1, "Third"))
    keep(shelf)
    root = tree(shelf, 1)
    ident = root.findall("a:entry", NS)[5].findtext("a:id", None, NS)
    found = [each for each in root.iterfind("a:entry", NS) if each.findtext("a:id", None, NS) == ident]
    assert [each.findtext("a:content", None, NS) for each in found] == [
        "<p>Words 5.</p>",
        "<p>Second 5.</p>",
        "<p>Third 5.</p>",
    ]
    assert len({each.findtext("a:published", None, NS) for each in found}) == 1
    assert [each.findtext("a:updated", None, NS) for each in found] == [
        "2025-06-04T01:20:05Z",
        "2025-06-15T15:07:40Z",
        "2025-06-15T15:09:40Z",
    ]
    (gone,) = root.iterfind("at:deleted-entry", NS)
    assert (gone.get("ref"), gone.get("when")) == (ident, "2025-06-15T15:08:40Z")
    assert root.findtext("a:updated", "", NS).startswith("2025-06-15T15:09:40")


def test_an_entry_that_another_source_had_first(shelf: Shelf) -> None:
    shelf.look("one", T, pieces(0, 60))
    shelf.look("two", T + MINUTE, [*pieces(0, 60), *pieces(100, 40)])
    shelf.look("one", T + 2 * MINUTE, pieces(200, 1))
    keep(shelf)
    assert shelf.feeds.archives("two")[0] == 1
    assert sorted(titles(shelf, 1, "two")) == sorted(f"Title {n}" for n in [*range(60), *range(100, 140)])
    assert shelf.feeds.archives("all")[0] == 1
    assert len(set(titles(shelf, 1))) == 100


def test_a_feed_of_one_source_shows_nothing_of_another(shelf: Shelf) -> None:
    shelf.look("one", T, pieces(0, 98))
    shelf.look("two", T + MINUTE, pieces(0, 1, "Elsewhere"))
    shelf.look("two", T + 2 * MINUTE, pieces(0, 1, "Secret"))
    shelf.look("one", T + 3 * MINUTE, gone=["n000"])
    shelf.look("two", T + 4 * MINUTE, gone=["n000"])
    shelf.look("two", T + 5 * MINUTE, pieces(0, 1, "Secret"))
    keep(shelf)
    root = tree(shelf, 1, "one")
    assert len(root.findall("at:deleted-entry", NS)) == 1
    last = root.findall("a:entry", NS)[-1]
    assert last.findtext("a:content", None, NS) == "<p>Words 0.</p>"
    assert b"Secret" not in body(shelf, 1, "one")


def test_rules_choose_by_the_version_of_each_change(shelf: Shelf) -> None:
    shelf.look("one", T, pieces(0, 204))
    shelf.look("one", T + MINUTE, [Piece("n004", "Title, odd 1", "<p>Other</p>")])
    keep(shelf)
    assert shelf.feeds.archives("even")[0] == 1
    assert titles(shelf, 1, "even") == [f"Title {n}" for n in range(0, 200, 2)]


def test_the_archive_of_changes(shelf: Shelf) -> None:
    shelf.look("one", T, pieces(0, 101))
    shelf.look("one", T + MINUTE, pieces(0, 101, "Other words"))
    keep(shelf)
    assert shelf.feeds.archives("changes")[0] == 1
    found = titles(shelf, 1, "changes")
    assert found[:2] == ["Silently edited: Title 0", "Silently edited: Title 1"]
    assert len(found) == 100
    newest = etree.fromstring(shelf.body("changes", "atom", 1000)).findall("a:entry", NS)
    ids = {each.findtext("a:id", None, NS): etree.tostring(each, method="c14n") for each in newest}
    for each in tree(shelf, 1, "changes").findall("a:entry", NS):
        assert b"Other words" in etree.tostring(each)
        assert each.findtext("a:id", None, NS) in ids


def test_rules_choose_among_changes(shelf: Shelf) -> None:
    shelf.look("one", T, pieces(0, 506))
    shelf.look("one", T + MINUTE, pieces(0, 506, "Other words"))
    keep(shelf)
    assert shelf.feeds.archives("edits")[0] == 1
    assert all("5" in title for title in titles(shelf, 1, "edits"))


def test_what_was_pruned_keeps_its_place(shelf: Shelf) -> None:
    shelf.look("one", T, pieces(0, 100))
    shelf.look("one", T + MINUTE, pieces(0, 1, "Second"))
    shelf.look("one", T + 2 * MINUTE, pieces(0, 1, "Third"))
    keep(shelf)
    before = titles(shelf, 1)
    Pruner(shelf.desk, shelf.path.parent / "feedd.db", Event()).run(
        [Keeps("one", versions=1)], T + 90 * 86_400_000
    )
    first = tree(shelf, 1).find("a:entry", NS)
    assert "no longer kept" in first.findtext("a:content", None, NS)
    assert first.findtext("a:updated", None, NS) is not None
    assert titles(shelf, 1) == before
    shelf.look("one", T + 3 * MINUTE, pieces(300, 100))
    keep(shelf)
    assert titles(shelf, 1) == before


def test_a_change_that_was_taken_back_keeps_its_place(shelf: Shelf) -> None:
    shelf.look("one", T, pieces(0, 100))
    shelf.look("one", T + MINUTE, pieces(0, 100, "Other words"))
    keep(shelf)
    before = [titles(shelf, 1, "changes"), titles(shelf, 2)]
    shelf.desk.run(lambda writer: writer.connection.execute("DELETE FROM changes WHERE id = 105"))
    assert [titles(shelf, 1, "changes"), titles(shelf, 2)] == before


def test_other_rules_make_it_anew_and_a_restart_does_not(shelf: Shelf) -> None:
    shelf.look("one", T, pieces(0, 250))
    keep(shelf)
    assert titles(shelf, 1, "even")[1] == "Title 2"
    shelf.configure(TOML.replace("[02468]$", "[13579]$"))
    assert shelf.feeds.archives("even") == (0, 0)
    assert shelf.feeds.archive("even", 1) is None
    kept = [shelf.feeds.archives("all"), shelf.feeds.archives("one")]
    keep(shelf)
    assert titles(shelf, 1, "even")[1] == "Title 3"
    assert [shelf.feeds.archives("all"), shelf.feeds.archives("one")] == kept
    assert rules_of(shelf.feeds.plans["even"]) != rules_of(shelf.feeds.plans["all"])


@pytest.mark.parametrize("feed", ["health", "lately"])
def test_what_comes_and_goes_has_none(shelf: Shelf, feed: str) -> None:
    shelf.look("one", T, pieces(0, 200))
    keep(shelf)
    assert shelf.feeds.archives(feed) == (0, 0)
    assert shelf.feeds.archive(feed, 1) is None
    assert "prev-archive" not in links(etree.fromstring(shelf.body(feed, "atom")))


@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
@pytest.mark.parametrize("source", ["one", "two"])
def test_however_small_the_steps_nothing_is_lost_or_doubled(shelf: Shelf, source: str, limit: int) -> None:
    shelf.look("one", T, pieces(0, 20))
    shelf.look("two", T + MINUTE, pieces(10, 30))
    shelf.look("one", T + 2 * MINUTE, pieces(30, 20))
    shelf.look("two", T + 3 * MINUTE, pieces(10, 5, "Other words"))
    at, found, ids = archives.Progress(""), list[archives.Archived](), shelf.reader.source_ids([source])
    while True:
        more = archives.further(shelf.reader.connection, at, ids, limit)
        if (more.change_id, more.revision_id) == (at.change_id, at.revision_id):
            break
        found += more.items
        at = at._replace(change_id=more.change_id, revision_id=more.revision_id)
    added = [each.entry_id for each in found if each.kind == "added"]
    expected = {"one": 20 + 20, "two": 30}[source]
    assert (len(added), len(set(added))) == (expected, expected)
    assert len(found) == expected + (5 if source == "two" else 0)
    logged = [each.change_id for each in found if each.change_id is not None]
    assert logged == sorted(logged)
    assert [each.at_ms for each in found] == sorted(each.at_ms for each in found)


def test_two_that_follow_at_once_write_each_change_once(shelf: Shelf) -> None:
    shelf.look("one", T, pieces(0, 150))
    plan, reader = shelf.feeds.plans["all"], shelf.reader
    first = Archivist(shelf.desk, shelf.feeds)
    at = first.begun(plan)
    more = archives.further(reader.connection, at, None, 1000)
    for expected in (True, False):
        done = shelf.desk.run(
            lambda writer: writer.within(
                lambda connection: archives.grow(connection, "all", at, more, None, T)
            )
        )
        assert done is expected
    keep(shelf)
    assert len(set(titles(shelf, 1))) == 100
    assert reader.rows("SELECT items FROM archives WHERE feed = 'all'") == [(150,)]


def test_what_came_quietly_is_there_though_its_version_was_told_later(shelf: Shelf) -> None:
    """Made anew, an archive is what it was when it grew with the log."""
    shelf.look("one", T, pieces(0, 1))
    shelf.look("two", T + MINUTE, pieces(0, 1))
    shelf.look("one", T + 2 * MINUTE, (), ["n000"])
    shelf.look("two", T + 3 * MINUTE, (), ["n000"])
    shelf.look("two", T + 4 * MINUTE, pieces(0, 1))
    ids = shelf.reader.source_ids(["two"])
    more = archives.further(shelf.reader.connection, archives.Progress(""), ids, 1000)
    assert [each.kind for each in more.items] == ["added", "removed", "restored"]


@pytest.mark.parametrize("feed", ["all", "one"])
def test_what_comes_while_it_reads_is_written_once(shelf: Shelf, feed: str) -> None:
    shelf.look("one", T, pieces(0, 10))
    coming = [partial(shelf.look, "one", T + MINUTE, pieces(0, 20))]

    def meanwhile(statement: str) -> None:
        if coming and statement.startswith("SELECT c.kind"):
            coming.pop()()

    shelf.reader.connection.set_trace_callback(meanwhile)
    Archivist(shelf.desk, shelf.feeds).step(shelf.feeds.plans[feed])
    assert not coming
    keep(shelf)
    counted = "SELECT count(*), count(DISTINCT a.change_id) FROM archived a JOIN archives ON archives.id = archive_id"
    assert shelf.reader.rows(f"{counted} WHERE feed = ?", [feed]) == [(20, 20)]


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Subscription documents and archives, as files."""
    root = tmp_path_factory.mktemp("documents")
    shelf = Shelf(root, TOML)
    shelf.look("one", T, pieces(0, 205))
    shelf.look("one", T + MINUTE, pieces(0, 100, "Other words"))
    shelf.look("one", T + 2 * MINUTE, gone=["n000", "n001"])
    shelf.look("one", T + 3 * MINUTE, pieces(300, 100))
    keep(shelf)
    made = []
    for feed in ("all", "short", "even", "changes"):
        made.append(root / f"{feed}.atom")
        made[-1].write_bytes(shelf.body(feed, "atom"))
        for number in range(1, shelf.feeds.archives(feed)[0] + 1):
            made.append(root / f"{feed}-{number}.atom")
            made[-1].write_bytes(body(shelf, number, feed))
    shelf.close()
    assert len(made) >= 8
    return made


def test_they_are_valid(documents: list[Path]) -> None:
    schema = etree.RelaxNG(etree.parse(DATA / "atom.rng"))
    for path in documents:
        schema.assertValid(etree.parse(path))
        assert not feedparser.parse(path.read_bytes()).bozo


@pytest.mark.skipif(shutil.which("jing") is None, reason="jing is not installed; lxml validated the same")
def test_jing_finds_them_valid(documents: list[Path]) -> None:
    done = subprocess.run(
        ["jing", DATA / "atom.rng", *documents], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
