"""What the locations of a batch of items hold: entries, and the versions of them that stood there last."""

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from feedd.decide import Pass
from feedd.model import Item
from feedd.store.database import loaded_path, placeholders, stored_path

QUERY = """
SELECT l.path, l.entry_id, l.revision_id, l.stated, l.size, l.mtime_ns, l.inode, l.seen, e.uid, e.url, r.content_hash,
  l.rejected IS NULL AND r.newest AND r.extraction = ? AND e.removed_at IS NULL
FROM locations l LEFT JOIN entries e ON e.id = l.entry_id LEFT JOIN revisions r ON r.id = l.revision_id
WHERE l.source_id = ? AND l.path IN ({})
"""


class Held(NamedTuple):
    """What one location holds. Without an entry: nothing but something that was rejected."""

    entry_id: int | None
    revision_id: int | None
    stated_ms: int | None
    size: int | None  # of the file, as the next two
    mtime_ns: int | None
    inode: int | None
    seen: bytes | None  # as Item's
    uid: str | None
    url: str | None
    content_hash: bytes | None
    # 1: it holds the newest version of an entry that is there, made under today's settings
    stands: int | None


def held(
    connection: sqlite3.Connection, look: Pass, extraction: str, items: Sequence[Item]
) -> dict[str, Held]:
    """By location; those that were never met are left out."""
    if not items:
        return {}
    paths = [stored_path(item.location) for item in items]
    rows = connection.execute(QUERY.format(placeholders(len(paths))), [extraction, look.source_id, *paths])
    return {loaded_path(path): Held._make(there) for path, *there in rows}
