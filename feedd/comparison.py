"""Two versions of an entry side by side: which ones, what differs, and how much that says."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from feedd import shape_types, shapes
from feedd.allocation import held_bytes
from feedd.changes.values import Diff, Judged
from feedd.changes.verdict import compared_and_judged
from feedd.errors import NoLongerKept, UsageError
from feedd.publish.times import rfc3339
from feedd.store.judging import Unpacked
from feedd.store.reader import Reader, Revision

LONGEST = 4_000_000  # characters of HTML of both versions, where others wait
KEPT_BYTES = 8_000_000
Pair = tuple[int, int, int, int]  # revision and when it was seen, of both: a number alone may be given again


class Comparison(NamedTuple):
    old: Revision
    new: Revision
    diff: Diff
    judged: Judged

    @property
    def names(self) -> tuple[str, str]:
        return name_of(self.old), name_of(self.new)

    @property
    def shape(self) -> shape_types.Diff:
        return shapes.diff(self.old.number, self.new.number, self.diff, self.judged)


def name_of(revision: Revision) -> str:
    return f"version {revision.number} ({revision.source}, {rfc3339(revision.seen_ms)})"


class TooLong(UsageError):
    """Two versions that would take too long to be compared."""


class Found(NamedTuple):
    """What a comparison came to."""

    diff: Diff
    judged: Judged


def compared(reader: Reader, old: Revision, new: Revision) -> Comparison:
    """Raises NoLongerKept, and UsageError for a version and itself."""
    found = found_between(reader, old, new)
    return Comparison(old, new, found.diff, found.judged)


def found_between(reader: Reader, old: Revision, new: Revision, longest: int | None = None) -> Found:
    """`longest`: characters of HTML of both, at most. Raises UsageError."""
    if old.number == new.number:
        raise UsageError(f"version {old.number} and version {new.number} are one")
    unpacked = Unpacked()  # one of them may well be on the way to the other
    contents = [reader.version_content(each.revision_id, unpacked) for each in (old, new)]
    characters = sum(len(each.html) for each in contents)
    if longest is not None and characters > longest:
        raise TooLong(f"versions {old.number} and {new.number} are too long to be compared here")
    diff, said = compared_and_judged(*contents)
    return Found(diff, said)


class Comparisons:
    """Makes comparisons, each once, and keeps the last: versions stay what they are. Usable from any thread.

    `longest`: characters of HTML of both versions; `keeps`: bytes of memory that comparisons may take.
    """

    def __init__(self, reader: Reader, longest: int = LONGEST, keeps: int = KEPT_BYTES) -> None:
        self.reader = reader
        self.longest = longest
        self.keeps = keeps
        self.kept: OrderedDict[Pair, Found] = OrderedDict()
        self.size = 0
        self.guard = threading.Lock()
        self.making: dict[Pair, threading.Lock] = {}

    def of(self, old: Revision, new: Revision) -> Comparison:
        """Raises NoLongerKept, TooLong, and UsageError for a version and itself."""
        pair = (old.revision_id, old.seen_ms, new.revision_id, new.seen_ms)
        with self.guard:
            lock = self.making.setdefault(pair, threading.Lock())
        try:
            with lock:
                found = self.known(pair)
                if found is None:
                    found = found_between(self.reader, old, new, self.longest)
                    self.keep(pair, found)
        finally:
            with self.guard:
                self.making.pop(pair, None)
        return Comparison(old, new, found.diff, found.judged)

    def known(self, pair: Pair) -> Found | None:
        with self.guard:
            if pair in self.kept:
                self.kept.move_to_end(pair)
            return self.kept.get(pair)

    def keep(self, pair: Pair, found: Found) -> None:
        with self.guard:
            if (before := self.kept.pop(pair, None)) is not None:
                self.size -= held_bytes(before)
            self.kept[pair] = found
            self.size += held_bytes(found)
            while self.size > self.keeps and len(self.kept) > 1:
                _, dropped = self.kept.popitem(last=False)
                self.size -= held_bytes(dropped)


def numbered(history: Sequence[Revision], number: int) -> Revision:
    """Raises UsageError; NoLongerKept for one that there was."""
    for revision in history:
        if revision.number == number:
            return revision
    last = history[-1].number
    if 1 <= number <= last:
        raise NoLongerKept(f"version {number} is no longer kept")
    raise UsageError(f"there is no version {number} of this entry; the last is {last}")


def newest_pair(history: Sequence[Revision], source: str) -> tuple[Revision, Revision]:
    """The version that the source shows, after the one before it. Raises UsageError where there is none."""
    own = [revision for revision in history if revision.source == source]
    shown = next((revision for revision in own if revision.newest), own[-1])
    earlier = befores(own).get(shown.number) or next((each for each in own if each is not shown), None)
    if earlier is None:
        what = "name two numbers to compare it with another source's" if len(history) > 1 else "see history"
        raise UsageError(
            f"{source} has one version of this entry, so that there is nothing to compare it with; {what}"
        )
    return earlier, shown


def befores(history: Sequence[Revision]) -> dict[int, Revision]:
    """By number: the version that each followed in its source. What came late was followed by nothing."""
    found, last, latest_ms = dict[int, Revision](), dict[str, Revision](), dict[str, int]()
    for each in history:
        source, stated_ms = each.source, each.stated_ms
        if source in last:
            found[each.number] = last[source]
        latest = latest_ms.get(source)
        late = (
            each.change == "duplicate" and stated_ms is not None and latest is not None and stated_ms < latest
        )
        if each.newest or not late:
            last[source] = each
            if stated_ms is not None:
                latest_ms[source] = stated_ms if latest is None else max(latest, stated_ms)
    return found


def after(history: Sequence[Revision], revision: Revision) -> Revision | None:
    """The version that followed this one in its source."""
    earlier = befores(history)
    return next((each for each in history if earlier.get(each.number) is revision), None)
