"""Changes that are kept for now without notice: told when a live blog's half hour is over, or when a flip-flop settles.

Functions within a transaction of the writer's. One row an entry and source: what was told last, and what is newest.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from feedd.decide import LIVE_MS, Hold, Pass
from feedd.model import Kind, Significance
from feedd.store import clock
from feedd.store.batch import INSERT_CHANGE, reasons_of
from feedd.store.database import placeholders
from feedd.store.judging import judged_between

LEAST_LOOKS = 2  # and two more for each turn that was taken: what takes turns by chance stays now and then
MOST_LOOKS = 50
LONGEST_MS = 8 * 86_400_000  # without a turn: what is not looked at any more has settled, too
# A clock that was set back makes nothing wait for longer. Each part has an index, so that a tick looks through none.
DUE = f"(due_at <= :now OR due_at > :now + {LONGEST_MS} OR why = '{Hold.LIVE}' AND due_at > :now + {LIVE_MS})"


# what is told of an entry that was removed waits until it is back
STANDS = "EXISTS (SELECT 1 FROM entries e WHERE e.id = entry_id AND e.removed_at IS NULL)"


class Held(NamedTuple):
    entry_id: int
    source_id: int
    told_id: int  # the revision that was told last
    revision_id: int  # the newest
    hold: Hold


def hold(
    connection: sqlite3.Connection,
    look: Pass,
    entry_id: int,
    told_id: int,
    revision_id: int,
    why: Hold,
    told_ms: int,
) -> None:
    """Keep a change without notice; what was kept so before goes on."""
    found = connection.execute(
        "SELECT flips FROM held_notices WHERE entry_id = ? AND source_id = ?",
        [entry_id, look.source_id],
    ).fetchone()
    flips, due_pass = found[0] if found else 0, None
    if why is Hold.LIVE:
        due_at = told_ms + LIVE_MS
    else:
        flips, due_at = flips + 1, look.now_ms + LONGEST_MS
        due_pass = look.number + min(LEAST_LOOKS + 2 * flips, MOST_LOOKS)
    connection.execute(
        "INSERT INTO held_notices (entry_id, source_id, told_id, revision_id, why, flips, due_at, due_pass)"
        " VALUES (?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET revision_id = excluded.revision_id, why = excluded.why,"
        " flips = excluded.flips, due_at = excluded.due_at, due_pass = excluded.due_pass",
        [entry_id, look.source_id, told_id, revision_id, why, flips, due_at, due_pass],
    )


def go_on(connection: sqlite3.Connection, source_id: int, entry_id: int, revision_id: int) -> None:
    """What is held back of an entry has a newer version, of which there is nothing to tell."""
    connection.execute(
        "UPDATE held_notices SET revision_id = ? WHERE entry_id = ? AND source_id = ?",
        [revision_id, entry_id, source_id],
    )


def drop(connection: sqlite3.Connection, entry_id: int, source_id: int) -> None:
    """What is held back of an entry needs no notice any more."""
    connection.execute("DELETE FROM held_notices WHERE entry_id = ? AND source_id = ?", [entry_id, source_id])


def release_settled(connection: sqlite3.Connection, look: Pass) -> None:
    """Tell what a source's looks have found unchanged for long enough, or whose time has come."""
    release(
        connection,
        f"source_id = :source AND (due_pass <= :number OR {DUE})",
        {"source": look.source_id, "number": look.number, "now": look.now_ms},
        look.now_ms,
    )


def tell_now(connection: sqlite3.Connection, look: Pass, entry_id: int) -> None:
    """Tell what was held back of an entry until now, whatever it waits for."""
    release(
        connection,
        "entry_id = :entry AND source_id = :source",
        {"entry": entry_id, "source": look.source_id},
        look.now_ms,
    )


def keep_waiting(connection: sqlite3.Connection, look: Pass, uids: Sequence[str]) -> None:
    """What takes turns settles by looks that see it: this one saw those articles alone."""
    connection.execute(
        "UPDATE held_notices SET due_pass = due_pass + 1 WHERE source_id = ? AND due_pass IS NOT NULL"
        f" AND entry_id NOT IN (SELECT id FROM entries WHERE uid IN ({placeholders(len(uids))}))",
        [look.source_id, *uids],
    )


def are_due(connection: sqlite3.Connection, now_ms: int) -> bool:
    """Whether the time of anything that is held back has come."""
    due = connection.execute(
        f"SELECT EXISTS (SELECT 1 FROM held_notices WHERE {DUE} AND {STANDS})", {"now": now_ms}
    )
    return bool(due.fetchone()[0])


def release_due(connection: sqlite3.Connection, now_ms: int) -> int:
    """Tell what was held back until now; returns how many changes that were."""
    return release(connection, DUE, {"now": now_ms}, now_ms)


def release(connection: sqlite3.Connection, where: str, values: Mapping[str, object], now_ms: int) -> int:
    rows = connection.execute(
        f"SELECT entry_id, source_id, told_id, revision_id, why FROM held_notices WHERE {where}"
        f" AND {STANDS} LIMIT 500",
        values,
    ).fetchall()
    return sum(tell(connection, Held._make((*row[:4], Hold(row[4]))), now_ms) for row in rows)


def tell(connection: sqlite3.Connection, held: Held, now_ms: int) -> bool:
    """Log what changed since it was told last, if anything did."""
    drop(connection, held.entry_id, held.source_id)
    judged = judged_between(connection, held.told_id, held.revision_id, live=held.hold is Hold.LIVE)
    if judged.level is Significance.NONE or is_told_elsewhere(connection, held):
        return False
    kind = Kind.EDITED if held.hold is Hold.LIVE else Kind.REVERTED
    run = connection.execute
    number, silent = run(
        "SELECT passes, first_pass_at IS NULL FROM sources WHERE id = ?", [held.source_id]
    ).fetchone()
    ids = (held.source_id, held.entry_id, held.revision_id)
    run(INSERT_CHANGE, [kind, now_ms, *ids, number, silent, held.told_id, judged.level, reasons_of(judged)])
    position = clock.arrived(connection, now_ms)
    run(
        "UPDATE entries SET updated = max(updated, ?1), position = ?2, changed_at = ?1 WHERE id = ?3",
        [now_ms, position, held.entry_id],
    )
    run("UPDATE revisions SET position = ? WHERE entry_id = ? AND newest", [position, held.entry_id])
    run(
        "UPDATE sources SET touched = touched + 1, last_changed = ? WHERE id IN"
        " (SELECT source_id FROM revisions WHERE entry_id = ? AND newest)",
        [now_ms, held.entry_id],
    )
    return True


def is_told_elsewhere(connection: sqlite3.Connection, held: Held) -> bool:
    """Whether another source told the same words since this one told what it told last."""
    found = connection.execute(
        "SELECT 1 FROM revisions h JOIN changes c ON c.entry_id = h.entry_id AND c.source_id != h.source_id"
        " JOIN revisions r ON r.id = c.revision_id AND r.title = h.title AND r.fingerprint = h.fingerprint"
        " AND r.links_hash = h.links_hash AND coalesce(r.details, '') = coalesce(h.details, '')"
        " WHERE h.id = ? AND r.id > ?",
        [held.revision_id, held.told_id],
    )
    return found.fetchone() is not None
