"""Orders that nobody waits for any more, and workers that are not what they seem: within one process, over loopback."""

import asyncio
import platform
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from distributed.core import Server
from running import write_seed

from feedd import __version__
from feedd.cluster.engine import Room, Spread, body_of
from feedd.cluster.files import SharedFolders
from feedd.cluster.link import Foreign, Link
from feedd.cluster.members import STEP, Member, Members, is_of_use
from feedd.cluster.packing import pack, unpack
from feedd.cluster.values import Files, Greeting, Order
from feedd.cluster.worker import STUCK, Hands
from feedd.config.cluster import Cluster
from feedd.engine import Alone
from feedd.errors import Stopped
from feedd.fetch import hops
from feedd.fetch.client import Fetcher
from feedd.fetch.values import Access, Ask
from feedd.model import Item, Raw
from feedd.reading import Task
from feedd.rules import Filter
from feedd.sources.directory import Outcome, Reading, Selection, scan
from feedd.sources.files import read_files
from feedd.workers import BATCH, Pool

ASK = Ask("http://127.0.0.1:9/feed", Access(allow_private=True))
STUCK_WORKER = """
import asyncio
from endless import forever
from feedd.cluster.engine import body_of
from feedd.cluster.packing import pack
from feedd.cluster.values import Files
from feedd.cluster.worker import Hands

async def main():
    hands = Hands()
    endless = asyncio.create_task(hands.read(("a", 1), lambda: forever(None), 0.1))
    await asyncio.sleep(0.05)
    endless.cancel()
    await asyncio.wait_for(hands.read(("a", 2), int, 60.0), 10)

asyncio.run(main())
"""


def order(number_s: float = 10.0) -> Order:
    return Order(ASK, hops.first(ASK), number_s, Task(body_of), time.monotonic() + 60)


def reading(folder: Path) -> Reading:
    return Reading(str(folder), None, True, (), (), Filter((), ()), False)


@asynccontextmanager
async def a_spread(scheduler: str = "tcp://127.0.0.1:9", per_worker: int = 2) -> AsyncIterator[Spread]:
    """An engine that knows no workers yet."""
    wish = Cluster(scheduler=scheduler, per_worker=per_worker)
    async with Fetcher() as fetcher, Link(wish, "a test") as link:
        with Pool() as pool:
            members = Members(link, scheduler, None, lambda: None)
            engine = Spread(wish, link, members, Alone(fetcher, pool), Room(2, 100))
            try:
                yield engine
            finally:
                await engine.close()


@asynccontextmanager
async def silent() -> AsyncIterator[str]:
    """The address of something that takes connections, and says nothing."""

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    try:
        yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def turn(engine: Spread, host: str) -> None:
    async with engine.manners.turn(host, per_host=1):
        pass


@pytest.mark.parametrize("lost", [False, True], ids=["awaited", "lost"])
def test_who_stops_waiting_leaves_the_host_to_the_worker(lost: bool) -> None:
    """A look that is cut while a worker has its order, or is waited for that was lost: nobody else asks that host."""

    async def asked() -> bool:
        async with silent() as address, a_spread() as engine:
            member = Member(address, 0.0)
            async with engine.manners.turn("127.0.0.1", per_host=1):
                ordered = asyncio.create_task(engine.ordered(member, order()))
                await asyncio.sleep(0.05)
                if lost:
                    engine.members.lose(member, "it was stopped")
                    await asyncio.sleep(0.05)
                ordered.cancel()
                await asyncio.wait({ordered})
            with suppress(TimeoutError):
                await asyncio.wait_for(turn(engine, "127.0.0.1"), 0.2)
                return False
            return True

    assert asyncio.run(asked())


def test_a_host_that_was_kept_has_its_interval() -> None:
    async def gap() -> float:
        async with Fetcher() as fetcher:
            manners, clock = fetcher.manners, asyncio.get_running_loop().time
            async with manners.turn("a.example", 0.2, 1):
                release = manners.keep("a.example")
            await asyncio.sleep(0.1)
            release()
            released_s = clock()
            async with manners.turn("a.example", 0.2, 1):
                return clock() - released_s

    assert asyncio.run(gap()) >= 0.19


