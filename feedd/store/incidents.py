"""What goes wrong with sources, with channels, and with feedd itself, one row an incident: the health feed shows them."""

import re
import sqlite3
from itertools import pairwise
from typing import Literal, NamedTuple

Of = Literal["source", "channel", "feedd"]
DAY_MS = 86_400_000
ENOUGH = 6  # entries: fewer say nothing of how long a source is silent as a rule
REMEMBERED = 60  # of its newest entries, by which that is judged
IS_OF = "coalesce(source_id, 0) = ? AND coalesce(channel_id, 0) = ?"  # as the index `incidents_open` has it
NUMBERS = re.compile(r"[\w-]*[0-9][\w-]*")  # of any kind: also those by which servers name a request


class Incident(NamedTuple):
    id: int
    subject: str  # the name of a source or a channel; feedd's own is feedd
    kind: str  # of a source: failing, selector, paused, silent, moved, restless; of a channel: undelivered, disabled, template;
    # of feedd: configuration, publishing, mirror
    opened_ms: int
    changed_ms: int
    closed_ms: int | None
    detail: str  # what happened, in words
    of: Of = "source"


def key(subject_id: int | None, of: Of) -> list[int]:
    """The values of `IS_OF`. feedd itself has no number."""
    number = subject_id or 0
    return [number if of == "source" else 0, number if of == "channel" else 0]


def report(
    connection: sqlite3.Connection,
    subject_id: int | None,
    kind: str,
    detail: str,
    now_ms: int,
    of: Of = "source",
) -> bool:
    """Open an incident, or bring the one that is open up to date; whether it is a new one.

    One that differs in numbers alone has not changed: a reader would show it as unread at each failure.
    """
    numbers = key(subject_id, of)
    found = connection.execute(
        f"SELECT id, detail FROM incidents WHERE {IS_OF} AND kind = ? AND closed_at IS NULL",
        [*numbers, kind],
    ).fetchone()
    if found is None:
        connection.execute(
            "INSERT INTO incidents (source_id, channel_id, kind, opened_at, changed_at, detail)"
            " VALUES (nullif(?, 0), nullif(?, 0), ?, ?, ?, ?)",
            [*numbers, kind, now_ms, now_ms, detail],
        )
        return True
    if NUMBERS.sub("", found[1]) != NUMBERS.sub("", detail):
        connection.execute(
            "UPDATE incidents SET detail = ?, changed_at = ? WHERE id = ?", [detail, now_ms, found[0]]
        )
    return False


def close(
    connection: sqlite3.Connection,
    subject_id: int | None,
    kinds: tuple[str, ...],
    now_ms: int,
    of: Of = "source",
) -> bool:
    """Close what is open of these kinds; whether there was any."""
    closed = connection.execute(
        f"UPDATE incidents SET closed_at = ?, changed_at = ? WHERE {IS_OF} AND closed_at IS NULL"
        f" AND kind IN ({','.join('?' * len(kinds))})",
        [now_ms, now_ms, *key(subject_id, of), *kinds],
    )
    return closed.rowcount > 0


def close_all(connection: sqlite3.Connection, now_ms: int) -> None:
    """Close what is open of sources that are not looked at any more, and of channels that are not served."""
    for what, table, of, served in (
        ("source", "sources", "source_id", "configured = 1"),
        ("channel", "channels", "channel_id", "configured"),
    ):
        connection.execute(
            "UPDATE incidents SET closed_at = ?, changed_at = ?, detail = detail || ?"
            f" WHERE closed_at IS NULL AND {of} IN (SELECT id FROM {table} WHERE NOT ({served}))",
            [now_ms, now_ms, f". The {what} was taken out of the configuration{PAUSED[what]}"],
        )


PAUSED = {"source": ", or paused in it", "channel": ""}


def silent_since(
    connection: sqlite3.Connection, source_id: int, now_ms: int, expected_ms: int | None
) -> int | None:
    """When the source brought something last, if it is silent for longer than expected, or than it ever was."""
    (last,) = connection.execute("SELECT last_changed FROM sources WHERE id = ?", [source_id]).fetchone()
    if last is None or now_ms - last <= (expected_ms or DAY_MS):
        return None
    rows = connection.execute(
        "SELECT e.published FROM revisions r JOIN entries e ON e.id = r.entry_id WHERE r.source_id = ? AND r.newest"
        " ORDER BY r.position DESC LIMIT ?",
        [source_id, REMEMBERED],
    )
    times = sorted({published for (published,) in rows if published <= now_ms})
    since = max(last, *times) if times else int(last)
    if expected_ms is not None:
        return since if now_ms - since > expected_ms else None
    gaps = [later - earlier for earlier, later in pairwise(times)]
    if len(times) < ENOUGH or now_ms - since <= max(DAY_MS, *gaps):
        return None
    return since


def newest(connection: sqlite3.Connection, limit: int) -> list[Incident]:
    rows = connection.execute(
        "SELECT i.id, coalesce(s.name, c.name, 'feedd'), i.kind, i.opened_at, i.changed_at, i.closed_at, i.detail,"
        " CASE WHEN s.id IS NOT NULL THEN 'source' WHEN c.id IS NOT NULL THEN 'channel' ELSE 'feedd' END"
        " FROM incidents i LEFT JOIN sources s ON s.id = i.source_id"
        " LEFT JOIN channels c ON c.id = i.channel_id ORDER BY i.changed_at DESC, i.id DESC LIMIT ?",
        [limit],
    )
    return [Incident._make(row) for row in rows]
