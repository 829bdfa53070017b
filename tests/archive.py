"""A store with histories that are made by hand, and a memory of what each version said."""

import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Any

from stores import new_store

from feedd.decide import Pass, Verdict
from feedd.model import Item, Kind, Raw, Significance
from feedd.normalise.article import normalise
from feedd.normalise.text import content_hash
from feedd.store import snapshot
from feedd.store.batch import INSERT_CHANGE, Batch
from feedd.store.database import transaction
from feedd.store.desk import Desk
from feedd.store.passes import SourceKey
from feedd.store.pruning import Pruner, Report, Step, prune_entries
from feedd.store.reader import Reader
from feedd.store.retention import Gone, Keeps, planned

NOW_MS = 1_760_000_000_000
DAY_MS = 86_400_000
BORN_MS = NOW_MS - 100 * DAY_MS


class Archive:
    """Sources `a` and `b`; versions are added at chosen times, 100 days before `NOW_MS` unless told otherwise."""

    def __init__(self, root: Path) -> None:
        self.path = new_store(root / "feedd.db")
        self.desk = Desk(self.path)
        self.reader = Reader(self.path)
        self.said: dict[int, tuple[str, str]] = {}  # by revision: title, HTML
        keys = [SourceKey(name, "feed", f"https://{name}.example.org/", "", "") for name in "ab"]
        self.desk.run(lambda writer: writer.configure(keys, [], 0))

    def add(self, name: str, body: str, **how: Any) -> int:
        """A version of the entry of that name; see `added`. Returns its id."""
        return self.desk.run(lambda writer: self.added(writer.connection, name, body, **how))

    def added(
        self,
        connection: sqlite3.Connection,
        name: str,
        body: str,
        source: str = "a",
        at_ms: int = BORN_MS,
        *,
        late: bool = False,  # it takes its place before the newest
        told: bool = False,  # a change tells of it
        place: str | None = None,  # that holds it from now on
        raw: bytes | None = None,  # the document that it came from
    ) -> int:
        run = connection.execute
        source_id, passes = run("SELECT id, passes FROM sources WHERE name = ?", [source]).fetchone()
        look = Pass(source_id, passes + 1, False, at_ms)
        document = raw and Raw("https://example.org/", 200, (), at_ms, hashlib.sha256(raw).digest(), raw)
        article = normalise(f"https://example.org/{name}", "Title", body)
        item = Item(place or "?", at_ms, at_ms, article, None, settled=True, raw=document or None)
        verdict = Verdict(Kind.EDITED if told else None, True, not late, Significance.SUBSTANTIAL)
        with transaction(connection):
            entry = snapshot.load(connection, look, "", [item], {}).entries.get(article.uid)
            batch = Batch(connection, look, "")
            before = entry.state.newest if entry else None
            if entry is None:
                entry = batch.add_entry(item)
                version = batch.add_revision(entry, item, verdict, newest=True)
            else:
                version = batch.revise(entry, item, verdict)
            batch.flush()
            run("UPDATE entries SET revisions = ? WHERE id = ?", [entry.revisions, entry.id])
            if told:
                ids = (source_id, entry.id, version, look.number, False, before and before.revision_id)
                run(INSERT_CHANGE, [Kind.EDITED, at_ms, *ids, "substantial", None])
            if place is not None:
                batch.locate(item, entry.id, version)
                batch.flush()
            run("UPDATE sources SET passes = ? WHERE id = ?", [look.number, source_id])
        self.said[version] = article.title, article.content_html
        return version

    def many(self, entries: int, versions: int, body: str = "<p>Some words, and more of them.</p>") -> None:
        """Entries with so many versions each."""

        def work(connection: sqlite3.Connection) -> None:
            for entry in range(entries):
                for version in range(versions):
                    self.added(
                        connection, str(entry), f"{body}<p>{entry}-{version}</p>", at_ms=BORN_MS + version
                    )

        self.desk.run(lambda writer: work(writer.connection))

    def prune(self, now_ms: int = NOW_MS, **bounds: Any) -> Gone:
        """What goes of source `a`, whose bounds these are; what was planned is what is done."""
        keeps = [Keeps("a", **bounds)]
        with planned(self.path, keeps, now_ms) as plan:
            (expected,) = plan.gone()
        (gone,) = self.report(keeps, now_ms).sources
        assert gone == expected
        self.check()
        return gone

    def report(self, keeps: list[Keeps], now_ms: int = NOW_MS) -> Report:
        return Pruner(self.desk, self.path, Event()).run(keeps, now_ms)

    def delete(self, entry_id: int, ids: Sequence[int]) -> Step:
        """Delete these versions in one transaction, as far as they may go."""
        return self.desk.run(lambda writer: prune_entries(writer.connection, [(entry_id, list(ids))]))

    def left(self, source: str = "a") -> list[int]:
        """The versions of a source that are there."""
        rows = self.rows(
            "SELECT r.id FROM revisions r JOIN sources s ON s.id = r.source_id WHERE s.name = ? ORDER BY r.id",
            source,
        )
        return [version for (version,) in rows]

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self.reader.rows(query, values)

    def run(self, statement: str, *values: object) -> None:
        self.desk.run(lambda writer: writer.connection.execute(statement, values))

    def check(self) -> None:
        """What must hold whatever went: every version that is there says what it said, and nothing points nowhere."""
        for nothing in (
            "PRAGMA foreign_key_check",
            "SELECT entry_id FROM revisions GROUP BY entry_id, source_id HAVING sum(newest) != 1",
            "SELECT id FROM revisions WHERE newest AND content_html IS NULL OR NOT newest AND packed IS NULL",
            "SELECT 1 FROM entries e JOIN revisions r ON e.id = entry_id GROUP BY e.id HAVING revisions < max(number)",
            "SELECT id FROM raws WHERE id NOT IN (SELECT raw_id FROM revisions WHERE raw_id IS NOT NULL)",
        ):
            assert self.rows(nothing) == [], nothing
        unpacked: dict[int, str] = {}
        for version, title, stored in self.rows(
            "SELECT id, title, content_hash FROM revisions ORDER BY id DESC"
        ):
            html = snapshot.content(self.reader.connection, version, unpacked)
            assert (title, html) == self.said.get(version, (title, html))
            assert content_hash(title, html) == stored

    def close(self) -> None:
        self.reader.close()
        self.desk.close()
