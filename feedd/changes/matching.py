"""What two sequences of numbers have in common, in order, in bounded time and memory."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rapidfuzz.distance import LCSseq

from feedd.changes.segment import key, tokens

MOST_CELLS = 400_000_000  # the comparison keeps a bit for each pair of elements: 50 MB

BLANK = 0  # the number of all that typography alone decides


class Numbers(dict[str, int]):
    """A number for each text, the same for two texts whose `key` is; each key is made once."""

    def __init__(self) -> None:
        super().__init__()
        self.of_keys = {"": BLANK}
        self.known_tokens: dict[str, list[str]] = {}
        self.known_weights: dict[str, tuple[int, int, float]] = {}  # see compare_pieces

    def __missing__(self, text: str) -> int:
        number = self[text] = self.of_keys.setdefault(key(text), len(self.of_keys))
        return number

    def tokens(self, sentence: str) -> list[str]:
        """The tokens of a sentence; each is cut once, as it is aligned first and then compared."""
        found = self.known_tokens.get(sentence)
        if found is None:
            found = self.known_tokens[sentence] = tokens(sentence)
        return found

    def of(self, texts: Iterable[str]) -> list[int]:
        return list(map(self.__getitem__, texts))


class Run(NamedTuple):
    """Elements in a row that both sequences have."""

    old: int
    new: int
    size: int


def matching(old: Sequence[int], new: Sequence[int]) -> list[Run]:
    """A longest common subsequence, as runs in order; of sequences that are too large for it, a part of one."""
    head = common_head(old, new)
    tail = common_head(old[head:][::-1], new[head:][::-1])
    middle = between(old[head : len(old) - tail], new[head : len(new) - tail])
    return joined(head, middle, Run(len(old) - tail, len(new) - tail, tail))


def common_head(old: Sequence[int], new: Sequence[int]) -> int:
    """How many elements both begin with."""
    shorter = min(len(old), len(new))
    if old[:shorter] == new[:shorter]:
        return shorter
    return next(at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b)


def between(old: Sequence[int], new: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Pairs of places that match. What only one side has takes no part."""
    common = set(old) & set(new)
    if not common:
        return
    a = [at for at, number in enumerate(old) if number in common]
    b = [at for at, number in enumerate(new) if number in common]
    for i, j in bounded([old[at] for at in a], [new[at] for at in b]):
        yield a[i], b[j]


def bounded(old: list[int], new: list[int]) -> Iterator[tuple[int, int]]:
    """As `between`; what is too large is first split at what is unique on both sides."""
    if len(old) * len(new) <= MOST_CELLS:
        yield from longest(old, new)
        return
    i = j = 0
    for a, b in (*anchors(old, new), (len(old), len(new))):
        if (a - i) * (b - j) <= MOST_CELLS:
            yield from ((i + x, j + y) for x, y in longest(old[i:a], new[j:b]))
        if a < len(old):
            yield a, b
        i, j = a + 1, b + 1


def longest(old: list[int], new: list[int]) -> Iterator[tuple[int, int]]:
    if not old or not new:
        return
    for i, j, size in LCSseq.editops(old, new).as_matching_blocks():
        yield from zip(range(i, i + size), range(j, j + size), strict=True)


def anchors(old: list[int], new: list[int]) -> list[tuple[int, int]]:
    """Places of numbers that stand once on either side: the longest of their chains that is in order on both."""
    once_old, once_new = once(old), once(new)
    pairs = [(at, once_new[number]) for number, at in once_old.items() if number in once_new]
    ends: list[int] = []  # the smallest place in `new` that a chain of each length can end with
    links: list[tuple[int, int, int]] = []  # a pair, and the length of the longest chain that ends with it
    for i, j in pairs:
        length = bisect_left(ends, j)
        ends[length : length + 1] = [j]
        links.append((i, j, length))
    chain: list[tuple[int, int]] = []
    wanted, limit = len(ends) - 1, len(new)
    for i, j, length in reversed(links):
        if length == wanted and j < limit:
            chain.append((i, j))
            wanted, limit = wanted - 1, j
    return chain[::-1]


def once(numbers: list[int]) -> dict[int, int]:
    """Where each number stands that stands there once, in order."""
    counts = Counter(numbers)
    return {number: at for at, number in enumerate(numbers) if counts[number] == 1}


def joined(head: int, pairs: Iterable[tuple[int, int]], tail: Run) -> list[Run]:
    """The head, the pairs of places behind it, and the tail as runs: as one what follows on both sides."""
    found: list[Run] = []
    i = j = 0  # where the run begins
    size = head
    for x, y in pairs:
        if head + x != i + size or head + y != j + size:
            if size:
                found.append(Run(i, j, size))
            i, j, size = head + x, head + y, 0
        size += 1
    if tail.size and tail.old == i + size and tail.new == j + size:
        return [*found, Run(i, j, size + tail.size)]
    return [*found, *(run for run in (Run(i, j, size), tail) if run.size)]
