"""The archives of feeds: which changes each holds, in which order. Rows that were written stay as they are.

Functions on a connection; those that write, within a transaction of the writer's.
"""

import heapq
import sqlite3
from collections.abc import Collection, Sequence
from itertools import takewhile
from json import dumps
from typing import NamedTuple

from feedd.model import Kind, Significance
from feedd.store import log
from feedd.store.changelog import ARE_TOLD
from feedd.store.database import placeholders
from feedd.store.marks import Mark

PAGE = 100  # changes of one archive document
THESE = "(SELECT value FROM json_each(:these))"  # numbers of sources: a feed may have more than SQLite binds values
# The newest version that a feed's sources had when another source noticed that an entry had gone, or was back.
OWN = (
    f"SELECT r.id FROM revisions r WHERE r.entry_id = c.entry_id AND r.source_id IN {THESE} AND r.seen_at <= c.at"
    " ORDER BY r.number DESC LIMIT 1"
)
GONE = f"c.kind IN ('{Kind.REMOVED}', '{Kind.RESTORED}')"
EMPTIED_AT_ONCE = 20_000  # rows
ARRIVED = (
    Kind.ADDED
)  # what the first version in a feed's sources counts as, where another source had the entry first


class Archived(NamedTuple):
    """A change as an archive holds it."""

    kind: Kind
    at_ms: int
    entry_id: int
    revision_id: int | None
    change_id: int | None


class Progress(NamedTuple):
    """How far an archive is."""

    rules: str
    change_id: int = 0
    revision_id: int = 0
    items: int = 0
    filled_ms: int = 0

    @property
    def documents(self) -> int:
        """Those that are full."""
        return self.items // PAGE


class Further(NamedTuple):
    """What an archive is to grow by."""

    items: tuple[Archived, ...]
    change_id: int  # up to where it follows then
    revision_id: int


def progress(connection: sqlite3.Connection, feed: str) -> Progress | None:
    """None: it has not begun."""
    row = connection.execute(
        "SELECT rules, change_id, revision_id, items, filled_at FROM archives WHERE feed = ?", [feed]
    ).fetchone()
    return Progress._make(row) if row else None


def document(connection: sqlite3.Connection, feed: str, number: int) -> list[Archived]:
    """What the archive document of that number holds; nothing where it is not full."""
    rows = connection.execute(
        "SELECT kind, at, entry_id, revision_id, change_id FROM archived WHERE position BETWEEN ? AND ?"
        " AND archive_id = (SELECT id FROM archives WHERE feed = ? AND items >= ?) ORDER BY position",
        [PAGE * (number - 1) + 1, PAGE * number, feed, PAGE * number],
    )
    return [Archived(Kind(kind), *others) for kind, *others in rows]


def further(
    connection: sqlite3.Connection, at: Progress, source_ids: Collection[int] | None, limit: int
) -> Further:
    """What followed of entries of these sources (None: all). What is silent counts, too."""
    newest_id = log.newest_id(connection)
    changes = changes_after(connection, at.change_id, source_ids, limit)
    is_full = len(changes) == limit
    change_id = changes[-1].change_id or 0 if is_full else max(newest_id, at.change_id)
    if source_ids is None:  # nothing arrives there a second time
        return Further(tuple(changes), change_id, at.revision_id)
    (revision_id,) = connection.execute("SELECT coalesce(max(id), 0) FROM revisions").fetchone()
    if is_full:  # what came after the last of them waits for those that follow
        revision_id = max(each.revision_id or 0 for each in changes)
    revision_id = max(revision_id, at.revision_id)
    arrivals = arrivals_between(connection, at.revision_id, revision_id, source_ids, limit)
    if len(arrivals) == limit:
        revision_id, until_ms = arrivals[-1].revision_id or 0, arrivals[-1].at_ms
        changes = list(takewhile(lambda each: each.at_ms <= until_ms, changes))
        change_id = max((each.change_id or 0 for each in changes), default=at.change_id)
    both = heapq.merge(changes, arrivals, key=lambda each: each.at_ms)
    return Further(tuple(both), change_id, revision_id)


