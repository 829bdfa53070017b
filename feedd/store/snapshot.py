"""What the store holds of the entries that a batch of items concerns."""

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from feedd.decide import EARLIER, EntryState, Pass, also_at, words
from feedd.errors import NoLongerKept
from feedd.model import Item, Kind, Version
from feedd.normalise import details
from feedd.normalise.article import derive
from feedd.normalise.html import VERSION, clean
from feedd.normalise.text import lead_image
from feedd.store.database import loaded_path, placeholders
from feedd.store.pack import unpack
from feedd.store.places import Held

TRIES = 3  # to read a version while others are pruned
PROVISIONAL = "-provisional"  # behind the hash of the settings, where a summary stands in for the article


@dataclass(slots=True)
class StoredEntry:
    """One entry, as far as recording a batch needs it."""

    id: int
    state: EntryState = field(default_factory=EntryState)
    revisions: int = 0
    updated_ms: int = 0
    first_source_id: int = 0
    position: int = 0  # of the newest version in this source

    def version(self, revision_id: int | None) -> Version | None:
        """The version in this source with that number."""
        # nearly always it is the newest
        return next((each for each in reversed(self.state.versions) if each.revision_id == revision_id), None)


@dataclass(slots=True)
class Snapshot:
    entries: dict[str, StoredEntry]  # by uid
    locations: Mapping[str, Held]
    several: frozenset[str]  # uids of entries that several items of the batch are

    def held(self, item: Item, entry: StoredEntry) -> Version | None:
        """The version of `entry` that the item's location held last; None if it held another entry, or none."""
        there = self.locations.get(item.location)
        if there is None or there.entry_id != entry.id:
            return None
        version = entry.version(there.revision_id)
        return version and version._replace(stated_ms=there.stated_ms, location=item.location)


def load(
    connection: sqlite3.Connection,
    look: Pass,
    extraction: str,
    items: Sequence[Item],
    held: Mapping[str, Held],
    new: frozenset[str] = frozenset(),
) -> Snapshot:
    """Everything that deciding on `items` needs to know. `new`: uids that no entry has."""
    borne = [item.article.uid for item in items]
    uids, several = set(borne) - new, frozenset[str]()
    if len(set(borne)) < len(borne):
        several = frozenset(uid for uid, count in Counter(borne).items() if count > 1)
    if not uids:
        return Snapshot({}, held, several)
    rows = connection.execute(
        "SELECT id, uid, revisions, updated, source_id, removed_at IS NOT NULL, changed_at, EXISTS (SELECT * FROM changes c"
        " WHERE c.entry_id = entries.id AND c.source_id = ? AND c.pass = ?) FROM entries"
        f" WHERE uid IN ({placeholders(len(uids))})",
        [look.source_id, look.number, *uids],
    )
    entries = {
        uid: StoredEntry(
            entry_id,
            EntryState(known=True, removed=bool(removed), told=bool(told), told_ms=changed_at),
            revisions,
            updated,
            source_id,
        )
        for entry_id, uid, revisions, updated, source_id, removed, changed_at, told in rows
    }
    if entries:
        load_versions(connection, look, extraction, entries)
    return Snapshot(entries, held, several)


def load_versions(
    connection: sqlite3.Connection, look: Pass, extraction: str, entries: dict[str, StoredEntry]
) -> None:
    by_id = {entry.id: entry for entry in entries.values()}
    ids, unpacked = placeholders(len(by_id)), dict[int, str]()
    rows = connection.execute(
        "SELECT r.entry_id, r.source_id, r.newest, r.position, r.normaliser, r.extraction, e.url,"
        f" r.id IN (SELECT revision_id FROM changes WHERE entry_id IN ({ids})),"
        " r.change, r.adds_only, r.details, r.id, r.title, r.content_hash, r.fingerprint, r.links_hash, r.stated, coalesce(r.stated, 0),"
        " r.location, r.pass"
        " FROM revisions r JOIN entries e ON e.id = r.entry_id"
        f" WHERE r.entry_id IN ({ids}) ORDER BY r.number",
        [*by_id, *by_id],
    ).fetchall()
    elsewhere: dict[int, list[tuple[Version, bool]]] = {}  # what other sources told, and whether they show it
    for row in rows:
        entry_id, source_id, newest, position, normaliser, made_under, url, told, change, adds_only = row[:10]
        said, *fields = row[10:]
        entry, version = by_id[entry_id], Version(*fields)
        version = version._replace(location=loaded_path(version.location))
        if said:
            version = version._replace(authors=details.read(said).authors)
        if normaliser != VERSION:
            version = renormalised(connection, version, url, said, unpacked)
        if source_id != look.source_id:
            if told:
                elsewhere.setdefault(entry_id, []).append((version, bool(newest)))
            continue
        version = version._replace(
            comparable=is_comparable(made_under, extraction, look),
            provisional=made_under.endswith(PROVISIONAL),
            returned=change == Kind.REVERTED,
            adds_only=adds_only,
        )
        remember(entry.state, version)
        if newest:
            entry.state.newest, entry.position = version, position
    for entry_id, others in elsewhere.items():
        state = by_id[entry_id].state
        state.told_elsewhere = {
            words(version) for version, shown in others if shown or is_after(version, state)
        }
    load_standing(connection, look, by_id)
    load_held_back(connection, look, by_id)
    for entry in entries.values():
        state = entry.state
        state.earlier = [version for version in state.versions if version != state.newest][-EARLIER:]
        is_new = all(version.pass_number == look.number for version in state.versions)
        state.told = state.told or (bool(state.versions) and is_new)


