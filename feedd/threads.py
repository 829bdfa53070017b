"""Threads that read the store for whoever asks: few, in lanes, so that no kind of request waits for a slower one.

Each has a connection of its own, for as long as feedd runs, and SQLite keeps some 0.4 MB for it: how many there are is a
bound on memory. They share one interpreter, so that more would answer nobody sooner. Nothing else is done in them: what
may be done in any thread (watching folders is) would sooner or later have a connection in each.

Programs that are sources have a lane, too, which reads nothing: they may run for minutes.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import NamedTuple, TypeVar, TypeVarTuple

from anyio import CapacityLimiter
from anyio.lowlevel import RunVar

Result = TypeVar("Result")
Values = TypeVarTuple("Values")


class Crew(NamedTuple):
    """The threads of a lane, and whose turn it is."""

    limiter: CapacityLimiter
    threads: ThreadPoolExecutor


class Lane:
    """So many threads of each event loop, whatever configuration is in force there."""

    def __init__(self, name: str, threads: int) -> None:
        self.name = name
        self.threads = threads
        self.crews: RunVar[Crew] = RunVar(name)

    @property
    def crew(self) -> Crew:
        """That of the running event loop."""
        found = self.crews.get(None)
        if found is None:
            found = Crew(CapacityLimiter(self.threads), ThreadPoolExecutor(self.threads, self.name))
            self.crews.set(found)
        return found

    @property
    def limiter(self) -> CapacityLimiter:
        return self.crew.limiter

    async def run(self, work: Callable[[*Values], Result], *values: *Values) -> Result:
        """`work`, when a thread is free. It goes on if whoever waits for it is cancelled."""
        async with self.limiter:
            return await self.run_now(work, *values)

    async def run_now(self, work: Callable[[*Values], Result], *values: *Values) -> Result:
        """As `run`, for who holds a place of the limiter."""
        loop, context = asyncio.get_running_loop(), copy_context()
        return await loop.run_in_executor(self.crew.threads, context.run, done, partial(work, *values))

    async def close(self) -> None:
        """Wait for what the threads do, and end them."""
        found = self.crews.get(None)
        if found is not None:
            await asyncio.to_thread(found.threads.shutdown)


def done(work: Callable[[], Result]) -> Result:
    """No future takes StopIteration: whoever waits for one would wait for ever, and keep the place. As in PEP 479."""
    try:
        return work()
    except StopIteration as error:
        raise RuntimeError("work in a thread raised StopIteration") from error


QUICK = Lane("quick", 4)  # pages, feeds, the API
PATIENT = Lane(
    "patient", 2
)  # lists of thousands, streams, long polls, numbers: a moment later is soon enough
SLOW = Lane("slow", 2)  # searches, and what else may take seconds
COMPARING = Lane("comparing", 2)  # versions
PROGRAMS = Lane("programs", 4)  # sources that are programs: a thread waits for each as long as it runs


async def close() -> None:
    """End the threads of the running event loop, when nobody asks any more."""
    for lane in (QUICK, PATIENT, SLOW, COMPARING, PROGRAMS):
        await lane.close()
