"""What is new in a feed since somebody was told last: the document that a hub pushes (WebSub section 7)."""

from collections.abc import Collection, Iterator, Mapping
from html import escape
from itertools import islice, takewhile
from typing import NamedTuple
from uuid import UUID

from feedd.publish.changes import Log, Teller, judged, notice_of
from feedd.publish.document import CHUNK, HEALTH_ENTRIES, Document, headed
from feedd.publish.health import notice_of as incident_notice
from feedd.publish.item import Chosen, Item, Notice, Tombstone
from feedd.publish.plan import HEALTH, Plan
from feedd.store.incidents import Incident
from feedd.store.reader import Entry
from feedd.store.subscribers import entries_changed, sources_in_trouble

MOST_ITEMS = 1_000  # as many as a feed shows at most; the newest
MOST_BYTES = 500_000  # of all of them, about: servers take a megabyte as they come
HEAD_BYTES = 700  # what an item takes besides its content, about


class Since(NamedTuple):
    """Up to where somebody knows a feed."""

    change_id: int  # in the log
    at_ms: int  # `News.at_ms` of what it was told last: incidents of channels and of feedd are in no log
    most_bytes: int = MOST_BYTES  # that they take at once, about


class News(NamedTuple):
    document: Document  # with items and tombstones, of either at least one
    at_ms: int  # when the newest of it was recorded
    is_cut: bool  # there was more that is new, and no room for it

    @property
    def items(self) -> int:
        return len(self.document.entries) + len(self.document.tombstones)


def since(log: Log, plan: Plan, told: Since, titles: Mapping[str, str]) -> News | None:
    """What the feed shows now of all that changed meanwhile, the newest first. What is silent is no news."""
    born = UUID(log.reader.uuid())
    found: Iterator[Item | Tombstone]
    if plan.name == HEALTH:
        found = incidents_since(log, plan, told, born)
    elif plan.changes is not None:
        found = notices_since(log, plan, told, born)
    else:
        found = entries_since(log, plan, told)
    chosen, is_cut = bounded(found, told.most_bytes)
    if not (chosen.items or chosen.tombstones):
        return None
    return News(headed(log, plan, chosen, born, titles), chosen.updated_ms, is_cut)


def bounded(found: Iterator[Item | Tombstone], room: int) -> tuple[Chosen, bool]:
    """As many as go into so many bytes, in their order, but at least one; and whether any were left out.

    What is too large by itself makes way for what is not.
    """
    shown, removed, newest_ms, is_cut = list[Item](), list[Tombstone](), 0, False
    too_large: Item | None = None  # the newest of those
    for number, each in enumerate(found):
        if number >= MOST_ITEMS or (room < HEAD_BYTES and (shown or removed or too_large is not None)):
            is_cut = True
            break
        newest_ms = max(newest_ms, recorded_ms(each))
        size = size_of(each)
        if isinstance(each, Tombstone):
            removed.append(each)
        elif size > room:
            is_cut = is_cut or too_large is not None
            too_large = too_large if too_large is not None else each
            continue
        else:
            shown.append(each)
        room -= size
    if too_large is not None and not (shown or removed):
        shown, too_large = [too_large], None
    return Chosen(tuple(shown), newest_ms, tuple(removed)), is_cut or too_large is not None


def size_of(item: Item | Tombstone) -> int:
    """How many bytes it takes in a document, about."""
    return HEAD_BYTES + (0 if isinstance(item, Tombstone) else len(escape(item.content_html).encode()))


def recorded_ms(item: Item | Tombstone) -> int:
    match item:
        case Entry():
            return max(item.changed_ms, item.seen_ms)
        case Notice():
            return item.updated_ms
        case Tombstone():
            return item.when_ms


def entries_since(log: Log, plan: Plan, told: Since) -> Iterator[Entry | Tombstone]:
    reader = log.reader
    source_ids = None if plan.sources is None else reader.source_ids(plan.sources)
    ids = iter(entries_changed(reader.connection, told.change_id, source_ids))
    while some := list(islice(ids, CHUNK)):
        for entry in reader.entries(some, log.priorities, plan.sources):
            if not plan.shows(entry):
                continue
            yield entry if entry.removed_ms is None else Tombstone(entry.uid, entry.removed_ms)


def notices_since(log: Log, plan: Plan, told: Since, born: UUID) -> Iterator[Notice]:
    differs = Teller(log)
    for change, seen in takewhile(lambda pair: pair[0].id > told.change_id, judged(log, plan)):
        if seen.shows:
            yield notice_of(change, born, log.base_url, differs.of(change))


def incidents_since(log: Log, plan: Plan, told: Since, born: UUID) -> Iterator[Notice]:
    """An incident carries the time at which the look began that met it, so that one may be recorded late: the log tells."""
    logged = sources_in_trouble(log.reader.connection, told.change_id)
    for incident in log.reader.incidents(HEALTH_ENTRIES):
        if incident.changed_ms > told.at_ms or is_logged(incident, logged):
            notice = incident_notice(incident, born, log.base_url)
            if plan.shows(notice):
                yield notice


def is_logged(incident: Incident, logged: Collection[tuple[str, int]]) -> bool:
    return incident.of == "source" and any(
        incident.subject == source and incident.changed_ms >= at_ms for source, at_ms in logged
    )
