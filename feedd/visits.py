"""Asking the servers of one source: what that needs to know, and how it is done politely."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from feedd.answers import covers, in_words
from feedd.config.fetching import Fetch
from feedd.config.sources import WebSource
from feedd.engine import Engine
from feedd.errors import BadStatus, SourceError
from feedd.fetch.address import read
from feedd.fetch.client import Fetcher
from feedd.fetch.freshness import retry_after_ms
from feedd.fetch.hops import SHARED, may_share
from feedd.fetch.robots import Robots
from feedd.fetch.shown import shown
from feedd.fetch.values import Access, Ask, Validators
from feedd.model import Conversation
from feedd.reading import Found, Reply, Task
from feedd.recheck import Known
from feedd.sources.documents import Document
from feedd.workers import Pool

PAGE_TYPES = "text/html, application/xhtml+xml, application/json;q=0.9, */*;q=0.8"


class Tools(NamedTuple):
    """What collecting works with; one set for a process."""

    engine: Engine
    fetcher: Fetcher
    robots: Robots
    pool: Pool
    fetch: Fetch
    user_agent: str
    folder: Path  # of the configuration: programs run there


class Seen(NamedTuple):
    """What is known of a location that was read before."""

    said: bytes | None = None  # what its document said of it last, hashed
    whole: bool = False  # it holds an article, read under today's settings
    title: str = ""  # that the article has
    recheck: str | None = None  # what its own page said last, as `recheck.dumped` spells it


NEVER_SEEN = Seen()


class State(NamedTuple):
    """What is known of a source before it is looked at."""

    conversation: Conversation
    seen: Mapping[str, Seen]  # by location
    now_ms: int
    holds: tuple[tuple[str, int], ...] = ()  # hosts and domains to leave alone, and until when
    due: tuple[Known, ...] = ()  # articles whose pages are to be looked at again


class Visitor:
    """Asks what one source needs at one look."""

    def __init__(self, source: WebSource, state: State, tools: Tools) -> None:
        self.source = source
        self.state = state
        self.tools = tools
        self.access = source.access(tools.fetch, tools.user_agent)
        self.request_hash = source.request_hash

    async def visit(
        self,
        url: str,
        accept: str,
        work: Callable[[Document], Found],
        validators: Validators | None = None,
        known: bytes | None = None,
    ) -> Reply[Found]:
        """Fetch, and read what is new; an answer that is no document is an error. Raises FetchError, BadStatus.

        `work`, `known` as Task's.
        """
        raw_ms = self.state.now_ms if self.source.keep_raw else None
        ask = Ask(url, self.access_to(url), validators or Validators(), accept)
        reply = await self.tools.engine.read(ask, Task(work, known, raw_ms))
        status = reply.status
        if 200 <= status < 300 or (status == HTTPStatus.NOT_MODIFIED and validators and any(validators[:2])):
            return reply
        again_ms = retry_after_ms(reply.headers, self.state.now_ms)
        raise BadStatus(in_words(reply.url, status), reply.url, status, again_ms)

    async def visit_article(
        self, url: str, work: Callable[[Document], Found], validators: Validators | None = None
    ) -> Reply[Found]:
        """As `visit`, of an article's own page, where robots.txt lets us. Raises SourceError.

        A site that sends the readers of what it took away to its front page has not edited the article.
        """
        await self.ask_robots(url)
        reply = await self.visit(url, PAGE_TYPES, work, validators)
        if is_front_page(reply.url) and not is_front_page(url):
            raise SourceError(f"{shown(url)} leads to the front page {shown(reply.url)}")
        return reply

    def access_to(self, url: str) -> Access:
        """How to ask there: what is secret goes to the source's own address alone."""
        if url == self.source.url:  # as nearly always
            return self.access
        if may_share(read(self.source.url)[0], read(url)[0]):
            return self.access
        harmless = tuple(each for each in self.access.headers if each[0].lower() in SHARED)
        return self.access._replace(headers=harmless, cookies=(), auth=None)

    async def ask_robots(self, url: str) -> None:
        if self.source.robots and not await self.tools.robots.allows(
            self.tools.engine.fetch, url, self.access_to(url)
        ):
            raise SourceError(f"robots.txt forbids {shown(url)}; robots = false looks all the same")

    def holds_on(self, host: str) -> list[tuple[str, int]]:
        """What keeps the source from asking that host, and until when."""
        return [(scope, until) for scope, until in self.state.holds if covers(scope, self.source.name, host)]


def is_front_page(url: str) -> bool:
    parts = urlsplit(url)
    return parts.path in {"", "/"} and not parts.query
