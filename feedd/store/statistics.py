"""What is counted for `/metrics`, in few queries. Names that left the configuration are left out."""

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from feedd.store import log, looks
from feedd.store.database import translated
from feedd.store.looks import Totals
from feedd.store.reader import Reader

EVERY_S = 5.0  # how old what is shown may be
COUNT_ALL_EVERY_S = 60.0  # deliveries: their number is what counting costs
AT_ONCE = 50_000  # changes that are counted in one go: a request waits no longer than that takes


class SourceNumbers(NamedTuple):
    entries: int
    failures: int  # in a row
    last_checked_ms: int | None
    is_paused: int  # or 1


class Statistics(NamedTuple):
    """The numbers of one moment."""

    at_ms: int
    sources: dict[str, SourceNumbers]
    looks: dict[str, Totals]
    changes: dict[tuple[str, str], int]  # (source, kind) → how many there ever were
    deliveries: dict[tuple[str, str], int]  # (channel, status)
    oldest_pending_ms: dict[str, int]  # channel → when what waits longest was queued
    lag_ms: int  # for how long the source that is most overdue has been
    database_bytes: int
    wal_bytes: int


class Statistician:
    """Counts at most every few seconds, whoever asks how often. Usable from any thread."""

    def __init__(self, reader: Reader, clock: Callable[[], float] = time.monotonic) -> None:
        self.reader = reader
        self.clock = clock
        self.guard = threading.Lock()
        self.newest: tuple[float, Statistics] | None = None
        self.changes: Counter[tuple[int, str]] = Counter()
        self.counted_to = 0  # the number of a change
        self.deliveries: tuple[float, dict[tuple[str, str], int]] | None = None

    def taken(self, now_ms: int) -> Statistics:
        """Raises StoreError."""
        with self.guard:
            if self.newest is None or self.clock() - self.newest[0] >= EVERY_S:
                with translated(self.reader.path):
                    self.newest = (self.clock(), self.count(self.reader.connection, now_ms))
            return self.newest[1]

    def count(self, connection: sqlite3.Connection, now_ms: int) -> Statistics:
        rows = connection.execute(
            "SELECT id, name, entries, failures, last_checked, configured = 2"
            " OR coalesce(paused_by, paused) IS NOT NULL FROM sources WHERE configured"
        ).fetchall()
        names = {source_id: name for source_id, name, *_ in rows}
        sources = {name: SourceNumbers(*some) for _, name, *some in rows}
        self.count_changes(connection)
        changes = {(names[each], kind): n for (each, kind), n in self.changes.items() if each in names}
        totals = {name: some for name, some in looks.totals(connection).items() if name in sources}
        path = self.reader.path
        return Statistics(
            now_ms,
            sources,
            totals,
            changes,
            self.counted_deliveries(connection),
            oldest_pending(connection),
            lag_ms(connection, now_ms),
            size(path),
            size(path.with_name(f"{path.name}-wal")),
        )

    def count_changes(self, connection: sqlite3.Connection) -> None:
        """Count what the log grew by: all of it once, afterwards next to nothing."""
        newest = log.newest_id(connection)
        while self.counted_to < newest:
            upto = min(newest, self.counted_to + AT_ONCE)
            rows = connection.execute(
                "SELECT source_id, kind, count(*) FROM changes WHERE id > ? AND id <= ? GROUP BY source_id, kind",
                [self.counted_to, upto],
            )
            self.changes.update({(source_id, kind): number for source_id, kind, number in rows})
            self.counted_to = upto

    def counted_deliveries(self, connection: sqlite3.Connection) -> dict[tuple[str, str], int]:
        now = self.clock()
        if self.deliveries is None or now - self.deliveries[0] >= COUNT_ALL_EVERY_S:
            rows = connection.execute(
                "SELECT c.name, d.status, d.n FROM channels c JOIN (SELECT channel_id, status, count(*) n FROM deliveries"
                " GROUP BY channel_id, status) d ON d.channel_id = c.id WHERE c.configured"
            )
            self.deliveries = (now, {(name, status): number for name, status, number in rows})
        pending = connection.execute(
            "SELECT c.name, (SELECT count(*) FROM deliveries d WHERE d.channel_id = c.id AND d.status = 'pending')"
            " FROM channels c WHERE c.configured"
        )
        return {**self.deliveries[1], **{(name, "pending"): number for name, number in pending}}


def oldest_pending(connection: sqlite3.Connection) -> dict[str, int]:
    rows = connection.execute(
        "SELECT c.name, min(d.created_at) FROM channels c JOIN deliveries d ON d.channel_id = c.id"
        " AND d.status = 'pending' WHERE c.configured GROUP BY c.id"
    )
    return dict(rows.fetchall())


def lag_ms(connection: sqlite3.Connection, now_ms: int) -> int:
    (first,) = connection.execute(
        "SELECT min(next_check) FROM sources WHERE configured = 1 AND paused IS NULL AND paused_by IS NULL"
    ).fetchone()
    return 0 if first is None else max(0, now_ms - first)


def size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def probe(connection: sqlite3.Connection, now_ms: int) -> None:
    """Write something: a full disk, or a file that became read-only, is found by nothing less."""
    connection.execute(
        "INSERT INTO meta VALUES ('probed_at', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [str(now_ms)],
    )
