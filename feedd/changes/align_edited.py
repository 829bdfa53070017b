"""Which of the sentences that went and came are one that was edited: told by the words they share, in order."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from itertools import takewhile
from typing import NamedTuple

from rapidfuzz.distance import Indel, LCSseq

from feedd.changes.matching import matching
from feedd.changes.segment import key
from feedd.changes.units import Gap, Match, Side, Span

ENOUGH = 0.4  # of the words of the longer sentence
MOST_WORDS = 200_000  # on one side; a larger rewrite is not looked into
BELONGS = 0.6  # of the words of a sentence that was joined with another, or split from it
FEW_WORDS = 3  # a cell of a table, an item of a list
SHORT = 60  # characters
SIMILAR = 0.6  # of the characters of two short texts


class Cell(NamedTuple):
    """Two sentences, and how many words the comparison of all of their neighbours found in both."""

    old: int
    new: int
    shared: int


def edited(gap: Gap, a: Side, b: Side) -> list[Match]:
    """Pairs of sentences, in order on both sides."""
    if not gap.old or not gap.new:
        return []
    cells = shared_words(gap, a, b)
    pairs = widened(best_chain([cell for cell in cells if is_edited(cell, a, b)], a, b), cells, gap, a, b)
    return sorted([*pairs, *in_place(gap, pairs, a, b)])


def shared_words(gap: Gap, a: Side, b: Side) -> list[Cell]:
    """The pairs that share words in a longest common subsequence of all words, in order on both sides."""
    if len(gap.old) == len(gap.new) == 1:
        return [Cell(gap.old[0], gap.new[0], 1)]
    if a.is_huge(gap.old) or b.is_huge(gap.new):
        return []
    old_owners = [at for at in gap.old for _ in a.words(at)]
    new_owners = [at for at in gap.new for _ in b.words(at)]
    if max(len(old_owners), len(new_owners)) > MOST_WORDS:
        return []
    counts = Counter[tuple[int, int]]()
    for run in matching(a.words_of(gap.old), b.words_of(gap.new)):
        counts.update(
            zip(
                old_owners[run.old : run.old + run.size],
                new_owners[run.new : run.new + run.size],
                strict=True,
            )
        )
    return [Cell(i, j, shared) for (i, j), shared in sorted(counts.items())]


def is_edited(cell: Cell, a: Side, b: Side) -> bool:
    old, new = a.words(cell.old), b.words(cell.new)
    least = ENOUGH * max(len(old), len(new))
    return bool(least) and min(len(old), len(new)) >= least and LCSseq.similarity(old, new) >= least


def best_chain(cells: list[Cell], a: Side, b: Side) -> list[Match]:
    """Of pairs in order, in which a sentence may stand twice, those that share most, each sentence once."""
    best, taken = [0], list[int]()
    for at, cell in enumerate(cells):
        before = at
        while before and (cells[before - 1].old == cell.old or cells[before - 1].new == cell.new):
            before -= 1
        total = best[before] + LCSseq.similarity(a.words(cell.old), b.words(cell.new))
        taken.append(before if total > best[at] else -1)
        best.append(max(total, best[at]))
    chain, at = list[Match](), len(cells)
    while at:
        at -= 1
        if taken[at] >= 0:
            i, j, _ = cells[at]
            chain.append(Match(Span(i, i + 1), Span(j, j + 1), same=False))
            at = taken[at]
    return chain[::-1]


def widened(pairs: list[Match], cells: list[Cell], gap: Gap, a: Side, b: Side) -> list[Match]:
    """The pairs, with a sentence that was joined with its neighbour, or split from it, on the side of that."""
    free_old, free_new = set(gap.old), set(gap.new)
    for pair in pairs:
        free_old.remove(pair.old.start)
        free_new.remove(pair.new.start)
    by_old = {pair.old.start: at for at, pair in enumerate(pairs)}
    by_new = {pair.new.start: at for at, pair in enumerate(pairs)}
    result = list(pairs)
    for cell in (*cells, *reversed(cells)):
        if cell.old in free_old and cell.new in by_new and belongs(cell, a.words(cell.old)):
            at = by_new[cell.new]
            if wider := grown(result[at].old, cell.old, a.blocks):
                result[at] = result[at]._replace(old=wider)
                free_old.remove(cell.old)
        elif cell.new in free_new and cell.old in by_old and belongs(cell, b.words(cell.new)):
            at = by_old[cell.old]
            if wider := grown(result[at].new, cell.new, b.blocks):
                result[at] = result[at]._replace(new=wider)
                free_new.remove(cell.new)
    return result


def belongs(cell: Cell, words: list[int]) -> bool:
    return len(words) >= FEW_WORDS and cell.shared >= BELONGS * len(words)


def grown(span: Span, at: int, blocks: list[int]) -> Span | None:
    """The span with the unit at its side; None if that stands elsewhere, or in another paragraph."""
    if at not in {span.start - 1, span.end} or blocks[at] != blocks[span.start]:
        return None
    return Span(min(at, span.start), max(at + 1, span.end))


def in_place(gap: Gap, pairs: list[Match], a: Side, b: Side) -> Iterator[Match]:
    """Short texts of which each stands where the other stood, though they share no word: `-5` and `5`."""
    for rest in parts(gap, pairs):
        if not rest.old or not rest.new:
            continue
        if all(len(a.words(at)) <= FEW_WORDS for at in rest.old) and all(
            len(b.words(at)) <= FEW_WORDS for at in rest.new
        ):
            found = zip(*rest, strict=True) if len(rest.old) == len(rest.new) else numbers(rest, a, b)
            for i, j in found:
                yield Match(Span(i, i + 1), Span(j, j + 1), same=False)
        elif len(rest.old) == len(rest.new) == 1 and is_similar(a.texts[rest.old[0]], b.texts[rest.new[0]]):
            (i,), (j,) = rest
            yield Match(Span(i, i + 1), Span(j, j + 1), same=False)


def numbers(rest: Gap, a: Side, b: Side) -> list[tuple[int, int]]:
    """Of cells of which there are more now, or fewer: those with numbers that begin, or else end, what is left."""
    for old, new in ((rest.old, rest.new), (rest.old[::-1], rest.new[::-1])):
        pairs = list(takewhile(lambda pair: has_digit(pair, a, b), zip(old, new, strict=False)))
        if pairs:
            return sorted(pairs)
    return []


def has_digit(pair: tuple[int, int], a: Side, b: Side) -> bool:
    return all(any(map(str.isdigit, text)) for text in (a.texts[pair[0]], b.texts[pair[1]]))


def parts(gap: Gap, pairs: list[Match]) -> Iterator[Gap]:
    """What lies between the pairs within the gap."""
    i = j = 0
    for pair in pairs:
        a, b = bisect_left(gap.old, pair.old.start, i), bisect_left(gap.new, pair.new.start, j)
        yield Gap(gap.old[i:a], gap.new[j:b])
        i, j = bisect_left(gap.old, pair.old.end, a), bisect_left(gap.new, pair.new.end, b)
    yield Gap(gap.old[i:], gap.new[j:])


def is_similar(old: str, new: str) -> bool:
    """Letter by letter, for texts so short that a word is most of them."""
    if max(len(old), len(new)) > SHORT:
        return False
    return Indel.normalized_similarity(key(old), key(new)) >= SIMILAR
