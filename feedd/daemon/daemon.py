"""`feedd run`: one process that looks at sources when they are due and serves what it has."""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack
from importlib import import_module
from itertools import count

import uvloop

from feedd import allocation, shapes, threads
from feedd.cautions import at_start
from feedd.config.difference import Difference
from feedd.config.settings import Config
from feedd.config.sources import Source
from feedd.daemon import control
from feedd.daemon.attending import Attendant
from feedd.daemon.generation import Generation, generation
from feedd.daemon.reloading import Reloading
from feedd.daemon.supervision import Supervision
from feedd.daemon.tasks import Tasks
from feedd.errors import ConfigError, Stopped, StoreError, StoreReplaced, UsageError
from feedd.keeping import kept
from feedd.looks import Progress, Request, now_ms
from feedd.pipeline import CLUSTER, looker
from feedd.publish.cache import feeds_of
from feedd.schedule import Ticker
from feedd.service.activation import inherited, is_at
from feedd.service.notify import Notifier, taken
from feedd.service.patience import asking_for_patience
from feedd.store.desk import Desk
from feedd.store.lock import Lock
from feedd.store.pruning import Pruner
from feedd.store.reader import Reader
from feedd.web.counting import Meter
from feedd.web.events import Events
from feedd.web.health import Health
from feedd.web.server import Front, bind, server
from feedd.wiring import prepare, wanted

TICK_S = 1.0
HANDOVER_S = 30.0  # that a reload waits for messages that are on their way
PRUNE_AFTER_S = 2.0  # of the start, if it was not done for a day …
PRUNE_CHECK_S = 600.0  # … and how often it is asked whether a day has gone by
SETTLING = 60  # seconds from the start in which much comes to stay
TRIM_S = 30.0  # between two times that freed memory goes back to the system …
TRIMS = 120  # … of so many once all is searched for garbage: what a reload left may be among it
ASIDE = 3  # threads for what is short, seldom, and may not hold up the event loop
SWITCH_INTERVAL_S = 0.001  # a request waits for the interpreter no longer than this while files go in
log = logging.getLogger(__name__)


def run(config: Config, announce: Callable[[str], None]) -> None:
    """Run until SIGINT or SIGTERM. Raises AlreadyRunning, ListenError, StoreError, also where the database is taken away."""
    environment = taken(os.environ)
    # a reload that is asked for before feedd serves waits until it does; one that comes at the end is too late
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    lock = Lock(config.store.path)
    try:
        with ExitStack() as stack:
            notifier = Notifier(environment)
            stack.callback(notifier.close)
            handed_over = inherited(environment, os.getpid())
            if handed_over and not any(is_at(each, config.server.listen) for each in handed_over):
                log.warning(
                    "sockets were handed over, none of them at server.listen: that is not listened at"
                )
            listening = handed_over or [bind(config.server.listen)]
            for each in listening:
                stack.enter_context(each)
            for caution in at_start(config):
                log.warning("%s", caution)
            with asking_for_patience(notifier):  # the schema of a large database may have to be changed
                desk = stack.enter_context(Desk(config.store.path))
                prepare(desk, config)
            if config.cluster is not None:
                import_module(CLUSTER)
            sys.setswitchinterval(SWITCH_INTERVAL_S)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(Daemon(config, desk, notifier).serve(listening, announce))
    finally:
        lock.release()


async def tidy_often() -> None:
    """At first, Python else searches all for garbage whenever a quarter was added, and holds up everybody for 60 ms.

    Later, what comes to stay would be kept from being searched when it dies: 2 MB a day.
    """
    for _ in range(SETTLING):
        await asyncio.sleep(1)
        allocation.settle()
    for number in count(1):
        await asyncio.sleep(TRIM_S)
        if number % TRIMS == 0:
            allocation.settle_anew()
        await asyncio.to_thread(allocation.trim)


