"""What a service manager hears of a daemon, over a socket such as systemd's."""

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import httpx
import pytest
from commands import forker
from running import Site, until

from feedd.errors import StoreError
from feedd.store.desk import Desk
from feedd.web import health

WATCHDOG_S = 1.0


class Manager:
    """Listens as systemd does, and has started one daemon."""

    def __init__(self, site: Site) -> None:
        self.heard: list[dict[str, str]] = []
        place = os.fspath(site.root / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(place)
        self.socket.settimeout(0.05)
        asked = {"NOTIFY_SOCKET": place, "WATCHDOG_USEC": str(round(WATCHDOG_S * 1e6))}
        self.log = site.root / "stderr.log"
        words = ["run", "--config", os.fspath(site.config)]
        with self.log.open("wb") as log:
            self.process = forker().start(words, site.root, log, log, {**os.environ, **asked})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self.socket.close()

    def listen(self) -> list[dict[str, str]]:
        while True:
            try:
                data = self.socket.recv(4096)
            except TimeoutError:
                return self.heard
            self.heard.append(dict(line.split("=", 1) for line in data.decode().splitlines()))

    def said(self, name: str, text: str = "") -> bool:
        return any(text in each[name] for each in self.listen() if name in each)

    def fed(self) -> int:
        return sum("WATCHDOG" in each for each in self.listen())


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path, more='[sources.gone]\ntype = "directory"\npath = "nowhere"\nfailing_after = 1\n')
    made.seed("1.txt")
    return made


@pytest.fixture
def manager(site: Site) -> Iterator[Manager]:
    with Manager(site) as made:
        until(lambda: made.said("READY"))
        yield made


def test_ready_is_when_it_serves_and_the_status_moves_with_the_work(site: Site, manager: Manager) -> None:
    assert httpx.get(f"{site.url}/healthz", trust_env=False).status_code == 200
    first = next(each for each in manager.heard if "READY" in each)
    assert first["MAINPID"] == str(manager.process.pid)
    until(lambda: manager.said("STATUS", "2 sources; failing: gone; last: news: 1 added"))
    site.config.write_text("[sources.news]\n", encoding="utf-8")
    os.kill(manager.process.pid, signal.SIGHUP)
    until(lambda: manager.said("STATUS", "The configuration file has a mistake (see feedd check)"))
    said = [name for each in manager.listen() for name in each if name in {"RELOADING", "READY"}]
    assert said[-2:] == ["RELOADING", "READY"]  # systemd waits for the second
    os.kill(manager.process.pid, signal.SIGTERM)
    assert manager.process.wait(10) == 0
    assert manager.said("STOPPING")


def test_the_watchdog_is_fed_while_all_is_alive(manager: Manager) -> None:
    until(lambda: manager.fed() >= 2)
    os.kill(manager.process.pid, signal.SIGSTOP)
    before = manager.fed()
    with pytest.raises(AssertionError, match="still"):
        until(lambda: manager.fed() > before, 2 * WATCHDOG_S)
    os.kill(manager.process.pid, signal.SIGCONT)
    until(lambda: manager.fed() > before)


def test_a_writer_that_stands_still_is_dead_and_one_that_fails_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PATIENCE_S", 0.02)
    later_s, hold = [0.0], threading.Event()

    def fail(_: object) -> None:
        raise StoreError("it is locked")

    async def play(desk: Desk) -> None:
        watched = health.Health(desk, lambda: time.monotonic() + later_s[0])
        assert (await watched.vital()).ok
        desk.post(lambda _: hold.wait(20))
        assert (await watched.vital()).words == "The writer is busy."
        later_s[0] = 61
        assert "The writer has not come on for 61 s" in (await watched.vital()).words
        hold.set()
        desk.post(fail)
        await desk.do(lambda _: None)
        assert "The scheduler has not asked" in (await watched.vital()).words
        watched.tick()
        assert (await watched.vital()).ok

    with Desk(tmp_path / "feedd.db") as desk:
        asyncio.run(play(desk))
