"""Searches over a large store, what the index takes, and what a pass pays for being followed."""

import asyncio
import random
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from statistics import median, quantiles

from bench.corpus import article, paragraphs, sentences
from bench.figures import Figure, middle, ratio
from bench.ingest import MB, folder_of
from bench.side import fresh
from feedd.config.load import load
from feedd.config.sources import DirectorySource
from feedd.folder import FolderLooker
from feedd.normalise.html import clean
from feedd.publish.cache import feeds_of
from feedd.search.finder import Finder
from feedd.search.indexer import Indexer, state_of
from feedd.store.database import placeholders
from feedd.store.desk import Desk
from feedd.store.reader import Reader
from feedd.store.search_index import Batch, Cursor, Shown, Update, apply, begin_anew, columns_of
from feedd.store.writer import Writer
from feedd.wiring import prepare

BODIES = 10_000  # that differ; entries beyond them have a title and a time of their own
AT_ONCE = 500
MINUTE_MS = 60_000
ROUNDS = 20
Columns = tuple[str, str, str, str]


def queries() -> dict[str, str]:
    """What people might ask for; words and characters as frequent as the corpus makes them."""
    chinese, latin = sentences(True)[7], sentences(False)[7]
    return {
        "one character": "的",
        "two characters apart": "的 一",
        "a word of two characters": chinese[2:4],
        "a phrase of six characters": chinese[2:8],
        "a common word": "water",
        "two common words": "water council",
        "a phrase": f'"{" ".join(latin.split()[2:5])}"',
        "the beginning of a word": "negoti* OR reser*",
        "with conditions": "的 source:corpus after:2020-09-20 -water",
        "in titles": f"title:{chinese[0]}",
        "nothing that there is": "zzyzx",
    }


def searching(scratch: Path, count: int) -> list[Figure]:
    """How long a search takes, the twenty best with their fragments."""
    database = fresh(scratch / "search.db")
    config = load(configured(scratch, database))
    with Desk(database) as desk:
        prepare(desk, config)
        files, taken = filled(desk, count)
    reader = Reader(database)
    finder = Finder(reader, config, feeds_of(config, reader).plans)
    times: dict[str, list[float]] = {name: [] for name in queries()}
    for _ in range(ROUNDS):
        for name, text in queries().items():
            begun = time.perf_counter()
            finder.find(text)
            times[name].append((time.perf_counter() - begun) * 1e3)
    reader.close()
    every = [each for some in times.values() for each in some]
    worst = max(times, key=lambda name: median(times[name]))
    for name, some in times.items():
        print(f"  {name}: {median(some):.0f} ms, at most {max(some):.0f} ms", file=sys.stderr)
    named = f"a search over {count:,} entries"
    return [
        Figure(
            named, "", f"{median(every):.0f} ms, p95 {quantiles(every, n=20)[-1]:.0f} ms", "", "p95 100 ms"
        ),
        Figure(f"… the slowest: {worst}", "", f"{median(times[worst]):.0f} ms", "", ""),
        Figure(
            "its index against the files",
            f"{files / MB:.0f} MB",
            f"{taken / MB:.0f} MB",
            ratio(taken / files),
            "0.8 ×",
        ),
    ]


def configured(scratch: Path, database: Path) -> Path:
    path = scratch / "search.toml"
    path.write_text(f"[store]\npath = '{database}'\n[sources.corpus]\ntype = 'directory'\npath = '.'\n")
    return path


def filled(desk: Desk, count: int) -> tuple[int, int]:
    """Fill a store with entries, and its index; how many bytes their files have, and how many the index."""
    bodies = [body(number) for number in range(min(BODIES, count))]
    for start in range(0, count, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, count))
        written(desk, partial(insert, numbers=numbers, bodies=bodies))
    before = desk.run(lambda writer: pages(writer.connection))
    written(desk, partial(begin_anew, order="[]"))
    at = Cursor()
    for start in range(0, count, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, count))
        then = Cursor(0, numbers[-1] + 1)
        updates = tuple(update(number, bodies) for number in numbers)
        batch = Batch(at, then, updates)
        assert written(desk, partial(apply, batch=batch))
        at = then
    taken = desk.run(lambda writer: pages(writer.connection)) - before
    files = sum(len(article(number).encode()) for number in range(200)) * count // 200
    return files, taken


def written(desk: Desk, work: Callable[[sqlite3.Connection], object]) -> object:
    return desk.run(lambda writer: writer.within(work))


