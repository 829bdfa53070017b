"""What is to be told, one row a channel and change, written in the transaction that logs the change.

Functions within a transaction of the writer's. A row waits until its time; then it goes by itself, or with others
in one message, which is a row of its own, without a change. What comes of it: see `attempts`.
"""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from feedd.notify.values import DIGEST
from feedd.store import log
from feedd.store.channels import DISABLED, Addressee
from feedd.store.database import placeholders
from feedd.store.known import StoredKnown
from feedd.store.log import Logged

AT_ONCE = 200  # changes, whose texts are kept for the channels that ask for them
MOST_TOGETHER = 500  # changes in one message: so many it can name
INSERT = (
    "INSERT INTO deliveries (channel_id, change_id, thread, type, status, created_at, next_attempt, done_at, error)"
    " VALUES (?,?,?,?,?,?,?,?,?)"
)
WAITS_ALONE = "status = 'pending' AND digest_id IS NULL AND change_id IS NOT NULL"


class Addressees(NamedTuple):
    """Who is told of changes."""

    channels: Mapping[int, Addressee] = {}  # by number
    priorities: Mapping[str, int] = {}  # of sources: which of several versions of an entry is shown


def queue(connection: sqlite3.Connection, addressees: Addressees, last_id: int, now_ms: int) -> int:
    """Queue what was logged after that change, for each channel that wants it; returns how many rows."""
    if not addressees.channels:
        return 0
    return queue_these(connection, addressees, log.after(connection, last_id), now_ms)


def queue_past(
    connection: sqlite3.Connection, addressees: Addressees, channel_id: int, since_ms: int, now_ms: int
) -> int:
    """Tell a channel that is new, or back again, of the past, but for what it was told already."""
    alone = addressees._replace(channels={channel_id: addressees.channels[channel_id]})
    rows = connection.execute(
        "SELECT change_id FROM deliveries WHERE channel_id = ? AND status = 'delivered'", [channel_id]
    )
    known = {change_id for (change_id,) in rows}
    past = [change for change in log.since(connection, since_ms) if change.id not in known]
    return queue_these(connection, alone, past, now_ms)


def queue_these(
    connection: sqlite3.Connection, addressees: Addressees, changes: Sequence[Logged], now_ms: int
) -> int:
    disabled = {row[0] for row in connection.execute("SELECT id FROM channels WHERE disabled_at IS NOT NULL")}
    gathering = {number: next_gathered_ms(connection, number) for number in addressees.channels}
    count = 0
    for start in range(0, len(changes), AT_ONCE):
        known, rows = StoredKnown(connection, addressees.priorities), list[tuple[object, ...]]()
        for change in changes[start : start + AT_ONCE]:
            for number, addressee in addressees.channels.items():
                if not addressee.wants(change, known):
                    continue
                row = (number, change.id, thread_of(change), type_of(change))
                if number in disabled:
                    rows.append((*row, "cancelled", now_ms, None, now_ms, DISABLED))
                    continue
                due_ms = addressee.pace.first_attempt_ms(now_ms, gathering[number])
                gathering[number] = due_ms
                rows.append((*row, "pending", now_ms, due_ms, None, None))
        connection.executemany(INSERT, rows)
        count += len(rows)
    return count


def thread_of(change: Logged) -> int:
    """What goes in order: the changes of one entry, or of one source."""
    return -change.source_id if change.entry_id is None else change.entry_id


def type_of(change: Logged) -> str:
    """As the contract of webhooks spells it: entry.edited, source.failing."""
    return (
        str(change.kind).replace("source-", "source.") if change.entry_id is None else f"entry.{change.kind}"
    )


def next_gathered_ms(connection: sqlite3.Connection, channel_id: int) -> int | None:
    """When what is gathered for the channel goes."""
    (at_ms,) = connection.execute(
        f"SELECT max(next_attempt) FROM deliveries WHERE channel_id = ? AND {WAITS_ALONE} AND attempts = 0",
        [channel_id],
    ).fetchone()
    return None if at_ms is None else int(at_ms)


def forget(connection: sqlite3.Connection, change_id: int) -> None:
    """What waits of a change is not told: it is no change any more, or another one."""
    connection.execute(f"DELETE FROM deliveries WHERE change_id = ? AND {WAITS_ALONE}", [change_id])


def gather(
    connection: sqlite3.Connection, channel_id: int, now_ms: int, busy: Collection[int] = (), first: int = 0
) -> bool:
    """Put what is due into one message, but for the first so many, what was tried already, and what is being sent.

    Returns whether there is such a message now. One is under way at a time, and no change goes with it before which
    another one about the same entry waits elsewhere, so that order is kept.
    """
    under_way = connection.execute(
        "SELECT 1 FROM deliveries WHERE channel_id = ? AND status = 'pending' AND change_id IS NULL",
        [channel_id],
    )
    if under_way.fetchone():
        return False
    sending = placeholders(len(busy))
    due = connection.execute(
        f"SELECT id, thread FROM deliveries d WHERE channel_id = ? AND {WAITS_ALONE} AND next_attempt <= ?"
        f" AND attempts = 0 AND begun_at IS NULL AND id NOT IN ({sending}) AND NOT EXISTS (SELECT 1 FROM deliveries e"
        " WHERE e.channel_id = d.channel_id AND e.thread = d.thread AND e.status = 'pending' AND e.id < d.id"
        f" AND (e.attempts > 0 OR e.begun_at IS NOT NULL OR e.digest_id IS NOT NULL OR e.next_attempt > ? OR e.id IN ({sending})))"
        " ORDER BY id LIMIT ?",
        [channel_id, now_ms, *busy, now_ms, *busy, MOST_TOGETHER + first],
    ).fetchall()
    alone = {thread for _, thread in due[:first]}
    ids = [delivery_id for delivery_id, thread in due[first:] if thread not in alone]
    if not ids:
        return False
    message_id = connection.execute(
        INSERT, [channel_id, None, 0, DIGEST, "pending", now_ms, now_ms, None, None]
    ).lastrowid
    connection.executemany(
        "UPDATE deliveries SET digest_id = ?, next_attempt = NULL WHERE id = ?",
        [(message_id, delivery_id) for delivery_id in ids],
    )
    return True
