"""One play: a web, a scheduler, workers with a fixed share of a core each, and a daemon that collects everything once."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from math import ceil
from pathlib import Path
from typing import NamedTuple

import httpx

from bench.cluster import judging
from bench.cluster.network import DAEMON, WEB, Process, address, start
from bench.cluster.probe import Late
from bench.cluster.share import Share, share
from bench.cluster.web import entries_of, host_of
from bench.daemon import wait_for
from bench.side import fresh
from feedd.daemon import control

PORT, SCHEDULER_PORT = 8000, 8786
INTERVAL_S = 1  # between two requests of a host
PORTION, PORTION_S = 50, 0.1  # sources that are asked for at once, and how long until the next ones are
IDLE_S = 5.0  # for which the daemon's loop is watched when all is done
START_S = 120.0  # Dask takes its time to be imported, on a busy machine
PATIENCE_S = 600.0
DASK = (sys.executable, "-m", "dask")
ALWAYS = ("sh", "-c", 'while :; do "$@"; sleep 1; done', "sh")

CONFIG = """\
[server]
listen = 'unix:{socket}'
base_url = 'http://feedd.example.org'
[store]
path = '{database}'
[fetch]
allow_private = true
host_interval = "{interval_s}s"
[defaults]
every = "6h"
"""


class Played(NamedTuple):
    sources: int
    entries: int
    seconds: float  # from the first request until the last source was recorded
    log: list[judging.Asked]
    held: judging.Held
    answers: list[Late]
    idle: list[Late]
    daemon_s: float  # processor time
    workers_s: list[float]
    said: str  # the daemon's log

    @property
    def sources_a_minute(self) -> float:
        return self.sources / self.seconds * 60

    @property
    def entries_a_minute(self) -> float:
        return self.entries / self.seconds * 60


class Cluster:
    """A scheduler and workers; started by `cluster`."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.stack = stack
        self.workers: dict[str, Process] = {}
        self.shares: dict[str, Share] = {}
        self.schedule()

    @property
    def address(self) -> str:
        return f"tcp://{address(DAEMON)}:{SCHEDULER_PORT}"

    def schedule(self) -> None:
        command = (
            *DASK,
            "scheduler",
            "--host",
            address(DAEMON),
            "--port",
            str(SCHEDULER_PORT),
            "--no-dashboard",
        )
        self.scheduler = start(DAEMON, command, self.folder / "scheduler.log")
        self.stack.callback(self.scheduler.kill)

    def work(self, machine: str) -> None:
        """Start a plain worker with its nanny; when they end, they are started again, as systemd's Restart=always does."""
        if machine not in self.shares:
            self.shares[machine] = self.stack.enter_context(share(machine))
        space = self.folder / f"space-{machine}"
        command = (
            *ALWAYS, *DASK, "worker", self.address, "--nthreads", "1", "--host", address(machine), "--name", machine,
            "--no-dashboard", "--local-directory", str(space),
        )  # fmt: skip
        made = self.workers[machine] = start(machine, command, self.folder / f"{machine}.log")
        self.shares[machine].take(made.running.pid)
        self.stack.callback(self.end, machine)

    def end(self, machine: str) -> None:
        """Kill a worker and its nanny, as a machine is lost."""
        made = self.workers[machine]
        below = children(made.running.pid)
        made.kill()
        for pid in below:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in below), "a worker to end")

    def limit(self, cores: float) -> None:
        """What a worker has started so far and will start has that share of a core."""
        for machine, each in self.shares.items():
            for pid in (first := self.workers[machine].running.pid), *children(first):
                each.take(pid)
            each.limit(cores)

    def is_complete(self) -> bool:
        return all("Registered to" in each.said for each in self.workers.values())


def children(pid: int) -> list[int]:
    """All processes below one."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        found = [int(each) for task in tasks for each in (task / "children").read_text().split()]
    except OSError:
        return []
    return [*found, *(below for each in found for below in children(each))]


@contextmanager
def cluster(folder: Path, machines: Sequence[str], cores: float) -> Iterator[Cluster]:
    """Raises CanNot."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        made = Cluster(folder, stack)
        for machine in machines:
            made.work(machine)
        wait_for(made.is_complete, "workers to register", START_S)
        made.limit(cores)
        yield made


Trouble = Callable[[Cluster], None]


