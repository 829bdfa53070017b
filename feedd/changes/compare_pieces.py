"""What was edited within a sentence, word by word, as runs that people can read."""

from collections.abc import Iterator
from itertools import chain, pairwise
from typing import NamedTuple

from feedd.changes.matching import BLANK, Numbers, Run, matching
from feedd.changes.segment import is_character, is_word, key
from feedd.changes.values import Op, Piece

LONGEST = 20_000  # characters; what is longer is no sentence and no title
LARGE_RUN = 4  # words; half as much counts a character that is a part of a word
PASSES = 8


class Words(NamedTuple):
    """A sentence as its tokens; the places and numbers of those that are not white space."""

    tokens: list[str]
    places: list[int]
    numbers: list[int]

    def text(self, start: int, end: int) -> str:
        return "".join(self.tokens[start:end])

    def at(self, word: int) -> int:
        """Where the word stands; behind the last one: where the sentence ends."""
        return self.places[word] if word < len(self.places) else len(self.tokens)


def pieces(old: str, new: str, numbers: Numbers) -> tuple[Piece, ...]:
    """The pieces of both; joined they are `old` and `new`. Without an edit, the two differ in typography alone."""
    if max(len(old), len(new)) > LONGEST:
        return replaced(old, new)
    a, b = words_of(old, numbers), words_of(new, numbers)
    runs = readable(matching(a.numbers, b.numbers), a, b, numbers)
    return tuple(merged(chain.from_iterable(steps(runs, a, b))))


def replaced(old: str, new: str) -> tuple[Piece, ...]:
    both = (Piece(Op.DELETE, old, ""), Piece(Op.INSERT, "", new))
    return tuple(piece for piece in both if piece.old or piece.new)


def words_of(text: str, numbers: Numbers) -> Words:
    found = numbers.tokens(text)
    of_all = numbers.of(found)
    places = [at for at, number in enumerate(of_all) if number != BLANK]
    return Words(found, places, [of_all[at] for at in places])


# --- which runs are worth showing as equal ---


class Weights(NamedTuple):
    """How much is said up to each word: letters of an edit, letters of what stayed, words."""

    edit: list[int]
    equal: list[int]
    words: list[float]


def weights(words: Words, known: dict[str, tuple[int, int, float]]) -> Weights:
    """Sums; a character of a script without spaces says about as much as two letters. `known`: of each token."""
    edit, equal, said = [0], [0], [0.0]
    of_edit = of_equal = 0
    of_words = 0.0
    for at in words.places:
        token = words.tokens[at]
        weight = known.get(token)
        if weight is None:
            weight = known[token] = weighed(token)
        of_edit, of_equal, of_words = of_edit + weight[0], of_equal + weight[1], of_words + weight[2]
        edit.append(of_edit)
        equal.append(of_equal)
        said.append(of_words)
    return Weights(edit, equal, said)


def weighed(token: str) -> tuple[int, int, float]:
    length, character = len(token), is_character(token)
    return (2 * length, 3 * length, 0.5) if character else (length, length, float(is_word(token)))


def readable(runs: list[Run], a: Words, b: Words, numbers: Numbers) -> list[Run]:
    """The runs without those that would break an edit into crumbs."""
    if all(is_end(run, a, b) for run in runs):
        return runs
    old, new = weights(a, numbers.known_weights), weights(b, numbers.known_weights)
    for _ in range(PASSES):
        kept = [run for at, run in enumerate(runs) if not is_crumb(runs, at, old, new)]
        if len(kept) == len(runs):
            break
        runs = kept
    stayed = sum(old.equal[run.old + run.size] - old.equal[run.old] for run in runs)
    if stayed * 2 >= max(old.equal[-1], new.equal[-1]):
        return runs
    return [
        run
        for run in runs
        if is_end(run, a, b) or old.words[run.old + run.size] - old.words[run.old] >= LARGE_RUN
    ]


def is_end(run: Run, a: Words, b: Words) -> bool:
    """Whether both sentences begin, or both end, with the run."""
    begins = run.old == run.new == 0
    return begins or (run.old + run.size == len(a.places) and run.new + run.size == len(b.places))


