"""A fragment that changes at most looks while the rest stands still: an expression that would leave it out. Pure.

Whether it is a counter or a rising death toll, only a person can tell: it is proposed, never applied.
"""

import re
from collections.abc import Sequence
from itertools import pairwise, takewhile
from typing import NamedTuple

ENOUGH = 5  # versions in a row
CONTEXT = 8  # tokens of what stands still that are kept on either side
LONGEST = 200  # characters of a fragment; what is longer is no fragment
LONGEST_BLOCK = 5_000
TOKEN = re.compile(r"\d[\d.,:]*|[^\W\d]+|\s+|.", re.DOTALL)
NUMBER = re.compile(r"[\d.,:\s]*\d[\d.,:\s]*")


class Proposal(NamedTuple):
    pattern: str  # a regular expression for `ignore`
    example: str  # what it takes out of the newest version


def proposed(texts: Sequence[str]) -> Proposal | None:
    """What to ignore of these versions (plain text, a line a block, the oldest first); None: nothing by itself."""
    blocks = [text.split("\n") for text in texts]
    if len(texts) < ENOUGH or len({len(each) for each in blocks}) != 1:
        return None
    restless = [variants for variants in zip(*blocks, strict=True) if len(set(variants)) > 1]
    if len(restless) != 1:
        return None
    (variants,) = restless
    if max(map(len, variants)) > LONGEST_BLOCK or any(old == new for old, new in pairwise(variants)):
        return None
    pattern = pattern_of(variants)
    if pattern is None or len({re.sub(pattern, "", variant, count=1) for variant in variants}) != 1:
        return None
    found = re.search(pattern, variants[-1])
    return Proposal(pattern, found[0]) if found else None


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
    before, after = head[-CONTEXT:], tail[:CONTEXT]
    if not any(token[0].isalpha() for token in (*before, *after)):
        return either(variants)
    return literal(before) + between(middles, longest) + literal(after)


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
    return "".join(r"\s+" if token.isspace() else re.escape(token) for token in tokens)


def between(middles: Sequence[str], longest: int) -> str:
    if all(NUMBER.fullmatch(each) for each in middles):
        return r"\d(?:[\d.,:]|\s\d)*"
    return rf"[^<\n]{{{min(map(len, middles))},{2 * longest}}}"
