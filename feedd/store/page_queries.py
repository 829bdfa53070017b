"""What pages show, read in few and cheap queries. Functions on a reader's connection.

Each is bounded, whatever the store holds: what that leaves out, its words say.
"""

import sqlite3
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import islice
from typing import NamedTuple

from feedd.model import Kind, Significance
from feedd.store import changelog, channels
from feedd.store.changelog import ARE_TOLD, Change
from feedd.store.channels import State
from feedd.store.source_queries import ARE_FAILING, ARE_PAUSED

DAY_MS = 86_400_000
MOST_COUNTED = 100_000  # changes of the log, the newest: what was added in a week may be a million
MOST_CHARTED = 100_000  # entries of all sources, the newest of those published in the time that is shown
FEW = 20_000  # entries of one source, that are looked up one by one
END = 2**63 - 1  # beyond any number in the log
LOOKED_THROUGH = 10_000  # changes that were told, for one page of those that a filter lets through


class Overview(NamedTuple):
    """The numbers of the first page. Those of changes go no further back than MOST_COUNTED changes."""

    entries: int  # that there ever were
    added_day: int
    added_week: int
    changed_day: int  # edited, reverted, removed, restored; those that were told
    sources: int  # of the configuration
    failing: int  # and not paused
    paused: int
    pending: int  # deliveries
    failed: int


class ChangesPage(NamedTuple):
    """Changes, newest first."""

    changes: Sequence[Change]
    before: (
        int | None
    )  # where to go on; None: there are no more. A page may be short, or empty, and have one all the same


class ChannelRow(NamedTuple):
    """A channel of the configuration, and its deliveries."""

    state: State
    type: str
    location: str  # where messages go, as people may see it
    pending: int
    delivered: int  # since the time that was asked for
    failed: int


def overview(connection: sqlite3.Connection, now_ms: int) -> Overview:
    """By the end of `changes`, and the indexes `changes_told`, `sources_changed`, `_failing`, `_paused`,
    `deliveries_thread`, `_failed`.
    """
    run = connection.execute
    newest = one(connection, "SELECT max(id) FROM changes")
    floor = newest - MOST_COUNTED
    week, day = (max(floor, last_until(connection, now_ms - days * DAY_MS, newest)) for days in (7, 1))
    added_week, added_day = run(
        "SELECT count(*), total(id > ?) FROM changes WHERE id > ? AND kind = 'added'", [day, week]
    ).fetchone()
    return Overview(
        one(connection, "SELECT max(id) FROM entries"),
        int(added_day),
        added_week,
        one(connection, f"SELECT count(*) FROM changes c WHERE id > ? AND {ARE_TOLD}", day),
        one(connection, "SELECT count(*) FROM sources WHERE configured"),
        one(connection, f"SELECT count(*) FROM sources WHERE {ARE_FAILING}"),
        one(connection, f"SELECT count(*) FROM sources WHERE configured AND {ARE_PAUSED}"),
        one(connection, "SELECT count(*) FROM deliveries WHERE status = 'pending'"),
        one(connection, "SELECT count(*) FROM deliveries WHERE status = 'failed'"),
    )


def one(connection: sqlite3.Connection, query: str, *values: object) -> int:
    return int(connection.execute(query, values).fetchone()[0] or 0)


def last_until(connection: sqlite3.Connection, at_ms: int, newest: int) -> int:
    """The number of the last change that is not later; 0: none.

    The log is in the order of time, so that its middle tells in which half to go on; where a clock was set back, that
    is somewhere near.
    """
    low, high = 0, newest
    while low < high:
        middle = (low + high + 1) // 2
        row = connection.execute(
            "SELECT at FROM changes WHERE id <= ? ORDER BY id DESC LIMIT 1", [middle]
        ).fetchone()
        later = row is not None and row[0] > at_ms
        low, high = (low, middle - 1) if later else (middle, high)
    return low


