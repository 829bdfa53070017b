"""Entries, their versions, and what differs between those."""

from typing import Annotated, NamedTuple

from fastapi import Query
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from feedd import shape_types as types
from feedd import shapes
from feedd.api import pages
from feedd.api.backing import Backing
from feedd.api.operation import get
from feedd.api.routing import Operation, answer, page
from feedd.api.values import (
    Cursor,
    EntryCursor,
    EntryId,
    Limit,
    Name,
    Number,
    Ordinal,
    Removed,
    Time,
    cursor,
)
from feedd.comparison import Comparisons, befores, newest_pair, numbered
from feedd.errors import NoLongerKept, UnknownName, UsageError
from feedd.lookup import find_entry
from feedd.publish.plan import Plan
from feedd.store.database import translated
from feedd.store.paging import TOP, Place, Wanted, walked
from feedd.store.reader import Entry, Revision

TAG = "entries"
MOST_JUDGED = 1_000  # entries that the rules of a feed are asked about, for one page
JUDGED_AT_ONCE = 50
REMOVED = {"false": False, "true": True, "any": None}


class Listed(NamedTuple):
    """A page of entries."""

    entries: list[Entry]
    following: Place | None  # where the next one begins


class Entries:
    def __init__(self, backing: Backing) -> None:
        self.backing = backing
        self.comparisons = Comparisons(backing.reader)

    def routes(self) -> list[Operation]:
        one = "/entries/{id}"
        return [
            get("/entries", self.listing, pages.Entries, 404, 410, name="listEntries", tag=TAG),
            get(one, self.show, types.EntryInFull, 404, name="getEntry", tag=TAG),
            get(f"{one}/revisions", self.revisions, pages.Revisions, 404, name="listRevisions", tag=TAG),
            get(f"{one}/revisions/{{number}}", self.revision, types.Version, 404, 410, name="getRevision", tag=TAG),
            get(f"{one}/diff", self.diff, types.Diff, 404, 409, 410, 422, name="getDiff", tag=TAG),
        ]  # fmt: skip

    async def listing(
        self,
        request: Request,
        source: Annotated[Name | None, Query(description="Only entries that this source has.")] = None,
        feed: Annotated[Name | None, Query(description="Only entries that this feed shows.")] = None,
        since: Annotated[Time | None, Query(description="Published at this time or later.")] = None,
        until: Annotated[Time | None, Query(description="Published before this time.")] = None,
        removed: Removed = "false",
        limit: Limit = 20,
        cursor: EntryCursor = None,
    ) -> Response:
        """List entries.

        By `published`, the newest first. Going from page to page by `next` neither skips nor repeats an entry, whatever
        arrives meanwhile.
        """
        plan = None if feed is None else await self.backing.read(self.plan, feed, request)
        if source is not None:
            await self.backing.read(self.backing.source, source)
        below = TOP if cursor is None else Place(*cursor)
        wanted = Wanted(None, REMOVED[removed], since, until)
        found = await self.backing.read(self.listed, wanted, source, plan, below, limit)
        return page(request, [shapes.entry(each) for each in found.entries], following(found.following))

    async def show(self, entry: EntryId) -> Response:
        """Show an entry."""
        return answer(await self.backing.read(self.in_full, entry))

    async def revisions(
        self, request: Request, entry: EntryId, limit: Limit = 20, cursor: Cursor = None
    ) -> Response:
        """List the versions of an entry.

        In order of arrival; their numbers never change.
        """
        items, after = await self.backing.read(self.revisions_page, entry, limit, cursor)
        return page(request, items, after)

    async def revision(self, entry: EntryId, number: Number) -> Response:
        """Show an entry as one of its versions had it."""
        return answer(await self.backing.read(self.version, entry, number))

    async def diff(
        self,
        entry: EntryId,
        from_: Annotated[
            Ordinal | None, Query(alias="from", description="The number of the earlier version.")
        ] = None,
        to: Annotated[Ordinal | None, Query(description="The number of the later version.")] = None,
    ) -> Response:
        """Compare two versions of an entry.

        Without `to`: with the version that is shown. Without `from`: with the one before it in its source.
        """
        return answer(await self.backing.read_slowly(self.compared, entry, from_, to))

    def plan(self, feed: str, request: Request) -> Plan:
        """Raises HTTPException."""
        found = self.backing.feed(feed, request)
        if found.shows_notices:
            raise HTTPException(400, f"The feed '{feed}' shows changes or troubles, and no entries.")
        return found

    def listed(
        self, wanted: Wanted, source: str | None, plan: Plan | None, below: Place, limit: int
    ) -> Listed:
        """Raises StoreError."""
        reader, found, judged = self.backing.reader, list[Entry](), 0
        within = [source] if source is not None else None if plan is None else plan.sources
        if within is not None:
            wanted = wanted._replace(source_ids=reader.source_ids(within))
        with translated(reader.path):
            for some in walked(reader.connection, wanted, below, limit + 1):
                for start in range(0, len(some.ids), JUDGED_AT_ONCE):
                    ids = some.ids[start : start + JUDGED_AT_ONCE]
                    found += self.shown(ids, plan)
                    judged += len(ids)
                    if len(found) > limit:
                        return Listed(found[:limit], place_of(found[limit - 1]))
                    if plan is not None and judged >= MOST_JUDGED:
                        return Listed(found, self.place(ids[-1]))
                below = some.reached
                if some.is_end:
                    return Listed(found, None)
        return Listed(found, below)

    def shown(self, ids: tuple[int, ...], plan: Plan | None) -> list[Entry]:
        reader, priorities = self.backing.reader, self.backing.feeds.priorities
        if plan is None:
            return reader.entries(ids, priorities)
        return list(filter(plan.shows, reader.entries(ids, priorities, plan.sources)))

    def place(self, entry_id: int) -> Place:
        ((published_ms,),) = self.backing.reader.rows(
            "SELECT published FROM entries WHERE id = ?", [entry_id]
        )
        return Place(published_ms, entry_id)

    def entry(self, wanted: str) -> Entry:
        """Raises UnknownName."""
        try:
            return find_entry(self.backing.reader, self.backing.config, wanted)
        except UsageError as error:
            raise UnknownName("there is no such entry") from error

    def in_full(self, wanted: str) -> types.EntryInFull:
        entry = self.entry(wanted)
        return shapes.entry_in_full(entry, self.backing.language(entry))

    def revisions_page(
        self, wanted: str, limit: int, after: int | None
    ) -> tuple[list[types.Revision], str | None]:
        history = self.backing.reader.history(self.entry(wanted).id)
        rest = [each for each in history if after is None or each.number > after]
        return shapes.history(rest[:limit]), cursor(rest[limit - 1].number) if len(rest) > limit else None

    def version(self, wanted: str, number: int) -> types.Version:
        entry = self.entry(wanted)
        revision = numbered_or_unknown(self.backing.reader.history(entry.id), number)
        held = self.backing.reader.entry_as(entry, revision)
        return shapes.version(held, revision, self.backing.language(held))

    def compared(self, wanted: str, from_: int | None, to: int | None) -> types.Diff:
        entry = self.entry(wanted)
        history = self.backing.reader.history(entry.id)
        if from_ is None and to is None:
            old, new = newest_two(history, entry.source)
        else:
            new = shown_by(history, entry.source) if to is None else numbered_or_unknown(history, to)
            old = before(history, new) if from_ is None else numbered_or_unknown(history, from_)
        if old is new:
            raise HTTPException(409, "Name two versions: `from` and `to` are one.")
        return self.comparisons.of(old, new).shape


