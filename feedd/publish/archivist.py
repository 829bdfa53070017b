"""The archives follow the change log, seconds behind: choosing here, writing in small steps of the desk's."""

import asyncio
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from feedd.errors import StoreError
from feedd.looks import now_ms
from feedd.publish.archive import chosen_by, is_archived, rules_of
from feedd.publish.cache import Feeds
from feedd.publish.changes import Log
from feedd.publish.plan import Plan
from feedd.store import archives
from feedd.store.archives import Progress
from feedd.store.database import translated
from feedd.store.desk import Desk

AT_ONCE = 500  # changes, of one feed
LISTEN_S = 5.0
PAUSE_S = 0.5  # between two rounds
REST = 0.25  # times as long as a step took is rested after it
FAR = 10_000  # changes of other feeds, after which it is noted that they were passed over
log = logging.getLogger(__name__)


class Archivist:
    """Keeps the archives of all feeds. `run` for a daemon, `catch_up` for commands that hold the lock."""

    def __init__(self, desk: Desk, feeds: Feeds) -> None:
        self.desk = desk
        self.feeds = feeds
        self.passed: dict[str, Progress] = {}  # up to where there was nothing for a feed

    async def run(self) -> None:
        """Follow until cancelled. A store that can't be written is tried again; anything else is a bug."""
        stop = threading.Event()
        with self.desk.bell.heard_by() as rung, ThreadPoolExecutor(1, "archives") as thread:
            try:
                await self.watch(rung, stop, thread)
            finally:
                stop.set()  # the step that is under way is the last one
                thread.submit(self.feeds.reader.close)

    async def watch(self, rung: asyncio.Event, stop: threading.Event, thread: ThreadPoolExecutor) -> None:
        complained, loop = False, asyncio.get_running_loop()
        while True:
            rung.clear()
            try:
                await loop.run_in_executor(thread, self.catch_up, stop)
                complained = False
            except StoreError as error:
                if not complained:
                    log.error("the archives of feeds can't follow: %s", error)  # noqa: TRY400 (words are enough)
                complained = True
            await asyncio.sleep(PAUSE_S)
            with suppress(TimeoutError):
                await asyncio.wait_for(rung.wait(), LISTEN_S)

    def catch_up(self, stop: threading.Event | None = None) -> None:
        """Follow up to now. Raises StoreError."""
        stop = stop or threading.Event()
        for plan in self.feeds.plans.values():
            while is_archived(plan) and not stop.is_set():
                began = time.monotonic()
                if self.step(plan):
                    break
                stop.wait((time.monotonic() - began) * REST)

    def step(self, plan: Plan) -> bool:
        """Follow a part of the log for a feed; whether nothing is left to be followed."""
        reader, at = self.feeds.reader, self.begun(plan)
        seen = self.passed.get(plan.name, at)
        if (seen.rules, seen.items) != (at.rules, at.items):
            seen = at
        source_ids = None if plan.sources is None else reader.source_ids(plan.sources)
        with translated(reader.path):
            more = archives.further(reader.connection, seen, source_ids, AT_ONCE)
        if (more.change_id, more.revision_id) == (seen.change_id, seen.revision_id):
            return True
        shown = more._replace(items=chosen_by(self.reading, plan, more.items))
        self.passed[plan.name] = at._replace(change_id=more.change_id, revision_id=more.revision_id)
        if shown.items or more.change_id - at.change_id > FAR:
            work = partial(
                archives.grow, feed=plan.name, at=at, more=shown, source_ids=source_ids, now_ms=now_ms()
            )
            if self.desk.run(lambda writer: writer.within(work)):
                self.passed.pop(plan.name, None)
        return False

    @property
    def reading(self) -> Log:
        feeds = self.feeds
        return Log(feeds.reader, feeds.differences, feeds.base_url, feeds.priorities)

    def begun(self, plan: Plan) -> Progress:
        """How far the feed's archive is; one of other rules is made anew."""
        reader, rules = self.feeds.reader, rules_of(plan)
        with translated(reader.path):
            at = archives.progress(reader.connection, plan.name)
        if at is not None and at.rules == rules:
            return at
        while self.desk.run(lambda writer: writer.within(partial(archives.empty, feed=plan.name))):
            pass
        self.desk.run(lambda writer: writer.within(partial(archives.begin, feed=plan.name, rules=rules)))
        return Progress(rules)