def test_what_is_given_up_before_it_comes_is_not_begun() -> None:
    """Two connections: what was sent later may come first."""

    async def asked() -> dict[str, Any]:
        hands = Hands()
        await hands.give_up("a test", 7)
        return await hands.order("a test", 7, *pack(order()))

    assert asyncio.run(asked()) == {"left": "it was given up"}


def test_a_reading_without_end_that_nobody_waits_for() -> None:
    """It ends the worker as soon as another one waits behind it."""
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", STUCK_WORKER], cwd=here, capture_output=True, timeout=30, check=False,
        env={"PYTHONPATH": f"{here}:{here.parents[1]}"},
    )  # fmt: skip
    assert done.returncode == STUCK, done.stderr


def test_what_waits_for_the_thread_and_is_given_up_is_not_read() -> None:
    async def read() -> list[int]:
        hands, done = Hands(), list[int]()
        first = asyncio.create_task(hands.read(("a", 1), lambda: time.sleep(0.2), 60.0))
        second = asyncio.create_task(hands.read(("a", 2), lambda: done.append(2), 60.0))
        await asyncio.sleep(0.05)
        second.cancel()
        await first
        await hands.read(("a", 3), lambda: done.append(3), 60.0)
        return done

    assert asyncio.run(read()) == [3]


@asynccontextmanager
async def a_peer(**answers: Callable[..., Awaitable[Any]]) -> AsyncIterator[str]:
    """The address of a server that speaks Dask's language."""
    server = Server(answers)
    await server.listen("tcp://127.0.0.1:0")
    try:
        yield server.address
    finally:
        await server.close()


@pytest.mark.parametrize(
    "result", [{"status": "OK", "result": ("1.0",)}, {"status": "OK"}, {"status": "OK", "result": None}]
)
def test_another_greeting(result: dict[str, Any]) -> None:
    """Of a feedd that says more or less of itself: refused with words."""

    async def greeted() -> None:
        async def run(**_: Any) -> dict[str, Any]:
            return result

        async with a_peer(run=run) as address, a_spread() as engine:
            await engine.link.greet(address)

    with pytest.raises(Foreign, match="another feedd"):
        asyncio.run(greeted())


@pytest.mark.parametrize("known", [None, [1, 2], {"tcp://127.0.0.1:9": 3}], ids=["none", "list", "numbers"])
def test_what_the_scheduler_says_ends_nothing(known: Any) -> None:
    """Whatever comes, looks go on."""

    async def followed() -> bool:
        async def identity(**_: Any) -> dict[str, Any]:
            return {"workers": known}

        async with a_peer(identity=identity) as address, a_spread(address) as engine:
            following = asyncio.create_task(engine.members.follow())
            await asyncio.wait_for(engine.members.asked.wait(), 5)
            over = following.done()
            following.cancel()
            await asyncio.wait({following})
            return over or bool(engine.members.count)

    assert not asyncio.run(followed())


def test_versions() -> None:
    ours = platform.python_version()
    is_of_use(Greeting(__version__, ours, 0.0))
    is_of_use(Greeting(__version__, ".".join([*ours.split(".")[:2], "99"]), 0.0))
    with pytest.raises(Foreign, match=r"it has Python 3\.1\.4, and here is "):
        is_of_use(Greeting(__version__, "3.1.4", 0.0))


def test_who_is_chosen() -> None:
    """Secrets go nowhere in the open; a folder's batches go to whoever has least to do, a host stays where it was."""

    async def chosen() -> None:
        async with a_spread(per_worker=32) as engine:
            far, near = Member("tcp://10.0.0.1:1", 0.0), Member("tcp://127.0.0.1:1", 0.0)
            engine.members.members = {each.address: each for each in (far, near)}
            assert {engine.members.choose(f"{each}", 32, secret=True) for each in range(20)} == {near}
            assert {engine.members.choose(f"{each}", 32) for each in range(20)} == {far, near}
            member = engine.members.choose("a.example", 32)
            assert member is not None
            member.orders = STEP - 1
            assert engine.members.choose("a.example", 32) is member
            assert engine.members.choose("a.example", 32, step=1) is not member

    asyncio.run(chosen())


