"""Sources that a person paused. Functions within a transaction of the writer's, but for what reads.

That is a third way to be paused, beside the configuration (`configured` is 2) and feedd itself, which pauses what is
gone (`paused`). It lasts until a person ends it, or the source is taken out of the configuration.
"""

import sqlite3

from feedd.schedule import Due
from feedd.store.rechecks import document_key

BECAUSE = "somebody resumed it"


def pause(connection: sqlite3.Connection, name: str, words: str) -> bool:
    """`words` say who, and when. False: somebody else has paused it already."""
    paused = connection.execute(
        "UPDATE sources SET paused_by = ? WHERE name = ? AND paused_by IS NULL", [words, name]
    )
    return paused.rowcount > 0


def resume(connection: sqlite3.Connection, name: str, now_ms: int) -> bool:
    """It is looked at at once, also if feedd itself had paused it. False: it was not paused."""
    row = connection.execute(
        "SELECT id FROM sources WHERE name = ? AND coalesce(paused_by, paused) IS NOT NULL", [name]
    ).fetchone()
    if row is None:
        return False
    (source_id,) = row
    connection.execute(
        "DELETE FROM meta WHERE key = ?", [document_key(source_id)]
    )  # its articles are not all
    connection.execute(
        "UPDATE sources SET paused_by = NULL, paused = NULL, next_check = ?, next_check_because = ? WHERE id = ?",
        [*Due(now_ms, BECAUSE), source_id],
    )
    return True


def is_paused(connection: sqlite3.Connection, name: str) -> bool:
    """Whether a person paused the source."""
    row = connection.execute("SELECT 1 FROM sources WHERE name = ? AND paused_by IS NOT NULL", [name])
    return row.fetchone() is not None
