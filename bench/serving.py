"""What a reader notices: how soon a file stands in the feed, and how quick the feed is while files go in."""

import gzip
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

from bench import nginx
from bench.corpus import article, make
from bench.daemon import Client, Daemon, is_ingested, running, wait_for
from bench.figures import Figure, middle
from bench.ingest import MB, folder_of
from bench.memory import Memory, Sampled
from bench.side import fresh

POLL_S = 0.005
BETWEEN_S = 0.25
FEED = "/feeds/small.atom"
REQUESTS_A_SECOND = 500
INGEST_S = 300.0
ENTRIES = 30  # a document of 112 kB
APART = 1_000_000  # more files than any folder has


class Asked(NamedTuple):
    """What became of the requests of one ingest; milliseconds."""

    number: int
    median_ms: float
    p99_ms: float
    worst_ms: float


def drop(scratch: Path, count: int, drops: int = 20) -> list[Figure]:
    """A file is put into a watched folder; when does the feed that people subscribe to show it?"""
    folder = scratch / "dropped"
    make(folder, count)
    fresh(scratch / "daemon.db")
    with running(scratch, {"dropped": folder}) as daemon:
        wait_for(lambda: is_ingested(daemon.database, "dropped"), "the first pass")
        client = Client(daemon.port)
        taken = []
        for number in range(count, count + drops):
            time.sleep(BETWEEN_S + number % 7 / 10)
            taken.append(until_shown(client, folder, number))
    detail = f"median of {drops}; {min(taken):.2f} to {max(taken):.2f} s"
    name = f"a file dropped among {count:,} until the feed shows it"
    return [Figure(name, "", detail, f"{median(taken):.3f} s", "0.3 s")]


def until_shown(client: Client, folder: Path, number: int) -> float:
    """Seconds from the moment that the file is complete; every other one is written where it stands."""
    path, etag = folder / f"{number}.md", client.get("/feeds/all.atom").etag
    data, marker = article(number).encode(), f'/{number}"'.encode()
    if number % 2:
        path.write_bytes(data)
    else:
        partial = folder / f".{number}.tmp"
        partial.write_bytes(data)
        partial.replace(path)
    begun = time.perf_counter()
    while True:
        answer = client.get("/feeds/all.atom", etag)
        if answer.status == 200 and marker in answer.body:
            return time.perf_counter() - begun
        if time.perf_counter() - begun > 30:
            raise TimeoutError(f"{path.name} does not appear in the feed")
        etag = answer.etag or etag
        time.sleep(POLL_S)


def during_ingest(scratch: Path, count: int, rounds: int = 5) -> list[Figure]:
    """Requests for a feed that does not change, while many files go into another source; nginx asked in its place."""
    small, large = apart(scratch), folder_of(scratch, count)
    fresh(scratch / "daemon.db")
    with running(scratch, {"small": small}) as daemon:
        wait_for(lambda: is_ingested(daemon.database, "small"), "the first pass")
        body = Client(daemon.port).get(FEED).body
    aside, folders = copied(scratch), {"small": small, "large": large}
    theirs, ours, peaks = list[Asked](), list[Asked](), list[Memory]()
    for _ in range(rounds):
        if nginx.PROGRAM is not None:
            shutil.copyfile(aside, fresh(scratch / "daemon.db"))
            theirs.append(beside_nginx(scratch, folders, body))
        shutil.copyfile(aside, fresh(scratch / "daemon.db"))
        with running(scratch, folders) as daemon, Sampled(daemon.process.pid) as sampled:
            ours.append(ask_until_ingested(daemon, daemon.port))
        peaks.append(sampled.peak)
    name = f"a cached feed, {REQUESTS_A_SECOND} times a second, while {count:,} files go in"
    rss, pss = (median(getattr(peak, kind) for peak in peaks) / MB for kind in ("rss", "pss"))
    return [
        Figure(
            name,
            f"nginx: {in_words(theirs)}" if theirs else "nginx: not installed",
            in_words(ours),
            f"p99 {middle((each.p99_ms for each in ours), ' ms')}",
            "20 ms",
        ),
        Figure(
            "… peak memory of the daemon in that time",
            "",
            f"{rss:.0f} MB with shared pages counted in each process",
            f"{pss:.0f} MB",
            "",
        ),
    ]


def apart(scratch: Path) -> Path:
    """A folder of files none of which is in another one: what goes in there changes nothing of these."""
    folder = scratch / "apart"
    if not folder.exists():
        make(folder, ENTRIES, start=APART)
    return folder


def copied(scratch: Path) -> Path:
    """The database as it is, kept for the second side."""
    aside = scratch / "before.db"
    shutil.copyfile(scratch / "daemon.db", aside)
    return aside


def beside_nginx(scratch: Path, folders: Mapping[str, Path], body: bytes) -> Asked:
    """As `ask_until_ingested`, of nginx, while feedd ingests."""
    with (
        nginx.serving(scratch / "nginx", FEED, body, gzip.compress(body)) as peer,
        running(scratch, folders) as daemon,
    ):
        return ask_until_ingested(daemon, peer.port)


def ask_until_ingested(daemon: Daemon, port: int) -> Asked:
    """A request's time counts from when it was due: a slow one makes those behind it late."""
    command = [sys.executable, "-m", "bench.asking", str(port), FEED, str(REQUESTS_A_SECOND)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as asking:
        wait_for(lambda: is_ingested(daemon.database, "large"), "the first pass", INGEST_S)
        printed = json.loads(asking.communicate()[0])
    assert not printed["failed"], printed["failed"]
    taken = sorted(1e3 * each for each in printed["taken"])
    return Asked(len(taken), median(taken), quantiles(taken, n=100)[98], taken[-1])


def in_words(rounds: Sequence[Asked]) -> str:
    number, usual, slow, worst = (median(each) for each in zip(*rounds, strict=True))
    return f"{number:,.0f} requests; median {usual:.2f} ms, p99 {slow:.1f} ms, worst {worst:.0f} ms"
