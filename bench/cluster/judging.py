"""What a play came to, from the web's log and the daemon's database."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from bench.cluster.network import machine_of


class Asked(NamedTuple):
    """A request, as the web saw it; by the machine's monotonic clock."""

    host: str
    source: int
    begin_s: float
    end_s: float
    who: str
    whole: bool  # whether all of the answer was taken


class Manners(NamedTuple):
    """How the hosts were treated."""

    requests: int
    hosts: int  # that were asked more than once
    overlaps: int  # requests that came while another of the same host was under way
    hasty: int  # that came sooner after the one before than the interval
    shortest_s: float  # from one to the next, of a host
    by: Counter[str]  # requests, by who asked
    cut: int  # answers that nobody took to the end


Entry = tuple[str, str, int, bytes]  # uid, URL, revisions, hash of the newest content


class Held(NamedTuple):
    """What a database holds."""

    entries: Counter[Entry]
    revisions: int
    changes: Counter[tuple[str, str]]  # (kind, uid)
    sources: int  # collected
    failed: dict[str, str]  # source → why
    incidents: list[tuple[str, str]]  # of feedd itself: what was wrong, and whether it is over


def asked(log: Path) -> list[Asked]:
    found = []
    for line in log.read_text().splitlines():
        host, source, begin, end, peer, whole = line.split()
        found.append(
            Asked(host, int(source), int(begin) / 1e9, int(end) / 1e9, machine_of(peer), whole == "1")
        )
    return found


def manners(log: Sequence[Asked], interval_s: float, slack_s: float) -> Manners:
    """`slack_s`: that two requests may lose on their ways."""
    by_host = defaultdict(list)
    for each in log:
        by_host[each.host].append(each)
    gaps, overlaps = [], 0
    for requests in by_host.values():
        requests.sort(key=lambda each: each.begin_s)
        until_s = 0.0
        for each in requests:
            overlaps += each.begin_s < until_s
            until_s = max(until_s, each.end_s)
        gaps += [later.begin_s - earlier.begin_s for earlier, later in pairwise(requests)]
    return Manners(
        requests=len(log),
        hosts=sum(len(requests) > 1 for requests in by_host.values()),
        overlaps=overlaps,
        hasty=sum(gap < interval_s - slack_s for gap in gaps),
        shortest_s=min(gaps, default=float("inf")),
        by=Counter(each.who for each in log),
        cut=sum(not each.whole for each in log),
    )


def held(database: Path) -> Held:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        run = connection.execute
        entries: Iterable[Entry] = run(
            "SELECT uid, url, revisions, (SELECT content_hash FROM revisions WHERE entry_id = entries.id"
            " ORDER BY number DESC LIMIT 1) FROM entries"
        )
        changes = run("SELECT kind, uid FROM changes JOIN entries ON entries.id = changes.entry_id")
        return Held(
            Counter(entries),
            run("SELECT count(*) FROM revisions").fetchone()[0],
            Counter(changes),
            run("SELECT count(*) FROM sources WHERE first_pass_at IS NOT NULL").fetchone()[0],
            dict(run("SELECT name, error FROM sources WHERE error IS NOT NULL")),
            list(
                run(
                    "SELECT detail, iif(closed_at IS NULL, 'open', 'over') FROM incidents WHERE kind = 'cluster'"
                )
            ),
        )


def differences(found: Held, expected: Held) -> list[str]:
    """In words; none where both hold the same, each once."""
    said = []
    if found.sources != expected.sources:
        said.append(f"{found.sources} sources were collected, not {expected.sources}")
    if missing := expected.entries - found.entries:
        said.append(f"{missing.total()} entries are missing, or another: {next(iter(missing))[1]} …")
    if more := found.entries - expected.entries:
        said.append(f"{more.total()} entries too many, or another: {next(iter(more))[1]} …")
    if found.revisions != expected.revisions:
        said.append(f"{found.revisions} revisions, not {expected.revisions}")
    if found.changes != expected.changes:
        said.append("the change log is another")
    return said


def collected(database: Path) -> int:
    """How many sources were."""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        try:
            row = connection.execute(
                "SELECT count(*) FROM sources WHERE first_pass_at IS NOT NULL"
            ).fetchone()
        except sqlite3.OperationalError:  # it is being made
            return 0
    return int(row[0])
