"""Lines for `ignore`: proposed of what changes at most looks, shown as an incident, gone with other settings."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from shelf import BORN_MS, Piece, Shelf

from feedd.store import proposals

MINUTE_MS = 60_000
TOML = '[sources.a]\ntype = "directory"\npath = "a"\n'


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path, TOML)
    yield made
    made.close()


def look(shelf: Shelf, number: int, *views: str, name: str = "one") -> None:
    pieces = [
        Piece(name, "A title", f"<p>What stands still.</p><p>Read by {each} people.</p>", BORN_MS - 1)
        for each in views
    ]
    shelf.look("a", BORN_MS + number * MINUTE_MS, pieces)


def lines(shelf: Shelf) -> list[str]:
    return shelf.desk.run(lambda writer: [each.line for each in proposals.newest(writer.connection)])


def restless(shelf: Shelf) -> list[tuple[str, bool]]:
    return [
        (each.detail, each.closed_ms is None)
        for each in shelf.reader.incidents(10)
        if each.kind == proposals.RESTLESS
    ]


LINE = r'ignore = ["Read\\s{1,9}by\\s{1,9}\\d(?:[\\d.,:]|\\s\\d){0,20}+\\s{1,9}people\\."]'


def test_a_counter_that_changes_at_each_look_is_proposed_and_still_told(shelf: Shelf) -> None:
    for number in range(7):
        look(shelf, number, f"{1_000 + number * 77:,}")
    assert lines(shelf) == [LINE]
    assert restless(shelf) == [
        (
            "a fragment changes at most looks while the rest stands still. “Read by 1,308 people.”: " + LINE,
            True,
        )
    ]
    rows = shelf.reader.rows("SELECT count(*) FROM changes WHERE kind = 'silent-edit'")
    assert rows == [(6,)]  # it might be a rising death toll


def test_what_changes_seldom_is_an_edit_like_any(shelf: Shelf) -> None:
    for number in range(7):
        look(shelf, number * 10, str(number))
        for still in range(1, 6):
            look(shelf, number * 10 + still)
    assert lines(shelf) == []


def test_other_settings_make_proposals_void(shelf: Shelf) -> None:
    for number in range(7):
        look(shelf, number, str(number))
    assert lines(shelf) == [LINE]
    shelf.configure(TOML + LINE + "\n")
    look(shelf, 10, "12")
    assert lines(shelf) == []
    assert [is_open for _, is_open in restless(shelf)] == [False]


def test_a_source_has_a_bounded_number_of_them(shelf: Shelf) -> None:
    for number in range(6):
        pieces = [
            Piece(f"{place}", "A title", f"<p>{chr(96 + place) * 5}, read by {number}.</p>", BORN_MS - 1)
            for place in range(1, 25)
        ]
        shelf.look("a", BORN_MS + number * MINUTE_MS, pieces)
    assert len(lines(shelf)) == proposals.MOST
