"""The one way out to the web: polite, bounded and guarded.

fetch:  first hop ─► turn at the host ─► receive ─► redirect? ─► next hop ─► …
                                            └────► Answer
post:   receive ─► Answer
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, NamedTuple, Protocol, Self, TypeVar

from feedd.errors import FetchError
from feedd.fetch import hops
from feedd.fetch.hops import Hop
from feedd.fetch.manners import Manners
from feedd.fetch.network import Resolve
from feedd.fetch.requests import Requests
from feedd.fetch.values import Answer, Ask, Post


class Leg(Protocol):
    """What one request of a fetch came to."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def set_cookie(self) -> list[str]: ...
    @property
    def seconds(self) -> float: ...


SomeLeg = TypeVar("SomeLeg", bound=Leg)
Receive = Callable[[Ask, Hop, float], Awaitable[SomeLeg]]  # one request, within so many seconds


class Way(NamedTuple, Generic[SomeLeg]):
    """A fetch from the address that was asked to the one that answered."""

    last: SomeLeg
    url: str  # that answered
    headers: Mapping[str, str]  # of the answer, and what redirects said of when to come again
    moved_to: str | None  # as Answer's
    seconds: float


class Fetcher:
    """Fetches. One for a process and its event loop; a context manager, which closes its connections.

    `resolve` and `tls` as for Requests.
    """

    def __init__(
        self,
        manners: Manners | None = None,
        *,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
        name_threads: int = 32,
    ) -> None:
        self.manners = manners or Manners()
        self.requests = Requests(resolve=resolve, tls=tls, name_threads=name_threads)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.requests.__aexit__()

    async def fetch(self, ask: Ask, room: asyncio.Event | None = None) -> Answer:
        """GET, and follow redirects (Refresh is none). Any status is an answer, a 304 nobody asked for too.

        `room`: as Manners.turn's, for what comes.

        The body of an answer that is no success is cut at 64 kB, and taken as far as it comes.
        `Answer.moved_to` has no user and password; those of the asked address are the caller's to keep.
        Set-Cookie is left out of its headers.
        Raises FetchError, and of it AddressRefused, TimedOut, TooLarge, TooManyRedirects.
        """
        way = await self.follow(ask, self.requests.receive, room)
        return Answer(way.url, way.last.status, way.headers, way.last.body, way.moved_to, way.seconds)

    async def follow(
        self, ask: Ask, receive: Receive[SomeLeg], room: asyncio.Event | None = None
    ) -> Way[SomeLeg]:
        """From hop to hop, each in its host's turn, whoever sends the requests. Raises what `fetch` does.

        `access.timeout_s` counts from when the host's turn has come, over all hops; turns are not counted.
        """
        hop, access, spent_s = hops.first(ask), ask.access, 0.0
        on_the_way: dict[str, str] = {}
        while True:
            turn = self.manners.turn(hop.address.host, access.host_interval_s, access.per_host, room)
            async with turn:
                leg = await receive(ask, hop, access.timeout_s - spent_s)
            spent_s += leg.seconds
            location = leg.headers.get("location")
            following = hops.following(hop, access, leg.status, location, leg.set_cookie)
            if following is None:
                moved_to = None if hop.moved_to == hop.asked else hop.moved_to
                return Way(leg, hop.address.url, {**on_the_way, **leg.headers}, moved_to, spent_s)
            if "retry-after" in leg.headers:  # a redirect may ask for rest, too (RFC 9110 section 10.2.3)
                on_the_way["retry-after"] = leg.headers["retry-after"]
            hop = following

    async def post(self, post: Post) -> Answer:
        """POST. Any status is an answer, a redirect too: none is followed.

        It waits for no turn at the host. `access.timeout_s` is the time until the status is in; of the body what
        comes within that time is taken, for 5 s and up to 64 kB, whole or not.
        Raises FetchError, and of it AddressRefused, TimedOut. Their texts name host and port alone.
        """
        try:
            hop = hops.first(post)
        except FetchError:  # its text holds the address, and whoever knows where to post may post there
            raise FetchError("the address to post to is no address of the web") from None
        received = await self.requests.receive(post, hop, post.access.timeout_s)
        url = hop.address.url
        return Answer(url, received.status, received.headers, received.body, None, received.seconds)
