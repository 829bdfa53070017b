"""The rows of one batch: collected while it is decided, written together."""

import json
import sqlite3
from dataclasses import dataclass, field
from typing import Any

from feedd.changes.values import Judged
from feedd.decide import Pass, Verdict
from feedd.model import Item, Kind, Significance, Version
from feedd.normalise.html import VERSION
from feedd.normalise.text import lead_image
from feedd.store import clock, outbox
from feedd.store.database import placeholders, stored_path
from feedd.store.judging import StoredJudge, judged_between
from feedd.store.pack import pack, pack_bytes
from feedd.store.snapshot import PROVISIONAL, StoredEntry, content

# Rows hold plain strings and integers: of members of an enumeration, and of bools, sqlite3 asks first whether somebody
# adapts them, which takes as long as binding three values.
INSERT_ENTRY = "INSERT INTO entries VALUES (?,?,?,?,?,?,?,?,?,?,?,NULL)"
INSERT_REVISION = f"INSERT INTO revisions VALUES ({placeholders(11)},NULL,NULL,{placeholders(13)})"
INSERT_LOCATION = (
    "INSERT INTO locations (source_id, path, entry_id, revision_id, stated, size, mtime_ns, inode, seen)"
    " VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET entry_id=excluded.entry_id,"
    " revision_id=excluded.revision_id, stated=excluded.stated, size=excluded.size, mtime_ns=excluded.mtime_ns,"
    " inode=excluded.inode, rejected=NULL, seen=excluded.seen"
)
INSERT_CHANGE = (
    "INSERT INTO changes (kind, at, source_id, entry_id, revision_id, pass, silent, previous_id, significance, reasons)"
    " VALUES (?,?,?,?,?,?,?,?,?,?)"
)
# the version that one of this pass took the place of
STOOD_BEFORE = (
    "SELECT o.id FROM revisions o JOIN revisions n ON n.id = o.packed_against WHERE o.entry_id = ? AND o.source_id = ?"
    " AND o.pass < ? AND n.pass = ? ORDER BY o.number DESC LIMIT 1"
)
EDITS = (Kind.EDITED, Kind.SILENT_EDIT, Kind.REVERTED)


