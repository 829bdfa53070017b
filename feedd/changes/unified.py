"""A Diff as unified text, a line a sentence, as `diff -u` spells it (POSIX `diff`, "Diff -u Output Format")."""

from collections.abc import Iterator
from typing import NamedTuple

from feedd.changes.values import Diff, Hunk, Op
from feedd.harmless import harmless

CONTEXT = 3  # lines


class Line(NamedTuple):
    mark: str  # " ", "-" or "+"
    text: str
    move: int | None = None  # the number that both ends of a move share


def unified(diff: Diff, old_name: str, new_name: str, *, context: int = CONTEXT) -> str:
    """The differing parts; nothing where at most typography and mark-up differ."""
    lines = [*head(diff), *(line for hunk in diff.hunks for line in lines_of(hunk))]
    groups = list(grouped(lines, context))
    if not groups:
        return ""
    return "".join((f"--- {harmless(old_name)}\n+++ {harmless(new_name)}\n", *groups))


def head(diff: Diff) -> Iterator[Line]:
    """What is said besides the text: the title always, the rest where it differs."""
    yield from lines_of(diff.title, "Title: ")
    for name, (old, new) in (("Lead picture: ", diff.image), ("Authors: ", map(", ".join, diff.authors))):
        if old != new:
            yield from (Line(mark, name + harmless(said)) for mark, said in (("-", old), ("+", new)) if said)
    for mark, links in zip("-+", diff.links, strict=True):
        yield from (Line(mark, f"Link: {harmless(link)}") for link in links)


def lines_of(hunk: Hunk, label: str = "") -> Iterator[Line]:
    if hunk.op is Op.EQUAL:
        yield Line(" ", label + harmless(hunk.new).rstrip())
        return
    if hunk.old and (hunk.op is not Op.MOVE or hunk.new_block is None):
        yield Line("-", label + harmless(hunk.old).rstrip(), hunk.move)
    if hunk.new and (hunk.op is not Op.MOVE or hunk.new_block is not None):
        yield Line("+", label + harmless(hunk.new).rstrip(), hunk.move)


def grouped(lines: list[Line], context: int) -> Iterator[str]:
    """The parts round what differs, each with its head (`@@ -1,4 +1,5 @@`)."""
    old = new = 1
    numbers = []  # of the line in either text at which each line stands
    for line in lines:
        numbers.append((old, new))
        old, new = old + (line.mark != "+"), new + (line.mark != "-")
    for start, end in spans(lines, context):
        some = lines[start:end]
        olds, news = (sum(line.mark != other for line in some) for other in "+-")
        first_old, first_new = numbers[start]
        yield f"@@ -{spelled(first_old, olds)} +{spelled(first_new, news)} @@{note(some)}\n"
        yield from (f"{line.mark}{line.text}\n" for line in some)


def note(lines: list[Line]) -> str:
    """What stands behind a head, where patch reads no further: which moves have an end in the part."""
    ends = [(line.move, line.mark) for line in lines if line.move is not None]
    words = [
        f"{'moved away' if mark == '-' else 'moved here'} ({move})" for move, mark in dict.fromkeys(ends)
    ]
    return f" {', '.join(words)}" if words else ""


def spans(lines: list[Line], context: int) -> Iterator[tuple[int, int]]:
    """From and to of each part; those that touch are one."""
    start = end = None
    for at, line in enumerate(lines):
        if line.mark == " ":
            continue
        first, last = max(0, at - context), min(len(lines), at + context + 1)
        if start is not None and end is not None and first > end:
            yield start, end
            start = None
        start, end = first if start is None else start, last
    if start is not None and end is not None:
        yield start, end


def spelled(first: int, count: int) -> str:
    """A range; an empty one names the line before it."""
    if count == 1:
        return str(first)
    return f"{first if count else first - 1},{count}"
