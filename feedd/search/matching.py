"""Whether an article is what a query asks for. Pure: the index only spares asking it of every article."""

from collections.abc import Callable, Collection
from functools import cached_property

from feedd.search.query import (
    Changed,
    Clause,
    Condition,
    InFeed,
    OfSource,
    Part,
    Published,
    Query,
    Tagged,
    Words,
    spelled,
)
from feedd.search.segment import segmented

MOST_CHARACTERS = 200_000  # of a text that are searched


class Subject:
    """An article as queries see it; each of its parts is segmented when one asks for it."""

    def __init__(
        self,
        title: str,
        text: Callable[[], str],
        authors: Collection[str] = (),
        categories: Collection[str] = (),
        sources: Collection[str] = (),
        published_ms: int = 0,
        edited_ms: int | None = None,
        in_feed: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self.made_title, self.made_text, self.authors, self.categories = title, text, authors, categories
        self.sources = sources
        self.published_ms = published_ms
        self.edited_ms = edited_ms  # None: never
        self.in_feed = in_feed

    @cached_property
    def plain(self) -> str:
        """Its text as people read it."""
        return self.made_text()

    @cached_property
    def text(self) -> str:
        return segmented(self.plain[:MOST_CHARACTERS])

    @cached_property
    def title(self) -> str:
        return segmented(self.made_title)

    @cached_property
    def columns(self) -> dict[Part, Callable[[], str]]:
        """Its parts as the index has them."""
        return {
            Part.TITLE: lambda: self.title,
            Part.TEXT: lambda: self.text,
            Part.AUTHORS: lambda: segmented(listed(self.authors)),
            Part.CATEGORIES: lambda: segmented(listed(self.categories)),
        }


def listed(names: Collection[str]) -> str:
    return " · ".join(names)


def admits(query: Query, subject: Subject, now_ms: int) -> bool:
    # what is quick to tell comes first: most articles never have their text segmented
    clauses = sorted(query.clauses, key=lambda clause: isinstance(clause.any_of[0], Words))
    return all(holds(clause, subject, now_ms) for clause in clauses)


def holds(clause: Clause, subject: Subject, now_ms: int) -> bool:
    return any(is_met(each, subject, now_ms) for each in clause.any_of) is not clause.negated


def is_met(condition: Condition, subject: Subject, now_ms: int) -> bool:
    match condition:
        case Words():
            parts = Part if condition.part is None else (condition.part,)
            return any(has(subject.columns[part](), condition) for part in sorted(parts, reverse=True))
        case OfSource(name):
            return name in subject.sources
        case InFeed(name):
            return subject.in_feed(name)
        case Tagged(tag, sources):
            return not sources.isdisjoint(subject.sources) or tag in map(spelled, subject.categories)
        case Published(since_ms, until_ms):
            return within(subject.published_ms, since_ms, until_ms)
        case Changed(since_ms, until_ms, ago_ms):
            if subject.edited_ms is None:
                return False
            since_ms = since_ms if ago_ms is None else now_ms - ago_ms
            return within(subject.edited_ms, since_ms, until_ms)


def has(segments: str, words: Words) -> bool:
    """Whether tokens with spaces between them hold these, one after the other."""
    wanted = f" {' '.join(words.tokens)}{'' if words.prefix else ' '}"
    return wanted in f" {segments} "


def within(moment_ms: int, since_ms: int | None, until_ms: int | None) -> bool:
    return (since_ms is None or since_ms <= moment_ms) and (until_ms is None or moment_ms < until_ms)
