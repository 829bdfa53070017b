"""What an entry costs in a store ten times as large, and what a daemon over such a store needs at rest.

Two stores are filled by feedd's own recording, 50 entries a source, and followed by its index and archives. Then both
are measured in turn. Costs are processor time, which says the same whatever else the machine does: all is in memory.
"""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from itertools import count, islice
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.corpus import paragraphs
from bench.daemon import answers, free_port, wait_for
from bench.figures import Figure, ratio
from bench.memory import tree
from bench.side import fresh
from feedd.config.load import load
from feedd.config.settings import Config
from feedd.looks import key_of, now_ms
from feedd.model import Article, Conversation, Item
from feedd.normalise.article import derive, uid_of
from feedd.normalise.html import clean
from feedd.publish.archivist import Archivist
from feedd.publish.cache import Feeds, Key, feeds_of
from feedd.schedule import Due
from feedd.search.finder import Finder
from feedd.search.indexer import Indexer
from feedd.store.desk import Desk
from feedd.store.passes import Window
from feedd.store.reader import Reader
from feedd.wiring import prepare

OF_A_SOURCE = 50  # entries
BODIES = (
    2_000  # that differ; of two paragraphs, since what grows with the store are its tables, not its texts
)
FIRST_MS = 1_600_000_000_000
DAY_MS = 86_400_000
LOOKED_AT = 20  # sources in a round
ROUNDS = 7
AGAIN = 10  # times, where one takes little
ASKED = ("water", "water council", '"talks would"', "negoti* OR reser*", "的", "title:water")
BEGINNINGS = ("wa*", "reser*", "title:co*", "council te*")
BOUND = "1.25 ×"
SETTLE_S, WATCHED_S = 60.0, 30.0
STARTS = 5
MEMORY = 150
MB = 1_000_000


class Store(NamedTuple):
    """A filled store, and what is measured on it."""

    config: Config
    desk: Desk
    reader: Reader
    feeds: Feeds
    finder: Finder
    places: Iterator[int]  # of sources, in an order of chance, each once before any comes again
    editions: Iterator[int]  # no two edits are the same


class Rest(NamedTuple):
    """A daemon to which nobody comes."""

    start_s: float
    start_cost_s: float  # of processor
    uss: int
    pss: int
    rss: int
    tick_ms: float  # of processor, in all its processes and threads, a tick


@cache
def bodies() -> list[Article]:
    return [article_of(number) for number in range(BODIES)]


def article_of(number: int) -> Article:
    chance = random.Random(number)
    some = paragraphs(chance, chinese=number % 3 == 0)[:2]
    title = f"The water council, part {number}"
    return derive("https://example.org/", title, clean("".join(some), "https://example.org/"))


def item(number: int, edition: int = 0, folder: str = "") -> Item:
    """The entry of that number; of another edition, with a sentence more; another one, below another folder."""
    address = f"https://example.org/{folder}{number}"
    if edition:
        like = bodies()[number % BODIES]
        more = f"<p>In the end {edition} of them voted against it, which nobody had thought before.</p>"
        article = derive(address, like.title, like.content_html + more)
    else:
        article = bodies()[number % BODIES]._replace(url=address, uid=uid_of(address))
    return Item(address, FIRST_MS + number * 60_000, FIRST_MS, article, None, settled=True)


def configured(scratch: Path, sources: int, port: int = 1) -> Path:
    """A configuration of feeds that nobody answers for, and that are not due while anything is measured."""
    path, database = scratch / f"large-{sources}.toml", scratch / f"large-{sources}.db"
    head = f"[server]\nlisten = '127.0.0.1:{port}'\n[store]\npath = '{database}'\n[defaults]\nevery = '1d'\n"
    each = (f"[sources.s{n}]\ntype = 'feed'\nurl = 'http://127.0.0.1:9/{n}'\n" for n in range(sources))
    path.write_text(head + "".join(each))
    return path


def filled(scratch: Path, sources: int) -> Path:
    """Make a store of so many sources, unless there is one; returns its configuration."""
    path = configured(scratch, sources)
    config = load(path)
    if config.store.path.exists():
        return path
    with Desk(fresh(config.store.path)) as desk:
        prepare(desk, config)
        for place in range(sources):
            look(desk, config, place)
        Indexer(desk, Reader(config.store.path), {}).catch_up()
        Archivist(desk, feeds_of(config, Reader(config.store.path))).catch_up()
    return path


def look(desk: Desk, config: Config, place: int, edition: int = 0, folder: str = "") -> float:
    """What one look at a source costs, in seconds, recorded as `window` does it; making the items does not count."""
    numbers = range(place * OF_A_SOURCE, (place + 1) * OF_A_SOURCE)
    key, items = key_of(config.sources[place]), [item(number, edition, folder) for number in numbers]
    begun = time.process_time()
    started = desk.run(lambda writer: writer.begin(key, now_ms()))
    window = Window(items, (), Due(now_ms() + DAY_MS, "every 1d"), Conversation())
    desk.run(lambda writer: writer.close_window(key, started.look, window))
    return time.process_time() - begun


@contextmanager
def opened(path: Path) -> Iterator[Store]:
    config = load(path)
    with Desk(config.store.path) as desk:
        prepare(desk, config)
        reader = Reader(config.store.path)
        feeds = feeds_of(config, reader)
        finder, places = Finder(reader, config, feeds.plans), shuffled(len(config.sources))
        Indexer(desk, reader, {}).catch_up()
        yield Store(config, desk, reader, feeds, finder, places, count(int(time.time())))
        reader.close()


def chosen(store: Store) -> list[int]:
    return list(islice(store.places, LOOKED_AT))