@dataclass(slots=True)
class Batch:
    """Writes what was decided. New entries, by far the most, go in bulk; the rest one by one."""

    connection: sqlite3.Connection
    look: Pass
    extraction: str
    judge: StoredJudge = field(init=False)
    next_entry: int = 0
    next_revision: int = 0
    entries: list[tuple[Any, ...]] = field(default_factory=list)
    revisions: list[tuple[Any, ...]] = field(default_factory=list)
    locations: list[tuple[Any, ...]] = field(default_factory=list)
    changes: list[tuple[Any, ...]] = field(default_factory=list)
    gained: int = 0  # entries that the source did not hold before
    wrote: bool = False  # anything that a feed shows
    raws: dict[tuple[bytes, str], int | None] = field(default_factory=dict)
    arrived_ms: int | None = None  # where what is told stands in feeds, once anything is

    def __post_init__(self) -> None:
        self.judge = StoredJudge(self.connection)
        self.next_entry = 1 + (self.one("SELECT max(id) FROM entries") or 0)
        self.next_revision = 1 + (self.one("SELECT max(id) FROM revisions") or 0)

    @property
    def quiet(self) -> bool:
        """Whether what is new in this pass is news to nobody: it is the first, or it reads under other settings."""
        return self.look.first or self.look.rebase or self.look.anew

    def restamp(self, version: Version, item: Item) -> None:
        """A version that is the same as an item made under today's settings counts as made under them."""
        if not version.comparable or version.provisional != item.provisional:
            made_under, revision_id = self.made_under(item), version.revision_id
            self.connection.execute(
                "UPDATE revisions SET extraction = ? WHERE id = ? AND extraction != ?",
                [made_under, revision_id, made_under],
            )

    def readdress(self, entry: StoredEntry, item: Item) -> None:
        """A link may move without anything else."""
        url = item.article.url
        self.connection.execute(
            "UPDATE entries SET url = ? WHERE id = ? AND url != ? AND source_id = ?",
            [url, entry.id, url, self.look.source_id],
        )

    def one(self, query: str, *values: object) -> Any:
        return self.connection.execute(query, values).fetchone()[0]

    def add_entry(self, item: Item) -> StoredEntry:
        """A new entry, whose first revision is to be added next."""
        look, article, entry_id = self.look, item.article, self.next_entry
        self.next_entry += 1
        guessed, time_ms = int(item.stated_ms is None), item.time_ms
        published = time_ms if item.published_ms is None else item.published_ms
        updated, position = max(published, time_ms), self.first_position(item)
        self.entries.append((
            entry_id, article.uid, article.url, article.title, published, guessed, updated, 1,
            look.source_id, position, look.now_ms,
        ))  # fmt: skip
        self.gained += 1
        return StoredEntry(
            entry_id, revisions=1, updated_ms=updated, first_source_id=look.source_id, position=position
        )

    def add_revision(self, entry: StoredEntry, item: Item, verdict: Verdict, *, newest: bool) -> int:
        revision_id, article, look = self.next_revision, item.article, self.look
        self.next_revision += 1
        self.wrote = True
        self.revisions.append((
            revision_id, entry.id, entry.revisions, look.source_id, look.number, stored_path(item.location),
            item.stated_ms, look.now_ms, article.title, article.image, article.content_html,
            article.content_hash, article.fingerprint, article.links_hash, VERSION, self.made_under(item),
            str(verdict.kind or "duplicate"), str(verdict.significance), reasons_of(verdict), int(newest),
            entry.position, article.said or None, self.raw_id(item), int(verdict.adds_only),
        ))  # fmt: skip
        return revision_id

    def made_under(self, item: Item) -> str:
        """The settings that the item was made under; what is provisional is compared with nothing later."""
        return f"{self.extraction}{PROVISIONAL}" if item.provisional else self.extraction

    def raw_id(self, item: Item) -> int | None:
        """The row of the document that the item came from; one for all its items."""
        raw = item.raw
        if raw is None:
            return None
        run = self.connection.execute
        key = (raw.sha256, raw.url)
        if key not in self.raws:
            found = run("SELECT id FROM raws WHERE sha256 = ? AND url = ?", key).fetchone()
            self.raws[key] = (
                found[0]
                if found
                else run(
                    "INSERT INTO raws (url, status, headers, fetched_at, sha256, bytes, body) VALUES (?,?,?,?,?,?,?)",
                    [raw.url, raw.status, json.dumps(raw.headers), raw.fetched_ms, raw.sha256, len(raw.body)]
                    + [pack_bytes(raw.body)],
                ).lastrowid
            )
        return self.raws[key]

    def revise(self, entry: StoredEntry, item: Item, verdict: Verdict) -> int:
        """A further revision of an entry that is stored; what it replaces is compressed against it."""
        self.flush()
        before = entry.state.newest
        entry.revisions += 1
        if before is None:
            entry.position = self.first_position(item)
        newest = verdict.newest or before is None
        revision_id = self.add_revision(entry, item, verdict, newest=newest)
        self.flush()
        if before is None:
            self.gained += not entry.state.removed  # one that is restored is counted in everywhere
            return revision_id
        earlier = content(self.connection, before.revision_id)
        if newest:
            self.connection.execute(
                "UPDATE revisions SET newest = 0, content_html = NULL, packed = ?, packed_against = ?,"
                " image = nullif(image, ?) WHERE id = ?",  # a picture that the content shows is not kept twice
                [
                    pack(earlier, item.article.content_html),
                    revision_id,
                    lead_image(earlier),
                    before.revision_id,
                ],
            )
        else:
            self.connection.execute(
                "UPDATE revisions SET content_html = NULL, packed = ?, packed_against = ? WHERE id = ?",
                [pack(item.article.content_html, earlier), before.revision_id, revision_id],
            )
        return revision_id

    def first_position(self, item: Item) -> int:
        """Where a source's first version of an entry goes in feeds: by its date if a first pass brings it."""
        if not self.quiet:
            return self.told_position()
        return item.time_ms if item.published_ms is None else item.published_ms

    def told_position(self) -> int:
        """Where what this pass tells goes in feeds: first."""
        if self.arrived_ms is None:
            self.arrived_ms = clock.arrived(self.connection, self.look.now_ms)
        return self.arrived_ms

    def update_entry(self, entry: StoredEntry, item: Item, verdict: Verdict, revision_id: int) -> None:
        """Bring the row of an entry that is stored up to date, and log the change if it is told."""
        look, run = self.look, self.connection.execute
        shown = verdict.newest and look.source_id == entry.first_source_id
        run("UPDATE entries SET revisions = ? WHERE id = ?", [entry.revisions, entry.id])
        if shown:
            run(
                "UPDATE entries SET title = ?, url = ? WHERE id = ?",
                [item.article.title, item.article.url, entry.id],
            )
        if verdict.kind is not None and verdict.hold is None:
            entry.updated_ms, entry.position = max(entry.updated_ms, look.now_ms), self.told_position()
            run(
                "UPDATE entries SET updated = ?, position = ?, changed_at = ?, removed_at = NULL WHERE id = ?",
                [entry.updated_ms, entry.position, look.now_ms, entry.id],
            )
            run("UPDATE revisions SET position = ? WHERE entry_id = ? AND newest", [entry.position, entry.id])
            self.log(verdict, entry, revision_id)
        elif verdict.newest and verdict.hold is None:
            self.retell(entry.id, revision_id)

    def retell(self, entry_id: int, revision_id: int) -> None:
        """One change tells of all that one pass found: from what stood before it to what is newest now."""
        run, look = self.connection.execute, self.look
        key = (entry_id, look.source_id, look.number)
        found = run(
            "SELECT id, kind, previous_id FROM changes WHERE entry_id = ? AND source_id = ? AND pass = ?", key
        ).fetchone()
        if found is None:
            return
        change_id, kind, previous_id = found
        told: tuple[object, ...] = (revision_id, previous_id, Significance.SUBSTANTIAL, None)
        if kind in EDITS:
            before = run(STOOD_BEFORE, [*key, look.number]).fetchone()
            previous_id = before[0] if before else previous_id
            judged = judged_between(self.connection, previous_id, revision_id)
            if judged.level is Significance.NONE:  # what stood before stands still
                self.take_back(change_id)
                return
            told = (revision_id, previous_id, judged.level, reasons_of(judged))
        # under a number of its own: whoever read the log that far reads on
        run(
            "INSERT INTO changes (kind, at, source_id, entry_id, pass, silent, detail, revision_id, previous_id,"
            " significance, reasons) SELECT kind, at, source_id, entry_id, pass, silent, detail, ?, ?, ?, ?"
            " FROM changes WHERE id = ?",
            [*told, change_id],
        )
        self.take_back(change_id)

    def take_back(self, change_id: int) -> None:
        """A change is none any more, or another one."""
        outbox.forget(self.connection, change_id)
        self.connection.execute("DELETE FROM changes WHERE id = ?", [change_id])

    def log(self, verdict: Verdict, entry: StoredEntry, revision_id: int | None) -> None:
        """Log a change that is told; where it is just what its revision says of itself, that is not said twice."""
        assert verdict.kind is not None
        previous = verdict.previous
        judged: tuple[object, ...] = (None, None, None)
        if previous is not None:
            judged = (previous.revision_id, None, None)
        if entry.state.told_from is not None or not verdict.keeps_revision:
            judged = (judged[0], verdict.significance, reasons_of(verdict))
        self.log_change(verdict.kind, entry.id, revision_id, *judged)

    def log_change(self, kind: Kind, entry_id: int, revision_id: int | None, *judged: object) -> None:
        """`judged`: the revision that was told before, significance and reasons; None: the revision's own."""
        look = self.look
        silent = look.first or (kind is Kind.ADDED and self.quiet)
        previous_id, significance, reasons = judged or (None, str(Significance.SUBSTANTIAL), None)
        self.changes.append((
            str(kind), look.now_ms, look.source_id, entry_id, revision_id, look.number, int(silent),
            previous_id, significance, reasons,
        ))  # fmt: skip

    def locate(self, item: Item, entry_id: int, revision_id: int | None) -> None:
        """Note what the item's location holds; a stamp that can't be trusted yet is left out."""
        stamp = tuple(item.stamp) if item.stamp and item.settled else (None, None, None)
        path, source_id = stored_path(item.location), self.look.source_id
        self.locations.append((source_id, path, entry_id, revision_id, item.stated_ms, *stamp, item.seen))

    def flush_before_judging(self, entry: StoredEntry) -> None:
        """What is new in this very batch can be compared only when it is written."""
        newest = entry.state.newest
        if self.revisions and newest is not None and newest.revision_id >= self.revisions[0][0]:
            self.flush()

    def flush(self) -> None:
        many = self.connection.executemany
        for statement, rows in (
            (INSERT_ENTRY, self.entries),
            (INSERT_REVISION, self.revisions),
            (INSERT_LOCATION, self.locations),
            (INSERT_CHANGE, self.changes),
        ):
            if rows:
                many(statement, rows)
                rows.clear()


def reasons_of(judged: Verdict | Judged) -> str | None:
    """The reasons as they are stored: a JSON list."""
    return json.dumps(judged.reasons, ensure_ascii=False) if judged.reasons else None