class Daemon:
    """Everything that goes on while feedd runs. What follows from its configuration is a Generation."""

    def __init__(self, config: Config, desk: Desk, notifier: Notifier) -> None:
        self.desk = desk
        self.reader = Reader(config.store.path)
        self.attendant = Attendant(config, desk)
        self.health = Health(desk)
        self.meter = Meter(())
        self.front = Front()
        self.tasks = Tasks()
        self.events: Events
        self.ended = asyncio.Event()
        self.lost: StoreReplaced | None = None  # why it ended, where nobody asked for that
        self.living: dict[Generation, AsyncExitStack] = {}  # the one in force is the last
        self.handing_over: asyncio.Task[None] | None = None
        self.reloading = Reloading(config, desk, notifier, self.switch)
        self.supervision = Supervision(notifier, self.health, self.attendant, self.reader, self.reloading)

    @property
    def config(self) -> Config:
        return self.attendant.config

    async def serve(self, listening: Sequence[socket.socket], announce: Callable[[str], None]) -> None:
        loop, ended = asyncio.get_running_loop(), self.ended
        loop.set_default_executor(ThreadPoolExecutor(ASIDE, "aside"))
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, ended.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: self.tasks.start(self.reloading.asked_by_signal()))
        await self.reloading.turn.acquire()  # a reload begins when what is here has begun
        web, ticker = server(self.front), Ticker(self.tick, TICK_S)
        requests = await control.listen(self.config.store.path, self.answer)
        serving = None
        try:
            feeds = feeds_of(self.config, self.reader)
            self.events = Events(feeds, self.config, self.desk.bell)
            self.serve_with(await self.enter(self.config))
            allocation.settle()  # routes and schemas are there, and nobody waits yet
            serving = asyncio.create_task(web.serve(sockets=list(listening)))
            async with looker(
                self.config, self.desk, self.attendant.stop, hears_pushes=True
            ) as self.attendant.looker:
                announce(f"feedd serves {self.config.server.public_url} (Ctrl-C ends it)")
                await self.attendant.begin()
                self.health.scheduled()
                next(iter(self.living)).start(self.desk)  # kept by no name: a reload lets it go
                self.reloading.turn.release()
                signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
                running = self.supervision.run(), self.reloading.follow_files()
                for work in (self.prune_daily(), tidy_often(), *running):
                    self.tasks.start(work)
                ticker.start()
                ending = asyncio.create_task(ended.wait())
                await asyncio.wait({serving, ending}, return_when=asyncio.FIRST_COMPLETED)
                ending.cancel()
                await self.end()
        finally:
            self.attendant.stop.set()
            ticker.stop()
            requests.close()
            control.socket_path(self.config.store.path).unlink(missing_ok=True)
            await self.reloading.end()
            await self.tasks.end()
            web.should_exit = True
            if serving is not None:
                self.events.close()
                await serving
            for each in list(self.living):
                await self.leave(each)
            await threads.close()  # and their connections
            self.reader.close()
        if self.lost is not None:
            raise self.lost

    async def end(self) -> None:
        """Let what goes on come to its end, and begin nothing more."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
        self.supervision.stopping()
        self.events.close()
        await self.reloading.end()
        await asyncio.gather(self.tasks.end(), self.attendant.end(), *(each.end() for each in self.living))

    async def enter(self, config: Config) -> Generation:
        stack = AsyncExitStack()
        feeds = await asyncio.to_thread(feeds_of, config, self.reader)
        made = await stack.enter_async_context(
            generation(config, self.desk, feeds, self.attendant, self.events, self.health, self.meter)
        )
        self.living[made] = stack
        return made

    async def leave(self, old: Generation) -> None:
        await self.living.pop(old).aclose()

    def serve_with(self, new: Generation) -> None:
        """Requests that come are answered by it; those under way, and streams, lose nothing."""
        self.meter.serve(new.feeds.plans, new.config.private_feeds)
        self.events.adopt(new.feeds, new.config)
        self.front.application = new.application

    async def switch(self, config: Config, changes: Difference) -> None:
        """Go on with another configuration. Raises StoreError: then nothing has changed."""
        if self.handing_over is not None:
            await asyncio.wait({self.handing_over})
        added, changed, removed = changes.sources
        old, new = next(reversed(self.living)), await self.enter(config)
        try:
            async with self.attendant.resting(changed | removed):
                await asyncio.to_thread(prepare, self.desk, config)
                self.attendant.adopt(config)
        except BaseException:
            await self.leave(new)
            raise
        self.serve_with(new)
        self.handing_over = self.tasks.start(self.hand_over(old, new))
        try:
            await self.attendant.take_up(added | changed)
        except StoreError as error:
            log.error("what came is looked at all at once: %s", error)  # noqa: TRY400 (words are enough)

    async def hand_over(self, old: Generation, new: Generation) -> None:
        """Nothing is told twice, so the new one begins to tell when the old one has ended."""
        try:
            try:
                await old.wind_down(HANDOVER_S)
            finally:
                await self.leave(old)
        except Exception:  # whoever is to be told is told all the same
            log.exception("a bug in feedd")
        new.start(self.desk)

    async def tick(self) -> None:
        """Start a look at every source whose time has come, and tell what was held back until now."""
        self.health.tick()
        try:
            await self.desk.do(lambda writer: writer.release(now_ms()))
            await self.attendant.tick()
        except StoreReplaced as error:  # what is written from here on nobody would see
            self.lost = error
            self.ended.set()
        except StoreError as error:
            log.error("what is due can't be read: %s", error)  # noqa: TRY400 (words are enough)

    async def prune_daily(self) -> None:
        """Once a day let go of what the sources do not keep: in a thread, the writing in small steps of the writer's."""
        wait_s = PRUNE_AFTER_S
        pruner = Pruner(self.desk, self.config.store.path, self.attendant.stop, owns_lock=True)
        while True:
            await asyncio.sleep(wait_s)
            wait_s = PRUNE_CHECK_S
            keeps = kept(self.config.sources)
            if not keeps:
                continue
            try:
                report = await asyncio.to_thread(pruner.run_if_due, keeps, now_ms())
            except StoreError as error:
                log.error("pruning failed and is tried again in 10 minutes: %s", error)  # noqa: TRY400 (words are enough)
                continue
            for gone in report.sources if report is not None else ():
                if gone.versions or gone.kept_because:
                    log.info("%s: %s", gone.name, gone.words)

    async def answer(
        self, message: control.Message, send: Callable[[control.Message], None]
    ) -> control.Message:
        """Do what another feedd process asks for. Raises Stopped: whoever asked for looks does them itself."""
        try:
            match message["command"]:
                case "reload":
                    return await self.reloaded()
                case "update":
                    return await self.update(message, send)
                case other:
                    return {
                        "error": f"this feedd knows no command {other!r}; it may be an older one: restart it"
                    }
        except ConfigError as error:
            return {"error": str(error), "mistakes": list(error.mistakes)}
        except (UsageError, StoreError, KeyError, TypeError) as error:
            return {"error": str(error)}

    async def reloaded(self) -> control.Message:
        try:
            return {"done": await self.reloading.reload()}
        except Stopped as error:
            return {"error": str(error)}

    async def update(
        self, message: control.Message, send: Callable[[control.Message], None]
    ) -> control.Message:
        loop = asyncio.get_running_loop()
        names = list(message["sources"])
        request = Request(accept_removals=bool(message["accept_removals"]), asked=bool(names))
        due = await loop.run_in_executor(None, wanted, self.config, self.desk, names)

        def progress_of(source: Source) -> Progress:
            def progress(done: int, total: int) -> None:
                loop.call_soon_threadsafe(send, {"source": source.name, "done": done, "total": total})

            return progress

        looked = await asyncio.gather(
            *(self.attendant.looked_at(each.name, request, progress_of(each)) for each in due.sources)
        )
        return shapes.update([*looked, *due.later])
