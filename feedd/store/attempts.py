"""What came of what was sent, and what is done about it. Functions within a transaction of the writer's."""

import random
import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from feedd.notify.pace import FAILURES_UNTIL_REST, GIVE_UP_MS, rest_ms, retry_ms
from feedd.notify.values import Delivered, Failed, Outcome
from feedd.store import channels, incidents
from feedd.store.database import placeholders

AT_ONCE = 200  # SQLite bounds the values of one statement
DROPPED_AT_ONCE = 2_000
BEAT_KEY = "delivering_at"  # in meta
LONGEST_BEAT_MS = 30 * 60_000  # nobody delivered in what is longer than that
CLOCK_SET_BACK_MS = 60_000
ENOUGH_ATTEMPTS = 20  # whatever went by between them


class Sent(NamedTuple):
    """An attempt, and what came of it."""

    delivery_id: int
    channel_id: int
    outcome: Outcome
    at_ms: int


def begin(connection: sqlite3.Connection, ids: Iterable[int], now_ms: int) -> None:
    """Note that these are sent alone: whatever comes of it, they go with no others any more."""
    connection.executemany(
        "UPDATE deliveries SET begun_at = ? WHERE id = ? AND begun_at IS NULL",
        [(now_ms, each) for each in ids],
    )


def record(connection: sqlite3.Connection, attempts: Sequence[Sent]) -> None:
    """Note what came of attempts, in their order."""
    if any(isinstance(sent.outcome, Failed) for sent in attempts):
        beat(connection, attempts[0].at_ms)  # first of all: the machine may have slept
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
    before = "cancelled" if status == "delivered" else "pending"
    connection.execute(
        "UPDATE deliveries SET status = ?, done_at = ?, error = ?, next_attempt = NULL, attempts = attempts + ?"
        " WHERE (id = ? OR digest_id = ?) AND status IN ('pending', ?)",
        [status, at_ms, error, attempts, delivery_id, delivery_id, before],
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
            asked_ms = min(failed.retry_after_ms or 0, expires_ms)
            due_ms = min(max(now_ms + retry_ms(attempts, chance), asked_ms), expires_ms)
            run(
                "UPDATE deliveries SET attempts = ?, expires_at = ?, next_attempt = ?, not_before = ?, error = ?"
                " WHERE id = ? AND status = 'pending'",
                [attempts, expires_ms, due_ms, asked_ms or None, failed.why, sent.delivery_id],
            )
    failures, resting_ms = run(
        "SELECT failures, resting_until FROM channels WHERE id = ?", [sent.channel_id]
    ).fetchone()
    # what was on its way when the receiver began to be left alone fails with it, and not for itself
    together = failures >= FAILURES_UNTIL_REST and (resting_ms or 0) > now_ms
    pause_ms = 0 if together else rest_ms(failures + 1, chance)
    resting_ms = now_ms + pause_ms if pause_ms else 0
    asked_ms = min(failed.retry_after_ms or 0, now_ms + GIVE_UP_MS) if failed.rests else 0
    channels.refused(connection, sent.channel_id, failed, resting_ms, asked_ms, now_ms, counts=not together)


def give_up(connection: sqlite3.Connection, sent: Sent, why: str) -> None:
    """A delivery has failed for good, and with it what waited for as long, while the receiver took nothing."""
    now_ms, long_ago_ms = sent.at_ms, sent.at_ms - GIVE_UP_MS
    close(connection, sent.delivery_id, "failed", now_ms, why)
    connection.execute(
        "UPDATE deliveries SET status = 'failed', done_at = ?1, error = ?2, next_attempt = NULL WHERE channel_id = ?3"
        " AND status = 'pending' AND digest_id IS NULL AND change_id IS NOT NULL AND EXISTS (SELECT 1 FROM channels c"
        " WHERE c.id = ?3 AND c.failing_since <= ?4) AND coalesce(expires_at, next_attempt + ?5) <= ?1",
        [now_ms, why, sent.channel_id, long_ago_ms, GIVE_UP_MS],
    )
    incidents.report(connection, sent.channel_id, "undelivered", why, now_ms, "channel")


def again(connection: sqlite3.Connection, ids: Sequence[int], now_ms: int) -> int:
    """Try these now, whatever became of them, and what went with them; returns how many changes."""
    count = 0
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        given = placeholders(len(some))
        # what is in a message that waits goes with it
        count += connection.execute(
            "UPDATE deliveries SET status = 'pending', next_attempt = ?, expires_at = NULL, not_before = NULL,"
            " done_at = NULL, attempts = 0, digest_id = NULL, error = NULL WHERE change_id IS NOT NULL"
            f" AND (id IN ({given}) OR digest_id IN ({given})) AND NOT (status = 'pending' AND digest_id IS NOT NULL)",
            [now_ms, *some, *some],
        ).rowcount
        waiting = connection.execute(
            "UPDATE deliveries SET next_attempt = ?, not_before = NULL WHERE change_id IS NULL AND status = 'pending'"
            f" AND (id IN ({given}) OR id IN (SELECT digest_id FROM deliveries WHERE id IN ({given}))) RETURNING id",
            [now_ms, *some, *some],
        ).fetchall()
        for (message_id,) in waiting:
            count += connection.execute(
                "SELECT count(*) FROM deliveries WHERE digest_id = ?", [message_id]
            ).fetchone()[0]
    return count


def cancel(connection: sqlite3.Connection, ids: Sequence[int], why: str, now_ms: int) -> int:
    """Let go of what waits; returns how many rows. What goes with others is taken out of their message."""
    count, told = 0, set[int]()
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        given = placeholders(len(some))
        rows = connection.execute(
            "UPDATE deliveries SET status = 'cancelled', next_attempt = NULL, done_at = ?, error = ?,"
            f" digest_id = iif(id IN ({given}), NULL, digest_id)"
            f" WHERE status = 'pending' AND (id IN ({given}) OR digest_id IN ({given})) RETURNING channel_id",
            [now_ms, why, *some, *some, *some],
        ).fetchall()
        count += len(rows)
        told |= {channel_id for (channel_id,) in rows}
    for channel_id in told:
        channels.forget_failures(connection, channel_id, now_ms)
    return count


def beat(connection: sqlite3.Connection, now_ms: int) -> None:
    """Note that deliveries go on. Time in which nobody delivered, or a clock jumped, is not counted against a receiver."""
    run = connection.execute
    row = run("SELECT value FROM meta WHERE key = ?", [BEAT_KEY]).fetchone()
    gap_ms = now_ms - int(row[0]) if row else 0
    if gap_ms > LONGEST_BEAT_MS:
        run(  # what was never tried counts from when it was due
            "UPDATE deliveries SET expires_at = coalesce(expires_at, next_attempt + ?1)"
            " + iif(attempts > 0, ?2, min(?2, ?3 - next_attempt)) WHERE status = 'pending' AND attempts < ?4"
            " AND (attempts > 0 OR next_attempt < ?3)",
            [GIVE_UP_MS, gap_ms, now_ms, ENOUGH_ATTEMPTS],
        )
        run("UPDATE channels SET failing_since = failing_since + ? WHERE failing_since IS NOT NULL", [gap_ms])
    elif gap_ms < -CLOCK_SET_BACK_MS:
        # times of a future that was none
        run(
            "UPDATE deliveries SET next_attempt = ?1, created_at = min(created_at, ?1), expires_at = NULL, not_before = NULL"
            " WHERE status = 'pending' AND next_attempt > ?1 AND (created_at > ?1 OR attempts > 0)",
            [now_ms],
        )
        run("UPDATE deliveries SET done_at = ?1 WHERE done_at > ?1", [now_ms])
        run(
            "UPDATE channels SET resting_until = NULL, asked_until = NULL, failing_since = iif(failing_since > ?1, ?1, failing_since)",
            [now_ms],
        )
    run("INSERT OR REPLACE INTO meta VALUES (?, ?)", [BEAT_KEY, str(now_ms)])
    channels.report_failing(connection, now_ms)


def drop_done(connection: sqlite3.Connection, before_ms: int, limit: int = DROPPED_AT_ONCE) -> int:
    """Forget some of what was done long ago; returns how many rows. What went together goes together."""
    ids = connection.execute(
        "SELECT id FROM deliveries WHERE done_at < ? AND digest_id IS NULL ORDER BY done_at LIMIT ?",
        [before_ms, limit],
    ).fetchall()
    connection.executemany("DELETE FROM deliveries WHERE digest_id = ?", ids)
    connection.executemany("DELETE FROM deliveries WHERE id = ?", ids)
    return len(ids)
