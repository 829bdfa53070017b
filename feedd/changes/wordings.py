"""One run of words that differs, and what it says if it is on no white list: numbers, negations, names, wording. Pure."""

import re
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from feedd.changes.direction import isolated
from feedd.changes.lexicon import (
    CURRENCIES,
    NEGATING_RUNS,
    NO_NEGATION,
    is_date_word,
    is_negation,
    is_numeric,
    looks_alike,
)
from feedd.changes.numbers import counted, is_date, narrowed, reading, tells_number, weekday
from feedd.changes.segment import is_word
from feedd.model import Significance

SHOWN = 40  # characters of a wording in a reason
READ_WHOLE = 4  # words on a side that are told together with the number among them
PUNCTUATION = frozenset(",;:.!…—–―‒-()[]{}、。，；：！・‧،؛۔¡【】〔〕")
QUOTES = frozenset("\"'`《》〈〉")
HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
QUESTIONS = frozenset("?？؟¿⁉⁇")
ZERO_WIDTH_JOINER, ZERO_WIDTH_NON_JOINER = "\u200d", "\u200c"
EMOJI = re.compile("[\u2190-\u2bff\ufe0f\U0001f000-\U0001faff]")


class Rank(IntEnum):
    """What is told first."""

    NUMBER = 0
    NEGATION = 1
    DATE = 2
    TITLE = 3
    NAME = 4
    QUOTATION = 5
    REMOVED = 6
    WORDING = 7
    ADDED = 8
    MOVED = 9
    AUTHOR = 10
    PICTURE = 11
    LINK = 12
    SPELLING = 13
    PUNCTUATION = 14
    SPACING = 15


class Finding(NamedTuple):
    """One difference, and how much it says."""

    level: Significance
    rank: Rank
    reason: str


class Change(NamedTuple):
    """A run of tokens that differs: `old[o1:o2]` against `new[n1:n2]`. What stands beside it is equal."""

    old: Sequence[str]
    new: Sequence[str]
    o1: int
    o2: int
    n1: int
    n2: int

    @property
    def gone(self) -> Sequence[str]:
        return self.old[self.o1 : self.o2]

    @property
    def come(self) -> Sequence[str]:
        return self.new[self.n1 : self.n2]

    @property
    def left(self) -> str:
        """The part before it, behind which there may be white space; "" at the beginning."""
        return next((part for part in reversed(self.old[max(0, self.o1 - 2) : self.o1]) if part != " "), "")

    @property
    def right(self) -> str:
        return next((part for part in self.old[self.o2 : self.o2 + 2] if part != " "), "")


def substantial(rank: Rank, reason: str) -> Finding:
    return Finding(Significance.SUBSTANTIAL, rank, reason)


def said(change: Change) -> list[Finding]:
    """What a run says that is on no white list."""
    if all(part == " " or part in PUNCTUATION for part in (*change.gone, *change.come)):
        return [punctuated(change)]
    found = [*numbers(change), *negations(change)]
    if count(change.gone, QUOTES) != count(change.come, QUOTES):
        found.append(substantial(Rank.QUOTATION, "quotation"))
    if count(change.gone, QUESTIONS) != count(change.come, QUESTIONS):
        found.append(substantial(Rank.QUOTATION, "question mark"))
    if found and (is_read_whole(change) or not any(map(is_plain_word, (*change.gone, *change.come)))):
        return found
    return [*found, wording(change)] if not found or len(change.gone) + len(change.come) > 2 else found


def punctuated(change: Change) -> Finding:
    """Punctuation, or white space, beside a number, a sign or a negation, or within a name."""
    rank = Rank.NUMBER if tells_number((change.left, change.right)) else Rank.WORDING
    o1, n1 = max(0, change.o1 - 2), max(0, change.n1 - 2)
    old, new = change.old[o1 : change.o2 + 2], change.new[n1 : change.n2 + 2]
    return substantial(rank, f"punctuation: {told(''.join(old).strip(), ''.join(new).strip())}")


def count(tokens_: Sequence[str], of: frozenset[str]) -> int:
    return sum(part in of for part in tokens_)


def is_plain_word(part: str) -> bool:
    return is_word(part) and not is_numeric(part.casefold()) and not is_negation(part.casefold())


def numbers(change: Change) -> list[Finding]:
    """The numbers that are touched, as they are read."""
    if day := weekday(change.left, change.gone, change.come, change.right):
        return [substantial(Rank.DATE, f"date {told(*day)}")]
    if not touches_number(change):
        return []
    old, new = readings(change)
    if old == new:
        return []
    name, rank = ("date", Rank.DATE) if is_date((*old, *new)) else ("number", Rank.NUMBER)
    if (counted(old) and counted(new)) or (counted((*old, *new)) and is_read_whole(change)):
        return [substantial(rank, f"{name} {told(''.join(old), ''.join(new))}")]
    if counted(old):
        return [substantial(rank, f"{name} removed: {shown(''.join(old))}")]
    return [substantial(rank, f"{name} added: {shown(''.join(new))}")] if counted(new) else []


