"""What was decided on items becomes rows. Functions within a transaction of the writer's."""

import sqlite3
from collections.abc import Iterable, Sequence

from feedd.decide import DUPLICATE, Pass, Verdict, after, decide, in_order, parted, superseded, tally_field
from feedd.model import COUNTS, Item, Kind, Rejected, Tally
from feedd.store import notices, places, proposals, snapshot
from feedd.store.batch import Batch
from feedd.store.database import placeholders, stored_path
from feedd.store.identity import identify, named, note_aliases, part
from feedd.store.snapshot import Snapshot, StoredEntry
from feedd.store.unchanged import sort_out

AT_ONCE = 500  # SQLite bounds the values of one statement


def recorded(
    connection: sqlite3.Connection,
    look: Pass,
    extraction: str,
    items: Sequence[Item],
    rejected: Sequence[Rejected],
) -> Tally:
    counts = dict.fromkeys(COUNTS, 0)
    items_named = named(connection, look, items)
    there = places.held(connection, look, extraction, items_named)
    found = sort_out(items_named, there)
    standing = [each.item for each in found.unchanged]
    identified = identify(connection, look, found.other, there, standing)
    # what stands, but turns out to be the entry that others are, too, is decided on together with them
    concerned = {item.article.uid for item in identified.items}
    to_decide = identified.items + [item for item in standing if item.article.uid in concerned]
    counts["duplicates"] = len(items) - len(to_decide)
    batch = Batch(connection, look, extraction)
    for each in found.unchanged:
        if each.moved and each.item.article.uid not in concerned:
            batch.locate(each.item, each.entry_id, each.revision_id)
    part(connection, identified)
    stored = snapshot.load(connection, look, extraction, to_decide, there, identified.new)
    held, older = parted(in_order(to_decide))
    for item in held:
        counts[record_item(batch, stored, item)] += 1
    for item in older:
        counts[record_superseded(batch, stored.entries[item.article.uid], item)] += 1
    batch.flush()
    note_aliases(connection, identified)
    note_rejected(connection, look.source_id, rejected)
    if batch.wrote:
        count_entries(connection, look.source_id, batch.gained)
    return Tally(**counts, rejected=tuple(rejected))


def record_item(batch: Batch, stored: Snapshot, item: Item) -> str:
    """Decide on one item, add its rows, and return the count it goes into."""
    connection, look, judge, uid = batch.connection, batch.look, batch.judge, item.article.uid
    entry = stored.entries.get(uid)
    if entry is None:
        entry = stored.entries[uid] = batch.add_entry(item)
        verdict = decide(item, None, entry.state, look, judge)
        revision_id = batch.add_revision(entry, item, verdict, newest=True)
        batch.log(verdict, entry, revision_id)
    else:
        batch.flush_before_judging(entry)
        held = stored.held(item, entry)
        verdict = decide(item, held, entry.state, look, judge)
        if verdict is DUPLICATE:
            for version in (entry.state.newest, held):
                if version is not None and version.content_hash == item.article.content_hash:
                    batch.restamp(version, item)
            if item.follows:
                batch.readdress(entry, item)
        known = entry.state.hashes.get(item.article.content_hash, 0)
        revision_id = batch.revise(entry, item, verdict) if verdict.keeps_revision else known
        if verdict.keeps_revision or verdict.kind is not None:
            batch.update_entry(entry, item, verdict, revision_id)
        hold_back(connection, entry, verdict, look, revision_id)
        if verdict.keeps_revision and verdict.kind is not None:
            proposals.propose(connection, look, entry.id)
        if verdict.kind is not None and verdict.hold is None:
            count_holders(connection, entry.id, +1 if verdict.kind is Kind.RESTORED else 0)
    batch.locate(item, entry.id, revision_id)
    if uid in stored.several:  # of all others, nobody asks any more
        after(entry.state, item, verdict, look, revision_id)
    return tally_field(verdict)


def hold_back(
    connection: sqlite3.Connection,
    entry: StoredEntry,
    verdict: Verdict,
    look: Pass,
    revision_id: int,
) -> None:
    """Note what is kept without notice, and that it needs none any more."""
    if verdict.tells_held and entry.state.told_from is not None:
        notices.tell_now(connection, look, entry.id)
        return
    told_from = entry.state.told_from or verdict.previous
    if verdict.hold is not None and told_from is not None:
        told_id, told_ms = told_from.revision_id, entry.state.told_ms
        notices.hold(connection, look, entry.id, told_id, revision_id, verdict.hold, told_ms)
    elif entry.state.told_from is not None and verdict.releases:
        notices.drop(connection, entry.id, look.source_id)
    elif entry.state.told_from is not None and verdict.keeps_revision and verdict.newest:
        notices.go_on(connection, look.source_id, entry.id, revision_id)


