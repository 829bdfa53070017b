"""Fetching and reading on workers. The daemon says who asks which server, and when, so that all of them are polite together.

    Ask, Task ─► hop ─► the host's turn ─► a worker: request, read ─► Leg ─► next hop, or Reply

A worker that is lost, or whose answer nobody waits for any more, may still ask. Its host is left to it until it can't:
until it was told, until its order is over, or until it is known that the worker is gone.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from time import monotonic, time_ns
from typing import Any, NamedTuple

from feedd.cluster.files import SharedFolders
from feedd.cluster.link import Foreign, Link, Lost, is_gone
from feedd.cluster.members import Member, Members
from feedd.cluster.packing import Packed, pack, unpack
from feedd.cluster.values import BEGIN_S, QUEUE_S, Files, Leg, Order
from feedd.cluster.worker import Message
from feedd.config.cluster import Cluster
from feedd.engine import Alone, ReadsFiles
from feedd.errors import SourceError
from feedd.fetch.hops import SHARED, Hop
from feedd.fetch.values import Access, Answer, Ask
from feedd.limits import ADVICE
from feedd.reading import Found, Reply, Task
from feedd.sources.directory import Outcome
from feedd.sources.documents import Document
from feedd.troubles import OwnTrouble

TRIES = 2  # with workers, of one request
GRACE_S = 5.0  # for an answer to come back
SMALL = 100_000  # bytes: what is larger is unpickled beside the event loop
log = logging.getLogger(__name__)


class Room(NamedTuple):
    """What one machine has for requests."""

    concurrency: int  # requests at once that it sends itself
    spare: int  # files and connections that may be open besides


class Spread:
    """An Engine: workers do it, and this machine where there are none. `close` it at the end."""

    def __init__(self, wish: Cluster, link: Link, members: Members, alone: Alone, room: Room) -> None:
        self.wish = wish
        self.link = link
        self.members = members
        self.alone = alone
        self.manners = alone.fetcher.manners
        self.room = room
        self.numbers = count(time_ns())  # an order of an earlier run has another one
        self.tidying: set[asyncio.Task[None]] = set()
        self.files: ReadsFiles | None = SharedFolders(self.read_batch, lambda: members.count).mapped

    def allow(self, concurrency: int) -> None:
        self.room = self.room._replace(concurrency=concurrency)
        self.adjust()

    def adjust(self) -> None:
        """As many requests at once as workers take, if files and connections suffice."""
        wanted, (concurrency, spare) = self.members.count * self.wish.per_worker, self.room
        if wanted > max(concurrency, spare):
            log.warning(
                "workers of the cluster take %d requests at once, and there are connections for %d: %s",
                wanted, max(concurrency, spare), ADVICE,
            )  # fmt: skip
        self.manners.allow(max(concurrency, min(wanted, spare)))

    async def read(self, ask: Ask, task: Task[Found]) -> Reply[Found]:
        await self.members.asked.wait()
        # one at a time, so that no two workers are at one host
        single = ask._replace(access=ask.access._replace(per_host=1))
        way = await self.alone.fetcher.follow(single, partial(self.receive, task))
        if way.last.reply is not None:
            return way.last.reply._replace(url=way.url, headers=way.headers, moved_to=way.moved_to)
        answer = Answer(way.url, way.last.status, way.headers, way.last.body, way.moved_to, way.seconds)
        return await self.alone.read_of(answer, task)

    async def fetch(self, ask: Ask) -> Answer:
        reply = await self.read(ask, Task(body_of))
        return Answer(reply.url, reply.status, reply.headers, reply.found or b"", reply.moved_to)

    async def receive(self, task: Task[Any], ask: Ask, hop: Hop, seconds: float) -> Leg:
        """One request, and what its document comes to. Raises SourceError."""
        host = hop.address.host
        secret, lost = is_secret(ask.access, hop), 0
        for _ in range(0 if secret and not self.wish.keeps_secrets else TRIES):
            member = self.members.choose(host, self.wish.per_worker, secret=secret)
            if member is None:
                break
            order = Order(ask, hop, seconds, task, member.clock_s() + BEGIN_S)
            try:
                answer = await self.ordered(member, order)
                if "left" not in answer:
                    return await self.leg_of(answer, member, host)
                log.info("worker %s left something to others: %s", member.address, answer["left"])
            except Lost:
                lost += 1
            await asyncio.sleep(ask.access.host_interval_s)
        if lost == TRIES:  # it may be what they read that ends them
            raise SourceError(f"{TRIES} workers were lost while they read what {host} sent")
        await self.alone.pool.room.wait()  # what is fetched waits here to be read
        self.manners.began(host, 0.0)
        received = await self.alone.fetcher.requests.receive(ask, hop, seconds)
        self.manners.began(host, received.seconds)  # a busy machine begins later than it meant to
        return Leg(
            received.status,
            received.headers,
            received.set_cookie,
            received.seconds,
            monotonic(),
            received.body,
        )

    async def leg_of(self, answer: Message, member: Member, host: str) -> Leg:
        """Raises SourceError. When a busy worker really sent is not known: the next request keeps its distance from the end."""
        ended_ago_s = 0.0
        try:
            leg: Leg = await found_in(answer)
            ended_ago_s = member.ago_s(leg.ended_s)
        finally:
            self.manners.began(host, ended_ago_s)
        return leg

    async def read_batch(self, files: Files) -> list[Outcome]:
        """What a worker makes of files; nothing where none can be had. Raises OutOfFiles."""
        member = self.members.choose(files.reading.root, self.wish.per_worker, step=1)
        if member is None:
            return []
        try:
            answer = await self.given(member, next(self.numbers), files, QUEUE_S + GRACE_S)
        except Lost:
            return []
        return [] if "left" in answer else list(await found_in(answer))

    async def ordered(self, member: Member, order: Order) -> Message:
        """Raises Lost, once the worker asks no more."""
        number = next(self.numbers)
        until_s = monotonic() + BEGIN_S + order.seconds  # it asks no more after that
        try:
            return await self.given(member, number, order, BEGIN_S + order.seconds + QUEUE_S + GRACE_S)
        except (asyncio.CancelledError, Lost) as error:
            release = self.manners.keep(order.hop.address.host)
            over = self.start(self.let_go(member, number, until_s, release))
            if isinstance(error, Lost):
                await asyncio.shield(over)
            raise

    async def given(self, member: Member, number: int, order: Order | Files, seconds: float) -> Message:
        """Raises Lost."""
        call = asyncio.create_task(self.link.order(member.address, seconds, number, *pack(order)))
        member.orders += 1
        try:
            either: tuple[asyncio.Future[Any], ...] = (call, member.lost)
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            return call.result() if call.done() else member.lost.result()
        except (Lost, Foreign) as error:
            self.members.lose(member, str(error))
            raise Lost(str(error)) from error
        finally:
            member.orders -= 1
            call.cancel()

    def start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        tidying = asyncio.create_task(work)
        self.tidying.add(tidying)
        tidying.add_done_callback(self.tidying.discard)
        return tidying

    async def let_go(self, member: Member, number: int, until_s: float, release: Callable[[], None]) -> None:
        """Tell a worker that nobody waits any more; its host is nobody else's before it knows."""
        try:
            if not (member.lost.done() and await is_gone(member.address)):
                await self.link.give_up(member.address, number)
        except (Lost, Foreign):
            if not await is_gone(member.address):
                await asyncio.sleep(max(0.0, until_s - monotonic()))
        finally:
            release()

    async def close(self) -> None:
        """Let workers know that nobody waits any more, as far as they can be told in a moment."""
        if self.tidying:
            await asyncio.wait(self.tidying, timeout=1.0)
        for each in self.tidying:
            each.cancel()
        await asyncio.gather(*self.tidying, return_exceptions=True)


