"""The life of a daemon in a soak: first looks, the play, calm, rest, the end. What it held meanwhile is measured."""

import asyncio
import random
import signal
import sqlite3
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import NamedTuple

import httpx

from bench.daemon import answers, free_port
from bench.soak import daemon, play, vitals
from bench.soak.listeners import Listeners
from bench.soak.play import Source

PATIENCE_S = 180.0
CALM_S = 25.0  # longer than any Retry-After
REST_S = 30.0  # after which kept connections are closed, and worker processes are gone
END_S = 10.0
AT_ONCE = 8  # that read all feeds before the play, so that every thread has read
FOLLOWED = 40  # sources whose feeds are read


class Wanted(NamedTuple):
    minutes: float
    sources: int
    seed: int
    developing: bool


class Lived(NamedTuple):
    """What there is to be judged when all is over."""

    samples: list[vitals.Vitals]  # of the play
    at_first: vitals.Vitals  # when every source was looked at once, before anybody subscribed
    at_rest: vitals.Vitals  # when all was told, and nobody subscribes any more
    processor_s: float
    shown: Mapping[str, frozenset[str]]  # titles in the feed of each source
    ended_s: float
    status: int | None  # None: it had to be killed
    log: str
    heard: int  # the number of the last change that was to be heard of before all listeners were gone


class Daemon:
    def __init__(self, process: Process, folder: Path, port: int) -> None:
        self.process = process
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self.database = folder / "feedd.db"

    def asked(self, query: str) -> int:
        with closing(sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True)) as connection:
            return int(connection.execute(query).fetchone()[0])

    async def until(self, what: str, is_so: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
        """Raises TimeoutError, RuntimeError."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + patience_s
        while not await loop.run_in_executor(None, is_so):
            if self.process.returncode is not None:
                raise RuntimeError(f"the daemon ended by itself: {(self.folder / 'log').read_text()[-2000:]}")
            if loop.time() > end_s:
                raise TimeoutError(f"waited {patience_s:.0f} s for {what}")
            await asyncio.sleep(0.5)

    def rest(self) -> vitals.Vitals:
        return vitals.of(self.process.pid, asyncio.get_running_loop().time())


async def lived(
    wanted: Wanted, folder: Path, listeners: Listeners, sources: Mapping[str, Source], port: int
) -> Lived:
    async with (
        playing(wanted, folder) as (conduct, site),
        running(folder, port, sources, site, wanted) as alive,
    ):
        unseen = "SELECT count(*) FROM sources WHERE first_pass_at IS NULL"
        await alive.until("the first looks", lambda: alive.asked(unseen) == 0)
        await looked_at_once(alive, sources)  # as in the end: every thread that looks has looked
        await asyncio.gather(*(titles(alive.url, sources) for _ in range(AT_ONCE)))
        await asyncio.sleep(REST_S)
        at_first, samples = alive.rest(), list[vitals.Vitals]()
        await subscribed(alive.url, site)
        listening = asyncio.create_task(listeners.run())
        watching = asyncio.create_task(vitals.watch(alive.process.pid, samples))
        say("the play begins")
        conduct("begin")
        await asyncio.wait({listening, watching}, timeout=wanted.minutes * 60)
        await ended(watching)
        conduct("calm")
        say("calm: what waits is looked at, and told")
        heard = await settled(alive, listeners, sources)
        await ended(listening)
        shown = await titles(alive.url, sources)
        await asyncio.sleep(REST_S)
        at_rest, spent = alive.rest(), vitals.processor_s(alive.process.pid)
        say("the end")
        loop = asyncio.get_running_loop()
        begun_s, status = loop.time(), None
        alive.process.send_signal(signal.SIGTERM)
        with suppress(TimeoutError):
            status = await asyncio.wait_for(alive.process.wait(), END_S * 2)
        log = (folder / "log").read_text(errors="replace")
        return Lived(samples, at_first, at_rest, spent, shown, loop.time() - begun_s, status, log, heard)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


async def ended(task: "asyncio.Task[None]") -> None:
    """Cancel it; what it failed with is raised."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@asynccontextmanager
async def playing(wanted: Wanted, folder: Path) -> AsyncIterator[tuple[Callable[[str], None], int]]:
    """The site, in a process of its own: who conducts it, and its port."""
    words = ["-m", "bench.soak.site", str(wanted.seed), str(wanted.sources), str(folder)]
    site = await asyncio.create_subprocess_exec(sys.executable, *words, stdin=PIPE, stdout=PIPE)
    assert site.stdin is not None
    assert site.stdout is not None
    conductor = site.stdin
    try:
        yield lambda word: conductor.write(f"{word}\n".encode()), int(await site.stdout.readline())
    finally:
        conductor.close()
        await site.wait()


@asynccontextmanager
async def running(
    folder: Path, port: int, sources: Mapping[str, Source], site: int, wanted: Wanted
) -> AsyncIterator[Daemon]:
    config = folder / "config.toml"
    config.write_text(daemon.configuration(sources, port, site))
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *daemon.command(config, developing=wanted.developing),
            cwd=folder,
            stdout=log,
            stderr=STDOUT,
            stdin=DEVNULL,
        )
    alive = Daemon(process, folder, port)
    try:
        await alive.until("the daemon to answer", lambda: answers(port))
        yield alive
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def subscribed(url: str, site: int) -> None:
    """Subscribe to a feed by WebSub."""
    topic, callback = f"{url}/feeds/all.atom", f"http://127.0.0.1:{site}/pushed"
    async with httpx.AsyncClient(trust_env=False) as client:
        form = {"hub.mode": "subscribe", "hub.topic": topic, "hub.callback": callback}
        (await client.post(f"{url}/hub", data=form)).raise_for_status()


