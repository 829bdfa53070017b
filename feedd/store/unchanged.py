"""The items of a batch that are as they were, told apart by what their locations hold: by far the most, at most looks."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from feedd.model import Item
from feedd.store.places import Held


class Unchanged(NamedTuple):
    """An item that is as it was."""

    item: Item
    entry_id: int
    revision_id: int | None
    moved: bool  # but for its time or its stamp


class Sorted(NamedTuple):
    """The items of a batch."""

    other: list[Item]  # to be decided on
    unchanged: list[Unchanged]


def sort_out(items: Sequence[Item], held: Mapping[str, Held]) -> Sorted:
    """An item is unchanged if its location holds the newest version of its entry, and that has its content.

    What several items of the batch concern is not judged here, as far as their URLs or guids tell.
    """
    if not held:
        return Sorted(list(items), [])
    sharing = Counter(item.article.uid for item in items)
    other, unchanged = list[Item](), list[Unchanged]()
    for item in items:
        there = held.get(item.location)
        if (
            there is None
            or there.entry_id is None
            or not is_same(item, there)
            or sharing[item.article.uid] > 1
        ):
            other.append(item)
            continue
        stamp = tuple(item.stamp) if item.stamp and item.settled else (None, None, None)
        before = (there.stated_ms, there.size, there.mtime_ns, there.inode, there.seen)
        moved = (item.stated_ms, *stamp, item.seen) != before
        unchanged.append(Unchanged(item, there.entry_id, there.revision_id, moved))
    return Sorted(other, unchanged)


def is_same(item: Item, there: Held) -> bool:
    article = item.article
    return bool(
        there.stands
        and article.content_hash == there.content_hash
        and article.uid == there.uid
        and article.url == there.url
        and not item.provisional
    )
