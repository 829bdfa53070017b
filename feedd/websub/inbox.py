"""What hubs send to our callbacks: questions whether we meant it, and pushes (W3C WebSub, sections 5 to 8).

`web.push` speaks HTTP for it.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from feedd.answers import hash_of
from feedd.config.settings import Config
from feedd.config.sources import FeedSource
from feedd.errors import Stopped, StoreError
from feedd.looks import Looked, now_ms
from feedd.publish.times import rfc3339
from feedd.store import pushes
from feedd.store import subscriptions as rows
from feedd.store.desk import Desk
from feedd.store.subscriptions import Subscription
from feedd.websub.incoming import DAY_MS, Pushed, host_of, intent_of, is_signed, told

DENIED_FOR_MS = 7 * DAY_MS  # until the hub is asked again
WAITING = 4  # pushes of one source that are being taken in, or wait for that …
WAITING_IN_ALL = 16  # … and of all
PATIENCE_S = 8.0  # that a hub waits for a push to be recorded
IGNORED_EVERY_S = 3_600.0  # a line about pushes that are ignored, for a source
log = logging.getLogger(__name__)

Take = Callable[[FeedSource, Pushed], Awaitable[Looked]]


class Reply(NamedTuple):
    """What a hub is answered."""

    status: int
    text: str = ""
    retry_after_s: int | None = None
    ends: bool = False  # the connection, too


NOT_THERE = Reply(404, "There is no such subscription.")
LATER = Reply(503, "It could not be taken in; send it again.", 60)


class Callback(NamedTuple):
    """A subscription that a hub may push to."""

    row: Subscription
    source: FeedSource


class Crowded(Exception):
    """Too many pushes wait already."""


class Inbox:
    """Belongs to the process that holds the lock, and to one event loop.

    `take` records what was pushed, while no look at its source is under way.
    """

    def __init__(
        self,
        config: Config,
        desk: Desk,
        take: Take,
        *,
        clock: Callable[[], int] = now_ms,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.config = config
        self.desk = desk
        self.take = take
        self.clock = clock
        self.patience_s = patience_s
        self.waiting = Counter[str]()  # pushes, by source
        self.turns: dict[str, asyncio.Lock] = {}
        self.taking: set[asyncio.Task[Looked]] = set()
        self.ignored = Counter[str]()  # pushes, by source, since a line in the log told of them
        self.ignored_told: dict[str, float] = {}

    async def close(self) -> None:
        """Let go of pushes that are being taken in: their hubs were not told that they are."""
        for task in self.taking:
            task.cancel()
        await asyncio.gather(*self.taking, return_exceptions=True)

    async def verify(self, token: str, query: Mapping[str, str]) -> Reply:
        """Answer a hub that asks whether we meant it, or says that it won't (sections 5.2 and 5.3)."""
        row, intent = await self.desk.do(lambda writer: rows.by_token(writer, token)), intent_of(query)
        if row is None or intent is None or intent.topic != row.topic:
            return NOT_THERE
        now, is_ending = self.clock(), row.state == "ending"
        match intent.mode:
            case "subscribe" if not is_ending and row.asked_ms is not None and row.state != "denied":
                until_ms = now + intent.lease_ms
                await self.desk.do(lambda writer: rows.confirm(writer, row.id, now, until_ms))
                log.info("%s: %s pushes it until %s", row.source, host_of(row.hub), rfc3339(until_ms))
                return Reply(200, intent.challenge)
            case "unsubscribe" if is_ending:
                await self.desk.do(lambda writer: rows.forget(writer, row.id))
                return Reply(200, intent.challenge)
            case "denied" if not is_ending:
                why = told(intent.reason, row.token, row.secret) or "it does not say why"
                words = f"the hub at {host_of(row.hub)} denied the subscription: {why}"
                log.warning("%s: %s", row.source, words)
                await self.desk.do(
                    lambda writer: rows.stop(writer, row.id, "denied", words, now + DENIED_FOR_MS, now)
                )
                return Reply(200)
            case _:
                return NOT_THERE

    async def callback(self, token: str) -> Callback | None:
        """Who may push there; None: nobody. Raises StoreError."""
        row = await self.desk.do(lambda writer: rows.by_token(writer, token))
        if row is None or row.asked_ms is None or row.state in {"ending", "denied"} or row.paused_by:
            return None
        source = self.config.source(row.source)
        is_wanted = isinstance(source, FeedSource) and not source.paused and self.config.websub.subscribe
        return Callback(row, source) if is_wanted and isinstance(source, FeedSource) else None

    @contextmanager
    def room(self, callback: Callback) -> Iterator[None]:
        """A place for a push that is being received. Raises Crowded."""
        name = callback.row.source
        if self.waiting[name] >= WAITING or self.waiting.total() >= WAITING_IN_ALL:
            raise Crowded
        self.waiting[name] += 1
        try:
            yield
        finally:
            self.waiting[name] -= 1

    async def receive(self, callback: Callback, signature: str | None, pushed: Pushed) -> Reply:
        """Take in what was pushed; it is answered well when it is recorded (section 7).

        What is not signed as it should be is ignored, and the hub is not told so (section 8).
        """
        row = callback.row
        if not await asyncio.to_thread(is_signed, signature, row.secret, pushed.body):
            self.ignore(row)
            return Reply(202)
        task = asyncio.create_task(self.taken(callback, pushed))
        self.taking.add(task)
        task.add_done_callback(self.finished)
        try:
            async with asyncio.timeout(self.patience_s):
                looked = await asyncio.shield(task)
        except (TimeoutError, StoreError, Stopped):
            return LATER
        except asyncio.CancelledError:
            if task.cancelled():  # feedd ends
                return LATER
            raise
        except Exception:
            log.exception("%s: a bug in feedd: what its hub pushed could not be taken in", row.source)
            return Reply(500, "It could not be taken in.")
        if looked.error is not None:
            await self.complain(row, f"what the hub pushed is polled in its place: {looked.error}")
        return Reply(202)

    async def taken(self, callback: Callback, pushed: Pushed) -> Looked:
        """One push of a source at a time; what was taken before is not looked at again."""
        row, body = callback.row, hash_of(pushed.body).hex()
        with self.counted(row.source):
            async with self.turns.setdefault(row.source, asyncio.Lock()):
                now = self.clock()
                if await self.desk.do(lambda writer: pushes.is_repeat(writer, row, body, now)):
                    return Looked(row.source, "unchanged")
                return await self.take(callback.source, pushed)

    @contextmanager
    def counted(self, name: str) -> Iterator[None]:
        """It counts as waiting, too, when its hub waits no longer."""
        self.waiting[name] += 1
        try:
            yield
        finally:
            self.waiting[name] -= 1

    def finished(self, task: "asyncio.Task[Looked]") -> None:
        self.taking.discard(task)
        if not task.cancelled():
            task.exception()  # nobody may be left to hear of it

    async def too_large(self, callback: Callback) -> None:
        """A push was refused since it is larger than the source may be: a poll says why, if that is so."""
        row, now = callback.row, self.clock()
        because = "the hub pushed more than max_bytes"
        await self.desk.do(lambda writer: rows.poll_soon(writer, row.source_id, because, now))
        await self.complain(row, f"{because}; the source is polled in its place")

    async def complain(self, row: Subscription, words: str) -> None:
        log.warning("%s: %s", row.source, words)
        await self.desk.do(lambda writer: rows.note(writer, row.id, words))

    def ignore(self, row: Subscription) -> None:
        """Count a push that nobody vouches for; a line an hour tells of them."""
        self.ignored[row.source] += 1
        now_s = time.monotonic()
        if now_s - self.ignored_told.get(row.source, -IGNORED_EVERY_S) < IGNORED_EVERY_S:
            return
        count = self.ignored.pop(row.source)
        self.ignored_told[row.source] = now_s
        pushes = "a push" if count == 1 else f"{count:,} pushes"
        log.warning("%s: %s without the right signature came in and did nothing", row.source, pushes)
