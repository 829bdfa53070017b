"""Connections: names are looked up here, and every address is judged at the moment it is connected to.

httpcore asks a network backend for its connections; this is one. That a name led to a public address a moment
ago says nothing, so that whoever changes a name's address between two look-ups (DNS rebinding) gains nothing.
"""

import asyncio
import contextlib
import socket
import ssl
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import httpcore

from feedd.fetch import guard

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]  # host, port → addresses; raises OSError
STAGGER_S = 0.25  # head start of an address before the next one is tried as well (RFC 8305 section 5)
BUFFER = 256 * 1024  # bytes that wait to be read, at most about
PIECES = 4096  # in which they came: a small one takes many times its size


class Names:
    """Looks names up in threads of its own: a hundred dead names must not hold up those that are alive."""

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="names")

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, look_up, host, port)
        return tuple(dict.fromkeys(found))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def look_up(host: str, port: int) -> list[str]:
    # as bytes, since a str goes through Python's IDNA 2003 first, which raises errors of its own
    return [str(place[4][0]) for place in socket.getaddrinfo(host.encode(), port, type=socket.SOCK_STREAM)]


class Line(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """One connection, plain or TLS. Reading and writing are bounded in time by whoever asks for them."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._incoming: deque[bytes] = deque()  # as it came: joined, a document would be copied once more
        self._waiting = 0  # bytes of that
        self._ended = False
        self._error: Exception | None = None
        self._changed = asyncio.Event()  # something came, or may be written again, or it is over
        self._blocked = False  # the other side does not read what we write
        self._held = False  # we do not read what the other side writes

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        self._incoming.append(data)
        self._waiting += len(data)
        if not self._held and (self._waiting > BUFFER or len(self._incoming) > PIECES):
            self._held = True
            self.transport.pause_reading()
        self._changed.set()

    def eof_received(self) -> None:
        self._ended = True
        self._changed.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended, self._error = True, exc
        self._changed.set()

    def pause_writing(self) -> None:
        self._blocked = True

    def resume_writing(self) -> None:
        self._blocked = False
        self._changed.set()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002, ASYNC109
        """What came, at most `max_bytes`; b"" at the end. Raises OSError."""
        while not self._incoming and not self._ended:
            self._changed.clear()
            await self._changed.wait()
        if not self._incoming:
            if self._error:
                raise self._error
            return b""
        data = self._incoming.popleft()
        if len(data) > max_bytes:
            self._incoming.appendleft(data[max_bytes:])
            data = data[:max_bytes]
        self._waiting -= len(data)
        if self._held and not self._incoming and not self._ended:
            self._held = False
            self.transport.resume_reading()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109
        # A server may say all and close. What it said is still to be read, and only reading tells whether it
        # was enough: so what can no longer be sent (of HTTP/2, that a part arrived) is no failure here.
        if buffer and not self._ended:
            self.transport.write(buffer)
        while self._blocked and not self._ended:
            self._changed.clear()
            await self._changed.wait()

    async def aclose(self) -> None:
        # not close(), which waits until a server that does not read has read everything
        self.transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        try:
            async with limited(timeout):
                secured = await loop.start_tls(
                    self.transport, self, ssl_context, server_hostname=server_hostname
                )
        except BaseException:
            self.transport.abort()
            raise
        assert secured is not None
        self.transport = secured
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":  # an idle connection on which anything came is of no more use
            return bool(self._incoming) or self._ended
        return self.transport.get_extra_info(info)


class Backend(httpcore.AsyncNetworkBackend):
    """Connects to what `guard` lets pass."""

    def __init__(self, resolve: Resolve, *, allow_private: bool) -> None:
        self._resolve = resolve
        self._allow_private = allow_private

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        """Raises AddressRefused, OSError, httpcore.ConnectTimeout."""
        async with limited(timeout):
            spelled = guard.literal(host)
            found = [spelled] if spelled else await self._resolve(host, port)
            addresses = guard.reachable(host, found, allow_private=self._allow_private)
            if not addresses:
                raise socket.gaierror(socket.EAI_NONAME, "no address")
            return await first_of(addresses, lambda address: self._open(host, address, port))

    async def _open(self, host: str, address: str, port: int) -> Line:
        _, line = await asyncio.get_running_loop().create_connection(Line, address, port)
        peer = line.transport.get_extra_info("peername")
        try:
            guard.reachable(host, [peer[0]] if peer else [], allow_private=self._allow_private)
        except BaseException:
            line.transport.abort()
            raise
        return line


@contextlib.asynccontextmanager
async def limited(seconds: float | None) -> Any:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        if error.errno is None:
            raise httpcore.ConnectTimeout from error
        raise  # the system's own


async def first_of(addresses: Sequence[str], connect: Callable[[str], Awaitable[Line]]) -> Line:
    """The first connection that comes about; each address gets a head start before the next is tried too."""
    if len(addresses) == 1:
        return await connect(addresses[0])
    waiting, errors = deque(addresses), []
    running: set[asyncio.Future[Line]] = set()
    try:
        while waiting or running:
            if waiting:
                running.add(asyncio.ensure_future(connect(waiting.popleft())))
            pause = STAGGER_S if waiting else None
            done, _ = await asyncio.wait(running, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            for attempt in done:
                running.discard(attempt)
                error = attempt.exception()
                if error is None:
                    return attempt.result()
                errors.append(error)
        raise errors[0]
    finally:
        await give_up(running)


async def give_up(attempts: Iterable[asyncio.Future[Line]]) -> None:
    for attempt in attempts:
        attempt.cancel()
    for outcome in await asyncio.gather(*attempts, return_exceptions=True):
        if isinstance(outcome, Line):
            outcome.transport.abort()