def readings(change: Change) -> tuple[Sequence[str], Sequence[str]]:
    """The number that is touched on either side, and with it what else differs, if that is short."""
    if is_read_whole(change):
        return read_along(change.old, change.o1, change.o2), read_along(change.new, change.n1, change.n2)
    return (
        read_along(change.old, *narrowed(change.old, change.o1, change.o2)),
        read_along(change.new, *narrowed(change.new, change.n1, change.n2)),
    )


def read_along(words: Sequence[str], start: int, end: int) -> Sequence[str]:
    first, last = reading(words, start, end)
    return words[first:last]


def is_read_whole(change: Change) -> bool:
    """Whether all that differs is told together with its number."""
    gone, come = change.gone, change.come
    if len(gone) == len(come) == 1 and touches_number(change):
        return not is_negation(gone[0].casefold()) and not is_negation(come[0].casefold())
    return (
        max(sum(map(is_word, side)) for side in (gone, come)) <= READ_WHOLE
        and counted(read_along(change.old, change.o1, change.o2))
        and counted(read_along(change.new, change.n1, change.n2))
    )


def touches_number(change: Change) -> bool:
    return tells_number(change.gone) or tells_number(change.come) or is_between_digits(change)


def is_between_digits(change: Change) -> bool:
    """Whether what differs stands beside a number, as its sign, currency or unit may."""
    plain = any(map(is_word, (*change.gone, *change.come)))
    if change.right in CURRENCIES and counted(change.old[change.o2 : change.o2 + 2]):
        return True
    return is_numeric(change.left.casefold()) or (is_numeric(change.right.casefold()) and not plain)


def negations(change: Change) -> list[Finding]:
    """The negations that are gone or come."""
    gone = denials(change.gone, change.old[max(0, change.o1 - 3) : change.o2 + 2])
    come = denials(change.come, change.new[max(0, change.n1 - 3) : change.n2 + 2])
    left, new = ([word for word in side if word not in other] for side, other in ((gone, come), (come, gone)))
    return [
        *(substantial(Rank.NEGATION, f"negation removed: {shown(word)}") for word in left),
        *(substantial(Rank.NEGATION, f"negation added: {shown(word)}") for word in new),
    ]


def denials(words: Sequence[str], around: Sequence[str]) -> list[str]:
    """The negations among the words, and the negating endings that they are a part of."""
    folded = ("ne" if word.casefold() == "n'" else word.casefold() for word in words)
    found = [word for word in folded if is_negation(word)]
    text = NO_NEGATION.sub("", "".join(around))
    return [*found, *(ending for ending in NEGATING_RUNS if ending in text)]


def wording(change: Change) -> Finding:
    """The words as they stood and stand now."""
    gone, come = change.gone, change.come
    old, new = "".join(gone).strip(), "".join(come).strip()
    words = [part.casefold() for part in (*gone, *come) if is_word(part)]
    if words and all(map(is_date_word, words)):
        return substantial(Rank.DATE, f"date {told(old, new)}")
    if looks_alike(old, new):
        return substantial(Rank.WORDING, f"look-alike letters: {told(old, new)}")
    if is_name(gone, change.o1) and is_name(come, change.n1):
        return substantial(Rank.NAME, f"name {told(old, new)}")
    if old and new:
        left, right = characters_around(change)
        return substantial(Rank.WORDING, f"wording: {told(left + old + right, left + new + right)}")
    if not old and not new:
        return substantial(Rank.WORDING, "words joined or parted")
    return substantial(
        Rank.WORDING, f"wording added: {shown(new)}" if new else f"wording removed: {shown(old)}"
    )


def characters_around(change: Change) -> tuple[str, str]:
    """The Han characters beside a single one that differs: what is told is a word, or a name."""
    if len(change.gone) > 1 or len(change.come) > 1 or not HAN.match(change.gone[0]):
        return "", ""
    return (change.left if HAN.match(change.left) else ""), (change.right if HAN.match(change.right) else "")


def is_name(words: Sequence[str], at: int) -> bool:
    """Whether all the words are capitalised, inside a sentence."""
    letters = [word for word in words if is_word(word)]
    return bool(letters) and at > 0 and all(word[0].isupper() for word in letters)


def told(old: str, new: str) -> str:
    return f"{isolated(shown(old)) or '—'} → {isolated(shown(new)) or '—'}"


def shown(text: str) -> str:
    """Plain text without control characters, cut to a length that can be read."""
    text = text[: SHOWN * 3]
    text = "".join(
        char for at, char in enumerate(text) if char.isprintable() or is_spelling(text, at)
    ).strip()
    return (
        text
        if len(text) <= SHOWN
        else text[: SHOWN - 1].rstrip(f"{ZERO_WIDTH_JOINER}{ZERO_WIDTH_NON_JOINER} ") + "…"
    )


def is_spelling(text: str, at: int) -> bool:
    """Whether what shows nothing itself makes one picture of the two beside it, or parts letters that would join."""
    beside = text[at - 1 : at], text[at + 1 : at + 2]
    if text[at] == ZERO_WIDTH_NON_JOINER:
        return not any(map(str.isascii, beside))
    return text[at] == ZERO_WIDTH_JOINER and all(map(EMOJI.match, beside))
