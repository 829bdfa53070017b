"""What runs on a worker, which is a plain `dask worker`: it sends requests as the daemon orders, and reads what they bring.

It reads files of folders that it sees, too. Nothing raises here: Dask would log the arguments, and there may be secrets
in them. An answer is a dict of plain values: `found` (and its `parts`), or `error`, or `left`: why it is for others.
"""

import asyncio
import logging
import os
import pickle
import platform
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any, NamedTuple

from feedd import __version__
from feedd.cluster.packing import Packed, TooLargeToCross, pack, unpack
from feedd.cluster.values import QUEUE_S, Files, Greeting, Leg, Order
from feedd.errors import FeeddError, OutOfFiles, SourceError
from feedd.fetch.requests import Requests
from feedd.fetch.values import Answer
from feedd.reading import Found, Reply, reply, unless_new
from feedd.sources.files import read_files

ORDER = "feedd_order"  # the operations that a worker is taught
GIVE_UP = "feedd_give_up"
STUCK = 70  # exit status of a worker that reads without end; its nanny starts another one
LOOK_S = 1.0
REMEMBERED = 1_000  # orders that were given up before they came
log = logging.getLogger("distributed.feedd")
Message = dict[str, Any]
Place = tuple[str, int]  # of whom the order is, and its number there


class Left(FeeddError):
    """Others may do better, for nothing is wrong with what was to be read."""


class Read(NamedTuple):
    """What the thread is at."""

    place: Place
    since_s: float
    patience_s: float

    @property
    def is_endless(self) -> bool:
        return time.monotonic() - self.since_s > self.patience_s


def greet(daemon: str, dask_worker: Any) -> tuple[object, ...]:
    """Teach a worker what the daemon may ask. What an earlier run of the same daemon asked for is given up.

    `dask_worker` is distributed's own Worker: Client.run and its like fill it in.
    """
    hands = the_hands()
    dask_worker.handlers[ORDER] = hands.order
    dask_worker.handlers[GIVE_UP] = hands.give_up
    for place, running in hands.running.items():
        if place[0] == daemon:
            running.cancel()
    return tuple(Greeting(__version__, platform.python_version(), time.monotonic()))


@cache
def the_hands() -> "Hands":
    return Hands()


class Hands:
    """One for a worker process, and its event loop."""

    def __init__(self) -> None:
        self.requests = Requests()
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="read")
        self.running: dict[Place, asyncio.Task[Message]] = {}
        self.unwanted = deque[Place](maxlen=REMEMBERED)  # they may be on their way still
        self.reading: Read | None = None

    async def order(self, daemon: str, number: int, order: bytes, parts: list[bytes]) -> Message:
        """Do one order."""
        place = (daemon, number)
        if place in self.unwanted:
            return {"left": "it was given up"}
        task = self.running[place] = asyncio.create_task(self.done(place, Packed(order, parts)))
        try:
            await asyncio.wait({task})
            return task.result()
        except BaseException as error:
            if task.cancelled():
                return {"left": "it was given up"}
            if isinstance(error, Exception):
                return failure(SourceError(f"a bug in feedd, on a worker: {error!r}"))
            task.cancel()  # the worker ends
            raise
        finally:
            self.running.pop(place, None)

    async def give_up(self, daemon: str, number: int) -> Message:
        """Once this has answered, no more is asked of the server that the order was about."""
        place = (daemon, number)
        self.unwanted.append(place)
        task = self.running.get(place)
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
        return {}

    async def done(self, place: Place, packed: Packed) -> Message:
        try:
            order: Order | Files = unpack(packed)
            if isinstance(order, Files):
                work = partial(read_files, order.reading, order.batch, order.now_ns)
                return message(pack(await self.read(place, work, order.read_s)))
            if time.monotonic() > order.begin_by_s:
                return {"left": "it came too late"}
            return message(pack(await self.leg(place, order)))
        except (TooLargeToCross, OutOfFiles, Left) as error:
            return {"left": str(error)}
        except FeeddError as error:
            return failure(error)
        except MemoryError:
            return {"left": "it has too little memory for it"}

    async def leg(self, place: Place, order: Order) -> Leg:
        """Raises SourceError."""
        received = await self.requests.receive(order.ask, order.hop, order.seconds)
        ended_s = time.monotonic()
        answer = Answer(order.hop.address.url, received.status, received.headers, received.body)
        said: Reply[Any] | None = unless_new(answer, order.task)
        if said is None:
            said = await self.read(place, partial(reply, answer, order.task), order.read_s)
        return Leg(
            received.status, received.headers, received.set_cookie, received.seconds, ended_s, reply=said
        )

    async def read(self, place: Place, work: Callable[[], Found], patience_s: float) -> Found:
        """In the worker's one thread for it. Raises Left, SourceError."""

        def reading() -> Found:
            self.reading = Read(place, time.monotonic(), patience_s)
            try:
                return work()
            finally:
                self.reading = None

        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self.thread, reading)
        until_s = loop.time() + QUEUE_S
        try:
            while not (await asyncio.wait({future}, timeout=LOOK_S))[0]:
                self.watch(place)
                if loop.time() > until_s:
                    raise Left(f"it waited longer than {QUEUE_S:.0f} s to be read")
            return future.result()
        finally:
            future.cancel()  # what nobody waits for is not begun

    def watch(self, place: Place) -> None:
        """A reading that never ends costs the worker its life: no thread can be ended.

        Whoever waits for it sees to that, or whoever waits behind one that nobody waits for. Raises SourceError.
        """
        now = self.reading
        if now is None or not now.is_endless or (now.place != place and now.place in self.running):
            return
        self.reading = None  # once is enough
        log.error("a document took longer than %.0f s to read: the worker ends", now.patience_s)
        # once the daemon was told
        asyncio.get_running_loop().call_later(LOOK_S, os._exit, STUCK)
        if now.place == place:
            raise SourceError(f"its document took a worker longer than {now.patience_s:.0f} s to read")


def message(packed: Packed) -> Message:
    return {"found": packed.whole, "parts": packed.parts}


def failure(error: FeeddError) -> Message:
    return {"error": pickle.dumps(error)}
