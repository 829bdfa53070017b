"""The change log as feeds tell it: changes of entries that people are told of, newest first.

Functions on a reading connection. Nothing but the rows that are asked for is read, and no content with them.
"""

import json
import sqlite3
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from feedd.model import Kind, Significance
from feedd.store.database import placeholders

ARE_TOLD = "c.kind IN ('edited', 'silent-edit', 'reverted', 'removed', 'restored') AND NOT c.silent"
# The version that a removal took away, and, where an earlier feedd did not note it, the one that a change replaced.
LAST = (
    "SELECT r.id FROM revisions r WHERE r.entry_id = c.entry_id AND r.source_id = c.source_id AND r.seen_at <= c.at"
    " ORDER BY r.number DESC LIMIT 1"
)
BEFORE = (
    "SELECT r.id FROM revisions r WHERE r.entry_id = c.entry_id AND r.source_id = c.source_id AND r.number < n.number"
    " ORDER BY r.number DESC LIMIT 1"
)
# Whether every version between them is kept: else another one stood before.
UNBROKEN = (
    "n.number - o.number - 1 = (SELECT count(*) FROM revisions r WHERE r.entry_id = c.entry_id"
    " AND r.number > o.number AND r.number < n.number)"
)
CHANGES = (
    "SELECT c.id, c.kind, c.at, s.name, c.entry_id, e.url, e.title,"
    f" coalesce(c.significance, n.significance, '{Significance.SUBSTANTIAL}'), coalesce(c.reasons, n.reasons),"
    " o.id, o.number, o.title, n.id, n.number, n.title"
    " FROM changes c JOIN sources s ON s.id = c.source_id JOIN entries e ON e.id = c.entry_id"
    " LEFT JOIN revisions n ON n.id = c.revision_id"
    f" LEFT JOIN revisions o ON o.id = CASE WHEN c.kind = '{Kind.REMOVED}' THEN ({LAST})"
    f" WHEN c.significance IS NULL THEN coalesce(c.previous_id, ({BEFORE})) ELSE c.previous_id END"
    f" AND (c.kind = '{Kind.REMOVED}' OR coalesce(c.previous_id, c.significance) IS NOT NULL OR {UNBROKEN})"
)


class Side(NamedTuple):
    """A stored version at one end of a change."""

    revision_id: int
    number: int  # within its entry
    title: str


class Change(NamedTuple):
    """A change of an entry that was told."""

    id: int  # its number in the log
    kind: Kind
    at_ms: int
    source: str  # a look at which found it
    entry_id: int
    article_url: str
    entry_title: str  # as it is now
    significance: Significance
    reasons: tuple[str, ...]
    old: Side | None  # of a removal: what was taken away. None: no longer kept
    new: Side | None  # None of a removal, and where it is no longer kept

    @property
    def title(self) -> str:
        """The title after the change, as far as that is known."""
        side = self.new or self.old
        return side.title if side else self.entry_title


def changes(
    connection: sqlite3.Connection,
    source_ids: Collection[int] | None = None,
    level: Significance | None = None,
    before: int | None = None,
    kinds: Collection[Kind] | None = None,
    down_to: int | None = None,
) -> Iterator[Change]:
    """Changes that these sources told (None: all), newest first; of that significance, and of these kinds; below a
    number in the log, and not below another.

    An entry comes and goes for every source that has a version of it, whichever noticed. The log is read backwards
    as far as is asked for; `changes_told` (of schema) spares it what is not told.
    """
    where, values = ARE_TOLD, list[object]()
    if source_ids is not None:
        some = placeholders(len(source_ids))
        where += (
            f" AND (c.source_id IN ({some}) OR c.kind IN ('{Kind.REMOVED}', '{Kind.RESTORED}') AND EXISTS (SELECT 1"
            f" FROM revisions r WHERE r.entry_id = c.entry_id AND r.source_id IN ({some})))"
        )
        values = [*source_ids, *source_ids]
    if level is not None:
        where += f" AND coalesce(c.significance, n.significance, '{Significance.SUBSTANTIAL}') = ?"
        values.append(level)
    if before is not None:
        where += " AND c.id < ?"
        values.append(before)
    if kinds is not None:
        where += f" AND c.kind IN ({placeholders(len(kinds))})"
        values += kinds
    if down_to is not None:
        where += " AND c.id >= ?"
        values.append(down_to)
    for row in connection.execute(f"{CHANGES} WHERE {where} ORDER BY c.id DESC", values):
        yield change_of(row)


def these(connection: sqlite3.Connection, ids: Collection[int]) -> dict[int, Change]:
    """The changes of entries with these numbers, as far as they are still in the log."""
    query = f"{CHANGES} WHERE c.id IN ({placeholders(len(ids))})"
    return {row[0]: change_of(row) for row in connection.execute(query, list(ids))}


def change_of(row: tuple[Any, ...]) -> Change:
    change_id, kind, at_ms, source, entry_id, url, title, level, reasons = row[:9]
    return Change(
        change_id, Kind(kind), at_ms, source, entry_id, url, title, Significance(level),
        tuple(json.loads(reasons or "[]")), side(*row[9:12]), side(*row[12:]),
    )  # fmt: skip


def side(revision_id: int | None, number: int, title: str) -> Side | None:
    return None if revision_id is None else Side(revision_id, number, title)
