"""The change log in the order in which it grew: what notifications, events and pushes read.

Functions on a connection. Silent changes are told to nobody, and left out.
"""

import json
import sqlite3
from collections.abc import Collection
from typing import NamedTuple

from feedd.model import Kind, Significance
from feedd.store.database import placeholders

LOGGED = (
    "SELECT c.id, c.kind, c.at, s.id, s.name, c.entry_id, c.revision_id, c.previous_id,"
    f" coalesce(c.significance, n.significance, '{Significance.SUBSTANTIAL}'), coalesce(c.reasons, n.reasons), c.detail"
    " FROM changes c JOIN sources s ON s.id = c.source_id LEFT JOIN revisions n ON n.id = c.revision_id"
)


class Logged(NamedTuple):
    """A change as the log has it."""

    id: int
    kind: Kind
    at_ms: int
    source_id: int
    source: str
    entry_id: int | None  # None: a change of the source itself
    revision_id: int | None
    previous_id: int | None  # the revision that was told before
    significance: Significance
    reasons: tuple[str, ...]
    detail: str | None  # of changes of a source: what happened, in words


def newest_id(connection: sqlite3.Connection) -> int:
    """The number that the log gave last, to silent changes, too, and to those that were taken back."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'changes'").fetchone()
    return int(row[0]) if row else 0


def after(connection: sqlite3.Connection, last_id: int, limit: int = -1) -> list[Logged]:
    """The changes that followed, in their order."""
    query = f"{LOGGED} WHERE c.id > ? AND NOT c.silent ORDER BY c.id LIMIT ?"
    return [logged(row) for row in connection.execute(query, [last_id, limit])]


def since(connection: sqlite3.Connection, at_ms: int) -> list[Logged]:
    """The changes from that moment on, in their order."""
    return [
        logged(row)
        for row in connection.execute(f"{LOGGED} WHERE c.at >= ? AND NOT c.silent ORDER BY c.id", [at_ms])
    ]


def these(connection: sqlite3.Connection, ids: Collection[int]) -> list[Logged]:
    """The changes of these numbers, as far as they are still in the log, in their order."""
    query = f"{LOGGED} WHERE c.id IN ({placeholders(len(ids))}) ORDER BY c.id"
    return [logged(row) for row in connection.execute(query, list(ids))]


def of_entry(connection: sqlite3.Connection, entry_id: int) -> list[Logged]:
    """All that was logged of an entry, in its order; silent changes, too."""
    return [
        logged(row) for row in connection.execute(f"{LOGGED} WHERE c.entry_id = ? ORDER BY c.id", [entry_id])
    ]


def logged(row: tuple[object, ...]) -> Logged:
    made = Logged(*row)  # type: ignore[arg-type]
    reasons = tuple(json.loads(made.reasons)) if made.reasons else ()  # type: ignore[arg-type]
    return made._replace(kind=Kind(made.kind), significance=Significance(made.significance), reasons=reasons)
