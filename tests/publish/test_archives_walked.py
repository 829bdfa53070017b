"""A reader that walks the archives of a feed from its document back has the whole feed, whatever happened to it."""

import random
from collections.abc import Iterator
from pathlib import Path

import feedparser
import pytest
from shelf import BORN_MS, Piece, Shelf

from feedd.publish.archivist import Archivist
from feedd.store import archives

MINUTE = 60_000
TOML = """
[sources.one]
type = "directory"
path = "1"
[sources.two]
type = "directory"
path = "2"
[feeds.both]
sources = ["two", "one"]
"""


def history(shelf: Shelf, dice: random.Random) -> None:
    """What two sources might do in a while: some articles are in both of them."""
    held: dict[str, list[str]] = {"one": [], "two": []}
    for number in range(1, 13):
        source = dice.choice(["one", "two"])
        gone = dice.sample(held[source], min(len(held[source]), dice.randrange(4)))
        named = {f"n{dice.randrange(160):03}" for _ in range(dice.randrange(50))} - set(gone)
        held[source] = sorted({*held[source], *named} - set(gone))
        pieces = [
            Piece(
                name,
                f"Title {name}",
                f"<p>{source}, {dice.randrange(3)}.</p>",
                BORN_MS - dice.randrange(10**9),
            )
            for name in sorted(named)
        ]
        shelf.look(source, BORN_MS + number * MINUTE, pieces, gone)
        if dice.random() < 0.5:
            Archivist(shelf.desk, shelf.feeds).catch_up()
    newest = [Piece(f"z{n:03}", f"Title z{n}") for n in range(100)]  # so that all before stands in archives
    shelf.look("one", BORN_MS + 60 * MINUTE, newest)
    shelf.look("two", BORN_MS + 61 * MINUTE, newest)
    Archivist(shelf.desk, shelf.feeds).catch_up()


def documents(shelf: Shelf, feed: str) -> Iterator[feedparser.FeedParserDict]:
    """Of the feed, the newest first (RFC 5005, section 4.1)."""
    parsed = feedparser.parse(shelf.body(feed, "atom"))
    while True:
        assert not parsed.bozo
        yield parsed
        link = next((each.href for each in parsed.feed.links if each.rel == "prev-archive"), None)
        if link is None:
            return
        found = shelf.feeds.archive(feed, int(link.rpartition("/")[2].removesuffix(".atom")))
        assert found is not None
        parsed = feedparser.parse(found.body)


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_lost_or_doubled(tmp_path: Path, seed: int) -> None:
    shelf = Shelf(tmp_path, TOML)
    history(shelf, random.Random(seed))
    for feed in ("all", "both", "one", "two"):
        first, *older = documents(shelf, feed)
        read = {each.id: each.content[0].value for each in first.entries}
        assert len(older) == shelf.feeds.archives(feed)[0] >= 1
        for document in older:
            for each in reversed(document.entries):
                read.setdefault(each.id, each.content[0].value)
        shown = shelf.feeds.document(feed, 1000).entries
        expected = {f"urn:uuid:{each.uid}": each.content_html for each in shown}
        if feed in {"one", "two"}:
            assert {ident: read[ident] for ident in expected} == expected
        else:  # the last change of an entry may be that of another source than the one whose version is shown
            newest = shelf.reader.rows(
                "SELECT e.uid, r.content_html FROM revisions r JOIN entries e ON e.id = r.entry_id WHERE r.newest"
            )
            assert {(ident, read[ident]) for ident in expected} <= {(f"urn:uuid:{a}", b) for a, b in newest}
        removed = shelf.reader.rows("SELECT uid FROM entries WHERE removed_at IS NOT NULL")
        assert read.keys() - expected.keys() <= {f"urn:uuid:{uid}" for (uid,) in removed}
    rows = shelf.reader.rows(
        "SELECT kind, c.entry_id, c.id FROM changes c WHERE c.entry_id IS NOT NULL ORDER BY c.id"
    )
    held = [
        each for number in range(1, 9) for each in archives.document(shelf.reader.connection, "all", number)
    ]
    assert [(each.kind, each.entry_id, each.change_id) for each in held] == rows[: len(held)]
    assert len(rows) - len(held) < 100
    shelf.close()


def test_a_feed_of_more_sources_than_sqlite_binds_values(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, TOML)
    history(shelf, random.Random(3))
    some = shelf.reader.source_ids(["one", "two"])
    many = [*some, *range(1_000_000, 1_300_000)]
    connection, at = shelf.reader.connection, archives.Progress("")
    assert archives.further(connection, at, many, 300) == archives.further(connection, at, some, 300)
    shelf.close()


def test_the_order_over_many_sources_is_that_over_few(tmp_path: Path) -> None:
    """Where each is read in small pieces."""
    shelf = Shelf(tmp_path, TOML)
    history(shelf, random.Random(4))
    for names in (["one"], ["two"], ["one", "two"]):
        some = shelf.reader.source_ids(names)
        many = [*range(1_000, 1_500), *some]
        few = list(shelf.reader.entry_ids(some, removed=True))
        assert len(set(few)) == len(few) > 100
        assert list(shelf.reader.entry_ids(many, removed=True)) == few
    shelf.close()