def play(made: Cluster, sources: int, trouble: Trouble | None = None) -> Played:
    """Collect every source once. `trouble` comes when a third is done."""
    folder = made.folder
    database, config = fresh(folder / "feedd.db"), folder / "feedd.toml"
    listening = folder / "http.sock"
    config.write_text(configuration(listening, database, made.address, sources))
    with ExitStack() as stack:
        web = serve(folder, stack)
        used = [each.used_s for each in made.shares.values()]
        asking = stack.enter_context(ThreadPoolExecutor(ceil(sources / PORTION)))
        daemon = start(
            DAEMON, (sys.executable, "-m", "feedd", "run", "--config", str(config)), folder / "daemon.log"
        )
        stack.callback(daemon.kill)
        with probing(folder, listening, daemon) as answers:
            ask_for_all(database, sources, asking)
            end_s = followed(daemon, database, sources, made, trouble)
        with probing(folder, listening, daemon) as idle:
            time.sleep(IDLE_S)
        daemon_s = ended(daemon)
        assert web.running.stdin is not None
        web.running.stdin.close()
        web.running.wait(PATIENCE_S)
    log = judging.asked(folder / "web.log")
    return Played(
        sources=sources,
        entries=sum(map(entries_of, range(sources))),
        seconds=end_s - min(each.begin_s for each in log),
        log=log,
        held=judging.held(database),
        answers=answers,
        idle=idle,
        daemon_s=daemon_s,
        workers_s=[each.used_s - before for each, before in zip(made.shares.values(), used, strict=True)],
        said=daemon.said,
    )


def configuration(listening: Path, database: Path, scheduler: str, sources: int) -> str:
    head = CONFIG.format(socket=listening, database=database, interval_s=INTERVAL_S)
    listed = "".join(
        f'[sources.feed-{number}]\ntype = "feed"\nurl = "http://{host_of(number)}:{PORT}/{number}"\n'
        for number in range(sources)
    )
    return f'{head}[cluster]\nscheduler = "{scheduler}"\n{listed}'


def ask_for_all(database: Path, sources: int, thread: Executor) -> None:
    """The daemon takes first looks one after the other, ten a second, unless somebody asks for them: by portions."""
    for first in range(0, sources, PORTION):
        names = [f"feed-{number}" for number in range(first, min(first + PORTION, sources))]
        request = {"command": "update", "sources": names, "accept_removals": False}
        thread.submit(control.ask, database, request, lambda _: None)
        time.sleep(PORTION_S)


def serve(folder: Path, stack: ExitStack) -> Process:
    command = (sys.executable, "-m", "bench.cluster.web", str(PORT), str(folder / "web.log"))
    web = start(WEB, command, folder / "web.out")
    stack.callback(web.kill)
    wait_for(lambda: "ready" in web.said, "the web", START_S)
    return web


def followed(daemon: Process, database: Path, sources: int, made: Cluster, trouble: Trouble | None) -> float:
    """Wait until all is collected, and bring the trouble meanwhile; when it was."""
    with ThreadPoolExecutor(1) as thread:
        troubled = None
        begun_s = time.monotonic()
        while (count := judging.collected(database)) < sources:
            if daemon.running.poll() is not None:
                raise RuntimeError(f"the daemon ended: {daemon.said[-2000:]}")
            if trouble is not None and troubled is None and count >= sources / 3:
                troubled = thread.submit(trouble, made)
            if time.monotonic() - begun_s > PATIENCE_S:
                break
            time.sleep(0.1)
        end_s = time.monotonic()
        if troubled is not None:
            troubled.result()
    return end_s


@contextmanager
def probing(folder: Path, listening: Path, daemon: Process) -> Iterator[list[Late]]:
    """The list is filled at the end of the block."""
    wait_for(
        lambda: daemon.running.poll() is not None or says(listening, "/healthz") is not None,
        "the daemon to answer",
        START_S,
    )
    if daemon.running.poll() is not None:
        raise RuntimeError(f"the daemon ended: {daemon.said[-2000:]}")
    found = list[Late]()
    said = folder / "probe.json"
    said.unlink(missing_ok=True)
    command = (sys.executable, "-m", "bench.cluster.probe", str(listening), str(daemon.running.pid))
    process = start(DAEMON, command, said)
    try:
        yield found
        assert process.running.stdin is not None
        process.running.stdin.close()
        process.running.wait(30)
        found += [Late(*each) for each in json.loads(process.said)]
    finally:
        process.kill()


def says(listening: Path, path: str) -> str | None:
    """What the daemon answers."""
    try:
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(listening))) as client:
            return client.get(f"http://localhost{path}", timeout=30).text
    except httpx.TransportError:
        return None


def ended(daemon: Process) -> float:
    """End it in order; the processor time of it and its children, in seconds."""
    daemon.running.terminate()
    _, status, used = os.wait4(daemon.running.pid, 0)
    daemon.running.returncode = os.waitstatus_to_exitcode(status)
    if daemon.running.returncode:
        raise RuntimeError(f"the daemon ended with {daemon.running.returncode}: {daemon.said[-2000:]}")
    return used.ru_utime + used.ru_stime
