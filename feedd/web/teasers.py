"""Entries in lists: the headline, and how the text begins."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from feedd.normalise.text import plain_text, summary
from feedd.publish.item import Item, Notice

CHARACTERS = 200


class Teaser(NamedTuple):
    item: Item
    text: str
    sentences: Sequence[str] = ()  # of feedd's own, in place of the text: to be said in the reader's language


def teasers(items: Iterable[Item]) -> list[Teaser]:
    """Also of what feedd itself tells."""
    return [
        Teaser(item, item.summary if isinstance(item, Notice) else summary(item.content_html, CHARACTERS))
        for item in items
    ]


def told(items: Iterable[Item]) -> list[Teaser]:
    """What feedd says of troubles, in full."""
    return [Teaser(item, "", plain_text(item.content_html).split("\n")) for item in items]
