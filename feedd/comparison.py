"""Two versions of an entry side by side: which ones, what differs, and how much that says."""

from collections.abc import Sequence
from typing import NamedTuple

from feedd.changes.compare import compare
from feedd.changes.significance import judge
from feedd.changes.values import Diff, Judged
from feedd.errors import UsageError
from feedd.store.judging import Unpacked
from feedd.store.reader import Reader, Revision


class Comparison(NamedTuple):
    old: Revision
    new: Revision
    diff: Diff
    judged: Judged


def compared(reader: Reader, old: Revision, new: Revision) -> Comparison:
    """Raises NoLongerKept."""
    unpacked = Unpacked()  # one of them may well be on the way to the other
    diff = compare(
        reader.version_content(old.revision_id, unpacked),
        reader.version_content(new.revision_id, unpacked),
    )
    return Comparison(old, new, diff, judge(diff))


def numbered(history: Sequence[Revision], number: int) -> Revision:
    """Raises UsageError."""
    for revision in history:
        if revision.number == number:
            return revision
    raise UsageError(f"there is no version {number} of this entry; it has {range_of(history)}")


def range_of(history: Sequence[Revision]) -> str:
    first, last = history[0].number, history[-1].number
    return f"version {first} alone" if first == last else f"versions {first} to {last}"


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
