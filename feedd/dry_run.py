"""A look at a source that writes nothing: what would be ingested, and why."""

import sqlite3
import time

from feedd import shapes
from feedd.config.settings import Source
from feedd.decide import Pass, after, decide, in_order
from feedd.model import Item, Rejected
from feedd.pipeline import collect, now_ms
from feedd.publish.times import rfc3339
from feedd.sources import directory
from feedd.store import snapshot
from feedd.store.database import loaded_path, translated
from feedd.store.reader import Reader


def dry_run(source: Source, reader: Reader) -> shapes.Shape:
    """Decide on every file of the folder against what the store holds. Raises SourceError, StoreError."""
    with translated(reader.path):
        return all_decided(source, reader.connection)


def all_decided(source: Source, connection: sqlite3.Connection) -> shapes.Shape:
    row = connection.execute(
        "SELECT id, first_pass_at, extraction FROM sources WHERE name = ?", [source.name]
    ).fetchone()
    source_id, first_pass_at, extraction = row or (0, None, source.extraction_hash)
    look = Pass(source_id, 0, first_pass_at is None, now_ms(), rebase=extraction != source.extraction_hash)
    rows = connection.execute(
        "SELECT path FROM locations WHERE source_id = ? AND entry_id IS NOT NULL", [source_id]
    )
    known: directory.Known = {loaded_path(path): (None, None, None) for (path,) in rows}
    listing = directory.scan(source.path, directory.Selection(source.include, source.exclude), known)
    reading = directory.Reading(str(source.path), source.encoding, source.ignore_scheme)
    rejected, items = list(listing.rejected), []
    entries: dict[str, snapshot.StoredEntry] = {}
    for batch in collect(reading, listing.changed, time.time_ns()):
        rejected += batch.rejected
        rejected += [
            Rejected(each.path, "is being written; it is read once it stands still") for each in batch.waiting
        ]
        items += [decided(connection, source, look, item, entries) for item in in_order(batch.items)]
    return {
        "source": source.name,
        "items": items,
        "gone": [shapes.printable(path) for path in listing.gone],
        "rejected": [shapes.rejected(each) for each in rejected],
    }


def decided(
    connection: sqlite3.Connection,
    source: Source,
    look: Pass,
    item: Item,
    entries: dict[str, snapshot.StoredEntry],
) -> shapes.Shape:
    uid = item.article.uid
    stored = snapshot.load(connection, look, source.extraction_hash, [item])
    entry = entries.setdefault(uid, stored.entries.get(uid) or snapshot.StoredEntry(0))
    verdict = decide(item, stored.held(item, entry), entry.state, look)
    after(entry.state, item, verdict, look, 0)
    guessed = item.stated_ms is None
    return {
        "where": shapes.printable(item.location),
        "url": item.article.url,
        "title": item.article.title,
        "published": rfc3339(item.time_ms),
        "date_guessed": guessed,
        "decision": verdict.kind or "duplicate",
        "because": verdict.because,
    }
