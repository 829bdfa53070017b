"""feedd as the hub of its own feeds (W3C WebSub): who subscribed is told of what is new.

ask ─► verifier ─► subscribers in the store ─► rounds, at each ring of the bell ─► pings
"""

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from sqlite3 import Connection
from typing import Any, TypeVar

from feedd.config.settings import Config
from feedd.errors import FetchError, StoreError
from feedd.fetch.client import Fetcher
from feedd.fetch.freshness import retry_after_ms
from feedd.fetch.values import Access, Answer, Ask, Post
from feedd.looks import now_ms
from feedd.notify.pace import GIVE_UP_MS, retry_ms
from feedd.publish.cache import Feeds
from feedd.publish.news import MOST_BYTES
from feedd.publish.plan import own_hub
from feedd.store import subscribers
from feedd.store.bell import Bell
from feedd.store.database import translated
from feedd.store.desk import Desk
from feedd.store.log import newest_id
from feedd.store.reader import Reader
from feedd.store.subscribers import Confirmed, Subscriber, Taken, most_of_host
from feedd.threads import QUICK
from feedd.websub.pings import SOONEST_MS, Ping, Press, Round, Under, gather
from feedd.websub.requests import Refusal, granted_s, host_of, is_private, parse, with_query
from feedd.websub.topics import Topics
from feedd.websub.verify import Key, Request, Verifier

GATHER_S = 0.5
FREED_S = 0.02
PING_S = 15.0
GRACE_S = 2.0  # at the end, for what is being sent
FULL_S = 3_600
RECOVER_S = 5.0  # after the store could not be used
BUG_S = 60.0
DENIAL_BYTES = 4_096
GONE = 410
TOO_LARGE = 413
Result = TypeVar("Result")
log = logging.getLogger(__name__)


