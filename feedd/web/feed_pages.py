"""Pages about feeds: which there are, how to subscribe, what is in them."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.responses import Response

from feedd.publish.cache import Feeds
from feedd.publish.document import Document
from feedd.publish.plan import HEALTH, Plan
from feedd.store.reader import SourceRow
from feedd.web.look import Look
from feedd.web.pages import page
from feedd.web.teasers import teasers, told
from feedd.web.viewer import Viewer

NEWEST = 30  # entries of a page
LAST_PAGE = 33  # a feed holds a thousand at most
AT_ONCE = 200  # feeds of a page
MANY = 12  # feeds, from which on one may ask for some by name
LONGEST_NAME = 100
NUMBER = re.compile(r"[1-9][0-9]{0,5}")


class Card(NamedTuple):
    """A feed in the list, with what is known of it for the price of a row of its sources."""

    plan: Plan
    private: bool
    entries: int | None  # None: that would have to be counted
    changed_ms: int | None  # when its sources changed last; None: that says nothing of the feed


class Address(NamedTuple):
    label: str
    url: str
    type: str
    source: str  # where a browser shows the document as it is


def is_private(viewer: Viewer, feed: str) -> bool:
    """Whether readers need a token for it."""
    return viewer.closed or feed in viewer.private


def feed_list(look: Look, feeds: Feeds, plans: Mapping[str, Plan], asked: QueryParams) -> Response:
    """`plans`: the feeds that whoever asks may see. Raises HTTPException."""
    name, number = asked.get("name", "").strip(), page_number(asked.get("page", "1"))
    if len(name) > LONGEST_NAME:
        raise HTTPException(400, f"What the names are to have in them is at most {LONGEST_NAME} characters.")
    fitting = [plan for plan in plans.values() if is_named(plan, name.casefold())]
    last = max(1, -(-len(fitting) // AT_ONCE))
    if number > last:
        raise HTTPException(404, f"There is no page {number} of this list; the last one is {last}.")
    shown = fitting[(number - 1) * AT_ONCE : number * AT_ONCE]
    return page(
        look,
        "feeds.html",
        cards=cards(feeds, shown, look.viewer),
        name=name,
        number=number,
        last=last,
        found=len(fitting),
        all=len(plans),
        many=len(plans) >= MANY,
        base_url=feeds.base_url,
        titles=feeds.titles,
    )


def page_number(text: str) -> int:
    """Raises HTTPException."""
    if not NUMBER.fullmatch(text):
        raise HTTPException(400, "page is a whole number, from 1 on.")
    return int(text)


def is_named(plan: Plan, part: str) -> bool:
    return part in plan.name or part in plan.title.casefold()


def cards(feeds: Feeds, plans: Sequence[Plan], viewer: Viewer) -> list[Card]:
    rows = {row.name: row for row in feeds.reader.sources()}
    return [card(plan, rows, is_private(viewer, plan.name)) for plan in plans]


def card(plan: Plan, rows: Mapping[str, SourceRow], private: bool) -> Card:
    if plan.shows_notices or any(plan.filter) or plan.query is not None:
        return Card(plan, private, None, None)
    names = rows if plan.sources is None else plan.sources
    some = [rows[name] for name in names if name in rows]
    changed_ms = max((row.last_changed_ms or 0 for row in some), default=0)
    return Card(plan, private, some[0].entries if len(names) == len(some) == 1 else None, changed_ms or None)


def feed(look: Look, feeds: Feeds, name: str, asked: QueryParams) -> Response:
    """Raises HTTPException."""
    number = page_number(asked.get("page", "1"))
    if number > LAST_PAGE:
        raise HTTPException(
            404, f"Pages go back {LAST_PAGE} times {NEWEST} entries; a search finds what is older."
        )
    document = feeds.outline(name, number * NEWEST + 1)
    shown = document.entries[(number - 1) * NEWEST : number * NEWEST]
    if number > 1 and not shown:
        raise HTTPException(404, "There are no entries that far back.")
    return page(
        look,
        "feed.html",
        document=document,
        plan=feeds.plans[name],
        private=is_private(look.viewer, name),
        addresses=addresses(document),
        entries=told(shown) if name == HEALTH else teasers(shown),
        titles=feeds.titles,
        number=number,
        older=len(document.entries) > number * NEWEST,
        last=LAST_PAGE,
    )


def addresses(document: Document) -> list[Address]:
    """The one to take first."""
    return [
        Address(label, document.url(f".{format_}"), type_, source_of(document.name, format_))
        for label, format_, type_ in (
            ("Atom", "atom", "application/atom+xml"),
            ("RSS", "rss", "application/rss+xml"),
            ("JSON Feed", "json", "application/feed+json"),
        )
    ]


def source_of(name: str, format_: str) -> str:
    return f"/feeds/{name}.{format_}?raw=1"
