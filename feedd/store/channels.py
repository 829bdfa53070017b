"""Channels as the store knows them: which there are, and how their receivers fare. Functions within a transaction of
the writer's, but for what reads.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from feedd.notify.pace import FAILURES_UNTIL_REST, Pace
from feedd.notify.values import Failed
from feedd.quoting import for_everybody
from feedd.store import incidents
from feedd.store.known import StoredKnown
from feedd.store.log import Logged

UNDELIVERED_MS = 3_600_000  # of failing: then the health feed says so
FAILURES_TOLD = 3  # in a row: two may lie on either side of a quiet night
DISABLED = "the channel is disabled: its receiver said that it is gone"
TAKEN_OUT = "the channel was taken out of the configuration"


class Addressee(NamedTuple):
    """A channel of the configuration, as far as it matters for what is queued."""

    name: str
    type: str
    location: str  # as people may see it
    settings: str  # hash of where and how messages go
    wants: Callable[[Logged, StoredKnown], bool]
    pace: Pace = Pace()
    since_ago_ms: int | None = None  # what a new channel is told of the past …
    since_ms: int | None = None  # … from that moment on

    def past_ms(self, now_ms: int) -> int | None:
        """From when on the past is told; None: it is not."""
        return self.since_ms if self.since_ago_ms is None else now_ms - self.since_ago_ms


class State(NamedTuple):
    """How the receiver of a channel fares."""

    id: int
    name: str
    failures: int = 0  # in a row
    failing_since_ms: int | None = None
    resting_until_ms: int | None = None  # since it failed, or asked for it
    disabled_ms: int | None = None
    delivered_ms: int | None = None
    error: str | None = None


class Configured(NamedTuple):
    """What became of the channels of the store under a configuration."""

    ids: dict[str, int]  # by name
    new: tuple[str, ...]
    cancelled: tuple[
        tuple[str, int], ...
    ]  # channels that are no longer there, and how much of theirs was waiting


STATES = (
    "SELECT id, name, failures, failing_since, nullif(max(coalesce(resting_until, 0), coalesce(asked_until, 0)), 0),"
    " disabled_at, delivered_at, error FROM channels"
    " WHERE configured"
)


def places(connection: sqlite3.Connection) -> dict[str, str]:
    """By name: where messages go, as people with a token may see it; also of channels that left the configuration."""
    return dict(connection.execute("SELECT name, location FROM channels"))


def configure(connection: sqlite3.Connection, addressees: Iterable[Addressee], now_ms: int) -> Configured:
    """Bring the channels in line with the configuration; what waits for those that are gone is cancelled."""
    run, ids, new = connection.execute, dict[str, int](), list[str]()
    known = {name: row for name, *row in run("SELECT name, id, configured, settings FROM channels")}
    for each in addressees:
        channel_id, was_there, settings = known.get(each.name, (None, False, None))
        if channel_id is None:
            channel_id = run(
                "INSERT INTO channels (name, type, location, settings, configured, added_at) VALUES (?,?,?,?,1,?)",
                [each.name, each.type, each.location, each.settings, now_ms],
            ).lastrowid
        else:
            run(
                "UPDATE channels SET type = ?, location = ?, settings = ?, configured = 1,"
                " added_at = iif(configured, added_at, ?) WHERE id = ?",
                [each.type, each.location, each.settings, now_ms, channel_id],
            )
            if settings != each.settings or not was_there:
                revive(connection, channel_id, now_ms)
        ids[each.name] = int(channel_id or 0)
        if not was_there:
            new.append(each.name)
    gone = [(name, row[0]) for name, row in known.items() if row[1] and name not in ids]
    cancelled = []
    for name, channel_id in gone:
        run("UPDATE channels SET configured = 0 WHERE id = ?", [channel_id])
        cancelled.append((name, cancel_all(connection, channel_id, TAKEN_OUT, now_ms)))
    return Configured(ids, tuple(new), tuple(cancelled))


def cancel_all(connection: sqlite3.Connection, channel_id: int, why: str, now_ms: int) -> int:
    """Cancel what waits for a channel; returns how many changes that were."""
    (count,) = connection.execute(
        "SELECT count(*) FROM deliveries WHERE channel_id = ? AND status = 'pending' AND change_id IS NOT NULL",
        [channel_id],
    ).fetchone()
    connection.execute(
        "UPDATE deliveries SET status = 'cancelled', done_at = ?, next_attempt = NULL, error = ?"
        " WHERE channel_id = ? AND status = 'pending'",
        [now_ms, why, channel_id],
    )
    return int(count)


def states(connection: sqlite3.Connection) -> dict[str, State]:
    """How the receivers of the configured channels fare, by the channel's name."""
    return {row[1]: State(*row) for row in connection.execute(STATES)}


