"""What is to be told, one row a channel and change, written in the transaction that logs the change.

Functions within a transaction of the writer's. A row waits until its time; then it goes by itself, or with others
in one message, which is a row of its own, without a change.
"""

import random
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from feedd.notify.pace import GIVE_UP_MS, rest_ms, retry_ms
from feedd.notify.values import DIGEST, Delivered, Failed, Outcome
from feedd.store import channels, incidents, log
from feedd.store.channels import DISABLED, Addressee
from feedd.store.database import placeholders
from feedd.store.known import StoredKnown
from feedd.store.log import Logged

AT_ONCE = 200  # changes, whose texts are kept for the channels that ask for them
DROPPED_AT_ONCE = 2_000
MOST_TOGETHER = 500  # changes in one message: so many it can name
INSERT = (
    "INSERT INTO deliveries (channel_id, change_id, thread, type, status, created_at, next_attempt, done_at, error)"
    " VALUES (?,?,?,?,?,?,?,?,?)"
)
WAITS_ALONE = "status = 'pending' AND digest_id IS NULL AND change_id IS NOT NULL"


class Sent(NamedTuple):
    """An attempt, and what came of it."""

    delivery_id: int
    channel_id: int
    outcome: Outcome
    at_ms: int


class Addressees(NamedTuple):
    """Who is told of changes."""

    channels: Mapping[int, Addressee] = {}  # by number
    priorities: Mapping[str, int] = {}  # of sources: which of several versions of an entry is shown


def queue(connection: sqlite3.Connection, addressees: Addressees, last_id: int) -> int:
    """Queue what was logged after that change, for each channel that wants it; returns how many rows."""
    return queue_these(connection, addressees, log.after(connection, last_id)) if addressees.channels else 0


def queue_past(
    connection: sqlite3.Connection, addressees: Addressees, channel_id: int, since_ms: int, now_ms: int
) -> int:
    """Tell a new channel of the past."""
    alone = addressees._replace(channels={channel_id: addressees.channels[channel_id]})
    return queue_these(connection, alone, log.since(connection, since_ms), now_ms)


def queue_these(
    connection: sqlite3.Connection,
    addressees: Addressees,
    changes: Sequence[Logged],
    now_ms: int | None = None,
) -> int:
    """`now_ms`: when they are queued, where that is not when they were recorded."""
    disabled = {row[0] for row in connection.execute("SELECT id FROM channels WHERE disabled_at IS NOT NULL")}
    gathering = {number: next_gathered_ms(connection, number) for number in addressees.channels}
    count = 0
    for start in range(0, len(changes), AT_ONCE):
        known, rows = StoredKnown(connection, addressees.priorities), list[tuple[object, ...]]()
        for change in changes[start : start + AT_ONCE]:
            at_ms = change.at_ms if now_ms is None else now_ms
            for number, addressee in addressees.channels.items():
                if not addressee.wants(change, known):
                    continue
                row = (number, change.id, thread_of(change), type_of(change))
                if number in disabled:
                    rows.append((*row, "cancelled", at_ms, None, at_ms, DISABLED))
                    continue
                due_ms = addressee.pace.first_attempt_ms(at_ms, gathering[number])
                gathering[number] = due_ms
                rows.append((*row, "pending", at_ms, due_ms, None, None))
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
    """Put what is due into one message, but for the first so many, and what was tried already, or is being sent.

    Returns whether there is such a message now. One is under way at a time, and none overtakes an earlier message about the same entry, so that order is kept.
    """
    values = [channel_id, now_ms, *busy, *busy, MOST_TOGETHER + first]
    sending = placeholders(len(busy))
    due = connection.execute(
        f"SELECT id FROM deliveries d WHERE channel_id = ? AND {WAITS_ALONE} AND next_attempt <= ? AND attempts = 0"
        f" AND id NOT IN ({sending}) AND NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.channel_id = d.channel_id"
        " AND e.thread = d.thread AND e.status = 'pending' AND e.id < d.id"
        f" AND (e.attempts > 0 OR e.digest_id IS NOT NULL OR e.id IN ({sending}))) ORDER BY id LIMIT ?",
        values,
    )
    ids = [delivery_id for (delivery_id,) in due][first:]
    under_way = connection.execute(
        "SELECT 1 FROM deliveries WHERE channel_id = ? AND status = 'pending' AND change_id IS NULL",
        [channel_id],
    )
    if not ids or under_way.fetchone():
        return False
    message_id = connection.execute(
        INSERT, [channel_id, None, 0, DIGEST, "pending", now_ms, now_ms, None, None]
    ).lastrowid
    connection.executemany(
        "UPDATE deliveries SET digest_id = ?, next_attempt = NULL WHERE id = ?",
        [(message_id, delivery_id) for delivery_id in ids],
    )
    return True


def record(connection: sqlite3.Connection, attempts: Iterable[Sent]) -> None:
    """Note what came of attempts, in their order."""
    for sent in attempts:
        match sent.outcome:
            case Delivered():
                close(connection, sent.delivery_id, "delivered", sent.at_ms, None)
                channels.took(connection, sent.channel_id, sent.at_ms)
            case Failed():
                refused(connection, sent, sent.outcome)


