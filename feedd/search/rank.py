"""In what order results are shown: how well the words fit, times a gentle factor for what is new. Pure.

BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009, section 3) over fields: a word in the title
counts as several in the text. How rare a word is is taken from the candidates themselves.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from feedd.search.matching import Subject
from feedd.search.query import Part, Words

K1, B = 1.2, 0.75
WEIGHTS = {Part.TITLE: 5.0, Part.TEXT: 1.0, Part.AUTHORS: 2.0, Part.CATEGORIES: 2.0}
FRESH = 0.5  # what was published just now counts for so much more …
FADES_MS = 30 * 86_400_000  # … and half as much more when it is so old
TITLE_FIRST = 3.0  # how much a word in the title is worth before texts are read


class Weighed(NamedTuple):
    """How often each of the words stands in an article, weighed by where; and how long its text is."""

    counts: tuple[float, ...]
    tokens: int
    published_ms: int


def weighed(subject: Subject, words: Sequence[Words]) -> Weighed:
    parts = {part: f" {made()} " for part, made in subject.columns.items()}
    counts = tuple(
        sum(WEIGHTS[part] * occurrences(parts[part], each) for part in Part if each.part in {None, part})
        for each in words
    )
    return Weighed(counts, parts[Part.TEXT].count(" ") - 1, subject.published_ms)


def occurrences(segments: str, words: Words) -> int:
    """How often they stand in text that has a space at either end of each token."""
    wanted = f" {' '.join(words.tokens)}"
    if words.prefix:
        return segments.count(wanted)
    # two that follow each other share a space, which `count` takes once
    return (
        segments.count(f"{wanted} ")
        if segments.count(f"{wanted}{wanted} ") == 0
        else doubled(segments, wanted)
    )


def doubled(segments: str, wanted: str) -> int:
    return segments.replace(" ", "  ").count(f"{wanted.replace(' ', '  ')[1:]} ")


def recency(published_ms: int, now_ms: int) -> float:
    """From 1, of what is old, to 1.5, of what is new; what is dated in the future counts as new."""
    return 1 + FRESH / (1 + max(0, now_ms - published_ms) / FADES_MS)


def before_reading(published_ms: int, now_ms: int, *, in_title: bool) -> float:
    """A first guess, from what is known without the text."""
    return (TITLE_FIRST if in_title else 1.0) * recency(published_ms, now_ms)


def scores(articles: Sequence[Weighed], now_ms: int) -> list[float]:
    """The score of each; greater is better."""
    if not articles:
        return []
    total, average = len(articles), max(1.0, sum(each.tokens for each in articles) / len(articles))
    holders = [sum(map(bool, column)) for column in zip(*(each.counts for each in articles), strict=True)]
    rarities = [math.log(1 + (total - held + 0.5) / (held + 0.5)) for held in holders]
    made = []
    for each in articles:
        length = 1 - B + B * each.tokens / average
        fit = sum(
            # a word that all have tells nothing of rarity, but how often they have it does
            (rarity + 0.5) * count * (K1 + 1) / (count + K1 * length)
            for rarity, count in zip(rarities, each.counts, strict=True)
        )
        made.append((fit or 1.0) * recency(each.published_ms, now_ms))
    return made
