"""Text of strangers in Markdown so that nothing in it is Markdown. It imports nothing, since every command needs it.

What CommonMark, GitHub, Discord, Slack, Mattermost and Matrix would act on is escaped. Where a backslash is no escape
everywhere, an invisible ZERO WIDTH SPACE parts what would act together (`<b>`, `@everyone`). Bare addresses stay: some
programs make links of them, which lead where they say.
"""

import re

NOTHING_WIDE = "\u200b"
ACTS = re.compile(
    r"(?P<escape>[*`\[\]~]|\\(?=[!-/:-@\[-`{-~]|\Z)|(?<![^\W_])_|_(?![^\W_])|\|(?=\|)|(?<=\|)\||(?<!\s)>)"
    r"|(?P<part><(?=\S|\Z)|&(?=\#|\w+;|\Z)|@(?=everyone|here|channel|all)|(?<![\w.])@(?=\w|\Z))",
    re.IGNORECASE,
)
# what makes a heading, a quotation, a list, a rule or a table of the line that it begins (CommonMark sections 4 and 5)
BEGINS = re.compile(r"\s*(?:(?P<sign>[#>+=|:-])|(?P<number>\d+)(?P<dot>[.)]))")


def escaped(text: str) -> str:
    """Text of strangers as one line that is text in Markdown, wherever it stands."""
    return begun(signs_escaped(" ".join(text.split())))


def signs_escaped(text: str) -> str:
    return ACTS.sub(lambda found: f"\\{found[0]}" if found["escape"] else found[0] + NOTHING_WIDE, text)


def begun(line: str) -> str:
    """A line that is no more than a paragraph, whatever it begins with."""
    return BEGINS.sub(no_block, line.lstrip(), count=1) if BEGINS.match(line) else line.lstrip()


def no_block(found: re.Match[str]) -> str:
    return f"\\{found['sign']}" if found["sign"] else f"{found['number']}\\{found['dot']}"
