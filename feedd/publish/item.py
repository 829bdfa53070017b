"""What feeds show: entries of the store, and notices that feedd itself writes, of changes and of trouble with sources."""

from typing import NamedTuple

from feedd.model import NO_DETAILS, Details
from feedd.normalise.text import summary
from feedd.store.reader import Entry


class Notice(NamedTuple):
    """An item that feedd itself writes. What formats and pages ask of an entry, it answers, too."""

    uid: str
    url: str  # where to read on
    title: str
    summary: str  # in words: plain text
    content_html: str
    published_ms: int
    updated_ms: int
    source: str
    article_url: str | None = None  # of the article that it is about
    details: Details = NO_DETAILS
    image: str | None = None
    revisions: int = 1
    date_guessed: bool = False


Item = Entry | Notice


class Tombstone(NamedTuple):
    """An entry that was withdrawn (RFC 6721)."""

    uid: str
    when_ms: int


class Chosen(NamedTuple):
    """What a feed shows now."""

    items: tuple[Item, ...]
    updated_ms: int  # when that changed last
    tombstones: tuple[Tombstone, ...] = ()


def urn(item: Item | Tombstone) -> str:
    return f"urn:uuid:{item.uid}"


def brief(item: Item) -> str:
    """The item in a few sentences, as plain text. Of a change that is no beginning of its text: both versions are in it."""
    return item.summary if isinstance(item, Notice) else summary(item.content_html)


def article_url(item: Item) -> str | None:
    """The address of the article that a notice is about; None where there is none, or the item is the article."""
    return item.article_url if isinstance(item, Notice) else None
