"""All that is written: a pass over a source from its beginning to its end, one transaction a batch."""

import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from feedd.decide import Pass, Removals, in_order, is_suspicious
from feedd.errors import NotAStore, RemovalsHeld, StoreReadOnly
from feedd.model import Item, Kind, Rejected, Stamp, Tally
from feedd.schedule import Due
from feedd.store import (
    channels,
    clock,
    conversation,
    files,
    identity,
    incidents,
    log,
    looks,
    notices,
    outbox,
    passes,
    recording,
    schema,
)
from feedd.store.bell import Bell
from feedd.store.channels import Addressee
from feedd.store.database import (
    connect,
    loaded_path,
    placeholders,
    stored_path,
    transaction,
    translated,
)
from feedd.store.outbox import Addressees
from feedd.store.passes import CONFIGURE_SOURCE, TAKE_OUT_SOURCES, Check, Failure, SourceKey, Started, Window
from feedd.store.upgrade import upgrade

Result = TypeVar("Result")
AT_ONCE = 500  # SQLite bounds the values of one statement
MOST_ITEMS = 5_000  # of a document, that are recorded together
# By `sources_due`, and no further in it than sources are due: with OR in place of UNION, all would be looked through.
ARE_LOOKED_AT = "configured = 1 AND paused IS NULL AND paused_by IS NULL"
DUE_SOURCES = (
    f"SELECT name FROM (SELECT name FROM sources WHERE {ARE_LOOKED_AT} AND next_check IS NULL LIMIT ?) UNION ALL"
    f" SELECT name FROM (SELECT name FROM sources WHERE {ARE_LOOKED_AT} AND next_check <= ? ORDER BY next_check LIMIT ?)"
    " LIMIT ?"
)

Known = dict[str, tuple[int | None, int | None, int | None]]  # path → size, mtime_ns, inode


def known_by_path(rows: Iterable[tuple[Any, ...]]) -> Known:
    return {loaded_path(path): (size, mtime_ns, inode) for path, size, mtime_ns, inode in rows}


