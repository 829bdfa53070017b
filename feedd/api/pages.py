"""What listings answer, as types: the API's description is made of them."""

from typing import Literal

from typing_extensions import TypedDict

from feedd import shape_types as types


class Sources(TypedDict):
    """All sources, in the order of the configuration."""

    items: list[types.Source]


class Feeds(TypedDict):
    """All feeds that whoever asks may see."""

    items: list[types.Feed]


class Channels(TypedDict):
    """All channels, in the order of the configuration."""

    items: list[types.Channel]


class Looks(TypedDict):
    """Looks at a source, the newest first; `next`: the cursor of the page that follows."""

    items: list[types.Look]
    next: str | None


class Entries(TypedDict):
    """Entries, the newest first; `next`: the cursor of the page that follows. A page may be short, or empty, and yet
    another follow, where few entries are what was asked for.
    """

    items: list[types.Entry]
    next: str | None


class Revisions(TypedDict):
    """Versions of an entry, in order of arrival; `next`: the cursor of the page that follows."""

    items: list[types.Revision]
    next: str | None


class Deliveries(TypedDict):
    """Deliveries, the newest first; `next`: the cursor of the page that follows."""

    items: list[types.Delivery]
    next: str | None


class Changes(TypedDict):
    """Changes in the order of the log; `next`: the number to go on from; `more`: there is more at once."""

    items: list[types.Event]
    next: int
    more: bool


class Index(TypedDict):
    """How far the search index is; `behind`: versions that it has not met yet, which are found nevertheless unless it
    is `building`.
    """

    behind: int
    building: bool


class Results(TypedDict):
    """What was found, the best first; `more`: there is more than was asked for."""

    items: list[types.Hit]
    more: bool
    index: Index


class Running(TypedDict):
    """A look that goes on; its result will stand among the looks of the source."""

    name: str
    status: Literal["running"]


class Count(TypedDict):
    """How many deliveries that was."""

    count: int
