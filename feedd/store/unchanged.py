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


class Sorted(NamedTuple):
    """The items of a batch."""

    other: list[Item]  # to be decided on
    unchanged: int
    moved: list[tuple[Item, int, int]]  # unchanged, but time or stamp: item, entry, revision


def sort_out(connection: sqlite3.Connection, look: Pass, extraction: str, items: Sequence[Item]) -> Sorted:
    """An item is unchanged if its location holds the newest version of its entry, and that has its content.

    What several items of the batch concern is not judged here.
    """
    paths = [stored_path(item.location) for item in items]
    rows = connection.execute(
        QUERY.format(placeholders(len(paths))), [look.source_id, *paths, extraction]
    ).fetchall()
    if not rows:
        return Sorted(list(items), 0, [])
    held = {row[0]: row[1:] for row in rows}
    shared = Counter(item.article.uid for item in items)
    other, moved, unchanged = list[Item](), list[tuple[Item, int, int]](), 0
    for path, item in zip(paths, items, strict=True):
        row = held.get(path)
        if row is None or not is_same(item, row) or shared[item.article.uid] > 1:
            other.append(item)
            continue
        unchanged += 1
        stamp = tuple(item.stamp) if item.stamp and item.settled else (None, None, None)
        if (item.stated_ms, *stamp, item.seen) != row[3:8]:
            moved.append((item, row[8], row[9]))
    return Sorted(other, unchanged, moved)


def is_same(item: Item, row: tuple[Any, ...]) -> bool:
    uid, url, content_hash = row[:3]
    article = item.article
    return bool(
        article.content_hash == content_hash
        and article.uid == uid
        and article.url == url
        and item.apart is None
        and not item.provisional
    )
