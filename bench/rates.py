"""How many requests a second one process answers: feedd, and nginx with the same document as a file.

wrk asks, over eight kept connections, from a core of its own. It is quicker than feedd, but nginx is quicker than wrk on
two cores; so the processor time that each server takes for a request stands beside its rate.
"""

import gzip
import os
import re
import shutil
import subprocess
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench import nginx
from bench.daemon import Client, Daemon, is_ingested, running, wait_for
from bench.figures import Figure, ratio
from bench.ingest import folder_of
from bench.serving import ENTRIES
from bench.side import fresh

PATH = "/feeds/all.atom"
CONNECTIONS = 8
SECONDS = 2
GZIP_LEVEL = 6
COUNTED = re.compile(r"^\s*(\d+) requests in ([\d.]+)(ms|s),", re.MULTILINE)
REFUSED = re.compile(r"Non-2xx or 3xx responses: (\d+)")


class Rate(NamedTuple):
    """What a server did while it was asked as fast as it answers."""

    each_s: float  # requests a second
    cost_us: float  # processor time of the server, a request


class Case(NamedTuple):
    """A kind of request, and what feedd's rate is to be, as a part of nginx's."""

    name: str
    gzipped: bool
    known: bool  # whoever asks has the document
    target: str


CASES = (
    Case("a cached feed of 112 kB", gzipped=False, known=False, target="0.5 × at least"),
    Case("… compressed", gzipped=True, known=False, target=""),
    Case("… unchanged (304)", gzipped=False, known=True, target="0.25 × at least"),
)


class Server(NamedTuple):
    """A server of the document, by its port and process."""

    port: int
    pid: int


def rates(scratch: Path, rounds: int = 5) -> list[Figure]:
    """Both sides in turn, so many times; medians of the rates, and of what each round compares."""
    if nginx.PROGRAM is None or shutil.which("wrk") is None:
        return [Figure(CASES[0].name, "left out: nginx or wrk is not installed", "", "", CASES[0].target)]
    folder = folder_of(scratch, ENTRIES)
    fresh(scratch / "daemon.db")
    with running(scratch, {"feed": folder}) as daemon:
        wait_for(lambda: is_ingested(daemon.database, "feed"), "the first pass")
        body = Client(daemon.port).get(PATH).body
        with nginx.serving(scratch / "nginx", PATH, body, gzip.compress(body, GZIP_LEVEL)) as peer:
            return [figure(case, daemon, peer, rounds) for case in CASES]


def figure(case: Case, daemon: Daemon, peer: nginx.Nginx, rounds: int) -> Figure:
    sides = Server(peer.port, peer.pid), Server(daemon.port, daemon.process.pid)
    pairs = [[measured(each, case) for each in sides] for _ in range(rounds)]
    theirs, ours = ([pair[side] for pair in pairs] for side in (0, 1))
    by_rate = median(mine.each_s / other.each_s for other, mine in pairs)
    by_cost = median(other.cost_us / mine.cost_us for other, mine in pairs)
    compared = f"{ratio(by_rate)} ({ratio(by_cost)} by processor time)"
    return Figure(case.name, in_words(theirs), in_words(ours), compared, case.target)


def in_words(rates: list[Rate]) -> str:
    each_s, cost_us = median(each.each_s for each in rates), median(each.cost_us for each in rates)
    return f"{each_s:,.0f}/s, {cost_us:.0f} µs each"


def measured(server: Server, case: Case) -> Rate:
    """Raises ValueError where an answer is none of those that were meant."""
    headers = ["-H", "Accept-Encoding: gzip"] if case.gzipped else []
    if case.known:
        headers += ["-H", f"If-None-Match: {Client(server.port).get(PATH).etag}"]
    address = f"http://127.0.0.1:{server.port}{PATH}"
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", *headers, address]
    begun_s = processor_s(server.pid)
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    spent_s, found = processor_s(server.pid) - begun_s, COUNTED.search(said)
    if found is None or REFUSED.search(said):
        raise ValueError(said)
    number, seconds = int(found[1]), float(found[2]) / (1000 if found[3] == "ms" else 1)
    return Rate(number / seconds, spent_s / number * 1e6)


def processor_s(pid: int) -> float:
    """Processor time that a process has used, in user and kernel mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
