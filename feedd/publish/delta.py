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

MOST_HASHES = 500_000  # eight bytes each


class Instance(NamedTuple):
    """A document that was made: what of, and its entity tag."""

    name: str
    format: str
    etag: str  # without quotes, and without the suffix of a coding


class Held:
    """Remembers what documents held. Usable from any thread."""

    def __init__(self, most: int = MOST_HASHES) -> None:
        self.most = most
        self.known: OrderedDict[Instance, array[int]] = OrderedDict()
        self.hashes = 0
        self.guard = threading.Lock()

    def note(self, instance: Instance, document: Document) -> None:
        held = array("q", map(hash, (*document.entries, *document.tombstones)))
        with self.guard:
            if instance in self.known:
                self.known.move_to_end(instance)
                return
            self.known[instance] = held
            self.hashes += len(held)
            while self.hashes > self.most and len(self.known) > 1:
                _, dropped = self.known.popitem(last=False)
                self.hashes -= len(dropped)

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