def body(number: int) -> tuple[str, Columns]:
    chance = random.Random(number)
    html = clean("".join(paragraphs(chance, chinese=number % 3 != 0)), "https://example.org/")
    return html, columns_of(title(number), html, None)


def title(number: int) -> str:
    return random.Random(-number - 1).choice(sentences(number % 3 != 0))[:40].strip("，。！. ")


def published(number: int) -> int:
    return 1_600_000_000_000 + number * MINUTE_MS


def insert(to: sqlite3.Connection, numbers: range, bodies: list[tuple[str, Columns]]) -> None:
    to.executemany(
        "INSERT INTO entries VALUES (?,?,?,?,?,0,?,1,1,?,?,NULL)",
        (
            (
                n + 1,
                str(n),
                f"https://example.org/{n}",
                title(n),
                published(n),
                published(n),
                published(n),
                published(n),
            )
            for n in numbers
        ),
    )
    to.executemany(
        f"INSERT INTO revisions VALUES ({placeholders(26)})",
        (
            (
                n + 1,
                n + 1,
                1,
                1,
                1,
                f"{n}.md",
                published(n),
                published(n),
                title(n),
                None,
                bodies[n % len(bodies)][0],
            )
            + (None, None, b"", b"", b"", 1, "", "added", "substantial", None, 1, published(n), None, None, 0)
            for n in numbers
        ),
    )


def update(number: int, bodies: list[tuple[str, Columns]]) -> Update:
    _, columns = bodies[number % len(bodies)]
    return Update(number + 1, None, None, Shown(number + 1, published(number)), columns)


def pages(connection: sqlite3.Connection) -> int:
    (size,), (count,) = (
        connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_size", "page_count")
    )
    return int(size * count)


def following(scratch: Path, count: int, rounds: int = 5) -> list[Figure]:
    """A cold ingest with the index at its heels, against one without; and how far behind that is at the end."""
    folder = folder_of(scratch, count)
    pairs = [
        (ingest(scratch, folder, follow=False), ingest(scratch, folder, follow=True)) for _ in range(rounds)
    ]
    ratios = [followed[0] / alone[0] for alone, followed in pairs]
    alone, followed = (median(pair[side][0] for pair in pairs) for side in (0, 1))
    behind = median(pair[1][1] for pair in pairs)
    steps = max(pair[1][2] for pair in pairs)
    return [
        Figure(
            f"cold ingest of {count:,} files that the index follows",
            f"{alone:.2f} s",
            f"{followed:.2f} s",
            middle(ratios, " ×"),
            "1.1 ×",
        ),
        Figure("… the index is up to date so much later", "", f"{behind:.1f} s", "", ""),
        Figure("… the longest transaction that it wrote", "", f"{steps * 1e3:.0f} ms", "", ""),
    ]


def ingest(scratch: Path, folder: Path, *, follow: bool) -> tuple[float, float, float]:
    """Seconds of the pass, seconds until the index had followed, and of its longest transaction."""
    database = fresh(scratch / "following.db")
    path = scratch / "following.toml"
    path.write_text(
        f"[store]\npath = '{database}'\n[sources.corpus]\ntype = 'directory'\npath = '{folder}'\n"
    )
    config = load(path)
    (source,) = config.sources
    assert isinstance(source, DirectorySource)
    with Desk(database) as desk:
        prepare(desk, config)
        return asyncio.run(followed_pass(desk, source, database, follow=follow))


async def followed_pass(
    desk: Desk, source: DirectorySource, database: Path, *, follow: bool
) -> tuple[float, float, float]:
    indexer = Timed(desk, Reader(database), {})
    task = asyncio.create_task(indexer.run()) if follow else None
    looker, begun = FolderLooker(desk, threading.Event(), database.parent), time.perf_counter()
    await asyncio.to_thread(looker.look, source)
    seconds = time.perf_counter() - begun
    behind = 0.0
    if task is not None:
        await asyncio.to_thread(wait_for, database)
        behind = time.perf_counter() - begun - seconds
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    return seconds, behind, indexer.longest


def wait_for(database: Path) -> None:
    """Until the index is up to date."""
    reader = Reader(database)
    while state_of(reader).behind:
        time.sleep(0.05)
    reader.close()


class Timed(Indexer):
    """Notes how long its transactions take."""

    longest = 0.0

    def apply(self, batch: Batch, order: str | None) -> bool:
        def timed(writer: Writer) -> bool:
            begun = time.perf_counter()
            done = writer.within(lambda to: apply(to, batch, order))
            self.longest = max(self.longest, time.perf_counter() - begun)
            return done

        return self.desk.run(timed)
