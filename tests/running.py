"""feedd as it is run: commands and daemons in processes of their own, each site with its own folder and port."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx
from commands import forker

from feedd.sources.seedfile import Seed, render
from feedd.store.reader import Reader

PATIENCE_S = 30.0
FEEDD = (sys.executable, "-m", "feedd")
FIRST_MS = 1_706_867_102_000  # 2024-02-02T09:45:02Z
Found = TypeVar("Found")


def until(found: Callable[[], Found], patience_s: float = PATIENCE_S) -> Found:
    """What `found` returns, as soon as it is true. Fails after a while."""
    end = time.monotonic() + patience_s
    while True:
        if result := found():
            return result
        assert time.monotonic() < end, f"still {result!r} after {patience_s} s"
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def write_seed(
    path: Path, title: str = "A title", body: str = "<p>Some words.</p>", time_ms: int | None = FIRST_MS
) -> Path:
    """A seed file that has stood still for a while; its URL follows its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = Seed(time_ms, title, f"https://example.org/{path.stem}", body)
    path.write_text(render(seed), encoding="utf-8", newline="")
    settle(path)
    return path


def settle(path: Path) -> None:
    """Make a file look as if nobody wrote to it lately; each call gives it another time."""
    long_ago = time.time_ns() - 3_600_000_000_000
    os.utime(path, ns=(long_ago, long_ago))


def run(
    words: Sequence[str], cwd: Path, environment: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """feedd with these words, to its end, in a process of its own."""
    done = forker().run(words, cwd, environment)
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode("utf-8", "replace")
    )


class Site:
    """A configuration file, a folder of seeds, and what feedd does with them."""

    def __init__(self, root: Path, source: str = "", more: str = "", server: str = "") -> None:
        self.root = root
        self.config = root / "config.toml"
        self.seeds = root / "seeds"
        self.database = root / "feedd.db"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.seeds.mkdir(parents=True, exist_ok=True)
        self.configure(source, more, server)

    def configure(self, source: str = "", more: str = "", server: str = "") -> None:
        listen = server or f'listen = "127.0.0.1:{self.port}"'
        self.config.write_text(
            f'[server]\n{listen}\n\n[sources.news]\ntype = "directory"\npath = "seeds"\n{source}\n{more}\n',
            encoding="utf-8",
        )

    def seed(
        self,
        name: str,
        title: str = "A title",
        body: str = "<p>Some words.</p>",
        time_ms: int | None = FIRST_MS,
    ) -> Path:
        return write_seed(self.seeds / name, title, body, time_ms)

    def feedd(self, *words: str, status: int | None = 0) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end; `status` None: however it ends."""
        done = run([*words, "--config", os.fspath(self.config)], self.root)
        assert "Traceback" not in done.stderr, done.stderr
        assert status in {None, done.returncode}, (done.returncode, done.stdout, done.stderr)
        return done

    def json(self, *words: str, status: int | None = 0) -> Any:
        """The one JSON document that a command prints."""
        return json.loads(self.feedd(*words, "--json", status=status).stdout)

    def open_reader(self) -> Reader:
        """Of the database as it is, for the calling thread."""
        return Reader(self.database)

    @contextmanager
    def running(self, *, ready: bool = True) -> Iterator["Daemon"]:
        """A daemon, which is ended in order if the test has not ended it."""
        daemon = Daemon(self)
        try:
            if ready:
                daemon.wait_until_ready()
            yield daemon
            if daemon.process.poll() is None:
                assert daemon.end() == 0, daemon.log()
        finally:
            daemon.kill()
        assert "Traceback" not in daemon.log(), daemon.log()


class Beside:
    """A command in a process of its own, which goes on while the test does other things."""

    def __init__(self, site: Site, *words: str) -> None:
        self.out, self.errors = (site.root / f"{name}-{time.monotonic_ns()}" for name in ("out", "errors"))
        with self.out.open("wb") as out, self.errors.open("wb") as errors:
            self.process = forker().start(
                [*words, "--config", os.fspath(site.config)], site.root, out, errors
            )

    def ended(self) -> tuple[int, str, str]:
        """Its exit status, standard output and standard error, when it has ended."""
        status = self.process.wait(PATIENCE_S * 2)
        return status, self.out.read_text(encoding="utf-8"), self.errors.read_text(encoding="utf-8")


class Daemon:
    """`feedd run` in a process of its own."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.errors = site.root / f"stderr-{time.monotonic_ns()}.log"
        words = ["run", "--config", os.fspath(site.config)]
        with self.errors.open("wb") as log, open(os.devnull, "wb") as nothing:
            self.process = forker().start(words, site.root, nothing, log)

    def log(self) -> str:
        return self.errors.read_text(encoding="utf-8", errors="replace")

    def wait_until_ready(self) -> None:
        def answers() -> bool:
            assert self.process.poll() is None, self.log()
            with suppress(httpx.TransportError):
                return (
                    httpx.get(f"{self.site.url}/style.css", trust_env=False, verify=False).status_code == 200
                )
            return False

        until(answers)

    def get(self, path: str, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.get(
            f"{self.site.url}{path}", headers=named, trust_env=False, verify=False, timeout=PATIENCE_S
        )

    def items(self, feed: str = "all") -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.get(f"/feeds/{feed}.json?limit=1000").json()["items"]
        return items

    def titles(self, feed: str = "all") -> list[str]:
        return [item["title"] for item in self.items(feed)]

    def end(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end; the exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def children(self) -> list[int]:
        """The pids of its worker processes."""
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        tasks = found.parent.parent.iterdir() if found.exists() else ()
        return [int(pid) for task in tasks for pid in (task / "children").read_text().split()]
