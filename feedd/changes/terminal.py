"""A Diff for a terminal: colours, and marks that say the same without them."""

from collections.abc import Iterable

import click

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
COLOURS = {Op.INSERT: "green", Op.DELETE: "red", Op.MOVE: "cyan"}


def coloured(diff: Diff, *, context: int | None = CONTEXT) -> str:
    """The text with `[-what is gone-]` and `{+what has come+}`; None of context: all of it."""
    blocks = []
    if facts := [f"{name}: {line(runs)}" for name, runs in beside(diff)]:
        blocks.append("\n".join(facts))
    if says_nothing(diff):
        blocks.append(NOTHING)
    moves = directions(diff.hunks)
    for row in rows(diff.hunks, context):
        if isinstance(row, Fold):
            blocks.append(click.style(row.words, dim=True))
        else:
            blocks.append(line(inline_runs(row.hunks, moves)))
    return "\n\n".join(blocks) + "\n"


def line(runs: Iterable[Run]) -> str:
    """One paragraph."""
    return "".join(map(marked, joined(runs)))


def marked(run: Run) -> str:
    start, end = MARKS.get(run.op, ("", ""))
    text = f"{start}{harmless(run.text)}{end}"
    return click.style(text, fg=COLOURS[run.op]) if run.op in COLOURS else text
