"""A machine by itself: what is fetched, and when."""

import asyncio

from feedd.engine import Alone
from feedd.fetch.client import Fetcher
from feedd.fetch.manners import Manners
from feedd.fetch.values import Access, Ask
from feedd.reading import Task
from feedd.sources.documents import Document
from feedd.workers import Pool


def size_of(document: Document) -> int:
    return len(document.body)


def test_what_waited_for_its_turn_is_not_fetched_before_there_is_room() -> None:
    """A document waits in memory to be read: many that come due at once are not all fetched."""

    async def asked() -> list[int]:
        arrived, seen, came, go_on = list[int](), list[int](), asyncio.Event(), asyncio.Event()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            arrived.append(1)
            came.set()
            await go_on.wait()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx")
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        ask = Ask(
            f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/",
            Access(allow_private=True, host_interval_s=0.0),
        )
        async with server, Fetcher(Manners(1)) as fetcher:
            with Pool() as pool:
                fetching = asyncio.create_task(fetcher.fetch(ask))
                await came.wait()
                reading = asyncio.create_task(Alone(fetcher, pool).read(ask, Task(size_of)))
                await asyncio.sleep(0.1)
                pool.room.clear()
                go_on.set()
                await fetching
                await asyncio.sleep(0.1)
                seen.append(len(arrived))
                pool.room.set()
                assert (await reading).result == 1
        return [*seen, len(arrived)]

    assert asyncio.run(asked()) == [1, 2]
