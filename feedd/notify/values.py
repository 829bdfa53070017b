"""What is told, and what came of it: frozen values that every channel works with."""

from enum import StrEnum
from typing import Any, NamedTuple

from feedd.changes.values import Diff
from feedd.model import Kind

Shape = dict[str, Any]
DIGEST = "digest"
TEST = "test"


class Form(StrEnum):
    """How a text is spelled."""

    PLAIN = "text"
    HTML = "html"
    MARKDOWN = "markdown"


class Fact(NamedTuple):
    """One change, as people are told of it."""

    change_id: int
    kind: Kind
    headline: str  # what happened, to what: "Edited: Title", "The source blog is failing"
    title: str  # of the article, or what the source is called
    at_ms: int
    source: str  # its name
    page_url: str  # of feedd's own: the comparison, the versions, the source's feed
    significance: str = "substantial"
    reasons: tuple[str, ...] = ()  # in words
    article_url: str | None = None
    began: str = ""  # the beginning of an article that was added or removed, plain text
    diff: Diff | None = None  # None: there is nothing to compare, or it would take too long
    note: str | None = None  # what else is to be said, in words: an error, why there is no comparison


class Message(NamedTuple):
    """What one delivery says, by whatever way it goes."""

    id: str  # the same over all attempts
    type: str  # entry.edited, source.failing … (a kind of change); digest; test
    at_ms: int  # when what it tells was recorded
    channel: str
    data: Shape  # the `data` of a webhook: the same for every channel (docs/notifications.md)
    facts: tuple[Fact, ...]  # the change; of a digest all of them, in the order of the log
    thread: str | None = None  # the uid of the entry that it is about: what belongs together
    more: int = 0  # changes of a digest that it does not name for want of room


class Text(NamedTuple):
    """A message in words."""

    title: str  # one line, plain
    body: str
    form: Form


class Delivered(NamedTuple):
    """The other side took it."""

    said: str  # by the other side, in words for people


class Failed(NamedTuple):
    """It did not, for now."""

    why: str  # in words for people; nothing secret
    retry_after_ms: int | None = None  # not before that moment, as the other side asks
    gone: bool = False  # for good: nobody is there any more (410)
    rests: bool = False  # it asks to be left alone as a whole (429, 503), not just with this message


Outcome = Delivered | Failed


class Tried(NamedTuple):
    """What came of a sample that was sent through a channel."""

    channel: str
    id: str  # of the message
    delivered: bool
    said: str  # by the other side, or why it did not arrive: in words for people, nothing secret
