"""Writing the search index: one document an entry, of the version that it shows.

What is written is prepared by a reader, so that the writer's transaction only inserts. A cursor in `meta`, moved in the
same transaction, says up to where the log and the versions were followed: a kill loses nothing and doubles nothing.

FTS5 takes a document out of an index without content only if it is told exactly what was put in. That is made again from
the version that was indexed; if it is not the same any more (the version was pruned, the code cleans otherwise), the
document stays behind as one of no entry, which no search finds, until the index is built anew.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import groupby
from typing import NamedTuple

from feedd.normalise import details
from feedd.normalise.text import plain_text
from feedd.search.matching import MOST_CHARACTERS, listed
from feedd.search.segment import VERSION, segmented
from feedd.store import log
from feedd.store.database import placeholders
from feedd.store.snapshot import content

DAY_MS = 86_400_000
EPOCH_DAY = 719_163  # of 1970-01-01, counted from the year 1: no document has a negative number
DAY_BITS = 24
VERSION_KEY, CHANGE_KEY, REVISION_KEY, ORDER_KEY = (
    "search_version",
    "search_change",
    "search_revision",
    "search_priorities",
)

Columns = tuple[str, str, str, str]  # text, title, authors, categories: tokens with spaces between them


class Cursor(NamedTuple):
    """Up to where the index has followed."""

    change_id: int = 0
    revision_id: int = 0


class Doc(NamedTuple):
    """A document of the index."""

    id: int
    revision_id: int
    digest: bytes


class Shown(NamedTuple):
    """The version that an entry shows."""

    revision_id: int
    published_ms: int


class Update(NamedTuple):
    """What is to become of an entry's document."""

    entry_id: int
    old: Doc | None
    old_columns: Columns | None  # None: not to be had
    new: Shown | None  # None: the entry was removed
    new_columns: Columns | None


class Batch(NamedTuple):
    at: Cursor  # where the index stood when this was prepared
    then: Cursor
    updates: tuple[Update, ...]


