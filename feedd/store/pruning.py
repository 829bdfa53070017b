"""Letting versions go that `retention` names: in short transactions, so that nobody waits for long.

A kill at any moment leaves a sound database: each transaction leaves every version that stays readable, and what a
kill left behind goes the next time.
"""

import logging
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from threading import Event
from typing import NamedTuple, TypeVar

from feedd.errors import AlreadyRunning, Stopped, StoreBusy, StoreError
from feedd.store.database import transaction, translated
from feedd.store.desk import Desk
from feedd.store.lock import Lock
from feedd.store.pack import pack, unpack
from feedd.store.retention import Gone, History, Keeps, Plan, guards, histories, in_units, planned
from feedd.store.writer import Writer

STEP_S = 0.1  # a transaction takes little longer
PAUSE_S = 0.02  # between two of them, so that others have their turn
ENTRIES_AT_ONCE = 500
RAWS_AT_ONCE = 200
PAGES_AT_ONCE = 2_000
BUSY_TRIES = 12  # each waits as long as database.BUSY_TIMEOUT_MS
FREE_PART = 4  # of the file: where as much as one such part is free, it is worth being written anew …
FREE_LEFT = 10  # … and where that is not needed, all but one such part is given back
ROOM = 2.2  # times what the database holds: SQLite writes it to a file of its own, then to the log
INCREMENTAL = 2  # of `PRAGMA auto_vacuum`
PRUNED_AT = "pruned_at"  # in `meta`: when all sources were pruned last
LOOSE = "loose_bytes"  # in `meta`: see File
SUSPECTED_AT = "pruning_waits_since"  # in `meta`: when so much time had gone by that the clock may be wrong
DAY_MS = 86_400_000
LONG_MS = 30 * DAY_MS
NEVER = 2**63 - 1
Result = TypeVar("Result")
Progress = Callable[[int, int], None]  # versions done, of how many
log = logging.getLogger(__name__)


class Report(NamedTuple):
    sources: list[Gone]
    freed_bytes: int = 0  # by which the file became smaller
    space: str = ""  # what was done about the file's size, in words


class Step(NamedTuple):
    """What one transaction came to."""

    entries: int  # that it dealt with
    spared: list[tuple[int, int]]  # (entry, version): something came in between


