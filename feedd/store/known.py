"""What rules ask the store about a change: how the entry stands, what stood at its ends, and which sources have it.

It answers `feedd.notify.audience.Known`, on any connection: the writer's within its transaction, or a reader's.
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple, TypeVar

from feedd.errors import NoLongerKept
from feedd.model import Details, Kind
from feedd.normalise import details
from feedd.normalise.text import plain_text
from feedd.rules import Parts
from feedd.store import changelog
from feedd.store.changelog import Side
from feedd.store.database import placeholders
from feedd.store.judging import Unpacked, stored_content
from feedd.store.log import Logged

REMEMBERED = 10_000  # changes, and entries: several channels ask for the same ones
IN_THE_LOG_OF_FEEDS = frozenset({Kind.EDITED, Kind.SILENT_EDIT, Kind.REVERTED, Kind.REMOVED, Kind.RESTORED})
NEWEST = (
    "SELECT r.id, r.title, e.url, r.details, s.name, s.configured, (SELECT min(number) FROM revisions f"
    " WHERE f.entry_id = r.entry_id AND f.source_id = r.source_id), e.published, e.changed_at, e.revisions"
    " FROM revisions r JOIN entries e ON e.id = r.entry_id JOIN sources s ON s.id = r.source_id"
    " WHERE r.entry_id = ? AND r.newest"
)
Made = TypeVar("Made")


class Newest(NamedTuple):
    """The version that one source shows of an entry."""

    revision_id: int
    title: str
    url: str
    details: Details
    source: str
    configured: bool
    first_number: int  # of the versions that the source has
    published_ms: int  # this, and the rest, of the entry
    changed_ms: int
    revisions: int


class StoredKnown:
    """Answers from a connection, and remembers what it read: make a new one for each reading of the log.

    `priorities`: those of sources that have one, by name.
    """

    def __init__(self, connection: sqlite3.Connection, priorities: Mapping[str, int] | None = None) -> None:
        self.connection = connection
        self.priorities = priorities or {}
        self.unpacked = Unpacked()
        self.texts = Unpacked()  # plain, of versions
        self.newest: OrderedDict[int, tuple[Newest, ...]] = OrderedDict()
        self.sides: OrderedDict[int, tuple[Side, ...]] = OrderedDict()
        self.held: OrderedDict[int, frozenset[str]] = OrderedDict()

    def ends(self, logged: Logged, within: Collection[str] | None = None) -> list[Parts]:
        """What the entry is now, then what stood at the new and at the old end of the change.

        `within` names the sources whose versions count as what the entry is now (None: all): it is that of the
        highest priority, as in feeds. Of a version at an end only title and text are its own, as in feeds, too.
        Nothing where none of these sources has the entry.
        """
        if logged.entry_id is None or (now := self.shown(logged.entry_id, within)) is None:
            return []
        versions = [(now.revision_id, now.title)]
        versions += [(side.revision_id, side.title) for side in self.sides_of(logged)]
        said, (sources, published_ms, edited_ms) = now.details, self.facts_of(logged.entry_id)
        return [
            Parts(
                title, now.url, self.text_of(revision_id), said.authors, said.categories,
                sources, published_ms, edited_ms,
            )
            for revision_id, title in dict.fromkeys(versions)
        ]  # fmt: skip

    def facts_of(self, entry_id: int) -> tuple[tuple[str, ...], int, int | None]:
        """The sources that have the entry, when it was published, and when it was edited last."""
        held = self.newest.get(entry_id, ())
        sources = tuple(each.source for each in held)
        edited = bool(held) and held[0].revisions > len(held)
        return sources, held[0].published_ms if held else 0, held[0].changed_ms if edited else None

    def holders(self, logged: Logged) -> frozenset[str]:
        """The sources that have a version of the entry."""
        if logged.entry_id is None:
            return frozenset()
        entry_id = logged.entry_id

        def read() -> frozenset[str]:
            rows = self.connection.execute(
                "SELECT DISTINCT s.name FROM revisions r JOIN sources s ON s.id = r.source_id WHERE r.entry_id = ?",
                [entry_id],
            )
            return frozenset(name for (name,) in rows)

        return remembered(self.held, entry_id, read)

    def shown(self, entry_id: int, within: Collection[str] | None) -> Newest | None:
        """The version that a feed over these sources shows."""

        def read() -> tuple[Newest, ...]:
            rows = self.connection.execute(NEWEST, [entry_id]).fetchall()
            return tuple(newest(*row) for row in rows)

        found = remembered(self.newest, entry_id, read)
        chosen = [each for each in found if within is None or each.source in within]
        return max(chosen, key=self.rank, default=None)

    def rank(self, each: Newest) -> tuple[bool, int, int]:
        return each.configured, self.priorities.get(each.source, 0), -each.first_number

    def sides_of(self, logged: Logged) -> tuple[Side, ...]:
        """The versions at the new and at the old end of a change, as far as they are kept."""

        def read() -> tuple[Side, ...]:
            if logged.kind in IN_THE_LOG_OF_FEEDS:
                found = next(changelog.changes(self.connection, before=logged.id + 1), None)
                if found is not None and found.id == logged.id:
                    return tuple(side for side in (found.new, found.old) if side is not None)
            return self.named(logged.revision_id, logged.previous_id)

        return remembered(self.sides, logged.id, read)

    def named(self, *revision_ids: int | None) -> tuple[Side, ...]:
        wanted = [each for each in revision_ids if each is not None]
        found = sides(self.connection, wanted)
        return tuple(found[each] for each in wanted if each in found)

    def text_of(self, revision_id: int) -> Callable[[], str]:
        """Makes the text of a version; of one that was pruned meanwhile nothing, as feeds do."""

        def text() -> str:
            if revision_id not in self.texts:
                self.texts[revision_id] = ""
                with suppress(NoLongerKept):
                    html = stored_content(self.connection, revision_id, self.unpacked).html
                    self.texts[revision_id] = plain_text(html)
            return self.texts[revision_id]

        return text


def newest(revision_id: int, title: str, url: str, said: str | None, source: str, *rest: int) -> Newest:
    configured, *numbers = rest
    return Newest(revision_id, title, url, details.read(said), source, bool(configured), *numbers)


def sides(connection: sqlite3.Connection, revision_ids: Iterable[int]) -> dict[int, Side]:
    """By id: those of these versions that are kept."""
    wanted = list(revision_ids)
    rows = connection.execute(
        f"SELECT id, number, title FROM revisions WHERE id IN ({placeholders(len(wanted))})", wanted
    )
    return {revision_id: Side(revision_id, number, title) for revision_id, number, title in rows}


Key = TypeVar("Key", bound=Hashable)


def remembered(kept: "OrderedDict[Key, Made]", key: Key, make: Callable[[], Made]) -> Made:
    """What was made for that key, made if need be; of many the last ones are kept."""
    if key not in kept:
        kept[key] = make()
        if len(kept) > REMEMBERED:
            kept.popitem(last=False)
    return kept[key]