def is_comparable(made_under: str, extraction: str, look: Pass) -> bool:
    """Whether a version was made under today's settings, or is read again in this very look."""
    same = made_under.removesuffix(PROVISIONAL) == extraction
    # a whole pass over a folder re-reads everything; a window shows the rest another day
    return (same or (look.present is None and not look.rebase)) and not look.anew


def remember(state: EntryState, version: Version) -> None:
    """Take in the next version of this source, in the order of their arrival."""
    state.growing = state.growing + 1 if version.adds_only else 0
    state.hashes[version.content_hash] = version.revision_id
    state.versions.append(version)


def is_after(version: Version, state: EntryState) -> bool:
    """Whether another source's version came after the newest of this one."""
    return state.newest is not None and version.revision_id > state.newest.revision_id


def load_standing(connection: sqlite3.Connection, look: Pass, by_id: dict[int, StoredEntry]) -> None:
    """Whether any location still holds the newest version of each entry, and the newest such place."""
    rows = connection.execute(
        "SELECT entry_id, revision_id, stated, coalesce(stated, mtime_ns / 1000000, 0), path FROM locations"
        f" WHERE source_id = ? AND entry_id IN ({placeholders(len(by_id))})",
        [look.source_id, *by_id],
    ).fetchall()
    for entry in by_id.values():
        entry.state.stands = False
    for entry_id, revision_id, stated_ms, time_ms, stored in rows:
        state, path = by_id[entry_id].state, loaded_path(stored)
        if state.newest is not None and state.newest.revision_id == revision_id and look.stands(path):
            state.newest, state.stands = also_at(state.newest, stated_ms, time_ms, path), True


def load_held_back(connection: sqlite3.Connection, look: Pass, by_id: dict[int, StoredEntry]) -> None:
    """The version that was told last of each entry of which something is held back."""
    rows = connection.execute(
        "SELECT entry_id, told_id FROM held_notices"
        f" WHERE source_id = ? AND entry_id IN ({placeholders(len(by_id))})",
        [look.source_id, *by_id],
    )
    for entry_id, told_id in rows:
        by_id[entry_id].state.told_from = by_id[entry_id].version(told_id)


def renormalised(
    connection: sqlite3.Connection, version: Version, url: str, said: str | None, unpacked: dict[int, str]
) -> Version:
    """The version as today's normaliser would have made it: our own edits are nobody's news."""
    html = content(connection, version.revision_id, unpacked)
    (image,) = connection.execute(
        "SELECT image FROM revisions WHERE id = ?", [version.revision_id]
    ).fetchone()
    apart = None if image == lead_image(html) else image
    article = derive(url, version.title, clean(html, url), details.read(said), apart)
    return version._replace(
        content_hash=article.content_hash, fingerprint=article.fingerprint, links_hash=article.links_hash
    )


def content(connection: sqlite3.Connection, revision_id: int, unpacked: dict[int, str] | None = None) -> str:
    """The HTML of any revision. Who asks for many of one entry passes `unpacked`, which spares going back.

    Raises NoLongerKept.
    """
    for _ in range(TRIES):
        html = followed(connection, revision_id, unpacked)
        if html is not None:
            return html
    raise NoLongerKept("the version is no longer kept")


def followed(connection: sqlite3.Connection, revision_id: int, unpacked: dict[int, str] | None) -> str | None:
    """The HTML, from revision to revision; None where one of them is gone: then another stands in its place."""
    chain: list[tuple[int, bytes]] = []
    html, wanted = (unpacked or {}).get(revision_id), revision_id
    while html is None:
        row = connection.execute(
            "SELECT content_html, packed, packed_against FROM revisions WHERE id = ?", [wanted]
        ).fetchone()
        if row is None:
            return None
        html, packed, against = row
        if html is None:
            chain.append((wanted, packed))
            html, wanted = (unpacked or {}).get(against), against
    for number, packed in reversed(chain):
        html = unpack(packed, html)
        if unpacked is not None:
            unpacked[number] = html
    return html
