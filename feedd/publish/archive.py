"""Archived feed documents (RFC 5005 section 4): number n holds the changes 100(n-1)+1 … 100n of a feed, in their order.

Which changes those are is written down as the log grows (`archivist`), and stays. What a document says of them is read
from the store: each as its version was. Of a version that was pruned, it says so.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from uuid import UUID

from feedd.config.base import digest
from feedd.errors import NoLongerKept
from feedd.model import Kind, Significance
from feedd.normalise import details
from feedd.normalise.text import lead_image
from feedd.publish.changes import Ends, Log, Teller, notice_of
from feedd.publish.document import Document, headed
from feedd.publish.item import Chosen, Item, Notice, Tombstone
from feedd.publish.plan import HEALTH, Plan, spelled, told
from feedd.store import archives, changelog
from feedd.store.archives import Archived, Named, Version
from feedd.store.changelog import Change
from feedd.store.database import translated
from feedd.store.judging import Unpacked
from feedd.store.reader import Entry
from feedd.store.snapshot import content

PRUNED = "<p><em>This version is no longer kept.</em></p>"


def is_archived(plan: Plan) -> bool:
    """Whether the feed has archives: one whose items come and go with time alone has no history that stays."""
    return plan.name != HEALTH and (plan.query is None or not plan.query.moves)


def rules_of(plan: Plan) -> str:
    """A digest of what chooses a feed's changes. With others, its archives are made anew."""
    around = Plan(plan.name, "", plan.sources, plan.filter, 0, "", None, plan.changes, (), plan.query)
    return digest(*told(around), spelled(plan.filter))


def full_documents(log: Log, plan: Plan) -> tuple[int, int]:
    """How many archive documents of the feed there are, and when the newest was filled, in ms; 0 for none."""
    if not is_archived(plan):
        return 0, 0
    reader = log.reader
    with translated(reader.path):
        at = archives.progress(reader.connection, plan.name)
    return (at.documents, at.filled_ms) if at is not None and at.rules == rules_of(plan) else (0, 0)


def archived(log: Log, plan: Plan, number: int, titles: Mapping[str, str]) -> Document | None:
    """The archive document of that number; None where there is none."""
    if number > full_documents(log, plan)[0]:
        return None
    reader = log.reader
    with translated(reader.path):
        found = archives.document(reader.connection, plan.name, number)
    if not found:
        return None
    born, updated_ms = UUID(reader.uuid()), max(each.at_ms for each in found)
    if plan.changes is not None:
        chosen = Chosen(tuple(notices(log, found, born)), updated_ms)
    else:
        chosen = entries_of(log, found, updated_ms)
    return headed(log, plan, chosen, born, titles)._replace(archive=number, hubs=())


def entries_of(log: Log, found: Sequence[Archived], updated_ms: int) -> Chosen:
    shown, removed = list[Item](), list[Tombstone]()
    named, stored = read(log, found)
    unpacked = Unpacked()
    for each in found:
        entry = named[each.entry_id]
        if each.kind is Kind.REMOVED:
            removed.append(Tombstone(entry.uid, each.at_ms))
        else:
            shown.append(
                as_it_was(log, each, entry, stored.get(each.revision_id or 0), unpacked)
                or no_longer(each, entry)
            )
    return Chosen(tuple(shown), updated_ms, tuple(removed))


def read(log: Log, found: Sequence[Archived]) -> tuple[dict[int, Named], dict[int, Version]]:
    reader = log.reader
    ids = sorted({each.revision_id for each in found if each.revision_id})
    with translated(reader.path):
        named = archives.entries(reader.connection, sorted({each.entry_id for each in found}))
        return named, archives.versions(reader.connection, ids)


