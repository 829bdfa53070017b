"""The page of one source: how it is, what is wrong with it, what it brought, and how the looks at it went."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from markupsafe import Markup
from starlette.responses import Response

from feedd.config.sources import DirectorySource, Source
from feedd.looks import now_ms
from feedd.publish.cache import Feeds
from feedd.publish.health import WORDS
from feedd.schedule import spell_duration
from feedd.shapes import printable
from feedd.store import looks, proposals
from feedd.store.database import translated as store_errors
from feedd.store.incidents import Incident
from feedd.store.page_queries import entries_a_day
from feedd.store.proposals import RESTLESS, Proposed
from feedd.store.source_queries import open_incidents, rejected
from feedd.web.chart import DAY_MS, Day, Words, bars, days
from feedd.web.look import Look
from feedd.web.pages import page
from feedd.web.parameters import Query, chosen, number_of
from feedd.web.source_list import Shown
from feedd.web.teasers import Teaser, teasers
from feedd.web.translation import counted, translated

LOOKS = 30  # on a page
NEWEST = 8  # entries
CHART_DAYS = 90
REFUSED = 20
UNITS = ("B", "kB", "MB", "GB", "TB")
# States of a subscription (see store.subscriptions), as people read them
PUSHES = {
    "wanted": "to be asked for",
    "asked": "asked for",
    "active": "active",
    "denied": "denied by the hub",
}


class Done(StrEnum):
    """What came of a button, as the address of the page says it; the page has the words."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    HELD = "held"  # its server asked to be left alone
    GOING_ON = "going-on"
    PAUSED = "paused"
    RESUMED = "resumed"


class Asked(NamedTuple):
    """What a request for the page says."""

    before: int | None = None  # the number of a look
    done: str = ""


class Trouble(NamedTuple):
    """What is wrong, since when, and what to do about it; in English."""

    title: str
    detail: str
    since_ms: int
    advice: str


class Contents(NamedTuple):
    """What the source holds: for who may see its feed."""

    chart: Markup
    days: Sequence[Day]  # with entries, the newest first
    first: str  # of the chart's days
    last: str
    total: int  # entries in them
    most: int  # on one of them
    newest: Sequence[Teaser]
    refused: Sequence[tuple[str, str]]  # at most REFUSED, and one more if there are more
    proposed: Sequence[Proposed]


def asked(query: Query) -> Asked:
    """Raises HTTPException."""
    before = number_of(query["before"], "before") if "before" in query else None
    return Asked(before, chosen(query, "done", ("", *Done), ""))


def source_page(look: Look, feeds: Feeds, found: Shown, wanted: Asked) -> Response:
    reader, source = feeds.reader, found.source
    shown = found._replace(row=look.viewer.shown(found.row))
    row = shown.row
    with store_errors(reader.path):
        history = looks.history(reader.connection, row.id, LOOKS + 1, wanted.before)
        incidents = open_incidents(reader.connection, row.id)
    sees = look.viewer.may_see(row.name)
    return page(
        look,
        "source.html",
        shown=shown,
        row=row,
        source=source,
        location=printable(row.location),
        moved=row.address and printable(row.address),
        schedule=schedule(source),
        is_watched=isinstance(source, DirectorySource) and source.watch,
        troubles=[trouble(each) for each in incidents if sees or each.kind != RESTLESS],
        contents=contents(look, feeds, shown) if sees and wanted.before is None else None,
        is_private=not sees,
        most_refused=REFUSED,
        push=PUSHES[row.push.state] if row.push else "",
        history=[(look.viewer.look(each), size(each.bytes)) for each in history[:LOOKS]],
        older=history[LOOKS - 1].id if len(history) > LOOKS else None,
        first=wanted.before is None,
        done=wanted.done,
        titles=feeds.titles,
    )


def contents(look: Look, feeds: Feeds, shown: Shown) -> Contents:
    reader, row, now = feeds.reader, shown.row, now_ms()
    since_ms = (now // DAY_MS - CHART_DAYS + 1) * DAY_MS
    with store_errors(reader.path):
        counts = dict(entries_a_day(reader.connection, row.id, since_ms))
        refused = rejected(reader.connection, row.id, REFUSED + 1)
        proposed = proposals.of_source(reader.connection, row.id)
    drawn = days(counts, now, CHART_DAYS)
    return Contents(
        bars(drawn, words_of(drawn, look.language)),
        [day for day in reversed(drawn) if day.number],
        drawn[0].name,
        drawn[-1].name,
        sum(day.number for day in drawn),
        max(day.number for day in drawn),
        teasers(feeds.outline(row.name, NEWEST).entries),
        refused,
        proposed,
    )


def words_of(drawn: Sequence[Day], language: str) -> Words:
    """What the chart says."""
    most = max(drawn, key=lambda day: day.number)
    labels = [f"{day.name}: {entries(day.number, language)}" for day in drawn]
    told = translated(
        "From %(since)s to %(until)s. All together: %(all)s; the most on a day: %(most)s, %(day)s.", language
    )
    return Words(
        translated("Entries a day", language),
        told
        % {
            "since": drawn[0].name,
            "until": drawn[-1].name,
            "all": entries(sum(day.number for day in drawn), language),
            "most": entries(most.number, language),
            "day": most.name,
        },
        labels,
    )


def entries(number: int, language: str) -> str:
    return counted("%(num)s entry", "%(num)s entries", number, language) % {"num": f"{number:,}"}


def trouble(incident: Incident) -> Trouble:
    words = WORDS[incident.kind]
    title, advice = (each.replace("{}", incident.subject) for each in (words.open, words.advice))
    return Trouble(title, incident.detail, incident.opened_ms, advice)


def schedule(source: Source) -> str:
    """As the configuration spells it."""
    if source.timing.cron is not None:
        return f"cron {source.timing.cron}{f' ({source.timezone})' if source.timezone else ''}"
    return "auto" if source.timing.auto else spell_duration(source.timing.every_ms)


def size(number: int | None) -> str:
    """In decimal units, three digits at most."""
    if number is None:
        return ""
    value, unit = float(number), 0
    while value >= 999.5 and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.0f} {UNITS[unit]}" if unit == 0 or value >= 99.95 else f"{value:.1f} {UNITS[unit]}"
