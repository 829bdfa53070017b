"""The pool of worker processes for documents: real processes, stopped and killed while they work."""

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from feedd.errors import SourceError
from feedd.workers import CROWD, Pool

PATIENCE_S = 20.0
MANY = CROWD * 4
pytestmark = pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core: no worker processes are used")


def measured(body: bytes, seconds: float) -> tuple[int, int]:
    time.sleep(seconds)
    return len(body), os.getpid()


async def signalled() -> list[tuple[int, int]]:
    """Work for worker processes, all of which are asked to end while they do it."""
    with Pool() as pool:
        tasks = [asyncio.create_task(pool.run(measured, b"x" * size, 0.05)) for size in range(MANY)]
        while not multiprocessing.active_children():  # noqa: ASYNC110 (nothing else tells)
            await asyncio.sleep(0.01)
        for child in multiprocessing.active_children():
            assert child.pid is not None
            os.kill(child.pid, signal.SIGTERM)
        return await asyncio.gather(*tasks)


def test_workers_leave_a_request_to_end_to_their_parent() -> None:
    """A service manager asks all processes of a service to end; the parent decides what is still finished."""
    done = asyncio.run(signalled())
    assert [size for size, _ in done] == list(range(MANY))


async def broken_behind_another() -> bool:
    """Workers are killed that were let go of while they worked; whether those that others have by now stay."""
    others = set(multiprocessing.active_children())  # of a test before
    with Pool() as pool:
        let_go = [asyncio.create_task(pool.run(measured, b"x", 0.02)) for _ in range(MANY)]
        while len(old := set(multiprocessing.active_children()) - others) < 2:  # noqa: ASYNC110 (nothing else tells)
            await asyncio.sleep(0.01)
        pool.let_go()
        tasks = [asyncio.create_task(pool.run(measured, b"x", 0)) for _ in range(MANY)]
        await asyncio.sleep(0)
        theirs = pool.workers
        for child in old:
            child.kill()
        await asyncio.gather(*let_go, return_exceptions=True)
        await asyncio.gather(*tasks)
        return theirs is not None and theirs is pool.workers


def test_workers_that_end_disturb_no_later_ones() -> None:
    assert asyncio.run(broken_behind_another())


async def killed_while_idle() -> list[tuple[int, int]]:
    with Pool() as pool:
        for _ in range(2):
            done = await asyncio.gather(*(pool.run(measured, b"x" * size, 0.01) for size in range(MANY)))
            for child in multiprocessing.active_children():
                child.kill()
                child.join()
        return done


def test_workers_that_were_killed_while_idle_cost_no_document() -> None:
    done = asyncio.run(killed_while_idle())
    assert [size for size, _ in done] == list(range(MANY))


def deadly(body: bytes) -> int:
    if body == b"deadly":
        os.kill(os.getpid(), signal.SIGKILL)
    return len(body)


async def read_beside_deadly_ones(many: int) -> list[int | BaseException]:
    with Pool() as pool:
        bodies = [b"x" * size for size in range(many)]
        bodies[-4] = bodies[-2] = b"deadly"
        return await asyncio.gather(*(pool.run(deadly, body) for body in bodies), return_exceptions=True)


def test_a_document_that_kills_workers_costs_no_other(caplog: pytest.LogCaptureFixture) -> None:
    done = asyncio.run(read_beside_deadly_ones(MANY))
    fatal = [place for place, each in enumerate(done) if isinstance(each, SourceError)]
    assert fatal == [MANY - 4, MANY - 2]
    assert [each for each in done if isinstance(each, int)] == [n for n in range(MANY) if n not in fatal]
    assert caplog.messages == ["a worker process died; what waited for it is read once more, piece by piece"]


def slowly_deadly(body: bytes) -> int:
    time.sleep(0.3 if body == b"deadly" else 0)
    return deadly(body)


async def cancelled_while_it_is_read_again() -> int:
    """A look is cancelled whose document is about to kill the process that reads it again; the next one is read there."""
    with Pool() as pool:
        fatal = asyncio.create_task(pool.run_alone(slowly_deadly, b"deadly"))
        await asyncio.sleep(0.2)
        fatal.cancel()
        return await pool.run_alone(slowly_deadly, b"xyz")


def test_no_document_is_blamed_for_another() -> None:
    assert asyncio.run(cancelled_while_it_is_read_again()) == 3


async def cancelled_and_killed() -> None:
    """A stop that cancels everything, at the moment at which the workers die; far more waits than a pipe holds."""
    with Pool() as pool:
        tasks = [asyncio.create_task(pool.run(measured, b"x" * 3_000_000, 0.3)) for _ in range(MANY)]
        while len(multiprocessing.active_children()) < 2:  # noqa: ASYNC110 (nothing else tells)
            await asyncio.sleep(0.01)
        await asyncio.sleep(1.0)
        for task in tasks:
            task.cancel()
        for child in multiprocessing.active_children():
            child.kill()
        await asyncio.gather(*tasks, return_exceptions=True)


def test_a_stop_ends_also_when_the_workers_are_killed() -> None:
    done = subprocess.run(
        [sys.executable, __file__],
        timeout=PATIENCE_S,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


if __name__ == "__main__":
    asyncio.run(cancelled_and_killed())
