import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from contextvars import Context
from itertools import pairwise
from typing import Any, TypeVarTuple

import uvloop

from feedd.fetch.manners import Manners

Values = TypeVarTuple("Values")


class Watch:
    """Takes turns and notes what happened."""

    def __init__(self, manners: Manners) -> None:
        self.manners = manners
        self.began: list[tuple[str, float]] = []
        self.active: dict[str, int] = {}
        self.most: dict[str, int] = {}

    async def take(
        self, host: str, name: str = "", interval_s: float = 0.0, per_host: int = 2, work_s: float = 0.02
    ) -> None:
        async with self.manners.turn(host, interval_s, per_host):
            self.began.append((name or host, time.monotonic()))
            for key in (host, "all"):
                self.active[key] = self.active.get(key, 0) + 1
                self.most[key] = max(self.most.get(key, 0), self.active[key])
            await asyncio.sleep(work_s)
            for key in (host, "all"):
                self.active[key] -= 1


def run(work: Callable[[Watch], Coroutine[Any, Any, None]], concurrency: int = 32) -> Watch:
    async def main() -> Watch:
        watch = Watch(Manners(concurrency))
        await work(watch)
        return watch

    return uvloop.run(main())


def test_few_at_once_to_a_host_and_in_all() -> None:
    async def work(watch: Watch) -> None:
        turns = [watch.take(f"host{number % 4}") for number in range(40)]
        await asyncio.gather(*turns, *[watch.take("narrow", per_host=1) for _ in range(3)])
        assert watch.manners.known == 0

    watch = run(work, concurrency=5)
    assert watch.most.pop("all") == 5
    assert watch.most.pop("narrow") == 1
    assert set(watch.most.values()) == {2}


def test_starts_at_a_host_are_apart_whatever_the_work_takes() -> None:
    async def work(watch: Watch) -> None:
        await asyncio.gather(
            *[watch.take("host", interval_s=0.1, work_s=work_s) for work_s in (0.15, 0, 0.15, 0)]
        )

    times = [at for _, at in run(work).began]
    assert all(0.09 < later - earlier < 0.2 for earlier, later in pairwise(times))


def test_the_longer_interval_of_two_counts() -> None:
    async def work(watch: Watch) -> None:
        await watch.take("host", interval_s=0.2, work_s=0)
        await watch.take("host", interval_s=0, work_s=0)
        await watch.take("host", interval_s=0.2, work_s=0)

    times = [at for _, at in run(work).began]
    assert times[1] - times[0] > 0.19
    assert times[2] - times[1] > 0.19


def test_first_come_first_served() -> None:
    async def work(watch: Watch) -> None:
        await asyncio.gather(
            *[watch.take("host", str(number), per_host=1, work_s=0.001) for number in range(20)]
        )

    assert [name for name, _ in run(work).began] == [str(number) for number in range(20)]


def test_those_who_wait_for_one_host_take_no_slot_from_others() -> None:
    async def work(watch: Watch) -> None:
        slow = [asyncio.ensure_future(watch.take("slow", interval_s=60, work_s=0)) for _ in range(10)]
        await asyncio.sleep(0.01)
        began = time.monotonic()
        await asyncio.gather(*[watch.take(f"host{number}") for number in range(10)])
        assert time.monotonic() - began < 0.3
        for turn in slow:
            turn.cancel()
        await asyncio.gather(*slow, return_exceptions=True)

    run(work, concurrency=2)


def test_a_turn_that_is_cancelled_or_fails_is_given_back() -> None:
    async def fail(manners: Manners) -> None:
        async with manners.turn("host", 0, 1):
            raise ValueError

    async def work(watch: Watch) -> None:
        waiting = [asyncio.ensure_future(watch.take("host", per_host=1, work_s=60)) for _ in range(5)]
        await asyncio.sleep(0.02)
        for turn in waiting:
            turn.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        with contextlib.suppress(ValueError):
            await fail(watch.manners)
        async with asyncio.timeout(1):
            await asyncio.gather(*[watch.take("host", per_host=1, work_s=0) for _ in range(3)])
        assert watch.manners.known == 0

    run(work, concurrency=1)


def test_a_host_is_remembered_for_its_interval_alone() -> None:
    async def work(watch: Watch) -> None:
        await watch.take("host", interval_s=0.1, work_s=0)
        assert watch.manners.known == 1
        await asyncio.sleep(0.15)
        assert watch.manners.known == 0

    run(work)


def test_turns_without_interval_cost_next_to_nothing() -> None:
    async def work(watch: Watch) -> None:
        began = time.process_time()
        for _ in range(10_000):
            async with watch.manners.turn("host"):
                pass
        assert time.process_time() - began < 1

    run(work)


def test_another_number_counts_for_those_who_wait_too() -> None:
    async def asked() -> list[str]:
        manners, said, over = Manners(1), list[str](), asyncio.Event()

        async def turn(host: str) -> None:
            async with manners.turn(host):
                said.append(host)
                await over.wait()

        tasks = [asyncio.create_task(turn(host)) for host in "abcd"]
        await asyncio.sleep(0.02)
        said.append("|")
        manners.allow(3)
        await asyncio.sleep(0.02)
        said.append("|")
        manners.allow(1)
        late = asyncio.create_task(turn("e"))
        over.set()
        await asyncio.gather(*tasks, late)
        return said

    assert asyncio.run(asked()) == ["a", "|", "b", "c", "|", "d", "e"]


def test_a_request_that_began_late_keeps_who_waits_away() -> None:
    """Though the wait for the earlier time had begun."""

    async def asked() -> float:
        manners, loop = Manners(), asyncio.get_running_loop()

        async def second() -> float:
            async with manners.turn("host", 0.2):
                return loop.time()

        async with manners.turn("host", 0.2):
            waiting = asyncio.create_task(second())
            await asyncio.sleep(0.1)
            manners.began("host", 0.0)
            began_s = loop.time()
            return await waiting - began_s

    assert asyncio.run(asked()) > 0.19


def test_whoever_was_let_go_of_late_keeps_who_waits_for_a_slot_away() -> None:
    async def asked() -> float:
        manners, loop, over = Manners(1), asyncio.get_running_loop(), asyncio.Event()

        async def elsewhere() -> None:
            async with manners.turn("elsewhere"):
                await over.wait()

        async def waiting() -> float:
            async with manners.turn("host", 0.1):
                return loop.time()

        release = manners.keep("host")
        first = asyncio.create_task(elsewhere())
        await asyncio.sleep(0)
        second = asyncio.create_task(waiting())
        await asyncio.sleep(0.05)
        release()
        let_go_s = loop.time()
        over.set()
        await first
        return await second - let_go_s

    assert asyncio.run(asked()) > 0.09


class Counted(asyncio.SelectorEventLoop):
    """Counts what is to be called later."""

    later = 0

    def call_at(
        self,
        when: float,
        callback: Callable[[*Values], object],
        *args: *Values,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        self.later += 1
        return super().call_at(when, callback, *args, context=context)


def test_a_host_that_is_asked_again_and_again_is_awaited_once() -> None:
    """One of its sources wants a long distance, others none: their turns are over long before it."""

    async def later() -> int:
        manners, loop = Manners(), asyncio.get_running_loop()
        for interval_s in (0.1, *[0.0] * 200):
            async with manners.turn("host", interval_s):
                pass
            await asyncio.sleep(0)
        await asyncio.sleep(0.25)
        assert manners.known == 0
        assert isinstance(loop, Counted)
        return loop.later

    with asyncio.Runner(loop_factory=Counted) as runner:
        assert runner.run(later()) < 10
