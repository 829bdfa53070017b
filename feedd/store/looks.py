"""The history of looks at a source: the newest ones of each, and what all of them came to.

Functions within a transaction of the writer's, or on a reader's connection.
"""

import sqlite3
import time
from collections.abc import Iterable
from typing import NamedTuple

from feedd.decide import Pass
from feedd.model import COUNTS, Item, Tally

KEPT = 500  # looks of a source
LONGEST_S = 30 * 86_400.0  # a clock that was set makes no look longer
LONGEST_ERROR = 1_000  # characters
COLUMNS = ("at", "status", "seconds", *COUNTS, "rejected", "bytes", "error")


class Look(NamedTuple):
    """One look that ended."""

    id: int
    at_ms: int  # when it began
    status: str  # ok | unchanged | failed
    seconds: float
    added: int
    edited: int
    silent_edited: int
    reverted: int
    removed: int
    restored: int
    duplicates: int
    rejected: int
    bytes: int | None  # that were read; None: nobody counted them
    error: str | None

    @property
    def changed(self) -> int:
        """How many entries it added, changed, removed or restored."""
        return sum(self[4:10])


class Totals(NamedTuple):
    """What all looks at a source came to."""

    looks: int = 0  # the failed among them
    failed: int = 0
    seconds: float = 0.0
    bytes: int = 0


class Found(NamedTuple):
    """What a look found so far, over its batches."""

    tally: Tally = Tally()
    bytes: int | None = None

    def plus(self, tally: Tally, received: int | None = None) -> "Found":
        some = self.bytes if received is None else (self.bytes or 0) + received
        counts = tally._replace(rejected=())  # their number is enough: a folder may refuse many
        return Found(self.tally + counts, some)


class Ledger:
    """What the looks under way have found, by source; belongs to the writer's thread."""

    def __init__(self) -> None:
        self.found: dict[int, Found] = {}
        self.refused: dict[int, int] = {}

    def begin(self, source_id: int) -> None:
        self.found.pop(source_id, None)
        self.refused.pop(source_id, None)

    def add(self, source_id: int, tally: Tally, received: int | None = None) -> None:
        self.found[source_id] = self.found.get(source_id, Found()).plus(tally, received)
        self.refused[source_id] = self.refused.get(source_id, 0) + len(tally.rejected)

    def close(
        self,
        connection: sqlite3.Connection,
        look: Pass,
        error: str | None = None,
        received: int | None = None,
    ) -> None:
        """Note how a look ended: well, or with an error."""
        found = self.found.pop(look.source_id, Found())
        refused = self.refused.pop(look.source_id, 0)
        size = found.bytes if received is None else received
        counts = [getattr(found.tally, name) for name in COUNTS]
        status = "failed" if error is not None else "ok" if any(counts) or refused else "unchanged"
        seconds = min(max(0.0, time.time() - look.now_ms / 1000), LONGEST_S)
        words = None if error is None else error[:LONGEST_ERROR]
        values = [look.source_id, look.now_ms, status, seconds, *counts, refused, size, words]
        note(connection, look.source_id, values)


def size_of(items: Iterable[Item]) -> int | None:
    """Bytes of the files or documents that these were read from, as far as they say."""
    files = [item.stamp.size for item in items if item.stamp is not None]
    documents = {
        item.raw.sha256: len(item.raw.body) for item in items if item.raw is not None and not item.stamp
    }
    return sum(files) + sum(documents.values()) if files or documents else None


def note(connection: sqlite3.Connection, source_id: int, values: list[object]) -> None:
    run = connection.execute
    run(
        f"INSERT INTO looks (source_id, {', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(values))})",
        values,
    )
    _, _, status, seconds, *_, size, _ = values
    run(
        "INSERT INTO look_totals VALUES (?, 1, ?, ?, ?) ON CONFLICT (source_id) DO UPDATE SET looks = looks + 1,"
        " failed = failed + excluded.failed, seconds = seconds + excluded.seconds, bytes = bytes + excluded.bytes",
        [source_id, status == "failed", seconds, size or 0],
    )
    run(
        "DELETE FROM looks WHERE source_id = ? AND id <="
        " (SELECT id FROM looks WHERE source_id = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
        [source_id, source_id, KEPT],
    )


def history(
    connection: sqlite3.Connection, source_id: int, limit: int = KEPT, before: int | None = None
) -> list[Look]:
    """The looks at a source, the newest first: below that number, if one is given."""
    rows = connection.execute(
        f"SELECT id, {', '.join(COLUMNS)} FROM looks WHERE source_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
        [source_id, 2**62 if before is None else before, limit],
    )
    return [Look(*row) for row in rows]


def totals(connection: sqlite3.Connection) -> dict[str, Totals]:
    """Of each source, by its name."""
    rows = connection.execute(
        "SELECT s.name, t.looks, t.failed, t.seconds, t.bytes FROM look_totals t JOIN sources s ON s.id = t.source_id"
    )
    return {name: Totals(*some) for name, *some in rows}
