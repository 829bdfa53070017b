"""All that is read for people and machines: entries, versions, sources. Readers never wait for the writer."""

import heapq
import json
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from feedd.changes.values import Content
from feedd.model import NO_DETAILS, Details, Significance
from feedd.normalise import details
from feedd.normalise.text import lead_image
from feedd.store import changelog, proposals
from feedd.store.changelog import Change
from feedd.store.database import connect_to_read, loaded_path, placeholders, translated
from feedd.store.incidents import Incident, newest
from feedd.store.judging import Unpacked, stored_content
from feedd.store.proposals import Proposed
from feedd.store.schema import check_current, empty_store
from feedd.store.snapshot import content
from feedd.store.source_queries import ARE_FAILING

AT_ONCE = 100
FEWEST, MOST = 5, 1_000  # entries of a source that are read at once
LATEST = 1 << 62  # in milliseconds: after every time
LEAST = (False, -(2**63), 0)  # below any source


class Entry(NamedTuple):
    """An entry as one reader sees it: the version of the source that it is shown from."""

    id: int
    uid: str
    url: str
    title: str
    published_ms: int
    updated_ms: int
    date_guessed: bool
    changed_ms: int  # when the last change was told
    seen_ms: int  # when the version shown was first seen
    removed_ms: int | None
    revisions: int
    position: int
    sources: tuple[str, ...]
    source: str  # whose version is shown
    image: str | None
    content_html: str
    details: Details = NO_DETAILS


class Push(NamedTuple):
    """How a hub pushes what a source has."""

    state: str  # wanted, asked, active, denied
    lease_until_ms: int | None
    pushed_ms: int | None  # when it did last
    error: str | None


class SourceRow(NamedTuple):
    """What the store knows of a source."""

    id: int
    name: str
    type: str
    location: str
    configured: int  # 0: taken out of the configuration; 2: paused in it
    entries: int
    touched: int
    last_checked_ms: int | None
    last_changed_ms: int | None
    next_check_ms: int | None
    next_check_because: str | None
    failures: int
    error: str | None
    paused: str | None = None  # why, where a person or feedd paused it
    note: str | None = None  # a state that is no failure
    address: str | None = None  # where the server moved it for good
    push: Push | None = None  # None: no hub is asked for it
    paused_by: str | None = None  # who, and since when, where a person paused it


class Revision(NamedTuple):
    """A stored version of an entry, without its content."""

    number: int
    source: str
    location: str
    stated_ms: int | None
    seen_ms: int
    title: str
    change: str
    significance: str
    reasons: tuple[str, ...]
    revision_id: int
    newest: bool  # the one that its source shows


