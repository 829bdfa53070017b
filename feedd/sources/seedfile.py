"""The seed file format, both ways.

    <!--1706867102000-->        publication time, Unix epoch in milliseconds
    [TITLE](URL)
    ------
                                an empty line
    <p>the body</p>             HTML on one line

Its writer escapes nothing, so the reader goes by what comes last: the title ends at the last ``](``, the URL
at the last ``)`` before the rule line. `parse(render(seed)) == seed` for every seed in normal form, which is
what `parse` returns: white space in the title folded, the body on one line.
"""

import re
from typing import NamedTuple

from feedd.errors import SeedError

COMMENT = re.compile(r"\s*<!--(.*?)-->\s*", re.DOTALL)
LINK = re.compile(r"\s*\[(.*)\]\((.*)\)\s*", re.DOTALL)
RULE = re.compile(r"^-{6}[ \t]*$", re.MULTILINE)
END_OF_HEAD = re.compile(r"\)(\s*)" + RULE.pattern, re.MULTILINE)
WHOLE_NUMBER = re.compile(r"\s*(-?[0-9]{1,18})\s*")
PREFORMATTED = re.compile(r"<(?:pre|textarea)\b", re.IGNORECASE)
TAG = re.compile(r"<[^<>]*>")


class Seed(NamedTuple):
    time_ms: int | None  # as the comment states it, plausible or not; None where it states no whole number
    title: str
    url: str
    body: str


def parse(text: str) -> Seed:
    """Read one seed file, decoded and with line feeds for line ends. Raises SeedError."""
    if not text.strip():
        raise SeedError("the file is empty")
    head, rest = split_at_rule(text)
    comment = COMMENT.match(head)
    link = LINK.fullmatch(head, comment.end() if comment else 0)
    if link is None:
        raise SeedError("no link of the form [title](address) stands before the line of six hyphens")
    url = link[2].strip()
    if not url:
        raise SeedError("the link has no address")
    body = one_line(rest)
    if not body:
        raise SeedError("the body is empty")
    stated = WHOLE_NUMBER.fullmatch(comment[1]) if comment else None
    return Seed(int(stated[1]) if stated else None, " ".join(link[1].split()), url, body)


def render(seed: Seed) -> str:
    """Write one seed file. Raises SeedError where `seed` could not be read back as it is."""
    time = "NaN" if seed.time_ms is None else seed.time_ms
    text = f"<!--{time}-->\n[{seed.title}]({seed.url})\n------\n\n{seed.body}\n"
    if parse(text) != seed:
        raise SeedError(f"'{seed.title}' can't be written as a seed file: it is not in normal form")
    return text


def split_at_rule(text: str) -> tuple[str, str]:
    """What stands before and after the first rule line that follows a complete link."""
    if end := END_OF_HEAD.search(text):
        return text[: end.start(1)], text[end.end() :]
    if RULE.search(text):
        raise SeedError("no link of the form [title](address) stands before the line of six hyphens")
    raise SeedError("no line of six hyphens after the title: the file is cut short, or is no seed file")


def one_line(body: str) -> str:
    """The body as HTML on one line: what line breaks meant is said in HTML."""
    body = body.strip()
    if "\n" not in body:
        return body
    if "<" not in body:
        blocks = (block.split("\n") for block in re.split(r"\n\s*\n", body))
        return "".join(f"<p>{'<br>'.join(map(str.strip, block))}</p>" for block in blocks)
    if PREFORMATTED.search(body):
        body = TAG.sub(lambda tag: tag[0].replace("\n", " "), body)
        return body.replace("\n", "&#10;")
    return " ".join(filter(None, map(str.strip, body.split("\n"))))
