"""The items of a batch that are as they were, told apart by one query: by far the most, at most looks."""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from feedd.decide import Pass
from feedd.model import Item
from feedd.store.database import placeholders, stored_path

QUERY = """
SELECT l.path, e.uid, e.url, r.content_hash, l.stated, l.size, l.mtime_ns, l.inode, l.seen, l.entry_id, l.revision_id
FROM locations l JOIN revisions r ON r.id = l.revision_id JOIN entries e ON e.id = l.entry_id
WHERE l.source_id = ? AND l.path IN ({}) AND l.rejected IS NULL AND r.newest AND r.extraction = ?
  AND e.removed_at IS NULL
"""


class Unchanged(NamedTuple):
    """An item that is as it was."""

    item: Item
    entry_id: int
    revision_id: int
    moved: bool  # but for its time or its stamp


class Sorted(NamedTuple):
    """The items of a batch."""

    other: list[Item]  # to be decided on
    unchanged: list[Unchanged]


def sort_out(connection: sqlite3.Connection, look: Pass, extraction: str, items: Sequence[Item]) -> Sorted:
    """An item is unchanged if its location holds the newest version of its entry, and that has its content.

    What several items of the batch concern is not judged here, as far as their URLs or guids tell.
    """
    paths = [stored_path(item.location) for item in items]
    rows = connection.execute(
        QUERY.format(placeholders(len(paths))), [look.source_id, *paths, extraction]
    ).fetchall()
    if not rows:
        return Sorted(list(items), [])
    held = {row[0]: row[1:] for row in rows}
    sharing = Counter(item.article.uid for item in items)
    other, unchanged = list[Item](), list[Unchanged]()
    for path, item in zip(paths, items, strict=True):
        row = held.get(path)
        if row is None or not is_same(item, row) or sharing[item.article.uid] > 1:
            other.append(item)
            continue
        stamp = tuple(item.stamp) if item.stamp and item.settled else (None, None, None)
        entry_id, revision_id = row[8:]
        moved = (item.stated_ms, *stamp, item.seen) != row[3:8]
        unchanged.append(Unchanged(item, entry_id, revision_id, moved))
    return Sorted(other, unchanged)


def is_same(item: Item, row: tuple[Any, ...]) -> bool:
    uid, url, content_hash = row[:3]
    article = item.article
    return bool(
        article.content_hash == content_hash
        and article.uid == uid
        and article.url == url
        and not item.provisional
    )
