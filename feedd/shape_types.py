"""The shapes that `shapes` makes, as types: what stands under which key. The API's description is made of them.

More keys may come to stand beside these. Times are RFC 3339 in UTC, ending in `Z`; null stands for what there is not.
"""

from typing import Annotated, Any, NotRequired

from pydantic import WithJsonSchema
from typing_extensions import TypedDict  # typing's own can't be described below Python 3.12

from feedd.changes.values import Op
from feedd.model import Kind, Significance

Shape = dict[str, Any]
Time = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Uid = Annotated[str, WithJsonSchema({"type": "string", "format": "uuid"})]
Status = Annotated[str, WithJsonSchema({"type": "string", "enum": ["ok", "unchanged", "failed"]})]
DeliveryStatus = Annotated[
    str, WithJsonSchema({"type": "string", "enum": ["pending", "delivered", "failed", "cancelled"]})
]
Level = Annotated[str, WithJsonSchema({"type": "string", "enum": [str(each) for each in Significance]})]
ChannelState = Annotated[
    str, WithJsonSchema({"type": "string", "enum": ["ok", "failing", "resting", "disabled"]})
]


SourceType = Annotated[
    str,
    WithJsonSchema(
        {"type": "string", "enum": ["directory", "git", "feed", "page", "watch", "sitemap", "command"]}
    ),
]
ChannelType = Annotated[
    str,
    WithJsonSchema({"type": "string", "enum": ["webhook", "email", "apprise", "command", "file", "websub"]}),
]
PushState = Annotated[
    str, WithJsonSchema({"type": "string", "enum": ["wanted", "asked", "active", "denied", "ending"]})
]


OF_ENTRIES = [str(each) for each in Kind if not each.startswith("source-")]
VersionKind = Annotated[
    str, WithJsonSchema({"type": "string", "enum": [*OF_ENTRIES, "duplicate"]})
]  # `duplicate`: from another source, or late


class Rejected(TypedDict):
    """Something that was read and is no article."""

    where: str
    reason: str


class SourceResult(TypedDict):
    """What a look at a source came to. The counts and the number of those rejected add up to the items read."""

    name: str
    status: Status
    added: int
    edited: int
    silent_edited: int
    reverted: int
    removed: int
    restored: int
    duplicates: int
    seconds: float
    next_check: Time | None
    error: str | None
    rejected: list[Rejected]
    note: str | None


class Push(TypedDict):
    """How a WebSub hub pushes what a source has."""

    state: PushState
    until: Time | None
    pushed: Time | None
    error: str | None


class Proposal(TypedDict):
    """A line that the source's `ignore` might have: what it matches changes at most looks."""

    ignore: str
    example: str
    entry: int


class Source(TypedDict):
    """A source: how it is, and when it is looked at next."""

    name: str
    type: SourceType
    location: str
    entries: int
    last_checked: Time | None
    last_changed: Time | None
    next_check: Time | None
    next_check_because: str | None
    failures: int
    error: str | None
    note: str | None
    address: str | None
    push: Push | None
    proposals: list[Proposal]


class Look(TypedDict):
    """A look at a source that ended; `bytes`: that were read, null where nobody counted them."""

    id: int
    at: Time
    status: Status
    added: int
    edited: int
    silent_edited: int
    reverted: int
    removed: int
    restored: int
    duplicates: int
    rejected: int
    seconds: float
    bytes: int | None
    error: str | None


class FeedUrls(TypedDict):
    """Where a feed is, by its format."""

    atom: str
    rss: str
    json: str


class Feed(TypedDict):
    """A feed; `entries`: how many items it shows."""

    name: str
    title: str
    entries: int
    updated: Time | None
    urls: FeedUrls


class Entry(TypedDict):
    """An entry in short."""

    id: int
    uid: Uid
    url: str
    title: str
    published: Time
    updated: Time
    date_guessed: bool
    sources: list[str]
    revisions: int
    removed: Time | None


class Enclosure(TypedDict):
    """A file that belongs to an entry; `length` in bytes, `duration_s` in seconds."""

    url: str
    type: str | None
    length: int | None
    title: str | None
    duration_s: int | None


class EntryInFull(Entry):
    """An entry with all that it says."""

    author: str | None
    categories: list[str]
    language: str | None
    content_html: str
    text: str
    image: str | None
    enclosures: list[Enclosure]
    comments_url: str | None


class Revision(TypedDict):
    """A version of an entry. `published`: the time that the publisher states for it."""

    revision: int
    source: str
    location: str
    published: Time | None
    seen_at: Time
    title: str
    change: VersionKind
    significance: Level
    reasons: list[str]


class Version(EntryInFull):
    """An entry as one of its versions had it."""

    revision: int
    source: str
    location: str
    seen_at: Time
    change: VersionKind
    significance: Level
    reasons: list[str]


class Texts(TypedDict):
    """Of both versions."""

    old: str
    new: str


class Images(TypedDict):
    """Addresses of the lead pictures of both versions."""

    old: str | None
    new: str | None


class Authors(TypedDict):
    """Of both versions."""

    old: list[str]
    new: list[str]


class Links(TypedDict):
    """Addresses that one of the versions has and the other has not."""

    removed: list[str]
    added: list[str]


class Piece(TypedDict):
    """A run of words within a sentence that was edited."""

    op: Op
    old: str
    new: str


class Hunk(TypedDict):
    """A sentence, or a paragraph that stayed; paragraphs are counted from 0."""

    op: Op
    old: str
    new: str
    old_paragraph: int | None
    new_paragraph: int | None
    pieces: NotRequired[list[Piece]]


From = TypedDict("From", {"from": int})  # a class can't have a key that is a word of Python's


class Diff(From):
    """What differs between two versions, which are named by their numbers."""

    to: int
    title: Texts
    significance: Significance
    reasons: list[str]
    hunks: list[Hunk]
    image: Images
    authors: Authors
    links: Links


class Change(TypedDict):
    """A change of the log; `detail`, of sources alone: what happened, in words."""

    id: int
    kind: Kind
    significance: Significance
    reasons: list[str]
    at: Time
    detail: NotRequired[str | None]


class EntryEvent(TypedDict):
    """A change of an entry; `url`: a page of feedd's own about it."""

    change: Change
    entry: Entry | None
    url: str


class SourceEvent(TypedDict):
    """A change of a source; `url`: a page of feedd's own about it."""

    change: Change
    source: Source | None
    url: str


Event = EntryEvent | SourceEvent


class Delivery(TypedDict):
    """Something to be told to a channel, and what became of it; `message`: the delivery that it goes with."""

    id: int
    channel: str
    change: int | None
    type: str
    status: DeliveryStatus
    attempts: int
    next_attempt: Time | None
    error: str | None
    created: Time
    done: Time | None
    message: int | None


class Channel(TypedDict):
    """Who is told, and how that receiver fares; `where` holds no secret, and is null where it is not for everybody."""

    name: str
    type: ChannelType
    where: str | None
    state: ChannelState
    failures: int
    failing_since: Time | None
    resting_until: Time | None
    disabled: Time | None
    delivered: Time | None
    error: str | None


class Hit(Entry):
    """An entry that was found; title and fragment are HTML: escaped, what was looked for within `<mark>`."""

    score: float
    title_html: str
    fragment: str


class Tried(TypedDict):
    """What a sample that was sent to a channel came to; `said`: in words."""

    channel: str
    id: str
    delivered: bool
    said: str
