"""What a source's `keep` lets go: earlier versions, the oldest first. Here it is decided; `pruning` does it.

The rules are pure functions over the versions of one entry. A `Plan` reads the store once, in one view of it, and
holds what goes in temporary tables, so that its memory does not grow with the store.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing, contextmanager
from enum import StrEnum
from itertools import groupby, islice
from pathlib import Path
from typing import NamedTuple

from feedd.store.database import connect_to_read, one_view, placeholders, translated
from feedd.store.schema import check_current

TOLD_LATELY_MS = 7 * 86_400_000  # feeds of changes still show how such a change came about
ROW_BYTES = 200  # a row and its places in the indexes, besides what is written in it
ENTRIES_AT_ONCE = 200
VERSIONS_AT_ONCE = 10_000  # of one entry
NONE: frozenset[int] = frozenset()


class Keeps(NamedTuple):
    """What one source keeps; None sets no bound."""

    name: str
    age_ms: int | None = None  # since a version was first seen
    versions: int | None = None  # of one entry, the newest among them
    size: int | None = None  # bytes of all its versions, with the documents that they came from


class Guard(StrEnum):
    """Why a version stays though a bound asks for it to go."""

    NEWEST = "the newest"
    PLACE = "what a place holds now"
    NOTICE = "what waits to be told"
    FIRST = "what tells which of several sources had an article first"
    UNDER_WAY = "what a look that is under way works on"
    TOLD = "what changes of the last 7 days tell of"


class Stored(NamedTuple):
    """A version, without its content."""

    id: int
    entry_id: int
    source_id: int
    number: int
    seen_ms: int
    newest: bool
    under_way: bool  # of a look that is not finished
    against: int | None  # the version that it is packed against
    bytes: int
    raw_id: int | None


class History(NamedTuple):
    """All versions of one entry, in order of arrival, and what must not go of them."""

    versions: list[Stored]
    placed: AbstractSet[int] = NONE
    noticed: AbstractSet[int] = NONE
    told: AbstractSet[int] = NONE
    last_id: int = 0  # of all versions: were it to go, another would bear its number


class Fate(NamedTuple):
    """What becomes of an earlier version."""

    version: Stored
    asked: bool  # its age or its place among the versions of its entry asks for it to go
    guard: Guard | None


WEIGHT = (
    "coalesce(length(r.packed), length(CAST(r.content_html AS BLOB))) + length(CAST(r.title AS BLOB))"
    f" + coalesce(length(CAST(r.details AS BLOB)), 0) + {ROW_BYTES}"
)
RAW_WEIGHT = f"length(w.body) + length(CAST(w.headers AS BLOB)) + {ROW_BYTES}"


def guards(history: History) -> dict[int, Guard]:
    """Why each version that must stay does."""
    firsts: dict[int, int] = {}
    for version in history.versions:
        firsts.setdefault(version.source_id, version.id)
    under_way = {version.source_id for version in history.versions if version.under_way}
    found = {}
    for version in history.versions:
        if version.newest:
            found[version.id] = Guard.NEWEST
        elif version.id in history.placed:
            found[version.id] = Guard.PLACE
        elif version.id in history.noticed:
            found[version.id] = Guard.NOTICE
        elif len(firsts) > 1 and firsts[version.source_id] == version.id:
            found[version.id] = Guard.FIRST
        elif version.source_id in under_way or version.id == history.last_id:
            found[version.id] = Guard.UNDER_WAY
        elif version.id in history.told:
            found[version.id] = Guard.TOLD
    return found


def fates(history: History, keeps: Mapping[int, Keeps], now_ms: int) -> Iterator[Fate]:
    """What becomes of each earlier version in these sources, as far as its entry alone tells."""
    guarded, places = guards(history), Counter[int]()
    for version in reversed(history.versions):
        kept = keeps.get(version.source_id)
        if kept is None or version.newest:
            continue
        places[version.source_id] += 1  # its place among the earlier ones, the last that arrived first
        too_many = kept.versions is not None and places[version.source_id] >= kept.versions
        too_old = kept.age_ms is not None and version.seen_ms < now_ms - kept.age_ms
        guard = guarded.get(version.id)
        if too_many and guard is Guard.TOLD:
            guard = None  # who keeps so many versions wants no more
        yield Fate(version, too_many or too_old, guard)


def histories(connection: sqlite3.Connection, ids: Sequence[int], told_since_ms: int) -> Iterator[History]:
    """All that is to be known of these entries."""
    run, some = connection.execute, placeholders(len(ids))
    (last_id,) = run("SELECT coalesce(max(id), 0) FROM revisions").fetchone()
    placed = grouped(
        run(f"SELECT entry_id, revision_id, NULL FROM locations WHERE entry_id IN ({some})", ids)
    )
    noticed = grouped(
        run(
            f"SELECT entry_id, told_id, revision_id FROM held_notices WHERE entry_id IN ({some})"
            " UNION ALL SELECT c.entry_id, c.revision_id, c.previous_id FROM changes c JOIN deliveries d"
            f" ON d.change_id = c.id AND d.status = 'pending' WHERE c.entry_id IN ({some})",
            [*ids, *ids],
        )
    )
    told = grouped(
        run(
            f"SELECT entry_id, revision_id, previous_id FROM changes WHERE entry_id IN ({some}) AND at >= ?",
            [*ids, told_since_ms],
        )
    )
    rows = run(
        "SELECT r.id, r.entry_id, r.source_id, r.number, r.seen_at, r.newest, r.pass > s.passes, r.packed_against,"
        f" {WEIGHT}, r.raw_id FROM revisions r JOIN sources s ON s.id = r.source_id WHERE r.entry_id IN ({some})"
        " ORDER BY r.entry_id, r.number",
        ids,
    )
    for entry_id, versions in groupby(map(Stored._make, rows), lambda version: version.entry_id):
        of_entry = (placed.get(entry_id, NONE), noticed.get(entry_id, NONE), told.get(entry_id, NONE))
        yield History(list(versions), *of_entry, last_id)


def grouped(rows: Iterable[tuple[int, int | None, int | None]]) -> dict[int, set[int]]:
    """By entry: the versions that its rows name."""
    found: dict[int, set[int]] = {}
    for entry_id, *named in rows:
        found.setdefault(entry_id, set()).update(each for each in named if each is not None)
    return found


class Gone(NamedTuple):
    """What went of a source, or would go, and what a bound asked for that stays."""

    name: str
    versions: int = 0
    raws: int = 0  # documents as they were received
    bytes: int = 0
    kept_because: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        stays = "".join(f"; stays though `keep` asks for less: {each}" for each in self.kept_because)
        return f"{self.versions:,} earlier versions were pruned ({in_units(self.bytes)}){stays}"


TABLES = (
    "CREATE TEMP TABLE kept_sources (id INTEGER PRIMARY KEY)",
    """
    CREATE TEMP TABLE going (
        entry_id INTEGER, id INTEGER, source_id INTEGER, bytes INTEGER, raw_id INTEGER, PRIMARY KEY (entry_id, id)
    ) WITHOUT ROWID""",
    """
    CREATE TEMP TABLE staying (            -- earlier versions of sources whose size is bounded
        entry_id INTEGER, id INTEGER, source_id INTEGER, bytes INTEGER, raw_id INTEGER,
        asked INTEGER, guard TEXT, PRIMARY KEY (source_id, id)
    ) WITHOUT ROWID""",
    """
    CREATE TEMP TABLE raw_uses (
        raw_id INTEGER, source_id INTEGER, bytes INTEGER,
        uses INTEGER,                      -- versions of the source that came from this document
        left INTEGER,                      -- how many of them stay
        PRIMARY KEY (raw_id, source_id)
    ) WITHOUT ROWID""",
)
RAWS_GOING = """
    SELECT raw_id, min(source_id), min(bytes) FROM raw_uses GROUP BY raw_id HAVING sum(left) = 0"""


class Plan:
    """What goes from these sources. Its connection reads the store, in one view of it."""

    def __init__(self, connection: sqlite3.Connection, keeps: Iterable[Keeps], now_ms: int) -> None:
        self.connection = connection
        self.now_ms = now_ms
        self.kept = Counter[tuple[int, Guard]]()
        self.too_large: dict[int, str] = {}  # by source: what it takes that must stay
        run = connection.execute
        for statement in TABLES:
            run(statement)
        with one_view(connection):
            ids = dict(run("SELECT name, id FROM sources").fetchall())
            self.keeps = {ids[each.name]: each for each in keeps if each.name in ids}
            (self.last_id,) = run("SELECT coalesce(max(id), 0) FROM revisions").fetchone()
            self.loose = self.note_raws()
            self.choose()
            for source_id, kept in self.keeps.items():
                if kept.size is not None:
                    self.shrink(source_id, kept.size)

    def note_raws(self) -> list[int]:
        """Note whose versions came from each document; returns those that none came from: a kill left them."""
        run = self.connection.execute
        if not run("SELECT EXISTS (SELECT 1 FROM raws)").fetchone()[0]:
            return []
        run(
            f"INSERT INTO raw_uses SELECT r.raw_id, r.source_id, {RAW_WEIGHT}, count(*), count(*) FROM revisions r"
            " JOIN raws w ON w.id = r.raw_id WHERE r.raw_id IS NOT NULL GROUP BY r.raw_id, r.source_id"
        )
        loose = run("SELECT id FROM raws WHERE id NOT IN (SELECT raw_id FROM raw_uses)")
        return [raw_id for (raw_id,) in loose]

    def choose(self) -> None:
        """Go through all entries that have earlier versions in these sources."""
        run, many = self.connection.execute, self.connection.executemany
        many("INSERT INTO kept_sources VALUES (?)", [(source_id,) for source_id in self.keeps])
        ids = run(
            "SELECT e.id FROM entries e WHERE e.revisions > 1 AND EXISTS (SELECT 1 FROM revisions r"
            " WHERE r.entry_id = e.id AND r.source_id IN (SELECT id FROM kept_sources))"
        )
        told_since_ms = self.now_ms - TOLD_LATELY_MS
        while some := [entry_id for (entry_id,) in ids.fetchmany(ENTRIES_AT_ONCE)]:
            for history in histories(self.connection, some, told_since_ms):
                self.sort_out(fates(history, self.keeps, self.now_ms))

    def sort_out(self, of_entry: Iterable[Fate]) -> None:
        for version, asked, guard in of_entry:
            row = (version.entry_id, version.id, version.source_id, version.bytes, version.raw_id)
            if asked and guard is None:
                self.let_go(row)
                continue
            if asked and guard is not None:
                self.kept[version.source_id, guard] += 1
            if self.keeps[version.source_id].size is not None:
                self.connection.execute("INSERT INTO staying VALUES (?,?,?,?,?,?,?)", [*row, asked, guard])

    def let_go(self, row: tuple[int, int, int, int, int | None]) -> int:
        """A version goes. Returns how many bytes less its source takes."""
        run, (_, _, source_id, size, raw_id) = self.connection.execute, row
        run("INSERT INTO going VALUES (?,?,?,?,?)", row)
        if raw_id is None:
            return size
        run("UPDATE raw_uses SET left = left - 1 WHERE raw_id = ? AND source_id = ?", [raw_id, source_id])
        left, of_raw = run(
            "SELECT left, bytes FROM raw_uses WHERE raw_id = ? AND source_id = ?", [raw_id, source_id]
        ).fetchone()
        return size if left else size + int(of_raw)

    def shrink(self, source_id: int, size: int) -> None:
        """Let go of the oldest versions of a source until it takes no more than `size` bytes."""
        (newest,) = self.connection.execute(
            f"SELECT coalesce(sum({WEIGHT}), 0) FROM revisions r WHERE r.newest AND r.source_id = ?",
            [source_id],
        ).fetchone()
        total = newest + self.earlier_bytes(source_id)
        rows = self.connection.execute("SELECT * FROM staying WHERE source_id = ? ORDER BY id", [source_id])
        for *row, asked, guard in rows:
            if total <= size:
                return
            if guard is None:
                total -= self.let_go((row[0], row[1], row[2], row[3], row[4]))
            elif not asked:  # else it was counted
                self.kept[source_id, Guard(guard)] += 1
        if newest > size:
            self.too_large[source_id] = f"the newest versions alone take {in_units(newest)}"
        elif total > size:
            self.too_large[source_id] = f"what must stay takes {in_units(total)}"

    def earlier_bytes(self, source_id: int) -> int:
        """What the source takes besides its newest versions, without what goes already."""
        ((earlier,), (raws,)) = self.connection.execute(
            "SELECT coalesce(sum(bytes), 0) FROM staying WHERE source_id = ?1 UNION ALL"
            " SELECT coalesce(sum(bytes), 0) FROM raw_uses WHERE source_id = ?1 AND left",
            [source_id],
        ).fetchall()
        return int(earlier) + int(raws)

    def count(self) -> int:
        (count,) = self.connection.execute("SELECT count(*) FROM going").fetchone()
        return int(count)

    def groups(self) -> Iterator[tuple[int, list[int]]]:
        """(entry, its versions that go), by entry."""
        rows = self.connection.execute("SELECT entry_id, id FROM going ORDER BY entry_id, id")
        for entry_id, versions in groupby(rows, lambda row: int(row[0])):
            while some := [version_id for _, version_id in islice(versions, VERSIONS_AT_ONCE)]:
                yield entry_id, some

    def spare(self, versions: Iterable[tuple[int, int]]) -> None:
        """Something came in between: these (entry, version) stay."""
        run = self.connection.execute
        for entry_and_version in versions:
            found = run(
                "SELECT raw_id, source_id FROM going WHERE entry_id = ? AND id = ?", entry_and_version
            )
            run("UPDATE raw_uses SET left = left + 1 WHERE raw_id = ? AND source_id = ?", found.fetchone())
            run("DELETE FROM going WHERE entry_id = ? AND id = ?", entry_and_version)

    def raws(self) -> list[int]:
        """The documents that no version needs any more."""
        return [*self.loose, *(raw_id for raw_id, _, _ in self.connection.execute(RAWS_GOING))]

    def gone(self) -> list[Gone]:
        """What goes, by source."""
        run = self.connection.execute
        versions = {
            source_id: (int(count), int(size))
            for source_id, count, size in run(
                "SELECT source_id, count(*), sum(bytes) FROM going GROUP BY source_id"
            )
        }
        raws, raw_bytes = Counter[int](), Counter[int]()
        for _, source_id, size in run(RAWS_GOING):
            raws[source_id] += 1
            raw_bytes[source_id] += size
        found = []
        for source_id, kept in self.keeps.items():
            count, size = versions.get(source_id, (0, 0))
            size += raw_bytes[source_id]
            found.append(Gone(kept.name, count, raws[source_id], size, self.because(source_id)))
        return found

    def because(self, source_id: int) -> tuple[str, ...]:
        """What of a source stays although a bound asks for it to go, in words."""
        counted = ((guard, self.kept[source_id, guard]) for guard in Guard)
        words = [
            f"{guard} ({count:,} version{'' if count == 1 else 's'})" for guard, count in counted if count
        ]
        return (*filter(None, [self.too_large.get(source_id)]), *words)


@contextmanager
def planned(path: Path, keeps: Iterable[Keeps], now_ms: int) -> Iterator[Plan]:
    """Raises StoreError."""
    with closing(connect_to_read(path)) as connection:
        check_current(connection, path)
        with translated(path):
            yield Plan(connection, keeps, now_ms)


def in_units(size: int) -> str:
    """Bytes as people read them."""
    for unit, of_unit in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= of_unit:
            return f"{size / of_unit:.{0 if size >= 100 * of_unit else 1}f} {unit}"
    return f"{size} bytes"
