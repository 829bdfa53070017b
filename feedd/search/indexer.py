"""The index follows the change log, seconds behind: reading and segmenting here, writing in small steps of the desk's."""

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from feedd.errors import NoLongerKept
from feedd.store import search_index
from feedd.store.database import translated
from feedd.store.desk import Desk
from feedd.store.pursuit import Follower, follow
from feedd.store.reader import Reader
from feedd.store.search import TAIL
from feedd.store.search_index import Batch, Columns, Cursor, Update

ENTRIES_AT_ONCE = 32
CHARACTERS_AT_ONCE = 150_000  # of tokens that one transaction writes, unless one entry has more
AGAIN_S = 10.0
REST = 2.0  # times as long as a step took is rested after it while others write
CALM_REST = 0.25
DEAD_PART, DEAD_LEAST = (
    4,
    1_000,
)  # documents of no entry: when there are more, and one of so many, all is built anew
log = logging.getLogger(__name__)


class State(NamedTuple):
    """How far the index is."""

    behind: int  # versions that it has not met yet
    building: bool  # it is so far behind that searches miss what is old


class Indexer:
    """Keeps the index. `run` for a daemon, `catch_up` for commands that hold the lock."""

    def __init__(self, desk: Desk, reader: Reader, priorities: Mapping[str, int]) -> None:
        self.desk = desk
        self.reader = reader
        self.priorities = priorities
        self.counted = False
        self.order = ""  # see `search_index.order_of_sources`

    async def run(self) -> None:
        """Follow until cancelled."""
        follower = Follower("search", "the search index", self.follow, self.reader.close, again_s=AGAIN_S)
        await follow(self.desk.bell, follower)

    def follow(self, stop: threading.Event, rung: asyncio.Event) -> None:
        self.catch_up(stop=stop, busy=rung.is_set, calm=rung.clear)

    def prepare(self) -> None:
        """An index that is missing, of another making, or half dead is begun anew; another order of the sources is followed."""
        with translated(self.reader.path):
            connection = self.reader.connection
            is_dead = not self.counted and is_half_dead(connection)
            at = search_index.cursor(connection)
            order = search_index.noted(connection, search_index.ORDER_KEY)
            # which source is shown: the store says which are configured, and nobody else changes that meanwhile
            self.order = self.order or search_index.order_of_sources(connection, self.priorities)
        self.counted = True
        if at is None or is_dead:
            self.desk.run(lambda writer: writer.within(partial(search_index.begin_anew, order=self.order)))
        elif order != self.order:
            self.reorder()

    def reorder(self) -> None:
        """Look again at what several sources have: other sources come first now, or left the configuration."""
        after_id = 0
        while True:
            with translated(self.reader.path):
                connection = self.reader.connection
                ids = search_index.several_sources(connection, after_id, ENTRIES_AT_ONCE)
                at = search_index.cursor(connection)
            if at is None:
                return
            for start in range(0, len(ids) or 1, ENTRIES_AT_ONCE):
                updates = self.updates(ids[start : start + ENTRIES_AT_ONCE])
                done = self.order if len(ids) < ENTRIES_AT_ONCE else None
                self.write(Batch(at, at, updates), done)
            if len(ids) < ENTRIES_AT_ONCE:
                return
            after_id = ids[-1]

    def catch_up(
        self,
        *,
        budget_s: float | None = None,
        stop: threading.Event | None = None,
        busy: Callable[[], bool] | None = None,
        calm: Callable[[], object] = lambda: None,
        progress: Callable[[int, int], None] | None = None,
    ) -> bool:
        """Follow up to now; whether that was done within the budget.

        With `busy`, each step is followed by a rest: a long one if that says that others wrote meanwhile; then `calm`
        makes it forget. Whoever calls this holds the lock on the store. Raises StoreError.
        """
        stop = stop or threading.Event()
        begun = time.monotonic()
        self.prepare()
        while not stop.is_set():
            stepped = time.monotonic()
            batch = self.next_batch()
            if batch is None:
                return True
            if not self.write(batch):
                return False  # another process builds it
            if progress is not None:
                progress(batch.then.revision_id, self.newest().revision_id)
            if budget_s is not None and time.monotonic() - begun > budget_s:
                return self.next_batch() is None
            if busy is not None:
                is_busy = busy()
                calm()
                stop.wait((time.monotonic() - stepped) * (REST if is_busy else CALM_REST))
        return False

    def newest(self) -> Cursor:
        with translated(self.reader.path):
            return search_index.newest(self.reader.connection)

    def next_batch(self) -> Batch | None:
        """What is to be written next; None: nothing."""
        with translated(self.reader.path):
            connection = self.reader.connection
            at = search_index.cursor(connection)
            if at is None:
                return None
            ids, then = search_index.ahead(connection, at, ENTRIES_AT_ONCE)
        if then == at:
            return None
        return Batch(at, then, self.updates(ids))

    def updates(self, ids: Sequence[int]) -> tuple[Update, ...]:
        """What is to become of these entries' documents, as far as anything is."""
        made = list[Update]()
        for start in range(0, len(ids), ENTRIES_AT_ONCE):
            some = ids[start : start + ENTRIES_AT_ONCE]
            with translated(self.reader.path):
                connection = self.reader.connection
                docs = search_index.docs(connection, some)
                shown = search_index.shown(connection, some, self.priorities)
            for entry_id in some:
                old, new = docs.get(entry_id), shown.get(entry_id)
                if (old and old.revision_id) == (new and new.revision_id):
                    continue
                columns = self.columns(new.revision_id) if new else None
                taken = self.columns(old.revision_id) if old else None
                made.append(Update(entry_id, old, taken, new if columns else None, columns))
        return tuple(made)

    def columns(self, revision_id: int) -> Columns | None:
        """What is indexed of a version; None where it is no longer kept: a later one is met soon."""
        try:
            with translated(self.reader.path):
                return search_index.version_columns(self.reader.connection, revision_id)
        except NoLongerKept:
            return None

    def write(self, batch: Batch, order: str | None = None) -> bool:
        """Write a batch in transactions that are short even where texts are long; the last one moves the cursor."""
        parts = list(portions(batch.updates))
        for part in parts[:-1]:
            if not self.apply(Batch(batch.at, batch.at, part), None):
                return False
        return self.apply(batch._replace(updates=parts[-1]), order)

    def apply(self, batch: Batch, order: str | None) -> bool:
        return self.desk.run(
            lambda writer: writer.within(partial(search_index.apply, batch=batch, order=order))
        )


def portions(updates: Sequence[Update]) -> list[tuple[Update, ...]]:
    """The updates, in as many parts as their texts ask for; one at least."""
    parts, part, size = list[tuple[Update, ...]](), list[Update](), 0
    for update in updates:
        size += sum(map(len, (*(update.new_columns or ()), *(update.old_columns or ()))))
        part.append(update)
        if size > CHARACTERS_AT_ONCE:
            parts.append(tuple(part))
            part, size = [], 0
    return [*parts, tuple(part)]


def is_half_dead(connection: sqlite3.Connection) -> bool:
    """Whether so many documents are of no entry that the index is to be made anew; mostly there are few to count."""
    if search_index.dead(connection) <= DEAD_LEAST:
        return False
    entries, dead = search_index.counts(connection)
    return dead * DEAD_PART > entries


def state_of(reader: Reader) -> State:
    with translated(reader.path):
        connection = reader.connection
        at, end = search_index.cursor(connection) or Cursor(), search_index.newest(connection)
    behind = max(0, end.revision_id - at.revision_id)
    return State(behind, behind > TAIL)
