"""Looking at the sources of the configuration that is in force: when they are due, when their files change, when asked."""

import asyncio
import logging
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection
from collections.abc import Set as AbstractSet
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from functools import partial
from typing import NamedTuple

from feedd.config.settings import Config
from feedd.config.sources import DirectorySource, FeedSource, GitSource, Source
from feedd.daemon.tasks import Tasks
from feedd.daemon.watching import Meant, watched
from feedd.errors import Stopped, StoreError, UnknownName
from feedd.fetch.freshness import spread
from feedd.looks import WHOLE, Looked, Progress, Request, is_folder, now_ms
from feedd.model import COUNTS, Tally
from feedd.pipeline import Looker
from feedd.store import pausing
from feedd.store.desk import Desk
from feedd.websub.incoming import Pushed

LOOK_AGAIN_S = 2.0
WATCH_RETRY_S = 2.0
MANY_EVENTS = 500  # above, listing the folder costs less than asking for each file
STARTS_AT_ONCE = 256  # a tick; what is due besides waits for the next one
NEW_APART_MS = 100  # between the first looks at sources that nobody looked at yet
LATE_APART_MS = 5_000  # between the first looks, after a start, at sources whose time went by meanwhile …
LATE_PART = 4  # … within a quarter of their interval
log = logging.getLogger(__name__)


class UnderWay(NamedTuple):
    """A look that goes on."""

    task: "asyncio.Task[Looked]"
    cut: threading.Event  # set: nobody wants it any more


def in_words(tally: Tally) -> str:
    return ", ".join(f"{getattr(tally, name):,} {name}" for name in COUNTS if getattr(tally, name))