def is_crumb(runs: list[Run], at: int, old: Weights, new: Weights) -> bool:
    """Whether a run between two edits says less than either, or next to nothing."""
    run = runs[at]
    before = runs[at - 1] if at else Run(0, 0, 0)
    after = runs[at + 1] if at + 1 < len(runs) else Run(len(old.edit) - 1, len(new.edit) - 1, 0)
    left = larger_edit(before, run, old, new)
    right = larger_edit(run, after, old, new)
    if not left or not right:
        return False
    said = old.words[run.old + run.size] - old.words[run.old]
    if said < 1:
        return True
    weight = old.equal[run.old + run.size] - old.equal[run.old]
    return weight < left and weight < right


def larger_edit(before: Run, after: Run, old: Weights, new: Weights) -> int:
    """What was deleted or what was inserted between two runs, whichever is more."""
    deleted = old.edit[after.old] - old.edit[before.old + before.size]
    inserted = new.edit[after.new] - new.edit[before.new + before.size]
    return max(deleted, inserted)


# --- from runs of words to pieces of text ---


def steps(runs: list[Run], a: Words, b: Words) -> Iterator[list[Piece]]:
    """Runs and what lies between them, in turns, with the white space where it reads best."""
    i = j = 0
    parts = [part for run in runs for part in unbroken(run, a, b)]
    for at, run in enumerate(parts):
        start_a, start_b = a.at(run.old), b.at(run.new)
        yield edit(a.tokens[i:start_a], b.tokens[j:start_b], inner=at > 0)
        i, j = a.places[run.old + run.size - 1] + 1, b.places[run.new + run.size - 1] + 1
        yield [Piece(Op.EQUAL, a.text(start_a, i), b.text(start_b, j))]
    yield edit(a.tokens[i:], b.tokens[j:], inner=False)


def unbroken(run: Run, a: Words, b: Words) -> list[Run]:
    """The run, split where one side alone has white space between two words and that is more than typography."""
    last = run.size - 1
    old_text = a.text(a.places[run.old], a.places[run.old + last] + 1)
    new_text = b.text(b.places[run.new], b.places[run.new + last] + 1)
    if old_text == new_text or key(old_text) == key(new_text):
        return [run]
    starts = [
        0,
        *(at for at in range(1, run.size) if differs_before(run.old + at, run.new + at, a, b)),
        run.size,
    ]
    parts = [Run(run.old + start, run.new + start, end - start) for start, end in pairwise(starts)]
    return [part for part in parts if len(parts) == 1 or has_word(part, a)]


def has_word(run: Run, a: Words) -> bool:
    return any(is_word(a.tokens[at]) for at in a.places[run.old : run.old + run.size])


def differs_before(i: int, j: int, a: Words, b: Words) -> bool:
    old, new = a.places[i] - a.places[i - 1] > 1, b.places[j] - b.places[j - 1] > 1
    if old == new:
        return False
    left, right = a.tokens[a.places[i - 1]], a.tokens[a.places[i]]
    return key(f"{left} {right}") != key(left + right)


def edit(old: list[str], new: list[str], *, inner: bool) -> list[Piece]:
    """What lies between two runs. White space that both begin or end with belongs to what stayed."""
    blank_old, blank_new = all(map(is_blank, old)), all(map(is_blank, new))
    if blank_old and blank_new and not (inner and bool(old) != bool(new)):
        return [Piece(Op.EQUAL, "".join(old), "".join(new))]
    head = tail = ("", "")
    if old and new and is_blank(old[0]) and is_blank(new[0]):
        head, old, new = (old[0], new[0]), old[1:], new[1:]
    if old and new and is_blank(old[-1]) and is_blank(new[-1]):
        tail, old, new = (old[-1], new[-1]), old[:-1], new[:-1]
    return [
        Piece(Op.EQUAL, *head),
        Piece(Op.DELETE, "".join(old), ""),
        Piece(Op.INSERT, "", "".join(new)),
        Piece(Op.EQUAL, *tail),
    ]


def is_blank(token: str) -> bool:
    return token.isspace() or not key(token)


def merged(found: Iterator[Piece]) -> list[Piece]:
    """The pieces that hold something, those of one kind as one that stand side by side."""
    result: list[Piece] = []
    for piece in found:
        if not piece.old and not piece.new:
            continue
        if result and result[-1].op is piece.op:
            result[-1] = Piece(piece.op, result[-1].old + piece.old, result[-1].new + piece.new)
        else:
            result.append(piece)
    return result
