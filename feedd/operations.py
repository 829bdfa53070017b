"""What a running daemon can be asked to do, by pages and by the API.

Nothing here asks who may: that was done before. All of it raises UnknownName for a source, a channel or a delivery
that is not there, UsageError for what can't be done now, TooMany for what can be done later, Stopped when feedd ends, and
StoreError.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol, TypeVar

from feedd.config.settings import Config
from feedd.config.sources import Source
from feedd.errors import Stopped, TooMany, UnknownName, UsageError
from feedd.looks import Looked, now_ms
from feedd.normalise.url import shown
from feedd.notify.message import Messages
from feedd.notify.sending import Tools
from feedd.notify.trying import channel_named, try_out
from feedd.notify.values import Tried
from feedd.publish.times import rfc3339
from feedd.store import pausing, redelivery
from feedd.store.deliveries import Chosen, Delivery
from feedd.store.desk import Desk

Result = TypeVar("Result")
TESTS_AT_ONCE = 4
LOOKS_AT_ONCE = 64  # that were asked for and have not ended
LONGEST_NAME = 100  # of who paused a source
ENDS = "feedd is ending: ask again when it runs"
log = logging.getLogger(__name__)


class Look(Protocol):
    """A look at a source that somebody asked for. `begun` is called when none before it is under way any more."""

    def __call__(self, source: Source, *, begun: Callable[[], None]) -> Awaitable[Looked]: ...


class Operations:
    """Belongs to the daemon and its event loop. `messages` and `tools` are what it delivers with."""

    def __init__(self, config: Config, desk: Desk, look: Look, messages: Messages, tools: Tools) -> None:
        self.config = config
        self.desk = desk
        self.look = look
        self.messages = messages
        self.tools = tools
        self.waiting: dict[str, asyncio.Task[Looked]] = {}  # by source: the look that has not begun yet
        self.looking: set[asyncio.Task[Looked]] = set()
        self.testing: set[asyncio.Task[Tried]] = set()
        self.is_closed = False

    async def close(self) -> None:
        """End looks and samples that were asked for; who waits for them is told."""
        self.is_closed = True
        tasks = [*self.looking, *self.testing]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def check(self, name: str) -> Looked:
        """Look at a source now, despite schedule, pause and backoff; not against a Retry-After.

        Whoever asks while a look waits for its turn shares its result. It goes on when nobody waits for it any more.
        """
        task = self.look_of(name)
        await asyncio.wait({task})  # which leaves the look alone if whoever asks is cancelled
        return came_of(task)

    def look_of(self, name: str) -> "asyncio.Task[Looked]":
        """The look as `check` has it: the one that waits for its turn, else a new one. `came_of` tells its result."""
        source = self.source(name)
        if self.is_closed:
            raise Stopped(ENDS)
        task = self.waiting.get(source.name)
        if task is not None:
            return task
        if len(self.looking) >= LOOKS_AT_ONCE:
            raise TooMany(f"{LOOKS_AT_ONCE} looks that were asked for go on already: try again in a minute")
        task = self.waiting[source.name] = asyncio.create_task(self.looked_at(source))
        self.looking.add(task)
        task.add_done_callback(partial(self.finished, source.name))
        return task

    async def looked_at(self, source: Source) -> Looked:
        return await self.look(source, begun=lambda: self.forget(source.name))

    def forget(self, name: str) -> None:
        self.waiting.pop(name, None)

    def finished(self, name: str, task: "asyncio.Task[Looked]") -> None:
        self.looking.discard(task)
        if self.waiting.get(name) is task:
            self.forget(name)
        if not task.cancelled():
            task.exception()  # nobody may be left to hear of it

    async def pause(self, name: str, by: str) -> None:
        """The source is not looked at until it is resumed, over restarts, too; who paused it first stays its name.

        A look that is under way, or waits for its turn, is done.
        """
        source, who = self.source(name), shown(by, LONGEST_NAME)
        words = f"paused by {who} since {rfc3339(now_ms())}"
        work = partial(pausing.pause, name=source.name, words=words)
        if await self.written(work):
            log.info("%s: paused by %s", source.name, who)

    async def resume(self, name: str) -> None:
        """The source is looked at at once, and goes on as it did; what feedd itself had paused, too."""
        source = self.source(name)
        if source.paused:
            raise UsageError(
                f"the source '{name}' is paused by the configuration: take out `paused = true` of [sources.{name}]"
            )
        work = partial(pausing.resume, name=source.name, now_ms=now_ms())
        if await self.written(work):
            log.info("%s: resumed", source.name)

    async def retry(self, chosen: Chosen) -> int:
        """Try deliveries again, now; returns how many changes that is."""
        work = partial(redelivery.to_retry, chosen=chosen)
        count = await self.parts_done(chosen, work, redelivery.retry)
        self.desk.bell.ring()  # those who deliver have something to do
        return count

    async def cancel(self, chosen: Chosen) -> int:
        """Let go of deliveries that wait; returns how many."""
        work = partial(redelivery.to_cancel, chosen=chosen)
        return await self.parts_done(chosen, work, redelivery.cancel)

    async def parts_done(
        self,
        chosen: Chosen,
        find: Callable[[sqlite3.Connection], list[Delivery]],
        do: Callable[..., int],
    ) -> int:
        configured = {each.name for each in self.config.channels}

        def found(connection: sqlite3.Connection) -> list[Delivery]:
            redelivery.require_channel(connection, chosen.channel, configured)
            return find(connection)

        count = 0
        for some in redelivery.parts(await self.written(found)):
            count += await self.written(partial(do, some=some, now_ms=now_ms()))
        return count

    async def test(self, channel: str) -> Tried:
        """Send a sample through a channel, once."""
        chosen = channel_named(self.config.channels, channel)
        if self.is_closed:
            raise Stopped(ENDS)
        if len(self.testing) >= TESTS_AT_ONCE:
            raise TooMany(f"{TESTS_AT_ONCE} samples are on their way already: try again in a minute")
        task = asyncio.create_task(try_out(chosen, self.messages, self.tools))
        self.testing.add(task)
        task.add_done_callback(self.testing.discard)
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()  # whoever asked may have left
        return came_of(task)

    async def written(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        return await self.desk.do(lambda writer: writer.within(work))

    def source(self, name: str) -> Source:
        """Raises UnknownName."""
        found = self.config.source(name)
        if found is None:
            raise UnknownName(f"there is no source '{shown(name)}'")
        return found


def came_of(task: "asyncio.Task[Result]") -> Result:
    """The result of a task that ended. Raises Stopped where it was cancelled, and what it raised."""
    if task.cancelled():
        raise Stopped(ENDS)
    return task.result()