def test_a_reload_leaves_workers_their_share() -> None:
    """Other settings of one machine say nothing of how many requests workers take; files do."""

    async def at_once(spare: int) -> int:
        async with a_spread() as engine:
            engine.room = Room(2, spare)
            engine.members.members = {f"{each}": Member("tcp://127.0.0.1:1", 0.0) for each in range(3)}
            engine.allow(1)
            inside, end = list[int](), asyncio.Event()

            async def one(number: int) -> None:
                async with engine.manners.turn(f"{number}.example"):
                    inside.append(number)
                    await end.wait()

            turns = [asyncio.create_task(one(each)) for each in range(10)]
            await asyncio.sleep(0.05)
            found = len(inside)
            end.set()
            await asyncio.gather(*turns)
            return found

    assert asyncio.run(at_once(100)) == 6
    assert asyncio.run(at_once(4)) == 4
    assert asyncio.run(at_once(0)) == 1


def test_a_worker_that_was_lost_is_said_to_be() -> None:
    """And not that there is none."""

    async def said() -> str | None:
        async with a_spread() as engine:
            member = Member("tcp://10.0.0.1:1", 0.0)
            engine.members.members = {member.address: member}
            engine.members.lose(member, "tcp://10.0.0.1:1 did not answer within 10 s")
            return engine.members.lack()

    assert asyncio.run(said()) == "tcp://10.0.0.1:1 did not answer within 10 s"


def test_without_workers_nothing_piles_up() -> None:
    """What the daemon fetches itself waits in its memory to be read: none of it is fetched while that is full."""

    async def asked() -> list[int]:
        arrived, seen = list[int](), list[int]()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            arrived.append(1)
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx")
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with server, a_spread() as engine:
            engine.members.asked.set()
            engine.alone.pool.room.clear()
            fetching = asyncio.create_task(engine.fetch(ASK._replace(url=url)))
            await asyncio.sleep(0.1)
            seen.append(len(arrived))
            engine.alone.pool.room.set()
            assert (await fetching).body == b"x"
        return [*seen, len(arrived)]

    assert asyncio.run(asked()) == [0, 1]


def test_a_worker_that_takes_its_time_holds_up_no_stop(tmp_path: Path) -> None:
    for number in range(3):
        write_seed(tmp_path / f"{number}.md", f"Number {number}")
    files, wanted = scan(tmp_path, Selection(["**"], []), {}).changed, [True]

    async def read(_: Files) -> list[Outcome]:
        wanted.clear()
        await asyncio.sleep(60)
        return []

    async def mapped() -> None:
        batches = SharedFolders(read, lambda: 2).mapped(reading(tmp_path), files, 1, lambda: not wanted)
        await asyncio.to_thread(list, batches)

    with pytest.raises(Stopped):
        asyncio.run(mapped())


def test_evidence_crosses_once(tmp_path: Path) -> None:
    """A document that is kept, and of which each of its articles says that it was made of it."""
    write_seed(tmp_path / "a.md", "One")
    (found,) = read_files(reading(tmp_path), scan(tmp_path, Selection(["**"], []), {}).changed, 10**19)
    assert isinstance(found, Item)
    raw = Raw("http://a.example/", 200, (), 1, b"", b"." * 1_000_000)
    items = [found._replace(raw=raw) for _ in range(BATCH)]
    packed = pack([items, found])
    assert sum(map(len, packed.parts)) < 2_000_000
    again, bare = unpack(packed)
    assert (again, bare) == (items, found)
    assert len({id(each.raw) for each in again}) == 1
