"""Who asks is answered in few threads, each kind in its own."""

import asyncio
import threading
from contextvars import ContextVar

import pytest

from feedd.sources.command import output_of
from feedd.sources.process import Program
from feedd.threads import PATIENT, QUICK, Lane, close

WHO = ContextVar("who", default="nobody")


def test_so_many_at_once_and_never_further_threads() -> None:
    lane, seen, at_once, most = Lane("few", 2), set[str](), list[int](), list[int]()

    def work(number: int) -> int:
        seen.add(threading.current_thread().name)
        at_once.append(number)
        most.append(len(at_once))
        at_once.remove(number)
        return number

    async def run() -> list[int]:
        found = await asyncio.gather(*(lane.run(work, number) for number in range(200)))
        await lane.close()
        return found

    assert asyncio.run(run()) == list(range(200))
    assert len(seen) <= 2
    assert max(most) <= 2


def test_one_that_is_held_up_holds_up_no_other() -> None:
    async def run() -> str:
        held = threading.Event()
        waiting = [asyncio.create_task(PATIENT.run(held.wait, 10)) for _ in range(20)]
        await asyncio.sleep(0)
        name = (await QUICK.run(threading.current_thread)).name
        held.set()
        await asyncio.gather(*waiting)
        await close()
        return name

    before = threading.active_count()
    assert asyncio.run(run()).startswith("quick")
    assert threading.active_count() == before  # they have ended, and with them their connections


def test_work_knows_for_whom_it_is_done() -> None:
    async def run() -> str:
        WHO.set("Ada")
        found = await QUICK.run(WHO.get)
        await close()
        return found

    assert asyncio.run(run()) == "Ada"


def test_who_left_before_the_turn_came_is_not_served() -> None:
    lane, done = Lane("one", 1), list[int]()

    async def run() -> None:
        held = threading.Event()
        first = asyncio.create_task(lane.run(held.wait, 10))
        late = asyncio.create_task(lane.run(done.append, 1))
        await asyncio.sleep(0.01)
        late.cancel()
        held.set()
        await first
        await lane.close()

    asyncio.run(run())
    assert done == []


def test_what_ends_an_iteration_holds_up_nobody() -> None:
    """asyncio would leave whoever waits waiting, and the place taken."""
    lane, nothing = Lane("one", 1), iter(())

    async def run() -> str:
        with pytest.raises(RuntimeError, match="StopIteration"):
            await asyncio.wait_for(lane.run(next, nothing), 5)
        name = (await lane.run(threading.current_thread)).name
        await lane.close()
        return name

    assert asyncio.run(run()).startswith("one")


def test_programs_that_run_for_long_hold_up_no_other_thread() -> None:
    """A daemon that a service manager waits to hear of would be killed: what it says is read in a thread."""

    async def run() -> str:
        program = Program(("/bin/sleep", "20"), timeout_s=30, max_bytes=1_000)
        running = [asyncio.create_task(output_of(program)) for _ in range(40)]
        await asyncio.sleep(0.1)
        async with asyncio.timeout(5):
            found = await asyncio.to_thread(lambda: "read")
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await close()
        return found

    assert asyncio.run(run()) == "read"
