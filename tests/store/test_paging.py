"""Listings a page at a time: against what sorting everything gives, and while entries arrive."""

from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.store.paging import TOP, Place, Wanted, query_of, walked
from feedd.store.schema import empty_store

TIMES = st.integers(0, 6)  # few: many entries share one
ENTRIES = st.lists(st.tuples(TIMES, st.sampled_from([(1,), (2,), (1, 2)]), st.booleans()), max_size=25)
REQUIRED = "pass, location, seen_at, title, content_hash, fingerprint, links_hash, normaliser, extraction, change, significance"


class Shelves:
    """Entries of two sources, which may count as large."""

    def __init__(self, *, large: bool = False) -> None:
        self.connection = empty_store()
        self.entries: list[tuple[Place, tuple[int, ...], bool]] = []
        held = 10**6 if large else 0
        for number in (1, 2):
            self.connection.execute(
                "INSERT INTO sources (id, name, type, location, configured, extraction, selection, entries)"
                " VALUES (?, ?, 'feed', '', 1, '', '', ?)",
                [number, f"s{number}", held],
            )

    def add(self, published_ms: int, sources: Sequence[int], *, removed: bool) -> None:
        number = len(self.entries) + 1
        self.entries.append((Place(published_ms, number), tuple(sources), removed))
        self.connection.execute(
            "INSERT INTO entries (id, uid, url, title, published, date_guessed, updated, revisions, source_id, position,"
            " changed_at, removed_at) VALUES (?1, ?1, '', '', ?2, 0, 0, 1, 1, 0, 0, ?3)",
            [number, published_ms, 1 if removed else None],
        )
        for source in sources:
            self.connection.execute(
                f"INSERT INTO revisions (entry_id, number, source_id, newest, position, {REQUIRED})"
                f" VALUES (?, ?, ?, 1, 0, {', '.join('0' for _ in REQUIRED.split(','))})",
                [number, source, source],
            )

    def page(self, wanted: Wanted, below: Place, limit: int) -> tuple[list[int], Place | None]:
        found = list[int]()
        for some in walked(self.connection, wanted, below, limit + 1):
            found += some.ids
            if len(found) > limit:
                last = found[limit - 1]
                return found[:limit], self.entries[last - 1][0]
        return found, None

    def expected(self, wanted: Wanted) -> list[int]:
        return [
            place.id
            for place, sources, removed in sorted(self.entries, reverse=True)
            if wanted.removed in {None, removed}
            and (wanted.source_ids is None or set(wanted.source_ids) & set(sources))
            and (wanted.since_ms is None or place.published_ms >= wanted.since_ms)
            and (wanted.until_ms is None or place.published_ms < wanted.until_ms)
        ]


def pages(shelves: Shelves, wanted: Wanted, limit: int, between: Callable[[], None]) -> Iterator[int]:
    below: Place | None = TOP
    while below is not None:
        found, below = shelves.page(wanted, below, limit)
        yield from found
        between()


@given(
    ENTRIES,
    st.sampled_from([None, (1,), (2,), (1, 2), ()]),
    st.sampled_from([False, True, None]),
    st.none() | TIMES,
    st.none() | TIMES,
    st.integers(1, 4),
    st.booleans(),
)
def test_pages_are_what_sorting_gives(
    entries: list[tuple[int, tuple[int, ...], bool]],
    sources: tuple[int, ...] | None,
    removed: bool | None,
    since_ms: int | None,
    until_ms: int | None,
    limit: int,
    large: bool,
) -> None:
    shelves = Shelves(large=large)
    for published_ms, held_by, is_removed in entries:
        shelves.add(published_ms, held_by, removed=is_removed)
    wanted = Wanted(sources, removed, since_ms, until_ms)
    assert list(pages(shelves, wanted, limit, lambda: None)) == shelves.expected(wanted)
    shelves.connection.close()


@given(st.lists(TIMES, min_size=1, max_size=20), st.lists(TIMES, max_size=20), st.integers(1, 4))
def test_nothing_is_skipped_or_met_twice_while_entries_arrive(
    before: list[int], arriving: list[int], limit: int
) -> None:
    shelves = Shelves()
    for published_ms in before:
        shelves.add(published_ms, (1,), removed=False)
    coming = iter(arriving)

    def arrive() -> None:
        for published_ms in [each for _, each in zip(range(2), coming, strict=False)]:
            shelves.add(published_ms, (2,), removed=False)

    met = list(pages(shelves, Wanted(), limit, arrive))
    assert len(met) == len(set(met))
    assert set(range(1, len(before) + 1)) <= set(met)
    shelves.connection.close()


@pytest.mark.parametrize(
    ("wanted", "large"),
    [
        (Wanted(), True),
        (Wanted((1,)), True),
        (Wanted((1, 2), since_ms=1), True),
        (Wanted(removed=True), True),
    ],
)
def test_the_order_is_that_of_an_index(wanted: Wanted, large: bool) -> None:
    """And whether a source has an entry is asked of the entry's versions, not of all that the source has."""
    connection = Shelves(large=large).connection
    query, values = query_of(connection, wanted)
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", [*values, *TOP, 20])]
    assert any("entries_published" in each for each in plan)
    assert not any("TEMP B-TREE" in each or "revisions_newest" in each for each in plan)
