"""A feed's plan + the store → the document that all formats are rendered from."""

from collections.abc import Iterator, Mapping
from heapq import nlargest
from itertools import islice
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID, uuid5

from feedd.publish.changes import Log, changes_of
from feedd.publish.health import notice_of
from feedd.publish.item import Chosen, Item, Tombstone
from feedd.publish.plan import HEALTH, Plan
from feedd.store.reader import Entry, Reader

CHUNK = 100
HEALTH_ENTRIES = 1_000


class Document(NamedTuple):
    """What a feed holds at one moment."""

    name: str
    id: str  # urn:uuid:…
    title: str
    base_url: str
    language: str | None
    content: str  # full | summary
    updated_ms: int  # when the document changed last
    entries: tuple[Item, ...]
    source_ids: Mapping[str, str]  # urn of each source's own feed
    source_titles: Mapping[str, str]
    tombstones: tuple[Tombstone, ...] = ()
    hubs: tuple[str, ...] = ()  # addresses of WebSub hubs that push the feed
    search: str | None = None  # it is the feed of this search, not one of a name
    archives: int = 0  # documents that hold what was before (RFC 5005), of which this one names the newest
    archive: int | None = None  # it is itself the one of this number

    @property
    def identity(self) -> tuple[object, ...]:
        """Equal for two documents that are the same; hashable."""
        return (
            *self[:8],
            tuple(self.source_ids.items()),
            tuple(self.source_titles.items()),
            self.tombstones,
            self.hubs,
            self.search,
            self.archives,
            self.archive,
        )

    def archive_url(self, number: int) -> str:
        return f"{self.base_url}feeds/{self.name}/archive/{number}.atom"

    def url(self, suffix: str = "") -> str:
        if self.search is not None:
            return f"{self.base_url}search{suffix}?{urlencode({'q': self.search})}"
        return f"{self.base_url}feeds/{self.name}{suffix}"


def compose(log: Log, plan: Plan, limit: int, titles: Mapping[str, str]) -> Document:
    """Choose what the feed shows now."""
    born = UUID(log.reader.uuid())
    return headed(log, plan, choose(log, plan, limit, born), born, titles)


def headed(log: Log, plan: Plan, chosen: Chosen, born: UUID, titles: Mapping[str, str]) -> Document:
    """What was chosen, with what a document says of its feed."""
    names = dict.fromkeys(item.source for item in chosen.items)
    return Document(
        plan.name,
        feed_urn(born, plan.name),
        plan.title,
        log.base_url,
        plan.language,
        plan.content,
        chosen.updated_ms,
        chosen.items,
        {name: feed_urn(born, name) for name in names},
        {name: titles.get(name, name) for name in names},
        chosen.tombstones,
        plan.hubs,
    )


def choose(log: Log, plan: Plan, limit: int, born: UUID) -> Chosen:
    configured_ms = log.reader.feed_configured_ms(plan.name)
    if plan.name == HEALTH:
        return incidents_of(log, plan, limit, born, configured_ms)
    if plan.changes is not None:
        return changes_of(log, plan, limit, configured_ms)
    return entries_of(log, plan, limit, configured_ms)


def incidents_of(log: Log, plan: Plan, limit: int, born: UUID, configured_ms: int) -> Chosen:
    notices = (notice_of(each, born, log.base_url) for each in log.reader.incidents(HEALTH_ENTRIES))
    shown = tuple(islice(filter(plan.shows, notices), limit))
    return Chosen(shown, max([configured_ms, *(notice.updated_ms for notice in shown)]))


def entries_of(log: Log, plan: Plan, limit: int, configured_ms: int) -> Chosen:
    """Entries, and tombstones of those that would stand among them."""
    shown, removed, updated_ms = list[Entry](), list[Tombstone](), configured_ms
    for entry in candidates(log.reader, plan, log.priorities):
        changed_ms = max(entry.changed_ms, entry.seen_ms)
        if not plan.shows(entry):
            if entry.revisions > 1:  # an edit may have taken it out of the feed
                updated_ms = max(updated_ms, changed_ms)
            continue
        updated_ms = max(updated_ms, changed_ms, entry.removed_ms or 0)
        if entry.removed_ms is not None:
            removed.append(Tombstone(entry.uid, entry.removed_ms))
            continue
        shown.append(entry)
        if len(shown) == limit:
            break
    tombstones = nlargest(limit, removed, key=lambda each: (each.when_ms, each.uid))
    return Chosen(tuple(shown), updated_ms, tuple(tombstones))


def candidates(reader: Reader, plan: Plan, priorities: Mapping[str, int]) -> Iterator[Entry]:
    """Entries of the feed's sources, newest first; those removed too, since their going changed the document."""
    source_ids = None
    if plan.sources is not None:
        source_ids = reader.source_ids(plan.sources)
    ids = reader.entry_ids(source_ids, removed=True)
    while some := list(islice(ids, CHUNK)):
        yield from reader.entries(some, priorities, plan.sources)


def feed_urn(born: UUID, name: str) -> str:
    """Feeds have UUIDs made from the one that the database was born with."""
    return f"urn:uuid:{uuid5(born, f'feed:{name}')}"