def revive(connection: sqlite3.Connection, channel_id: int, now_ms: int) -> None:
    """Forget that the receiver failed, or was gone: it is tried anew."""
    connection.execute(
        "UPDATE channels SET failures = 0, failing_since = NULL, resting_until = NULL, asked_until = NULL,"
        " disabled_at = NULL, error = NULL WHERE id = ?",
        [channel_id],
    )
    bring_forward(connection, channel_id, now_ms)
    incidents.close(connection, channel_id, ("undelivered", "disabled", "template"), now_ms, "channel")


def bring_forward(connection: sqlite3.Connection, channel_id: int, now_ms: int) -> None:
    """What was tried in vain need not wait any longer, but for what the receiver wants to have later."""
    connection.execute(
        "UPDATE deliveries SET next_attempt = max(?1, coalesce(not_before, 0)) WHERE channel_id = ?2"
        " AND status = 'pending' AND attempts > 0 AND digest_id IS NULL AND next_attempt > ?1",
        [now_ms, channel_id],
    )


def took(connection: sqlite3.Connection, channel_id: int, now_ms: int) -> None:
    """The receiver took a message. If it had been left alone since it failed, what it missed goes at once."""
    (failures,) = connection.execute("SELECT failures FROM channels WHERE id = ?", [channel_id]).fetchone()
    connection.execute("UPDATE channels SET delivered_at = ? WHERE id = ?", [now_ms, channel_id])
    if failures:
        no_failures(connection, channel_id, now_ms)
    if failures >= FAILURES_UNTIL_REST:
        bring_forward(connection, channel_id, now_ms)


def no_failures(connection: sqlite3.Connection, channel_id: int, now_ms: int) -> None:
    connection.execute(
        "UPDATE channels SET failures = 0, failing_since = NULL, resting_until = NULL, error = NULL WHERE id = ?",
        [channel_id],
    )
    incidents.close(connection, channel_id, ("undelivered",), now_ms, "channel")


def forget_failures(connection: sqlite3.Connection, channel_id: int, now_ms: int) -> None:
    """Where nothing waits any more that was tried in vain, nobody fails."""
    tried = connection.execute(
        "SELECT 1 FROM deliveries WHERE channel_id = ? AND status = 'pending' AND attempts > 0 LIMIT 1",
        [channel_id],
    )
    if tried.fetchone() is None:
        no_failures(connection, channel_id, now_ms)


def refused(
    connection: sqlite3.Connection,
    channel_id: int,
    failed: Failed,
    resting_until_ms: int,
    asked_until_ms: int,
    now_ms: int,
    *,
    counts: bool = True,
) -> None:
    """The receiver did not take a message; 0: it is not left alone for that."""
    connection.execute(
        "UPDATE channels SET failures = failures + ?, failing_since = coalesce(failing_since, ?), error = ?,"
        " resting_until = max(coalesce(resting_until, 0), ?), asked_until = max(coalesce(asked_until, 0), ?)"
        " WHERE id = ?",
        [counts, now_ms, failed.why, resting_until_ms, asked_until_ms, channel_id],
    )
    if failed.gone:
        connection.execute("UPDATE channels SET disabled_at = ? WHERE id = ?", [now_ms, channel_id])
        cancel_all(connection, channel_id, DISABLED, now_ms)
        ((location,),) = connection.execute("SELECT location FROM channels WHERE id = ?", [channel_id])
        why = for_everybody(failed.why, location) or DISABLED
        incidents.report(connection, channel_id, "disabled", why, now_ms, "channel")
    else:
        report_failing(connection, now_ms)


def report_failing(connection: sqlite3.Connection, now_ms: int) -> None:
    """Say in the health feed which channels fail for long: nothing was taken in several attempts, or while they rest."""
    rows = connection.execute(
        "SELECT id, location, error FROM channels WHERE configured AND disabled_at IS NULL AND failing_since <= ?"
        " AND (failures >= ? OR asked_until > ?)",
        [now_ms - UNDELIVERED_MS, FAILURES_TOLD, now_ms],
    ).fetchall()
    for channel_id, location, error in rows:
        why = for_everybody(error, location) or "it fails"
        incidents.report(connection, channel_id, "undelivered", why, now_ms, "channel")


def named(connection: sqlite3.Connection, names: Collection[str]) -> dict[str, tuple[int, bool]]:
    """By name: number, and whether the configuration has it still."""
    rows = connection.execute("SELECT name, id, configured FROM channels")
    return {name: (channel_id, bool(configured)) for name, channel_id, configured in rows if name in names}


def template_failed(connection: sqlite3.Connection, name: str, detail: str, now_ms: int) -> None:
    """A template of the configuration did not make a message; the health feed says so."""
    for channel_id, _ in named(connection, [name]).values():
        incidents.report(connection, channel_id, "template", detail, now_ms, "channel")
