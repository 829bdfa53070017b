"""Which sentences and paragraphs that went from one place came at another."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterator

from rapidfuzz.distance import LCSseq

from feedd.changes.units import Gap, Match, Side, Span

ENOUGH_WORDS = 5  # so that it is no coincidence
ENOUGH_SHARED = 0.8  # of the words of the longer one
MOST_WORDS = 2_000  # of a paragraph that moved and was edited
GRAM = 3  # words in a row: what only one paragraph has is likely to tell it


def moved(rest: list[Gap], a: Side, b: Side) -> list[Match]:
    """What stands at another place as it was, with its neighbours in the paragraph that went along."""
    free_old = {at for gap in rest for at in gap.old}
    free_new = {at for gap in rest for at in gap.new}
    waiting = defaultdict[int, deque[int]](deque)
    for at in sorted(free_new):
        waiting[b.ids[at]].append(at)
    found = []
    for at in sorted(free_old):
        places = waiting.get(a.ids[at])
        if at not in free_old or not places or a.says([at]) < ENOUGH_WORDS:
            continue
        while places and places[0] not in free_new:
            places.popleft()
        if places:
            move = with_neighbours(at, places[0], free_old, free_new, a, b)
            free_old.difference_update(range(*move.old))
            free_new.difference_update(range(*move.new))
            found.append(move)
    return found


def with_neighbours(i: int, j: int, free_old: set[int], free_new: set[int], a: Side, b: Side) -> Match:
    def go_along(x: int, y: int) -> bool:
        if x not in free_old or y not in free_new or a.ids[x] != b.ids[y]:
            return False
        return a.blocks[x] == a.blocks[i] and b.blocks[y] == b.blocks[j]

    before = after = 0
    while go_along(i - before - 1, j - before - 1):
        before += 1
    while go_along(i + after + 1, j + after + 1):
        after += 1
    return Match(Span(i - before, i + after + 1), Span(j - before, j + after + 1), same=True)


def moved_and_edited(rest: list[Gap], a: Side, b: Side) -> list[Match]:
    """What of a paragraph has no match yet and is nearly what has none elsewhere."""
    came = [span for gap in rest for span in spans(gap.new, b)]
    went = [span for gap in rest for span in spans(gap.old, a)]
    if not came or not went or any(a.is_huge(gap.old) or b.is_huge(gap.new) for gap in rest):
        return []
    homes = dict[tuple[int, ...], int]()  # -1: of several
    for at, span in enumerate(came):
        for gram in grams(b, span):
            homes[gram] = at if homes.get(gram, at) == at else -1
    found, taken = [], set[int]()
    for span in went:
        votes = Counter(homes.get(gram, -1) for gram in grams(a, span))
        votes.pop(-1, None)
        for at, _ in votes.most_common(1):
            if at not in taken and is_nearly(span, came[at], a, b):
                taken.add(at)
                found.append(Match(span, came[at], same=False))
    return found


def spans(units: list[int], side: Side) -> Iterator[Span]:
    """The units, those as one that stand side by side in one paragraph."""
    start = None
    for at, unit in enumerate(units):
        start = unit if start is None else start
        following = units[at + 1] if at + 1 < len(units) else None
        if following != unit + 1 or side.blocks[following] != side.blocks[unit]:
            yield Span(start, unit + 1)
            start = None


def grams(side: Side, span: Span) -> list[tuple[int, ...]]:
    words = side.words_of(range(*span))
    return list(zip(*(words[skip:] for skip in range(GRAM)), strict=False))


def is_nearly(old: Span, new: Span, a: Side, b: Side) -> bool:
    before, after = a.words_of(range(*old)), b.words_of(range(*new))
    least = ENOUGH_SHARED * max(len(before), len(after))
    if not least <= min(len(before), len(after)) <= MOST_WORDS or a.says(range(*old)) < ENOUGH_WORDS:
        return False
    return LCSseq.similarity(before, after) >= least