async def settled(alive: Daemon, listeners: Listeners, sources: Mapping[str, Source]) -> int:
    """Every source is looked at once more, whatever put it off, and all is told; returns the number of the last change."""
    await asyncio.sleep(CALM_S)
    await looked_at_once(alive, sources)
    last = 0
    with suppress(TimeoutError):  # what is missing then is found by who judges
        pending = "SELECT count(*) FROM deliveries WHERE status = 'pending'"
        await alive.until("what waits to be told", lambda: alive.asked(pending) == 0)
        last = alive.asked("SELECT coalesce(max(id), 0) FROM changes WHERE NOT silent")
        heard = (listeners.events, listeners.polled)
        await alive.until("the subscribers", lambda: last <= min(max(one, default=0) for one in heard), 30)
    return last


async def looked_at_once(alive: Daemon, sources: Mapping[str, Source]) -> None:
    names = [name for name, source in sources.items() if not play.is_leaving(source)]
    words = ["-m", "feedd", "update", "--config", str(alive.folder / "config.toml"), *names]
    update = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=PIPE, stderr=STDOUT)
    said, _ = await update.communicate()
    if update.returncode != 0:
        say(said.decode(errors="replace")[-2000:])


async def titles(url: str, sources: Mapping[str, Source]) -> dict[str, frozenset[str]]:
    found = {}
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
        for name in sources:
            items = (await client.get(f"/feeds/{name}.json?limit=1000")).json()["items"]
            found[name] = frozenset(item["title"] for item in items)
    return found


def listeners_of(wanted: Wanted, sources: Mapping[str, Source], port: int) -> Listeners:
    dice = random.Random(wanted.seed)
    some = dice.sample(sorted(sources), min(FOLLOWED, len(sources)))
    kinds = ("atom", "rss", "json")
    feeds = [
        f"/feeds/{name}.{kinds[place % 3]}" for place, name in enumerate(["all", "changes", "newest", *some])
    ]
    return Listeners(f"http://127.0.0.1:{port}", feeds, dice)


async def life(wanted: Wanted, folder: Path) -> tuple[Mapping[str, Source], Listeners, Lived]:
    sources = {each.name: each for each in play.sources(wanted.sources, random.Random(wanted.seed))}
    port = free_port()
    listeners = listeners_of(wanted, sources, port)
    return sources, listeners, await lived(wanted, folder, listeners, sources, port)