class Hub:
    """Takes subscriptions, and sends what is new. Of one event loop; `run` once.

    `clock`: milliseconds since the epoch; what is recorded within `gather_s` goes together.
    """

    def __init__(
        self,
        config: Config,
        desk: Desk,
        reader: Reader,
        feeds: Feeds,
        fetcher: Fetcher,
        bell: Bell,
        user_agent: str,
        clock: Callable[[], int] = now_ms,
        gather_s: float = GATHER_S,
    ) -> None:
        self.settings = config.websub
        self.desk, self.reader, self.fetcher, self.bell = desk, reader, fetcher, bell
        self.clock, self.gather_s = clock, gather_s
        self.access = Access(
            user_agent=user_agent,
            timeout_s=PING_S,
            max_redirects=0,
            allow_private=config.websub.allow_private,
        )
        public = [name for name in feeds.plans if not config.is_private(name)] if own_hub(config) else ()
        self.topics = Topics(config.server.public_url, public)
        self.verifier = Verifier(fetcher, self.access, self.confirmed)
        self.press = Press(feeds)
        self.pinging: dict[str, asyncio.Task[None]] = {}  # by callback
        self.looked: dict[int, int] = {}  # by subscriber: the change up to which there was nothing to tell
        self.seconds: dict[str, float] = {}  # by callback: how long it took to answer last
        self.others = set[asyncio.Task[None]]()
        self.cleared = False  # subscriptions to feeds that are no longer there
        self.wake = asyncio.Event()
        self.freed = False  # a ping has ended: others may have waited for its place

    async def ask(self, body: bytes, requester: str | None = None) -> Refusal | None:
        """Take a request, the body of a POST; None: it is being verified. Raises StoreError.

        `requester`: the address it comes from; None: many may be behind it.
        """
        wanted = parse(body)
        if isinstance(wanted, Refusal):
            return wanted
        topic = self.topics.find(wanted.topic)
        if topic is None:
            return Refusal(
                404, "hub.topic is no feed of this hub; it is one of the addresses in /feeds.opml."
            )
        if is_private(wanted.callback) and not self.settings.allow_private:
            return Refusal(403, "hub.callback is no address of the public internet.")
        key = topic.url, wanted.callback.url
        known, taken, newest = await QUICK.run(self.state, key, wanted.callback.host)
        if not (known or self.verifier.knows(key)):
            if wanted.mode == "unsubscribe":
                return None  # there is nothing to end, and nobody to be asked
            if taken.is_full(self.settings.max_subscriptions):
                return self.full(taken)
        lease_s = granted_s(wanted.lease_s, self.settings.lease, self.settings.max_lease)
        return self.verifier.offer(Request(wanted, topic, lease_s, newest, known, requester))

    def full(self, taken: Taken) -> Refusal:
        most = self.settings.max_subscriptions
        if taken.in_all >= most:
            return Refusal(503, "This hub has as many subscriptions as it takes.", FULL_S)
        return Refusal(503, f"One host has {most_of_host(most)} subscriptions here at most.", FULL_S)

    def state(self, key: Key, host: str) -> tuple[bool, Taken, int]:
        """Whether there is such a subscription, how many there are, and the newest change."""
        connection = self.reader.connection
        with translated(self.reader.path):
            known = subscribers.is_known(connection, *key)
            return known, subscribers.taken(connection, host), newest_id(connection)

    async def confirmed(self, request: Request) -> None:
        """Do what a callback confirmed."""
        wanted, topic = request.wanted, request.topic
        if wanted.mode == "unsubscribe":
            await self.write(lambda connection: subscribers.remove(connection, *request.key))
            log.info("%s does not follow %s any more", wanted.callback.host, topic.feed)
            return
        now = self.clock()
        callback, lease_until_ms = wanted.callback.url, now + request.lease_s * 1000
        host = wanted.callback.host
        new = Confirmed(*topic, callback, host, wanted.secret, lease_until_ms, request.told)
        most = self.settings.max_subscriptions
        if await self.write(lambda connection: subscribers.confirm(connection, new, most, now)):
            log.info("%s follows %s", host, topic.feed)
            self.wake.set()
        else:
            log.warning("%s can't follow %s: there is no room for it", host, topic.feed)

    async def run(self) -> None:
        """Send what is new, until it is cancelled."""
        reading = ThreadPoolExecutor(1, thread_name_prefix="hub")
        pause_s = 0.0
        try:
            with self.bell.heard_by() as self.wake:
                self.wake.set()  # there may be what an earlier process did not send
                while True:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(pause_s):
                            await self.wake.wait()
                    await asyncio.sleep(FREED_S if self.freed else self.gather_s)
                    self.wake.clear()
                    self.freed = False
                    pause_s = await self.looked_after(reading)
        finally:
            await self.verifier.stop()
            if self.pinging:  # what arrives and is not noted is sent again
                await asyncio.wait(self.pinging.values(), timeout=GRACE_S)
            tasks = [*self.pinging.values(), *self.others]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            reading.submit(self.reader.close)
            await asyncio.get_running_loop().run_in_executor(None, reading.shutdown)

    async def looked_after(self, reading: ThreadPoolExecutor) -> float:
        """A round; returns how many seconds later the next one is, if the bell does not ring before."""
        try:
            if not self.cleared:
                await self.clear()
            return await self.round(reading)
        except StoreError as error:
            log.error("feeds are not pushed for now: %s", error)  # noqa: TRY400 (words are enough)
            return RECOVER_S
        except Exception:  # a document that can't be written keeps nobody else waiting for ever
            log.exception("a bug in feedd: feeds are not pushed for a minute")
            return BUG_S

    async def clear(self) -> None:
        """End subscriptions to feeds that are no longer configured, and say so (section 5.2)."""
        ended = await self.write(lambda connection: subscribers.keep_only(connection, self.topics.by_url))
        self.cleared = True
        if ended:
            log.info("%d subscriptions ended: their feeds are not pushed any more", len(ended))
            self.spawn(self.deny(ended))

    async def deny(self, ended: Sequence[Subscriber]) -> None:
        """Nobody is asked twice: whoever does not hear it notices when the lease is over."""
        access = self.access._replace(host_interval_s=0.0, max_bytes=DENIAL_BYTES)
        for each in ended:
            said = {
                "hub.mode": "denied",
                "hub.topic": each.topic,
                "hub.reason": "The feed is not here any more.",
            }
            with suppress(FetchError):
                await self.fetcher.fetch(Ask(with_query(each.callback, said), access, cut=True))

    async def round(self, reading: ThreadPoolExecutor) -> float:
        """Begin to send what is new, as far as there is room."""
        now, loop = self.clock(), asyncio.get_running_loop()
        under = Under(frozenset(self.pinging), dict(self.seconds), dict(self.looked))
        found = await loop.run_in_executor(reading, gather, self.press, under, now)
        await self.note(found, now)
        for callback, pings in found.pings.items():
            task = asyncio.create_task(self.send(pings))
            self.pinging[callback] = task
            task.add_done_callback(lambda done, callback=callback: self.sent(callback, done))  # type: ignore[misc]
        return min(max(found.next_ms - self.clock(), 0), SOONEST_MS) / 1000

    async def note(self, found: Round, now: int) -> None:
        """Keep in mind what was found, and what of it must be known after a restart, too."""
        if found.expired:
            for each in await self.write(lambda connection: subscribers.expire(connection, now)):
                log.info("the subscription of %s to %s ran out", host_of(each.callback), each.feed)
                self.looked.pop(each.id, None)
        for each in found.spoilt:
            await self.failed(each, "the document can't be written", None)
        self.looked |= dict.fromkeys(found.idle, found.newest)
        if found.behind:
            await self.write(lambda connection: subscribers.pass_over(connection, found.behind, found.newest))
            for subscriber_id in found.behind:
                self.looked.pop(subscriber_id, None)

    def sent(self, callback: str, task: asyncio.Task[None]) -> None:
        """A callback is free again."""
        self.pinging.pop(callback, None)
        self.freed = True
        if not task.cancelled() and (error := task.exception()) is not None:
            if isinstance(error, StoreError):
                log.error("what was pushed can't be noted: %s", error)
            else:
                log.error("a bug in feedd: %s", error, exc_info=error)
        self.wake.set()

    async def send(self, pings: Sequence[Ping]) -> None:
        """What one callback is told, one after the other. Raises StoreError."""
        for ping in pings:
            each = ping.subscriber
            try:
                answer = await self.timed(Post(each.callback, ping.body, ping.headers, self.access))
            except FetchError as error:
                await self.failed(each, str(error), None)
                continue
            if 200 <= answer.status < 300:
                await self.told(ping)
            elif answer.status == GONE:
                await self.end(each, "its callback is gone")
            elif answer.status == TOO_LARGE:
                await self.lessened(ping)
            else:
                after_ms = retry_after_ms(answer.headers, self.clock())
                await self.failed(each, f"it answered {answer.status}", after_ms)

    async def timed(self, post: Post) -> Answer:
        """Send it, and keep in mind how long that took. Raises FetchError."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        try:
            return await self.fetcher.post(post)
        finally:
            if len(self.seconds) > 2 * self.settings.max_subscriptions:  # of those that are gone, too
                self.seconds.clear()
            self.seconds[post.url] = loop.time() - began_s

    async def told(self, ping: Ping) -> None:
        await self.write(
            partial(subscribers.told, subscriber=ping.subscriber, change_id=ping.told, at_ms=ping.at_ms)
        )

    async def lessened(self, ping: Ping) -> None:
        """It says that this was too much at once: half as much is sent, and what can't be less is let go."""
        each, size = ping.subscriber, len(ping.body)
        if ping.items <= 1:
            words = "%s does not take the newest of %s, which has %d bytes: it is passed over"
            log.warning(words, host_of(each.callback), each.feed, size)
            await self.told(ping)
            return
        most_bytes = min(each.most_bytes or MOST_BYTES, size) // 2
        log.info("%s does not take %d bytes of %s at once", host_of(each.callback), size, each.feed)
        await self.write(lambda connection: subscribers.shorten(connection, each, most_bytes))

    async def failed(self, each: Subscriber, why: str, after_ms: int | None) -> None:
        """Try again later, or never."""
        now = self.clock()
        if each.failing_since_ms is not None and now - each.failing_since_ms > GIVE_UP_MS:
            await self.end(each, f"it was told nothing for three days: {why}")
            return
        if not each.attempts:
            log.info("%s can't be told of %s and is tried again: %s", host_of(each.callback), each.feed, why)
        due_ms = now + retry_ms(each.attempts + 1, random.random())  # noqa: S311 (no secret)
        due_ms = max(due_ms, after_ms or 0)
        await self.write(lambda connection: subscribers.failed(connection, each.id, due_ms, why, now))

    async def end(self, each: Subscriber, why: str) -> None:
        await self.write(lambda connection: subscribers.end(connection, each))
        self.looked.pop(each.id, None)
        log.info("the subscription of %s to %s ended: %s", host_of(each.callback), each.feed, why)

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        """In one transaction of the writer's. Raises StoreError."""
        return await self.desk.do(lambda writer: writer.within(work))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self.others.add(task)
        task.add_done_callback(self.others.discard)
