"""Subscriptions of our feed sources at hubs elsewhere (WebSub).

A row is in one of five states: *wanted* (to be asked for), *asked* (the hub is to verify it), *active*, *denied* by
the hub, *ending* (it is no longer wanted: the hub is asked to forget it). A source has one row that is not ending.
"""

import json
import sqlite3
from typing import NamedTuple

from feedd.schedule import Due
from feedd.store.database import transaction, translated
from feedd.store.rechecks import document_due, document_key
from feedd.store.writer import Writer

COLUMNS = (
    "u.id, u.source_id, s.name, u.hub, u.topic, u.callback, u.token, u.secret, u.state, u.asked_at, u.confirmed_at,"
    " u.lease_until, u.pushed_at, u.attempts, u.next_attempt, u.error, u.failing_since,"
    " s.paused_by"
)
ROWS = f"SELECT {COLUMNS} FROM subscriptions u JOIN sources s ON s.id = u.source_id"
POLLS_APART_MS = 10 * 60_000  # between a look at a source and one that a push which can't be read asks for
PROVEN_MS = 5 * 60_000  # that hubs were heard, before what they did not push is held against them

MISSED = (
    "the hub pushes not all: a look at the source found what no push had brought; it is polled at its own interval"
    " until the hub pushes something new again"
)


class Offer(NamedTuple):
    """A configured source whose document names a hub."""

    source_id: int
    name: str
    hubs: tuple[str, ...]  # at least one; the others are tried if it fails
    topic: str


class Subscription(NamedTuple):
    id: int
    source_id: int
    source: str  # its name
    hub: str
    topic: str
    callback: str  # has the token in it
    token: str
    secret: str
    state: str
    asked_ms: int | None = None
    confirmed_ms: int | None = None
    lease_until_ms: int | None = None
    pushed_ms: int | None = None
    attempts: int = 0  # in vain
    next_attempt_ms: int | None = None
    error: str | None = None
    failing_since_ms: int | None = None  # the first of the attempts in vain
    paused_by: str | None = None  # who, and since when, where a person paused the source

    def __repr__(self) -> str:
        return f"Subscription({self.source}, {self.state})"  # the rest has secrets in it


class Polled(NamedTuple):
    """What a poll says of the hub that pushes its source."""

    is_pushed: bool  # so well that polls may be rare
    missed: bool  # the first change that the hub did not push


def offers(writer: Writer) -> list[Offer]:
    """The feeds that could be pushed.

    One that doesn't say what its hub knows it by is known by its address; but no hub is told a user, a password, or
    a query, which may be secret.
    """
    with translated(writer.path):
        rows = writer.connection.execute(
            "SELECT id, name, hub, topic, coalesce(address, location) FROM sources"
            " WHERE configured = 1 AND paused IS NULL AND paused_by IS NULL AND type = 'feed' AND hub IS NOT NULL ORDER BY id"
        ).fetchall()
    return [
        Offer(source_id, name, tuple(hubs.split()), topic or place)
        for source_id, name, hubs, topic, place in rows
        if topic or not ("?" in place or "@" in place)
    ]


def every(writer: Writer) -> list[Subscription]:
    with translated(writer.path):
        return [Subscription._make(row) for row in writer.connection.execute(f"{ROWS} ORDER BY u.id")]


def by_token(writer: Writer, token: str) -> Subscription | None:
    with translated(writer.path):
        row = writer.connection.execute(f"{ROWS} WHERE u.token = ?", [token]).fetchone()
    return Subscription._make(row) if row else None


def add(writer: Writer, offer: Offer, hub: str, callback: str, token: str, secret: str, now_ms: int) -> None:
    with translated(writer.path):
        writer.connection.execute(
            "INSERT INTO subscriptions (source_id, hub, topic, callback, token, secret, state, next_attempt)"
            " VALUES (?,?,?,?,?,?,'wanted',?)",
            [offer.source_id, hub, offer.topic, callback, token, secret, now_ms],
        )


