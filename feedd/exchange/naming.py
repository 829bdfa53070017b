"""Names of sources and tags, made from what others call them."""

import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import urlsplit

from feedd.config.settings import BUILT_IN_FEEDS
from feedd.normalise.url import canonical_host

LONGEST = 63
NO_NAME = re.compile(r"[^a-z0-9]+")
NO_TAG = re.compile(r"[^\w]+")
COMMON_LABELS = frozenset({"www", "feeds", "feed", "rss", "blog"})


class Namer:
    """Gives each new source a name of its own, also apart from those that are `taken`."""

    def __init__(self, taken: Iterable[str]) -> None:
        self.taken = {*taken, *BUILT_IN_FEEDS}
        self.next: dict[str, int] = {}  # what the next namesake gets: none is asked for twice

    def name(self, title: str, url: str) -> str:
        """A name from the title, or from the address where the title has no letters for one."""
        stem = slug(title) or name_from_url(url) or "source"
        name, number = stem, self.next.get(stem, 2)
        while name in self.taken:
            suffix = f"-{number}"
            name = stem[: LONGEST - len(suffix)].rstrip("-") + suffix
            number += 1
        self.next[stem] = number
        self.taken.add(name)
        return name


def slug(title: str) -> str:
    """The title in small ASCII letters, digits and hyphens; "" where more than half of it would be lost."""
    folded = unicodedata.normalize("NFKD", title[:500]).casefold()
    letters = sum(char.isalnum() for char in folded)
    kept = "".join(char for char in folded if char.isascii() or not unicodedata.combining(char))
    ascii_letters = sum(char.isascii() and char.isalnum() for char in kept)
    if ascii_letters * 2 <= letters:
        return ""
    found = NO_NAME.sub("-", kept.replace("'", "")).strip("-")
    return found if len(found) <= LONGEST else at_a_word(found)


def at_a_word(name: str) -> str:
    """The first 63 characters, cut between two words if the cut one is not most of it."""
    head = name[:LONGEST]
    end = head.rfind("-")
    return (head[:end] if end > LONGEST // 2 else head).strip("-")


def name_from_url(url: str) -> str:
    """A name from the host: what is common to most hosts of feeds says nothing. "" where there is none."""
    try:
        host = urlsplit(url).hostname or ""
        labels = host.replace(":", ".").split(".")
        while len(labels) > 2 and labels[0] in COMMON_LABELS:
            labels.pop(0)
        return slug("-".join(labels)) or slug("-".join(canonical_host(host).split(".")))
    except ValueError:
        return ""


def tag(text: str) -> str:
    """A folder's or category's name as a tag: small letters of any script, hyphens between words.

    `tag(tag(text)) == tag(text)`; "" where the text holds no letter and no digit.
    """
    folded = unicodedata.normalize("NFKC", text[:500]).lower()
    return NO_TAG.sub("-", unicodedata.normalize("NFKC", folded)).strip("-_")[:LONGEST].strip("-_")