def newest_two(history: list[Revision], source: str) -> tuple[Revision, Revision]:
    """Raises HTTPException."""
    try:
        return newest_pair(history, source)
    except UsageError as error:
        words = f"The source '{source}' has one version of this entry, so that there is nothing to compare it with."
        more = " Name two as `from` and `to` to compare those of several sources." if len(history) > 1 else ""
        raise HTTPException(409, f"{words}{more}") from error


def shown_by(history: list[Revision], source: str) -> Revision:
    """The version that a source shows."""
    return next(each for each in reversed(history) if each.newest and each.source == source)


def before(history: list[Revision], new: Revision) -> Revision:
    """The version that this one followed in its source. Raises HTTPException."""
    found = befores(history).get(new.number)
    if found is None:
        raise HTTPException(409, f"Version {new.number} followed none in its source; name one as `from`.")
    return found


def numbered_or_unknown(history: list[Revision], number: int) -> Revision:
    """Raises UnknownName, NoLongerKept."""
    try:
        return numbered(history, number)
    except NoLongerKept:
        raise
    except UsageError as error:
        raise UnknownName(str(error)) from error


def place_of(entry: Entry) -> Place:
    return Place(entry.published_ms, entry.id)


def following(place: Place | None) -> str | None:
    return None if place is None else cursor(*place)
