"""From an address to a source in the configuration."""

import asyncio
from typing import NamedTuple

from feedd.config.fetching import Fetching
from feedd.config.settings import BUILT_IN_FEEDS, Config
from feedd.config.sources import FeedSource
from feedd.config.values import every as valid_every
from feedd.config.values import name as valid_name
from feedd.config.values import web_url
from feedd.errors import FetchError, TimedOut, UsageError
from feedd.exchange.find import Fetch, Found, find_feed
from feedd.exchange.naming import Namer
from feedd.exchange.opml_in import web_address
from feedd.exchange.plan import names, subscribed
from feedd.exchange.toml_file import NewSource, append_sources
from feedd.fetch.client import Fetcher
from feedd.fetch.values import Access, Answer, Ask
from feedd.normalise.url import BadUrl, canonical, shown
from feedd.pipeline import user_agent

ACCEPT = "application/atom+xml, application/rss+xml, application/feed+json, text/html;q=0.9, */*;q=0.8"
HOST_INTERVAL_S = 0.2  # a person waits; there are few requests
PATIENCE_S = 90.0  # for all of them


class Wish(NamedTuple):
    """A subscription that somebody asks for."""

    url: str  # as typed
    name: str | None = None
    tags: tuple[str, ...] = ()
    every: str | None = None
    allow_private: bool = False

    @property
    def address(self) -> str:
        """With a scheme, and none that says no more than that there is a feed."""
        bare = web_address(self.url.strip())
        return bare if "://" in bare else f"https://{bare}"


class Done(NamedTuple):
    """What became of a wish."""

    added: bool  # False: it was there before
    name: str
    url: str | None = None  # of the feed; None where nobody had to look for it
    title: str | None = None
    entries: int | None = None
    others: tuple[str, ...] = ()  # feeds that the page names too


def subscribe(config: Config, wish: Wish) -> Done:
    """Find the feed and append it to the configuration, unless that has it.

    Raises UsageError, ConfigError, FetchError, NotAFeed, CannotWrite.
    """
    refuse_what_cannot_be(config, wish)
    if name := subscribed_as(config, wish.address):
        return Done(added=False, name=name)
    found = asyncio.run(find(config, wish))
    name = subscribed_as(config, found.url)
    new = source_for(config, wish, found)
    if name is None:
        append_sources(config.path, [new])
    return Done(name is None, name or new.name, found.url, found.title, found.entries, found.others)


def refuse_what_cannot_be(config: Config, wish: Wish) -> None:
    """Raises UsageError where the wish can't be met, whatever there is."""
    try:
        canonical(web_url(wish.address))
        if wish.every is not None:
            valid_every(wish.every)
        if wish.name is not None:
            valid_name(wish.name)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if wish.name in {*names(config), *BUILT_IN_FEEDS}:
        raise UsageError(f"{config.path}: sources.{wish.name}: the name is taken already; choose another")


def subscribed_as(config: Config, url: str) -> str | None:
    """The name of the source that is this feed."""
    try:
        return subscribed(config).get(canonical(url, ignore_scheme=True))
    except BadUrl:
        return None


async def find(config: Config, wish: Wish) -> Found:
    """The feed that is meant. Raises FetchError, NotAFeed."""
    access = access_for(config, wish)
    try:
        async with asyncio.timeout(PATIENCE_S), Fetcher() as fetcher:

            async def fetch(url: str) -> Answer:
                return await fetcher.fetch(Ask(url, access, accept=ACCEPT))

            return await found_at(wish, fetch)
    except TimeoutError as error:
        raise TimedOut(f"{shown(wish.address)}: no feed was found within {PATIENCE_S:.0f} s") from error


async def found_at(wish: Wish, fetch: Fetch) -> Found:
    """By http where no scheme was typed, and there is nothing by https."""
    try:
        return await find_feed(wish.address, fetch)
    except FetchError:
        if "://" in wish.url:
            raise
        return await find_feed(wish.address.replace("https:", "http:", 1), fetch)


def access_for(config: Config, wish: Wish) -> Access:
    """As `[fetch]` says for all sources."""
    shared = {key: getattr(config.fetch, key) for key in Fetching.model_fields}
    source = FeedSource.model_construct(name="new", type="feed", url=wish.address, **shared)
    access = source.access(config.fetch, user_agent(config))
    return access._replace(
        allow_private=access.allow_private or wish.allow_private,
        host_interval_s=min(access.host_interval_s, HOST_INTERVAL_S),
    )


def source_for(config: Config, wish: Wish, found: Found) -> NewSource:
    name = wish.name or Namer(names(config)).name(found.title, found.url)
    title = " ".join(found.title.split())[:500] or None
    return NewSource(
        name,
        found.url,
        None if title == name else title,
        wish.tags,
        every=wish.every,
        allow_private=wish.allow_private,
    )
