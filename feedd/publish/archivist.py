"""The archives follow the change log, seconds behind: choosing here, writing in small steps of the desk's."""

import asyncio
import threading
import time
from collections.abc import Mapping
from functools import partial

from feedd.looks import now_ms
from feedd.publish.archive import chosen_by, is_archived, rules_of
from feedd.publish.cache import Feeds
from feedd.publish.changes import Log
from feedd.publish.plan import Plan
from feedd.store import archives
from feedd.store.archives import Progress
from feedd.store.database import one_view, translated
from feedd.store.desk import Desk
from feedd.store.marks import Mark, newest
from feedd.store.pursuit import Follower, follow

AT_ONCE = 500  # changes, of one feed
PAUSE_S = 0.5  # between two rounds
REST = 0.25  # times as long as a step took is rested after it
FAR = 10_000  # changes, or versions, of other feeds, after which it is noted that they were passed over


class Archivist:
    """Keeps the archives of all feeds. `run` for a daemon, `catch_up` for commands that hold the lock."""

    def __init__(self, desk: Desk, feeds: Feeds) -> None:
        self.desk = desk
        self.feeds = feeds
        self.passed: dict[str, Progress] = {}  # up to where there was nothing for a feed
        self.followed: Mark | None = None  # by all archives; None: not yet
        self.noted = Mark()  # up to where the store knows that of all of them
        self.plans = {name: plan for name, plan in feeds.plans.items() if is_archived(plan)}
        self.of_many = [plan for plan in self.plans.values() if plan.sources != (plan.name,)]

    async def run(self) -> None:
        """Follow until cancelled."""
        follower = Follower(
            "archives", "the archives of feeds", self.follow, self.feeds.reader.close, pause_s=PAUSE_S
        )
        await follow(self.desk.bell, follower)

    def follow(self, stop: threading.Event, _: asyncio.Event) -> None:
        self.catch_up(stop)

    def catch_up(self, stop: threading.Event | None = None) -> None:
        """Follow up to now. Raises StoreError."""
        stop = stop or threading.Event()
        with translated(self.feeds.reader.path):
            end = newest(self.feeds.reader.connection)
        if end == self.followed:
            return
        for plan in self.behind(end):
            while not stop.is_set():
                began = time.monotonic()
                if self.step(plan):
                    break
                stop.wait((time.monotonic() - began) * REST)
        if not stop.is_set():
            self.followed = end
            if is_far(self.noted, end):
                self.note(end)

    def behind(self, end: Mark) -> list[Plan]:
        """The feeds to which something may have come: those of sources that brought something, and those of many.

        At first also those whose archives stand so far behind that they were not followed, or are new.
        """
        left, at = list[Plan](), self.followed
        with translated(self.feeds.reader.path):
            if at is None:
                left, at = self.left_behind(archives.positions(self.feeds.reader.connection), end)
                self.noted = at
            names = archives.sources_since(self.feeds.reader.connection, at)
        left += [self.plans[name] for name in names if name in self.plans]
        left += [each for each in self.of_many if each.sources is None or not names.isdisjoint(each.sources)]
        return list({plan.name: plan for plan in left}.values())

    def left_behind(self, known: Mapping[str, Progress], end: Mark) -> tuple[list[Plan], Mark]:
        """The feeds whose archives are not near the end; and up to where all others were followed."""
        left, change_id, revision_id = list[Plan](), end.change_id, end.revision_id
        for name, plan in self.plans.items():
            at = known.get(name)
            if at is None or at.rules != rules_of(plan) or is_far(mark_of(at), end):
                left.append(plan)
            else:
                change_id, revision_id = min(change_id, at.change_id), min(revision_id, at.revision_id)
        return left, Mark(change_id, revision_id)

    def note(self, end: Mark) -> None:
        """So that the next start has little to go through: most feeds had nothing to archive for long."""
        work = partial(archives.note_followed, feeds=self.plans.keys(), end=end)
        self.desk.run(lambda writer: writer.within(work))
        self.noted = end
        self.passed.clear()

    def step(self, plan: Plan) -> bool:
        """Follow a part of the log for a feed; whether nothing is left to be followed."""
        reader, at = self.feeds.reader, self.begun(plan)
        seen = self.passed.get(plan.name, at)
        if (seen.rules, seen.items) != (at.rules, at.items):
            seen = at
        source_ids = None if plan.sources is None else reader.source_ids(plan.sources)
        with translated(reader.path), one_view(reader.connection):
            more = archives.further(reader.connection, seen, source_ids, AT_ONCE)
        if (more.change_id, more.revision_id) == (seen.change_id, seen.revision_id):
            return True
        shown = more._replace(items=chosen_by(self.reading, plan, more.items))
        self.passed[plan.name] = at._replace(change_id=more.change_id, revision_id=more.revision_id)
        if shown.items or more.change_id - at.change_id > FAR:
            work = partial(
                archives.grow, feed=plan.name, at=at, more=shown, source_ids=source_ids, now_ms=now_ms()
            )
            if not self.desk.run(lambda writer: writer.within(work)):
                return False
            self.passed.pop(plan.name, None)
        return len(more.items) < AT_ONCE

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
        while at is not None and self.desk.run(
            lambda writer: writer.within(partial(archives.empty, feed=plan.name))
        ):
            pass
        self.desk.run(lambda writer: writer.within(partial(archives.begin, feed=plan.name, rules=rules)))
        return Progress(rules)


def mark_of(at: Progress) -> Mark:
    return Mark(at.change_id, at.revision_id)


def is_far(at: Mark, end: Mark) -> bool:
    return end.change_id - at.change_id > FAR or end.revision_id - at.revision_id > FAR
