"""What an edited sentence says anew: its old and its new wording → findings. Pure.

Substantial is the default. What is less is a white list: every run of tokens that differs must be explained by
one of its rules, so that it does not matter how the two sentences were aligned.
"""

import re
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from rapidfuzz.distance import Indel

from feedd.changes.lexicon import (
    NEGATING_RUNS,
    NEVER_DOUBLED,
    PLAIN_OPENERS,
    SIGNS,
    is_date_word,
    is_negation,
    is_numeric,
)
from feedd.changes.numbers import is_date, reading, tells_number
from feedd.changes.segment import is_character, is_word, key, tokens
from feedd.changes.spelling import is_correction
from feedd.model import Significance

LARGEST = 4_000_000  # pairs of tokens that are aligned; two sentences with more are taken for two texts
SHOWN = 40  # characters of a wording in a reason

PUNCTUATION = frozenset(",;:.!…—–―‒-()[]{}、。，；：！・‧،؛۔¡【】〔〕")
DASHES = str.maketrans(dict.fromkeys("–—―‒", "-"))
QUOTES = frozenset("\"'`《》〈〉")
HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
QUESTIONS = frozenset("?？؟¿⁉⁇")
STOPS = frozenset(".!?…。！？؟")
# a full stop, or a colon, with no space beside it is a part of a name or an address, not of the sentence
BINDING = frozenset(".:-")


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


NOTHING: tuple[Finding, ...] = ()
PUNCTUATED = Finding(Significance.MINOR, Rank.PUNCTUATION, "punctuation")
CAPITAL = Finding(Significance.MINOR, Rank.PUNCTUATION, "capital letter")


def edits(old: str, new: str, *, opens: bool = True) -> list[Finding]:
    """What differs between two wordings of a sentence; `opens`: it stands where a sentence surely begins."""
    return [
        finding
        for change in aligned(tokens(key(old)), tokens(key(new)))
        for finding in judged(change, opens=opens)
    ]


def aligned(old: Sequence[str], new: Sequence[str]) -> list[Change]:
    """The runs in which two lists of tokens differ, in order."""
    start, shortest = 0, min(len(old), len(new))
    while start < shortest and old[start] == new[start]:
        start += 1
    tail = 0
    while tail < shortest - start and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    ends = len(old) - tail, len(new) - tail
    if start == ends[0] == ends[1]:
        return []
    if start in ends or (ends[0] - start) * (ends[1] - start) > LARGEST:
        return [Change(old, new, start, ends[0], start, ends[1])]
    return [
        Change(old, new, o1 + start, o2 + start, n1 + start, n2 + start)
        for o1, o2, n1, n2 in runs(old[start : ends[0]], new[start : ends[1]])
    ]


