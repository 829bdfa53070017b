"""What an edited sentence says anew: its old and its new wording → findings. Pure.

Substantial is the default. What is less is a white list: every run of tokens that differs must be explained by
one of its rules, so that it does not matter how the two sentences were aligned.
"""

import re
from collections.abc import Sequence

from rapidfuzz.distance import Indel

from feedd.changes.lexicon import NEVER_DOUBLED, PLAIN_OPENERS, SIGNS, is_negation, is_numeric
from feedd.changes.numbers import reading
from feedd.changes.segment import ABBREVIATIONS, is_character, is_word, key, tokens
from feedd.changes.spelling import is_correction
from feedd.changes.wordings import (
    PUNCTUATION,
    QUESTIONS,
    QUOTES,
    Change,
    Finding,
    Rank,
    said,
    shown,
    touches_number,
)
from feedd.model import Significance

LARGEST = 4_000_000  # pairs of tokens that are aligned; two sentences with more are taken for two texts

DASHES = str.maketrans(dict.fromkeys("–—―‒", "-"))
STOPS = frozenset(".!?…。！？؟")
ITEM_COMMAS = frozenset("、،")
# a full stop, or a colon, with no space beside it is a part of a name or an address, not of the sentence
BINDING = frozenset(".:-")
ENDS_IN_QUOTE = re.compile(r'(\w+)"')

PUNCTUATED = Finding(Significance.MINOR, Rank.PUNCTUATION, "punctuation")
CAPITAL = Finding(Significance.MINOR, Rank.PUNCTUATION, "capital letter")


def edits(old: str, new: str, *, opens: bool = True) -> list[Finding]:
    """What differs between two wordings of a sentence; `opens`: it stands where a sentence surely begins."""
    return [
        finding._replace(reason=as_written(finding.reason, old + new)) if '"' in finding.reason else finding
        for group in together(aligned(tokens(key(old)), tokens(key(new))))
        for finding in judged_together(group, opens=opens)
    ]


def as_written(reason: str, text: str) -> str:
    """The reason with apostrophes at the end of words as they stand in the text: a key takes them for quotes."""
    for word in ENDS_IN_QUOTE.findall(reason):
        mark = next((mark for mark in "'’" if word + mark in text), '"')
        reason = reason.replace(f'{word}"', word + mark)
    return reason


def together(changes: Sequence[Change]) -> list[list[Change]]:
    """The runs, grouped: those with nothing but a space between them, or that are parts of one number."""
    groups: list[list[Change]] = []
    for change in changes:
        if groups and belong_together(groups[-1][-1], change):
            groups[-1].append(change)
        else:
            groups.append([change])
    return groups


def belong_together(first: Change, second: Change) -> bool:
    if all(part == " " for part in first.old[first.o2 : second.o1]):
        return True
    if second.o1 - first.o2 > 2 or not (touches_number(first) and touches_number(second)):
        return False
    return (
        reading(first.old, first.o1, first.o2)[1] > reading(second.old, second.o1, second.o2)[0]
        or reading(first.new, first.n1, first.n2)[1] > reading(second.new, second.n1, second.n2)[0]
    )


def judged_together(group: Sequence[Change], *, opens: bool) -> list[Finding]:
    """What a group of runs says: each for itself if all are known to be harmless, else the wording from first to last."""
    found = [finding for change in group for finding in judged(change, opens=opens)]
    if len(group) == 1 or all(finding.level is not Significance.SUBSTANTIAL for finding in found):
        return found
    first, last = group[0], group[-1]
    return said(first._replace(o2=last.o2, n2=last.n2))


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
    """The runs that differ, by their places; what was replaced is one run."""
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
    around = (change.left, change.right)
    if any(part in SIGNS or is_numeric(part.casefold()) for part in around):
        return said(change)
    if "" in around or any(part in PUNCTUATION or part in QUOTES or part in QUESTIONS for part in around):
        return []
    return said(change)


def is_punctuation(change: Change) -> bool:
    """Whether nothing but punctuation differs, and no number, sign or negation stands next to it."""
    gone, come = change.gone, change.come
    if any(part != " " and part not in PUNCTUATION for part in (*gone, *come)):
        return False
    if any(touches(part.casefold()) for part in (change.left, change.right)) or parts_names(change):
        return False
    return not (binds(change.old, change.o1, change.o2) or binds(change.new, change.n1, change.n2))


def parts_names(change: Change) -> bool:
    """Whether the punctuation tells one item or name from the next: "Smith, Jones" are two, "Paris, Texas" is a place."""
    gone, come = ("".join(side).replace(" ", "").translate(DASHES) for side in (change.gone, change.come))
    if not (gone and come) and not ITEM_COMMAS.isdisjoint(gone + come):
        return True
    if gone == come or (gone and come and STOPS.issuperset(gone + come)):
        return False
    before = next((p for p in reversed(change.old[max(0, change.o1 - 4) : change.o1]) if is_letters(p)), "")
    behind = next((p for p in change.old[change.o2 : change.o2 + 4] if is_letters(p)), "")
    if gone + come == "." and (len(before) == 1 or before.casefold() in ABBREVIATIONS):
        return False
    return is_capitalised(before) and is_capitalised(behind)


def is_letters(part: str) -> bool:
    return part != " " and part not in QUOTES and part not in PUNCTUATION


def is_capitalised(word: str) -> bool:
    """Whether the word may be a name, or a part of one."""
    return word[:1].isupper() and word.casefold() not in PLAIN_OPENERS


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