class Attendant:
    """Belongs to the process that holds the lock, and to one event loop."""

    def __init__(self, config: Config, desk: Desk) -> None:
        self.config = config
        self.desk = desk
        self.stop = threading.Event()
        self.looker: Looker | None = None  # while feedd serves
        self.tasks = Tasks()
        self.busy: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)  # by source
        self.under_way: dict[str, UnderWay] = {}
        self.at_rest: Collection[str] = ()  # sources that are not to be looked at just now
        self.watches: dict[str, asyncio.Task[None]] = {}
        self.again: dict[str, set[str]] = {}  # by source: the files of the one look that is to follow soon
        self.resting_until: dict[
            str, float
        ] = {}  # by source: what the store could not be told, by the loop's clock
        self.last: str | None = None  # what was found last, in words

    def adopt(self, config: Config) -> None:
        """Go on with another configuration. No look at a source that differs may be under way."""
        self.config = config
        self.resting_until.clear()
        if self.looker is not None:
            self.looker.adopt(config)

    async def begin(self) -> None:
        await self.take_up(self.config.by_name.keys())

    async def take_up(self, names: Collection[str]) -> None:
        """Look at folders at once, and at what else is due one after the other. Raises StoreError."""
        chosen = [source for source in self.config.sources if source.name in names and not source.paused]
        for source in chosen:
            if isinstance(source, DirectorySource):
                self.watch_or_look(source)
        checks, now = await self.desk.do(lambda writer: writer.next_checks()), now_ms()
        waiting = [
            source
            for source in chosen
            if not (is_folder(source) or checks[source.name].paused)
            and (checks[source.name].at_ms or 0) <= now
        ]
        new = [source for source in waiting if checks[source.name].last_ms is None]
        late = [source for source in waiting if checks[source.name].last_ms is not None]
        dues = [(source.name, now + place * NEW_APART_MS) for place, source in enumerate(new)]
        for place, source in enumerate(late):
            apart_ms = spread(place, len(late), source.timing.every_ms // LATE_PART)
            dues.append((source.name, now + min(place * LATE_APART_MS, apart_ms)))
        await self.desk.do(lambda writer: writer.spread(dues))

    def watch_or_look(self, source: DirectorySource) -> None:
        if not source.watch:
            self.tasks.start(self.look(source.name))
        elif (task := self.tasks.start(self.watch(source))) is not None:
            self.watches[source.name] = task

    @asynccontextmanager
    async def resting(self, names: AbstractSet[str]) -> AsyncIterator[None]:
        """Within, no look at these sources is under way, and none begins; what is cut off begins anew afterwards.

        Their folders are watched on if what is done within fails.
        """
        self.at_rest = names
        for name in names:
            self.cut(name)
        try:
            async with AsyncExitStack() as held:
                # all at once: what waits for its turn already finds that the source rests, and lines up anew
                await asyncio.gather(*(held.enter_async_context(self.busy[name]) for name in names))
                yield
                for name in names & self.watches.keys():
                    self.watches.pop(name).cancel()
        finally:
            self.at_rest = ()
        for name in names - self.config.by_name.keys():
            if not self.busy[name].locked():
                del self.busy[name]

    def cut(self, name: str) -> None:
        """What is read from files ends with its batch, all else at once."""
        found = self.under_way.get(name)
        if found is None:
            return
        found.cut.set()
        if not isinstance(self.config.source(name), DirectorySource | GitSource):
            found.task.cancel()

    async def end(self) -> None:
        """Stop what is going on, whoever asked for it; files that are being read are the last of it."""
        self.stop.set()
        for name in self.under_way:
            self.cut(name)
        await self.tasks.end()

    async def tick(self) -> None:
        """Start a look at every source whose time has come. Raises StoreError."""
        now, limit = now_ms(), STARTS_AT_ONCE + len(self.tasks.running) + len(self.resting_until)
        for name in await self.desk.do(lambda writer: writer.due(now, limit)):
            source = self.config.source(name)
            if source is not None and not source.paused and self.may_begin(name):
                self.tasks.start(self.look(name))

    def may_begin(self, name: str) -> bool:
        """Whether no look is under way, and none that the store knows nothing of says to wait: servers are spared by that."""
        now_s = asyncio.get_running_loop().time()
        return not self.busy[name].locked() and self.resting_until.get(name, now_s) <= now_s

    async def look(self, name: str, request: Request = WHOLE) -> None:
        """A look that nobody asked for: there is none while a person keeps the source paused."""
        try:
            is_paused = await self.desk.do(lambda writer: pausing.is_paused(writer.connection, name))
        except StoreError as error:
            log.error("%s: whether it is paused can't be read: %s", name, error)  # noqa: TRY400 (words are enough)
            return
        if not is_paused:
            await self.looked_at(name, request)

    async def look_asked_for(self, source: Source, *, begun: Callable[[], None]) -> Looked:
        """Raises Stopped before feedd serves, too; UnknownName if the source leaves the configuration meanwhile."""
        return await self.looked_at(source.name, Request(asked=True), begun=begun)

    async def look_again(self, name: str) -> None:
        """A file that was being written, or is too fresh for its stamp to be trusted, is looked at once more."""
        await asyncio.sleep(LOOK_AGAIN_S)
        await self.look(name, Request(tuple(sorted(self.again.pop(name)))))

    def source(self, name: str) -> Source:
        found = self.config.source(name)
        if found is None:
            raise UnknownName(f"the source '{name}' was taken out of the configuration")
        return found

    async def looked_at(
        self,
        name: str,
        request: Request,
        progress: Progress | None = None,
        begun: Callable[[], None] = lambda: None,
    ) -> Looked:
        """Raises Stopped, UnknownName."""
        looked = None
        while looked is None:
            async with self.busy[name]:
                source = self.source(name)
                begun()
                looked = await self.unless_cut(source, request, progress)
        self.note_rest(looked)
        if looked.tally.changed:
            self.last = f"{name}: {in_words(looked.tally)}"
            log.info("%s: %s", name, in_words(looked.tally))
        if looked.again:
            if name not in self.again:
                self.tasks.start(self.look_again(name))
            self.again.setdefault(name, set()).update(looked.again)
        return looked

    def note_rest(self, looked: Looked) -> None:
        self.resting_until.pop(looked.name, None)
        if looked.unwritten and looked.next_check_ms is not None:
            rest_s = (looked.next_check_ms - now_ms()) / 1000
            self.resting_until[looked.name] = asyncio.get_running_loop().time() + rest_s

    async def unless_cut(self, source: Source, request: Request, progress: Progress | None) -> Looked | None:
        """None: the configuration is about to be another one, so that it was cut off, or not begun."""
        if self.looker is None or self.stop.is_set():
            raise Stopped
        if source.name in self.at_rest:
            await asyncio.sleep(0)  # so that who has it rest is the next in line
            return None
        cut = threading.Event()
        task = asyncio.create_task(self.looker.look(source, request._replace(given_up=cut.is_set), progress))
        self.under_way[source.name] = UnderWay(task, cut)
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            self.cut(source.name)
            await asyncio.gather(task, return_exceptions=True)  # until then no other look at it may begin
            raise
        finally:
            del self.under_way[source.name]
        try:
            return task.result()
        except (asyncio.CancelledError, Stopped):
            if self.stop.is_set() or not cut.is_set():
                raise
            return None

    async def take(self, source: FeedSource, pushed: Pushed) -> Looked:
        """Record what a hub pushed. Raises StoreError, Stopped, UnknownName."""
        if self.looker is None:
            raise Stopped
        async with self.busy[source.name]:
            if self.source(source.name) != source:
                raise Stopped  # the hub sends it again, to the source as it is now
            looked = await self.looker.take(source, pushed)
        if looked.tally.changed:
            log.info("%s: pushed: %s", source.name, in_words(looked.tally))
        return looked

    async def watch(self, source: DirectorySource) -> None:
        """Look at what file-system events name. Where there are none to be had, the schedule stays."""
        complained = False
        while not self.stop.is_set():
            try:
                async with aclosing(watched(source)) as events:
                    async for said in events:
                        await self.follow(source, said)
                complained = False
            except Stopped:
                return
            except Exception as error:  # noqa: BLE001 (a name that is no text ends watchfiles with errors of its own)
                if not complained:
                    log.warning("%s: can't be watched, the schedule stays: %s", source.name, error)
                    await self.look(source.name)
                complained = True
            await asyncio.sleep(WATCH_RETRY_S)

    async def follow(self, source: DirectorySource, said: Meant | None) -> None:
        if said is None:
            self.tasks.start(
                self.look(source.name)
            )  # it begins when the events are waited for: none is missed
        elif len(said.files) > MANY_EVENTS or said.unsure or await self.held_below(source.name, said.gone):
            await self.look(source.name)
        elif said.files:
            await self.look(source.name, Request(said.files))

    async def held_below(self, name: str, gone: tuple[str, ...]) -> bool:
        """Whether any of what went was a folder with files of the source."""
        if not gone:
            return False
        ask = partial(self.desk.run, lambda writer: any(writer.holds_below(name, each) for each in gone))
        return await asyncio.get_running_loop().run_in_executor(None, ask)
