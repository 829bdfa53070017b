"""Where an entry stands in feeds when several sources hold it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from shelf import BORN_MS, Piece, Shelf

T = BORN_MS
TOML = """
[sources.one]
type = "directory"
path = "1"
[sources.two]
type = "directory"
path = "2"
[feeds.both]
sources = ["one", "two"]
"""


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path, TOML)
    yield made
    made.close()


def filled(shelf: Shelf) -> None:
    """`shared` is old in source one; source two brings it later, when its first pass is long over."""
    shelf.look("one", T, [Piece("shared", time_ms=T - 9000), Piece("a", time_ms=T - 100)])
    shelf.look("two", T + 1, [Piece("b", time_ms=T - 200)])
    shelf.look("two", T + 1000, [Piece("shared", time_ms=T - 9000)])


def test_an_arrival_that_is_told_to_nobody_moves_nothing_but_in_its_own_feed(shelf: Shelf) -> None:
    filled(shelf)
    assert shelf.names() == ["a", "b", "shared"]
    assert shelf.names("both") == ["a", "b", "shared"]
    assert shelf.names("two") == ["shared", "b"]


@pytest.mark.parametrize("through", ["one", "two"])
def test_an_edit_lifts_an_entry_in_every_feed(shelf: Shelf, through: str) -> None:
    filled(shelf)
    shelf.look("two", T + 2000, [Piece("c")])
    shelf.look(through, T + 3000, [Piece("shared", "Another title", time_ms=T - 9000)])
    for feed in ("all", "both", "one", "two"):
        assert shelf.names(feed)[0] == "shared"
        assert len(shelf.names(feed)) == len(set(shelf.names(feed)))


def test_a_source_that_is_new_moves_nothing_that_others_had(shelf: Shelf) -> None:
    shelf.look("one", T, [Piece("n0", time_ms=T - 900), Piece("n1", time_ms=T - 800)])
    shelf.look("one", T + 1000, [Piece("n0", "Edited", time_ms=T - 900), Piece("late", time_ms=T - 5000)])
    before = shelf.names("both")
    shelf.look("two", T + 2000, [Piece("n0", time_ms=T - 900), Piece("late", time_ms=T - 5000)])
    assert shelf.names("both") == shelf.names("all") == before
