"""The change log ─► who is to be told: what delivering needs, put together from a configuration and its store."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from uuid import UUID

from starlette.routing import Route

from feedd.config.settings import Config
from feedd.fetch.client import Fetcher
from feedd.looks import now_ms
from feedd.notify.deliverer import Deliverer, cancelled
from feedd.notify.message import Messages
from feedd.notify.rendering import Renderer
from feedd.notify.sending import Tools
from feedd.pipeline import user_agent
from feedd.publish.cache import Feeds
from feedd.publish.plan import plans
from feedd.store import channels
from feedd.store.desk import Desk
from feedd.store.reader import Reader
from feedd.web.events import Events
from feedd.web.events import routes as events_routes
from feedd.web.hub import routes as hub_routes
from feedd.web.push import routes as push_routes
from feedd.websub.hub import Hub
from feedd.websub.inbox import Inbox, Take
from feedd.websub.subscriber import Subscriber

AGAIN_S = 10.0
ASK_S = 0.05  # how often it is asked whether all has arrived
log = logging.getLogger(__name__)


def messages_of(config: Config, reader: Reader) -> Messages:
    """What makes messages of changes."""
    priorities = {source.name: source.priority for source in config.sources}
    languages = {source.name: source.language for source in config.sources}
    titles = {source.name: source.heading for source in config.sources}
    return Messages(reader, config.server.public_url, priorities, languages, titles, paused=config.paused)


def tools_of(config: Config, reader: Reader, fetcher: Fetcher, renderer: Renderer) -> Tools:
    """What sending works with."""
    return Tools(
        fetcher,
        renderer,
        plans(config),
        config.server.public_url,
        UUID(reader.uuid()),
        user_agent(config),
        config.path.absolute().parent,
    )


@asynccontextmanager
async def deliverer(config: Config, desk: Desk, reader: Reader) -> AsyncIterator[Deliverer]:
    """What delivers, on the running event loop, for as long as the context lasts."""
    said = dict[str, str]()

    def report(channel: str, detail: str) -> None:
        if said.get(channel) == detail:
            return
        said[channel] = detail
        log.warning("notify.%s: %s", channel, detail)
        work = partial(channels.template_failed, name=channel, detail=detail, now_ms=now_ms())
        desk.post(lambda writer: writer.within(work))

    async with Fetcher() as fetcher, Renderer(config.server.public_url, report) as renderer:
        tools = tools_of(config, reader, fetcher, renderer)
        yield Deliverer(config.channels, desk, reader, messages_of(config, reader), tools)


class Telling:
    """Everybody who is told while feedd runs: channels, subscribers of the hub, streams of events.

    And hubs that tell us: what they push goes to `take`.
    """

    def __init__(
        self, office: Deliverer, hub: Hub, subscriber: Subscriber, inbox: Inbox, events: Events
    ) -> None:
        self.office = office
        self.hub = hub
        self.subscriber = subscriber
        self.inbox = inbox
        self.events = events

    @property
    def routes(self) -> list[Route]:
        """What of it is asked over HTTP."""
        hub = hub_routes(self.hub) if self.hub.settings.hub else ()
        return [*events_routes(self.events), *push_routes(self.inbox), *hub]

    async def run(self) -> None:
        """Until it is cancelled."""
        works = (self.office.run(), kept_running(self.hub.run), kept_running(self.subscriber.run))
        tasks = [asyncio.create_task(work) for work in works]
        try:
            # not gather, which cancels them by itself: a second time would cut off what they still send
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            await cancelled(tasks)

    async def wind_down(self, patience_s: float) -> None:
        """Begin nothing more, and let what is on its way arrive, for so long at most: others take over, feedd goes on."""
        self.office.rest()
        for _ in range(round(patience_s / ASK_S)):
            if not (self.office.is_busy or self.hub.verifier.size or self.inbox.taking):
                break
            await asyncio.sleep(ASK_S)

    async def close(self) -> None:
        """End what would keep the web server from ending."""
        await self.inbox.close()


async def kept_running(work: Callable[[], Awaitable[None]]) -> None:
    """A bug in one of them ends neither the others nor itself for good."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("a bug in feedd")
        await asyncio.sleep(AGAIN_S)


@asynccontextmanager
async def telling(
    config: Config, desk: Desk, reader: Reader, feeds: Feeds, events: Events, take: Take
) -> AsyncIterator[Telling]:
    """What tells, on the running event loop, for as long as the context lasts."""
    agent = user_agent(config)
    async with deliverer(config, desk, reader) as office, Fetcher() as fetcher:
        hub = Hub(config, desk, reader, feeds, fetcher, desk.bell, agent)
        subscriber = Subscriber(config, desk, fetcher, agent, desk.bell)
        yield Telling(office, hub, subscriber, Inbox(config, desk, take), events)
