"""Verification of intent: the hub asks a callback whether it meant what was asked in its name (WebSub section 5.3).

offer ─► waiting, by topic and callback ─► running, 16 at once ─► kept or ended, or nothing
"""

import asyncio
import hmac
import logging
import secrets
from collections import Counter, OrderedDict, deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from feedd.errors import FetchError, StoreError
from feedd.fetch.client import Fetcher
from feedd.fetch.values import Access, Ask
from feedd.websub.requests import Refusal, Wanted, with_query
from feedd.websub.topics import Topic

AT_ONCE = 16
STRANGERS_AT_ONCE = 12  # of them: what is no renewal
PER_HOST = 2  # of either, at one callback host
MOST_WAITING = 256  # strangers
MOST_OF_ONE = 16  # of them under way, that one address asked for …
MOST_OF_PROXIES = 128  # … and those behind which many may be
A_MINUTE = 10  # verifications that one callback host is asked for, whoever wants them
A_MINUTE_OF_ONE = 60  # requests that one address makes …
A_MINUTE_OF_PROXIES = 600  # … and those behind which many may be
RENEWALS_A_MINUTE = 5  # of one subscription
BUSY_S = 30
TIMEOUT_S = 10.0
MOST_BYTES = 4_096
CHALLENGE_BYTES = 32
Key = tuple[str, str]  # topic and callback
log = logging.getLogger(__name__)


class Request(NamedTuple):
    """What is to be verified."""

    wanted: Wanted
    topic: Topic
    lease_s: int  # that is granted
    told: int  # the newest change when it was asked for
    known: bool = False  # there is such a subscription: it is renewed, or ended
    requester: str | None = None  # the address that asked; None: many may be behind it

    @property
    def key(self) -> Key:
        return self.topic.url, self.wanted.callback.url


class Allowance:
    """How often each may be asked, or ask, in a minute. Of one event loop."""

    def __init__(self, a_minute: int = A_MINUTE) -> None:
        self.a_minute = a_minute
        self.asked = OrderedDict[str, deque[float]]()  # by host: when; the one asked last at the end

    def wait_s(self, host: str, now_s: float) -> float:
        """How long to wait before the host may be asked; 0: it may, and is noted as asked now."""
        while self.asked and next(iter(self.asked.values()))[-1] <= now_s - 60:
            self.asked.popitem(last=False)
        times = self.asked.get(host, deque())
        while times and times[0] <= now_s - 60:
            times.popleft()
        if len(times) >= self.a_minute:
            return times[0] + 60 - now_s
        times.append(now_s)
        self.asked[host] = times
        self.asked.move_to_end(host)
        return 0.0


