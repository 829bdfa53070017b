"""Who subscribed to feeds of ours, and what they were told (WebSub): rows of those that were verified.

Functions on a connection; those that write, within a transaction of the writer's.
"""

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from feedd.store.database import placeholders

AT_ONCE = 500  # SQLite bounds the values of one statement
LONGEST_ERROR = 300
LEAST_OF_HOST = 3  # subscriptions that one callback host may have
COLUMNS = (
    "id, topic, feed, format, callback, secret, confirmed_at, lease_until, told, told_at, attempts, next_attempt,"
    " failing_since, error, most_bytes"
)


class Subscriber(NamedTuple):
    """A callback that wants to be told of a feed."""

    id: int
    topic: str  # the address of the feed's document
    feed: str
    format: str
    callback: str
    secret: str | None
    confirmed_ms: int
    lease_until_ms: int
    told: int  # the change up to which it was told all
    told_at_ms: int  # when the newest was recorded of what it was told
    attempts: int = 0  # in vain, since it was told last
    next_attempt_ms: int | None = None  # None: as soon as there is something to tell
    failing_since_ms: int | None = None
    error: str | None = None
    most_bytes: int | None = None  # that it takes at once; None: as many as anybody is sent

    def __repr__(self) -> str:
        return f"Subscriber({self.id}, {self.topic!r}, …)"  # the callback may hold a secret, too


class Confirmed(NamedTuple):
    """A subscription that its callback has just confirmed."""

    topic: str
    feed: str
    format: str
    callback: str
    host: str  # of the callback, without its port
    secret: str | None
    lease_until_ms: int
    told: int  # the newest change when it was asked for


class Taken(NamedTuple):
    """How many subscriptions there are."""

    in_all: int
    of_host: int  # those of one callback host

    def is_full(self, most: int) -> bool:
        """Whether there is no room for another one of that host, where there may be so many in all."""
        return self.in_all >= most or self.of_host >= most_of_host(most)


