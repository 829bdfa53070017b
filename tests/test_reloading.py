"""What comes of a reload: which files it reads, who shares it, and what it rests; in this process, with a real store."""

import asyncio
import gc
import signal
import socket
import threading
import weakref
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from running import free_port
from webserver import Web, Wire

from feedd.allocation import settle_anew
from feedd.api.routing import Operation
from feedd.config.difference import Difference
from feedd.config.load import load
from feedd.config.settings import Config
from feedd.daemon import reloading
from feedd.daemon.attending import Attendant
from feedd.daemon.daemon import Daemon
from feedd.daemon.reloading import Reloading
from feedd.daemon.tasks import Tasks
from feedd.errors import ConfigError, Stopped, StoreError
from feedd.looks import Request
from feedd.pipeline import looker
from feedd.service.notify import Notifier
from feedd.store.desk import Desk
from feedd.web.server import bind
from feedd.wiring import prepare

TOML = '[sources.{name}]\ntype = "directory"\npath = "seeds"\n'


class Place:
    """A configuration that is followed; what was gone on with stands in `switched`."""

    def __init__(self, root: Path, desk: Desk) -> None:
        self.path = root / "config.toml"
        self.switching = asyncio.Event()
        self.switched: list[str] = []
        self.hindrances: list[Callable[[], None]] = []  # each of one switch
        self.reloading = Reloading(load(self.path), desk, Notifier({}), self.switch)

    async def switch(self, config: Config, _: Difference) -> None:
        self.switching.set()
        await asyncio.sleep(0.02)
        if self.hindrances:
            self.hindrances.pop()()
        self.switched.append(",".join(config.by_name))

    def write(self, name: str) -> None:
        self.path.write_text(TOML.format(name=name), encoding="utf-8")


def played(root: Path, play: Callable[[Place], Awaitable[None]]) -> None:
    async def whole() -> None:
        (root / "config.toml").write_text(TOML.format(name="first"), encoding="utf-8")
        with Desk(root / "feedd.db") as desk:
            await play(Place(root, desk))

    asyncio.run(whole())


def test_a_crowd_shares_the_reload_that_has_not_begun(tmp_path: Path) -> None:
    async def play(place: Place) -> None:
        place.write("second")
        under_way = asyncio.create_task(place.reloading.reload())
        await place.switching.wait()
        place.write("third")
        crowd = await asyncio.gather(*(place.reloading.reload() for _ in range(100)))
        assert "second" in await under_way
        assert set(crowd) == {"1 source added (third), 1 source removed (second)"}
        assert await place.reloading.reload() == "nothing changed"
        assert place.switched == ["second", "third"]

    played(tmp_path, play)


def test_a_file_that_was_emptied_is_no_configuration(tmp_path: Path) -> None:
    async def play(place: Place) -> None:
        place.path.write_text("")
        for _ in range(2):  # also when that was seen already
            with pytest.raises(ConfigError, match="is empty and was not"):
                await place.reloading.reload()
        place.path.write_text("# nothing is to stand here\n")
        assert "1 source removed" in await place.reloading.reload()

    played(tmp_path, play)


def test_what_changes_during_a_reload_is_read_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reloading, "ASK_S", 0.02)

    def fail() -> None:
        raise StoreError("it is locked")

    async def play(place: Place) -> None:
        place.hindrances = [fail, lambda: place.write("third")]
        following = asyncio.create_task(place.reloading.follow_files())
        await asyncio.sleep(0.01)
        place.write("second")
        async with asyncio.timeout(10):
            while place.switched != ["second", "third"]:  # noqa: ASYNC110 (nobody tells)
                await asyncio.sleep(0.02)
        following.cancel()

    played(tmp_path, play)


def test_a_failed_reload_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reloading, "ASK_S", 0.02)

    def fail() -> None:
        raise StoreError("it is locked")

    async def play(place: Place) -> None:
        place.hindrances = [fail, fail]
        following = asyncio.create_task(place.reloading.follow_files())
        await asyncio.sleep(0.01)
        place.write("second")
        async with asyncio.timeout(10):
            while place.switched != ["second"]:  # noqa: ASYNC110 (nobody tells)
                await asyncio.sleep(0.02)
        following.cancel()

    played(tmp_path, play)


