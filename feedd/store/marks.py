"""How far somebody followed the store, and which entries were touched since. Functions on a reading connection."""

import sqlite3
from typing import NamedTuple

from feedd.store import log


class Mark(NamedTuple):
    """A moment of the store. Not every version rings in the log of changes: some are kept quietly."""

    change_id: int = 0
    revision_id: int = 0
    changed_ms: int = 0  # when that change came; 0: it is not in the log
    seen_ms: int = 0  # when that version came


def newest(connection: sqlite3.Connection) -> Mark:
    change_id = log.newest_id(connection)
    (revision_id,) = connection.execute("SELECT coalesce(max(id), 0) FROM revisions").fetchone()
    return Mark(change_id, int(revision_id), *moments(connection, change_id, revision_id))


def moments(connection: sqlite3.Connection, change_id: int, revision_id: int) -> tuple[int, int]:
    """When they came, in ms; 0 where there is no such one."""
    (found,) = connection.execute(
        "SELECT coalesce((SELECT at FROM changes WHERE id = ?), 0),"
        " coalesce((SELECT seen_at FROM revisions WHERE id = ?), 0)",
        [change_id, revision_id],
    ).fetchall()
    changed_ms, seen_ms = found
    return changed_ms, seen_ms


def went_through(connection: sqlite3.Connection, mark: Mark) -> bool:
    """Whether the store is a later one of that moment. An earlier copy that was restored is not, whatever came since."""
    now = newest(connection)
    if now.change_id < mark.change_id or now.revision_id < mark.revision_id:
        return False
    then = moments(connection, mark.change_id, mark.revision_id)
    return all(0 in pair or pair[0] == pair[1] for pair in zip(then, mark[2:], strict=True))


def touched_since(connection: sqlite3.Connection, mark: Mark) -> set[int]:
    """The entries that changed, or that have versions which came since."""
    rows = connection.execute(
        "SELECT entry_id FROM changes WHERE id > ? AND entry_id IS NOT NULL"
        " UNION SELECT entry_id FROM revisions WHERE id > ?",
        mark[:2],
    )
    return {entry_id for (entry_id,) in rows}
