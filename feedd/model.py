"""The vocabulary: frozen values that travel from one stage of the pipeline to the next.

Times are integer milliseconds since the Unix epoch, in UTC; their names end in ``_ms``.
Values made once per article are named tuples: they cost a tenth of a dataclass to build and to send to
another process.
"""

from enum import StrEnum
from operator import add
from typing import NamedTuple


class Kind(StrEnum):
    """What a change in the log is."""

    ADDED = "added"
    EDITED = "edited"
    SILENT_EDIT = "silent-edit"
    REVERTED = "reverted"
    REMOVED = "removed"
    RESTORED = "restored"
    SOURCE_FAILING = "source-failing"
    SOURCE_RECOVERED = "source-recovered"
    SOURCE_PAUSED = "source-paused"
    SOURCE_MOVED = "source-moved"
    SOURCE_SILENT = "source-silent"


class Significance(StrEnum):
    """How much a change of content says; stored with it."""

    NONE = "none"  # only mark-up and typography differ
    MINOR = "minor"  # spelling, punctuation
    SUBSTANTIAL = "substantial"


class Stamp(NamedTuple):
    """What tells a file that may have changed: `stat`'s size, mtime in nanoseconds, and inode."""

    size: int
    mtime_ns: int
    inode: int


class Enclosure(NamedTuple):
    """A file that belongs to an entry (RSS 2.0 `enclosure`, Atom `rel="enclosure"`, JSON Feed `attachments`)."""

    url: str  # absolute
    type: str | None = None  # media type
    length: int | None = None  # bytes
    title: str | None = None
    duration_s: int | None = None


class Details(NamedTuple):
    """What a publisher says of an entry besides its title and content; all of it plain text."""

    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()
    language: str | None = None
    comments_url: str | None = None
    origin: str | None = (
        None  # title of the feed that an aggregated entry came from (atom:source, RSS source)
    )
    origin_url: str | None = None
    episode: str | None = None  # itunes:episode
    season: str | None = None  # itunes:season
    explicit: bool | None = None  # itunes:explicit


NO_DETAILS = Details()


class RawItem(NamedTuple):
    """An item as a document states it, before it is normalised. Addresses are absolute http(s), or None."""

    guid: str | None
    url: str | None
    title: str  # plain text, white space folded
    html: str  # of the content, else of the summary; plain text is escaped; not sanitised; "" for none
    base_url: str | None = None  # what relative addresses within `html` are relative to
    published_ms: int | None = None  # as stated; implausible times too
    updated_ms: int | None = None
    image: str | None = None
    details: Details = NO_DETAILS


class Article(NamedTuple):
    """One article, normalised."""

    url: str  # canonical
    uid: str  # UUID of its identity, as text
    title: str
    content_html: str  # clean: see normalise.html
    image: str | None
    content_hash: bytes  # 16 bytes: equal if and only if title and content are
    fingerprint: bytes  # 16 bytes: of the words of the text alone
    links_hash: bytes  # 8 bytes: of link targets, pictures and enclosures
    details: Details
    said: str  # the details as one text (normalise.details); content_hash is of it, too


class Raw(NamedTuple):
    """A document as it was received: evidence."""

    url: str  # that answered; a path for a file
    status: int | None  # of HTTP
    headers: tuple[tuple[str, str], ...]
    fetched_ms: int
    sha256: bytes  # of the body
    body: bytes


class Item(NamedTuple):
    """An article as one location of a source holds it."""

    location: str  # path below the source's folder, bytes that are no UTF-8 as surrogates; guid; page
    stated_ms: int | None  # the time that the publisher states for this version
    fallback_ms: int  # stands in where none is stated: then the date counts as guessed
    article: Article
    stamp: Stamp | None  # of a file
    settled: bool  # False: so fresh that its stamp can't be trusted yet
    published_ms: int | None = None  # where it is stated apart from the time of this version
    follows: bool = False  # what its location holds is the same entry, whatever its URL is now
    elsewhere: str | None = None  # another location that may hold it, if what that holds has its title
    apart: tuple[str, str] | None = None  # location and identity, where its URL or guid tells nothing apart
    provisional: bool = False  # made of a summary, since the article could not be had
    seen: bytes | None = None  # hash of what the document said: the same again needs no look at the article
    raw: Raw | None = None
    live: bool = False  # of a live blog, whose text grows by insertions

    @property
    def time_ms(self) -> int:
        """The time by which the item is ordered."""
        return self.fallback_ms if self.stated_ms is None else self.stated_ms


class Rejected(NamedTuple):
    """Something that was looked at and is no article."""

    where: str
    reason: str
    stamp: Stamp | None = None  # None: worth another try at the next look even if nothing changes
    location: str | None = None  # where it stands, if that is not what it is called
    seen: bytes | None = None  # as Item's: what was said of it when it was left out


class Wishes(NamedTuple):
    """What a feed asks of those who look at it (RSS 2.0 `ttl`, `skipHours`, `skipDays`; RSS 1.0 syndication)."""

    ttl_s: int | None = None
    update_period_s: int | None = None
    skip_hours: tuple[int, ...] = ()  # in UTC
    skip_days: tuple[int, ...] = ()  # 0: Monday


class Conversation(NamedTuple):
    """What is remembered of talking to a source's server."""

    requested: str | None = None  # hash of the settings under which the rest was had
    etag: str | None = None
    last_modified: str | None = None
    answered: str | None = None  # the address that both came from
    body_hash: bytes | None = None  # of the last document that was read
    address: str | None = None  # where the server moved it for good
    moving_to: str | None = None  # where it says that it moved
    moving_times: int = 0
    moving_since: int | None = None
    held_until: int | None = None  # the server's Retry-After
    paused: str | None = None  # why, where feedd paused the source
    note: str | None = None  # a state that is no failure
    interval: int | None = None  # of `every = "auto"`, in milliseconds
    wishes: Wishes = Wishes()
    hub: str | None = None  # that it names (WebSub) …
    topic: str | None = None  # … and what it is called there
    missing: int = 0  # looks in a row that its page was not found

    def unread(self) -> "Conversation":
        """As if no document had been read: the next one is, also if it is the same."""
        return self._replace(requested=None, etag=None, last_modified=None, answered=None, body_hash=None)


class Version(NamedTuple):
    """What the store remembers of a stored revision, as far as deciding needs it."""

    revision_id: int
    title: str
    content_hash: bytes
    fingerprint: bytes
    links_hash: bytes
    stated_ms: int | None
    time_ms: int  # as Item's
    location: str
    pass_number: int
    authors: tuple[str, ...] = ()
    provisional: bool = False  # made of a summary, since the article could not be had
    comparable: bool = True  # False: made under other settings, so that differences may be of our making
    returned: bool = False  # its content was that of an earlier version
    adds_only: bool = False  # it added to what was said, and touched nothing of that


class Tally(NamedTuple):
    """What a look found. added + … + duplicates + rejected = items read."""

    added: int = 0
    edited: int = 0
    silent_edited: int = 0
    reverted: int = 0
    removed: int = 0
    restored: int = 0
    duplicates: int = 0
    rejected: tuple[Rejected, ...] = ()

    def __add__(self, other: "Tally") -> "Tally":  # type: ignore[override]
        return Tally._make(map(add, self, other))

    @property
    def changed(self) -> bool:
        return any(self[:6])


COUNTS = Tally._fields[:-1]  # all but `rejected`, which is a list
