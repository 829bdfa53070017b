"""The page of what changed lately: by source, kind and significance."""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response

from feedd.model import Kind, Significance
from feedd.publish.cache import Feeds
from feedd.publish.times import moment
from feedd.store.changelog import Change
from feedd.store.database import translated
from feedd.store.page_queries import ChangesPage, changes_page
from feedd.web.look import Look
from feedd.web.pages import page
from feedd.web.parameters import Query, chosen, number_of

SHOWN = 50
OFFERED = 500  # sources in the form's list; of more, the name is asked for
KINDS = (Kind.EDITED, Kind.SILENT_EDIT, Kind.REVERTED, Kind.REMOVED, Kind.RESTORED)
LEVELS = (Significance.MINOR, Significance.SUBSTANTIAL)  # of changes that are told


class Wanted(NamedTuple):
    """Which changes are asked for; "": all."""

    source: str
    kind: str
    significance: str

    def address(self, before: int | None = None) -> str:
        named = [(name, value) for name, value in self._asdict().items() if value]
        query = urlencode(named if before is None else [*named, ("before", before)])
        return f"/changes?{query}" if query else "/changes"


class Day(NamedTuple):
    date: str  # of UTC
    changes: Sequence[Change]


def changes(look: Look, feeds: Feeds, query: Query) -> Response:
    before = number_of(query["before"], "before") if "before" in query else None
    wanted = Wanted(
        query.get("source", ""),
        chosen(query, "kind", ("", *KINDS), ""),
        chosen(query, "significance", ("", *LEVELS), ""),
    )
    found = found_in(feeds, wanted, before)
    return page(
        look,
        "changes.html",
        days=days(found.changes),
        next=found.before,
        first=before is None,
        wanted=wanted,
        sources=offered(feeds),
        kinds=KINDS,
        levels=LEVELS,
        feed=look.viewer.may_see("changes"),
        titles=feeds.titles,
    )


def found_in(feeds: Feeds, wanted: Wanted, before: int | None) -> ChangesPage:
    """Raises HTTPException for a source that never was."""
    ids = feeds.reader.source_ids([wanted.source]) if wanted.source else None
    if ids == []:
        raise HTTPException(404, "There is no source of that name.")
    kinds = [Kind(wanted.kind)] if wanted.kind else None
    level = Significance(wanted.significance) if wanted.significance else None
    with translated(feeds.reader.path):
        return changes_page(feeds.reader.connection, ids, kinds, level, before, SHOWN)


def offered(feeds: Feeds) -> list[tuple[str, str]]:
    """Name and title of the sources to choose from, those that left the configuration last; none where they are many."""
    if len(feeds.titles) > OFFERED:
        return []
    sources = feeds.reader.sources()
    if len(sources) > OFFERED:
        return []
    named = [
        (not source.configured, feeds.titles.get(source.name, source.name), source.name) for source in sources
    ]
    return [(name, title) for _, title, name in sorted(named)]


def days(changes: Sequence[Change]) -> list[Day]:
    """Neighbours that happened on one day together."""
    return [
        Day(date, list(some))
        for date, some in groupby(changes, lambda each: moment(each.at_ms).strftime("%Y-%m-%d"))
    ]