@asynccontextmanager
async def spread(
    wish: Cluster, daemon: str, alone: Alone, room: Room, trouble: OwnTrouble | None
) -> AsyncIterator[Spread]:
    """Use a cluster for as long as the context lasts. `daemon` is a name for whoever uses it, the same at each start."""

    def changed() -> None:
        engine.adjust()

    async with Link(wish, daemon, max(room)) as link:
        members = Members(link, wish.scheduler, trouble, changed)
        engine = Spread(wish, link, members, alone, room)
        following = asyncio.create_task(members.follow())
        try:
            yield engine
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            await engine.close()


async def found_in(answer: Message) -> Any:
    """What a worker found. Raises SourceError, as it was raised there."""
    if "error" in answer:
        raise await unpacked(Packed(answer["error"], []))
    return await unpacked(Packed(answer["found"], answer["parts"]))


async def unpacked(packed: Packed) -> Any:
    if len(packed.whole) + sum(map(len, packed.parts)) < SMALL:
        return unpack(packed)
    return await asyncio.to_thread(unpack, packed)


def body_of(document: Document) -> bytes:
    return document.body


def is_secret(access: Access, hop: Hop) -> bool:
    """Whether a request takes something along that only its server should know."""
    headers: Iterable[str] = (name.lower() for name, _ in access.headers)
    return bool(hop.auth or access.auth or access.cookies or access.proxy or set(headers) - SHARED)
