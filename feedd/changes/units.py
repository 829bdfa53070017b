"""What is aligned: the sentences of a version, where they stand, and the words in them."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from feedd.changes.matching import BLANK, Numbers
from feedd.changes.segment import is_character, is_word, sentences

MOST_CHARACTERS = 1_000_000  # on one side, of what went or came; a larger rewrite is not looked into
CHARACTERS_A_WORD = 12 / 5  # of a script without spaces


class Span(NamedTuple):
    """Units in a row, all of one paragraph."""

    start: int
    end: int


class Match(NamedTuple):
    """Units of both versions that are one: the same, edited, or, if the order says so, moved."""

    old: Span
    new: Span
    same: bool


class Gap(NamedTuple):
    """Units that have no match yet, between two that have."""

    old: list[int]
    new: list[int]


class WordNumbers(dict[str, int]):
    """A token's number if it is a word or a number, else BLANK."""

    def __init__(self, numbers: Numbers) -> None:
        super().__init__()
        self.numbers = numbers

    def __missing__(self, token: str) -> int:
        number = self[token] = self.numbers[token] if is_word(token) else BLANK
        return number


class Side:
    """One version: its sentences, or whole paragraphs where these stayed, in order; lists are by unit."""

    def __init__(self, numbers: Numbers, words: WordNumbers, first_block: int) -> None:
        self.numbers, self.word_numbers = numbers, words
        self.next_block = first_block
        self.texts: list[str] = []
        self.blocks: list[int] = []
        self.ids: list[int] = []
        self.known_words: dict[int, list[int]] = {}

    def add_whole(self, block: str) -> None:
        self.extend([block])

    def add_sentences(self, blocks: Iterable[str]) -> None:
        for block in blocks:
            self.extend(sentences(block))

    def extend(self, texts: list[str]) -> None:
        """Units of the next paragraph."""
        self.texts += texts
        self.ids += self.numbers.of(texts)
        self.blocks += [self.next_block] * len(texts)
        self.next_block += 1

    def text(self, span: Span) -> str:
        return "".join(self.texts[span.start : span.end])

    def words(self, at: int) -> list[int]:
        """The numbers of the words of a unit; a character of a script without spaces counts as one."""
        found = self.known_words.get(at)
        if found is None:
            of_all = map(self.word_numbers.__getitem__, self.numbers.tokens(self.texts[at]))
            found = self.known_words[at] = [number for number in of_all if number != BLANK]
        return found

    def words_of(self, units: Iterable[int]) -> list[int]:
        return [number for at in units for number in self.words(at)]

    def is_huge(self, units: Iterable[int]) -> bool:
        """Whether there is so much of it that its words are not compared."""
        return sum(len(self.texts[at]) for at in units) > MOST_CHARACTERS

    def says(self, units: Iterable[int]) -> float:
        """How many words the units have, where each character of a script without spaces is a part of one."""
        found = (token for at in units for token in self.numbers.tokens(self.texts[at]) if is_word(token))
        return sum(1 / CHARACTERS_A_WORD if is_character(token) else 1.0 for token in found)


def gaps(matches: list[Match], old: Side, new: Side) -> Iterator[Gap]:
    """What lies between the matches, which are in order on both sides."""
    i = j = 0
    for match in matches:
        if i < match.old.start or j < match.new.start:
            yield Gap(list(range(i, match.old.start)), list(range(j, match.new.start)))
        i, j = match.old.end, match.new.end
    if i < len(old.texts) or j < len(new.texts):
        yield Gap(list(range(i, len(old.texts))), list(range(j, len(new.texts))))


def without(found: list[Gap], matches: Iterable[Match]) -> list[Gap]:
    """The gaps without what has a match now."""
    taken_old, taken_new = set[int](), set[int]()
    for match in matches:
        taken_old.update(range(*match.old))
        taken_new.update(range(*match.new))
    if not taken_old:
        return found
    return [
        Gap([at for at in gap.old if at not in taken_old], [at for at in gap.new if at not in taken_new])
        for gap in found
    ]
