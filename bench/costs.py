"""What one look and one entry cost in processor time: what is reckoned with where machines are planned.

Looks are those of `feedd update` over many feeds, less what it costs over a tenth of them, so that its start is in none.
Entries are read, recorded and indexed in this process, one step after the other.
"""

import pickle
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import pairwise
from pathlib import Path

from bench.feedserver import document
from bench.figures import Figure, middle
from bench.side import fresh, size
from bench.web import DUE_S, ENTRIES, cost, own, serving
from feedd.config.load import load
from feedd.config.sources import FeedSource
from feedd.fetch.values import Answer
from feedd.looks import key_of, now_ms
from feedd.model import Conversation, Item
from feedd.publish.archivist import Archivist
from feedd.publish.cache import feeds_of
from feedd.reading import Task, reply
from feedd.recipes import recipe_of
from feedd.schedule import Due
from feedd.search.indexer import Indexer
from feedd.sources import documents
from feedd.store import backup
from feedd.store.desk import Desk
from feedd.store.passes import Window
from feedd.store.reader import Reader
from feedd.wiring import prepare

ROUNDS = 5
DAY_MS = 86_400_000
LOOKS = (
    ("304", ""),
    ("200, the same bytes", "plain/"),
    (f"200, one of {ENTRIES} entries is new", "fresh/"),
)
STEPS = ("read and cleaned", "made bytes", "made of bytes", "recorded", "indexed", "noted in archives")


def costs(scratch: Path, count: int) -> list[Figure]:
    return [*of_looks(scratch, count), *of_entries(scratch, count // 5)]


def of_looks(scratch: Path, count: int) -> Iterator[Figure]:
    few = count // 10
    with serving(count, ENTRIES) as (port, bytes_each):
        for name, path in LOOKS:
            urls = [f"http://127.0.0.1:{port}/{path}{number}" for number in range(count)]
            least, most = (looked(scratch / f"{len(some)}", some) for some in (urls[:few], urls))
            each = [(big - little) / (count - few) * 1e3 for little, big in zip(least, most, strict=True)]
            detail = f"{bytes_each / 1000:.0f} kB each" if path else ""
            yield Figure(f"cost of a look: {name}", "", detail, middle(each, " ms of processor"), "")


def looked(scratch: Path, urls: Sequence[str]) -> list[float]:
    """Seconds of the processor that each update took but the first."""
    scratch.mkdir(exist_ok=True)
    peer, taken = own(scratch, urls), list[float]()
    fresh(peer.database)
    cost(peer)
    for _ in range(ROUNDS):
        time.sleep(DUE_S)
        taken.append(cost(peer).processor_s)
    return taken


def of_entries(scratch: Path, feeds: int) -> Iterator[Figure]:
    """Articles of the corpus, as feeds bring them: an entry of 3.7 kB."""
    answers = [
        Answer(
            f"https://site-{n}.example.org/", 200, {"content-type": "application/xml"}, document(n, ENTRIES)
        )
        for n in range(feeds * ROUNDS)
    ]
    path = scratch / "costs.toml"
    names = "".join(f"[sources.f{n}]\ntype = 'feed'\nurl = '{each.url}'\n" for n, each in enumerate(answers))
    path.write_text(f"[store]\npath = '{fresh(scratch / 'costs.db')}'\n{names}")
    config, taken = load(path), list[list[float]]()
    with Desk(config.store.path) as desk, closing(Reader(config.store.path)) as reader:
        prepare(desk, config)
        sources = [source for source in config.sources if isinstance(source, FeedSource)]
        archivist = Archivist(desk, feeds_of(config, reader))
        indexer = Indexer(desk, reader, {})
        steps_after = (indexer.catch_up, archivist.catch_up)
        for start in range(0, len(answers), feeds):
            some = range(start, start + feeds)
            taken.append(round_of(desk, [sources[n] for n in some], [answers[n] for n in some], steps_after))
        stored = desk.run(lambda writer: bytes_of(writer.connection))
        wal = size(config.store.path) - config.store.path.stat().st_size
        backup_s = seconds(lambda: backup.backup(config.store.path, scratch / "copy.db"))
    entries = feeds * ENTRIES
    for place, step in enumerate(STEPS):
        each = [some[place] / entries * 1e6 for some in taken]
        yield Figure(f"cost of a new entry: {step}", "", "", middle(each, " µs of processor"), "")
    total, whole = entries * ROUNDS, stored / 1e6
    yield Figure(
        "… what it takes in the database, index and all",
        "",
        f"{total:,} entries",
        f"{stored / total / 1e3:.1f} kB",
        "",
    )
    yield Figure("… WAL at the end of that", "", "", f"{wal / 1e6:.0f} MB", "")
    yield Figure(
        "… a backup of that database (one run)", "", f"{whole:.0f} MB", f"{whole / backup_s:,.0f} MB/s", ""
    )


def round_of(
    desk: Desk,
    sources: Sequence[FeedSource],
    answers: Sequence[Answer],
    after: Sequence[Callable[[], object]],
) -> list[float]:
    """Seconds of the processor, a step."""
    marks, now = [time.process_time()], now_ms()
    replies = [reply(answer, task(source, now)) for source, answer in zip(sources, answers, strict=True)]
    marks.append(time.process_time())
    crossing = [pickle.dumps(each) for each in replies]
    marks.append(time.process_time())
    made = [items_of(pickle.loads(each)) for each in crossing]
    marks.append(time.process_time())
    for source, items in zip(sources, made, strict=True):
        record(desk, source, items)
    marks.append(time.process_time())
    for step in after:
        step()
        marks.append(time.process_time())
    return [end - begin for begin, end in pairwise(marks)]


def task(source: FeedSource, now: int) -> Task[documents.Reading]:
    return Task(partial(documents.read_feed, recipe=recipe_of(source), now_ms=now, whole=True))


def items_of(said: object) -> list[Item]:
    made = said.result.made  # type: ignore[attr-defined]
    assert len(made.items) == ENTRIES, made.rejected
    return list(made.items)


def record(desk: Desk, source: FeedSource, items: Sequence[Item]) -> None:
    """As `window` does it."""
    key = key_of(source)
    started = desk.run(lambda writer: writer.begin(key, now_ms()))
    window = Window(items, (), Due(now_ms() + DAY_MS, "every 1d"), Conversation())
    desk.run(lambda writer: writer.close_window(key, started.look, window))


def bytes_of(connection: sqlite3.Connection) -> int:
    (size_,), (count,) = (
        connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_size", "page_count")
    )
    return int(size_ * count)


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