class Verifier:
    """Verifies requests after they were answered. Of one event loop.

    `confirmed` does what was verified, and may raise StoreError.
    """

    def __init__(
        self, fetcher: Fetcher, access: Access, confirmed: Callable[[Request], Awaitable[None]]
    ) -> None:
        self.fetcher = fetcher
        self.access = access._replace(
            timeout_s=TIMEOUT_S, max_bytes=MOST_BYTES, max_redirects=0, host_interval_s=0.0
        )
        self.confirmed = confirmed
        self.allowance = Allowance()
        self.asking = Allowance(A_MINUTE_OF_ONE)
        self.proxies = Allowance(A_MINUTE_OF_PROXIES)
        self.renewing = Allowance(RENEWALS_A_MINUTE)
        self.waiting: OrderedDict[Key, Request] = OrderedDict()
        self.running: dict[Key, asyncio.Task[None]] = {}
        self.begun: dict[Key, Request] = {}  # what runs
        self.stopped = False

    @property
    def size(self) -> int:
        """How many requests are under way."""
        return len(self.waiting) + len(self.running)

    def knows(self, key: Key) -> bool:
        """Whether such a request is under way."""
        return key in self.waiting or key in self.running

    def offer(self, request: Request) -> Refusal | None:
        """Take a request; it replaces one of the same topic and callback that still waits."""
        now_s = asyncio.get_running_loop().time()
        refusal = self.too_often(request, now_s) if request.known else self.too_many(request, now_s)
        if refusal is not None:
            return refusal
        self.waiting[request.key] = request
        self.start()
        return None

    def too_often(self, request: Request, now_s: float) -> Refusal | None:
        """A subscription is renewed whatever strangers ask for; but nobody pesters its callback in its name."""
        pause_s = self.renewing.wait_s("\n".join(request.key), now_s)
        words = f"At most {RENEWALS_A_MINUTE} requests a minute are verified for one subscription."
        return Refusal(429, words, int(pause_s) + 1) if pause_s else None

    def too_many(self, request: Request, now_s: float) -> Refusal | None:
        """What a stranger asks for is bounded: in all, by its address, and by the host that is to be asked."""
        requester, waiting = request.requester, list(self.waiting.values())
        if request.key not in self.waiting:
            most = MOST_OF_PROXIES if requester is None else MOST_OF_ONE
            under_way = [*waiting, *self.begun.values()]
            own = sum(each.requester == requester and not each.known for each in under_way)
            if own >= most or sum(not each.known for each in waiting) >= MOST_WAITING:
                return Refusal(503, "Too many requests wait for their verification.", BUSY_S)
        asking = self.proxies if requester is None else self.asking
        if pause_s := asking.wait_s(requester or "", now_s):
            return Refusal(429, f"At most {asking.a_minute} requests a minute are taken.", int(pause_s) + 1)
        if pause_s := self.allowance.wait_s(request.wanted.callback.host, now_s):
            words = f"At most {A_MINUTE} requests a minute are verified at one host."
            return Refusal(429, words, int(pause_s) + 1)
        return None

    def start(self) -> None:
        """Begin what may begin, renewals first: what waits for its host holds up no other's."""
        hosts = Counter((each.known, each.wanted.callback.host) for each in self.begun.values())
        for key, request in sorted(self.waiting.items(), key=lambda pair: not pair[1].known):
            strangers = sum(not each.known for each in self.begun.values())
            if len(self.running) >= AT_ONCE or self.stopped:
                return
            place = request.known, request.wanted.callback.host
            is_room = request.known or strangers < STRANGERS_AT_ONCE
            if is_room and key not in self.running and hosts[place] < PER_HOST:
                hosts[place] += 1
                del self.waiting[key]
                self.begun[key] = request
                task = self.running[key] = asyncio.create_task(self.verify(request))
                task.add_done_callback(lambda done, key=key: self.finished(key, done))  # type: ignore[misc]

    def finished(self, key: Key, task: asyncio.Task[None]) -> None:
        self.running.pop(key, None)
        self.begun.pop(key, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a bug in feedd: %s", error, exc_info=error)
        self.start()

    async def verify(self, request: Request) -> None:
        if not await self.agrees(request):
            return
        try:
            await self.confirmed(request)
        except StoreError as error:
            log.error("a subscription to %s can't be stored: %s", request.topic.feed, error)  # noqa: TRY400 (words are enough)

    async def agrees(self, request: Request) -> bool:
        wanted, challenge = request.wanted, secrets.token_urlsafe(CHALLENGE_BYTES)
        asked = {"hub.mode": wanted.mode, "hub.topic": wanted.topic, "hub.challenge": challenge}
        if wanted.mode == "subscribe":
            asked["hub.lease_seconds"] = str(request.lease_s)
        host, feed = wanted.callback.host, request.topic.feed
        try:
            answer = await self.fetcher.fetch(Ask(with_query(wanted.callback.url, asked), self.access))
        except FetchError as error:
            log.info("the wish of %s to %s to %s was not verified: %s", host, wanted.mode, feed, error)
            return False
        if 200 <= answer.status < 300 and hmac.compare_digest(answer.body, challenge.encode()):
            return True
        log.info("the wish of %s to %s to %s was not confirmed by it", host, wanted.mode, feed)
        return False

    async def stop(self) -> None:
        """End what is under way: whoever asked asks again."""
        self.stopped = True
        self.waiting.clear()
        tasks = list(self.running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
