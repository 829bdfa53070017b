"""Requests over connections that are kept for the next one.

One connection carries one request at a time, over HTTP/2 too: with two requests at once to a host there is little
to gain from more, and a request that is given up can then never stall another.
Where httpcore, h11 or h2 meet what a server sent, whatever they raise becomes a FetchError here.
"""

import ssl
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from typing import Any, NamedTuple

import httpcore
import httpx

from feedd.errors import FetchError
from feedd.fetch import address, guard
from feedd.fetch.address import Address
from feedd.fetch.network import Backend, Resolve
from feedd.fetch.shown import shown
from feedd.fetch.values import Access
from feedd.fetch.words import explain

IDLE_S = 15.0
MOST_IDLE = 32


class Route(NamedTuple):
    """What a connection is good for: one that was made without the guard never serves behind it."""

    scheme: str
    host: str
    port: int
    allow_private: bool
    proxy: str | None


Carrier = httpcore.AsyncHTTPConnection | httpcore.AsyncConnectionPool


class Response(NamedTuple):
    """The beginning of an answer, and the way to its body."""

    status: int
    headers: list[tuple[bytes, bytes]]
    raw: httpcore.Response
    carrier: Carrier
    route: Route


class Connections:
    def __init__(self, resolve: Resolve, tls: Callable[[], ssl.SSLContext]) -> None:
        self._resolve = resolve
        self._tls = tls
        self._guarded = Backend(resolve, allow_private=False)
        self._open = Backend(resolve, allow_private=True)
        self._idle: list[tuple[Route, httpcore.AsyncHTTPConnection]] = []  # the newest last

    async def send(
        self, place: Address, access: Access, headers: list[tuple[bytes, bytes]], post: bytes | None = None
    ) -> Response:
        """Ask (POST, if there is something to post), and read the headers of what comes.

        Raises FetchError; `finish` or `drop` what it gives.
        """
        request = httpcore.Request(
            b"GET" if post is None else b"POST",
            url_of(place),
            headers=headers,
            content=post,
            extensions={"timeout": {"connect": access.connect_timeout_s}},
        )
        route = Route(*place.origin, access.allow_private, access.proxy)
        while (kept := await self._take(route)) is not None:
            # The server may close a connection in the moment in which it is used again. Nobody can tell then
            # whether it took the request: it is made again, a POST once only. Whatever is posted may come twice
            # anyhow, and is told apart by its id, or means the same twice (RFC 9110 section 9.2.2).
            with suppress(Exception):
                return await self._ask(kept, request, route)
            if post is not None:
                break
        with foreign(place, access, answered=False):
            return await self._ask(await self._new(place, access), request, route)

    async def body(self, response: Response, place: Address, access: Access) -> AsyncGenerator[bytes, None]:
        """The body, as it is sent. Raises FetchError."""
        stream: Any = response.raw.stream
        with foreign(place, access, answered=True):
            async with aclosing(aiter(stream)) as pieces:
                async for piece in pieces:
                    yield piece

    async def finish(self, response: Response, *, reusable: bool) -> None:
        """Keep the connection for another request, if the body was read to its end."""
        carrier = response.carrier
        with suppress(Exception):
            await response.raw.aclose()
        if reusable and isinstance(carrier, httpcore.AsyncHTTPConnection) and carrier.is_idle():
            self._idle.append((response.route, carrier))
            await self._thin_out()
        else:
            await self.drop(response)

    async def drop(self, response: Response) -> None:
        await close(response.carrier)

    async def close(self) -> None:
        while self._idle:
            await close(self._idle.pop()[1])

    async def _ask(self, carrier: Carrier, request: httpcore.Request, route: Route) -> Response:
        try:
            raw = await carrier.handle_async_request(request)
        except BaseException:
            await close(carrier)
            raise
        return Response(raw.status, raw.headers, raw, carrier, route)

    async def _take(self, route: Route) -> httpcore.AsyncHTTPConnection | None:
        for pair in self._idle[::-1]:
            if pair[0] == route:
                self._idle.remove(pair)
                if not pair[1].has_expired():
                    return pair[1]
                await close(pair[1])
        return None

    async def _thin_out(self) -> None:
        while len(self._idle) > MOST_IDLE or (self._idle and self._idle[0][1].has_expired()):
            await close(self._idle.pop(0)[1])

    async def _new(self, place: Address, access: Access) -> Carrier:
        if access.proxy is not None:
            if not access.allow_private:
                await self._judge(place)
            return through(access.proxy, self._open, self._tls())
        return httpcore.AsyncHTTPConnection(
            origin=httpcore.Origin(place.scheme.encode(), place.host.encode(), place.port),
            ssl_context=self._tls() if place.scheme == "https" else None,
            keepalive_expiry=IDLE_S,
            http2=True,
            network_backend=self._open if access.allow_private else self._guarded,
        )

    async def _judge(self, place: Address) -> None:
        """Refuse what a proxy might reach for us. A name that is not known here the proxy may know."""
        spelled = guard.literal(place.host)
        try:
            found = [spelled] if spelled else await self._resolve(place.host, place.port)
        except OSError:
            return
        refused = guard.choose(found).refused
        if refused:
            raise guard.refusal(place.host, refused[0])


def through(proxy: str, backend: Backend, tls: ssl.SSLContext) -> httpcore.AsyncConnectionPool:
    """A connection through a proxy, for one request. Raises FetchError."""
    try:
        place, auth = address.read(proxy)
    except FetchError:
        raise FetchError(f"{shown(proxy)} is no proxy; write http://host:port or https://host:port") from None
    return httpcore.AsyncHTTPProxy(
        proxy_url=url_of(place),
        proxy_auth=(auth.user.encode(), auth.password.encode()) if auth else None,
        ssl_context=tls,
        proxy_ssl_context=tls if place.scheme == "https" else None,
        http2=True,
        network_backend=backend,
    )


def url_of(place: Address) -> httpcore.URL:
    return httpcore.URL(
        scheme=place.scheme.encode(),
        host=place.host.encode(),
        port=None if place.port == address.PORTS[place.scheme] else place.port,
        target=place.target.encode(),
    )


async def close(carrier: Carrier) -> None:
    with suppress(Exception):  # whatever is wrong with it, it is of no more use
        await carrier.aclose()


@contextmanager
def foreign(place: Address, access: Access, *, answered: bool) -> Iterator[None]:
    """Turn what libraries and system raise into FetchError.

    All of it: what a server sends can make them raise ValueError, KeyError or AssertionError too.
    """
    try:
        yield
    except FetchError:
        raise
    except Exception as error:
        raise explain(error, place, access, answered=answered) from error


def trusted_roots() -> ssl.SSLContext:
    """Which certificates are believed: certifi's, or those that SSL_CERT_FILE or SSL_CERT_DIR name."""
    return httpx.create_ssl_context()
