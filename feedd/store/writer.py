"""All that is written: a pass over a source from its beginning to its end, one transaction a batch."""

import os
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from feedd.decide import Pass, Removals, after, decide, in_order, is_suspicious, tally_field
from feedd.errors import NotAStore, RemovalsHeld, StoreReadOnly
from feedd.model import COUNTS, Item, Kind, Rejected, Stamp, Tally
from feedd.schedule import Due
from feedd.store import schema, snapshot
from feedd.store.batch import Batch
from feedd.store.database import (
    connect,
    connect_to_read,
    loaded_path,
    placeholders,
    stored_path,
    transaction,
    translated,
)

AT_ONCE = 500  # SQLite bounds the values of one statement

Known = dict[str, tuple[int | None, int | None, int | None]]  # path → size, mtime_ns, inode


def known_by_path(rows: Iterable[tuple[Any, ...]]) -> Known:
    return {loaded_path(path): (size, mtime_ns, inode) for path, size, mtime_ns, inode in rows}


class SourceKey(NamedTuple):
    """What the store needs to know of a source of the configuration."""

    name: str
    type: str
    location: str
    extraction: str
    selection: str


class Started(NamedTuple):
    """A pass that was begun."""

    look: Pass
    reselected: bool  # another set of files was chosen than last time
    entries: int  # that the source held
    listing: bytes | None  # digest of the folder when nothing in it was left to be read