def most_of_host(most: int) -> int:
    """How many subscriptions one callback host may have, so that it leaves room for others."""
    return max(LEAST_OF_HOST, most // 10)


def confirm(connection: sqlite3.Connection, new: Confirmed, most: int, now_ms: int) -> bool:
    """Add a subscription, or renew it with another secret and lease: what it was told stays. False: there are too many."""
    if not is_known(connection, new.topic, new.callback) and taken(connection, new.host).is_full(most):
        return False
    connection.execute(
        "INSERT INTO subscribers (topic, feed, format, callback, host, secret, confirmed_at, lease_until, told, told_at)"
        " VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (topic, callback) DO UPDATE SET secret = excluded.secret,"
        " confirmed_at = excluded.confirmed_at, lease_until = excluded.lease_until, attempts = 0,"
        " next_attempt = NULL, failing_since = NULL, error = NULL, most_bytes = NULL",
        [*new[:6], now_ms, new.lease_until_ms, new.told, now_ms],
    )
    return True


def remove(connection: sqlite3.Connection, topic: str, callback: str) -> None:
    connection.execute("DELETE FROM subscribers WHERE topic = ? AND callback = ?", [topic, callback])


def end(connection: sqlite3.Connection, subscriber: Subscriber) -> None:
    """End a subscription that was not renewed meanwhile."""
    connection.execute(
        "DELETE FROM subscribers WHERE id = ? AND confirmed_at = ?", [subscriber.id, subscriber.confirmed_ms]
    )


def told(connection: sqlite3.Connection, subscriber: Subscriber, change_id: int, at_ms: int) -> None:
    """It took a ping, with all up to that change. If it was renewed meanwhile, it may not know the signature: it is told again."""
    connection.execute(
        "UPDATE subscribers SET told = max(told, ?), told_at = max(told_at, ?), attempts = 0, next_attempt = NULL,"
        " failing_since = NULL, error = NULL WHERE id = ? AND confirmed_at = ?",
        [change_id, at_ms, subscriber.id, subscriber.confirmed_ms],
    )


def pass_over(connection: sqlite3.Connection, ids: Sequence[int], change_id: int) -> None:
    """Up to that change there is nothing to tell to these."""
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        connection.execute(
            "UPDATE subscribers SET told = max(told, ?), attempts = 0, next_attempt = NULL, failing_since = NULL,"
            f" error = NULL WHERE id IN ({placeholders(len(some))})",
            [change_id, *some],
        )


def failed(
    connection: sqlite3.Connection, subscriber_id: int, next_attempt_ms: int, error: str, now_ms: int
) -> None:
    """It did not take a ping."""
    connection.execute(
        "UPDATE subscribers SET attempts = attempts + 1, next_attempt = ?, failing_since = coalesce(failing_since, ?),"
        " error = ? WHERE id = ?",
        [next_attempt_ms, now_ms, error[:LONGEST_ERROR], subscriber_id],
    )


def shorten(connection: sqlite3.Connection, subscriber: Subscriber, most_bytes: int) -> None:
    """It takes no more than so much at once, as it said; it is told again with less. A renewal forgets that."""
    connection.execute(
        "UPDATE subscribers SET most_bytes = ?, next_attempt = NULL WHERE id = ? AND confirmed_at = ?",
        [most_bytes, subscriber.id, subscriber.confirmed_ms],
    )


def expire(connection: sqlite3.Connection, now_ms: int) -> list[Subscriber]:
    """End what was not renewed in time; returns it."""
    rows = connection.execute(f"DELETE FROM subscribers WHERE lease_until <= ? RETURNING {COLUMNS}", [now_ms])
    return [Subscriber._make(row) for row in rows.fetchall()]


def keep_only(connection: sqlite3.Connection, topics: Iterable[str]) -> list[Subscriber]:
    """End the subscriptions of all other topics; returns them."""
    kept = set(topics)
    ended = [each for each in everyone(connection) if each.topic not in kept]
    connection.executemany("DELETE FROM subscribers WHERE id = ?", [(each.id,) for each in ended])
    return ended


def everyone(connection: sqlite3.Connection) -> list[Subscriber]:
    """All, those first that failed the least, then those that wait for the longest; together what is told the same."""
    rows = connection.execute(f"SELECT {COLUMNS} FROM subscribers ORDER BY attempts, told, feed, format, id")
    return [Subscriber._make(row) for row in rows]


def is_known(connection: sqlite3.Connection, topic: str, callback: str) -> bool:
    found = connection.execute(
        "SELECT 1 FROM subscribers WHERE topic = ? AND callback = ?", [topic, callback]
    ).fetchone()
    return found is not None


def taken(connection: sqlite3.Connection, host: str) -> Taken:
    row = connection.execute(
        "SELECT count(*), (SELECT count(*) FROM subscribers WHERE host = ?) FROM subscribers", [host]
    ).fetchone()
    return Taken(*row)


def entries_changed(
    connection: sqlite3.Connection, last_id: int, source_ids: Collection[int] | None
) -> list[int]:
    """The entries that these sources (None: all) told something of after that change, the newest change first.

    An entry comes and goes for every source that has a version of it, whichever noticed.
    """
    where, values = "id > ? AND entry_id IS NOT NULL AND NOT silent", [last_id]
    if source_ids is not None:
        where += f" AND (source_id IN ({placeholders(len(source_ids))}) OR kind IN ('removed', 'restored'))"
        values += source_ids
    rows = connection.execute(
        f"SELECT entry_id FROM changes WHERE {where} GROUP BY entry_id ORDER BY max(id) DESC", values
    )
    return [entry_id for (entry_id,) in rows]


def sources_in_trouble(connection: sqlite3.Connection, last_id: int) -> list[tuple[str, int]]:
    """(name, time in ms) of each change of a source itself that was told after that change."""
    rows = connection.execute(
        "SELECT s.name, min(c.at) FROM changes c JOIN sources s ON s.id = c.source_id WHERE c.id > ?"
        " AND c.entry_id IS NULL AND NOT c.silent GROUP BY s.id",
        [last_id],
    )
    return [(str(name), int(at_ms)) for name, at_ms in rows]
