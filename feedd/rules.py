"""Regular expressions on parts of an entry: `match` and `reject`, of sources and of feeds. Pure."""

import re
from collections.abc import Callable
from typing import NamedTuple

Patterns = tuple[tuple[str, re.Pattern[str]], ...]  # part, expression


class Parts(NamedTuple):
    """What rules look at; `text` is made only if one asks for it."""

    title: str
    url: str
    text: Callable[[], str]
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()  # rules do not look at these; a search of a feed does
    published_ms: int = 0
    edited_ms: int | None = None  # None: never


class Filter(NamedTuple):
    """Every rule of `match` must be met, and none of `reject`."""

    match: Patterns = ()
    reject: Patterns = ()

    def objection(self, parts: Parts) -> str | None:
        """Which rule leaves the entry out, in words; None: none does."""
        for part, pattern in self.match:
            if not found(part, pattern, parts):
                return f"match.{part} {pattern.pattern!r} is not met"
        for part, pattern in self.reject:
            if found(part, pattern, parts):
                return f"reject.{part} {pattern.pattern!r} is met"
        return None


def found(part: str, pattern: re.Pattern[str], parts: Parts) -> bool:
    match part:
        case "title":
            return bool(pattern.search(parts.title))
        case "url":
            return bool(pattern.search(parts.url))
        case "text":
            return bool(pattern.search(parts.text()))
        case "author":
            return any(pattern.search(each) for each in parts.authors)
        case _:
            return any(pattern.search(each) for each in parts.categories)