def ask(writer: Writer, subscription_id: int, now_ms: int, until_ms: int) -> bool:
    """Note that the hub is about to be asked: it may verify before it answers. It has until `until_ms` to verify.

    False: it is not wanted any more.
    """
    with translated(writer.path):
        found = writer.connection.execute(
            "UPDATE subscriptions SET asked_at = ?, next_attempt = ?, state = iif(state IN ('wanted', 'denied'), 'asked', state)"
            " WHERE id = ? AND state != 'ending'",
            [now_ms, until_ms, subscription_id],
        )
        return found.rowcount > 0


def refused(writer: Writer, subscription_id: int, asked_ms: int, error: str, again_ms: int) -> None:
    """Asking came to nothing, unless the hub has verified since, or it is about something else by now."""
    with translated(writer.path):
        writer.connection.execute(
            "UPDATE subscriptions SET attempts = attempts + 1, next_attempt = ?, error = ?,"
            " failing_since = coalesce(failing_since, asked_at), state = iif(state = 'asked', 'wanted', state)"
            " WHERE id = ? AND asked_at = ? AND coalesce(confirmed_at, -1) < asked_at AND state IN ('asked', 'active')",
            [again_ms, error, subscription_id, asked_ms],
        )


def confirm(writer: Writer, subscription_id: int, now_ms: int, lease_until_ms: int) -> None:
    """The hub verified it."""
    with translated(writer.path):
        writer.connection.execute(
            "UPDATE subscriptions SET heard_since = iif(state = 'active', heard_since, ?), state = 'active',"
            " confirmed_at = ?, lease_until = ?, attempts = 0, failing_since = NULL, next_attempt = NULL,"
            " error = iif(missed_at IS NULL, NULL, error) WHERE id = ? AND state NOT IN ('denied', 'ending')",
            [now_ms, now_ms, lease_until_ms, subscription_id],
        )


def stop(
    writer: Writer, subscription_id: int, state: str, error: str | None, again_ms: int, now_ms: int
) -> None:
    """Nothing is pushed from now on: the source is polled at its own interval again.

    What the hub never heard of needs no farewell.
    """
    with translated(writer.path), transaction(writer.connection):
        run = writer.connection.execute
        restore(writer.connection, "id = ?", subscription_id, now_ms)
        if state == "ending":
            run("DELETE FROM subscriptions WHERE id = ? AND asked_at IS NULL", [subscription_id])
        run(
            "UPDATE subscriptions SET state = ?, error = ?, attempts = 0, next_attempt = ?, lease_until = NULL,"
            " failing_since = coalesce(failing_since, iif(? = 'denied', ?, NULL)), brought_at = NULL,"
            " missed_at = NULL WHERE id = ? AND state != 'ending'",
            [state, error, again_ms, state, now_ms, subscription_id],
        )


def farewell(writer: Writer, subscription_id: int, attempts: int, again_ms: int) -> None:
    with translated(writer.path):
        writer.connection.execute(
            "UPDATE subscriptions SET attempts = ?, next_attempt = ? WHERE id = ? AND state = 'ending'",
            [attempts, again_ms, subscription_id],
        )


def forget(writer: Writer, subscription_id: int) -> None:
    """It has ended."""
    with translated(writer.path):
        writer.connection.execute(
            "DELETE FROM subscriptions WHERE id = ? AND state = 'ending'", [subscription_id]
        )


def note(writer: Writer, subscription_id: int, error: str) -> None:
    with translated(writer.path):
        writer.connection.execute("UPDATE subscriptions SET error = ? WHERE id = ?", [error, subscription_id])


