"""A Diff as Markdown: ~~what is gone~~ **what has come**; and text of strangers so that nothing in it is Markdown.

What is written is what CommonMark, GitHub, Discord, Slack, Mattermost and Matrix read alike, or show legibly. Where a
backslash is no escape everywhere, an invisible ZERO WIDTH SPACE parts what would act together (`<b>`, `@everyone`).
Bare addresses stay: some programs make links of them, which lead where they say.
"""

import re

from feedd.changes import plain
from feedd.changes.plain import CONTEXT, Style, readable
from feedd.changes.values import Diff, Op

SIGNS = {Op.DELETE: "~~", Op.INSERT: "**", Op.MOVE: "*"}
NOTHING_WIDE = "\u200b"
ACTS = re.compile(
    r"(?P<escape>[*`\[\]~]|\\(?=[!-/:-@\[-`{-~]|\Z)|(?<![^\W_])_|_(?![^\W_])|\|(?=\|)|(?<=\|)\||(?<!\s)>)"
    r"|(?P<part><(?=\S|\Z)|&(?=\#|\w+;|\Z)|@(?=everyone|here|channel|all)|(?<![\w.])@(?=\w|\Z))",
    re.IGNORECASE,
)
# what makes a heading, a quotation, a list, a rule or a table of the line that it begins (CommonMark sections 4 and 5)
BEGINS = re.compile(r"\s*(?:(?P<sign>[#>+=|:-])|(?P<number>\d+)(?P<dot>[.)]))")
EDGES = re.compile(r"(\s*)(.*?)(\s*)", re.DOTALL)


def inline(diff: Diff, *, context: int | None = CONTEXT, limit: int) -> str:
    """Both versions in one text, an empty line between paragraphs; in `limit` bytes, and a notice if it was cut."""
    return plain.inline(diff, context=context, limit=limit, style=MARKDOWN)


def escaped(text: str) -> str:
    """Text of strangers as one line that is text in Markdown, wherever it stands."""
    return begun(signs_escaped(" ".join(text.split())))


def within(text: str) -> str:
    """Text of strangers that does not begin a line; nor does a terminal act on it."""
    return signs_escaped(readable(text))


def signs_escaped(text: str) -> str:
    return ACTS.sub(lambda found: f"\\{found[0]}" if found["escape"] else found[0] + NOTHING_WIDE, text)


def begun(line: str) -> str:
    """A line that is no more than a paragraph, whatever it begins with."""
    return BEGINS.sub(no_block, line.lstrip(), count=1) if BEGINS.match(line) else line.lstrip()


def no_block(found: re.Match[str]) -> str:
    return f"\\{found['sign']}" if found["sign"] else f"{found['number']}\\{found['dot']}"


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
