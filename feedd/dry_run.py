"""A look at a source that writes nothing: what would be ingested, and why."""

import sqlite3
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from feedd import shapes
from feedd.changes.values import Content, Judged
from feedd.changes.verdict import judged
from feedd.collect import collect
from feedd.config.sources import DirectorySource, GitSource, Source, WindowSource
from feedd.decide import Pass, after, decide, in_order
from feedd.folder import read_in_batches, reading_of, root_of
from feedd.looks import now_ms
from feedd.model import Conversation, Item, Rejected, Version
from feedd.publish.times import rfc3339
from feedd.sources import directory
from feedd.store import places, snapshot
from feedd.store.database import loaded_path, translated
from feedd.store.identity import identify, named
from feedd.store.judging import content_of, stored_content
from feedd.store.reader import Reader
from feedd.visits import State, Tools


class Seen(NamedTuple):
    """What a look would find."""

    items: list[Item]
    rejected: list[Rejected]
    gone: list[str]
    note: str | None = None
    present: frozenset[str] | None = None


async def dry_run(source: Source, reader: Reader, tools: Tools) -> shapes.Shape:
    """Decide on all that the source holds against what the store holds. Raises SourceError, StoreError."""
    match source:
        case DirectorySource() | GitSource():
            return folder_run(source, reader)
        case _:
            seen = await window_of(source, tools)
    with translated(reader.path):
        return all_decided(source, seen, reader.connection)


def folder_run(source: DirectorySource | GitSource, reader: Reader) -> shapes.Shape:
    """As `dry_run`, of a folder."""
    with tempfile.TemporaryDirectory(prefix="feedd-test-") as scratch:
        seen = files_of(source, root_of(source, Path(scratch)), reader)
    with translated(reader.path):
        return all_decided(source, seen, reader.connection)


async def window_of(source: WindowSource, tools: Tools) -> Seen:
    collected = await collect(source, State(Conversation(), {}, now_ms()), tools)
    made = collected.made
    if made is None:
        return Seen([], [], [], collected.conversation.note)
    return Seen(made.items, made.rejected, [], collected.conversation.note, made.present)


def files_of(source: DirectorySource | GitSource, root: Path, reader: Reader) -> Seen:
    rows = reader.rows(
        "SELECT path FROM locations WHERE source_id = (SELECT id FROM sources WHERE name = ?)"
        " AND entry_id IS NOT NULL",
        [source.name],
    )
    known: directory.Known = {loaded_path(path): (None, None, None) for (path,) in rows}
    listing = directory.scan(root, directory.Selection(source.include, source.exclude), known)
    items, rejected = list[Item](), list(listing.rejected)
    for batch in read_in_batches(reading_of(source, root), listing.changed, time.time_ns()):
        items += batch.items
        rejected += batch.rejected
        rejected += [
            Rejected(each.path, "is being written; it is read once it stands still") for each in batch.waiting
        ]
    return Seen(items, rejected, listing.gone)


class DryJudge(NamedTuple):
    """Judges as the store does; of what was met in this very look, nothing is stored."""

    connection: sqlite3.Connection
    met: dict[bytes, Content]  # by the hash of its content

    def __call__(self, before: Version, item: Item, *, live: bool) -> Judged:
        old = self.met.get(before.content_hash)
        if old is None:
            old = stored_content(self.connection, before.revision_id)
        return judged(old, content_of(item.article), live=live)


def all_decided(source: Source, seen: Seen, connection: sqlite3.Connection) -> shapes.Shape:
    row = connection.execute(
        "SELECT id, first_pass_at, extraction FROM sources WHERE name = ?", [source.name]
    ).fetchone()
    source_id, first_pass_at, extraction = row or (0, None, source.extraction_hash)
    rebase = extraction != source.extraction_hash
    look = Pass(source_id, 0, first_pass_at is None, now_ms(), rebase=rebase, present=seen.present)
    entries: dict[str, snapshot.StoredEntry] = {}
    items_named = named(connection, look, seen.items)
    there = places.held(connection, look, source.extraction_hash, items_named)
    identified = identify(connection, look, items_named, there).items
    judging = DryJudge(connection, {})
    items = [
        decided(connection, source, look, item, there, entries, judging) for item in in_order(identified)
    ]
    return {
        "source": source.name,
        "items": items,
        "gone": [shapes.printable(path) for path in seen.gone],
        "rejected": [shapes.rejected(each) for each in seen.rejected],
        "note": seen.note,
    }


def decided(
    connection: sqlite3.Connection,
    source: Source,
    look: Pass,
    item: Item,
    there: Mapping[str, places.Held],
    entries: dict[str, snapshot.StoredEntry],
    judging: "DryJudge",
) -> shapes.Shape:
    uid = item.article.uid
    stored = snapshot.load(connection, look, source.extraction_hash, [item], there)
    entry = entries.setdefault(uid, stored.entries.get(uid) or snapshot.StoredEntry(0))
    verdict = decide(item, stored.held(item, entry), entry.state, look, judging)
    judging.met[item.article.content_hash] = content_of(item.article)
    after(entry.state, item, verdict, look, 0)
    guessed = item.stated_ms is None
    return {
        "where": shapes.printable(item.location),
        "url": item.article.url,
        "title": item.article.title,
        "published": rfc3339(item.time_ms if item.published_ms is None else item.published_ms),
        "date_guessed": guessed,
        "image": item.article.image,
        "author": ", ".join(item.article.details.authors) or None,
        "decision": verdict.kind or "duplicate",
        "because": verdict.because,
    }
