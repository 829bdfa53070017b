"""What the site did, against what feedd recorded. Pure, but for reading the ledger and the database.

The ledger says what each answer held. What follows from two answers in a row is what feedd has to record, neither
more nor less; what came and went between two answers nobody could see.
"""

import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from itertools import groupby, zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from bench.soak.play import Fate, Kind, Source

MISSING_LOOKS = 2  # after which a watched page that is not found counts as removed
NUMBERS = re.compile(r"piece (\d+), edition (\d+)")
SAME_LOOK_S = 10.0  # a look that failed is followed by another after three quarters of a minute at least
OF_WATCHES = 1  # the key of a watched page
LETTERS = {"source-failing": "F", "source-recovered": "R"}
TURNS, TURNS_OF_PAGES = re.compile("(FR)*"), re.compile("(F{1,2}R)*")
Line = list[Any]


class Change(NamedTuple):
    kind: str
    edition: int | None  # None: of a removal

    def __str__(self) -> str:
        return self.kind if self.edition is None else f"{self.kind} {self.edition}"


class Place(NamedTuple):
    source: str
    key: int


Changes = Mapping[Place, Sequence[Change]]  # in order, of each place


class Log(NamedTuple):
    """What feedd recorded, without what is silent."""

    changes: Changes
    of_sources: Mapping[str, Sequence[str]]  # kinds of the changes of sources themselves
    told: frozenset[int]  # the numbers of all of these


