"""What hubs push of our feed sources (WebSub): taken once, in its order, and without a word about the source's server."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from feedd.decide import Pass, in_order, is_late
from feedd.model import Item, Rejected, Tally
from feedd.store import conversation, identity, notices, passes, places, recording, snapshot
from feedd.store.batch import Batch
from feedd.store.database import loaded_path, placeholders, stored_path, translated
from feedd.store.passes import SourceKey
from feedd.store.subscriptions import Subscription, poll_soon
from feedd.store.writer import MOST_ITEMS, Writer

UNDER_WAY_MS = 15 * 60_000  # a push may come so much later than a poll that found the same
BODIES = 32  # pushes by which a repeat is known
AT_ONCE = 500  # SQLite bounds the values of one statement


class Received(NamedTuple):
    """What a push came to, to be recorded."""

    items: Sequence[Item]
    rejected: Sequence[Rejected]
    present: frozenset[str]
    shared: frozenset[str] = frozenset()
    holds: Sequence[tuple[str, int]] = ()
    body: str = ""  # hash of what was pushed


def is_repeat(writer: Writer, row: Subscription, body: str, now_ms: int) -> bool:
    """Whether this very body (its hash) was taken before.

    If something else came between, either the hub is late, or the source says again what it said then: a poll tells.
    """
    with translated(writer.path):
        found = writer.connection.execute(
            "SELECT bodies FROM subscriptions WHERE id = ?", [row.id]
        ).fetchone()
    bodies = json.loads(found[0]) if found else []
    if body not in bodies:
        return False
    if bodies[-1] != body:
        poll_soon(writer, row.source_id, "the hub pushed again what it had pushed before", now_ms)
    return True


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
            timely, late = parted(connection, seeing, source.extraction, some)
            tally += recording.recorded(connection, seeing, source.extraction, timely, rejected)
            tally += record_late(connection, seeing, source.extraction, late)
        identity.distrust(connection, look.source_id, received.shared)
        notices.keep_waiting(connection, look, [item.article.uid for item in items[:MOST_ITEMS]])
        passes.note_pass(connection, look, changed=tally.changed)
        conversation.hold(connection, received.holds)
        note_push(connection, look, received, changed=tally.changed)
    return tally


def note_push(connection: sqlite3.Connection, look: Pass, received: Received, *, changed: bool) -> None:
    """What the push says of its hub; what a poll found just before counts as brought by it."""
    row = connection.execute(
        "SELECT id, bodies, missed_at FROM subscriptions WHERE source_id = ? AND state NOT IN ('denied', 'ending')",
        [look.source_id],
    ).fetchone()
    if row is None:
        return
    subscription_id, bodies, missed_ms = row
    crossed = missed_ms is not None and look.now_ms - missed_ms < UNDER_WAY_MS and bool(received.present)
    brought = changed or crossed
    known = [each for each in json.loads(bodies) if each != received.body]
    connection.execute(
        "UPDATE subscriptions SET pushed_at = ?, bodies = ?, brought_at = iif(?, ?, brought_at),"
        " missed_at = iif(?, NULL, missed_at), error = iif(? OR missed_at IS NULL, NULL, error) WHERE id = ?",
        [look.now_ms, json.dumps([*known, received.body][-BODIES:]), brought, look.now_ms, brought, brought]
        + [subscription_id],
    )


def parted(
    connection: sqlite3.Connection, look: Pass, extraction: str, items: Sequence[Item]
) -> tuple[list[Item], list[Item]]:
    """The items that may be news, and those that are late: their places hold what states a later time.

    Pushes may overtake one another, as nothing that is fetched does.
    """
    items_named = identity.named(connection, look, items)
    there = places.held(connection, look, extraction, items_named)
    identified = identity.identify(connection, look, items_named, there).items
    stored = snapshot.load(connection, look, extraction, identified, there)
    timely, late = list[Item](), list[Item]()
    for item, same in zip(items, identified, strict=True):
        entry = stored.entries.get(same.article.uid)
        held = stored.held(same, entry) if entry is not None and not entry.state.removed else None
        if held is not None and is_late(same, held):
            late.append(same)
        else:
            timely.append(item)
    return timely, late


def record_late(connection: sqlite3.Connection, look: Pass, extraction: str, items: Sequence[Item]) -> Tally:
    """Keep these in the history of their entries, if they are not known: told to nobody, and shown in no feed."""
    if not items:
        return Tally()
    # where they stand is no matter
    stored = snapshot.load(connection, look, extraction, items, {})
    batch = Batch(connection, look, extraction)
    for item in in_order(list(items)):
        recording.record_superseded(batch, stored.entries[item.article.uid], item)
    batch.flush()
    if batch.wrote:
        recording.count_entries(connection, look.source_id, batch.gained)
    return Tally(duplicates=len(items))


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
