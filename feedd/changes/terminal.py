"""A Diff for a terminal: colours, and marks that say the same without them."""

import re

import click

from feedd.changes.layout import NOTHING, Fold, Run, beside, directions, inline_runs, rows, says_nothing
from feedd.changes.values import Diff, Op

CONTEXT = 1  # unchanged sentences round a change
# C0, C1, lone surrogates, what ends a line, and what turns the order of letters round: a text can't have them act
HARMFUL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
MARKS = {Op.INSERT: ("{+", "+}"), Op.DELETE: ("[-", "-]")}
COLOURS = {Op.INSERT: "green", Op.DELETE: "red", Op.MOVE: "cyan"}


def coloured(diff: Diff, *, context: int | None = CONTEXT, colour: bool = True) -> str:
    """The text with `[-what is gone-]` and `{+what has come+}`; None of context: all of it."""
    blocks = []
    if facts := [f"{name}: {line(runs, colour=colour)}" for name, runs in beside(diff)]:
        blocks.append("\n".join(facts))
    if says_nothing(diff):
        blocks.append(NOTHING)
    moves = directions(diff.hunks)
    for row in rows(diff.hunks, context):
        if isinstance(row, Fold):
            blocks.append(click.style(row.words, dim=True) if colour else row.words)
        else:
            blocks.append(line(tuple(inline_runs(row.hunks, moves)), colour=colour))
    return "\n\n".join(blocks) + "\n"


def line(runs: tuple[Run, ...], *, colour: bool) -> str:
    """One paragraph; where all of it is gone or has come, one mark tells so."""
    return "".join(marked(run, colour=colour) for run in runs)


def marked(run: Run, *, colour: bool) -> str:
    start, end = MARKS.get(run.op, ("", ""))
    text = f"{start}{harmless(run.text)}{end}"
    return click.style(text, fg=COLOURS[run.op]) if colour and run.op in COLOURS else text


def harmless(text: str) -> str:
    """`text` without anything that a terminal acts on: line ends as spaces, the rest as it is escaped."""
    return HARMFUL.sub(escaped, text)


def escaped(found: re.Match[str]) -> str:
    char = found[0]
    return " " if char.isspace() else char.encode("unicode_escape").decode()
