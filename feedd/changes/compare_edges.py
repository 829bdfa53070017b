"""Cells of tables and items of lists of which a part went to the next one: the words are the same, who has them is not."""

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import groupby
from typing import NamedTuple

from feedd.changes.compare_pieces import pieces
from feedd.changes.matching import Numbers
from feedd.changes.values import Hunk, Op

ENDS = " [end of cell]"  # words, as white space alone would be typography
WORD = re.compile(r"\w")


class Ends(NamedTuple):
    """Places at which lines end, counted in letters and digits, each with the hunk whose text ends there."""

    letters: str
    lines: dict[int, int]
    cells: dict[int, int]


def with_edges(
    hunks: Sequence[Hunk], old_cells: AbstractSet[int], new_cells: AbstractSet[int]
) -> Iterator[Hunk]:
    """The hunks, with words at the ends of cells that moved. The sets: which paragraphs end a cell or an item."""
    numbers = Numbers()
    following = (*hunks[1:], None)
    looked = [shifted(*pair, old_cells, new_cells, numbers) for pair in zip(hunks, following, strict=True)]
    for differs, group in groupby(looked, key=lambda hunk: hunk.op is not Op.EQUAL):
        run = list(group)
        yield from marked(run, old_cells, new_cells, numbers) if differs and len(run) > 1 else run


def shifted(
    hunk: Hunk,
    following: Hunk | None,
    old_cells: AbstractSet[int],
    new_cells: AbstractSet[int],
    numbers: Numbers,
) -> Hunk:
    """A sentence that stayed, behind which a cell ends in one version, and goes on in the other."""
    if following is None or hunk.op is not Op.EQUAL or following.op is not Op.EQUAL:
        return hunk
    if hunk.old_block not in old_cells or hunk.new_block not in new_cells:
        return hunk
    ended, ends_now = hunk.old_block != following.old_block, hunk.new_block != following.new_block
    if ended == ends_now:
        return hunk
    old, new = hunk.old + ENDS * ended, hunk.new + ENDS * ends_now
    return hunk._replace(op=Op.REPLACE, old=old, new=new, pieces=pieces(old, new, numbers))


def marked(
    run: list[Hunk], old_cells: AbstractSet[int], new_cells: AbstractSet[int], numbers: Numbers
) -> Iterator[Hunk]:
    old = ends([(hunk.old_block, hunk.old) for hunk in run], old_cells)
    new = ends([(hunk.new_block, hunk.new) for hunk in run], new_cells)
    went = came = frozenset[int]()
    if (old.cells or new.cells) and old.letters == new.letters:
        went = frozenset(hunk for at, hunk in old.cells.items() if at not in new.lines)
        came = frozenset(hunk for at, hunk in new.cells.items() if at not in old.lines)
    for at, hunk in enumerate(run):
        if at not in went and at not in came:
            yield hunk
            continue
        before = hunk.old + ENDS if at in went else hunk.old
        after = hunk.new + ENDS if at in came else hunk.new
        edited = pieces(before, after, numbers) if hunk.op is Op.REPLACE else hunk.pieces
        yield hunk._replace(old=before, new=after, pieces=edited)


def ends(texts: Sequence[tuple[int | None, str]], cells: AbstractSet[int]) -> Ends:
    """Of one side of a run of hunks."""
    found = Ends("".join(letter for _, text in texts for letter in WORD.findall(text)), {}, {})
    count, last, last_at = 0, None, 0
    for at, (block, text) in enumerate(texts):
        if block is None:
            continue
        if last is not None and block != last:
            found.lines[count] = last_at
            if last in cells:
                found.cells[count] = last_at
        count += len(WORD.findall(text))
        last, last_at = block, at
    return found
