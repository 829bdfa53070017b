"""Server-sent events, one a change (HTML, section 9.2): `/events?feed=NAME&source=NAME&kinds=added,edited`.

A stream goes on after the change that `Last-Event-ID` names, from the change log: nothing is left out, nothing told
twice. Numbers go on where there is nothing to tell, too, in blocks without data, which are no events: who comes back
later need not look through all that was none of theirs.
"""

import asyncio
import json
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from ipaddress import IPv6Address, ip_address, ip_network
from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from feedd.access.origins import is_of_the_world
from feedd.config.settings import Config
from feedd.errors import StoreError
from feedd.following import Follower, Part, Room, Told
from feedd.model import Kind
from feedd.notify.audience import Audience
from feedd.publish.cache import Feeds
from feedd.store.bell import Bell
from feedd.threads import PATIENT
from feedd.web.viewer import Viewer, viewer_of

STREAMS = 256
STREAMS_OF_ONE = 16  # address; proxies on this machine speak for many
NAMES = 100  # of feeds and sources, in one request
PAGE_BYTES = 256_000  # of events that wait for one reader
CHUNK_BYTES = 16_000
BREATH_S = 0.1  # between two reads of what is new
POLL_S = 5.0  # should nobody have rung, since another process wrote
PATIENCE_S = 20.0  # for a reader that takes nothing
FAREWELL_S = 1.0
HEARTBEAT_S = 15.0
RETRY_MS = 3_000
RETRY_AFTER_S = 30
HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)
FOR_ALL_SITES = (b"access-control-allow-origin", b"*")
NUMBER = re.compile("[0-9]{1,18}")  # what SQLite can hold
BITS_OF_A_SITE = 64  # of an IPv6 address: what one customer has
log = logging.getLogger(__name__)


class Wished(NamedTuple):
    """What a stream was asked for, and by whom."""

    kinds: frozenset[Kind]
    feeds: tuple[str, ...]
    sources: tuple[str, ...]
    viewer: Viewer


class Page(NamedTuple):
    """What a piece of the log says to one audience."""

    chunks: tuple[bytes, ...]
    last_id: int  # of the change that it reaches to
    is_full: bool  # there may be more


