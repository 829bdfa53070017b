"""Good manners: how many requests at once, to all servers and to one, and how far apart."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from anyio import CapacityLimiter, WouldBlock


class Host:
    """What is under way at one host."""

    def __init__(self) -> None:
        self.users = 0  # turns taken and waited for
        self.active = 0
        self.started_s: float | None = None  # when the newest turn began, by the loop's clock
        self.interval_s = 0.0  # that it asked for
        self.longest_s = 0.0  # that any asked for, while the host was known
        self.door = asyncio.Lock()  # whoever is next waits within, all others before it, in order
        self.freed = asyncio.Event()
        self.leaving: asyncio.TimerHandle | None = None  # nobody is there, and it is to be forgotten

    async def wait(self, interval_s: float, per_host: int) -> None:
        while not self.admits(interval_s, per_host):
            if self.active >= per_host:
                self.freed.clear()
                await self.freed.wait()
            else:
                await asyncio.sleep(self.rest_s(asyncio.get_running_loop().time(), interval_s))

    def admits(self, interval_s: float, per_host: int) -> bool:
        """Whether the next turn may begin now."""
        now_s = asyncio.get_running_loop().time()
        return self.active < per_host and self.rest_s(now_s, interval_s) <= 0

    def rest_s(self, now_s: float, interval_s: float) -> float:
        """How long the next turn has to wait."""
        if self.started_s is None:
            return 0.0
        return self.started_s + max(interval_s, self.interval_s) - now_s


class Manners:
    """Hands out turns. Of one event loop; what is known of a host is dropped once it matters no more."""

    def __init__(self, concurrency: int = 32) -> None:
        self._hosts: dict[str, Host] = {}
        self._slots = CapacityLimiter(concurrency)
        # whoever is next waits for room within, all others who need some before it
        self._door = asyncio.Lock()

    def allow(self, concurrency: int) -> None:
        """So many at once from now on. Those that are under way beyond are not cut, and nobody's turn comes meanwhile."""
        self._slots.total_tokens = concurrency

    @asynccontextmanager
    async def turn(
        self, host: str, interval_s: float = 0.0, per_host: int = 2, room: asyncio.Event | None = None
    ) -> AsyncIterator[None]:
        """At most `per_host` at once to a host, and `concurrency` in all, first come, first served.

        Two begin at least `interval_s` apart: the one that the earlier or the later asks for, if they differ.
        Those who wait for their host hold up nobody else's. Nor do those who wait for `room`, which is set while what
        they bring has a place: no turn begins without. One of them at a time lines up for a slot, so that those who need
        none overtake the others. There is one such event for all.
        """
        place, taken = self._hosts.setdefault(host, Host()), object()
        place.users += 1
        try:
            async with place.door:
                await self._admitted(place, taken, interval_s, per_host, room)
                place.active += 1
                place.started_s = asyncio.get_running_loop().time()
                place.interval_s = interval_s
                place.longest_s = max(place.longest_s, interval_s)
            try:
                yield
            finally:
                self._slots.release_on_behalf_of(taken)
                place.active -= 1
                place.freed.set()
        finally:
            place.users -= 1
            self._leave(host, place)

    async def _admitted(
        self, place: Host, taken: object, interval_s: float, per_host: int, room: asyncio.Event | None
    ) -> None:
        """Until the host admits it and there are a slot and room, all at once: that a request began late is told at any
        time.
        """
        while True:
            await place.wait(interval_s, per_host)
            if room is None:
                await self._slot(taken)
            else:
                await self._slot_and_room(taken, room)
            if place.admits(interval_s, per_host):
                return
            self._slots.release_on_behalf_of(taken)

    async def _slot_and_room(self, taken: object, room: asyncio.Event) -> None:
        async with self._door:
            while True:
                await room.wait()
                await self._slot(taken)
                if room.is_set():
                    return
                self._slots.release_on_behalf_of(taken)

    async def _slot(self, taken: object) -> None:
        try:
            self._slots.acquire_on_behalf_of_nowait(taken)
        except WouldBlock:
            await self._slots.acquire_on_behalf_of(taken)

    def keep(self, host: str) -> Callable[[], None]:
        """Somebody may be at that host who has left its turn: counts as one that is there, until what is returned is called.

        The next turn keeps its distance from then.
        """
        place = self._hosts.setdefault(host, Host())
        place.users += 1
        place.active += 1

        def release() -> None:
            place.started_s = asyncio.get_running_loop().time()
            place.active -= 1
            place.freed.set()
            place.users -= 1
            self._leave(host, place)

        return release

    def began(self, host: str, ago_s: float) -> None:
        """The request of the turn that is on at a host began so long ago, and not when its turn did."""
        place = self._hosts[host]
        place.started_s = max(place.started_s or 0.0, asyncio.get_running_loop().time() - ago_s)

    @property
    def known(self) -> int:
        """How many hosts are remembered."""
        return len(self._hosts)

    def _leave(self, host: str, place: Host) -> None:
        """Forget a host at once, or when its interval is over."""
        if place.users or place.leaving is not None:
            return
        loop = asyncio.get_running_loop()
        pause = place.rest_s(loop.time(), place.longest_s)
        if pause > 0:
            place.leaving = loop.call_later(pause, self._leave_again, host, place)
        elif self._hosts.get(host) is place:
            del self._hosts[host]

    def _leave_again(self, host: str, place: Host) -> None:
        place.leaving = None
        self._leave(host, place)
