"""One request and what comes back: bounded in time and bytes."""

import asyncio
import functools
import logging
import ssl
from collections.abc import Mapping
from contextlib import aclosing, suppress
from typing import NamedTuple, Self

from feedd.errors import FetchError
from feedd.fetch import hops, words
from feedd.fetch.body import Body
from feedd.fetch.connections import Connections, Response, trusted_roots
from feedd.fetch.hops import Hop
from feedd.fetch.network import Names, Resolve
from feedd.fetch.values import Ask, Post

LESSER_BYTES = 64 * 1024  # of the body of an answer that is no success, or answers a POST; it may end anyhow
LESSER_S = 5.0
HIDDEN = frozenset({"set-cookie", "set-cookie2"})
NO_BODY = frozenset({204, 304})
log = logging.getLogger(__name__)


class Received(NamedTuple):
    """A response to one request."""

    status: int
    headers: Mapping[str, str]  # as Answer's
    set_cookie: list[str]
    body: bytes
    seconds: float = 0.0  # that it took


class Requests:
    """Sends requests. One for a process and its event loop; a context manager, which closes its connections.

    `resolve` looks names up in place of the system; `tls` holds the certificates to believe in place of certifi's.
    """

    def __init__(
        self,
        *,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
        name_threads: int = 32,
    ) -> None:
        self._names = Names(name_threads)
        # made once and when it is needed: reading the certificates takes 20 ms
        roots = functools.cache(trusted_roots)
        self._connections = Connections(resolve or self._names.resolve, lambda: tls or roots())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._connections.close()
        self._names.close()
        await asyncio.sleep(0)  # the loop closes sockets in its next turn

    async def receive(self, ask: Ask | Post, hop: Hop, seconds: float) -> Received:
        """One request and what comes back within so many seconds. Raises FetchError."""
        clock = asyncio.get_running_loop().time
        began_s = clock()
        until_s = began_s + seconds
        if isinstance(ask, Post):
            headers, content = hops.headers_of_post(ask, hop), ask.body
        else:
            headers, content = hops.headers_of(ask, hop), None
        try:
            async with asyncio.timeout_at(until_s):
                response = await self._connections.send(hop.address, ask.access, headers, content)
        except TimeoutError as error:
            raise words.late(hop.address, ask.access, answered=False) from error
        received = await self._read(response, ask, hop, until_s)
        return received._replace(seconds=clock() - began_s)

    async def _read(self, response: Response, ask: Ask | Post, hop: Hop, until_s: float) -> Received:
        headers = joined(response.headers)
        coding = headers.get("content-encoding", "")
        cookies = [text(value) for name, value in response.headers if name.lower() == b"set-cookie"]
        good = 200 <= response.status < 300 and response.status not in NO_BODY
        try:
            if good and isinstance(ask, Ask):
                body = Body(hop.address.host, coding, ask.access.max_bytes, cut=ask.cut)
                body.announce(headers.get("content-length"))
                await self._fill_by(until_s, body, response, ask, hop)
                content = body.whole()
            else:
                body = await self._lesser_body(response, ask, hop, coding, until_s)
                content = body.so_far()
        except BaseException:
            await self._connections.drop(response)
            raise
        await self._connections.finish(response, reusable=not body.full)
        log.debug("%s answered %d, %d bytes", hop.address.host, response.status, len(content))
        return Received(response.status, headers, cookies, content)

    async def _fill_by(self, until_s: float, body: Body, response: Response, ask: Ask, hop: Hop) -> None:
        try:
            async with asyncio.timeout_at(until_s):
                await self._fill(body, response, ask, hop)
        except TimeoutError as error:
            raise words.late(hop.address, ask.access, answered=True) from error

    async def _fill(self, body: Body, response: Response, ask: Ask | Post, hop: Hop) -> None:
        async with aclosing(self._connections.body(response, hop.address, ask.access)) as pieces:
            async for piece in pieces:
                body.add(piece)
                if body.full:
                    return

    async def _lesser_body(
        self, response: Response, ask: Ask | Post, hop: Hop, coding: str, until_s: float
    ) -> Body:
        """What comes of it: the status and its Retry-After matter more than that the page is whole."""
        most = 0 if response.status in NO_BODY else LESSER_BYTES
        body = Body(hop.address.host, "", most, cut=True)
        with suppress(FetchError, TimeoutError):
            body = Body(hop.address.host, coding, most, cut=True)
            async with asyncio.timeout_at(min(until_s, asyncio.get_running_loop().time() + LESSER_S)):
                await self._fill(body, response, ask, hop)
                return body
        body.full = True  # what is left of it is in the way of the next request
        return body


def joined(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Names in small letters; several of one name as one (RFC 9110 section 5.3); without what is secret."""
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name.decode("latin-1").lower(), []).append(text(value))
    return {name: ", ".join(values) for name, values in found.items() if name not in HIDDEN}


def text(value: bytes) -> str:
    """A header's value: UTF-8 where it is, else what HTTP once said (RFC 9110 section 5.5)."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