class Events:
    """The streams of one event loop. `heartbeat_s`, `patience_s` and `streams`: see the constants."""

    def __init__(
        self,
        feeds: Feeds,
        config: Config,
        bell: Bell,
        *,
        heartbeat_s: float = HEARTBEAT_S,
        patience_s: float = PATIENCE_S,
        streams: int = STREAMS,
    ) -> None:
        self.open: set[Stream] = set()
        self.adopt(feeds, config)
        self.bell = bell
        self.heartbeat_s = heartbeat_s
        self.patience_s = patience_s
        self.streams = streams
        self.stopping = asyncio.Event()
        self.room = Room(streams, STREAMS_OF_ONE)
        self.reading: dict[tuple[Audience, int, int], asyncio.Task[Page]] = {}
        self.pulse = asyncio.Event()  # set when the log may have grown; then another one takes its place
        self.beats = 0
        self.listening: asyncio.Task[None] | None = None

    def adopt(self, feeds: Feeds, config: Config) -> None:
        """Tell of what a configuration says from now on. Streams of what is no longer there, or not for their readers, end.

        Called on the event loop.
        """
        self.feeds, self.config, self.follower = feeds, config, Follower(feeds, config)
        # pages of other sites may listen where everybody may; a browser must not read for them what only it can reach
        is_for_all = config.server.access == "public" and is_of_the_world(config.server.public_url)
        self.headers = (*HEADERS, FOR_ALL_SITES) if is_for_all else HEADERS
        for stream in self.open:
            audience = self.audience_of(stream.wished)
            if audience is None:
                stream.over.set()
            else:
                stream.audience = audience

    def audience_of(self, wished: Wished) -> Audience | None:
        """None: it is not to be had."""
        closed, private = self.config.server.access == "token", self.config.private_feeds
        viewer = wished.viewer._replace(closed=closed, private=private)
        may = all(name in self.feeds.plans and viewer.may_see(name) for name in wished.feeds)
        if (
            not may
            or (closed and viewer.token is None)
            or not self.config.by_name.keys() >= set(wished.sources)
        ):
            return None
        return self.follower.audience(wished.kinds, wished.feeds, wished.sources)

    def close(self) -> None:
        """End all streams, and begin none any more. Called on the event loop."""
        self.stopping.set()
        for stream in self.open:
            stream.over.set()

    async def stream(self, request: Request) -> Response:
        """Raises HTTPException, StoreError."""
        params = request.query_params
        feeds, sources = params.getlist("feed"), params.getlist("source")
        if len(feeds) + len(sources) > NAMES:
            raise HTTPException(400, f"Name {NAMES} feeds and sources at most; a feed can be made of many.")
        kinds = kinds_of(params.getlist("kinds"))
        last_id = resumed_after(request.headers.get("last-event-id"), params.get("last_event_id"))
        for name in feeds:
            await self.require(name, known=name in self.feeds.plans)
        for name in sources:
            await self.require(name, known=name in self.config.by_name)
        newest_id = await PATIENT.run(self.follower.newest_id)
        start_id = newest_id if last_id is None else min(last_id, newest_id)
        wished = Wished(kinds, tuple(feeds), tuple(sources), viewer_of(request))
        address = address_of(request)
        self.require_room(address)
        return Stream(self, wished, start_id, address)

    async def require(self, name: str, *, known: bool) -> None:
        """404 for what never was, 410 for a source that left the configuration."""
        if known:
            return
        sources = await PATIENT.run(self.feeds.reader.sources)
        if any(source.name == name for source in sources):
            raise HTTPException(410, f"The source '{name}' was taken out of the configuration.")
        raise HTTPException(404, "There is no feed or source of that name.")

    def require_room(self, address: str | None) -> None:
        """Raises HTTPException."""
        if self.stopping.is_set():
            raise HTTPException(503, "feedd is ending.", {"Retry-After": str(RETRY_AFTER_S)})
        full = self.room.is_full()
        if full or self.room.is_full_for(address):
            words = (
                f"There are {self.streams} streams of events already" if full else "You have too many streams"
            )
            raise HTTPException(503, f"{words}; try again later.", {"Retry-After": str(RETRY_AFTER_S)})

    @contextmanager
    def admitted(self, stream: "Stream") -> Iterator[None]:
        """While a stream lasts."""
        if self.listening is None:
            self.listening = asyncio.create_task(self.listen())
        self.open.add(stream)
        if self.stopping.is_set():
            stream.over.set()
        try:
            with self.room.taken(stream.address):
                yield
        finally:
            self.open.discard(stream)
            if not self.room.clients:
                self.listening.cancel()
                self.listening = None

    async def listen(self) -> None:
        """Wake the streams whenever the log may have grown, but let it grow for a moment between."""
        with self.bell.heard_by() as rung:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_S):
                        await rung.wait()
                rung.clear()
                self.beats += 1
                before, self.pulse = self.pulse, asyncio.Event()
                before.set()
                await asyncio.sleep(BREATH_S)

    async def page(self, audience: Audience, last_id: int) -> Page:
        """What followed, as it is at this beat at least. Streams that wait for the same read it once.

        Raises StoreError.
        """
        key = (audience, last_id, self.beats)
        task = self.reading.get(key)
        if task is None:
            task = asyncio.create_task(PATIENT.run(self.page_now, audience, last_id))
            self.reading[key] = task
            task.add_done_callback(lambda done: self.read(key, done))
        return await asyncio.shield(task)

    def read(self, key: tuple[Audience, int, int], task: asyncio.Task[Page]) -> None:
        del self.reading[key]
        if not task.cancelled():
            task.exception()  # whoever still waits for it is told; nobody may

    def page_now(self, audience: Audience, last_id: int) -> Page:
        """Raises StoreError."""
        chunks, size = list[bytes](), 0
        part = Part((), last_id, is_full=True)
        for part in self.follower.after(audience, last_id):
            spelled = [event(each) for each in part.told]
            chunks += joined(spelled)
            size += sum(map(len, spelled))
            if size > PAGE_BYTES:
                break
        return Page(tuple(chunks), part.last_id, is_full=part.is_full)


