"""What of a feed is new to somebody who has an earlier document of it: the instance manipulation `feed` of RFC 3229.

What the documents held that were made lately is remembered as hashes of their items, in memory, as long as there is an
item left that one of them shares with the newest: after a restart, and for what is older, the whole document is sent.
"""

import threading
from array import array
from collections import OrderedDict
from collections.abc import Collection

from feedd.publish.document import Document

KEPT_BYTES = 4_000_000
AROUND = 800  # bytes that a document takes besides the hashes; half of it where a feed has several
Asked = tuple[str, str, int]  # name, format and limit of a document
Made = dict[str, "array[int]"]  # hashes of what each document held, by its tag; the newest last


def cost(hashes: "array[int]") -> int:
    """Bytes, to remember a document by."""
    return AROUND + len(hashes) * hashes.itemsize


def first(made: Made) -> "array[int]":
    return next(iter(made.values()))


class Held:
    """Remembers what documents held, by what was asked for and entity tag. Usable from any thread.

    Tags stand without quotes, and without the suffix of a coding.
    """

    def __init__(self, keeps: int = KEPT_BYTES) -> None:
        self.keeps = keeps  # bytes
        self.known: OrderedDict[Asked, Made] = OrderedDict()
        self.size = 0
        self.guard = threading.Lock()

    def note(self, asked: Asked, etag: str, document: Document) -> None:
        held = array("q", map(hash, (*document.entries, *document.tombstones)))
        with self.guard:
            made = self.known.setdefault(asked, {})
            self.known.move_to_end(asked)
            self.size += cost(held) - (cost(made.pop(etag)) if etag in made else 0)
            made[etag] = held
            shown = frozenset(held)
            while len(made) > 1 and shown.isdisjoint(first(made)):  # nobody can be told a part by that
                self.forget_first(asked)
            while self.size > self.keeps and (len(self.known) > 1 or len(made) > 1):
                self.forget_first(next(iter(self.known)))

    def forget_first(self, asked: Asked) -> None:
        made = self.known[asked]
        self.size -= cost(made.pop(next(iter(made))))
        if not made:
            del self.known[asked]

    def first_known(self, asked: Asked, tags: Collection[str]) -> str | None:
        """The first of these tags whose document is remembered."""
        with self.guard:
            made = self.known.get(asked)
            return next((tag for tag in tags if tag in made), None) if made else None

    def since(self, asked: Asked, base: str, document: Document) -> Document | None:
        """`document` with what that of the tag `base` did not hold alone; None where that is not known, or is all of it."""
        with self.guard:
            made = self.known.get(asked)
            known = made.get(base) if made else None
        if known is None:
            return None
        held = frozenset(known)
        entries = tuple(each for each in document.entries if hash(each) not in held)
        if len(entries) == len(document.entries):
            return None
        tombstones = tuple(each for each in document.tombstones if hash(each) not in held)
        return document._replace(entries=entries, tombstones=tombstones)
