"""What goes wrong with sources, one row an incident: the health feed shows them."""

import re
import sqlite3
from itertools import pairwise
from typing import NamedTuple

DAY_MS = 86_400_000
ENOUGH = 6  # entries: fewer say nothing of how long a source is silent as a rule
REMEMBERED = 60  # of its newest entries, by which that is judged
DIGITS = re.compile("[0-9]+")


class Incident(NamedTuple):
    id: int
    source: str
    kind: str  # failing | selector | paused | silent | moved
    opened_ms: int
    changed_ms: int
    closed_ms: int | None
    detail: str  # what happened, in words


def report(connection: sqlite3.Connection, source_id: int, kind: str, detail: str, now_ms: int) -> bool:
    """Open an incident, or bring the one that is open up to date; whether it is a new one.

    One that differs in numbers alone has not changed: a reader would show it as unread at each failure.
    """
    found = connection.execute(
        "SELECT id, detail FROM incidents WHERE source_id = ? AND kind = ? AND closed_at IS NULL",
        [source_id, kind],
    ).fetchone()
    if found is None:
        connection.execute(
            "INSERT INTO incidents (source_id, kind, opened_at, changed_at, detail) VALUES (?,?,?,?,?)",
            [source_id, kind, now_ms, now_ms, detail],
        )
        return True
    if DIGITS.sub("", found[1]) != DIGITS.sub("", detail):
        connection.execute(
            "UPDATE incidents SET detail = ?, changed_at = ? WHERE id = ?", [detail, now_ms, found[0]]
        )
    return False


def close(connection: sqlite3.Connection, source_id: int, kinds: tuple[str, ...], now_ms: int) -> bool:
    """Close what is open of these kinds; whether there was any."""
    closed = connection.execute(
        "UPDATE incidents SET closed_at = ?, changed_at = ? WHERE source_id = ? AND closed_at IS NULL"
        f" AND kind IN ({','.join('?' * len(kinds))})",
        [now_ms, now_ms, source_id, *kinds],
    )
    return closed.rowcount > 0


def close_all(connection: sqlite3.Connection, now_ms: int) -> None:
    """Close what is open of sources that are not looked at any more."""
    connection.execute(
        "UPDATE incidents SET closed_at = ?, changed_at = ?, detail = detail || '. The source was taken out of the"
        " configuration, or paused in it' WHERE closed_at IS NULL"
        " AND source_id IN (SELECT id FROM sources WHERE configured != 1)",
        [now_ms, now_ms],
    )


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
        "SELECT i.id, s.name, i.kind, i.opened_at, i.changed_at, i.closed_at, i.detail FROM incidents i"
        " JOIN sources s ON s.id = i.source_id ORDER BY i.changed_at DESC, i.id DESC LIMIT ?",
        [limit],
    )
    return [Incident._make(row) for row in rows]