class Writer:
    """Owns the writing connection; belongs to the thread that makes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            is_there = path.exists() and path.stat().st_size > 0
        except OSError as error:
            raise StoreReadOnly(f"{path}: can't be reached: {os.strerror(error.errno or 0)}") from error
        if path.is_dir():
            raise NotAStore(f"{path}: is a folder; name a file in store.path")
        if is_there and not os.access(
            path, os.W_OK
        ):  # SQLite would leave files behind that can't be written, too
            raise StoreReadOnly(
                f"{path}: the database can't be written; check the owner and mode of the file"
            )
        if is_there:
            with closing(connect_to_read(path)) as reader:
                schema.check(reader, path)
        self.connection = connect(path)
        try:
            schema.migrate(self.connection, path)
        except BaseException:
            self.connection.close()
            raise

    def close(self) -> None:
        self.checkpoint()
        self.connection.close()

    def configure(self, sources: Sequence[SourceKey], feeds: Iterable[tuple[str, str]], now_ms: int) -> None:
        """Bring the tables of sources and feeds in line with the configuration."""
        with translated(self.path), transaction(self.connection):
            run = self.connection.execute
            run("UPDATE sources SET configured = 0")
            for source in sources:
                run(
                    "INSERT INTO sources (name, type, location, extraction, selection, configured) VALUES (?,?,?,?,?,1)"
                    " ON CONFLICT (name) DO UPDATE SET type = excluded.type, location = excluded.location,"
                    " configured = 1",
                    source,
                )
            for name, settings in feeds:
                run(
                    "INSERT INTO feeds VALUES (?,?,?) ON CONFLICT (name) DO UPDATE SET settings = excluded.settings,"
                    " configured_at = excluded.configured_at WHERE settings != excluded.settings",
                    [name, settings, now_ms],
                )

    def begin(self, source: SourceKey, now_ms: int) -> Started:
        with translated(self.path):
            source_id, passes, first_pass_at, extraction, selection, entries, listing = (
                self.connection.execute(
                    "SELECT id, passes, first_pass_at, extraction, selection, entries, listing FROM sources"
                    " WHERE name = ?",
                    [source.name],
                ).fetchone()
            )
        look = Pass(
            source_id, passes + 1, first_pass_at is None, now_ms, rebase=extraction != source.extraction
        )
        return Started(look, selection != source.selection, entries, listing)

    def forget_listing(self, source_id: int) -> None:
        """From here on until a whole pass is finished, the folder may hold what was not read."""
        with translated(self.path):
            self.connection.execute(
                "UPDATE sources SET listing = NULL WHERE id = ? AND listing IS NOT NULL", [source_id]
            )

    def stamps(self, source_id: int) -> Known:
        """What `stat` said of each file that is known, when it was read."""
        with translated(self.path):
            rows = self.connection.execute(
                "SELECT path, size, mtime_ns, inode FROM locations WHERE source_id = ?", [source_id]
            )
            return known_by_path(rows)

    def stamps_of(self, source_id: int, paths: Sequence[str]) -> Known:
        """As `stamps`, of these files alone."""
        known: Known = {}
        with translated(self.path):
            for start in range(0, len(paths), AT_ONCE):
                some = [stored_path(path) for path in paths[start : start + AT_ONCE]]
                rows = self.connection.execute(
                    "SELECT path, size, mtime_ns, inode FROM locations"
                    f" WHERE source_id = ? AND path IN ({placeholders(len(some))})",
                    [source_id, *some],
                )
                known |= known_by_path(rows)
        return known

    def holds_below(self, name: str, folder: str) -> bool:
        """Whether the source of that name knows files below a folder."""
        first, beyond = stored_path(f"{folder}/"), stored_path(f"{folder}0")  # "0" comes next after "/"
        with translated(self.path):
            found = self.connection.execute(
                "SELECT 1 FROM locations WHERE source_id = (SELECT id FROM sources WHERE name = ?)"
                " AND path >= ? AND path < ? LIMIT 1",
                [name, first, beyond],
            ).fetchone()
        return found is not None

    def rejected(self, source_id: int) -> list[Rejected]:
        """The files that were refused when they were read last."""
        with translated(self.path):
            rows = self.connection.execute(
                "SELECT path, rejected, size, mtime_ns, inode FROM locations"
                " WHERE source_id = ? AND rejected IS NOT NULL ORDER BY path",
                [source_id],
            ).fetchall()
        return [
            Rejected(loaded_path(path), reason, None if stamp[0] is None else Stamp(*stamp))
            for path, reason, *stamp in rows
        ]

    def record(
        self, look: Pass, extraction: str, items: Sequence[Item], rejected: Sequence[Rejected]
    ) -> Tally:
        """Decide on a batch and store what was decided, in one transaction. Raises StoreError."""
        counts = dict.fromkeys(COUNTS, 0)
        with translated(self.path), transaction(self.connection):
            stored = snapshot.load(self.connection, look, extraction, items)
            batch = Batch(self.connection, look, extraction)
            for item in in_order(list(items)):
                counts[self.record_item(batch, stored, item)] += 1
            batch.flush()
            self.note_rejected(look.source_id, rejected)
            if batch.wrote:
                self.count_entries(look.source_id, batch.gained)
        return Tally(**counts, rejected=tuple(rejected))

    def record_item(self, batch: Batch, stored: snapshot.Snapshot, item: Item) -> str:
        """Decide on one item, add its rows, and return the count it goes into."""
        look, uid = batch.look, item.article.uid
        entry = stored.entries.get(uid)
        if entry is None:
            entry = snapshot.StoredEntry(0)
            verdict = decide(item, None, entry.state, look)
            entry = stored.entries[uid] = batch.add_entry(item, verdict)
            revision_id = batch.next_revision - 1
            batch.log(Kind.ADDED, entry.id, revision_id)
        else:
            verdict = decide(item, stored.held(item, entry), entry.state, look)
            known = entry.state.hashes.get(item.article.content_hash, 0)
            revision_id = batch.revise(entry, item, verdict) if verdict.keeps_revision else known
            if verdict.keeps_revision or verdict.kind is not None:
                batch.update_entry(entry, item, verdict, revision_id)
            if verdict.kind is not None:
                self.count_holders(entry.id, +1 if verdict.kind is Kind.RESTORED else 0)
        batch.locate(item, entry.id, revision_id)
        after(entry.state, item, verdict, look, revision_id)
        return tally_field(verdict)

    def note_rejected(self, source_id: int, rejected: Iterable[Rejected]) -> None:
        self.connection.executemany(
            "INSERT INTO locations (source_id, path, size, mtime_ns, inode, rejected) VALUES (?,?,?,?,?,?)"
            " ON CONFLICT DO UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns, inode = excluded.inode,"
            " rejected = excluded.rejected",
            [
                (source_id, stored_path(each.where), *(each.stamp or (None, None, None)), each.reason)
                for each in rejected
            ],
        )

    def count_entries(self, source_id: int, step: int) -> None:
        self.connection.execute(
            "UPDATE sources SET entries = entries + ?, touched = touched + 1 WHERE id = ?", [step, source_id]
        )

    def count_holders(self, entry_id: int, step: int) -> None:
        """Count an entry in or out of every source that has a version of it, and tell their feeds."""
        self.connection.execute(
            "UPDATE sources SET entries = entries + ?, touched = touched + 1 WHERE id IN"
            " (SELECT source_id FROM revisions WHERE entry_id = ? AND newest)",
            [step, entry_id],
        )

    def remove(self, look: Pass, gone: Sequence[str], *, accept: bool, reselected: bool, holds: int) -> int:
        """Forget locations that are gone; entries that no location holds any more are removed; returns how many.

        Raises RemovalsHeld, and changes nothing, where that many removals at once are likelier a fault.
        """
        with translated(self.path), transaction(self.connection):
            doomed = self.only_held_by(look.source_id, gone)
            suspicious = is_suspicious(Removals(len(doomed), holds)) or (reselected and bool(doomed))
            if suspicious and not accept:
                why = "its path, include or exclude changed, and " if reselected else ""
                raise RemovalsHeld(
                    f"{why}{len(doomed)} of {holds} entries are gone at once: nothing was removed. If that is meant,"
                    " run: feedd update NAME --accept-removals"
                )
            self.connection.executemany(
                "DELETE FROM locations WHERE source_id = ? AND path = ?",
                [(look.source_id, stored_path(path)) for path in gone],
            )
            batch = Batch(self.connection, look, "")
            for entry_id in doomed:
                self.connection.execute(
                    "UPDATE entries SET removed_at = ? WHERE id = ?", [look.now_ms, entry_id]
                )
                self.count_holders(entry_id, -1)
                batch.log(Kind.REMOVED, entry_id, None)
            batch.flush()
        return len(doomed)

    def only_held_by(self, source_id: int, gone: Sequence[str]) -> list[int]:
        """The entries, not yet removed, that have no location but those in `gone`."""
        losing: dict[int, int] = {}
        for start in range(0, len(gone), AT_ONCE):
            paths = [stored_path(path) for path in gone[start : start + AT_ONCE]]
            for (entry_id,) in self.connection.execute(
                "SELECT entry_id FROM locations WHERE source_id = ? AND entry_id IS NOT NULL"
                f" AND path IN ({placeholders(len(paths))})",
                [source_id, *paths],
            ):
                losing[entry_id] = losing.get(entry_id, 0) + 1
        held = self.connection.execute
        return [
            entry_id
            for entry_id, count in losing.items()
            if held("SELECT count(*) FROM locations WHERE entry_id = ?", [entry_id]).fetchone()[0] == count
            and held("SELECT removed_at IS NULL FROM entries WHERE id = ?", [entry_id]).fetchone()[0]
        ]

    def finish(
        self, source: SourceKey, look: Pass, due: Due, *, changed: bool, listing: bytes | None
    ) -> None:
        """Close a pass over all that the source holds. One that had failed has recovered."""
        with translated(self.path), transaction(self.connection):
            run = self.connection.execute
            (failures,) = run("SELECT failures FROM sources WHERE id = ?", [look.source_id]).fetchone()
            self.note_pass(look, changed=changed)
            run(
                "UPDATE sources SET last_checked = ?, next_check = ?, next_check_because = ?, failures = 0, error = NULL,"
                " extraction = ?, selection = ?, listing = ?, first_pass_at = coalesce(first_pass_at, ?) WHERE id = ?",
                [look.now_ms, due.at_ms, due.because, source.extraction, source.selection, listing]
                + [look.now_ms, look.source_id],
            )
            if failures:
                self.log_source(Kind.SOURCE_RECOVERED, look, None)

    def finish_part(self, look: Pass, *, changed: bool) -> None:
        """Close a look at some files: it says nothing of the source as a whole."""
        with translated(self.path), transaction(self.connection):
            self.note_pass(look, changed=changed)

    def note_pass(self, look: Pass, *, changed: bool) -> None:
        self.connection.execute(
            "UPDATE sources SET passes = ?, last_changed = iif(?, ?, last_changed) WHERE id = ?",
            [look.number, changed, look.now_ms, look.source_id],
        )

    def fail(self, look: Pass, error: str, due: Due) -> None:
        """Note that a pass failed; what the source holds stays."""
        with translated(self.path), transaction(self.connection):
            run = self.connection.execute
            (failures,) = run("SELECT failures FROM sources WHERE id = ?", [look.source_id]).fetchone()
            run(
                "UPDATE sources SET last_checked = ?, next_check = ?, next_check_because = ?, failures = ?, error = ?,"
                " passes = iif(first_pass_at IS NULL, passes, ?) WHERE id = ?",
                [look.now_ms, due.at_ms, due.because, failures + 1, error, look.number, look.source_id],
            )
            if not failures:
                self.log_source(Kind.SOURCE_FAILING, look, error)

    def log_source(self, kind: Kind, look: Pass, detail: str | None) -> None:
        self.connection.execute(
            "INSERT INTO changes (kind, at, source_id, pass, silent, detail) VALUES (?,?,?,?,?,?)",
            [kind, look.now_ms, look.source_id, look.number, look.first, detail],
        )

    def due(self, now_ms: int) -> list[str]:
        """The names of the configured sources whose time has come."""
        with translated(self.path):
            rows = self.connection.execute(
                "SELECT name FROM sources WHERE configured AND (next_check IS NULL OR next_check <= ?)"
                " ORDER BY next_check",
                [now_ms],
            )
            return [name for (name,) in rows]

    def next_check(self, name: str) -> Due | None:
        """When the source is to be looked at next, if that was decided."""
        with translated(self.path):
            at_ms, because = self.connection.execute(
                "SELECT next_check, next_check_because FROM sources WHERE name = ?", [name]
            ).fetchone()
        return None if at_ms is None else Due(at_ms, because or "")

    def checkpoint(self) -> None:
        """Bring the write-ahead log back into the database, so that it does not stay large."""
        try:
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error:  # a reader is at work: the next one does it
            return
