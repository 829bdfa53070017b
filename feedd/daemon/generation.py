"""What follows from one configuration, while it is in force: what is served, who is told, and what follows the change log.

A reload makes another one; what outlives it (the socket, the database, looks, streams of events) belongs to the daemon.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from feedd.config.settings import Config
from feedd.daemon.attending import Attendant
from feedd.daemon.tasks import Tasks
from feedd.mirror.mirrors import Mirrors
from feedd.operations import Operations
from feedd.publish.archivist import Archivist
from feedd.publish.cache import Feeds
from feedd.search.indexer import Indexer
from feedd.serving import served
from feedd.site.publisher import Publisher
from feedd.store.desk import Desk
from feedd.telling import Telling, telling
from feedd.troubles import OwnTrouble
from feedd.web.counting import Meter
from feedd.web.events import Events
from feedd.web.health import Health

Work = Callable[[], Awaitable[None]]


class Generation:
    """`start` it when the one before has ended; `end` it, however often, when it is over."""

    def __init__(self, config: Config, feeds: Feeds, told: Telling, operations: Operations) -> None:
        self.config = config
        self.feeds = feeds
        self.told = told
        self.operations = operations
        self.application: ASGIApp
        self.tasks = Tasks()

    def start(self, desk: Desk) -> None:
        """Begin to tell, and to follow the change log."""
        feeds = self.feeds
        self.tasks.start(self.told.run())
        self.tasks.start(Indexer(desk, feeds.reader, feeds.priorities).run())
        self.tasks.start(Archivist(desk, feeds).run())
        if self.config.publish is not None:
            self.tasks.start(Publisher(self.config, desk, feeds).run())
        else:
            OwnTrouble(desk, "publishing").tell(None)
        if self.config.mirrors:
            self.tasks.start(Mirrors(self.config, desk, feeds.reader).run())
        else:
            OwnTrouble(desk, "mirror").tell(None)  # what failed until now is not done any more

    async def wind_down(self, patience_s: float) -> None:
        """Let what is on its way arrive, for so long at most: another generation takes over."""
        asked_for = [*self.operations.looking, *self.operations.testing]
        if asked_for:
            await asyncio.wait(asked_for, timeout=patience_s)
        await self.told.wind_down(patience_s)

    async def end(self) -> None:
        await asyncio.gather(self.tasks.end(), self.operations.close(), self.told.close())


@asynccontextmanager
async def generation(
    config: Config,
    desk: Desk,
    feeds: Feeds,
    attendant: Attendant,
    events: Events,
    health: Health,
    meter: Meter,
) -> AsyncIterator[Generation]:
    """What serves and tells, on the running event loop, for as long as the context lasts."""
    async with telling(config, desk, feeds.reader, feeds, events, attendant.take) as told:
        office = told.office
        operations = Operations(config, desk, attendant.look_asked_for, office.messages, office.tools)
        made = Generation(config, feeds, told, operations)
        # routes and schemas are made in a thread: it takes a tenth of a second, in which others are answered
        made.application = await asyncio.to_thread(
            served, config, desk, feeds, told, operations, health, meter
        )
        try:
            yield made
        finally:
            await made.end()
