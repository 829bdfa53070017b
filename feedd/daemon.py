"""`feedd run`: one process that looks at sources when they are due and serves what it has."""

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import uvloop
from watchfiles import Change, awatch

from feedd import control, shapes
from feedd.config.settings import Config
from feedd.config.sources import DirectorySource, FeedSource, Source
from feedd.errors import Stopped, StoreError, UsageError
from feedd.fetch.freshness import spread
from feedd.keeping import kept
from feedd.looks import WHOLE, Looked, Progress, Request, is_folder, now_ms
from feedd.model import COUNTS, Tally
from feedd.operations import Operations
from feedd.pipeline import Looker, looker
from feedd.publish.archivist import Archivist
from feedd.schedule import Ticker
from feedd.search.indexer import Indexer
from feedd.serving import served
from feedd.sources import directory
from feedd.store import pausing
from feedd.store.desk import Desk
from feedd.store.lock import Lock
from feedd.store.pruning import Pruner
from feedd.store.reader import Reader
from feedd.telling import telling
from feedd.web.health import Health
from feedd.web.server import bind, server
from feedd.websub.incoming import Pushed
from feedd.wiring import feeds_of, prepare, wanted

TICK_S = 1.0
LOOK_AGAIN_S = 2.0
WATCH_RETRY_S = 2.0
WATCH_STEP_MS = 30
WATCH_DEBOUNCE_MS = 300
MANY_EVENTS = 500  # above, listing the folder costs less than asking for each file
STARTS_AT_ONCE = 64  # a tick; what is due besides waits for the next one
NEW_APART_MS = 100  # between the first looks at sources that nobody looked at yet
LATE_APART_MS = 5_000  # between the first looks, after a start, at sources whose time went by meanwhile …
LATE_PART = 4  # … within a quarter of their interval
PRUNE_AFTER_S = 2.0  # of the start, if it was not done for a day …
PRUNE_CHECK_S = 600.0  # … and how often it is asked whether a day has gone by
SWITCH_INTERVAL_S = 0.001  # a request waits for the interpreter no longer than this while files go in
log = logging.getLogger(__name__)


def run(config: Config, announce: Callable[[str], None]) -> None:
    """Run until SIGINT or SIGTERM. Raises AlreadyRunning, ListenError, StoreError."""
    lock = Lock(config.store.path)
    try:
        listening = bind(config.server.listen)
        with listening, Desk(config.store.path) as desk:
            prepare(desk, config)
            sys.setswitchinterval(SWITCH_INTERVAL_S)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(Daemon(config, desk).serve(listening, announce))
    finally:
        lock.release()


class Meant(NamedTuple):
    """What file-system events say of a source."""

    files: tuple[str, ...]  # to look at
    unsure: bool  # only listing the folder says what happened
    gone: tuple[str, ...]  # what went and is no article: it may have been a folder of some


def meant(changes: Iterable[tuple[Change, str]], root: Path, selection: directory.Selection) -> Meant:
    """What of the events concerns a source.

    A folder that came or went has no events for what it holds. What is no article, such as a database or
    an editor's swap file, is nothing to look for.
    """
    files, gone, unsure = set(), set(), False
    for change, path in changes:
        name = os.path.relpath(path, root)
        if any(part.startswith(".") for part in name.split("/")):
            continue
        if change is Change.deleted:
            unsure = unsure or name in selection
            gone.add(name)
        elif os.path.isdir(path):
            unsure = True
        elif name in selection:
            files.add(name)
    return Meant(tuple(sorted(files)), unsure, () if unsure else tuple(sorted(gone)))


def in_words(tally: Tally) -> str:
    return ", ".join(f"{getattr(tally, name):,} {name}" for name in COUNTS if getattr(tally, name))