def changes_after(
    connection: sqlite3.Connection, last_id: int, source_ids: Collection[int] | None, limit: int
) -> list[Archived]:
    """Changes in the order of the log. An entry comes and goes for every source that has a version of it.

    Those of one source are found by indexes, so that an archive costs what its own source brings. For more sources the
    log is gone through.
    """
    values: dict[str, object] = {"these": dumps(list(source_ids or ())), "after": last_id, "limit": limit}
    log_of = "changes c WHERE c.id > :after AND c.entry_id IS NOT NULL"
    where, shown = "", "c.revision_id"
    if source_ids is not None:
        shown = f"iif(c.kind = '{Kind.REMOVED}' OR c.source_id IN {THESE}, c.revision_id, ({OWN}))"
    if source_ids is not None and len(source_ids) == 1:
        (values["only"],) = source_ids
        of_others = f"SELECT * FROM {log_of} AND {GONE} AND c.source_id != :only AND EXISTS ({OWN})"
        log_of = (
            f"(SELECT * FROM (SELECT * FROM {log_of} AND c.source_id = :only ORDER BY c.id LIMIT :limit) UNION ALL"
            f" SELECT * FROM ({of_others} ORDER BY c.id LIMIT :limit)) c"
        )
    elif source_ids is not None:
        where = f" AND (+c.source_id IN {THESE} OR {GONE} AND EXISTS ({OWN}))"
    rows = connection.execute(
        f"SELECT c.kind, c.at, c.entry_id, {shown}, c.id FROM {log_of}{where} ORDER BY c.id LIMIT :limit",
        values,
    )
    return [Archived(Kind(kind), *others) for kind, *others in rows]


def arrivals_between(
    connection: sqlite3.Connection, after_id: int, last_id: int, source_ids: Collection[int], limit: int
) -> list[Archived]:
    """The first versions, in these sources, of entries that other sources had before: the log knew nothing of them then.

    By `revisions_later`, if there is one source.
    """
    values: dict[str, object] = {"these": dumps(list(source_ids)), "after": after_id, "last": last_id}
    values["limit"], of = limit, f"+n.source_id IN {THESE}"
    if len(source_ids) == 1:
        (values["only"],) = source_ids
        of = "n.source_id = :only"
    rows = connection.execute(
        "SELECT n.seen_at, n.entry_id, n.id FROM revisions n"
        f" WHERE n.id > :after AND n.id <= :last AND n.number > 1 AND {of}"
        f" AND NOT EXISTS (SELECT 1 FROM revisions r WHERE r.entry_id = n.entry_id AND r.number < n.number"
        f" AND r.source_id IN {THESE}) AND NOT EXISTS (SELECT 1 FROM changes c WHERE c.entry_id = n.entry_id"
        f" AND c.revision_id = n.id AND c.at <= n.seen_at AND c.source_id IN {THESE}) ORDER BY n.id LIMIT :limit",
        values,
    )
    return [Archived(ARRIVED, at_ms, entry_id, revision_id, None) for at_ms, entry_id, revision_id in rows]


def positions(connection: sqlite3.Connection) -> dict[str, Progress]:
    """How far each archive is, by its feed."""
    rows = connection.execute("SELECT feed, rules, change_id, revision_id, items, filled_at FROM archives")
    return {feed: Progress._make(row) for feed, *row in rows}


def sources_since(connection: sqlite3.Connection, at: Mark) -> set[str]:
    """The sources whose feeds may have something to archive of what was logged, or came, since then."""
    rows = connection.execute(
        "SELECT name FROM sources WHERE id IN (SELECT source_id FROM changes WHERE id > :change"
        " UNION SELECT source_id FROM revisions WHERE id > :revision UNION SELECT r.source_id FROM changes c"
        f" JOIN revisions r ON r.entry_id = c.entry_id WHERE c.id > :change AND {GONE})",
        {"change": at.change_id, "revision": at.revision_id},
    )
    return {name for (name,) in rows}


def note_followed(connection: sqlite3.Connection, feeds: Collection[str], end: Mark) -> None:
    """Each archive of these feeds was followed up to there."""
    connection.execute(
        "UPDATE archives SET change_id = max(change_id, :change), revision_id = max(revision_id, :revision)"
        " WHERE feed IN (SELECT value FROM json_each(:feeds))",
        {"feeds": dumps(list(feeds)), "change": end.change_id, "revision": end.revision_id},
    )


