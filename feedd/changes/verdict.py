"""Comparing and judging, as those want it who seldom do.

What it takes is read at the first time: that is a tenth of a second, and most programs never meet an edit.
"""

from feedd.changes.trim import trimmed
from feedd.changes.values import Content, Diff, Judged


def judged(old: Content, new: Content, *, live: bool = False) -> Judged:
    """How much differs, by what both do not share; `live`: what a live blog adds says little."""
    from feedd.changes.compare import compare
    from feedd.changes.significance import judge

    return judge(compare(*trimmed(old, new)), live=live)


def compared(old: Content, new: Content) -> Diff:
    """What differs, in full."""
    from feedd.changes.compare import compare

    return compare(old, new)


def compared_and_judged(old: Content, new: Content) -> tuple[Diff, Judged]:
    """What differs, in full, and how much it says."""
    from feedd.changes.significance import judge

    diff = compared(old, new)
    return diff, judge(diff)