class Reader:
    """Reads the store from any thread, on a connection of its own for each. One that is not made yet is empty."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.local = threading.local()

    @property
    def connection(self) -> sqlite3.Connection:
        if not hasattr(self.local, "connection"):
            self.local.connection = self.opened() if self.path.exists() else empty_store()
        found: sqlite3.Connection = self.local.connection
        return found

    def opened(self) -> sqlite3.Connection:
        connection = connect_to_read(self.path)
        try:
            check_current(connection, self.path)
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """Close the calling thread's connection."""
        if hasattr(self.local, "connection"):
            self.local.connection.close()
            self.local.__dict__.clear()

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with translated(self.path):
            return self.connection.execute(query, values).fetchall()

    def data_version(self) -> int:
        """Another number whenever anything was written since this thread asked last."""
        ((version,),) = self.rows("PRAGMA data_version")
        return int(version)

    def uuid(self) -> str:
        """The random UUID that the database was born with."""
        ((value,),) = self.rows("SELECT value FROM meta WHERE key = 'uuid'")
        return str(value)

    def sources(self) -> list[SourceRow]:
        """All there ever were, by name: who wants to know of one asks for that."""
        return self.source_rows("1")

    def source_named(self, name: str) -> SourceRow | None:
        return next(iter(self.source_rows("name = ?", name)), None)

    def source_numbered(self, source_id: int) -> SourceRow | None:
        return next(iter(self.source_rows("s.id = ?", source_id)), None)

    def sources_changed(self, limit: int, where: str = "configured") -> list[SourceRow]:
        """Those of the configuration that changed last. By `sources_changed`, or `sources_failing`."""
        some = f"SELECT id FROM sources WHERE {where} ORDER BY last_changed DESC, name LIMIT ?"
        return self.source_rows(f"s.id IN ({some})", limit, order="last_changed DESC, name")

    def sources_failing(self, limit: int) -> list[SourceRow]:
        return self.sources_changed(limit, ARE_FAILING)

    def source_rows(self, where: str, *values: object, order: str = "name") -> list[SourceRow]:
        rows = self.rows(
            "SELECT s.id, name, type, location, configured, entries, touched, last_checked, last_changed, next_check,"
            " next_check_because, failures, s.error, coalesce(paused_by, paused), note, address, paused_by,"
            " u.state, u.lease_until, u.pushed_at, u.error"
            " FROM sources s LEFT JOIN subscriptions u ON u.source_id = s.id AND u.state != 'ending'"
            f" WHERE {where} ORDER BY {order}",
            values,
        )
        return [SourceRow(*(*row[:16], Push(*row[17:]) if row[17] else None, row[16])) for row in rows]

    def source_numbers(self, names: Collection[str]) -> dict[str, int]:
        """By name, of those that there are."""
        query = "SELECT name, id FROM sources WHERE name IN (SELECT value FROM json_each(?))"
        return dict(self.rows(query, [json.dumps(list(names))]))

    def source_ids(self, names: Collection[str]) -> list[int]:
        rows = self.rows(f"SELECT id FROM sources WHERE name IN ({placeholders(len(names))})", list(names))
        return [source_id for (source_id,) in rows]

    def touched(self, names: Collection[str] | None) -> tuple[int, int]:
        """Another value whenever anything that these sources show changes (None: all)."""
        if names is None:
            return self.all_touched()
        query = f"SELECT count(*), sum(touched) FROM sources WHERE name IN ({placeholders(len(names))})"
        ((count, total),) = self.rows(query, list(names))
        return int(count), int(total or 0)

    def all_touched(self) -> tuple[int, int]:
        """As `touched`, of all sources; they are added up only if anything was written since this thread asked last."""
        version = self.data_version()
        if getattr(self.local, "touched", (None,))[0] != version:
            ((count, total),) = self.rows("SELECT count(*), sum(touched) FROM sources")
            self.local.touched = version, (int(count), int(total or 0))
        found: tuple[int, int] = self.local.touched[1]
        return found

    def incidents(self, limit: int) -> list[Incident]:
        """What went wrong with sources lately, the newest first."""
        with translated(self.path):
            return newest(self.connection, limit)

    def feed_configured_ms(self, name: str) -> int:
        rows = self.rows("SELECT configured_at FROM feeds WHERE name = ?", [name])
        return int(rows[0][0]) if rows else 0

    def entry_ids(self, source_ids: Collection[int] | None, *, removed: bool) -> Iterator[int]:
        """Entries in the order of a feed over these sources (None: all), newest first, each once."""
        if source_ids is None:
            where = "" if removed else "WHERE removed_at IS NULL"
            query = f"SELECT id FROM entries {where} ORDER BY position DESC, published DESC, id DESC"
            with translated(self.path):
                yield from (entry_id for (entry_id,) in self.connection.execute(query))
            return
        these = frozenset(source_ids)
        size = max(FEWEST, MOST // (2 * len(these) or 1))
        streams = [self.placed(each, size, removed=removed) for each in these]
        for _, _, negative, before in heapq.merge(*streams, key=itemgetter(0, 1, 2)):
            # An entry stands where the first of these sources has it: its arrival through another is no news.
            if before is None or these.isdisjoint(map(int, before.split(","))):
                yield -negative

    def placed(
        self, source_id: int, size: int, *, removed: bool
    ) -> Iterator[tuple[int, int, int, str | None]]:
        """Where the entries of a source stand (position, publication, number, each negative), and the numbers of the
        sources that had each before, with commas.

        Read in pieces, first of `size`: of statements that are open, SQLite looks through all whenever it opens one.
        """
        where = "" if removed else " AND removed_at IS NULL"
        query = (
            "SELECT -r.position, -e.published, -e.id, (SELECT group_concat(o.source_id) FROM revisions o"
            " WHERE o.entry_id = r.entry_id AND o.number <"
            " (SELECT min(f.number) FROM revisions f WHERE f.entry_id = r.entry_id AND f.source_id = r.source_id))"
            f" FROM revisions r JOIN entries e ON e.id = r.entry_id WHERE r.source_id = ?1 AND r.newest{where}"
            " AND r.position <= -?2 AND (-r.position, -e.published, -e.id) > (?2, ?3, ?4)"
            " ORDER BY r.position DESC, e.published DESC, e.id DESC LIMIT ?5"
        )
        last = (-LATEST, -LATEST, -LATEST)
        while rows := self.rows(query, [source_id, *last, size]):
            yield from rows
            if len(rows) < size:
                return
            last, size = rows[-1][:3], min(2 * size, MOST)

    def entries(
        self, ids: Iterable[int], priorities: Mapping[str, int], within: Collection[str] | None = None
    ) -> list[Entry]:
        """These entries, in this order, each as its source of the highest priority has it, then as the first.

        A source that left the configuration comes after those that are in it.

        `within` names the sources whose versions may be shown; None: all.
        """
        wanted = list(ids)
        found: dict[int, Entry] = {}
        best: dict[int, tuple[bool, int, int]] = {}
        for start in range(0, len(wanted), AT_ONCE):
            some = wanted[start : start + AT_ONCE]
            held: dict[int, list[str]] = {}
            for row in self.version_rows(some):
                entry_id, uid, url, published, updated, guessed, changed_at, removed_at, revisions = row[:9]
                source, title, image, html, position, seen_at, said, configured, first_number = row[9:]
                held.setdefault(entry_id, []).append(source)
                rank = (bool(configured), priorities.get(source, 0), -first_number)
                if (within is None or source in within) and rank > best.get(entry_id, LEAST):
                    best[entry_id] = rank
                    found[entry_id] = Entry(
                        entry_id, uid, url, title, published, updated, bool(guessed), changed_at, seen_at, removed_at,
                        revisions, position, (), source, image, html, details.read(said),
                    )  # fmt: skip
            for entry_id, names in held.items():
                if entry_id in found:
                    found[entry_id] = found[entry_id]._replace(sources=tuple(sorted(names)))
        return [found[entry_id] for entry_id in wanted if entry_id in found]

    def version_rows(self, ids: Sequence[int]) -> list[tuple[Any, ...]]:
        """The newest version of each of these entries in each of its sources."""
        return self.rows(
            "SELECT e.id, e.uid, e.url, e.published, e.updated, e.date_guessed, e.changed_at, e.removed_at, e.revisions,"
            " s.name, r.title, r.image, r.content_html, r.position, r.seen_at, r.details, s.configured,"
            " (SELECT min(number) FROM revisions f WHERE f.entry_id = r.entry_id AND f.source_id = r.source_id)"
            " FROM entries e JOIN revisions r ON r.entry_id = e.id AND r.newest JOIN sources s ON s.id = r.source_id"
            f" WHERE e.id IN ({placeholders(len(ids))})",
            ids,
        )

    def entry_id(self, *, number: int | None = None, uid: str | None = None) -> int | None:
        if uid is None:
            rows = self.rows("SELECT id FROM entries WHERE id = ?", [number])
        else:  # of the entry itself, or of an address that it had at another time
            query = (
                "SELECT id FROM entries WHERE uid = ? UNION ALL SELECT entry_id FROM aliases WHERE uid = ?"
            )
            rows = self.rows(query, [uid, uid])
        return int(rows[0][0]) if rows else None

    def entry_at(self, urls: Collection[str]) -> int | None:
        """An entry that has one of these addresses now, whatever it is known by."""
        rows = self.rows(
            f"SELECT id FROM entries WHERE url IN ({placeholders(len(urls))}) ORDER BY id LIMIT 1", list(urls)
        )
        return int(rows[0][0]) if rows else None

    def held_back(self, entry_id: int) -> list[str]:
        """Why changes of the entry are kept for now without notice."""
        return [
            str(why) for (why,) in self.rows("SELECT why FROM held_notices WHERE entry_id = ?", [entry_id])
        ]

    def history(self, entry_id: int) -> list[Revision]:
        rows = self.rows(
            "SELECT r.number, s.name, r.location, r.stated, r.seen_at, r.title, r.change, r.significance, r.reasons, r.id,"
            " r.newest FROM revisions r JOIN sources s ON s.id = r.source_id WHERE r.entry_id = ? ORDER BY r.number",
            [entry_id],
        )
        return [
            Revision._make(row)._replace(
                location=loaded_path(row[2]), reasons=tuple(json.loads(row[8] or "[]")), newest=bool(row[10])
            )
            for row in rows
        ]

    def locations(self, entry_id: int) -> list[tuple[str, str]]:
        """(source, location) of every place that holds the entry now."""
        rows = self.rows(
            "SELECT s.name, l.path FROM locations l JOIN sources s ON s.id = l.source_id WHERE l.entry_id = ?"
            " ORDER BY s.name, l.path",
            [entry_id],
        )
        return [(str(name), loaded_path(path)) for name, path in rows]

    def revision_html(self, revision_id: int) -> str:
        with translated(self.path):
            return content(self.connection, revision_id)

    def entry_as(self, entry: Entry, revision: Revision) -> Entry:
        """The entry as one of its versions had it."""
        ((image, said),) = self.rows(
            "SELECT image, details FROM revisions WHERE id = ?", [revision.revision_id]
        )
        html = self.revision_html(revision.revision_id)
        return entry._replace(
            title=revision.title,
            source=revision.source,
            seen_ms=revision.seen_ms,
            image=image or lead_image(html),
            content_html=html,
            details=details.read(said),
        )

    def last_change(self, entry_id: int) -> tuple[str, int] | None:
        """Kind and time of the last change of an entry that was told."""
        rows = self.rows(
            "SELECT kind, at FROM changes WHERE entry_id = ? ORDER BY id DESC LIMIT 1", [entry_id]
        )
        return (str(rows[0][0]), int(rows[0][1])) if rows else None

    def refusals(self, url: str) -> list[tuple[str, str]]:
        """(source, reason) of every source that names this address and leaves it out."""
        rows = self.rows(
            "SELECT s.name, l.rejected FROM locations l JOIN sources s ON s.id = l.source_id"
            " WHERE l.path = ? AND l.rejected IS NOT NULL ORDER BY s.name",
            [url],
        )
        return [(str(name), str(why)) for name, why in rows]

    def rejected(self, limit: int = -1) -> list[tuple[str, str, str]]:
        """(source, path, reason) of everything that is refused now; not of what rules leave out."""
        rows = self.rows(  # SQLite would go through all locations, to spare itself the sorting of few
            "SELECT s.name, l.path, l.rejected FROM locations l INDEXED BY locations_rejected"
            " CROSS JOIN sources s ON s.id = l.source_id WHERE l.rejected IS NOT NULL AND l.rejected NOT LIKE 'left out:%' ORDER BY s.name, l.path LIMIT ?",
            [limit],
        )
        return [(str(name), loaded_path(path), str(why)) for name, path, why in rows]

    def proposals(self) -> list[Proposed]:
        """Lines that sources' `ignore` might have."""
        with translated(self.path):
            return proposals.newest(self.connection)

    def change_log(
        self,
        source_ids: Collection[int] | None = None,
        level: Significance | None = None,
        before: int | None = None,
    ) -> Iterator[Change]:
        """Changes that these sources told (None: all), newest first: of that significance, below that number."""
        with translated(self.path):
            yield from changelog.changes(self.connection, source_ids, level, before)

    def version_content(self, revision_id: int, unpacked: Unpacked | None = None) -> Content:
        """What is compared of a version; who asks for many passes `unpacked`. Raises NoLongerKept."""
        with translated(self.path):
            return stored_content(self.connection, revision_id, unpacked)
