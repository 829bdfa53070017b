"""Listings that are read a page at a time, in an order that never changes. Functions on a connection; reads only.

Entries are listed by `published`, then by number, the newest first. Neither ever changes, so that a page begins
exactly where the one before it ended, whatever arrives meanwhile.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from feedd.store.database import placeholders
from feedd.store.deliveries import LISTED, Chosen, Delivery

EARLIEST, LATEST = -(2**63), 2**63 - 1  # that SQLite can hold
LOOKED_THROUGH = 20_000  # entries at most for one page: some 50 ms
LARGE = 20_000  # entries of sources: above, going through all entries meets theirs soon enough
MOST_AT_ONCE = 5_000


class Place(NamedTuple):
    """Where an entry stands."""

    published_ms: int
    id: int


TOP = Place(LATEST, LATEST)


class Wanted(NamedTuple):
    """Which entries are listed."""

    source_ids: Sequence[int] | None = None  # entries that one of these has; None: all
    removed: bool | None = False  # None: whether or not
    since_ms: int | None = None  # by `published`
    until_ms: int | None = None  # before that moment


class Some(NamedTuple):
    """What stands next in the order."""

    ids: tuple[int, ...]  # of those that are wanted
    reached: Place  # how far was looked
    is_end: bool  # nothing follows


def walked(connection: sqlite3.Connection, wanted: Wanted, below: Place, at_once: int) -> Iterator[Some]:
    """The entries that follow, in portions: `at_once` are looked at first, then more; LOOKED_THROUGH in all."""
    reached = min(below, TOP if wanted.until_ms is None else Place(wanted.until_ms, EARLIEST))
    query, values = query_of(connection, wanted)
    looked = 0
    while looked < LOOKED_THROUGH:
        rows = connection.execute(query, [*values, *reached, at_once]).fetchall()
        is_end = len(rows) < at_once
        if rows:
            reached = Place(*rows[-1][:2])
        yield Some(tuple(entry_id for _, entry_id, fits in rows if fits), reached, is_end)
        if is_end:
            return
        looked += len(rows)
        at_once = min(4 * at_once, MOST_AT_ONCE)


def query_of(connection: sqlite3.Connection, wanted: Wanted) -> tuple[str, list[object]]:
    """What asks for (published, id, whether it is wanted) below a place, and its first values."""
    values, sources = list[object](), ""
    if wanted.source_ids is not None:
        sources = placeholders(len(wanted.source_ids))
        values += wanted.source_ids
    fits = {None: "1", False: "e.removed_at IS NULL", True: "e.removed_at IS NOT NULL"}[wanted.removed]
    since = "" if wanted.since_ms is None else " AND e.published >= ?"
    bound = f"{since} AND (e.published, e.id) < (?, ?) ORDER BY e.published DESC, e.id DESC LIMIT ?"
    if wanted.source_ids is not None and is_small(connection, wanted.source_ids):
        held = f"SELECT entry_id FROM revisions WHERE newest AND source_id IN ({sources})"
        query = f"SELECT e.published, e.id, {fits} FROM entries e WHERE e.id IN ({held}){bound}"
    else:
        if wanted.source_ids is not None:
            held = (
                "SELECT 1 FROM revisions r INDEXED BY revisions_number WHERE r.entry_id = e.id AND r.newest"
            )
            fits = f"CASE WHEN {fits} THEN EXISTS ({held} AND r.source_id IN ({sources})) ELSE 0 END"
        query = f"SELECT e.published, e.id, {fits} FROM entries e INDEXED BY entries_published WHERE 1{bound}"
    return query, values if wanted.since_ms is None else [*values, wanted.since_ms]


def is_small(connection: sqlite3.Connection, source_ids: Sequence[int]) -> bool:
    """Whether sorting all that these sources have costs less than going through everything."""
    query = f"SELECT coalesce(sum(entries), 0) FROM sources WHERE id IN ({placeholders(len(source_ids))})"
    ((held,),) = connection.execute(query, list(source_ids))
    return bool(held < LARGE)


def deliveries_below(
    connection: sqlite3.Connection, chosen: Chosen, below_id: int, limit: int
) -> list[Delivery]:
    """The newest first, of lower numbers than that."""
    where, values = chosen.where
    query = f"{LISTED} WHERE {where} AND d.id < ? ORDER BY d.id DESC LIMIT ?"
    return [Delivery(*row) for row in connection.execute(query, [*values, below_id, limit])]
