"""What was aligned, as hunks in the order in which both texts are read."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from feedd.changes.align import Alignment
from feedd.changes.compare_pieces import pieces
from feedd.changes.matching import Numbers
from feedd.changes.units import Match, Side, Span
from feedd.changes.values import Hunk, Op

Moves = dict[int, tuple[int, Hunk]]  # by the first unit: the unit behind the last one, and how it is shown


class Loose(NamedTuple):
    """Units of a side that have no match in their place: deleted or inserted, but for what moved."""

    side: Side
    moves: Moves
    op: Op

    def within(self, start: int, end: int) -> Iterator[Hunk]:
        at = start
        while at < end:
            at, hunk = self.moves.get(at) or (at + 1, self.hunk(at))
            yield hunk

    def hunk(self, at: int) -> Hunk:
        text, block = self.side.texts[at], self.side.blocks[at]
        if self.op is Op.DELETE:
            return Hunk(Op.DELETE, text, "", block, None)
        return Hunk(Op.INSERT, "", text, None, block)


def differing(found: Alignment, numbers: Numbers) -> Iterator[Hunk]:
    """The hunks; sentences that stayed as one if they follow each other."""
    return merged(in_order(found, numbers))


def in_order(found: Alignment, numbers: Numbers) -> Iterator[Hunk]:
    went, came = loose(found, numbers)
    i = j = 0
    last_old = last_new = -1
    end = Match(Span(len(found.old.texts), 0), Span(len(found.new.texts), 0), same=True)
    for match in (*found.matches, end):
        hunk = None if match is end else matched(match, found, numbers)
        next_old, next_new = (hunk.old_block, hunk.new_block) if hunk else (None, None)
        gone = [(stage(each.old_block, last_old, next_old), each) for each in went.within(i, match.old.start)]
        come = [(stage(each.new_block, last_new, next_new), each) for each in came.within(j, match.new.start)]
        yield from (each for _, each in sorted(gone + come, key=lambda pair: pair[0]))
        if hunk:
            yield hunk
            i, j = match.old.end, match.new.end
            last_old, last_new = found.old.blocks[i - 1], found.new.blocks[j - 1]


def stage(block: int | None, last: int, following: int | None) -> int:
    """Whether something between two matches ends the paragraph of the one, or begins that of the other."""
    if block == last:
        return 0
    return 2 if block == following else 1


def matched(match: Match, found: Alignment, numbers: Numbers) -> Hunk:
    before, after = found.old.text(match.old), found.new.text(match.new)
    places = found.old.blocks[match.old.start], found.new.blocks[match.new.start]
    parts = () if match.same else pieces(before, after, numbers)
    if all(piece.op is Op.EQUAL for piece in parts):
        return Hunk(Op.EQUAL, before, after, *places)
    return Hunk(Op.REPLACE, before, after, *places, parts)


def loose(found: Alignment, numbers: Numbers) -> tuple[Loose, Loose]:
    went, came = Moves(), Moves()
    for number, (old, new, same) in enumerate(sorted(found.moves), 1):
        before, after = found.old.text(old), found.new.text(new)
        parts = () if same else pieces(before, after, numbers)
        went[old.start] = old.end, Hunk(Op.MOVE, before, "", found.old.blocks[old.start], None, (), number)
        came[new.start] = new.end, Hunk(Op.MOVE, "", after, None, found.new.blocks[new.start], parts, number)
    return Loose(found.old, went, Op.DELETE), Loose(found.new, came, Op.INSERT)


def merged(hunks: Iterable[Hunk]) -> Iterator[Hunk]:
    for (op, *places), group in groupby(hunks, key=lambda hunk: (hunk.op, hunk.old_block, hunk.new_block)):
        if op is not Op.EQUAL:
            yield from group
            continue
        same = list(group)
        yield Hunk(op, "".join(each.old for each in same), "".join(each.new for each in same), *places)