def first_of_day(time_ms: int) -> int:
    """The least number that a document of that day may have."""
    return (EPOCH_DAY + time_ms // DAY_MS) << DAY_BITS


def digest_of(columns: Columns) -> bytes:
    return blake2b("\0".join(columns).encode("utf-8", "surrogatepass"), digest_size=8).digest()


def columns_of(title: str, html: str, said: str | None) -> Columns:
    known = details.read(said)
    text = plain_text(html)[:MOST_CHARACTERS]
    return (
        segmented(text),
        segmented(title),
        segmented(listed(known.authors)),
        segmented(listed(known.categories)),
    )


def cursor(connection: sqlite3.Connection) -> Cursor | None:
    """None: there is no index of today's making."""
    if noted(connection, VERSION_KEY) != str(VERSION):
        return None
    return Cursor(int(noted(connection, CHANGE_KEY) or 0), int(noted(connection, REVISION_KEY) or 0))


def newest(connection: sqlite3.Connection) -> Cursor:
    """Up to where there is something to be followed."""
    (revision_id,) = connection.execute("SELECT coalesce(max(id), 0) FROM revisions").fetchone()
    return Cursor(log.newest_id(connection), int(revision_id))


def ahead(connection: sqlite3.Connection, at: Cursor, limit: int) -> tuple[list[int], Cursor]:
    """Entries that were touched since, and the cursor behind them. What is silent counts, too."""
    run = connection.execute
    end = newest(connection)
    rows = run("SELECT id, entry_id FROM revisions WHERE id > ? ORDER BY id LIMIT ?", [at.revision_id, limit])
    revisions = rows.fetchall()
    then = Cursor(at.change_id, revisions[-1][0] if len(revisions) == limit else end.revision_id)
    found = dict.fromkeys(entry_id for _, entry_id in revisions)
    if len(revisions) < limit:  # by far the most changes are of versions that were just met
        rows = run(
            "SELECT id, entry_id FROM changes WHERE id > ? ORDER BY id LIMIT ?",
            [at.change_id, 10 * limit],
        )
        changes = rows.fetchall()
        last_id = changes[-1][0] if len(changes) == 10 * limit else end.change_id
        then = then._replace(change_id=last_id)
        found |= dict.fromkeys(entry_id for _, entry_id in changes if entry_id is not None)
    return list(found), then


def docs(connection: sqlite3.Connection, entry_ids: Sequence[int]) -> dict[int, Doc]:
    rows = connection.execute(
        f"SELECT entry_id, id, revision_id, digest FROM search_docs WHERE entry_id IN ({placeholders(len(entry_ids))})",
        entry_ids,
    )
    return {entry_id: Doc(*doc) for entry_id, *doc in rows}


def shown(
    connection: sqlite3.Connection, entry_ids: Sequence[int], priorities: Mapping[str, int]
) -> dict[int, Shown]:
    """The version that each entry shows, as `Reader.entries` chooses it; of those that were removed, none."""
    rows = connection.execute(
        "SELECT e.id, e.published, r.id, s.name, s.configured,"
        " (SELECT min(number) FROM revisions f WHERE f.entry_id = r.entry_id AND f.source_id = r.source_id)"
        " FROM entries e JOIN revisions r ON r.entry_id = e.id AND r.newest JOIN sources s ON s.id = r.source_id"
        f" WHERE e.id IN ({placeholders(len(entry_ids))}) AND e.removed_at IS NULL ORDER BY e.id",
        entry_ids,
    ).fetchall()
    found = {}
    for entry_id, versions in groupby(rows, lambda row: int(row[0])):
        best = max(versions, key=lambda row: (bool(row[4]), priorities.get(row[3], 0), -row[5]))
        found[entry_id] = Shown(best[2], best[1])
    return found


def version_columns(connection: sqlite3.Connection, revision_id: int) -> Columns | None:
    """What is indexed of a version; None where it was pruned. Raises NoLongerKept."""
    row = connection.execute("SELECT title, details FROM revisions WHERE id = ?", [revision_id]).fetchone()
    return None if row is None else columns_of(row[0], content(connection, revision_id), row[1])


def order_of_sources(connection: sqlite3.Connection, priorities: Mapping[str, int]) -> str:
    """What decides which source's version is shown, besides the order of arrival. See `shown`."""
    rows = connection.execute("SELECT name FROM sources WHERE configured ORDER BY name").fetchall()
    return blake2b(repr([(name, priorities.get(name, 0)) for (name,) in rows]).encode()).hexdigest()


def apply(connection: sqlite3.Connection, batch: Batch, order: str | None = None) -> bool:
    """Write a batch, within a transaction of the caller's. False: the index stands elsewhere by now; nothing was done.

    `order`: note that the index follows this order of the sources.
    """
    if cursor(connection) != batch.at:
        return False
    for update in batch.updates:
        freed = take_out(connection, update)
        if update.new is not None and update.new_columns is not None:
            put_in(connection, update, update.new, update.new_columns, freed)
    note(connection, {CHANGE_KEY: str(batch.then.change_id), REVISION_KEY: str(batch.then.revision_id)})
    if order is not None:
        note(connection, {ORDER_KEY: order})
    return True


def take_out(connection: sqlite3.Connection, update: Update) -> int | None:
    """Returns the number that is free now; None for none."""
    old, columns = update.old, update.old_columns
    if old is None:
        return None
    if columns is None or digest_of(columns) != old.digest:
        connection.execute("UPDATE search_docs SET entry_id = NULL WHERE id = ?", [old.id])
        return None
    connection.execute(
        "INSERT INTO search_index (search_index, rowid, text, title, authors, categories) VALUES ('delete',?,?,?,?,?)",
        [old.id, *columns],
    )
    connection.execute("DELETE FROM search_docs WHERE id = ?", [old.id])
    return old.id


def put_in(
    connection: sqlite3.Connection, update: Update, new: Shown, columns: Columns, freed: int | None
) -> None:
    doc_id, first = freed, first_of_day(new.published_ms)
    if doc_id is None or doc_id >> DAY_BITS != first >> DAY_BITS:
        (last,) = connection.execute(
            "SELECT max(id) FROM search_docs WHERE id >= ? AND id < ?", [first, first + (1 << DAY_BITS)]
        ).fetchone()
        doc_id = first if last is None else last + 1
    connection.execute(
        "INSERT INTO search_docs VALUES (?,?,?,?)",
        [doc_id, update.entry_id, new.revision_id, digest_of(columns)],
    )
    connection.execute(
        "INSERT INTO search_index (rowid, text, title, authors, categories) VALUES (?,?,?,?,?)",
        [doc_id, *columns],
    )


def begin_anew(connection: sqlite3.Connection, order: str) -> None:
    """An empty index that follows from the beginning, within a transaction of the caller's."""
    connection.execute("INSERT INTO search_index (search_index) VALUES ('delete-all')")
    connection.execute("DELETE FROM search_docs")
    # what was logged until now, versions are met with
    last_id = str(log.newest_id(connection))
    note(connection, {VERSION_KEY: str(VERSION), CHANGE_KEY: last_id, REVISION_KEY: "0", ORDER_KEY: order})


def several_sources(connection: sqlite3.Connection, after_id: int, limit: int) -> list[int]:
    """Entries with versions in several sources, whose order decides which one is shown."""
    rows = connection.execute(
        "SELECT id FROM entries e WHERE id > ? AND revisions > 1 AND (SELECT count(*) FROM revisions r"
        " WHERE r.entry_id = e.id AND r.newest) > 1 ORDER BY id LIMIT ?",
        [after_id, limit],
    )
    return [entry_id for (entry_id,) in rows]


def dead(connection: sqlite3.Connection) -> int:
    """How many documents are of no entry. By `search_docs_dead`: the others are not counted."""
    (number,) = connection.execute("SELECT count(*) FROM search_docs WHERE entry_id IS NULL").fetchone()
    return int(number)


def counts(connection: sqlite3.Connection) -> tuple[int, int]:
    """How many documents there are, which costs as much as there are; and how many of them are of no entry."""
    (number,) = connection.execute("SELECT count(*) FROM search_docs").fetchone()
    return int(number), dead(connection)


def noted(connection: sqlite3.Connection, key: str) -> str | None:
    found = connection.execute("SELECT value FROM meta WHERE key = ?", [key]).fetchone()
    return str(found[0]) if found else None


def note(connection: sqlite3.Connection, values: Mapping[str, str]) -> None:
    rows: Iterable[tuple[str, str]] = values.items()
    connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)