def polled(writer: Writer, source_id: int, own: Due, now_ms: int, *, found: bool) -> Polled:
    """A look at the source was recorded: whether its hub pushes so well that the next one may be late.

    A hub is relied on once it has brought something, and no longer when a look has `found` what it had not brought,
    until it brings something again. If it is, it is kept when the source would be polled otherwise (`own`).
    By `subscriptions_source`, which leaves out what is ending.
    """
    with translated(writer.path), transaction(writer.connection):
        run = writer.connection.execute
        row = run(
            "SELECT id, heard_since, polled_at, brought_at, missed_at FROM subscriptions"
            " WHERE source_id = ? AND state != 'ending' AND state = 'active' AND lease_until > ?",
            [source_id, now_ms],
        ).fetchone()
        if row is None:
            return Polled(is_pushed=False, missed=False)
        subscription_id, heard_ms, polled_ms, brought_ms, missed_ms = row
        run("UPDATE subscriptions SET polled_at = ? WHERE id = ?", [now_ms, subscription_id])
        heard = heard_ms is not None and heard_ms <= (polled_ms or 0) and heard_ms <= now_ms - PROVEN_MS
        missed = found and heard and brought_ms is not None and missed_ms is None
        if missed:
            run(
                "UPDATE subscriptions SET missed_at = ?, error = ? WHERE id = ?",
                [now_ms, MISSED, subscription_id],
            )
        if missed or missed_ms is not None or brought_ms is None:
            return Polled(is_pushed=False, missed=missed)
        run("UPDATE subscriptions SET own_check = ?, own_because = ? WHERE id = ?", [*own, subscription_id])
        return Polled(is_pushed=True, missed=False)


def catch_up(writer: Writer, now_ms: int) -> list[str]:
    """Poll what is pushed at its own interval again, once: pushes were missed while nobody listened.

    Returns the sources that are to be looked at at once.
    """
    with translated(writer.path), transaction(writer.connection):
        writer.connection.execute("UPDATE subscriptions SET heard_since = ? WHERE state = 'active'", [now_ms])
        return restore(writer.connection, "state = ?", "active", now_ms)


def restore(connection: sqlite3.Connection, which: str, value: object, now_ms: int) -> list[str]:
    """Where the next look is later since the source is pushed, it is when it would be otherwise.

    Returns the sources for which that is now.
    """
    overdue = list[str]()
    rows = connection.execute(
        "SELECT u.id, u.source_id, s.name, u.own_check, u.own_because, s.next_check FROM subscriptions u"
        f" JOIN sources s ON s.id = u.source_id WHERE u.own_check IS NOT NULL AND u.{which}",
        [value],
    ).fetchall()
    for subscription_id, source_id, name, own_ms, because, next_ms in rows:
        own = Due(max(own_ms, now_ms), because)
        document = document_due(connection, source_id)
        if document is not None and own.at_ms < document.at_ms:
            row = [json.dumps(own), document_key(source_id)]
            connection.execute("UPDATE meta SET value = ? WHERE key = ?", row)
        if next_ms is not None and own.at_ms < next_ms:
            values: list[object] = [*own, source_id]
            changed = connection.execute(
                "UPDATE sources SET next_check = ?, next_check_because = ? WHERE id = ? AND failures = 0",
                values,
            )
            overdue += [name] if changed.rowcount and own.at_ms == now_ms else []
        connection.execute("UPDATE subscriptions SET own_check = NULL WHERE id = ?", [subscription_id])
    return overdue


def poll_soon(writer: Writer, source_id: int, because: str, now_ms: int) -> int | None:
    """Look at the source's document at once, or ten minutes after it was looked at last; when that is.

    A source that fails is looked at when it would be. What the look finds was pushed, but could not be taken.
    """
    with translated(writer.path), transaction(writer.connection):
        writer.connection.execute(
            "UPDATE subscriptions SET heard_since = ? WHERE source_id = ? AND state != 'ending' AND state = 'active'",
            [now_ms, source_id],
        )
        last_ms, next_ms, failures = writer.connection.execute(
            "SELECT last_checked, next_check, failures FROM sources WHERE id = ?", [source_id]
        ).fetchone()
        soon = Due(max(now_ms, (last_ms or 0) + POLLS_APART_MS), because)
        if failures or next_ms is None or soon.at_ms >= next_ms:
            return None if next_ms is None else int(next_ms)
        writer.connection.execute("DELETE FROM meta WHERE key = ?", [document_key(source_id)])
        writer.connection.execute(
            "UPDATE sources SET next_check = ?, next_check_because = ? WHERE id = ?", [*soon, source_id]
        )
    return soon.at_ms
