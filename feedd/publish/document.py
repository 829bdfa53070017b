"""A feed's plan + the store → the document that all formats are rendered from."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple
from uuid import UUID, uuid5

from feedd.publish.health import entry_of
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
    entries: tuple[Entry, ...]
    source_ids: Mapping[str, str]  # urn of each source's own feed
    source_titles: Mapping[str, str]

    def url(self, suffix: str = "") -> str:
        return f"{self.base_url}feeds/{self.name}{suffix}"


def compose(
    reader: Reader,
    plan: Plan,
    limit: int,
    base_url: str,
    priorities: Mapping[str, int],
    titles: Mapping[str, str],
) -> Document:
    """Choose the entries that the feed shows now."""
    born, shown = UUID(reader.uuid()), list[Entry]()
    updated = reader.feed_configured_ms(plan.name)
    found: Iterator[Entry]
    if plan.name == HEALTH:
        found = (entry_of(each, born, base_url) for each in reader.incidents(HEALTH_ENTRIES))
    else:
        found = candidates(reader, plan, priorities)
    for entry in found:
        if not plan.shows(entry):
            if entry.revisions > 1:  # an edit may have taken it out of the feed
                updated = max(updated, entry.changed_ms, entry.seen_ms)
            continue
        updated = max(updated, entry.changed_ms, entry.seen_ms, entry.removed_ms or 0)
        if entry.removed_ms is None:
            shown.append(entry)
            if len(shown) == limit:
                break
    names = {entry.source for entry in shown}
    return Document(
        plan.name,
        feed_urn(born, plan.name),
        plan.title,
        base_url,
        plan.language,
        plan.content,
        updated,
        tuple(shown),
        {name: feed_urn(born, name) for name in names},
        {name: titles.get(name, name) for name in names},
    )


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


def entry_urn(entry: Entry) -> str:
    return f"urn:uuid:{entry.uid}"
