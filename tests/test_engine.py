"""A machine by itself: what is fetched, and when."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

from feedd.engine import Alone
from feedd.errors import FetchError
from feedd.fetch.client import Fetcher
from feedd.fetch.manners import Manners
from feedd.fetch.values import Access, Ask
from feedd.reading import Task
from feedd.sources.documents import Document
from feedd.workers import Pool


class Server:
    """Answers when it may, and notes when it was asked."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.came = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked.append(time.monotonic())
        self.came.set()
        await self.may_answer.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx")
        writer.close()


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    server = Server()
    async with await asyncio.start_server(server.answer, "127.0.0.1", 0) as listening:
        server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"
        yield server


def size_of(document: Document) -> int:
    return len(document.body)


def test_what_waited_for_its_turn_is_not_fetched_before_there_is_room() -> None:
    """A document waits in memory to be read: many that come due at once are not all fetched."""

    async def asked() -> list[int]:
        seen = list[int]()
        async with serving() as server, Fetcher(Manners(1)) as fetcher:
            ask = Ask(server.url, Access(allow_private=True, host_interval_s=0.0))
            with Pool() as pool:
                fetching = asyncio.create_task(fetcher.fetch(ask))
                await server.came.wait()
                reading = asyncio.create_task(Alone(fetcher, pool).read(ask, Task(size_of)))
                await asyncio.sleep(0.1)
                pool.room.clear()
                server.may_answer.set()
                await fetching
                await asyncio.sleep(0.1)
                seen.append(len(server.asked))
                pool.room.set()
                assert (await reading).result == 1
            return [*seen, len(server.asked)]

    assert asyncio.run(asked()) == [1, 2]


def test_what_waits_for_room_keeps_its_distance_and_holds_up_nobody() -> None:
    async def asked() -> list[float]:
        async with serving() as server, Fetcher(Manners(1)) as fetcher:
            server.may_answer.set()
            ask = Ask(server.url, Access(allow_private=True, host_interval_s=0.1, per_host=4))
            with Pool() as pool:
                alone = Alone(fetcher, pool)
                pool.room.clear()
                readings = [asyncio.create_task(alone.read(ask, Task(size_of))) for _ in range(3)]
                await asyncio.sleep(0.35)
                other = ask._replace(url=server.url.replace("127.0.0.1", "127.0.0.2"))
                async with asyncio.timeout(5):
                    with contextlib.suppress(FetchError):
                        await fetcher.fetch(other)
                assert server.asked == []
                pool.room.set()
                assert [(await each).result for each in readings] == [1, 1, 1]
            return server.asked

    assert all(later - earlier > 0.09 for earlier, later in pairwise(asyncio.run(asked())))
