"""What pages of sources, and the line of status, ask of the store. Functions on a reader's connection."""

import sqlite3

from feedd.store.database import loaded_path
from feedd.store.incidents import Incident

# as the indexes `sources_paused` and `sources_failing` have them
ARE_PAUSED = "(configured = 2 OR coalesce(paused_by, paused) IS NOT NULL)"
ARE_FAILING = f"configured AND error IS NOT NULL AND NOT {ARE_PAUSED}"


def open_incidents(connection: sqlite3.Connection, source_id: int) -> list[Incident]:
    """What is wrong with a source now, the newest first. By `incidents_open`, which is by that expression."""
    rows = connection.execute(
        "SELECT i.id, s.name, i.kind, i.opened_at, i.changed_at, i.closed_at, i.detail FROM incidents i"
        " JOIN sources s ON s.id = i.source_id WHERE coalesce(i.source_id, 0) = ? AND i.closed_at IS NULL"
        " ORDER BY i.opened_at DESC, i.id DESC",
        [source_id],
    )
    return [Incident(*row) for row in rows]


def rejected(connection: sqlite3.Connection, source_id: int, limit: int) -> list[tuple[str, str]]:
    """(path, reason) of what is refused now; not of what rules leave out."""
    rows = connection.execute(  # of 1,000,000 files, a page has time for those refused, not for all
        "SELECT path, rejected FROM locations INDEXED BY locations_rejected WHERE source_id = ?"
        " AND rejected IS NOT NULL AND rejected NOT LIKE 'left out:%' ORDER BY path LIMIT ?",
        [source_id, limit],
    )
    return [(loaded_path(path), str(why)) for path, why in rows]


def failing(connection: sqlite3.Connection) -> list[str]:
    """The names of the sources that fail now. By `incidents_open`."""
    rows = connection.execute(
        "SELECT s.name FROM incidents i JOIN sources s ON s.id = i.source_id"
        " WHERE i.closed_at IS NULL AND i.kind IN ('failing', 'selector') ORDER BY s.name"
    )
    return [str(name) for (name,) in rows]
