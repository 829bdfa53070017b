"""A Diff as plain text, in bounded room: `[-what is gone-] {+what has come+}`, as on a terminal without colours.

Other spellings that mark text with signs, such as Markdown's, are made the same way.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

from feedd.changes.direction import TURNING
from feedd.changes.layout import (
    MARKS,
    NOTHING,
    Fold,
    Run,
    beside,
    directions,
    inline_runs,
    joined,
    rows,
    says_nothing,
)
from feedd.changes.values import Diff, Op
from feedd.harmless import harmless

CONTEXT = 1  # unchanged sentences round a change
CUT = "[The comparison is too long to be shown in full: it ends here.]"
APART = "\n\n"
# what turns the order of letters round, isolates too: within marks and tags it would turn these round as well


class Style(NamedTuple):
    """How a text is spelled that strangers wrote, and how runs of it are marked."""

    spelled: Callable[[str], str]  # so that nothing in it acts
    marked: Callable[[Op, str], str]  # text that is spelled already
    paragraph: Callable[[str], str] = str  # what a paragraph may not begin with
    said: str = "{}"  # what we say ourselves
    between: str = "\n"  # what differs besides the text
    apart: bool = False  # whether a space parts what is marked from what is marked otherwise


class Spelled(NamedTuple):
    text: str
    cut: bool  # something was left out for want of room


def with_marks(op: Op, text: str) -> str:
    start, end = MARKS.get(op, ("", ""))
    return f"{start}{text}{end}"


def readable(text: str) -> str:
    """Text of strangers on which nothing acts, and in which nothing turns letters round."""
    return harmless(TURNING.sub("", text))


PLAIN = Style(readable, with_marks)


def inline(diff: Diff, *, context: int | None = CONTEXT, limit: int, style: Style = PLAIN) -> str:
    """Both versions in one text, an empty line between paragraphs; in `limit` bytes, and a notice if it was cut.

    None of context: all of it.
    """
    taken = list[str]()
    for make in blocks(diff, context, style):
        made = make(limit)
        limit -= size(made.text) + len(APART)
        if made.text:
            taken.append(made.text)
        if made.cut or limit <= 0:
            taken.append(style.said.format(CUT))
            break
    return APART.join(taken)


def blocks(diff: Diff, context: int | None, style: Style) -> Iterator[Callable[[int], Spelled]]:
    """What stands between empty lines; each is made when the room for it is known."""
    if facts := list(beside(diff)):
        yield partial(listed, facts, style)
    if says_nothing(diff):
        yield partial(said, NOTHING, style)
    moves = directions(diff.hunks)
    for row in rows(diff.hunks, context):
        if isinstance(row, Fold):
            yield partial(said, row.words, style)
        else:
            yield partial(paragraph, list(inline_runs(row.hunks, moves)), style)


def said(words: str, style: Style, _: int) -> Spelled:
    return Spelled(style.said.format(words), cut=False)


def listed(facts: Iterable[tuple[str, tuple[Run, ...]]], style: Style, room: int) -> Spelled:
    """What differs besides the text."""
    lines = list[str]()
    for name, runs in facts:
        made = filled(runs, style, room)
        lines.append(f"{name}: {made.text}")
        room -= size(lines[-1])
        if made.cut:
            return Spelled(style.between.join(lines), cut=True)
    return Spelled(style.between.join(lines), cut=False)


def paragraph(runs: Iterable[Run], style: Style, room: int) -> Spelled:
    made = filled(runs, style, room)
    return made._replace(text=style.paragraph(made.text))


def filled(runs: Iterable[Run], style: Style, room: int) -> Spelled:
    """The runs, as far as there is room for them."""
    taken, last = list[str](), Op.EQUAL
    for op, text in joined(runs):
        fits = text[: max(room, 0)]
        spelled = style.spelled(fits)
        while fits and size(spelled) > room:
            fits = fits[: len(fits) * room // size(spelled)]
            spelled = style.spelled(fits)
        if fits:
            if style.apart and Op.EQUAL not in {op, last}:
                taken.append(" ")
            taken.append(style.marked(op, spelled))
            room -= size(taken[-1])
            last = op
        if len(fits) < len(text):
            return Spelled("".join((*taken, "…")), cut=True)
    return Spelled("".join(taken), cut=False)


def size(text: str) -> int:
    """In bytes, as it is sent."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