def shuffled(count: int) -> Iterator[int]:
    chance = random.Random(1)
    while True:
        yield from chance.sample(range(count), count)


def ingested(store: Store) -> float:
    """Seconds an entry: each look finds as many new ones as the source has."""
    folder = f"{next(store.editions)}/"
    spent = sum(look(store.desk, store.config, place, folder=folder) for place in chosen(store))
    return spent / (LOOKED_AT * OF_A_SOURCE)


def unchanged(store: Store) -> float:
    spent = sum(look(store.desk, store.config, place) for place in chosen(store))
    return spent / (LOOKED_AT * OF_A_SOURCE)


def decided(store: Store) -> float:
    """Each entry of the source was edited: compared, judged, packed, told."""
    edition = next(store.editions)
    spent = sum(look(store.desk, store.config, place, edition) for place in chosen(store))
    return spent / (LOOKED_AT * OF_A_SOURCE)


def fed(store: Store) -> float:
    """Seconds a document: the feed of all entries, and those of some sources, made anew."""
    names = ["all", *(store.config.sources[place].name for place in chosen(store))]
    begun = time.process_time()
    for name in names:
        store.feeds.render(Key(name, "atom", OF_A_SOURCE))
    return (time.process_time() - begun) / len(names)


def all_fed(store: Store) -> float:
    begun = time.process_time()
    for _ in range(AGAIN):
        store.feeds.render(Key("all", "atom", OF_A_SOURCE))
    return (time.process_time() - begun) / AGAIN


def searched(store: Store, asked: tuple[str, ...] = ASKED) -> float:
    begun = time.process_time()
    for text in asked * AGAIN:
        store.finder.find(text)
    return (time.process_time() - begun) / len(asked * AGAIN)


MEASURED: tuple[tuple[str, Callable[[Store], float], str], ...] = (
    ("an unchanged look", unchanged, "an entry"),
    ("the feed of all entries", all_fed, "a document"),
    ("the feed of a source", fed, "a document"),
    ("a search", searched, "a search"),
    ("… by the beginning of a word", partial(searched, asked=BEGINNINGS), "a search"),
    ("deciding: each entry edited", decided, "an entry"),
    ("ingest: each entry new", ingested, "an entry"),
)


def growing(scratch: Path, sources: int) -> list[Figure]:
    """Costs in a store of so many sources against those in one of a tenth."""
    paths = [filled(scratch, number) for number in (sources // 10, sources)]
    figures, what = list[Figure](), f"{sources * OF_A_SOURCE:,} entries, {sources:,} sources"
    with opened(paths[0]) as small, opened(paths[1]) as large:
        for name, measure, unit in MEASURED:
            measure(small), measure(large)
            pairs = [(measure(small), measure(large)) for _ in range(ROUNDS)]
            least, most = (median(pair[side] for pair in pairs) for side in (0, 1))
            factor = median(big / little for little, big in pairs)
            little, big = (f"{each * 1e6:,.0f} µs {unit}" for each in (least, most))
            figures.append(Figure(f"{what}: {name}", f"{little} in a tenth", big, ratio(factor), BOUND))
    return [*figures, *resting(scratch, sources, what)]


def resting(scratch: Path, sources: int, what: str) -> list[Figure]:
    """A daemon over the large store: how long it takes to serve, and what it needs when nothing happens."""
    rests = [
        at_rest(scratch, sources, *times) for times in (*[(0.0, 0.0)] * (STARTS - 1), (SETTLE_S, WATCHED_S))
    ]
    wall, cost = median(each.start_s for each in rests), median(each.start_cost_s for each in rests)
    last = rests[-1]
    shared = f"PSS {last.pss / MB:.0f} MB, RSS {last.rss / MB:.0f} MB"
    start = f"a daemon over {what}: until it serves"
    return [
        Figure(start, "", f"{cost:.1f} s of processor", f"{wall:.1f} s", ""),
        Figure("… memory at rest, of its own (USS)", "", shared, f"{last.uss / MB:.0f} MB", f"{MEMORY} MB"),
        Figure("… processor at rest, a tick", "", "", f"{last.tick_ms:.1f} ms", ""),
    ]


def at_rest(scratch: Path, sources: int, settle_s: float, watched_s: float) -> Rest:
    port = free_port()
    command = [
        sys.executable, "-m", "feedd", "run", "--config", str(configured(scratch, sources, port)),
    ]  # fmt: skip
    begun = time.perf_counter()
    with (scratch / "large.log").open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        wait_for(lambda: process.poll() is not None or answers(port), "the daemon to answer")
        start_s, start_cost_s = time.perf_counter() - begun, processor_s(process.pid)
        time.sleep(settle_s)
        before = processor_s(process.pid)
        time.sleep(watched_s)
        spent = processor_s(process.pid) - before
        uss, pss, rss = (sum(kinds) for kinds in zip(*map(held_by, tree(process.pid)), strict=True))
        return Rest(start_s, start_cost_s, uss, pss, rss, spent / max(watched_s, 1.0) * 1e3)
    finally:
        process.terminate()
        process.wait(SETTLE_S)


def processor_s(pid: int) -> float:
    """What a process and those that it started have used; a tick of the daemon's comes once a second."""
    fields = [Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split() for each in tree(pid)]
    return sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")


def held_by(pid: int) -> tuple[int, int, int]:
    """Bytes: its own, with its part of what is shared, with all of what is shared."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kilobytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    own = kilobytes["Private_Clean"] + kilobytes["Private_Dirty"]
    return own * 1024, kilobytes["Pss"] * 1024, kilobytes["Rss"] * 1024
