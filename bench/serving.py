"""What a reader notices: how soon a file stands in the feed, and how quick the feed is while files go in."""

import time
from itertools import count as numbers
from pathlib import Path
from statistics import median, quantiles

from bench.corpus import article, make
from bench.daemon import Client, Daemon, is_ingested, running, wait_for
from bench.figures import Figure
from bench.ingest import MB, folder_of
from bench.memory import Memory, Sampled
from bench.side import fresh

POLL_S = 0.005
BETWEEN_S = 0.25
REQUESTS_A_SECOND = 50
SMALL = 200


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


def during_ingest(scratch: Path, count: int) -> list[Figure]:
    """Requests for a feed that does not change, while many files go into another source."""
    small, large = folder_of(scratch, SMALL), folder_of(scratch, count)
    fresh(scratch / "daemon.db")
    with running(scratch, {"small": small}) as daemon:
        wait_for(lambda: is_ingested(daemon.database, "small"), "the first pass")
    with running(scratch, {"small": small, "large": large}) as daemon, Sampled(daemon.process.pid) as sampled:
        taken = ask_until_ingested(daemon, "large")
    taken.sort()
    p99, worst = quantiles(taken, n=100)[98], taken[-1]
    name = f"a cached feed while {count:,} files go in"
    detail = f"{len(taken):,} requests; median {median(taken) * 1e3:.1f} ms, worst {worst * 1e3:.0f} ms"
    return [
        Figure(name, "", detail, f"p99 {p99 * 1e3:.0f} ms", "100 ms"),
        Figure(
            "… peak memory of the daemon in that time",
            "",
            shared(sampled.peak),
            f"{sampled.peak.pss / MB:.0f} MB",
            "",
        ),
    ]


def ask_until_ingested(daemon: Daemon, source: str) -> list[float]:
    """Seconds from when each request was due to its answer: a slow one makes those behind it late."""
    client, taken = Client(daemon.port), []
    client.get("/feeds/small.atom")
    begun = time.perf_counter()
    for number in numbers():
        due = begun + number / REQUESTS_A_SECOND
        time.sleep(max(0.0, due - time.perf_counter()))
        answer = client.get("/feeds/small.atom")
        taken.append(time.perf_counter() - due)
        assert answer.status == 200, answer
        if number % REQUESTS_A_SECOND == 0 and is_ingested(daemon.database, source):
            return taken
    raise AssertionError("unreachable")


def shared(peak: Memory) -> str:
    return f"{peak.rss / MB:.0f} MB with shared pages counted in each process"
