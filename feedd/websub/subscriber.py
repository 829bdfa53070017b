"""feedd as a subscriber of its feed sources, where a hub pushes what they have (W3C WebSub).

    document names a hub ─► wanted ─► asked ─► hub verifies ─► active ─► renewed … ─► ending
                                                                  └─► pushes ─► take ─► change log

What hubs send comes in by `inbox`; all that is known of a subscription is in the store.
"""

import asyncio
import logging
import random
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import assert_never
from urllib.parse import urlencode
from weakref import WeakValueDictionary

from feedd.config.settings import Config
from feedd.config.sources import FeedSource
from feedd.errors import FetchError, StoreError
from feedd.fetch import address
from feedd.fetch.client import Fetcher
from feedd.fetch.freshness import retry_after_ms, spread
from feedd.fetch.values import Access, Answer, Post
from feedd.looks import now_ms
from feedd.publish.times import rfc3339
from feedd.store import subscriptions as rows
from feedd.store.bell import Bell
from feedd.store.desk import Desk
from feedd.store.subscriptions import Subscription
from feedd.websub.duties import FAREWELLS, Duty, Wish, callbacks_at, duty_of, missing, next_hub
from feedd.websub.incoming import DAY_MS, HOUR_MS, LEASE_MS, host_of, pause_ms, told

ROUND_S = 30.0  # between two looks at what is due, unless the change log grows …
SHORTEST_ROUND_S = 1.0  # … and even then
HUBS_AT_ONCE = 8
PER_HOST = 2  # of them, at one host
POLLS_APART_MS = 5_000  # between the looks that make up, after a start, for pushes that were missed …
POLLS_PART = 4  # … within a quarter of the source's interval
ANSWER_BYTES = 64_000  # of a hub's answer
MOST_REDIRECTS = 3
FOLLOWED = frozenset({HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT})
log = logging.getLogger(__name__)