def record_superseded(batch: Batch, entry: StoredEntry, item: Item) -> str:
    """Keep an older version that stands in the same document, if it is not known; returns the count it goes into."""
    batch.flush_before_judging(entry)
    verdict = superseded(item, entry.state, batch.judge)
    revision_id = 0
    if verdict.keeps_revision:
        revision_id = batch.revise(entry, item, verdict)
        batch.update_entry(entry, item, verdict, revision_id)
    after(entry.state, item, verdict, batch.look, revision_id)
    return tally_field(verdict)


def note_rejected(connection: sqlite3.Connection, source_id: int, rejected: Iterable[Rejected]) -> None:
    connection.executemany(
        "INSERT INTO locations (source_id, path, size, mtime_ns, inode, rejected, seen) VALUES (?,?,?,?,?,?,?)"
        " ON CONFLICT DO UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns, inode = excluded.inode,"
        " rejected = excluded.rejected, seen = coalesce(excluded.seen, seen)",
        [
            (source_id, stored_path(each.location or each.where), *(each.stamp or (None, None, None)))
            + (each.reason, each.seen)
            for each in rejected
        ],
    )


def forget_rejected(connection: sqlite3.Connection, source_id: int) -> None:
    """What a document rejected before is not what it rejects now; but what was read to be left out stays so."""
    chosen = "source_id = ? AND rejected IS NOT NULL AND seen IS NULL"
    connection.execute(f"DELETE FROM locations WHERE {chosen} AND entry_id IS NULL", [source_id])
    connection.execute(f"UPDATE locations SET rejected = NULL WHERE {chosen}", [source_id])


def count_entries(connection: sqlite3.Connection, source_id: int, step: int) -> None:
    connection.execute(
        "UPDATE sources SET entries = entries + ?, touched = touched + 1 WHERE id = ?", [step, source_id]
    )


def count_holders(connection: sqlite3.Connection, entry_id: int, step: int) -> None:
    """Count an entry in or out of every source that has a version of it, and tell their feeds."""
    connection.execute(
        "UPDATE sources SET entries = entries + ?, touched = touched + 1 WHERE id IN"
        " (SELECT source_id FROM revisions WHERE entry_id = ? AND newest)",
        [step, entry_id],
    )


def only_held_by(connection: sqlite3.Connection, source_id: int, gone: Sequence[str]) -> list[int]:
    """The entries, not yet removed, that have no location but those in `gone`."""
    losing: dict[int, int] = {}
    for start in range(0, len(gone), AT_ONCE):
        paths = [stored_path(path) for path in gone[start : start + AT_ONCE]]
        for (entry_id,) in connection.execute(
            "SELECT entry_id FROM locations WHERE source_id = ? AND entry_id IS NOT NULL"
            f" AND path IN ({placeholders(len(paths))})",
            [source_id, *paths],
        ):
            losing[entry_id] = losing.get(entry_id, 0) + 1
    held = connection.execute
    return [
        entry_id
        for entry_id, count in losing.items()
        if held("SELECT count(*) FROM locations WHERE entry_id = ?", [entry_id]).fetchone()[0] == count
        and held("SELECT removed_at IS NULL FROM entries WHERE id = ?", [entry_id]).fetchone()[0]
    ]


def removed(connection: sqlite3.Connection, look: Pass, gone: Sequence[str], doomed: Sequence[int]) -> None:
    """Forget these locations, and take away the entries that nothing holds any more."""
    connection.executemany(
        "DELETE FROM locations WHERE source_id = ? AND path = ?",
        [(look.source_id, stored_path(path)) for path in gone],
    )
    batch = Batch(connection, look, "")
    for entry_id in doomed:
        connection.execute("UPDATE entries SET removed_at = ? WHERE id = ?", [look.now_ms, entry_id])
        count_holders(connection, entry_id, -1)
        batch.log_change(Kind.REMOVED, entry_id, None)
    batch.flush()