def told(connection: sqlite3.Connection, ids: Sequence[int], level: Significance | None) -> set[int]:
    """Those of these changes that people are told of; of that significance."""
    query = (
        "SELECT c.id FROM changes c LEFT JOIN revisions n ON n.id = c.revision_id"
        f" WHERE {ARE_TOLD} AND c.id IN ({placeholders(len(ids))})"
    )
    values = list[object](ids)
    if level is not None:
        query += f" AND coalesce(c.significance, n.significance, '{Significance.SUBSTANTIAL}') = ?"
        values.append(level)
    return {change_id for (change_id,) in connection.execute(query, values)}


def empty(connection: sqlite3.Connection, feed: str) -> int:
    """Take the last rows out of an archive that is to be made anew; how many those were: 0 when it is empty."""
    connection.execute("UPDATE archives SET rules = '', items = 0 WHERE feed = ?", [feed])
    return connection.execute(
        "DELETE FROM archived WHERE (archive_id, position) IN (SELECT archive_id, position FROM archived"
        " WHERE archive_id = (SELECT id FROM archives WHERE feed = ?) ORDER BY position DESC LIMIT ?)",
        [feed, EMPTIED_AT_ONCE],
    ).rowcount


def begin(connection: sqlite3.Connection, feed: str, rules: str) -> None:
    """An archive that holds nothing yet."""
    connection.execute(
        "INSERT INTO archives (feed, rules, change_id, revision_id, items, filled_at) VALUES (?, ?, 0, 0, 0, 0)"
        " ON CONFLICT (feed) DO UPDATE SET rules = excluded.rules, change_id = 0, revision_id = 0, items = 0,"
        " filled_at = 0",
        [feed, rules],
    )


def grow(
    connection: sqlite3.Connection,
    feed: str,
    at: Progress,
    more: Further,
    source_ids: Sequence[int] | None,
    now_ms: int,
) -> bool:
    """Append; False: the archive stands elsewhere by now, and nothing was done."""
    if progress(connection, feed) != at:
        return False
    ((archive_id,),) = connection.execute("SELECT id FROM archives WHERE feed = ?", [feed]).fetchall()
    connection.executemany(
        "INSERT INTO archived VALUES (?,?,?,?,?,?,?)",
        ((archive_id, position, *item) for position, item in enumerate(more.items, at.items + 1)),
    )
    items = at.items + len(more.items)
    fills = items // PAGE > at.documents
    connection.execute(
        "UPDATE archives SET change_id = ?, revision_id = ?, items = ?, filled_at = iif(?, ?, filled_at) WHERE id = ?",
        [more.change_id, more.revision_id, items, fills, now_ms, archive_id],
    )
    if fills:  # the feed's own document names it, and is another one if any of its sources was touched
        connection.execute(
            "UPDATE sources SET touched = touched + 1 WHERE id = coalesce(?, (SELECT min(id) FROM sources))",
            [source_ids[0] if source_ids else None],
        )
    return True


class Version(NamedTuple):
    """A stored version."""

    revision_id: int
    source: str
    title: str
    image: str | None
    details: str | None
    stated_ms: int | None
    seen_ms: int
    number: int
    content_html: str | None  # None: it is packed (`snapshot.content`)


def versions(connection: sqlite3.Connection, ids: Sequence[int]) -> dict[int, Version]:
    """Those of these that are kept."""
    rows = connection.execute(
        "SELECT r.id, s.name, r.title, r.image, r.details, r.stated, r.seen_at, r.number, r.content_html FROM revisions r"
        f" JOIN sources s ON s.id = r.source_id WHERE r.id IN ({placeholders(len(ids))})",
        list(ids),
    )
    return {row[0]: Version._make(row) for row in rows}


class Named(NamedTuple):
    """An entry, without any version of it."""

    id: int
    uid: str
    url: str
    title: str
    published_ms: int
    date_guessed: bool
    source: str  # that had it first


def entries(connection: sqlite3.Connection, ids: Sequence[int]) -> dict[int, Named]:
    rows = connection.execute(
        "SELECT e.id, e.uid, e.url, e.title, e.published, e.date_guessed, s.name FROM entries e"
        f" JOIN sources s ON s.id = e.source_id WHERE e.id IN ({placeholders(len(ids))})",
        list(ids),
    )
    return {row[0]: Named._make(row) for row in rows}
