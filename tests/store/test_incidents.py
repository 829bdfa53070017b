"""Incidents, and how long a source may be silent."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from shelf import BORN_MS, Piece, Shelf

DAY_MS = 86_400_000
TOML = '[sources.a]\ntype = "feed"\nurl = "https://example.org/"\n{}'


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path, TOML.format(""))
    yield made
    made.close()


def daily(shelf: Shelf, count: int) -> int:
    """So many entries, one every two days; when the last of them came."""
    for number in range(count):
        at = BORN_MS + number * 2 * DAY_MS
        shelf.look("a", at, [Piece(f"p{number}", time_ms=at)])
    return BORN_MS + (count - 1) * 2 * DAY_MS


def kinds(shelf: Shelf) -> list[str]:
    return [incident.kind for incident in shelf.reader.incidents(10) if incident.closed_ms is None]


def test_silence_is_longer_than_it_ever_was(shelf: Shelf) -> None:
    last = daily(shelf, 8)
    shelf.look("a", last + 2 * DAY_MS)
    assert kinds(shelf) == []
    shelf.look("a", last + 2 * DAY_MS + 1)
    assert kinds(shelf) == ["silent"]
    shelf.look("a", last + 9 * DAY_MS)
    assert len(shelf.reader.incidents(10)) == 1
    shelf.look("a", last + 10 * DAY_MS, [Piece("new", time_ms=last + 10 * DAY_MS)])
    assert kinds(shelf) == []
    (incident,) = shelf.reader.incidents(10)
    assert incident.closed_ms == last + 10 * DAY_MS


def test_few_entries_say_nothing_of_silence(shelf: Shelf) -> None:
    last = daily(shelf, 3)
    shelf.look("a", last + 90 * DAY_MS)
    assert kinds(shelf) == []


def test_silence_that_is_expected(shelf: Shelf) -> None:
    shelf.configure(TOML.format('expected_silence = "10d"'))
    last = daily(shelf, 2)
    shelf.look("a", last + 9 * DAY_MS)
    assert kinds(shelf) == []
    shelf.look("a", last + 11 * DAY_MS)
    assert kinds(shelf) == ["silent"]