class Stream(Response):
    """One stream, until its reader leaves, takes nothing for too long, or feedd ends."""

    def __init__(self, events: Events, wished: Wished, last_id: int, address: str | None) -> None:
        super().__init__()
        self.raw_headers = list(events.headers)
        self.events = events
        self.wished = wished
        self.audience = events.follower.audience(wished.kinds, wished.feeds, wished.sources)
        self.over = asyncio.Event()  # it is to end
        self.last_id = last_id
        self.address = address
        self.is_sending = False
        self.sent_s = 0.0  # by the loop's clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        if scope["method"] == "HEAD":
            await send(head)
            await send({"type": "http.response.body", "body": b""})
            return
        with self.events.admitted(self):
            await send(head)
            telling = asyncio.create_task(self.tell(send))
            leaving = asyncio.create_task(left(receive))
            ending = asyncio.create_task(self.over.wait())
            tasks = (telling, leaving, ending)
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                telling.cancel()
                with suppress(asyncio.CancelledError):
                    await telling
                if not leaving.done():
                    await self.end(receive, send)
                    if self.is_sending:
                        await asyncio.wait({leaving}, timeout=FAREWELL_S)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def tell(self, send: Send) -> None:
        """Until the reader is too slow, or the store can't be read."""
        events = self.events
        try:
            greeting = f": one event a change; blocks without data are none\nretry: {RETRY_MS}\n"
            await self.put(send, f"{greeting}{self.number}".encode())
            while True:
                pulse, beats = events.pulse, events.beats
                page = await events.page(self.audience, self.last_id)
                for chunk in page.chunks:
                    await self.put(send, chunk)
                self.last_id = page.last_id
                if not page.is_full and beats == events.beats:
                    with suppress(TimeoutError):
                        async with asyncio.timeout_at(self.sent_s + events.heartbeat_s):
                            await pulse.wait()
                if asyncio.get_running_loop().time() >= self.sent_s + events.heartbeat_s:
                    await self.put(send, f": heartbeat\n{self.number}".encode())
        except TimeoutError:
            log.info("a reader of events takes nothing for %s s; it is dropped", events.patience_s)
        except StoreError as error:
            log.error("a stream of events ends: %s", error)  # noqa: TRY400 (words are enough)

    @property
    def number(self) -> str:
        """Has the reader go on from here, should it come back (HTML, section 9.2.6: dispatched without data)."""
        return f"id: {self.last_id}\n\n"

    async def put(self, send: Send, chunk: bytes) -> None:
        """Raises TimeoutError: then `is_sending` stays."""
        self.is_sending = True
        async with asyncio.timeout(self.events.patience_s):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        self.is_sending = False
        self.sent_s = asyncio.get_running_loop().time()

    async def end(self, receive: Receive, send: Send) -> None:
        """In order, unless the reader takes nothing: what it has not taken would hold the connection open."""
        if not self.is_sending:
            with suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL_S):
                    await send({"type": "http.response.body", "body": b""})
                return
        self.is_sending = True
        # ASGI can't cut a connection; `receive` is a method of what uvicorn holds it by
        transport = getattr(getattr(receive, "__self__", None), "transport", None)
        if transport is not None:
            transport.abort()


def routes(events: Events) -> list[Route]:
    return [Route("/events", events.stream)]


async def left(receive: Receive) -> None:
    """Until the reader is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def kinds_of(values: Sequence[str]) -> frozenset[Kind]:
    """The kinds that `kinds=added,edited` names; all without any. Raises HTTPException."""
    if not values:
        return frozenset(Kind)
    named = {name for name in ",".join(values).split(",") if name}
    if not named or not named <= set(Kind):
        raise HTTPException(400, f"kinds names kinds of change: some of {', '.join(Kind)}.")
    return frozenset(map(Kind, named))


def resumed_after(header: str | None, parameter: str | None) -> int | None:
    """The change that the reader had last; None: it begins. The header wins: a browser repeats its first address.

    Raises HTTPException.
    """
    text = header or parameter
    if not text:
        return None
    if not NUMBER.fullmatch(text):
        raise HTTPException(400, "Last-Event-ID is the number of a change: whole, from 0 on.")
    return int(text)


def address_of(request: Request) -> str | None:
    """What streams, and requests to the hub, are counted by; None where many may be behind it: a Unix socket, a proxy on this machine."""
    if request.client is None:
        return None
    try:
        address = ip_address(request.client.host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            site = ip_network((address, BITS_OF_A_SITE), strict=False)
            return None if address.is_loopback else str(site)
        address = address.ipv4_mapped
    return None if address.is_loopback else str(address)


def event(told: Told) -> bytes:
    data = json.dumps(told.shape, ensure_ascii=False, separators=(",", ":"))
    return f"id: {told.logged.id}\nevent: {told.logged.kind}\ndata: {data}\n\n".encode("utf-8", "replace")


def joined(spelled: Sequence[bytes]) -> Iterator[bytes]:
    """Events in pieces of a size that a slow reader takes in time."""
    some, size = list[bytes](), 0
    for each in spelled:
        if some and size + len(each) > CHUNK_BYTES:
            yield b"".join(some)
            some, size = [], 0
        some.append(each)
        size += len(each)
    if some:
        yield b"".join(some)
