"""What the store says of its own health. Nothing here writes."""

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from feedd.store import pruning, search_index
from feedd.store.pruning import File
from feedd.store.search_index import Cursor

LATEST = 200  # changes, by whose time it is judged whether the clock went back


class Orphans(NamedTuple):
    """Rows that refer to what is not there."""

    table: str
    rows: int
    of: str  # the table that they refer to


class SourceState(NamedTuple):
    name: str
    failures: int  # in a row
    error: str | None
    paused: str | None  # why


class ChannelState(NamedTuple):
    name: str
    failed: int  # deliveries that were given up
    is_disabled: bool
    error: str | None  # of the last attempt, where that was in vain


class Vitals(NamedTuple):
    """Of a database with today's tables."""

    file: File
    entries: int
    newest_ms: int  # the latest moment that is noted anywhere as past
    indexed: Cursor | None  # up to where the search index has followed; None: it was never made
    logged: Cursor  # up to where there is something to be followed
    sources: tuple[SourceState, ...]
    channels: tuple[ChannelState, ...]
    has_secrets: bool  # of subscriptions, or hashes of tokens


def orphans(connection: sqlite3.Connection) -> list[Orphans]:
    counts: dict[tuple[str, str], int] = {}
    for table, _, of, _ in connection.execute("PRAGMA foreign_key_check"):
        counts[table, of] = counts.get((table, of), 0) + 1
    return [Orphans(table, count, of) for (table, of), count in counts.items()]


def vitals(connection: sqlite3.Connection) -> Vitals:
    (entries,) = connection.execute("SELECT count(*) FROM entries").fetchone()
    return Vitals(
        pruning.file_of(connection),
        entries,
        newest_ms(connection),
        search_index.cursor(connection),
        search_index.newest(connection),
        tuple(sources(connection)),
        tuple(channels(connection)),
        has_secrets(connection),
    )


def newest_ms(connection: sqlite3.Connection) -> int:
    (newest,) = connection.execute(
        "SELECT max(coalesce((SELECT max(last_checked) FROM sources), 0),"
        " coalesce((SELECT max(at) FROM (SELECT at FROM changes ORDER BY id DESC LIMIT ?)), 0))",
        [LATEST],
    ).fetchone()
    return int(newest)


def sources(connection: sqlite3.Connection) -> Sequence[SourceState]:
    rows = connection.execute(
        "SELECT name, failures, error, coalesce(paused_by, paused) FROM sources WHERE configured ORDER BY name"
    )
    return [SourceState(*row) for row in rows]


def channels(connection: sqlite3.Connection) -> Sequence[ChannelState]:
    rows = connection.execute(
        "SELECT name, (SELECT count(*) FROM deliveries d WHERE d.channel_id = c.id AND d.status = 'failed'),"
        " disabled_at IS NOT NULL, CASE WHEN failures > 0 THEN error END FROM channels c WHERE configured ORDER BY name"
    )
    return [ChannelState(name, failed, bool(disabled), error) for name, failed, disabled, error in rows]


def has_secrets(connection: sqlite3.Connection) -> bool:
    row = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM tokens) OR EXISTS (SELECT 1 FROM subscriptions)"
        " OR EXISTS (SELECT 1 FROM subscribers WHERE secret IS NOT NULL)"
    ).fetchone()
    return bool(row[0])
