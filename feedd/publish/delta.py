"""What of a feed is new to somebody who has an earlier document of it: the instance manipulation `feed` of RFC 3229.

What the documents held that were made lately is remembered as hashes of their items, in memory: after a restart, and for
what is older, the whole document is sent.
"""

import threading
from array import array
from collections import OrderedDict
from collections.abc import Collection
from typing import NamedTuple

from feedd.publish.document import Document

KEPT_BYTES = 4_000_000
AROUND = 450  # bytes that a document takes besides the hashes of its items


class Instance(NamedTuple):
    """A document that was made: what of, and its entity tag."""

    name: str
    format: str
    etag: str  # without quotes, and without the suffix of a coding


def cost(hashes: "array[int]") -> int:
    """Bytes, to remember a document by."""
    return AROUND + len(hashes) * hashes.itemsize


class Held:
    """Remembers what documents held. Usable from any thread."""

    def __init__(self, keeps: int = KEPT_BYTES) -> None:
        self.keeps = keeps  # bytes
        self.known: OrderedDict[Instance, array[int]] = OrderedDict()
        self.size = 0
        self.guard = threading.Lock()

    def note(self, instance: Instance, document: Document) -> None:
        held = array("q", map(hash, (*document.entries, *document.tombstones)))
        with self.guard:
            if instance in self.known:
                self.known.move_to_end(instance)
                return
            self.known[instance] = held
            self.size += cost(held)
            while self.size > self.keeps and len(self.known) > 1:
                self.size -= cost(self.known.popitem(last=False)[1])

    def first_known(self, name: str, format_: str, tags: Collection[str]) -> Instance | None:
        """The first of the documents with these tags that is remembered."""
        with self.guard:
            instances = (Instance(name, format_, tag) for tag in tags)
            return next((each for each in instances if each in self.known), None)

    def since(self, base: Instance, document: Document) -> Document | None:
        """`document` with what `base` did not hold alone; None where that is not known any more, or is all of it."""
        with self.guard:
            known = self.known.get(base)
        if known is None:
            return None
        held = frozenset(known)
        entries = tuple(each for each in document.entries if hash(each) not in held)
        if len(entries) == len(document.entries):
            return None
        tombstones = tuple(each for each in document.tombstones if hash(each) not in held)
        return document._replace(entries=entries, tombstones=tombstones)
