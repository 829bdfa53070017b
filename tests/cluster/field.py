"""A cluster of real processes on loopback, and sites of a web that know which process asked them, and when."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from select import select
from typing import NamedTuple

import psutil
from running import free_port, until
from webserver import Raw, Reply, Request, Web, Wire, spelled

DASK = (sys.executable, "-W", "ignore", "-m", "dask")
ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0  # Dask takes its time to be imported
QUICK = '[fetch]\nallow_private = true\nhost_interval = "0s"\n'


class Asked(NamedTuple):
    """A request to a site, from when it came to when its answer began; by the monotonic clock."""

    site: str
    path: str
    begin_s: float
    end_s: float
    pid: int | None  # of the process that asked


class Sites:
    """Servers at 127.0.0.1, 127.0.0.2, …: a host each."""

    def __init__(self, number: int, stack: ExitStack) -> None:
        self.webs = [stack.enter_context(Web(host=f"127.0.0.{each + 1}")) for each in range(number)]
        self.asked = list[Asked]()

    def feed(self, number: int, body: str, path: str = "/feed", slow_s: float = 0.0) -> str:
        return self.page(number, path, Reply(body, 200, "application/rss+xml"), slow_s)

    def page(self, number: int, path: str, reply: Reply, slow_s: float = 0.0) -> str:
        web = self.webs[number]

        def answer(request: Request) -> Raw:
            begin_s, pid = time.monotonic(), owner(request.client[1])

            def take_over(wire: Wire) -> None:
                select([wire.connection], [], [], slow_s)  # who waits no longer closes it
                self.asked.append(Asked(web.url, path, begin_s, time.monotonic(), pid))
                wire.send(spelled(reply))

            return take_over

        return web.script(path, answer)

    @property
    def overlapping(self) -> list[tuple[Asked, Asked]]:
        """Requests that were under way at one site at the same time."""
        return [
            (one, other)
            for one in self.asked
            for other in self.asked
            if one is not other and one.site == other.site and one.begin_s <= other.begin_s < one.end_s
        ]


def owner(port: int) -> int | None:
    """The process whose connection has that port."""
    for each in psutil.net_connections("tcp"):
        if each.laddr and each.laddr.port == port and each.raddr:
            return int(each.pid) if each.pid else None
    return None


class Process:
    """A command, with what it says in a file."""

    def __init__(self, command: Sequence[str], log: Path, environment: dict[str, str]) -> None:
        self.log = log
        # in a folder of its own, so that it imports what PYTHONPATH says
        surroundings = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
        with log.open("wb") as said:
            self.running = subprocess.Popen(
                command, stdout=said, stderr=subprocess.STDOUT, cwd=log.parent, env=surroundings
            )

    @property
    def pid(self) -> int:
        return self.running.pid

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        self.running.kill()
        self.running.wait()


class Field:
    """A scheduler, and workers as they are wanted; all end with the context. `tls`: options that both understand."""

    def __init__(self, folder: Path, stack: ExitStack, tls: Sequence[str] = ()) -> None:
        self.folder = folder
        self.stack = stack
        self.tls = tls
        self.address = f"{'tls' if tls else 'tcp'}://127.0.0.1:{free_port()}"
        self.number = 0
        self.workers = list[Process]()
        self.scheduler = self.schedule()

    def schedule(self) -> Process:
        """Start a scheduler."""
        place = ("--host", self.address, "--no-dashboard")
        made = self.start("scheduler", (*DASK, "scheduler", *place, *self.tls))
        until(lambda: "Scheduler at" in made.said, PATIENCE_S)
        self.scheduler = made
        return made

    def worker(self, *options: str, python: str | None = None, **environment: str) -> Process:
        """Start one, without a nanny: what is killed stays dead."""
        made = self.joining(*options, python=python, **environment)
        until(lambda: "Registered to" in made.said, PATIENCE_S)
        return made

    def joining(self, *options: str, python: str | None = None, **environment: str) -> Process:
        self.number += 1
        space = self.folder / f"space-{self.number}"
        command = (
            *((python, *DASK[1:]) if python else DASK), "worker", self.address, "--no-nanny", "--nthreads", "1",
            "--no-dashboard", "--local-directory", str(space), *self.tls, *options,
        )  # fmt: skip
        return self.start(f"worker-{self.number}", command, environment)

    def start(self, name: str, command: Sequence[str], environment: dict[str, str] | None = None) -> Process:
        made = Process(command, self.folder / f"{name}-{time.monotonic_ns()}.log", environment or {})
        self.stack.callback(made.kill)
        return made


@contextmanager
def a_field(folder: Path, tls: Sequence[str] = ()) -> Iterator[Field]:
    with ExitStack() as stack:
        yield Field(folder, stack, tls)


@contextmanager
def sites(number: int) -> Iterator[Sites]:
    with ExitStack() as stack:
        yield Sites(number, stack)


def every(found: Callable[[], bool], seconds: float) -> bool:
    """Whether it stays true for so long."""
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        if not found():
            return False
        time.sleep(0.05)
    return True
