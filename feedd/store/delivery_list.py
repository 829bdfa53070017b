"""Deliveries as a page lists them, each with what it is about. Functions on a reader's connection."""

import sqlite3
from typing import NamedTuple

from feedd.store.deliveries import Delivery

# The newest first: along `deliveries` itself, or by what its indexes have of those that wait or failed.
LISTED = (
    "SELECT d.id, h.name, d.change_id, d.type, d.status, coalesce(m.attempts, d.attempts),"
    " coalesce(m.next_attempt, d.next_attempt), coalesce(m.error, d.error), d.created_at, d.done_at, d.digest_id,"
    " h.configured, iif(d.change_id IS NULL, (SELECT count(*) FROM deliveries g WHERE g.digest_id = d.id), 0),"
    " c.kind, s.name, e.id, e.title, c.detail"
    " FROM deliveries d CROSS JOIN channels h ON h.id = d.channel_id LEFT JOIN deliveries m ON m.id = d.digest_id"
    " LEFT JOIN changes c ON c.id = d.change_id LEFT JOIN sources s ON s.id = c.source_id"
    " LEFT JOIN entries e ON e.id = c.entry_id"
)
INDEXED = ("pending", "failed")  # states that partial indexes are of


class Subject(NamedTuple):
    """The change that is told, as far as it is still in the log."""

    kind: str
    source: str
    entry_id: int | None  # None: it is about the source itself
    title: str | None  # of the entry, as it is now
    detail: str | None  # what happened to the source, in words


class Listed(NamedTuple):
    delivery: Delivery
    is_configured: bool  # its channel is
    parts: int  # of a message with several changes: how many
    subject: Subject | None

    @property
    def can_retry(self) -> bool:
        return self.is_configured and self.delivery.status != "delivered"

    @property
    def can_cancel(self) -> bool:
        return self.delivery.status == "pending"


def listed(
    connection: sqlite3.Connection,
    limit: int,
    channel: str | None = None,
    status: str | None = None,
    before: int | None = None,
) -> list[Listed]:
    """Those of a channel, in a state, below a number; the newest first."""
    terms, values = ["1"], list[object]()
    for term, value in (
        ("d.channel_id = (SELECT id FROM channels WHERE name = ?)", channel),
        ("d.status = ?", status),
        ("d.id < ?", before),
    ):
        if value is not None:
            terms.append(term)
            values.append(value)
    if status in INDEXED:  # spelled out, for the partial indexes to be taken
        terms.append(f"d.status = '{status}'")
    query = f"{LISTED} WHERE {' AND '.join(terms)} ORDER BY d.id DESC LIMIT ?"
    return [made(row) for row in connection.execute(query, [*values, limit])]


def made(row: tuple[object, ...]) -> Listed:
    delivery, (configured, parts, kind, *about) = Delivery(*row[:11]), row[11:]  # type: ignore[arg-type]
    subject = Subject(kind, *about) if kind is not None else None  # type: ignore[arg-type]
    return Listed(delivery, bool(configured), parts, subject)  # type: ignore[arg-type]


def channels_listed(connection: sqlite3.Connection) -> list[str]:
    """The names of all channels that deliveries may be of; also of those that left the configuration."""
    return [name for (name,) in connection.execute("SELECT name FROM channels ORDER BY NOT configured, name")]
