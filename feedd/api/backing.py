"""What the API answers from: the store, the feeds, and what a running daemon can be asked to do."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request

from feedd.config.settings import Config
from feedd.config.sources import Source
from feedd.following import Follower
from feedd.operations import Operations
from feedd.publish.cache import Feeds
from feedd.publish.plan import Plan
from feedd.search.finder import Finder
from feedd.store.bell import Bell
from feedd.store.reader import Entry, Reader
from feedd.threads import QUICK, SLOW
from feedd.web.queue import require_room
from feedd.web.viewer import viewer_of

Result = TypeVar("Result")


class Backing(NamedTuple):
    """`stopping` is set when feedd ends: then nobody waits any longer."""

    config: Config
    feeds: Feeds
    finder: Finder
    follower: Follower
    bell: Bell
    operations: Operations
    stopping: asyncio.Event

    @property
    def reader(self) -> Reader:
        return self.feeds.reader

    async def read(self, work: Callable[..., Result], *values: object) -> Result:
        return await QUICK.run(work, *values)

    async def read_slowly(self, work: Callable[..., Result], *values: object) -> Result:
        """Raises HTTPException (503) where too many wait already."""
        require_room(SLOW.limiter)
        return await SLOW.run(work, *values)

    def source(self, name: str) -> Source:
        """Raises HTTPException: 404 for what never was, 410 for what left the configuration."""
        found = self.config.source(name)
        if found is None:
            if self.reader.source_named(name) is not None:
                raise HTTPException(410, f"The source '{name}' was taken out of the configuration.")
            raise HTTPException(404, f"There is no source '{name}'.")
        return found

    def feed(self, name: str, request: Request) -> Plan:
        """Raises HTTPException; a feed that whoever asks may not see is not there."""
        found = self.feeds.plans.get(name)
        if found is None or not viewer_of(request).may_see(name):
            if self.reader.source_named(name) is not None:
                raise HTTPException(
                    410, f"The source '{name}' was taken out of the configuration; its feed has ended."
                )
            raise HTTPException(404, f"There is no feed '{name}'.")
        return found

    def language(self, entry: Entry) -> str | None:
        source = self.config.source(entry.source)
        return None if source is None else source.language
