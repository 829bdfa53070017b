"""The passage of a text that shows best what was looked for, with the words marked. Pure."""

import re
import unicodedata
from collections.abc import Sequence
from html import escape
from itertools import islice
from typing import NamedTuple

from feedd.search.query import Part, Words
from feedd.search.segment import placed, traced

LENGTH = 200  # characters of a fragment
LEAD = 40  # of what stands before the first mark
LOOKED_THROUGH = 50_000  # characters of a text in which a passage is looked for
MOST_MARKS = 1_000  # of one word
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
BREAK = re.compile(r"[\s。！？，；：、]")


class Mark(NamedTuple):
    """From where to where in a text one of the words stands, and which one."""

    start: int
    end: int
    word: int


class Passage(NamedTuple):
    """A piece of text, and what is marked in it: places in `text`, in order, none of which overlap."""

    text: str
    marks: tuple[tuple[int, int], ...]

    @property
    def html(self) -> str:
        """As HTML: escaped, with `<mark>` around what is marked, and no other element."""
        pieces, at = list[str](), 0
        for start, end in self.marks:
            pieces += (
                escape(self.text[at:start], quote=False),
                "<mark>",
                escape(self.text[start:end], quote=False),
            )
            pieces.append("</mark>")
            at = end
        return "".join([*pieces, escape(self.text[at:], quote=False)])


def passage(text: str, words: Sequence[Words], length: int = LENGTH) -> Passage:
    """The best passage of a text; its beginning where nothing of what was looked for stands in it."""
    text = cleaned(text[:LOOKED_THROUGH])
    marks = marked(text, [each for each in words if each.part is None or each.part is Part.TEXT])
    start = best_start(marks, length)
    start = max(0, start - LEAD) if start is not None else 0
    if start:
        found = BREAK.search(text, start, start + LEAD)
        start = found.end() if found and (not marks or found.end() <= first_after(marks, start)) else start
    end = min(len(text), start + length)
    if end < len(text):
        spaces = [found.start() for found in BREAK.finditer(text, max(start, end - LEAD), end)]
        end = spaces[-1] if spaces else end
    return cut_out(text, start, end, marks)


def whole(text: str, words: Sequence[Words], part: Part = Part.TITLE) -> Passage:
    """All of a short text."""
    text = cleaned(text)
    return cut_out(text, 0, len(text), marked(text, [each for each in words if each.part in {None, part}]))


def cleaned(text: str) -> str:
    """As one line, without what is not seen."""
    return " ".join(CONTROLS.sub(" ", unicodedata.normalize("NFC", text)).split())


def marked(text: str, words: Sequence[Words]) -> list[Mark]:
    """Every place where one of the words stands, in order."""
    if not words:
        return []
    folded, origins = traced(text)
    tokens, found = placed(folded), list[Mark]()
    for number, each in enumerate(words):
        spans = islice(tokens.places(each.tokens, prefix=each.prefix), MOST_MARKS)
        if origins is not None:
            found += (Mark(origins[start][0], origins[end - 1][1], number) for start, end in spans)
        else:
            found += (Mark(start, end, number) for start, end in spans)
    return sorted(found)


def best_start(marks: Sequence[Mark], length: int) -> int | None:
    """Where the passage begins that has the most different words, then the most of them, then stands first."""
    best, start, last, within = (0, 0), None, 0, dict[int, int]()
    for first, mark in enumerate(marks):
        while last < len(marks) and marks[last].end <= mark.start + length - LEAD:
            within[marks[last].word] = within.get(marks[last].word, 0) + 1
            last += 1
        seen = (sum(count > 0 for count in within.values()), last - first)
        if start is None or seen > best:
            best, start = seen, mark.start
        if last > first:
            within[mark.word] -= 1
        else:
            last = first + 1  # one that is longer than the passage
    return start


def first_after(marks: Sequence[Mark], place: int) -> int:
    return next((mark.start for mark in marks if mark.start >= place), place)


def cut_out(text: str, start: int, end: int, marks: Sequence[Mark]) -> Passage:
    before, after = "…" if start else "", "…" if end < len(text) else ""
    moved, spans = start - len(before), list[tuple[int, int]]()
    for mark in marks:
        if mark.start < start or mark.end > end:
            continue
        if spans and mark.start - moved <= spans[-1][1]:  # what touches is one
            spans[-1] = (spans[-1][0], max(spans[-1][1], mark.end - moved))
        else:
            spans.append((mark.start - moved, mark.end - moved))
    return Passage(f"{before}{text[start:end]}{after}", tuple(spans))