class Pruner(NamedTuple):
    """How to go about it. `run` of it is called from any thread; the writing is done in the desk's."""

    desk: Desk
    path: Path
    stop: Event
    owns_lock: bool = False  # the pass lock
    whole: bool = True  # of all sources: then it counts as the day's run
    progress: Progress | None = None

    def run(self, keeps: Sequence[Keeps], now_ms: int) -> Report:
        """Let go what these sources do not keep. Raises StoreError, Stopped."""
        before = self.do(file_of)
        with planned(self.path, keeps, now_ms) as plan:
            self.prune(plan)
            sources = plan.gone()
        deleted = sum(each.bytes for each in sources)
        self.do(partial(note_loose, loose=before.loose + deleted - (self.do(file_of).free - before.free)))
        space = self.give_back()
        if self.whole:
            self.do(partial(note, key=PRUNED_AT, value=now_ms))
        return Report(sources, max(0, before.bytes - self.do(file_of).bytes), space)

    def run_if_due(self, keeps: Sequence[Keeps], now_ms: int) -> Report | None:
        """As `run`, if a day has gone by since all sources were pruned; a clock set back counts as a day.

        After more than a month it waits for a day: what a clock deletes that was set forward by mistake is gone.
        """
        last = self.do(last_pruned)
        if last is not None and 0 <= now_ms - last < DAY_MS:
            return None
        if last is not None and now_ms - last >= LONG_MS and self.do(partial(is_suspected, now_ms=now_ms)):
            return None
        return self.run(keeps, now_ms)

    def do(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Have the writer do a piece of work; wait where another process is writing."""

        def translating(writer: Writer) -> Result:
            with translated(self.path):
                return work(writer.connection)

        for _ in range(BUSY_TRIES - 1):
            if self.stop.is_set():
                raise Stopped("feedd is ending; the next run goes on with pruning")
            try:
                return self.desk.run(translating)
            except StoreBusy:
                self.stop.wait(PAUSE_S)
        return self.desk.run(translating)

    def prune(self, plan: Plan) -> None:
        groups, spared, done = plan.groups(), list[tuple[int, int]](), 0
        total = plan.count()
        while some := list(islice(groups, ENTRIES_AT_ONCE)):
            while some:
                step = self.do(partial(prune_entries, groups=some))
                spared += step.spared
                done += sum(len(ids) for _, ids in some[: step.entries])
                some = some[step.entries :]
                if self.progress is not None:
                    self.progress(done, total)
                self.stop.wait(PAUSE_S)
        plan.spare(spared)
        raws = plan.raws()
        for start in range(0, len(raws), RAWS_AT_ONCE):
            some_raws = raws[start : start + RAWS_AT_ONCE]
            self.do(partial(prune_raws, ids=some_raws, since_id=plan.last_id))
            self.stop.wait(PAUSE_S)

    def give_back(self) -> str:
        """Make the file smaller where much of it is free. Returns what was done, in words."""
        file = self.do(file_of)
        by_steps = file.mode == INCREMENTAL and file.loose * FREE_PART < file.bytes
        if by_steps:
            return self.give_back_pages((file.free - file.bytes // FREE_LEFT) // file.page_bytes)
        words = f"{in_units(file.free + file.loose)} of {in_units(file.bytes)} are free"
        if (file.free + file.loose) * FREE_PART < file.bytes:
            return f"{words} for what comes next, too little to write the file anew"
        if shutil.disk_usage(self.path.absolute().parent).free < (file.bytes - file.free) * ROOM:
            return f"{words}, but the disk has too little room to write the file anew"
        try:
            lock = None if self.owns_lock else Lock(self.path)
        except AlreadyRunning as error:
            return f"{words}; {error}, so the file is written anew at the next prune"
        try:
            self.do(partial(rewrite, stop=self.stop))
        except StoreError as error:
            return f"{words}, but the file could not be written anew: {error}"
        finally:
            if lock is not None:
                lock.release()
        return f"{words}: it was written anew"

    def give_back_pages(self, count: int) -> str:
        if count <= 0:
            return "little of the file is free"
        for _ in range(0, count, PAGES_AT_ONCE):
            self.do(shorten)
            self.stop.wait(PAUSE_S)
        self.do(checkpoint)
        return "free space at the end of the file was given back"


def prune_entries(connection: sqlite3.Connection, groups: Sequence[tuple[int, list[int]]]) -> Step:
    """Delete versions of entries, (entry, versions) each, in one transaction, as long as it does not take long."""
    began, spared = time.monotonic(), list[tuple[int, int]]()
    with unenforced(connection), transaction(connection):
        for done, (entry_id, ids) in enumerate(groups, 1):
            history = next(histories(connection, [entry_id], NEVER), History([]))
            there, guarded = {version.id for version in history.versions}, guards(history)
            doomed = {each for each in ids if each in there and each not in guarded}
            prune_entry(connection, history, doomed)
            spared += ((entry_id, each) for each in ids if each not in doomed)
            if time.monotonic() - began > STEP_S:
                return Step(done, spared)
    return Step(len(groups), spared)


@contextmanager
def unenforced(connection: sqlite3.Connection) -> Iterator[None]:
    """Delete without SQLite's search of whole tables for what refers to each row: `prune_entry` has unhitched it."""
    connection.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        connection.execute("PRAGMA foreign_keys = ON")


# the change goes on to say what its version said of it
UNHITCH = """
UPDATE changes SET revision_id = ?, previous_id = ?,
  reasons = iif(significance IS NULL, (SELECT r.reasons FROM revisions r WHERE r.id = changes.revision_id), reasons),
  significance = coalesce(significance, (SELECT r.significance FROM revisions r WHERE r.id = changes.revision_id))
WHERE id = ?
"""


def prune_entry(connection: sqlite3.Connection, history: History, doomed: set[int]) -> None:
    """Delete these versions of an entry; what is packed against them is packed anew, what names them forgets them."""
    if not doomed:
        return
    many = connection.executemany
    many(
        "UPDATE revisions SET packed = ?, packed_against = ? WHERE id = ?",
        repacked(connection, history, doomed),
    )
    rows = connection.execute(
        "SELECT id, revision_id, previous_id FROM changes WHERE entry_id = ?", [history.versions[0].entry_id]
    ).fetchall()
    unhitched = [
        (None if told in doomed else told, None if before in doomed else before, change_id)
        for change_id, told, before in rows
        if told in doomed or before in doomed
    ]
    many(UNHITCH, unhitched)
    if unhitched:  # feeds of changes say that it is no longer kept
        many(
            "UPDATE sources SET touched = touched + 1 WHERE id = ?",
            [(each,) for each in {version.source_id for version in history.versions}],
        )
    many("DELETE FROM revisions WHERE id = ?", [(each,) for each in doomed])


def repacked(
    connection: sqlite3.Connection, history: History, doomed: set[int]
) -> Iterator[tuple[bytes, int, int]]:
    """(packed, against, version) of each version that stays and is packed against one that goes.

    Contents are unpacked from the newest on, each once, and no more than two at a time are held of a straight history.
    """
    against = {version.id: version.against for version in history.versions}
    orphans = {each for each, other in against.items() if other in doomed and each not in doomed}
    wanted = set[int]()
    for each in orphans:
        on_the_way: int | None = each
        while on_the_way is not None and on_the_way not in wanted:
            wanted.add(on_the_way)
            on_the_way = against[on_the_way]
    below: dict[int | None, list[int]] = {}
    for each in wanted:
        below.setdefault(against[each], []).append(each)
    read = connection.execute
    waiting = [(each, "", each, "") for each in below.get(None, [])]
    while waiting:
        each, above, anchor, anchor_html = waiting.pop()
        html, packed = read("SELECT content_html, packed FROM revisions WHERE id = ?", [each]).fetchone()
        if html is None:
            html = unpack(packed, above)
        if each in orphans:
            yield pack(html, anchor_html), anchor, each
        if each not in doomed:
            anchor, anchor_html = each, html
        nexts = sorted(below.get(each, []), key=lambda other: other not in below)
        waiting += (
            (other, html, anchor, anchor_html) for other in nexts
        )  # a late arrival, with nothing below, first


def prune_raws(connection: sqlite3.Connection, ids: Sequence[int], since_id: int) -> None:
    """Delete documents that no version needed when `since_id` was the last, unless a later one came from them."""
    with unenforced(connection), transaction(connection):
        rows = connection.execute(
            "SELECT raw_id FROM revisions WHERE id > ? AND raw_id IS NOT NULL", [since_id]
        )
        used = {raw_id for (raw_id,) in rows}
        connection.executemany("DELETE FROM raws WHERE id = ?", [(each,) for each in ids if each not in used])


class File(NamedTuple):
    """The database's file: sizes in bytes."""

    bytes: int
    free: int  # whole pages
    loose: int  # about as much is free within pages, where versions were; only writing the file anew gives it back
    page_bytes: int
    mode: int  # of `PRAGMA auto_vacuum`: how free pages are given back


def file_of(connection: sqlite3.Connection) -> File:
    pragmas = ("page_size", "page_count", "freelist_count", "auto_vacuum")
    size, pages, free, mode = (connection.execute(f"PRAGMA {each}").fetchone()[0] for each in pragmas)
    return File(pages * size, free * size, noted(connection, LOOSE) or 0, size, mode)


def rewrite(connection: sqlite3.Connection, stop: Event) -> None:
    """Write the file anew without its free pages; from then on they can be given back in small steps."""
    connection.set_progress_handler(stop.is_set, 10_000)
    try:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("VACUUM")
        note_loose(connection, 0)
    finally:
        connection.set_progress_handler(None, 0)
    checkpoint(connection)


def shorten(connection: sqlite3.Connection) -> None:
    # gives back one page a step, and only `executescript` takes steps that return nothing to the end
    connection.executescript(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})")


def checkpoint(connection: sqlite3.Connection) -> None:
    """Bring the log back into the file: only then does that become smaller."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def note_loose(connection: sqlite3.Connection, loose: int) -> None:
    note(connection, LOOSE, max(0, loose))


def note(connection: sqlite3.Connection, key: str, value: int) -> None:
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", [key, str(value)])


def noted(connection: sqlite3.Connection, key: str) -> int | None:
    found = connection.execute("SELECT value FROM meta WHERE key = ?", [key]).fetchone()
    return int(found[0]) if found else None


def is_suspected(connection: sqlite3.Connection, now_ms: int) -> bool:
    """Whether the clock has not yet gone on for a day since it was noticed how much time had gone by."""
    since = noted(connection, SUSPECTED_AT)
    if since is not None and 0 <= now_ms - since < LONG_MS:
        return now_ms - since < DAY_MS
    note(connection, SUSPECTED_AT, now_ms)
    log.warning(
        "nothing was pruned for more than a month, by the clock: it waits for a day, in case the clock is wrong;"
        " feedd prune does it now"
    )
    return True


def last_pruned(connection: sqlite3.Connection) -> int | None:
    """When all sources were pruned last."""
    return noted(connection, PRUNED_AT)
