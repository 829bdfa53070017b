"""What a cluster takes for a look, on the daemon's side and on a worker's: `python -m bench.orders`.

A plain scheduler and one plain worker on loopback; looks at feeds as the daemon makes them, in this process.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from bench.costs import LOOKS
from bench.daemon import free_port, wait_for
from bench.figures import Figure, middle, table
from bench.memory import tree
from bench.rates import processor_s
from bench.side import fresh
from bench.web import ENTRIES, SERVER, serving
from feedd.config.load import load
from feedd.config.sources import WindowSource
from feedd.pipeline import tools
from feedd.store.desk import Desk
from feedd.window import WindowLooker
from feedd.wiring import prepare

ROUNDS = 5
DASK = (sys.executable, "-m", "dask")
AT_ONCE = 32
JOIN_S = 10.0


def orders(scratch: Path, count: int) -> list[Figure]:
    if find_spec("distributed") is None:
        return [Figure("a look by a worker", "left out: Dask is not installed", "", "", "")]
    with serving(count, ENTRIES) as (port, _), cluster(scratch) as (scheduler, worker):
        found = list[Figure]()
        for name, path in LOOKS:
            urls = [f"http://127.0.0.1:{port}/{path}{number}" for number in range(count)]
            found += asyncio.run(of_looks(scratch, urls, scheduler, worker, name))
    return found


@contextmanager
def cluster(scratch: Path) -> Iterator[tuple[str, int]]:
    """Its address, and the worker's process."""
    address, log = f"tcp://127.0.0.1:{free_port()}", scratch / "dask.log"
    commands = (
        (*DASK, "scheduler", "--host", address, "--no-dashboard"),
        (
            *DASK,
            "worker",
            address,
            "--nthreads",
            "1",
            "--no-nanny",
            "--no-dashboard",
            "--local-directory",
            str(scratch),
        ),
    )
    started = list[subprocess.Popen[bytes]]()
    try:
        for command, sign in zip(commands, ("Scheduler at", "Registered to"), strict=True):
            with log.open("ab") as said:
                started.append(subprocess.Popen(command, stdout=said, stderr=said))
            wait_for(partial(is_said, log, sign), sign)
        yield address, started[-1].pid
    finally:
        for each in started:
            each.terminate()
            with suppress(subprocess.TimeoutExpired):
                each.wait(10)
            each.kill()


def is_said(log: Path, sign: str) -> bool:
    return sign in log.read_text(errors="replace")


async def of_looks(
    scratch: Path, urls: Sequence[str], scheduler: str, worker: int, name: str
) -> list[Figure]:
    path = scratch / "orders.toml"
    database = fresh(scratch / "orders.db")
    names = "".join(f"[sources.f{n}]\ntype = 'feed'\nurl = '{url}'\n" for n, url in enumerate(urls))
    head = SERVER.format(port=1, database=database, every="1h")
    path.write_text(f"{head}[cluster]\nscheduler = '{scheduler}'\n{names}")
    config = load(path)
    with Desk(database) as desk:
        prepare(desk, config)
        async with tools(config, desk) as kit:
            looker = WindowLooker(desk, kit)
            sources = [each for each in config.sources if isinstance(each, WindowSource)]
            await asyncio.sleep(JOIN_S)  # until the worker is known
            first = await round_of(looker, sources, worker)
            again = [await round_of(looker, sources, worker) for _ in range(ROUNDS)]
    entries = len(urls) * ENTRIES
    return [
        Figure(
            f"a look by a worker, {name}: the daemon's part",
            "",
            f"the worker's {middle((theirs / len(urls) * 1e3 for _, theirs in again), ' ms')}",
            middle((ours / len(urls) * 1e3 for ours, _ in again), " ms of processor"),
            "",
        ),
        Figure(
            f"… a new entry of {ENTRIES} in a look (one run)",
            "",
            f"the worker's {first[1] / entries * 1e6:.0f} µs",
            f"{first[0] / entries * 1e6:.0f} µs of processor",
            "",
        ),
    ]


async def round_of(looker: WindowLooker, sources: Sequence[WindowSource], worker: int) -> tuple[float, float]:
    """Seconds of the processor: this process's, the worker's."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def look(source: WindowSource) -> None:
        async with gate:
            looked = await looker.look(source)
            assert looked.error is None, looked

    before = time.process_time(), sum(map(processor_s, tree(worker)))
    await asyncio.gather(*map(look, sources))
    after = time.process_time(), sum(map(processor_s, tree(worker)))
    return after[0] - before[0], after[1] - before[1]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="feedd-orders-") as scratch:
        print(table(orders(Path(scratch), int(sys.argv[1]) if sys.argv[1:] else 300)))
