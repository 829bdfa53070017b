"""A folder of seed files, a database, and looks at the one that go into the other."""

import os
import threading
from collections import Counter
from pathlib import Path
from typing import Any

from stores import new_store

from feedd.config.sources import DirectorySource
from feedd.errors import SourceError
from feedd.folder import FolderLooker
from feedd.looks import WHOLE, Looked, Progress, Request, key_of
from feedd.model import Tally
from feedd.normalise.text import content_hash
from feedd.sources import directory
from feedd.store.desk import Desk
from feedd.store.reader import Entry, Reader
from feedd.store.snapshot import content

T0 = 1_706_867_102_000  # 2024-02-02T09:45:02Z, the time that files state unless told otherwise
LONG_AGO_NS = 1_700_000_000 * 10**9
FEW = 300  # versions of one entry; above, checking that each can be unpacked takes too long


def seed(
    name: str = "a", title: str = "Title", body: str = "<p>Body</p>", stated: int | str | None = T0
) -> str:
    """The text of a seed file; `name` ends its URL."""
    url = name if "://" in name else f"https://example.org/{name}"
    comment = "" if stated is None else f"<!--{stated}-->\n"
    return f"{comment}[{title}]({url})\n------\n\n{body}\n"


def counts(looked: Looked) -> dict[str, int]:
    """What a look counted, without what it did not find."""
    found = [*looked.tally[:7], len(looked.tally.rejected)]
    return {name: int(count) for name, count in zip(Tally._fields, found, strict=True) if count}


class Place:
    """Sources `a` and, if added, others; each look checks that the database agrees with itself."""

    def __init__(self, root: Path, database: Path | None = None) -> None:
        self.root = root
        self.folder = root / "seeds"
        self.folder.mkdir(exist_ok=True)
        self.database = database or new_store(root / "feedd.db")
        self.desk = Desk(self.database)
        self.reader = Reader(self.database)
        self.stop = threading.Event()
        self.sources: dict[str, DirectorySource] = {}
        self.written = 0
        self.add("a", self.folder)

    def add(self, name: str, path: Path, **settings: Any) -> DirectorySource:
        """Configure a source, or configure it anew."""
        path.mkdir(exist_ok=True)
        values = {"name": name, "type": "directory", "path": str(path), "failing_after": 1, **settings}
        self.sources[name] = DirectorySource.model_validate(values)
        keys = [key_of(source) for source in self.sources.values()]
        self.desk.run(lambda writer: writer.configure(keys, [], 0))
        return self.sources[name]

    def write(self, path: str, text: str | bytes, folder: Path | None = None) -> Path:
        """Write a file that has stood still for long, but has another time than any before it."""
        file = (folder or self.folder) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.touch(file)
        return file

    def touch(self, file: Path) -> None:
        self.written += 1
        os.utime(file, ns=(0, LONG_AGO_NS + self.written * 10**9))

    def look(self, name: str = "a", request: Request = WHOLE, progress: Progress | None = None) -> Looked:
        """Look at a source. Whatever is found, every file that was read is counted once."""
        expected = self.unread(name)
        looked = FolderLooker(self.desk, self.stop, self.root).look(self.sources[name], request, progress)
        if looked.status != "failed" and request.paths is None:
            tally = looked.tally
            assert sum(tally[:7]) - tally.removed + len(tally.rejected) == expected
            assert max(Counter(each.where for each in tally.rejected).values(), default=1) == 1
        self.check()
        return looked

    def found(self, name: str = "a", *, accept: bool = False) -> dict[str, int]:
        """What a look that succeeds counts."""
        looked = self.look(name, Request(accept_removals=accept))
        assert looked.error is None
        return counts(looked)

    def unread(self, name: str) -> int:
        """How many files a look has to account for: what changed, and what is refused still."""
        source = self.sources[name]
        try:
            survey = directory.survey(source.path, directory.Selection(source.include, source.exclude))
        except SourceError:
            return 0
        started = self.desk.run(lambda writer: writer.begin(key_of(source), 0))
        source_id = started.look.source_id
        known = {} if started.look.rebase else self.desk.run(lambda writer: writer.stamps(source_id))
        listing = directory.compare(survey, known)
        refused = {each.where for each in self.desk.run(lambda writer: writer.rejected(source_id))}
        stale = {file[0] for file in survey.files} & refused
        changed = {found.path for found in listing.changed}
        return len(changed | stale | {each.where for each in listing.rejected})

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self.reader.rows(query, values)

    def one(self, query: str, *values: object) -> Any:
        return self.rows(query, *values)[0][0]

    def run(self, statement: str, *values: object) -> None:
        """Change the database behind its back."""
        self.desk.run(lambda writer: writer.connection.execute(statement, values))

    def kinds(self) -> list[str]:
        """What the change log tells, in order."""
        return [kind for (kind,) in self.rows("SELECT kind FROM changes ORDER BY id")]

    def entry(self, name: str = "a", **priorities: int) -> Entry:
        """The entry as a feed over all sources shows it."""
        url = name if "://" in name else f"https://example.org/{name}"
        entry_id = self.one("SELECT id FROM entries WHERE url = ?", url)
        (entry,) = self.reader.entries([entry_id], priorities)
        return entry

    def history(self, name: str = "a") -> list[tuple[str, str]]:
        """(source, change) of each version of an entry."""
        return [(each.source, each.change) for each in self.reader.history(self.entry(name).id)]

    def check(self) -> None:
        """What must hold whatever happened."""
        assert self.rows("PRAGMA foreign_key_check") == []
        assert self.rows(
            "SELECT s.entries - count(DISTINCT e.id) FROM sources s LEFT JOIN revisions r ON r.source_id = s.id"
            " AND r.newest LEFT JOIN entries e ON e.id = r.entry_id AND e.removed_at IS NULL GROUP BY s.id"
        ) == [(0,)] * len(self.rows("SELECT id FROM sources"))
        for nothing in (
            "SELECT entry_id FROM revisions GROUP BY entry_id, source_id HAVING sum(newest) != 1",
            "SELECT 1 FROM entries e JOIN revisions r ON e.id = entry_id GROUP BY e.id HAVING revisions != count(*)",
            "SELECT 1 FROM entries e JOIN revisions r ON e.id = entry_id GROUP BY e.id HAVING revisions != max(number)",
            "SELECT id FROM revisions WHERE newest AND content_html IS NULL OR NOT newest AND packed IS NULL",
            "SELECT path FROM locations l JOIN entries e ON e.id = l.entry_id WHERE e.removed_at IS NOT NULL",
            "SELECT path FROM locations l JOIN revisions r ON r.id = l.revision_id WHERE r.entry_id != l.entry_id",
            "SELECT c.id FROM changes c JOIN revisions r ON r.id = c.revision_id WHERE r.entry_id != c.entry_id",
            "SELECT id FROM entries WHERE id NOT IN (SELECT entry_id FROM changes WHERE kind = 'added')",
            "SELECT id FROM entries WHERE updated < published",
        ):
            assert self.rows(nothing) == [], nothing
        for revision_id, title, stored in self.rows(
            "SELECT r.id, r.title, r.content_hash FROM revisions r JOIN entries e ON e.id = r.entry_id"
            " WHERE e.revisions BETWEEN 2 AND ?",
            FEW,
        ):
            assert content_hash(title, content(self.reader.connection, revision_id)) == stored

    def close(self) -> None:
        self.reader.close()
        self.desk.close()
