"""The pages for people, as files: those that anybody is served, made by what serves them."""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from itertools import chain
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.responses import Response

from feedd import __version__
from feedd.comparison import Comparisons
from feedd.config.base import digest
from feedd.publish.cache import Feeds
from feedd.publish.item import Item, Notice
from feedd.publish.plan import Plan
from feedd.site.alone import alone, name_of
from feedd.site.folder import Folder
from feedd.site.manifest import part_of
from feedd.store.database import translated
from feedd.store.marks import touched_since
from feedd.web import change_pages, diff_pages, entry_pages, feed_pages
from feedd.web.assets import ASSETS
from feedd.web.home import home
from feedd.web.look import Look

ENTRY = re.compile(r"entries/([0-9]{1,18})\.html")
DIFF = re.compile(r"entries/([0-9]{1,18})/diff/([0-9]{1,18}\.\.[0-9]{1,18})\.html")
SOON = 503  # the status of what others ask for first
LISTS = ("index.html", "feeds.html", "changes.html")
NOTHING_ASKED = QueryParams()


class Site(NamedTuple):
    """What pages are made of, besides the store."""

    feeds: Feeds
    folder: Folder
    plans: Mapping[str, Plan]  # the feeds that everybody may see
    look: Look
    states: Mapping[str, str]  # of feeds, by name
    comparisons: Comparisons
    hour: int  # of the clock: the first page counts what came in a day
    check: Callable[[], None]  # may raise, between two pages

    @property
    def made_by(self) -> str:
        """Changes with all that changes every page."""
        feeds, styles = self.feeds, [asset.version for asset in ASSETS.values()]
        around = (feeds.base_url, list(self.plans), sorted(feeds.titles.items()), self.look.language)
        return digest(__version__, styles, around, sorted(feeds.priorities.items()))


def put_pages(site: Site) -> None:
    """Raises StoreError, PublishError, and what `check` does."""
    folder, made_by = site.folder, site.made_by
    for path, asset in ASSETS.items():
        if not path.endswith(".js"):  # see `alone`
            folder.put(path[1:], asset.body, asset.version)
    shown = feeds_that_changed(site, made_by)
    led_to = {page_of(item, site.feeds.base_url) for item in chain.from_iterable(shown.values())} - {None}
    pages = {name for name in led_to if name and entry_of(name) is not None}
    around = {f"feeds/{name}.html" for name in site.plans} | set(LISTS)
    coming = around | {f"entries/{entry_of(name)}.html" for name in pages}
    put_entries(site, pages, made_by, coming)
    state = digest(made_by, sorted(site.states.items()), site.hour)
    for name in LISTS:
        if not folder.holds(name, state):
            put_page(site, name, state, coming)
    for feed in shown:
        put_page(site, f"feeds/{feed}.html", state_of(site, feed, made_by), coming)


def put_entries(site: Site, led_to: Collection[str], made_by: str, coming: Collection[str]) -> None:
    """The pages of entries, and comparisons, that are to be made, by parts of the manifest.

    These are those that feeds lead to, if they are new, and those that are there, if something touched them. A page
    that nothing leads to any more stays: somebody may have its address.
    """
    folder, touched = site.folder, touched_entries(site)
    by_part = defaultdict[str, set[str]](set)
    for name in led_to:
        by_part[part_of(name)] |= {name, f"entries/{entry_of(name)}.html"}
    there = folder.parts()
    if not folder.looks and folder.pages_made_by == made_by:  # others are as they were
        there = sorted({part_of(f"entries/{each}.html") for each in touched}.intersection(there))
    for part in sorted({*there, *by_part}):
        names = {name for name in folder.names(part) if name.endswith(".html")} | by_part[part]
        due = [name for name in sorted(names) if is_due(site, name, touched, made_by)]
        # comparisons first: whether one can be had shows when it is made
        for name in sorted(due, key=lambda each: ENTRY.fullmatch(each) is not None):
            put_page(site, name, made_by, coming)
        folder.release(part)
    folder.pages_made_by = made_by


def is_due(site: Site, name: str, touched: Collection[int], made_by: str) -> bool:
    site.check()
    return entry_of(name) in touched or not site.folder.holds(name, made_by)


def state_of(site: Site, feed: str, made_by: str) -> str:
    return digest(made_by, site.states[feed])


def feeds_that_changed(site: Site, made_by: str) -> dict[str, tuple[Item, ...]]:
    """Those whose pages are to be made, with what stands in them."""
    found = dict[str, tuple[Item, ...]]()
    for plan in site.plans.values():
        site.check()
        if not site.folder.holds(f"feeds/{plan.name}.html", state_of(site, plan.name, made_by)):
            found[plan.name] = site.feeds.outline(plan.name, plan.limit).entries
    return found


def touched_entries(site: Site) -> set[int]:
    reader = site.feeds.reader
    with translated(reader.path):
        return touched_since(reader.connection, site.folder.mark)


def page_of(item: Item, base_url: str) -> str | None:
    """The file of the page of ours that an item of a feed leads to."""
    if not isinstance(item, Notice):
        return f"entries/{item.id}.html"
    return name_of(f"/{item.url.removeprefix(base_url)}") if item.url.startswith(base_url) else None


def entry_of(name: str) -> int | None:
    """The entry that a page is about."""
    found = ENTRY.fullmatch(name) or DIFF.fullmatch(name)
    return int(found[1]) if found else None


def put_page(site: Site, name: str, state: str, coming: Collection[str]) -> None:
    """Make a page anew. One that can't be had for the time being stays as it is; one that is no more goes."""
    folder = site.folder
    site.check()
    try:
        html = bytes(served(site, name).body).decode()
    except HTTPException as error:
        if error.status_code == SOON:
            folder.keep(name)
        else:
            folder.withdraw(name)
        return
    prefix = urlsplit(site.feeds.base_url).path.rstrip("/")
    made = alone(html, prefix, lambda each: each in coming or folder.has(each))
    folder.put(name, made.encode(), state)


def served(site: Site, name: str) -> Response:
    """The page, as anybody is served it. Raises HTTPException."""
    address = "/" if name == "index.html" else f"/{name.removesuffix('.html')}"
    look, feeds = site.look._replace(here=address), site.feeds
    if found := ENTRY.fullmatch(name):
        return entry_pages.entry(look, feeds, found[1], NOTHING_ASKED)
    if found := DIFF.fullmatch(name):
        asked = diff_pages.Asked(found[1], found[2], NOTHING_ASKED, "text/html")
        return diff_pages.diff(look, feeds, site.comparisons, asked)
    match address:
        case "/":
            return home(look, feeds, site.plans)
        case "/feeds":
            return feed_pages.feed_list(look, feeds, site.plans, NOTHING_ASKED)
        case "/changes":
            return change_pages.changes(look, feeds, NOTHING_ASKED)
        case _:
            return feed_pages.feed(look, feeds, address.removeprefix("/feeds/"), NOTHING_ASKED)
