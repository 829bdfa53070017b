"""What pages read of the store, over rows that are written by hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from place import Place

from feedd.model import Kind, Significance
from feedd.store import page_queries
from feedd.store.page_queries import (
    DAY_MS,
    changes_page,
    channel_rows,
    delivery_counts,
    entries_a_day,
    overview,
)

NOW = 20_000 * DAY_MS + 5_000


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    made.add("b", tmp_path / "b")
    yield made
    made.close()


def entry(place: Place, number: int, published: int, sources: tuple[int, ...] = (1,)) -> None:
    place.run(
        "INSERT INTO entries VALUES (?, ?, '', 'Title', ?, 0, 1, 1, ?, 1, 1, NULL)",
        number,
        str(number),
        published,
        sources[0],
    )
    for source in sources:
        for path in ("a", "b"):
            place.run(
                "INSERT INTO locations (source_id, path, entry_id) VALUES (?, ?, ?)",
                source,
                f"{path}{number}",
                number,
            )


def change(
    place: Place, kind: str, at: int, entry_id: int | None = 1, source: int = 1, level: str | None = None
) -> None:
    place.run(
        "INSERT INTO changes (kind, at, source_id, entry_id, pass, silent, significance) VALUES (?,?,?,?,1,0,?)",
        kind,
        at,
        source,
        entry_id,
        level,
    )


def test_an_empty_store_has_zeros(place: Place) -> None:
    connection = place.reader.connection
    assert overview(connection, NOW) == (0, 0, 0, 0, 2, 0, 0, 0, 0)
    assert entries_a_day(connection, 1, 0) == []
    assert changes_page(connection, None, None, None, None, 5) == ([], None)
    assert delivery_counts(connection) == {}


def test_the_numbers_of_the_first_page(place: Place) -> None:
    entry(place, 1, NOW)
    for at, kind in (
        (NOW - 8 * DAY_MS, "added"),
        (NOW - 2 * DAY_MS, "added"),
        (NOW - 2 * DAY_MS, "edited"),
        (NOW - 5, "added"),
        (NOW - 4, "edited"),
        (NOW - 3, "removed"),
        (NOW - 2, "source-failing"),
    ):
        change(place, kind, at, None if kind.startswith("source") else 1)
    place.run("UPDATE sources SET error = 'x' WHERE id = 1")
    place.run("UPDATE sources SET paused_by = 'x' WHERE id = 2")
    assert overview(place.reader.connection, NOW) == (1, 1, 2, 2, 2, 1, 1, 0, 0)


@pytest.mark.parametrize("few", [page_queries.FEW, -1], ids=["by source", "by time"])
def test_entries_are_counted_by_day(place: Place, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(page_queries, "FEW", few)
    for number, published in enumerate((-1, 0, DAY_MS - 1, DAY_MS, 3 * DAY_MS), 1):
        entry(place, number, published)
    entry(place, 9, DAY_MS, (2, 1))  # another source had it first
    entry(place, 10, DAY_MS, (2,))
    connection = place.reader.connection
    everything = [(-DAY_MS, 1), (0, 2), (DAY_MS, 2), (3 * DAY_MS, 1)]
    assert entries_a_day(connection, 1, -DAY_MS) == everything
    assert entries_a_day(connection, 1, DAY_MS) == everything[2:]
    assert entries_a_day(connection, 2, 0) == [(DAY_MS, 2)]


def test_days_that_are_not_seen_as_a_whole_are_left_out(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_queries, "FEW", -1)
    monkeypatch.setattr(page_queries, "MOST_CHARTED", 3)
    for number, published in enumerate((0, 1, 2, DAY_MS, DAY_MS + 1), 1):
        entry(place, number, published)
    assert entries_a_day(place.reader.connection, 1, 0) == [(DAY_MS, 2)]


def test_changes_are_filtered_and_paged(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    entry(place, 1, 0)
    kinds = ("edited", "added", "silent-edit", "removed", "edited", "restored", "source-failing", "edited")
    for number, kind in enumerate(kinds, 1):
        change(place, kind, number, source=1 + number % 2, level="minor" if number == 5 else None)
    connection = place.reader.connection

    def numbers(
        sources: tuple[int, ...] | None = None,
        kinds: tuple[Kind, ...] | None = None,
        level: Significance | None = None,
        limit: int = 2,
    ) -> list[int]:
        found, before, turns = list[int](), None, 0
        while True:
            page = changes_page(connection, sources, kinds, level, before, limit)
            assert len(page.changes) <= limit
            found += [each.id for each in page.changes]
            before, turns = page.before, turns + 1
            if before is None:
                return found
            assert turns < 20

    for looked_through in (1, 2, 3, 100):
        monkeypatch.setattr(page_queries, "LOOKED_THROUGH", looked_through)
        assert numbers() == [8, 6, 5, 4, 3, 1]
        assert numbers(kinds=(Kind.EDITED,)) == [8, 5, 1]
        assert numbers(kinds=(Kind.EDITED, Kind.REMOVED), limit=1) == [8, 5, 4, 1]
        assert numbers(kinds=()) == []
        assert numbers(level=Significance.MINOR) == [5]
        assert numbers(kinds=(Kind.EDITED,), level=Significance.SUBSTANTIAL, sources=(2,)) == [1]
        assert numbers(sources=(1,)) == [8, 6, 4]
    assert changes_page(connection, None, None, None, None, 6).before is None


def test_channels_stand_with_their_deliveries(place: Place) -> None:
    place.run(
        "INSERT INTO channels (id, name, type, location, settings, configured, added_at) VALUES"
        " (1, 'desk', 'webhook', 'x.example', '', 1, 0), (2, 'old', 'file', '', '', 0, 0)"
    )
    for status, done in (
        ("pending", None),
        ("failed", 9),
        ("delivered", 9),
        ("delivered", 4),
        ("cancelled", 9),
    ):
        place.run(
            "INSERT INTO deliveries (channel_id, change_id, thread, type, status, created_at, done_at)"
            " VALUES (1, 1, 0, 'x', ?, 1, ?)",
            status,
            done,
        )
    (row,) = channel_rows(place.reader.connection, 5)
    assert (row.state.name, row.type, row.location, row.pending, row.delivered, row.failed) == (
        "desk", "webhook", "x.example", 1, 1, 1,
    )  # fmt: skip
