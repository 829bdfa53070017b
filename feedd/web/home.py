"""The first page: what is new, what changed, what is broken, at one look."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from starlette.responses import Response

from feedd.access.scopes import Scope
from feedd.looks import now_ms
from feedd.publish.cache import Feeds
from feedd.publish.plan import Plan
from feedd.quoting import for_everybody
from feedd.store import channels
from feedd.store.changelog import Change
from feedd.store.channels import State as Receiver
from feedd.store.database import translated
from feedd.store.page_queries import overview
from feedd.store.reader import SourceRow
from feedd.web.look import Look
from feedd.web.pages import page
from feedd.web.source_list import State, state_of
from feedd.web.teasers import teasers
from feedd.web.viewer import Viewer

NEWEST = 30
CHANGED = 8
FAILING = 4
LOOKED_THROUGH = 60  # of the newest changes, to show each entry once
SOURCES = 12
FEEDS = 12
REFUSED = 10
MOST_REFUSED = 1_000


class Sources(NamedTuple):
    """Some sources of the configuration, as the page shows them; what changed last comes first."""

    shown: Sequence[tuple[SourceRow, State]]
    failing: Sequence[SourceRow]


def home(look: Look, feeds: Feeds, plans: Mapping[str, Plan]) -> Response:
    """`plans`: the feeds that whoever asks may see."""
    reader = feeds.reader
    with translated(reader.path):
        numbers = overview(reader.connection, now_ms())
    return page(
        look,
        "home.html",
        numbers=numbers,
        entries=teasers(feeds.outline("all", NEWEST).entries),
        changes=newest_changes(feeds),
        sources=sources_of(feeds, look.viewer),
        channels=channels_in_trouble(feeds, in_full=look.viewer.may(Scope.READ)),
        refused=refused(feeds, look),
        plans=list(islice(plans.values(), FEEDS)),
        feeds=len(plans),
        titles=feeds.titles,
    )


def newest_changes(feeds: Feeds) -> list[Change]:
    """The last one of each entry."""
    found = dict[int, Change]()
    for change in islice(feeds.reader.change_log(), LOOKED_THROUGH):
        found.setdefault(change.entry_id, change)
    return list(found.values())[:CHANGED]


def refused(feeds: Feeds, look: Look) -> list[tuple[str, str, str]]:
    """(source, path, reason): what can't be read, of the sources whose contents are for whoever asks."""
    rows = feeds.reader.rejected(MOST_REFUSED)
    return [row for row in rows if look.viewer.may_see(row[0])][:REFUSED]


def channels_in_trouble(feeds: Feeds, *, in_full: bool) -> list[Receiver]:
    """Channels whose receiver is gone, or took nothing several times; `in_full`: with what it said itself."""
    with translated(feeds.reader.path):
        states = channels.states(feeds.reader.connection).values()
        places = channels.places(feeds.reader.connection)
    found = [each for each in states if each.disabled_ms or each.failures >= channels.FAILURES_TOLD]
    if in_full:
        return found
    return [each._replace(error=for_everybody(each.error, places[each.name])) for each in found]


def sources_of(feeds: Feeds, viewer: Viewer) -> Sources:
    newest = map(viewer.shown, feeds.reader.sources_changed(SOURCES))
    return Sources(
        [(row, state_of(row, by_configuration=row.configured == 2)) for row in newest],
        [viewer.shown(row) for row in feeds.reader.sources_failing(FAILING)],
    )
