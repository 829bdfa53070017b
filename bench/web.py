"""Many feeds at once: a first pass and an unchanged one, beside other readers; and ten thousand in a configuration."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.daemon import Client, free_port
from bench.figures import Figure, middle
from bench.ingest import MB
from bench.memory import Sampled, held_by_tree
from bench.peers import Cost, Peer, held_by, newsboat, reader, sfeed
from bench.side import fresh

ENTRIES = 30
NEWSBOAT_THREADS, READER_WORKERS, SFEED_JOBS = 8, 8, 8  # what suits each best on two cores
DUE_S = 1.5  # after which every source is due again
PATIENCE_S = 300.0
START_S = 30.0
RESTING_S = 3.0
LOOKING_S = 30.0  # of first looks in which memory is watched

TARGETS = (("newsboat", "0.50 × (aim 0.33)"), ("reader", "0.20 × (aim 0.13)"), ("sfeed", ""))

SERVER = """\
[server]
listen = '127.0.0.1:{port}'
[store]
path = '{database}'
[fetch]
allow_private = true
host_interval = "0s"
per_host = 32
[defaults]
every = "{every}"
"""


class Passes(NamedTuple):
    cold: Cost
    unchanged: Cost | None


@contextmanager
def serving(feeds: int, entries: int) -> Iterator[tuple[int, int]]:
    """A server of so many feeds, in a process of its own: its port, and how many bytes a feed has."""
    command = [sys.executable, "-m", "bench.feedserver", str(feeds), str(entries)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port, size = map(int, process.stdout.readline().split())
        try:
            yield port, size
        finally:
            process.terminate()


def configuration(scratch: Path, urls: Sequence[str], every: str, port: int = 1) -> Path:
    config, database = scratch / "web.toml", scratch / "web.db"
    sources = "".join(
        f'[sources.feed-{number}]\ntype = "feed"\nurl = "{url}"\n' for number, url in enumerate(urls)
    )
    config.write_text(SERVER.format(port=port, database=database, every=every) + sources)
    return config


def own(scratch: Path, urls: Sequence[str]) -> Peer:
    config = configuration(scratch, urls, "1s")
    command = (sys.executable, "-m", "feedd", "update", "--config", str(config))
    return Peer("feedd", command, scratch / "web.db", "SELECT count(*) FROM entries")


def passes(peer: Peer, urls: Sequence[str], entries: int, *, again: bool) -> Passes:
    """A first pass over a fresh database, and one over what has not changed."""
    if peer.database.is_dir():
        shutil.rmtree(peer.database)
    elif peer.held:
        fresh(peer.database)
    if peer.adding:
        subprocess.run(
            peer.adding,
            input="\n".join(urls),
            text=True,
            check=True,
            timeout=PATIENCE_S,
            env=surroundings(peer),
        )
    cold, held = cost(peer), held_by(peer)
    assert held == entries, f"{peer.name} holds {held} entries of {entries}"
    if not again:
        return Passes(cold, None)
    time.sleep(DUE_S)
    return Passes(cold, cost(peer))


def surroundings(peer: Peer) -> dict[str, str]:
    """The environment as it is where a program is installed: with compiled modules."""
    without = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**without, **dict(peer.environment)}


def cost(peer: Peer) -> Cost:
    os.sync()  # what an earlier side wrote is no burden on this one
    begun = time.perf_counter()
    quiet, said = subprocess.DEVNULL, peer.database.with_suffix(".log")
    with said.open("wb") as log:
        process = subprocess.Popen(peer.command, stdin=quiet, stdout=log, stderr=log, env=surroundings(peer))
        _, status, used = os.wait4(process.pid, 0)  # with what its children used
    wall_s = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{peer.name} failed: {said.read_text(errors='replace')[-1000:]}")
    return Cost(wall_s, used.ru_utime + used.ru_stime)


def many(scratch: Path, count: int, rounds: int = 5) -> list[Figure]:
    """So many feeds, by feedd and by others, in turn. What is unchanged is read in each round by feedd, once by others."""
    with serving(count, ENTRIES) as (port, size):
        urls = [f"http://127.0.0.1:{port}/{number}" for number in range(count)]
        peers = {
            "newsboat": newsboat(scratch, urls, NEWSBOAT_THREADS),
            "reader": reader(scratch, READER_WORKERS),
            "sfeed": sfeed(scratch, urls, SFEED_JOBS),
        }
        sides = {"feedd": own(scratch, urls)} | {name: peer for name, peer in peers.items() if peer}
        taken: dict[str, list[Passes]] = {name: [] for name in sides}
        for number in range(rounds):
            for name, side in sides.items():
                again = name == "feedd" or number == 0
                taken[name].append(passes(side, urls, count * ENTRIES, again=again))
    what = f"{count} feeds of {ENTRIES} entries, {size / 1000:.0f} kB each"
    return [*figures_of(taken, sides, what)]


def figures_of(taken: dict[str, list[Passes]], sides: dict[str, Peer], what: str) -> Iterator[Figure]:
    ours = taken.pop("feedd")
    mine = [each.cold for each in ours]
    for name, target in TARGETS:
        if name not in taken:
            yield Figure(f"{what}, first pass", f"{name}: not installed", spelled(mine), "", target)
            continue
        other = [each.cold for each in taken[name]]
        factor = middle((a.wall_s / b.wall_s for a, b in zip(mine, other, strict=True)), " ×")
        yield Figure(
            f"{what}, first pass", f"{sides[name].name}: {spelled(other)}", spelled(mine), factor, target
        )
    others = [f"{name} {spelled(looks(theirs))}" for name, theirs in taken.items()]
    again = looks(ours)
    seconds = f"{median(each.wall_s for each in again):.2f} s"
    yield Figure("… unchanged (304)", f"once each: {'; '.join(others)}", spelled(again), seconds, "2 s")


def looks(passes: Sequence[Passes]) -> list[Cost]:
    """At what was unchanged."""
    return [each.unchanged for each in passes if each.unchanged is not None]


def spelled(costs: Sequence[Cost]) -> str:
    """Medians: how long it took, and the processor time that it cost."""
    wall, used = median(each.wall_s for each in costs), median(each.processor_s for each in costs)
    return f"{wall:.2f} s ({used:.2f} s of processor)"


def crowd(scratch: Path, count: int, rounds: int = 5) -> list[Figure]:
    """A configuration of so many feeds: until the daemon serves, what it holds in memory, until it has ended."""
    begun, again = list[Start](), list[Start]()
    with serving(50, ENTRIES) as (server, _):
        urls = [f"http://127.0.0.1:{server}/{number}" for number in range(count)]
        for number in range(rounds):
            fresh(scratch / "web.db")
            begun.append(started(scratch, urls, LOOKING_S if number == rounds - 1 else RESTING_S))
            again.append(started(scratch, urls, 0.0))
    what = f"a configuration of {count:,} feeds"
    known = median(each.seconds for each in again)
    detail = f"fresh database; {known:.2f} s over one that knows them"
    most = f"{max(each.looking for each in begun) / MB:.0f} MB in the first {LOOKING_S:.0f} s (once)"
    resting, ends = median(each.resting for each in begun), [each.ending_s for each in (*begun, *again)]
    return [
        Figure(
            f"{what}: until the daemon serves",
            "",
            detail,
            f"{middle((s.seconds for s in begun), ' s')}",
            "3 s",
        ),
        Figure("… memory (PSS, with all its processes)", "", most, f"{resting / MB:.0f} MB", "200 MB"),
        Figure(
            "… from SIGTERM to its end, at its first looks",
            "",
            f"worst {max(ends):.2f} s",
            middle(ends, " s"),
            "3 s",
        ),
    ]


class Start(NamedTuple):
    seconds: float
    resting: int  # bytes, when it served
    looking: int  # bytes at most, from then on, while it looked at sources
    ending_s: float  # from SIGTERM


def started(scratch: Path, urls: Sequence[str], watched_s: float) -> Start:
    port = free_port()
    config = configuration(scratch, urls, "1h", port)
    command = [sys.executable, "-m", "feedd", "run", "--config", str(config)]
    begun = time.perf_counter()
    with (scratch / "web.log").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        while not serves(port):
            if process.poll() is not None or time.perf_counter() - begun > START_S:
                raise RuntimeError((scratch / "web.log").read_text()[-2000:])
            time.sleep(0.01)
        seconds = time.perf_counter() - begun
        resting = held_by_tree(process.pid).pss
        with Sampled(process.pid) as sampled:
            time.sleep(watched_s)
        process.terminate()
        ended = time.perf_counter()
        with suppress(subprocess.TimeoutExpired):  # then that is how long it took, at least
            process.wait(START_S)
        return Start(seconds, resting, sampled.peak.pss, time.perf_counter() - ended)
    finally:
        process.kill()
        process.wait()


def serves(port: int) -> bool:
    try:
        return Client(port).get("/style.css").status == 200
    except OSError:
        return False