def entries_a_day(connection: sqlite3.Connection, source_id: int, since_ms: int) -> list[tuple[int, int]]:
    """(the beginning of a day of UTC, how many entries that the source holds were published on it), the earliest first.

    Days without any are left out; so are the earliest, where more than MOST_CHARTED were published since then.
    """
    held = one(connection, "SELECT entries FROM sources WHERE id = ?", source_id)
    if held <= FEW:
        rows = connection.execute(
            "SELECT e.published FROM (SELECT DISTINCT entry_id FROM locations WHERE source_id = ?"
            " AND entry_id IS NOT NULL) CROSS JOIN entries e ON e.id = entry_id WHERE e.published >= ?",
            [source_id, since_ms],
        )
    else:
        last = connection.execute(
            "SELECT published FROM entries WHERE published >= ? ORDER BY published DESC LIMIT 1 OFFSET ?",
            [since_ms, MOST_CHARTED],
        ).fetchone()
        # that day is not seen as a whole
        first_ms = since_ms if last is None else (last[0] // DAY_MS + 1) * DAY_MS
        rows = connection.execute(
            "SELECT published FROM entries e WHERE published >= ? AND EXISTS"
            " (SELECT 1 FROM locations l WHERE l.entry_id = e.id AND l.source_id = ?)",
            [first_ms, source_id],
        )
    days = Counter(published // DAY_MS for (published,) in rows)
    return [(day * DAY_MS, count) for day, count in sorted(days.items())]


def changes_page(
    connection: sqlite3.Connection,
    source_ids: Collection[int] | None,
    kinds: Collection[Kind] | None,
    level: Significance | None,
    before: int | None,
    limit: int,
) -> ChangesPage:
    """What was told of entries by these sources, of these kinds, of that significance (None: any), below a number.

    No more than LOOKED_THROUGH changes are looked through; where that ends, the next page begins.
    """
    last = connection.execute(
        f"SELECT id FROM changes c WHERE {ARE_TOLD} AND id < ? ORDER BY id DESC LIMIT 1 OFFSET ?",
        [END if before is None else before, LOOKED_THROUGH],
    ).fetchone()
    down_to = None if last is None else int(last[0]) + 1  # that one begins the next page
    found = list(islice(changelog.changes(connection, source_ids, level, before, kinds, down_to), limit + 1))
    if len(found) > limit:
        return ChangesPage(found[:limit], found[limit - 1].id)
    return ChangesPage(found, down_to)


def delivery_counts(connection: sqlite3.Connection, since_ms: int = 0) -> dict[tuple[str, str], int]:
    """(channel, status) → how many wait, failed, or were delivered since then; of the channels of the configuration."""
    rows = connection.execute(
        "SELECT c.name,"
        " (SELECT count(*) FROM deliveries d WHERE d.channel_id = c.id AND d.status = 'pending'),"
        " (SELECT count(*) FROM deliveries d WHERE d.channel_id = c.id AND d.status = 'failed'),"
        " (SELECT count(*) FROM deliveries d WHERE d.channel_id = c.id AND d.done_at >= ? AND d.status = 'delivered')"
        " FROM channels c WHERE c.configured",
        [since_ms],
    )
    statuses = ("pending", "failed", "delivered")
    return {
        (name, status): count for name, *some in rows for status, count in zip(statuses, some, strict=True)
    }


def channel_rows(connection: sqlite3.Connection, since_ms: int) -> list[ChannelRow]:
    """The channels of the configuration by name; `delivered` since then."""
    counts, states = delivery_counts(connection, since_ms), channels.states(connection)
    rows = connection.execute("SELECT name, type, location FROM channels WHERE configured ORDER BY name")
    return [
        ChannelRow(
            states[name],
            type_,
            location,
            counts[name, "pending"],
            counts[name, "delivered"],
            counts[name, "failed"],
        )
        for name, type_, location in rows
    ]