def runs(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """The runs that differ; those with nothing but a space between them are one, unless both are known to be harmless."""
    found: list[tuple[int, int, int, int]] = []
    for code in Indel.opcodes(old, new):
        if code.tag == "equal":
            continue
        if found and found[-1][1] == code.src_start and found[-1][3] == code.dest_start:
            found[-1] = (found[-1][0], code.src_end, found[-1][2], code.dest_end)
        else:
            found.append((code.src_start, code.src_end, code.dest_start, code.dest_end))
    return found


def judged(change: Change, *, opens: bool) -> list[Finding]:
    """What one run says."""
    gone, come = change.gone, change.come
    if all(part == " " for part in (*gone, *come)):
        return spacing(change)
    if is_punctuation(change):
        return [PUNCTUATED]
    if len(gone) == len(come):
        pairs = [in_place(change, at, opens=opens) for at in range(len(gone))]
        if None not in pairs:
            return [finding for finding in pairs if finding is not None and finding.reason]
    if is_doubled(change):
        return [Finding(Significance.MINOR, Rank.SPELLING, "word written twice")]
    if dashes_alone(change):
        return [PUNCTUATED]
    return said(change)


# --- what says little ---

EQUAL = Finding(Significance.NONE, Rank.SPACING, "")


def spacing(change: Change) -> list[Finding]:
    """White space says nothing beside punctuation; it does where it joins or splits words or digits."""
    beside = (change.left, change.right)
    if any(part in SIGNS or is_numeric(part.casefold()) for part in beside):
        return said(change)
    if "" in beside or any(part in PUNCTUATION or part in QUOTES or part in QUESTIONS for part in beside):
        return []
    return said(change)


def is_punctuation(change: Change) -> bool:
    """Whether nothing but punctuation differs, and no number, sign or negation stands next to it."""
    gone, come = change.gone, change.come
    if any(part != " " and part not in PUNCTUATION for part in (*gone, *come)):
        return False
    if any(touches(part.casefold()) for part in (change.left, change.right)):
        return False
    return not (binds(change.old, change.o1, change.o2) or binds(change.new, change.n1, change.n2))


def touches(part: str) -> bool:
    """Whether punctuation next to such a part may be a part of what it says; the part is lower-case."""
    return part in SIGNS or is_numeric(part) or is_negation(part) or part in QUESTIONS


def binds(sentence: Sequence[str], start: int, end: int) -> bool:
    """Whether the punctuation in `sentence[start:end]` binds two words into one, as in "example.com"."""
    if not start > 0 or end >= len(sentence) or start == end:
        return False
    beside = sentence[start - 1], sentence[end]
    return (
        all(is_word(part) and not is_character(part) for part in beside)
        and " " not in sentence[start:end]
        and not BINDING.isdisjoint(sentence[start:end])
    )


def in_place(change: Change, at: int, *, opens: bool) -> Finding | None:
    """What it says that one part stands for another; None if the white list does not hold the pair."""
    old, new = change.gone[at], change.come[at]
    if old == new:
        return EQUAL
    if old == " " or new == " ":
        return None
    pair = old.casefold(), new.casefold()
    if pair[0] == pair[1] and old[:1] != new[:1] and old[1:] == new[1:]:
        return CAPITAL if case_is_form(change, at, opens=opens) else None
    if set(pair) in ({"a", "an"}, {"its", "it's"}) and old[0] == new[0]:
        return Finding(Significance.MINOR, Rank.SPELLING, f"spelling: {old} → {new}")
    if is_lower(old) and is_lower(new) and is_correction(old, new):
        return Finding(Significance.MINOR, Rank.SPELLING, f"spelling: {shown(old)} → {shown(new)}")
    return None


def is_lower(word: str) -> bool:
    return word == word.lower() and word.isalpha()


def case_is_form(change: Change, at: int, *, opens: bool) -> bool:
    """Whether a word's capital is owed to its place, at the beginning of a sentence: "turkey" may be Turkey there."""
    return change.gone[at].lower() in PLAIN_OPENERS and (
        begins_sentence(change.old, change.o1 + at, opens=opens)
        or begins_sentence(change.new, change.n1 + at, opens=opens)
    )


def begins_sentence(sentence: Sequence[str], at: int, *, opens: bool) -> bool:
    """Whether a sentence begins with the part at `at`; not behind what may be an abbreviation."""
    before = [part for part in sentence[max(0, at - 6) : at] if part != " " and part not in QUOTES]
    if not before:
        return opens and at <= 6
    return len(before) >= 2 and before[-1] in STOPS and len(before[-2]) >= 4 and is_lower(before[-2])


def is_doubled(change: Change) -> bool:
    """Whether a word that nobody doubles on purpose was written twice."""
    longer, shorter = sorted((change.gone, change.come), key=len, reverse=True)
    words = [part for part in longer if part != " "]
    if shorter or len(words) != 1 or len(longer) != 2 or words[0] not in NEVER_DOUBLED:
        return False
    return words[0] in {change.left.lower(), change.right.lower()}


def dashes_alone(change: Change) -> bool:
    """Whether the run differs in the shape of a dash, between words."""
    if any(touches(part.casefold()) for part in (change.left, change.right, *change.gone, *change.come)):
        return False
    return "".join(change.gone).translate(DASHES) == "".join(change.come).translate(DASHES)


# --- what says much ---


def said(change: Change) -> list[Finding]:
    """What a run says that is on no white list."""
    if all(part == " " or part in PUNCTUATION for part in (*change.gone, *change.come)):
        return [punctuated(change)]
    found = [*numbers(change), *negations(change)]
    if count(change.gone, QUOTES) != count(change.come, QUOTES):
        found.append(substantial(Rank.QUOTATION, "quotation"))
    if count(change.gone, QUESTIONS) != count(change.come, QUESTIONS):
        found.append(substantial(Rank.QUOTATION, "question mark"))
    if found and not any(map(is_plain_word, (*change.gone, *change.come))):
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


def substantial(rank: Rank, reason: str) -> Finding:
    return Finding(Significance.SUBSTANTIAL, rank, reason)


def numbers(change: Change) -> list[Finding]:
    """The numbers that are touched, as they are read."""
    if not (tells_number(change.gone) or tells_number(change.come) or is_between_digits(change)):
        return []
    o1, o2 = reading(change.old, change.o1, change.o2)
    n1, n2 = reading(change.new, change.n1, change.n2)
    old, new = change.old[o1:o2], change.new[n1:n2]
    name, rank = ("date", Rank.DATE) if is_date((*old, *new)) else ("number", Rank.NUMBER)
    return [substantial(rank, f"{name} {told(''.join(old), ''.join(new))}")]


def is_between_digits(change: Change) -> bool:
    return is_numeric(change.left.casefold()) or (
        is_numeric(change.right.casefold()) and not any(map(is_word, (*change.gone, *change.come)))
    )


def negations(change: Change) -> list[Finding]:
    """The negations that are gone or come."""
    gone = denials(change.gone, change.old[max(0, change.o1 - 2) : change.o2 + 2])
    come = denials(change.come, change.new[max(0, change.n1 - 2) : change.n2 + 2])
    return [
        *(
            substantial(Rank.NEGATION, f"negation removed: {shown(word)}")
            for word in gone
            if word not in come
        ),
        *(substantial(Rank.NEGATION, f"negation added: {shown(word)}") for word in come if word not in gone),
    ]


def denials(words: Sequence[str], around: Sequence[str]) -> list[str]:
    """The negations among the words, and the negating endings that they are a part of."""
    found = [word for word in words if is_negation(word.casefold())]
    text = "".join(around)
    return [*found, *(ending for ending in NEGATING_RUNS if ending in text)]


def wording(change: Change) -> Finding:
    """The words as they stood and stand now."""
    gone, come = change.gone, change.come
    old, new = "".join(gone).strip(), "".join(come).strip()
    words = [part.casefold() for part in (*gone, *come) if is_word(part)]
    if words and all(map(is_date_word, words)):
        return substantial(Rank.DATE, f"date {told(old, new)}")
    if is_name(gone, change.o1) and is_name(come, change.n1):
        return substantial(Rank.NAME, f"name {told(old, new)}")
    if old and new:
        left, right = beside(change)
        return substantial(Rank.WORDING, f"wording: {told(left + old + right, left + new + right)}")
    if not old and not new:
        return substantial(Rank.WORDING, "words joined or parted")
    return substantial(
        Rank.WORDING, f"wording added: {shown(new)}" if new else f"wording removed: {shown(old)}"
    )


def beside(change: Change) -> tuple[str, str]:
    """The Han characters beside a single one that differs: what is told is a word, or a name."""
    if len(change.gone) > 1 or len(change.come) > 1 or not HAN.match(change.gone[0]):
        return "", ""
    return (change.left if HAN.match(change.left) else ""), (change.right if HAN.match(change.right) else "")


def is_name(words: Sequence[str], at: int) -> bool:
    """Whether all the words are capitalised, inside a sentence."""
    letters = [word for word in words if is_word(word)]
    return bool(letters) and at > 0 and all(word[0].isupper() for word in letters)


def told(old: str, new: str) -> str:
    return f"{shown(old) or '—'} → {shown(new) or '—'}"


def shown(text: str) -> str:
    """Plain text without control characters, cut to a length that can be read."""
    text = "".join(char for char in text[: SHOWN * 3] if char.isprintable()).strip()
    return text if len(text) <= SHOWN else text[: SHOWN - 1].rstrip() + "…"