class Subscriber:
    """Asks hubs. Belongs to the process that holds the lock, and to one event loop."""

    def __init__(
        self,
        config: Config,
        desk: Desk,
        fetcher: Fetcher,
        user_agent: str,
        bell: Bell,
        *,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self.config = config
        self.desk = desk
        self.fetcher = fetcher
        self.user_agent = user_agent
        self.bell = bell
        self.clock = clock
        self.at_once = asyncio.Semaphore(HUBS_AT_ONCE)
        self.hosts = WeakValueDictionary[str, asyncio.Semaphore]()  # places at each
        self.working: dict[int, asyncio.Task[None]] = {}  # by subscription: one thing at a time

    async def run(self) -> None:
        """Keep subscriptions as the configuration and the documents want them, until it is cancelled."""
        try:
            with self.bell.heard_by() as rung:
                started = False
                while True:
                    started = await self.round(first=not started) or started
                    await asyncio.sleep(SHORTEST_ROUND_S)
                    with suppress(TimeoutError):
                        async with asyncio.timeout(ROUND_S):
                            await rung.wait()
                    rung.clear()
        finally:
            tasks = list(self.working.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def round(self, *, first: bool) -> bool:
        """Do what is due; whether that went well."""
        try:
            if first:
                await self.caught_up()
            await self.tend()
        except StoreError as error:
            log.error("subscriptions at hubs can't be seen to for now: %s", error)  # noqa: TRY400 (words are enough)
        except Exception:
            log.exception("a bug in feedd: subscriptions at hubs can't be seen to")
        else:
            return True
        return False

    async def caught_up(self) -> None:
        """See to it that sources are looked at whose pushes were missed, one after the other. Raises StoreError."""
        now = self.clock()
        names = await self.desk.do(lambda writer: rows.catch_up(writer, now))
        dues = list[tuple[str, int]]()
        for place, name in enumerate(names):
            source = self.config.source(name)
            if source is not None:
                apart_ms = spread(place, len(names), source.timing.every_ms // POLLS_PART)
                dues.append((name, now + min(place * POLLS_APART_MS, apart_ms)))
        await self.desk.do(lambda writer: writer.spread(dues))

    async def tend(self) -> None:
        """One round: begin what is due; hubs that are slow hold up no others. Raises StoreError."""
        now = self.clock()
        wishes, held = await self.wishes(), await self.desk.do(rows.every)
        for row in held:  # first, so that what takes its place can come
            if duty_of(row, wishes.get(row.source_id), now) is Duty.END:
                await self.end(row, now)
        held = await self.desk.do(rows.every)
        for row in held:
            wish = wishes.get(row.source_id)
            if wish is not None and duty_of(row, wish, now) is Duty.TURN:
                await self.turn(row, wish, now)
        for wish in missing(wishes, await self.desk.do(rows.every)):
            await self.begin(wish, next_hub(wish), now)
        for row in await self.desk.do(rows.every):
            duty = duty_of(row, wishes.get(row.source_id), now)
            if duty is not None and row.id not in self.working:
                task = self.working[row.id] = asyncio.create_task(self.do(row, duty, now))
                task.add_done_callback(lambda done, number=row.id: self.done(number, done))  # type: ignore[misc]

    def done(self, number: int, task: asyncio.Task[None]) -> None:
        del self.working[number]
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, StoreError):
            log.error("subscriptions at hubs can't be seen to for now: %s", error)
        else:
            log.error("a bug in feedd: subscriptions at hubs can't be seen to", exc_info=error)

    async def turn(self, row: Subscription, wish: Wish, now: int) -> None:
        """Try another of the hubs that the source names."""
        hub = next_hub(wish, row.hub)
        log.warning(
            "%s: its hub at %s fails for a day; %s is tried", row.source, host_of(row.hub), host_of(hub)
        )
        await self.stop(row, "ending", None, now)
        await self.begin(wish, hub, now)

    async def begin(self, wish: Wish, hub: str, now: int) -> None:
        token, secret = secrets.token_urlsafe(32), secrets.token_hex(32)
        callback = f"{wish.base}{token}"
        await self.desk.do(lambda writer: rows.add(writer, wish.offer, hub, callback, token, secret, now))

    async def wishes(self) -> dict[int, Wish]:
        """The subscriptions that there should be, by source."""
        if not self.config.websub.subscribe:
            return {}
        found = {}
        for offer in await self.desk.do(rows.offers):
            source = self.config.source(offer.name)
            if isinstance(source, FeedSource) and not source.paused:
                base = callbacks_at(self.config.server, source)
                if base is not None:
                    found[offer.source_id] = Wish(offer, base)
        return found

    async def do(self, row: Subscription, duty: Duty, now: int) -> None:
        match duty:
            case Duty.SUBSCRIBE:
                async with self.place_at(row.hub):
                    await self.subscribe(row)
            case Duty.GIVE_UP:
                await self.failed(
                    row, row.asked_ms or 0, "the hub did not verify the subscription within a day"
                )
            case Duty.LAPSE:
                words = "the subscription ran out before the hub renewed it"
                await self.stop(row, "wanted", words, now)
            case Duty.UNSUBSCRIBE:
                async with self.place_at(row.hub):
                    await self.unsubscribe(row)
            case Duty.FORGET:
                await self.desk.do(lambda writer: rows.forget(writer, row.id))
            case Duty.END | Duty.TURN:  # it has come to that since: the next round does it
                return
            case _:
                assert_never(duty)

    @asynccontextmanager
    async def place_at(self, hub: str) -> AsyncIterator[None]:
        """A place among those who ask hubs; what waits for its own hub takes none from others."""
        host = self.hosts.setdefault(host_of(hub), asyncio.Semaphore(PER_HOST))
        async with host, self.at_once:
            yield

    async def end(self, row: Subscription, now: int) -> None:
        log.info("%s: it is no longer to be pushed by %s", row.source, host_of(row.hub))
        await self.stop(row, "ending", None, now)

    async def stop(self, row: Subscription, state: str, error: str | None, again_ms: int) -> None:
        now = self.clock()
        await self.desk.do(lambda writer: rows.stop(writer, row.id, state, error, again_ms, now))

    async def subscribe(self, row: Subscription) -> None:
        """Ask for it, or for a further lease (section 5.1)."""
        asked_ms = self.clock()
        patience_ms = HOUR_MS if row.state == "active" else DAY_MS
        if not await self.desk.do(lambda writer: rows.ask(writer, row.id, asked_ms, asked_ms + patience_ms)):
            return
        form = {
            "hub.mode": "subscribe",
            "hub.topic": row.topic,
            "hub.callback": row.callback,
            "hub.secret": row.secret,
            "hub.lease_seconds": str(LEASE_MS // 1000),
        }
        try:
            answer = await self.post(row, form)
        except FetchError as error:
            await self.failed(row, asked_ms, f"the hub could not be asked: {error}")
            return
        if not 200 <= answer.status < 300:
            said = told(answer.body.decode("utf-8", "replace"), row.token, row.secret)
            words = f"the hub at {host_of(row.hub)} answered {answer.status}" + (f": {said}" if said else "")
            await self.failed(row, asked_ms, words, retry_after_ms(answer.headers, asked_ms))

    async def failed(
        self, row: Subscription, asked_ms: int, words: str, not_before_ms: int | None = None
    ) -> None:
        again_ms = self.clock() + pause_ms(row.attempts + 1, random.random())  # noqa: S311 (no secret)
        again_ms = max(again_ms, not_before_ms or 0)
        log.warning("%s: %s; the next try is at %s", row.source, words, rfc3339(again_ms))
        await self.desk.do(lambda writer: rows.refused(writer, row.id, asked_ms, words, again_ms))

    async def unsubscribe(self, row: Subscription) -> None:
        form = {"hub.mode": "unsubscribe", "hub.topic": row.topic, "hub.callback": row.callback}
        attempts, again_ms = row.attempts + 1, self.clock() + pause_ms(row.attempts + 1, 0)
        try:
            answer = await self.post(row, form)
        except FetchError as error:
            log.info("%s: its hub could not be told that we go: %s", row.source, error)
        else:
            if 200 <= answer.status < 300:
                attempts = FAREWELLS
        await self.desk.do(lambda writer: rows.farewell(writer, row.id, attempts, again_ms))

    async def post(self, row: Subscription, form: Mapping[str, str]) -> Answer:
        """Ask a hub; it may send us on by 307 or 308 (section 5.1). Raises FetchError."""
        url, access = row.hub, self.access(row.source)
        headers = (("Content-Type", "application/x-www-form-urlencoded"),)
        for _ in range(MOST_REDIRECTS):
            answer = await self.fetcher.post(Post(url, urlencode(form).encode(), headers, access))
            location = answer.headers.get("location")
            if answer.status not in FOLLOWED or not location:
                return answer
            url = address.follow(address.read(url)[0], location).url
        raise FetchError(f"{host_of(row.hub)} redirects on and on")

    def access(self, name: str) -> Access:
        """How a source's server is spoken to, without what only that server may know."""
        source = self.config.source(name)
        if isinstance(source, FeedSource):
            access = source.access(self.config.fetch, self.user_agent)
            return access._replace(headers=(), cookies=(), auth=None, max_bytes=ANSWER_BYTES)
        fetch = self.config.fetch
        return Access(
            proxy=fetch.proxy.reveal() if fetch.proxy else None,
            user_agent=self.user_agent,
            timeout_s=fetch.timeout / 1000,
            connect_timeout_s=fetch.connect_timeout / 1000,
            max_bytes=ANSWER_BYTES,
            allow_private=fetch.allow_private,
        )