def test_who_waits_for_a_reload_when_feedd_ends_is_told(tmp_path: Path) -> None:
    async def play(place: Place) -> None:
        async with place.reloading.turn:
            asked = asyncio.create_task(place.reloading.reload())
            await asyncio.sleep(0)
            await place.reloading.end()
            with pytest.raises(Stopped, match="feedd is ending"):
                await asked

    played(tmp_path, play)


def test_what_ends_in_order_is_cancelled_once() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            ended.append("in order")

    async def play() -> None:
        tasks = Tasks()
        tasks.start(work())
        await asyncio.sleep(0)
        await asyncio.gather(tasks.end(), tasks.end())

    asyncio.run(play())
    assert ended == ["in order"]


def test_looks_that_wait_hold_up_no_reload(tmp_path: Path) -> None:
    """Nor does what fails within end the watching of a folder."""
    begun = threading.Event()

    def hang(wire: Wire) -> None:
        begun.set()
        wire.hang()

    async def play(url: str) -> None:
        toml = TOML.format(name="news") + f'watch = true\n[sources.slow]\ntype = "feed"\nurl = "{url}"\n'
        (tmp_path / "config.toml").write_text(f"{toml}[fetch]\nallow_private = true\n", encoding="utf-8")
        (tmp_path / "seeds").mkdir()
        config, names = load(tmp_path / "config.toml"), frozenset({"news", "slow"})
        (tmp_path / "config.toml").write_text("# nothing\n", encoding="utf-8")
        with Desk(config.store.path) as desk:
            prepare(desk, config)
            attendant = Attendant(config, desk)

            async def fail() -> None:
                async with attendant.resting(names):
                    assert not attendant.under_way
                    raise StoreError("it is locked")

            async with looker(config, desk, attendant.stop) as attendant.looker, asyncio.timeout(10):
                await attendant.begin()
                looks = [asyncio.create_task(attendant.looked_at("slow", Request(asked=True))) for _ in "123"]
                await asyncio.to_thread(begun.wait, 10)
                with pytest.raises(StoreError):
                    await fail()
                assert not attendant.watches["news"].done()
                async with attendant.resting(names):
                    attendant.adopt(load(config.path))
                found = await asyncio.gather(*looks, return_exceptions=True)
                await attendant.end()
            assert {str(each) for each in found} == {"the source 'slow' was taken out of the configuration"}
            assert not attendant.watches

    with Web() as web:
        web.raw("/feed", hang)
        asyncio.run(play(f"{web.url}/feed"))


def test_what_served_a_configuration_goes_with_it() -> None:
    """Though FastAPI remembers the endpoints of all applications."""

    class Asked:
        async def show(self, name: str) -> None:
            """Show it."""

    asked = Asked()
    route = Operation("/{name}", asked.show, methods=["GET"])  # type: ignore[arg-type]
    assert [each.name for each in route.dependant.path_params] == ["name"]
    there = weakref.ref(asked)
    del asked, route
    gc.collect()
    assert there() is None


def test_what_was_there_at_the_start_goes_with_the_first_reload(tmp_path: Path) -> None:
    """Though it was set aside then, and is searched for garbage now and then only."""
    path = tmp_path / "config.toml"
    server = f'[server]\nlisten = "127.0.0.1:{free_port()}"\n'

    async def play(daemon: Daemon, listening: socket.socket) -> None:
        begun = asyncio.Event()
        serving = asyncio.create_task(daemon.serve([listening], lambda _: begun.set()))
        await begun.wait()
        there = weakref.ref(next(iter(daemon.living)).feeds)
        path.write_text(server + TOML.format(name="second"), encoding="utf-8")
        await daemon.reloading.reload()
        assert daemon.handing_over is not None
        await daemon.handing_over
        settle_anew()
        assert there() is None
        daemon.ended.set()
        await serving

    path.write_text(server + TOML.format(name="first"), encoding="utf-8")
    config = load(path)
    with Desk(config.store.path) as desk, bind(config.server.listen) as listening:
        prepare(desk, config)
        try:
            asyncio.run(play(Daemon(config, desk, Notifier({})), listening))
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
            gc.unfreeze()
