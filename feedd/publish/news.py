"""What is new in a feed since somebody was told last: the document that a hub pushes (WebSub section 7)."""

from collections.abc import Collection, Iterator, Mapping
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
MOST_CHARACTERS = 20_000_000  # of HTML of all of them


class Since(NamedTuple):
    """Up to where somebody knows a feed."""

    change_id: int  # in the log
    at_ms: int  # `News.at_ms` of what it was told last: incidents of channels are in no log


class News(NamedTuple):
    document: Document  # with items and tombstones, of either at least one
    at_ms: int  # when the newest of it was recorded


def since(log: Log, plan: Plan, told: Since, titles: Mapping[str, str]) -> News | None:
    """What the feed shows now of all that changed meanwhile, the newest first. What is silent is no news."""
    born = UUID(log.reader.uuid())
    if plan.name == HEALTH:
        chosen = bounded(incidents_since(log, plan, told, born))
    elif plan.changes is not None:
        chosen = bounded(notices_since(log, plan, told, born))
    else:
        chosen = bounded(entries_since(log, plan, told))
    if not (chosen.items or chosen.tombstones):
        return None
    return News(headed(log, plan, chosen, born, titles), chosen.updated_ms)


def bounded(found: Iterator[Item | Tombstone]) -> Chosen:
    shown, removed, newest_ms, room = list[Item](), list[Tombstone](), 0, MOST_CHARACTERS
    for each in islice(found, MOST_ITEMS):
        newest_ms = max(newest_ms, recorded_ms(each))
        if isinstance(each, Tombstone):
            removed.append(each)
            continue
        room -= len(each.content_html)
        if room < 0 and shown:
            break
        shown.append(each)
    return Chosen(tuple(shown), newest_ms, tuple(removed))


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
    return not incident.of_channel and any(
        incident.subject == source and incident.changed_ms >= at_ms for source, at_ms in logged
    )
