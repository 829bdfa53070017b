"""What mirrors read: which entries a source has, and what each version of them said of itself.

Functions on a reading connection.
"""

import sqlite3
from collections.abc import Collection, Sequence
from typing import NamedTuple

from feedd.store.database import placeholders
from feedd.store.pack import unpack_bytes

# What a version states as its time: that of the entry where the version is the first, since a feed may state apart
# when it was published and when it was updated.
TIME = "iif(r.number = 1, e.published, coalesce(r.stated, e.published))"


class Held(NamedTuple):
    """The newest version of an entry in a source, without its content."""

    time_ms: int
    time_stated: bool
    raw_id: int | None  # of the file that it came from, where that is kept


def held(connection: sqlite3.Connection, ids: Sequence[int]) -> dict[tuple[int, str], Held]:
    """By entry and source. A document that is no seed file is none of an article's."""
    rows = connection.execute(
        f"SELECT e.id, s.name, {TIME}, iif(r.number = 1, NOT e.date_guessed, r.stated NOT NULL OR NOT e.date_guessed),"
        " iif(s.type IN ('directory', 'git'), r.raw_id, NULL)"
        " FROM revisions r JOIN entries e ON e.id = r.entry_id JOIN sources s ON s.id = r.source_id"
        f" WHERE r.newest AND e.id IN ({placeholders(len(ids))})",
        ids,
    )
    return {(entry_id, source): Held(at, bool(stated), raw) for entry_id, source, at, stated, raw in rows}


def raw(connection: sqlite3.Connection, raw_id: int) -> bytes | None:
    """The file as it was read; None where it was pruned."""
    row = connection.execute("SELECT body FROM raws WHERE id = ?", [raw_id]).fetchone()
    return unpack_bytes(row[0]) if row else None


class Dated(NamedTuple):
    entry_id: int
    newest_ms: int  # the latest time that a version of it states, whichever version is shown


def newest_first(connection: sqlite3.Connection, source_ids: Collection[int] | None) -> list[Dated]:
    """The entries that these sources have (None: all), removed ones too, by the time that they state."""
    chosen, values = ("", []) if source_ids is None else (in_these(source_ids), list(source_ids))
    rows = connection.execute(
        f"SELECT r.entry_id, max({TIME}) FROM revisions r JOIN entries e ON e.id = r.entry_id"
        f" WHERE r.newest {chosen} GROUP BY r.entry_id ORDER BY 2 DESC, e.uid",
        values,
    )
    return [Dated(*row) for row in rows]


def in_these(source_ids: Collection[int]) -> str:
    return f"AND r.source_id IN ({placeholders(len(source_ids))})"
