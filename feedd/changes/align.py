"""Which sentence of one version is which of the other: the same, edited, or moved."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from feedd.changes.align_edited import edited
from feedd.changes.matching import Numbers, Run, matching
from feedd.changes.moves import moved, moved_and_edited
from feedd.changes.units import Match, Side, Span, WordNumbers, gaps, without

LONG = 40  # characters of a paragraph that is the same one if it is the same, even if it stands there twice
OTHER_OLD, OTHER_NEW = 0, 1  # stand for those that may be another: never equal


class Alignment(NamedTuple):
    old: Side
    new: Side
    matches: list[Match]  # the same or edited, in order on both sides
    moves: list[Match]


def align(old: Sequence[str], new: Sequence[str], numbers: Numbers, first_block: int) -> Alignment:
    """Paragraphs of two versions; both have `first_block` paragraphs before these."""
    words = WordNumbers(numbers)
    a, b = Side(numbers, words, first_block), Side(numbers, words, first_block)
    matches = list(same(old, new, a, b))
    rest = list(gaps(matches, a, b))
    moves = moved(rest, a, b)
    rest = without(rest, moves)
    pairs = [pair for gap in rest for pair in edited(gap, a, b)]
    moves += moved_and_edited(without(rest, pairs), a, b)
    return Alignment(a, b, sorted(matches + pairs), moves)


def same(old: Sequence[str], new: Sequence[str], a: Side, b: Side) -> Iterator[Match]:
    """Long paragraphs that stayed, and between them sentences that did. Fills both sides."""
    shared = sure(old, new, a.numbers)
    old_ids = [shared.get(a.numbers[block], OTHER_OLD) for block in old]
    new_ids = [shared.get(b.numbers[block], OTHER_NEW) for block in new]
    i = j = 0
    for run in (*in_order(old_ids, new_ids), Run(len(old), len(new), 0)):
        yield from same_sentences(old[i : run.old], new[j : run.new], a, b)
        i, j = run.old + run.size, run.new + run.size
        for before, after in zip(old[run.old : i], new[run.new : j], strict=True):
            at, to = len(a.texts), len(b.texts)
            a.add_whole(before)
            b.add_whole(after)
            yield Match(Span(at, at + 1), Span(to, to + 1), same=True)


def sure(old: Sequence[str], new: Sequence[str], numbers: Numbers) -> dict[int, int]:
    """Numbers of paragraphs that are long, or stand once in either version; each gets another than OTHER."""
    once_old, once_new = Counter(numbers.of(old)), Counter(numbers.of(new))
    return {
        number: number + 2
        for number, block in zip(numbers.of(old), old, strict=True)
        if number in once_new and (len(block) >= LONG or once_old[number] == once_new[number] == 1)
    }


def same_sentences(old: Sequence[str], new: Sequence[str], a: Side, b: Side) -> Iterator[Match]:
    at, to = len(a.texts), len(b.texts)
    a.add_sentences(old)
    b.add_sentences(new)
    for run in in_order(a.ids[at:], b.ids[to:]):
        for step in range(run.size):
            i, j = at + run.old + step, to + run.new + step
            yield Match(Span(i, i + 1), Span(j, j + 1), same=True)


def in_order(old: Sequence[int], new: Sequence[int]) -> list[Run]:
    """What both have; of the ways to tell it, that in which all stands where it stood: the cells of a table."""
    found = matching(old, new)
    if len(old) != len(new):
        return found
    same = [Run(at, at, 1) for at, (i, j) in enumerate(zip(old, new, strict=True)) if i == j]
    return same if len(same) == sum(run.size for run in found) else found