class Known:
    """What feedd must know of the items of one source."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.editions = dict[int, int]()  # the last that was seen, by key
        self.stated = dict[int, int | None]()
        self.earlier = defaultdict[int, set[int]](set)
        self.removed = set[int]()
        self.missing = 0

    def reads(self, line: Line) -> Iterator[tuple[int, Change]]:
        """What has to be recorded after a line of the ledger."""
        match line:
            case ["failed", _, _, Fate.MISSING]:
                self.missing += 1
                if self.missing == MISSING_LOOKS:
                    yield from self.without({OF_WATCHES})
            case ["article", _, _, [key, edition, _]]:  # the sitemap said that it is another one
                yield from self.holds(key, edition, None)
            case ["sent", _, _, items] if self.source.kind is not Kind.SITEMAP:
                self.missing = 0
                for key, edition, stated in items:
                    yield from self.holds(key, edition, stated)
                if self.source.kind is Kind.FOLDER:
                    yield from self.without(self.editions.keys() - {key for key, _, _ in items})

    def holds(self, key: int, edition: int, stated: int | None) -> Iterator[tuple[int, Change]]:
        before, was_stated = self.editions.get(key), self.stated.get(key)
        if before is None:
            yield key, Change("added", edition)
        elif key in self.removed:
            yield key, Change("restored", edition)
        elif edition != before and edition in self.earlier[key]:
            yield key, Change("reverted", edition)
        elif edition != before:
            is_silent = stated is not None and stated == was_stated
            yield key, Change("silent-edit" if is_silent else "edited", edition)
        self.editions[key], self.stated[key] = edition, stated
        self.earlier[key].add(edition)
        self.removed.discard(key)

    def without(self, keys: set[int]) -> Iterator[tuple[int, Change]]:
        for key in keys - self.removed:
            self.removed.add(key)
            yield key, Change("removed", None)


class Expected(NamedTuple):
    changes: Changes
    shown: Mapping[str, frozenset[tuple[int, int]]]  # (key, edition) that the feed of each source shows
    failed: Mapping[str, int]  # the longest run of failures, by source
    rotten: frozenset[str]  # pages that were sent without any of what is looked for


def read(path: Path) -> list[Line]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def expected(sources: Mapping[str, Source], lines: Sequence[Line]) -> Expected:
    """What has to be in the log. Before the play began, first looks were had, which are silent."""
    known = {name: Known(source) for name, source in sources.items()}
    changes = defaultdict[Place, list[Change]](list)
    is_begun = False
    for line in lines:
        what, name = line[0], line[1]
        is_begun = is_begun or what == "begun"
        if name not in known:
            continue
        for key, change in known[name].reads(line):
            if is_begun:
                changes[Place(name, key)].append(change)
    shown = {
        name: frozenset(each for each in one.editions.items() if each[0] not in one.removed)
        for name, one in known.items()
    }
    rotten = {line[1] for line in lines if line[0] == "failed" and line[3] == Fate.NONSENSE}
    pages = frozenset(name for name in rotten if sources[name].kind is Kind.PAGE)
    return Expected(changes, shown, longest_failures(lines), pages)


def longest_failures(lines: Sequence[Line]) -> dict[str, int]:
    """The most looks in a row that failed, by source. A request that is made again at once belongs to the same look."""
    looks = defaultdict[str, list[tuple[float, bool]]](list)  # when, and whether it failed
    for what, name, at_s, *_ in lines:
        if what in {"failed", "well"}:
            each = looks[name]
            if each and each[-1][1] and at_s - each[-1][0] < SAME_LOOK_S:
                each.pop()
            each.append((at_s, what == "failed"))
    found = {}
    for name, each in looks.items():
        runs = [len(list(run)) for failed, run in groupby(failed for _, failed in each) if failed]
        found[name] = max(runs, default=0)
    return found


def recorded(database: Path) -> Log:
    query = (
        "SELECT c.id, c.kind, s.name, e.url, coalesce(r.title, '') FROM changes c JOIN sources s ON s.id = c.source_id"
        " LEFT JOIN entries e ON e.id = c.entry_id LEFT JOIN revisions r ON r.id = c.revision_id"
        " WHERE NOT c.silent ORDER BY c.id"
    )
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        rows = connection.execute(query).fetchall()
    changes, of_sources = defaultdict[Place, list[Change]](list), defaultdict[str, list[str]](list)
    for _, kind, source, url, title in rows:
        if url is None:
            of_sources[source].append(kind)
            continue
        numbers, last = NUMBERS.search(title), url.rpartition("/")[2]
        key = int(last) if last.isdigit() else OF_WATCHES
        edition = int(numbers[2]) if numbers and kind != "removed" else None
        changes[Place(source, key)].append(Change(kind, edition))
    return Log(changes, of_sources, frozenset(row[0] for row in rows))


def differences(due: Changes, found: Changes) -> list[str]:
    """What is lost, doubled or made up, in words."""
    mistakes = []
    for place in sorted(due.keys() | found.keys()):
        wanted, had = list(due.get(place, ())), list(found.get(place, ()))
        if wanted != had:
            pairs = zip_longest(wanted, had, fillvalue="nothing")
            at = next(f"{one} was to come, {other} came" for one, other in pairs if one != other)
            history = f"[{', '.join(map(str, wanted))}] against [{', '.join(map(str, had))}]"
            mistakes.append(f"{place.source}, piece {place.key}: {at}; {history}")
    return mistakes


def incidents(log: Log, expected: Expected, failing_after: int, leaving: frozenset[str]) -> list[str]:
    """What is wrong with what was told of sources: failing and recovered take turns, each for a reason.

    A page on which the selector finds nothing is told of at once, as an incident of its own beside that of failing.
    """
    mistakes = []
    for name in sorted(expected.failed.keys() - leaving):
        run, kinds = expected.failed[name], log.of_sources.get(name, ())
        letters = "".join(LETTERS.get(kind, "") for kind in kinds)
        is_rotten = name in expected.rotten
        if not (TURNS_OF_PAGES if is_rotten else TURNS).fullmatch(letters):
            mistakes.append(f"{name}: failing and recovered do not take turns: {', '.join(kinds)}")
        if (run >= failing_after or is_rotten) != bool(letters):
            mistakes.append(
                f"{name}: failed {run} times in a row, and {', '.join(kinds) or 'nothing'} was told"
            )
    paused = {name: log.of_sources.get(name, ()).count("source-paused") for name in sorted(leaving)}
    mistakes += [
        f"{name}: gone (410), and told to be paused {n} times" for name, n in paused.items() if n != 1
    ]
    return mistakes