class Writer:
    """Owns the writing connection; belongs to the thread that makes it."""

    def __init__(self, path: Path, bell: Bell | None = None) -> None:
        self.path = path
        self.bell = bell or Bell()
        self.addressees = Addressees()
        self.ledger = looks.Ledger()
        self.clock_ms = 0  # what it showed when it was asked last what is due; 0: not yet
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
            upgrade(path)
        self.connection = connect(path)
        try:
            schema.take_steps(self.connection, path)
        except BaseException:
            self.connection.close()
            raise
        self.files = files.of(path)

    def close(self) -> None:
        files.rescue(self.connection, self.path, self.files)
        self.checkpoint()
        self.connection.close()

    @contextmanager
    def telling(self) -> Iterator[None]:
        """A transaction; what it logs is queued in it for those who are to be told."""
        files.check(self.path, self.files)
        with translated(self.path), transaction(self.connection):
            last_id = log.newest_id(self.connection)
            yield
            if has_grown := log.newest_id(self.connection) > last_id:
                outbox.queue(self.connection, self.addressees, last_id, time.time_ns() // 1_000_000)
        if has_grown:
            self.bell.ring()

    def within(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Do some writing of others in one transaction: of what is no pass over a source."""
        files.check(self.path, self.files)
        with translated(self.path), transaction(self.connection):
            return work(self.connection)

    def configure(
        self,
        sources: Sequence[SourceKey],
        feeds: Iterable[tuple[str, str]],
        now_ms: int,
        addressees: Sequence[Addressee] = (),
        priorities: Mapping[str, int] | None = None,
    ) -> Sequence[tuple[str, int]]:
        """Bring the tables of sources, feeds and channels in line with the configuration.

        Returns the channels that are no longer there, and how many deliveries were cancelled with each.
        """
        with translated(self.path), transaction(self.connection):
            run = self.connection.execute
            run(TAKE_OUT_SOURCES, [json.dumps([source.name for source in sources])])
            self.connection.executemany(CONFIGURE_SOURCE, (source[:7] for source in sources))
            told = channels.configure(self.connection, addressees, now_ms)
            incidents.close_all(self.connection, now_ms)
            for name, settings in feeds:
                run(
                    "INSERT INTO feeds VALUES (?,?,?) ON CONFLICT (name) DO UPDATE SET settings = excluded.settings,"
                    " configured_at = excluded.configured_at WHERE settings != excluded.settings",
                    [name, settings, now_ms],
                )
            by_number = {told.ids[each.name]: each for each in addressees}
            self.addressees = Addressees(by_number, priorities or {})
            for each in addressees:
                if each.name in told.new and (since_ms := each.past_ms(now_ms)) is not None:
                    outbox.queue_past(self.connection, self.addressees, told.ids[each.name], since_ms, now_ms)
        return told.cancelled

    def begin(self, source: SourceKey, now_ms: int) -> Started:
        with translated(self.path):
            source_id, number, first_pass_at, extraction, selection, entries, listing, failures = (
                self.connection.execute(
                    "SELECT id, passes, first_pass_at, extraction, selection, entries, listing, failures FROM sources"
                    " WHERE name = ?",
                    [source.name],
                ).fetchone()
            )
            said = conversation.load(self.connection, source_id)
            holds = tuple(conversation.holds(self.connection, now_ms))
        self.ledger.begin(source_id)
        look = Pass(
            source_id, number + 1, first_pass_at is None, now_ms, rebase=extraction != source.extraction
        )
        return Started(look, selection != source.selection, entries, listing, failures, said, holds)

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
        with self.telling():
            tally = recording.recorded(self.connection, look, extraction, items, rejected)
        self.ledger.add(look.source_id, tally, looks.size_of(items))
        return tally

    def remove(self, look: Pass, gone: Sequence[str], *, accept: bool, reselected: bool, holds: int) -> int:
        """Forget locations that are gone; entries that no location holds any more are removed; returns how many.

        Raises RemovalsHeld, and changes nothing, where that many removals at once are likelier a fault.
        """
        with self.telling():
            doomed = recording.only_held_by(self.connection, look.source_id, gone)
            suspicious = is_suspicious(Removals(len(doomed), holds)) or (reselected and bool(doomed))
            if suspicious and not accept:
                why = "its path, include or exclude changed, and " if reselected else ""
                raise RemovalsHeld(
                    f"{why}{len(doomed)} of {holds} entries are gone at once: nothing was removed. If that is meant,"
                    " run: feedd update NAME --accept-removals"
                )
            recording.removed(self.connection, look, gone, doomed)
        self.ledger.add(look.source_id, Tally(removed=len(doomed)))
        return len(doomed)

    def finish(
        self, source: SourceKey, look: Pass, due: Due, *, changed: bool, listing: bytes | None
    ) -> None:
        """Close a pass over all that the source holds. One that had failed has recovered."""
        with self.telling():
            passes.finished(self.connection, source, look, due, changed=changed, listing=listing)
            self.ledger.close(self.connection, look)

    def close_window(self, source: SourceKey, look: Pass, window: Window) -> Tally:
        """Record what a look at a part of a source found, and close the pass, in one transaction."""
        with self.telling():
            if window.items or window.rejected is not None:
                recording.forget_rejected(self.connection, look.source_id)
            tally = Tally()
            items, rejected = in_order(list(window.items)), window.rejected or ()
            for start in range(0, len(items) or 1, MOST_ITEMS):
                some = items[start : start + MOST_ITEMS]
                tally += recording.recorded(
                    self.connection, look, source.extraction, some, () if start else rejected
                )
            identity.distrust(self.connection, look.source_id, window.shared)
            if window.partial:
                notices.keep_waiting(self.connection, look, [item.article.uid for item in items])
            changed, unfinished = tally.changed, window.unfinished
            passes.finished(
                self.connection,
                source,
                look,
                window.due,
                changed=changed,
                listing=None,
                unfinished=unfinished,
            )
            if window.moved:
                detail = f"the server moved it for good, to {window.conversation.address}"
                incidents.report(self.connection, look.source_id, "moved", detail, look.now_ms)
                incidents.close(self.connection, look.source_id, ("moved",), look.now_ms)
                passes.log_source(self.connection, Kind.SOURCE_MOVED, look, detail)
            conversation.save(self.connection, look.source_id, window.conversation)
            conversation.hold(self.connection, window.holds)
            self.ledger.add(look.source_id, tally, looks.size_of(items))
            self.ledger.close(self.connection, look, received=window.received)
        return tally

    def finish_part(self, look: Pass, *, changed: bool) -> None:
        """Close a look at some files: it says nothing of the source as a whole."""
        with self.telling():
            notices.keep_waiting(self.connection, look, ())
            passes.note_pass(self.connection, look, changed=changed)
            self.ledger.close(self.connection, look)

    def fail(self, source: SourceKey, look: Pass, failure: Failure) -> None:
        """Note that a pass failed; what the source holds stays."""
        with self.telling():
            run, error = self.connection.execute, failure.error
            (failures,) = run("SELECT failures FROM sources WHERE id = ?", [look.source_id]).fetchone()
            run(
                "UPDATE sources SET last_checked = ?, next_check = ?, next_check_because = ?, failures = ?, error = ?,"
                " passes = iif(first_pass_at IS NULL, passes, ?) WHERE id = ?",
                [look.now_ms, failure.due.at_ms, failure.due.because, failures + 1, error]
                + [look.number, look.source_id],
            )
            if failure.conversation is not None:
                conversation.save(self.connection, look.source_id, failure.conversation)
            conversation.hold(self.connection, failure.holds)
            if failure.gone:
                held = recording.only_held_by(self.connection, look.source_id, [""])
                recording.removed(self.connection, look, [""], held)
            if failure.kind != "failing" or failures + 1 >= source.failing_after:
                passes.tell_failure(self.connection, look, failure)
            self.ledger.close(self.connection, look, error, failure.received)

    def release(self, now_ms: int) -> int:
        """Tell what was held back until now; returns how many changes that were."""
        with translated(self.path):
            if not notices.are_due(self.connection, now_ms):
                return 0
        with self.telling():
            return notices.release_due(self.connection, now_ms)

    def postpone(self, source: SourceKey, due: Due) -> None:
        """Look at the source at another time, for another reason."""
        with translated(self.path):
            self.connection.execute(
                "UPDATE sources SET next_check = ?, next_check_because = ? WHERE name = ?",
                [*due, source.name],
            )

    def spread(self, dues: Iterable[tuple[str, int]]) -> None:
        """Set when these sources are looked at next."""
        with translated(self.path), transaction(self.connection):
            self.connection.executemany(
                "UPDATE sources SET next_check = ? WHERE name = ?", [(at_ms, name) for name, at_ms in dues]
            )

    def seen(self, source_id: int, extraction: str) -> dict[str, tuple[bytes | None, bool]]:
        """What each location of a source said when it was read last, hashed; and whether that was an article, read
        under these settings.
        """
        with translated(self.path):
            rows = self.connection.execute(
                "SELECT l.path, l.seen, r.extraction IS ? FROM locations l LEFT JOIN revisions r ON r.id = l.revision_id"
                " WHERE l.source_id = ? AND (l.seen IS NOT NULL OR l.entry_id IS NOT NULL)",
                [extraction, source_id],
            )
            return {loaded_path(path): (seen, bool(whole)) for path, seen, whole in rows}

    def newest_times(self, source_id: int, limit: int = 100) -> list[int]:
        """When the newest entries of a source were published, as far as they say."""
        with translated(self.path):
            rows = self.connection.execute(
                "SELECT e.published FROM revisions r JOIN entries e ON e.id = r.entry_id"
                " WHERE r.source_id = ? AND r.newest AND NOT e.date_guessed ORDER BY r.position DESC LIMIT ?",
                [source_id, limit],
            )
            return [published for (published,) in rows]

    def due(self, now_ms: int, limit: int = -1) -> list[str]:
        """The names of the configured sources whose time has come, the most overdue first."""
        files.check(self.path, self.files)
        with translated(self.path):
            clock.follow(self.connection, self.clock_ms, now_ms)
            self.clock_ms = now_ms
            rows = self.connection.execute(DUE_SOURCES, [limit, now_ms, limit, limit])
            return [name for (name,) in rows]

    def next_checks(self) -> dict[str, Check]:
        """When each configured source is to be looked at next."""
        with translated(self.path):
            rows = self.connection.execute(
                "SELECT name, next_check, coalesce(paused_by, paused), last_checked FROM sources WHERE configured"
            )
            return {name: Check(*row) for name, *row in rows}

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