def as_it_was(
    log: Log, each: Archived, entry: Named, version: Version | None, unpacked: Unpacked
) -> Entry | None:
    """The entry as a change left it; None where that version is no longer kept."""
    if version is None:
        return None
    html = version.content_html
    try:
        if html is None:
            with translated(log.reader.path):
                html = content(log.reader.connection, version.revision_id, unpacked)
    except NoLongerKept:
        return None
    return bare(each, entry)._replace(
        title=version.title,
        updated_ms=updated(each, entry, version.stated_ms),
        seen_ms=version.seen_ms,
        sources=(version.source,),
        source=version.source,
        image=version.image or lead_image(html),
        content_html=html,
        details=details.read(version.details),
    )


def bare(each: Archived, entry: Named) -> Entry:
    return Entry(
        entry.id, entry.uid, entry.url, entry.title, entry.published_ms, updated(each, entry, None),
        bool(entry.date_guessed), each.at_ms, each.at_ms, None, 1 if each.kind is Kind.ADDED else 2, 0,
        (entry.source,), entry.source, None, "",
    )  # fmt: skip


def no_longer(each: Archived, entry: Named) -> Entry:
    return bare(each, entry)._replace(content_html=PRUNED)


def updated(each: Archived, entry: Named, stated_ms: int | None) -> int:
    """As the entry's own `updated` was then: the publisher's, until the first edit that was recorded."""
    if each.kind is not Kind.ADDED:
        return each.at_ms
    return max(entry.published_ms, stated_ms or entry.published_ms)


def notices(log: Log, found: Sequence[Archived], born: UUID) -> Iterator[Notice]:
    reader, differs = log.reader, Teller(log)
    named, stored = read(log, found)
    with translated(reader.path):
        changes = changelog.these(reader.connection, [each.change_id for each in found if each.change_id])
    for each in found:
        change = changes.get(each.change_id or 0) or taken_back(
            each, named[each.entry_id], stored.get(each.revision_id or 0)
        )
        yield notice_of(change, born, log.base_url, differs.of(change))


def taken_back(each: Archived, entry: Named, version: Version | None) -> Change:
    """A change that another one of the same pass took the place of, after it had been told."""
    source, title = (version.source, version.title) if version else (entry.source, entry.title)
    return Change(
        each.change_id or 0, each.kind, each.at_ms, source, entry.id, entry.url, title, Significance.SUBSTANTIAL,
        (), None, None,
    )  # fmt: skip


def chosen_by(log: Log, plan: Plan, found: Sequence[Archived]) -> tuple[Archived, ...]:
    """Those of the changes of a feed's sources that the feed shows."""
    if plan.changes is not None:
        return told_by(log, plan, found)
    if not any(plan.filter) and plan.query is None:
        return tuple(found)
    named, stored = read(log, found)
    now, unpacked = newest(log, plan, named), Unpacked()

    def shows(each: Archived) -> bool:
        then = as_it_was(log, each, named[each.entry_id], stored.get(each.revision_id or 0), unpacked)
        entry = then or now.get(each.entry_id)
        return entry is not None and plan.shows(entry)

    return tuple(each for each in found if shows(each))


def told_by(log: Log, plan: Plan, found: Sequence[Archived]) -> tuple[Archived, ...]:
    """As `judged` of `changes` decides it."""
    reader, level = log.reader, Significance.SUBSTANTIAL if plan.changes == "substantial" else None
    with translated(reader.path):
        ids = [each.change_id for each in found if each.change_id]
        told_ids = archives.told(reader.connection, ids, level)
        changes = changelog.these(reader.connection, sorted(told_ids))
    some = [each for each in found if each.change_id in changes]
    if not any(plan.filter):
        return tuple(some)
    now, ends = newest(log, plan, {each.entry_id for each in some}), Ends(log, plan.filter)

    def shows(each: Archived) -> bool:
        entry = now.get(each.entry_id)
        return entry is not None and (plan.shows(entry) or ends.let_in(changes[each.change_id or 0], entry))

    return tuple(each for each in some if shows(each))


def newest(log: Log, plan: Plan, ids: Collection[int]) -> dict[int, Entry]:
    return {entry.id: entry for entry in log.reader.entries(sorted(ids), log.priorities, plan.sources)}
