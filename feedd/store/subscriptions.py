"""Subscriptions of our feed sources at hubs elsewhere (WebSub), and what those hubs push.

A row is in one of five states: *wanted* (to be asked for), *asked* (the hub is to verify it), *active*, *denied* by
the hub, *ending* (it is no longer wanted: the hub is asked to forget it). A source has one row that is not ending.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from feedd.decide import Pass, in_order
from feedd.model import Item, Rejected, Tally
from feedd.schedule import Due
from feedd.store import conversation, identity, notices, passes, recording
from feedd.store.database import loaded_path, placeholders, stored_path, transaction, translated
from feedd.store.passes import SourceKey
from feedd.store.rechecks import document_due, document_key
from feedd.store.writer import MOST_ITEMS, Writer

COLUMNS = (
    "u.id, u.source_id, s.name, u.hub, u.topic, u.callback, u.token, u.secret, u.state, u.asked_at, u.confirmed_at,"
    " u.lease_until, u.pushed_at, u.attempts, u.next_attempt, u.error"
)
ROWS = f"SELECT {COLUMNS} FROM subscriptions u JOIN sources s ON s.id = u.source_id"
AT_ONCE = 500  # SQLite bounds the values of one statement
POLLS_APART_MS = 10 * 60_000  # between a look at a source and one that a push which can't be read asks for


class Offer(NamedTuple):
    """A configured source whose document names a hub."""

    source_id: int
    name: str
    hub: str
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

    def __repr__(self) -> str:
        return f"Subscription({self.source}, {self.state})"  # the rest has secrets in it


class Received(NamedTuple):
    """What a push came to, to be recorded."""

    items: Sequence[Item]
    rejected: Sequence[Rejected]
    present: frozenset[str]
    shared: frozenset[str] = frozenset()
    holds: Sequence[tuple[str, int]] = ()


def offers(writer: Writer) -> list[Offer]:
    """The feeds that could be pushed.

    One that doesn't say what its hub knows it by is known by its address; but no hub is told a user, a password, or
    a query, which may be secret.
    """
    with translated(writer.path):
        rows = writer.connection.execute(
            "SELECT id, name, hub, topic, coalesce(address, location) FROM sources"
            " WHERE configured = 1 AND paused IS NULL AND type = 'feed' AND hub IS NOT NULL ORDER BY id"
        ).fetchall()
    return [
        Offer(source_id, name, hub, topic or place)
        for source_id, name, hub, topic, place in rows
        if topic or not ("?" in place or "@" in place)
    ]


def every(writer: Writer) -> list[Subscription]:
    with translated(writer.path):
        return [Subscription._make(row) for row in writer.connection.execute(f"{ROWS} ORDER BY u.id")]


def by_token(writer: Writer, token: str) -> Subscription | None:
    with translated(writer.path):
        row = writer.connection.execute(f"{ROWS} WHERE u.token = ?", [token]).fetchone()
    return Subscription._make(row) if row else None


def add(writer: Writer, offer: Offer, callback: str, token: str, secret: str, now_ms: int) -> None:
    with translated(writer.path):
        writer.connection.execute(
            "INSERT INTO subscriptions (source_id, hub, topic, callback, token, secret, state, next_attempt)"
            " VALUES (?,?,?,?,?,?,'wanted',?)",
            [offer.source_id, offer.hub, offer.topic, callback, token, secret, now_ms],
        )


def ask(writer: Writer, subscription_id: int, now_ms: int, until_ms: int) -> None:
    """Note that the hub is about to be asked: it may verify before it answers. It has until `until_ms` to verify."""
    with translated(writer.path):
        writer.connection.execute(
            "UPDATE subscriptions SET asked_at = ?, next_attempt = ?, state = iif(state IN ('wanted', 'denied'), 'asked', state)"
            " WHERE id = ?",
            [now_ms, until_ms, subscription_id],
        )


def refused(writer: Writer, subscription_id: int, asked_ms: int, error: str, again_ms: int) -> None:
    """Asking came to nothing, unless the hub has verified since, or it is about something else by now."""
    with translated(writer.path):
        writer.connection.execute(
            "UPDATE subscriptions SET attempts = attempts + 1, next_attempt = ?, error = ?,"
            " state = iif(state = 'asked', 'wanted', state)"
            " WHERE id = ? AND asked_at = ? AND coalesce(confirmed_at, -1) < asked_at AND state IN ('asked', 'active')",
            [again_ms, error, subscription_id, asked_ms],
        )


def confirm(writer: Writer, subscription_id: int, now_ms: int, lease_until_ms: int) -> None:
    """The hub verified it."""
    with translated(writer.path):
        writer.connection.execute(
            "UPDATE subscriptions SET state = 'active', confirmed_at = ?, lease_until = ?, attempts = 0,"
            " next_attempt = NULL, error = NULL WHERE id = ? AND state NOT IN ('denied', 'ending')",
            [now_ms, lease_until_ms, subscription_id],
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
            "UPDATE subscriptions SET state = ?, error = ?, attempts = 0, next_attempt = ?, lease_until = NULL"
            " WHERE id = ? AND state != 'ending'",
            [state, error, again_ms, subscription_id],
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


def is_pushed(writer: Writer, source_id: int, own: Due, now_ms: int) -> bool:
    """Whether a hub pushes what the source has new. If so, it is kept when the source would be polled otherwise."""
    with translated(writer.path):
        found = writer.connection.execute(
            "UPDATE subscriptions SET own_check = ?, own_because = ?"
            " WHERE source_id = ? AND state = 'active' AND lease_until > ?",
            [*own, source_id, now_ms],
        )
        return found.rowcount > 0


def catch_up(writer: Writer, now_ms: int) -> None:
    """Poll what is pushed at its own interval again, once: pushes were missed while nobody listened."""
    with translated(writer.path), transaction(writer.connection):
        restore(writer.connection, "state = ?", "active", now_ms)


def restore(connection: sqlite3.Connection, which: str, value: object, now_ms: int) -> None:
    """Where the next look is later since the source is pushed, it is when it would be otherwise."""
    rows = connection.execute(
        "SELECT u.id, u.source_id, u.own_check, u.own_because, s.next_check FROM subscriptions u"
        f" JOIN sources s ON s.id = u.source_id WHERE u.own_check IS NOT NULL AND u.{which}",
        [value],
    ).fetchall()
    for subscription_id, source_id, own_ms, because, next_ms in rows:
        own = Due(max(own_ms, now_ms), because)
        document = document_due(connection, source_id)
        if document is not None and own.at_ms < document.at_ms:
            row = [json.dumps(own), document_key(source_id)]
            connection.execute("UPDATE meta SET value = ? WHERE key = ?", row)
        if next_ms is not None and own.at_ms < next_ms:
            values: list[object] = [*own, source_id]
            connection.execute(
                "UPDATE sources SET next_check = ?, next_check_because = ? WHERE id = ? AND failures = 0",
                values,
            )
        connection.execute("UPDATE subscriptions SET own_check = NULL WHERE id = ?", [subscription_id])


def poll_soon(writer: Writer, source_id: int, because: str, now_ms: int) -> int | None:
    """Look at the source's document at once, or ten minutes after it was looked at last; when that is.

    A source that fails is looked at when it would be.
    """
    with translated(writer.path), transaction(writer.connection):
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


def record(writer: Writer, source: SourceKey, look: Pass, received: Received) -> Tally:
    """Record what was pushed, in one transaction. What is known of the source's server is left as it is.

    Nor does the source recover by it, if it fails: that its hub is well says nothing of its server.
    """
    connection = writer.connection
    with writer.telling():
        items, tally = in_order(list(received.items)), Tally()
        for start in range(0, len(items) or 1, MOST_ITEMS):
            some = items[start : start + MOST_ITEMS]
            seeing = look._replace(present=received.present | places_beside(connection, look, some))
            rejected = () if start else received.rejected
            tally += recording.recorded(connection, seeing, source.extraction, some, rejected)
        identity.distrust(connection, look.source_id, received.shared)
        notices.keep_waiting(connection, look, [item.article.uid for item in items[:MOST_ITEMS]])
        passes.note_pass(connection, look, changed=tally.changed)
        conversation.hold(connection, received.holds)
        connection.execute(
            "UPDATE subscriptions SET pushed_at = ?, error = NULL WHERE source_id = ? AND state = 'active'",
            [look.now_ms, look.source_id],
        )
    return tally


def places_beside(connection: sqlite3.Connection, look: Pass, items: Sequence[Item]) -> frozenset[str]:
    """All places of these entries in the source: a push names what is new, and says nothing of what it leaves out."""
    found = set[str]()
    for some in chunks(items):
        names = [stored_path(item.location) for item in some]
        rows = connection.execute(
            "SELECT path FROM locations WHERE source_id = ? AND entry_id IN ("
            f"SELECT entry_id FROM locations WHERE source_id = ? AND path IN ({placeholders(len(names))})"
            f" UNION SELECT id FROM entries WHERE uid IN ({placeholders(len(some))}))",
            [look.source_id, look.source_id, *names, *(item.article.uid for item in some)],
        )
        found |= {loaded_path(path) for (path,) in rows}
    return frozenset(found)


def chunks(items: Sequence[Item]) -> Iterable[Sequence[Item]]:
    return (items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE))
