"""The feeds that can be subscribed to, by address. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

from feedd.publish.cache import FORMATS
from feedd.websub.links import canonical


class Topic(NamedTuple):
    """A document of a feed, in one format."""

    url: str
    feed: str
    format: str


class Topics:
    """Every document of every feed. A host in capitals, or a port that goes without saying, makes no other topic."""

    def __init__(self, base_url: str, feeds: Iterable[str]) -> None:
        each = (Topic(f"{base_url}feeds/{name}.{kind}", name, kind) for name in feeds for kind in FORMATS)
        self.by_url = {topic.url: topic for topic in each}
        start = canonical(base_url)  # once: names of feeds have one spelling
        self.by_spelling = {start + topic.url.removeprefix(base_url): topic for topic in self.by_url.values()}

    def find(self, url: str) -> Topic | None:
        return self.by_url.get(url) or self.by_spelling.get(canonical(url))
