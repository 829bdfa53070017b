"""Lines that a source's `ignore` might have: fragments that change at most looks while the rest stands still.

Functions within a transaction of the writer's.
"""

import json
import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from feedd.changes.restless import ENOUGH, proposed
from feedd.decide import Pass
from feedd.harmless import harmless
from feedd.normalise.text import plain_text
from feedd.store import incidents
from feedd.store.snapshot import content

LOOKS_A_CHANGE = 2  # at most, as a rule: what changes less often is read as any edit
MOST = 10  # of a source
RESTLESS = "restless"  # the incident


class Proposed(NamedTuple):
    """A line that is proposed for a source's `ignore`."""

    source: str
    pattern: str
    entry_id: int
    example: str

    @property
    def line(self) -> str:
        """As it is written in the configuration."""
        return f"ignore = [{toml_string(self.pattern)}]"


def by_source(each: Iterable[Proposed]) -> dict[str, list[Proposed]]:
    found: dict[str, list[Proposed]] = {}
    for proposal in each:
        found.setdefault(proposal.source, []).append(proposal)
    return found


def toml_string(text: str) -> str:
    """A basic string of TOML, in which everything can be shown."""
    quoted = json.dumps(text, ensure_ascii=False)  # a TOML string is one of JSON, too
    return "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in quoted)


def in_words(proposal: Proposed) -> str:
    return (
        f"a fragment changes at most looks: “{harmless(proposal.example)}”; if it says nothing, add to the source:"
        f" {proposal.line}"
    )


def propose(connection: sqlite3.Connection, look: Pass, entry_id: int) -> None:
    """Look at the last versions of an entry that has just changed, if it changes at most looks."""
    rows = connection.execute(
        "SELECT id, pass, title FROM revisions WHERE entry_id = ? AND source_id = ? ORDER BY number DESC LIMIT ?",
        [entry_id, look.source_id, ENOUGH],
    ).fetchall()
    if len(rows) < ENOUGH:
        return
    seldom = look.number - rows[-1][1] > LOOKS_A_CHANGE * (ENOUGH - 1)
    if seldom and not is_rechecked(connection, look.source_id, entry_id):
        return
    if len({title for _, _, title in rows}) != 1:
        return
    unpacked: dict[int, str] = {}
    texts = [content(connection, revision_id, unpacked) for revision_id, *_ in reversed(rows)]
    if is_watch(connection, look.source_id):
        texts = [plain_text(text) for text in texts]
    found = proposed(texts)
    if found is None or count(connection, look.source_id) >= MOST:
        return
    connection.execute(
        "INSERT INTO proposals (source_id, pattern, entry_id, example, at) VALUES (?,?,?,?,?)"
        " ON CONFLICT DO UPDATE SET entry_id = excluded.entry_id, example = excluded.example",
        [look.source_id, found.pattern, entry_id, found.example, look.now_ms],
    )
    tell(connection, look)


def is_watch(connection: sqlite3.Connection, source_id: int) -> bool:
    """Whether the source's `ignore` sees text; of all other types, it sees HTML."""
    found = connection.execute("SELECT type FROM sources WHERE id = ?", [source_id])
    return bool(found.fetchone()[0] == "watch")


def is_rechecked(connection: sqlite3.Connection, source_id: int, entry_id: int) -> bool:
    """Whether the entry's own page is looked at by a rhythm of its own, so that the source's looks say nothing."""
    found = connection.execute(
        "SELECT 1 FROM locations WHERE entry_id = ? AND source_id = ? AND recheck IS NOT NULL",
        [entry_id, source_id],
    )
    return found.fetchone() is not None


def tell(connection: sqlite3.Connection, look: Pass) -> None:
    lines = [f"“{harmless(each.example)}”: {each.line}" for each in of_source(connection, look.source_id)]
    words = "a fragment changes" if len(lines) == 1 else f"{len(lines)} fragments change"
    detail = f"{words} at most looks while the rest stands still. {'; '.join(lines)}"
    incidents.report(connection, look.source_id, RESTLESS, detail, look.now_ms)


def of_source(connection: sqlite3.Connection, source_id: int) -> list[Proposed]:
    return newest(connection, "p.source_id = ?", source_id)


def newest(connection: sqlite3.Connection, where: str = "?", value: object = 1) -> list[Proposed]:
    """All that is proposed, the oldest of a source first."""
    rows = connection.execute(
        "SELECT s.name, p.pattern, p.entry_id, p.example FROM proposals p JOIN sources s ON s.id = p.source_id"
        f" WHERE {where} ORDER BY s.name, p.at, p.pattern",
        [value],
    )
    return [Proposed(*row) for row in rows]


def count(connection: sqlite3.Connection, source_id: int) -> int:
    found = connection.execute("SELECT count(*) FROM proposals WHERE source_id = ?", [source_id])
    return int(found.fetchone()[0])


def forget(connection: sqlite3.Connection, look: Pass) -> None:
    """The source reads under other settings now."""
    if connection.execute("DELETE FROM proposals WHERE source_id = ?", [look.source_id]).rowcount:
        incidents.close(connection, look.source_id, (RESTLESS,), look.now_ms)
