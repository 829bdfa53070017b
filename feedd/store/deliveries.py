"""What waits to be delivered, and what became of the rest: as it is claimed, and as it is listed. Reads only."""

import sqlite3
from collections.abc import Collection, Sequence
from typing import NamedTuple

from feedd.notify.pace import HOUR_MS
from feedd.store.database import placeholders

STATUSES = ("pending", "delivered", "failed", "cancelled")
# What goes with others shares their fate.
LISTED = (
    "SELECT d.id, c.name, d.change_id, d.type, d.status, coalesce(m.attempts, d.attempts),"
    " coalesce(m.next_attempt, d.next_attempt), coalesce(m.error, d.error), d.created_at, d.done_at, d.digest_id"
    " FROM deliveries d JOIN channels c ON c.id = d.channel_id LEFT JOIN deliveries m ON m.id = d.digest_id"
)
HEADS = (
    "SELECT d.id, d.change_id, d.type, d.thread FROM deliveries d WHERE d.channel_id = ? AND d.status = 'pending'"
    " AND d.digest_id IS NULL AND d.next_attempt <= ? AND (d.thread = 0 OR NOT EXISTS (SELECT 1 FROM deliveries e"
    " WHERE e.channel_id = d.channel_id AND e.thread = d.thread AND e.status = 'pending' AND e.id < d.id))"
)


class Delivery(NamedTuple):
    """A row of the outbox."""

    id: int
    channel: str
    change_id: int | None  # None: a message with several changes
    type: str
    status: str  # one of STATUSES
    attempts: int
    next_attempt_ms: int | None
    error: str | None
    created_ms: int
    done_ms: int | None
    digest_id: int | None  # the delivery that it goes with


class Head(NamedTuple):
    """What may be sent now: nothing about the same entry waits before it."""

    id: int
    change_id: int | None
    type: str
    thread: int  # what goes one after the other; 0: nothing


class Chosen(NamedTuple):
    """Which deliveries are meant; what is not given is not asked for."""

    ids: Sequence[int] = ()
    channel: str | None = None
    statuses: Collection[str] = ()
    since_ms: int | None = None

    @property
    def where(self) -> tuple[str, list[object]]:
        terms, values = ["1"], list[object]()
        if self.ids:
            terms.append(f"d.id IN ({placeholders(len(self.ids))})")
            values += self.ids
        if self.channel is not None:
            terms.append("c.name = ?")
            values.append(self.channel)
        if self.statuses:
            terms.append(f"d.status IN ({placeholders(len(self.statuses))})")
            values += self.statuses
        if self.since_ms is not None:
            terms.append("d.created_at >= ?")
            values.append(self.since_ms)
        return " AND ".join(terms), values


def heads(
    connection: sqlite3.Connection, channel_id: int, now_ms: int, limit: int, *, begun: bool = False
) -> list[Head]:
    """What a channel may send now, what is due longest first. `begun`: only what was tried, or holds several changes."""
    which = " AND (d.change_id IS NULL OR d.attempts > 0 OR d.begun_at IS NOT NULL)" if begun else ""
    rows = connection.execute(
        f"{HEADS}{which} ORDER BY d.next_attempt, d.id LIMIT ?", [channel_id, now_ms, limit]
    )
    return [Head(*row) for row in rows]


def waiting(connection: sqlite3.Connection, channel_id: int, now_ms: int) -> int:
    """How many changes are due that were never tried."""
    (count,) = connection.execute(
        "SELECT count(*) FROM deliveries WHERE channel_id = ? AND status = 'pending' AND digest_id IS NULL"
        " AND change_id IS NOT NULL AND attempts = 0 AND begun_at IS NULL AND next_attempt <= ?",
        [channel_id, now_ms],
    ).fetchone()
    return int(count)


def next_ms(connection: sqlite3.Connection, channel_id: int, now_ms: int) -> int | None:
    """When something is due next, after now."""
    (at_ms,) = connection.execute(
        "SELECT min(next_attempt) FROM deliveries WHERE channel_id = ? AND status = 'pending' AND digest_id IS NULL"
        " AND next_attempt > ?",
        [channel_id, now_ms],
    ).fetchone()
    return None if at_ms is None else int(at_ms)


def is_gathered(connection: sqlite3.Connection, channel_id: int) -> bool:
    """Whether a message with several changes waits."""
    row = connection.execute(
        "SELECT 1 FROM deliveries WHERE channel_id = ? AND status = 'pending' AND change_id IS NULL",
        [channel_id],
    )
    return row.fetchone() is not None


def lately(connection: sqlite3.Connection, channel_id: int, now_ms: int) -> list[int]:
    """When each message of the last hour arrived, the earliest first."""
    rows = connection.execute(
        "SELECT done_at FROM deliveries WHERE channel_id = ? AND done_at > ? AND done_at <= ? AND status = 'delivered'"
        " AND digest_id IS NULL ORDER BY done_at",
        [channel_id, now_ms - HOUR_MS, now_ms],
    )
    return [done_at for (done_at,) in rows]


def members(connection: sqlite3.Connection, message_id: int) -> list[int]:
    """The changes that go with a message, in the order of the log."""
    rows = connection.execute(
        "SELECT change_id FROM deliveries WHERE digest_id = ? AND status != 'cancelled' ORDER BY change_id",
        [message_id],
    )
    return [change_id for (change_id,) in rows]


def listed(connection: sqlite3.Connection, chosen: Chosen, limit: int = -1) -> list[Delivery]:
    """The newest first."""
    where, values = chosen.where
    rows = connection.execute(f"{LISTED} WHERE {where} ORDER BY d.id DESC LIMIT ?", [*values, limit])
    return [Delivery(*row) for row in rows]
