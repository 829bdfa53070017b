"""How far somebody followed the store, and which entries were touched since. Functions on a reading connection."""

import sqlite3
from typing import NamedTuple

from feedd.store import log


class Mark(NamedTuple):
    """A moment of the store. Not every version rings in the log of changes: some are kept quietly."""

    change_id: int = 0
    revision_id: int = 0


def newest(connection: sqlite3.Connection) -> Mark:
    (revision_id,) = connection.execute("SELECT coalesce(max(id), 0) FROM revisions").fetchone()
    return Mark(log.newest_id(connection), int(revision_id))


def touched_since(connection: sqlite3.Connection, mark: Mark) -> set[int]:
    """The entries that changed, or that have versions which came since."""
    rows = connection.execute(
        "SELECT entry_id FROM changes WHERE id > ? AND entry_id IS NOT NULL"
        " UNION SELECT entry_id FROM revisions WHERE id > ?",
        mark,
    )
    return {entry_id for (entry_id,) in rows}
