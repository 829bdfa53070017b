"""A Diff as Markdown: ~~what is gone~~ **what has come**.

What is written is what CommonMark, GitHub, Discord, Slack, Mattermost and Matrix read alike, or show legibly.
"""

import re

from feedd.changes import plain
from feedd.changes.escaping import NOTHING_WIDE, begun, signs_escaped
from feedd.changes.plain import CONTEXT, Style, readable
from feedd.changes.values import Diff, Op

SIGNS = {Op.DELETE: "~~", Op.INSERT: "**", Op.MOVE: "*"}
EDGES = re.compile(r"(\s*)(.*?)(\s*)", re.DOTALL)


def inline(diff: Diff, *, context: int | None = CONTEXT, limit: int) -> str:
    """Both versions in one text, an empty line between paragraphs; in `limit` bytes, and a notice if it was cut."""
    return plain.inline(diff, context=context, limit=limit, style=MARKDOWN)


def within(text: str) -> str:
    """Text of strangers that does not begin a line; nor does a terminal act on it."""
    return signs_escaped(readable(text))


def marked(op: Op, text: str) -> str:
    """Marked so that the marks act: with white space outside, and beside a letter (CommonMark section 6.2)."""
    sign = SIGNS.get(op)
    if sign is None:
        return text
    edges = EDGES.fullmatch(text)
    assert edges is not None
    before, core, after = edges.groups()
    if not core:  # a space that was put in or taken out, which parts or joins words
        before, core, after = "", "␣" * len(text), ""
    start = "" if core[0].isalnum() else NOTHING_WIDE
    end = "" if core[-1].isalnum() else NOTHING_WIDE
    return f"{before}{sign}{start}{core}{end}{sign}{after}"


MARKDOWN = Style(within, marked, begun, said="*{}*", between=plain.APART, apart=True)
