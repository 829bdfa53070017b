"""What is remembered of a source's server, and whom to leave alone until when."""

import json
import sqlite3
from collections.abc import Iterable

from feedd.model import Conversation, Wishes

COLUMNS = (
    "requested, etag, last_modified, answered, body_hash, address, moving_to, moving_times, moving_since, held_until, paused,"
    " note, interval, freshness, hub, topic, missing"
)
NAMES = tuple(name.strip() for name in COLUMNS.split(","))
SAVE = f"UPDATE sources SET {', '.join(f'{name} = ?' for name in NAMES)} WHERE id = ?"


def load(connection: sqlite3.Connection, source_id: int) -> Conversation:
    row = connection.execute(f"SELECT {COLUMNS} FROM sources WHERE id = ?", [source_id]).fetchone()
    conversation = Conversation._make(row)
    return conversation._replace(wishes=wishes_of(row[NAMES.index("freshness")]))


def wishes_of(text: str | None) -> Wishes:
    if not text:
        return Wishes()
    ttl_s, period_s, hours, days = json.loads(text)
    return Wishes(ttl_s, period_s, tuple(hours), tuple(days))


def save(connection: sqlite3.Connection, source_id: int, conversation: Conversation) -> None:
    wishes = json.dumps(conversation.wishes) if conversation.wishes != Wishes() else None
    connection.execute(SAVE, [*conversation._replace(wishes=wishes), source_id])  # type: ignore[arg-type]


def hold(connection: sqlite3.Connection, holds: Iterable[tuple[str, int]]) -> None:
    """Leave hosts and domains alone until then."""
    connection.executemany(
        "INSERT INTO holds VALUES (?, ?) ON CONFLICT DO UPDATE SET until = max(until, excluded.until)", holds
    )


def holds(connection: sqlite3.Connection, now_ms: int) -> list[tuple[str, int]]:
    """Hosts and domains that are to be left alone now, and until when."""
    rows = connection.execute("SELECT scope, until FROM holds WHERE until > ?", [now_ms])
    return [(str(scope), int(until)) for scope, until in rows]
