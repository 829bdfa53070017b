"""A fragment that changes at most looks while the rest stands still: an expression that would leave it out. Pure.

Whether it is a counter or a rising death toll, only a person can tell: it is proposed, never applied.
"""

import re
from collections.abc import Sequence
from itertools import pairwise, takewhile
from typing import NamedTuple

from feedd.normalise.text import plain_text

ENOUGH = 5  # versions in a row
CONTEXT = 8  # tokens of what stands still that are kept on either side
LONGEST = 200  # characters of a fragment; what is longer is no fragment
LONGEST_BLOCK = 5_000
LONGEST_PATTERN = 500
SPACE = r"\s{1,9}"  # bounded: an expression that is tried at each of a million places must fail soon
TOKEN = re.compile(r"</?[a-z][^<>]*>|&#?\w+;|\d[\d.,:]*|[^\W\d]+|\s+|.", re.DOTALL)
TAG = re.compile(r"<(/?[a-z][a-z0-9]*)")
BREAK = re.compile(
    r"\n|(?=<(?:p|div|li|tr|td|th|h[1-6]|blockquote|figure|figcaption|dt|dd|pre|table|ul|ol)\b)"
)
NUMBER = re.compile(r"[\d.,:\s]*\d[\d.,:\s]*")


class Proposal(NamedTuple):
    pattern: str  # a regular expression for `ignore`
    example: str  # what it takes out of the newest version


def proposed(texts: Sequence[str]) -> Proposal | None:
    """What to ignore of these versions (clean HTML, or plain text, the oldest first); None: nothing by itself."""
    blocks = [BREAK.split(text) for text in texts]
    if len(texts) < ENOUGH or len({len(each) for each in blocks}) != 1:
        return None
    restless = [variants for variants in zip(*blocks, strict=True) if len(set(variants)) > 1]
    if len(restless) != 1:
        return None
    (variants,) = restless
    if max(map(len, variants)) > LONGEST_BLOCK or any(old == new for old, new in pairwise(variants)):
        return None
    pattern = pattern_of(variants)
    if (
        pattern is None
        or len(pattern) > LONGEST_PATTERN
        or len({re.sub(pattern, "", variant, count=1) for variant in variants}) != 1
    ):
        return None
    found = re.search(pattern, variants[-1])
    return Proposal(pattern, plain_text(found[0])) if found else None


def pattern_of(variants: Sequence[str]) -> str | None:
    """An expression for what differs between the variants of a block, with some of what does not around it."""
    tokens = [TOKEN.findall(variant) for variant in variants]
    head = alike(tokens)
    rests = [each[len(head) :][::-1] for each in tokens]
    tail = alike(rests)[::-1]
    middles = ["".join(rest[len(tail) :][::-1]) for rest in rests]
    longest = max(map(len, middles))
    if longest > LONGEST:
        return None
    before, after = nearest(head[-CONTEXT:], tail[:CONTEXT])
    before = without_space(before)
    if not any(token[0].isalpha() for token in (*before, *after)):
        return either(variants)
    return literal(before) + between(middles, longest, first=not before) + literal(after)


def nearest(before: Sequence[str], after: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """What stands between the tags on either side, if a word does; else as far as it goes."""
    first = max((at + 1 for at, token in enumerate(before) if TAG.match(token)), default=0)
    last = next((at for at, token in enumerate(after) if TAG.match(token)), len(after))
    if any(token[0].isalpha() for token in (*before[first:], *after[:last])):
        return before[first:], after[:last]
    return before, after


def without_space(tokens: Sequence[str]) -> Sequence[str]:
    """No expression begins with white space: it would be tried at every space of a long run."""
    return tokens[1:] if tokens and tokens[0].isspace() else tokens


def alike(lists: Sequence[Sequence[str]]) -> Sequence[str]:
    """What all of them begin with."""
    same = takewhile(lambda each: len(set(each)) == 1, zip(*lists, strict=False))
    return lists[0][: sum(1 for _ in same)]


def either(variants: Sequence[str]) -> str | None:
    """Nothing around it tells the fragment: its variants do, if they take turns."""
    distinct = sorted(set(variants))
    return (
        "|".join(literal(TOKEN.findall(each)) for each in distinct) if len(distinct) < len(variants) else None
    )


def literal(tokens: Sequence[str]) -> str:
    return "".join(map(expression, tokens))


def expression(token: str) -> str:
    """What finds the token; of a tag the name, since what is stored has not all attributes that a page has."""
    if token.isspace():
        return SPACE
    if tag := TAG.match(token):
        return rf"<{tag[1]}\b[^<>]{{0,500}}>"
    return re.escape(token)


def between(middles: Sequence[str], longest: int, *, first: bool) -> str:
    """What finds the fragment itself; `first`: nothing stands before it in the expression."""
    if all(NUMBER.fullmatch(each) for each in middles):
        alone = r"(?<![\d.,:])(?<!\d\s)" if first else ""  # not again at each digit of a long number
        return rf"{alone}\d(?:[\d.,:]|\s\d){{0,{max(2 * longest, 20)}}}+"
    one = "." if any("<" in each for each in middles) else r"[^<\n]"
    return rf"{one}{{{min(map(len, middles))},{2 * longest}}}"