def close(
    connection: sqlite3.Connection,
    delivery_id: int,
    status: str,
    at_ms: int,
    error: str | None,
    attempts: int = 1,
) -> None:
    """A delivery, and all that went with it, is done. What was cancelled meanwhile and arrived all the same did arrive."""
    connection.execute(
        "UPDATE deliveries SET status = ?, done_at = ?, error = ?, next_attempt = NULL, attempts = attempts + ?"
        " WHERE (id = ? OR digest_id = ?) AND status IN ('pending', ?)",
        [
            status,
            at_ms,
            error,
            attempts,
            delivery_id,
            delivery_id,
            "cancelled" if status == "delivered" else "pending",
        ],
    )


def refused(connection: sqlite3.Connection, sent: Sent, failed: Failed) -> None:
    """Try again later, or give up; and leave a receiver alone that fails."""
    run, now_ms = connection.execute, sent.at_ms
    chance = random.random()  # noqa: S311 (no secret)
    row = run("SELECT attempts, expires_at FROM deliveries WHERE id = ?", [sent.delivery_id]).fetchone()
    if row is not None:
        attempts, expires_ms = row[0] + 1, row[1] or now_ms + GIVE_UP_MS
        if now_ms >= expires_ms:
            give_up(connection, sent, failed.why)
        else:
            wish_ms = max(now_ms + retry_ms(attempts, chance), failed.retry_after_ms or 0)
            run(
                "UPDATE deliveries SET attempts = ?, expires_at = ?, next_attempt = ?, error = ?"
                " WHERE id = ? AND status = 'pending'",
                [attempts, expires_ms, min(wish_ms, expires_ms), failed.why, sent.delivery_id],
            )
    (failures,) = run("SELECT failures FROM channels WHERE id = ?", [sent.channel_id]).fetchone()
    pause_ms = rest_ms(failures + 1, chance)
    until_ms = max(now_ms + pause_ms if pause_ms else 0, failed.retry_after_ms or 0 if failed.rests else 0)
    channels.refused(connection, sent.channel_id, failed, min(until_ms, now_ms + GIVE_UP_MS) or None, now_ms)


def give_up(connection: sqlite3.Connection, sent: Sent, why: str) -> None:
    """A delivery has failed for good, and with it what waited for as long, while the receiver took nothing."""
    now_ms, long_ago_ms = sent.at_ms, sent.at_ms - GIVE_UP_MS
    close(connection, sent.delivery_id, "failed", now_ms, why)
    overdue = connection.execute(
        "SELECT d.id FROM deliveries d JOIN channels c ON c.id = d.channel_id WHERE d.channel_id = ?"
        " AND d.status = 'pending' AND d.digest_id IS NULL AND c.failing_since <= ?"
        " AND (d.expires_at <= ? OR (d.attempts = 0 AND d.next_attempt <= ?))",
        [sent.channel_id, long_ago_ms, now_ms, long_ago_ms],
    ).fetchall()
    for (delivery_id,) in overdue:
        close(connection, delivery_id, "failed", now_ms, why, attempts=0)
    incidents.report(connection, sent.channel_id, "undelivered", why, now_ms, "channel_id")


def again(connection: sqlite3.Connection, ids: Sequence[int], now_ms: int) -> int:
    """Try these now, whatever became of them; returns how many."""
    count = 0
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        given = placeholders(len(some))
        count += connection.execute(
            "UPDATE deliveries SET status = 'pending', next_attempt = ?, expires_at = NULL, done_at = NULL, attempts = 0,"
            " digest_id = iif(status = 'pending', digest_id, NULL)"
            f" WHERE id IN ({given}) AND change_id IS NOT NULL AND NOT (status = 'pending' AND digest_id IS NOT NULL)",
            [now_ms, *some],
        ).rowcount
        count += connection.execute(
            "UPDATE deliveries SET next_attempt = ? WHERE change_id IS NULL AND status = 'pending' AND"
            f" (id IN ({given}) OR id IN (SELECT digest_id FROM deliveries WHERE id IN ({given})))",
            [now_ms, *some, *some],
        ).rowcount
    return count


def cancel(connection: sqlite3.Connection, ids: Sequence[int], why: str, now_ms: int) -> int:
    """Let go of what waits; returns how many rows. What goes with others is taken out of their message."""
    count = 0
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        given = placeholders(len(some))
        count += connection.execute(
            "UPDATE deliveries SET status = 'cancelled', next_attempt = NULL, done_at = ?, error = ?"
            f" WHERE status = 'pending' AND (id IN ({given}) OR digest_id IN ({given}))",
            [now_ms, why, *some, *some],
        ).rowcount
    return count


def drop_done(connection: sqlite3.Connection, before_ms: int, limit: int = DROPPED_AT_ONCE) -> int:
    """Forget some of what was done long ago; returns how many rows. What went together goes together."""
    ids = connection.execute(
        "SELECT id FROM deliveries WHERE done_at < ? AND digest_id IS NULL ORDER BY done_at LIMIT ?",
        [before_ms, limit],
    ).fetchall()
    connection.executemany("DELETE FROM deliveries WHERE digest_id = ?", ids)
    connection.executemany("DELETE FROM deliveries WHERE id = ?", ids)
    return len(ids)