class Daemon:
    """Everything that goes on while feedd runs."""

    def __init__(self, config: Config, desk: Desk) -> None:
        self.config = config
        self.desk = desk
        self.stop = threading.Event()
        self.looker: Looker | None = None  # while it serves
        self.busy = {source.name: asyncio.Lock() for source in config.sources}
        self.tasks: set[asyncio.Task[None]] = set()
        self.health = Health(desk)
        self.again: dict[str, set[str]] = {}  # by source: the files of the one look that is to follow soon

    async def serve(self, listening: socket.socket, announce: Callable[[str], None]) -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, ended.set)
        reader = Reader(self.config.store.path)
        feeds = feeds_of(self.config, reader)
        async with telling(self.config, self.desk, reader, feeds, self.take) as told:
            desk, office = self.desk, told.office
            operations = Operations(self.config, desk, self.look_asked_for, office.messages, office.tools)
            web = server(served(self.config, desk, feeds, told, operations, self.health))
            requests = await control.listen(self.config.store.path, self.answer)
            ticker = Ticker(self.tick, TICK_S)
            serving = asyncio.create_task(web.serve(sockets=[listening]))
            try:
                async with looker(self.config, self.desk, self.stop, hears_pushes=True) as self.looker:
                    announce(f"feedd serves {self.config.server.public_url} (Ctrl-C ends it)")
                    await self.begin()
                    self.health.scheduled()
                    self.start(self.prune_daily())
                    self.start(told.run())
                    self.start(Indexer(self.desk, reader, feeds.priorities).run())
                    self.start(Archivist(self.desk, feeds).run())
                    ticker.start()
                    ending = asyncio.create_task(ended.wait())
                    await asyncio.wait({serving, ending}, return_when=asyncio.FIRST_COMPLETED)
                    ending.cancel()
                    told.let_go()
                    await asyncio.gather(self.end(), operations.close())
            finally:
                self.stop.set()
                ticker.stop()
                requests.close()
                control.socket_path(self.config.store.path).unlink(missing_ok=True)
                await told.close()
                web.should_exit = True
                await serving
                reader.close()

    async def begin(self) -> None:
        """Look at folders at once, and at what else is due one after the other."""
        for source in self.config.sources:
            if isinstance(source, DirectorySource) and not source.paused:
                self.start(self.watch(source) if source.watch else self.look(source))
        checks, now = await self.desk.do(lambda writer: writer.next_checks()), now_ms()
        waiting = [
            source
            for source in self.config.sources
            if not (source.paused or is_folder(source) or checks[source.name].paused)
            and (checks[source.name].at_ms or 0) <= now
        ]
        new = [source for source in waiting if checks[source.name].last_ms is None]
        late = [source for source in waiting if checks[source.name].last_ms is not None]
        dues = [(source.name, now + place * NEW_APART_MS) for place, source in enumerate(new)]
        for place, source in enumerate(late):
            apart_ms = spread(place, len(late), source.timing.every_ms // LATE_PART)
            dues.append((source.name, now + min(place * LATE_APART_MS, apart_ms)))
        await self.desk.do(lambda writer: writer.spread(dues))

    async def end(self) -> None:
        """Stop what is going on; files that are being read are the last of it."""
        self.stop.set()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        if self.stop.is_set():  # a tick that was under way when the end came
            work.close()
            return
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.finished)

    def finished(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if (
            not task.cancelled()
            and (error := task.exception()) is not None
            and not isinstance(error, Stopped)
        ):
            log.error("a bug in feedd: %s", error, exc_info=error)

    async def tick(self) -> None:
        """Start a look at every source whose time has come, and tell what was held back until now."""
        self.health.tick()
        now, limit = now_ms(), STARTS_AT_ONCE + len(self.tasks)
        try:
            await self.desk.do(lambda writer: writer.release(now))
            due = await self.desk.do(lambda writer: writer.due(now, limit))
        except StoreError as error:
            log.error("what is due can't be read: %s", error)  # noqa: TRY400 (words are enough)
            return
        for name in due:
            source = self.config.source(name)
            if source is not None and not source.paused and not self.busy[name].locked():
                self.start(self.look(source))

    async def look(self, source: Source, request: Request = WHOLE) -> None:
        """A look that nobody asked for: there is none while a person keeps the source paused."""
        try:
            is_paused = await self.desk.do(lambda writer: pausing.is_paused(writer.connection, source.name))
        except StoreError as error:
            log.error("%s: whether it is paused can't be read: %s", source.name, error)  # noqa: TRY400 (words are enough)
            return
        if not is_paused:
            await self.looked_at(source, request)

    async def look_asked_for(self, source: Source, *, begun: Callable[[], None]) -> Looked:
        """Raises Stopped before feedd serves, too."""
        if self.looker is None:
            raise Stopped
        return await self.looked_at(source, Request(asked=True), begun=begun)

    async def look_again(self, source: Source) -> None:
        """A file that was being written, or is too fresh for its stamp to be trusted, is looked at once more."""
        await asyncio.sleep(LOOK_AGAIN_S)
        await self.look(source, Request(tuple(sorted(self.again.pop(source.name)))))

    async def looked_at(
        self,
        source: Source,
        request: Request,
        progress: Progress | None = None,
        begun: Callable[[], None] = lambda: None,
    ) -> Looked:
        assert self.looker is not None
        async with self.busy[source.name]:
            begun()
            looked = await self.looker.look(source, request, progress)
        if looked.tally.changed:
            log.info("%s: %s", source.name, in_words(looked.tally))
        if looked.again:
            if source.name not in self.again:
                self.start(self.look_again(source))
            self.again.setdefault(source.name, set()).update(looked.again)
        return looked

    async def take(self, source: FeedSource, pushed: Pushed) -> Looked:
        """Record what a hub pushed."""
        if self.looker is None:
            raise Stopped
        async with self.busy[source.name]:
            looked = await self.looker.take(source, pushed)
        if looked.tally.changed:
            log.info("%s: pushed: %s", source.name, in_words(looked.tally))
        return looked

    async def watch(self, source: DirectorySource) -> None:
        """Look at what file-system events name. Where there are none to be had, the schedule stays."""
        complained = False
        while not self.stop.is_set():
            try:
                await self.follow_events(source)
                complained = False
            except Stopped:
                return
            except Exception as error:  # noqa: BLE001 (a name that is no text ends watchfiles with errors of its own)
                if not complained:
                    log.warning("%s: can't be watched, the schedule stays: %s", source.name, error)
                    await self.look(source)
                complained = True
            await asyncio.sleep(WATCH_RETRY_S)

    async def follow_events(self, source: DirectorySource) -> None:
        """Look at all of the folder, then at what events name, until it goes away or is another one."""
        root = source.path.resolve(strict=True)
        identity = root.stat().st_ino
        selection = directory.Selection(source.include, source.exclude)
        events = awatch(root, watch_filter=None, step=WATCH_STEP_MS, debounce=WATCH_DEBOUNCE_MS)
        self.start(self.look(source))  # it begins when the loop below waits: then no event is missed
        async for changes in events:
            said = meant(changes, root, selection)
            if len(said.files) > MANY_EVENTS or said.unsure or await self.held_below(source, said.gone):
                await self.look(source)
            elif said.files:
                await self.look(source, Request(said.files))
            left = (Change.deleted, str(root)) in changes  # another may have its inode by now
            if left or not root.exists() or root.stat().st_ino != identity:
                return

    async def held_below(self, source: Source, gone: tuple[str, ...]) -> bool:
        """Whether any of what went was a folder with files of the source."""
        if not gone:
            return False
        ask = partial(
            self.desk.run, lambda writer: any(writer.holds_below(source.name, name) for name in gone)
        )
        return await asyncio.get_running_loop().run_in_executor(None, ask)

    async def prune_daily(self) -> None:
        """Once a day let go of what the sources do not keep: in a thread, the writing in small steps of the writer's."""
        keeps, wait_s = kept(self.config.sources), PRUNE_AFTER_S
        pruner = Pruner(self.desk, self.config.store.path, self.stop, owns_lock=True)
        while keeps:
            await asyncio.sleep(wait_s)
            wait_s = PRUNE_CHECK_S
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
        """Do a pass for another feedd process."""
        loop = asyncio.get_running_loop()
        try:
            names = list(message["sources"])
            request = Request(accept_removals=bool(message["accept_removals"]), asked=bool(names))
            due = await loop.run_in_executor(None, wanted, self.config, self.desk, names)
        except (UsageError, StoreError, KeyError, TypeError) as error:
            return {"error": str(error)}

        def progress_of(source: Source) -> Progress:
            def progress(done: int, total: int) -> None:
                loop.call_soon_threadsafe(send, {"source": source.name, "done": done, "total": total})

            return progress

        looked = await asyncio.gather(
            *(self.looked_at(source, request, progress_of(source)) for source in due.sources)
        )
        return shapes.update([*looked, *due.later])
