"""Entries in lists: the headline, and how the text begins."""

from collections.abc import Iterable
from typing import NamedTuple

from feedd.normalise.text import summary
from feedd.publish.item import Item, Notice

CHARACTERS = 200


class Teaser(NamedTuple):
    item: Item
    text: str


def teasers(items: Iterable[Item]) -> list[Teaser]:
    """Also of what feedd itself tells."""
    return [
        Teaser(item, item.summary if isinstance(item, Notice) else summary(item.content_html, CHARACTERS))
        for item in items
    ]
