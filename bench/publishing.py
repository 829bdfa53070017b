"""Publishing as files: what one new entry costs among many feeds, and how fast a long history is written."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from statistics import median

from bench.corpus import article
from bench.figures import Figure, middle
from bench.searching import AT_ONCE, BODIES, body, insert, published, written
from feedd.comparison import Comparisons
from feedd.config.load import load
from feedd.config.settings import Config
from feedd.publish.archive import rules_of
from feedd.publish.cache import Feeds, feeds_of
from feedd.site.publishing import Published, Round, publish
from feedd.store.archives import begin
from feedd.store.desk import Desk
from feedd.store.reader import Reader
from feedd.wiring import prepare

ENTRIES = 30  # of a feed
ROUNDS = 5
PUBLISH = "[publish]\ndirectory = 'public'\n"


def among_many(scratch: Path, count: int) -> list[Figure]:
    """A new entry in one of so many feeds: what is written, and how long that takes."""
    root = scratch / "publishing"
    for number in range(count):
        for entry in range(ENTRIES):
            seed(root, number, entry, number * ENTRIES + entry)
    sources = "".join(f"[sources.s{n}]\ntype = 'directory'\npath = 's{n}'\n" for n in range(count))
    (root / "config.toml").write_text(PUBLISH + sources)
    update(root)
    config = load(root / "config.toml")
    reader = Reader(config.store.path)
    publishing = Publishing(config, feeds_of(config, reader))
    first_s, first = publishing.timed()
    rounds = list[tuple[float, Published]]()
    for number in range(ROUNDS):
        seed(root, number, ENTRIES, count * ENTRIES + number)
        update(root)
        rounds.append(publishing.timed())
    idle_s, idle = publishing.timed(looks=True)
    reader.close()
    assert not idle.written
    most = max(len(done.written) for _, done in rounds)
    return [
        Figure(
            f"publishing after one new entry among {count} feeds",
            "",
            f"{most} of {len(first.written):,} files written",
            middle((seconds for seconds, _ in rounds), " s"),
            "1 s",
        ),
        Figure("… the first time", "", f"{first_s:.1f} s", "", ""),
        Figure("… when nothing changed, each file looked at", "", f"{idle_s * 1e3:.0f} ms", "", ""),
    ]


def archives(scratch: Path, count: int) -> list[Figure]:
    """The archive documents of a feed that so many entries went through."""
    root = scratch / "archives"
    root.mkdir()
    source = "[sources.corpus]\ntype = 'directory'\npath = 'articles'\n"
    (root / "config.toml").write_text(f"{PUBLISH}pages = false\n{source}")
    config = load(root / "config.toml")
    with Desk(config.store.path) as desk:
        prepare(desk, config)
        bodies = [body(number) for number in range(min(BODIES, count))]
        for start in range(0, count, AT_ONCE):
            written(desk, partial(insert, numbers=range(start, min(start + AT_ONCE, count)), bodies=bodies))
        reader = Reader(config.store.path)
        feeds = feeds_of(config, reader)
        written(desk, partial(archived, rules=rules_of(feeds.plans["all"]), count=count))
    rounds = [published_anew(config, reader) for _ in range(ROUNDS)]
    reader.close()
    seconds, done = median(took for took, _ in rounds), rounds[-1][1]
    made = [name for name in done.written if name.endswith(".atom") and "/archive/" in name]
    assert len(made) == count // 100
    size = sum(os.stat(root / "public" / name).st_size for name in made)
    return [
        Figure(
            f"archives of {count:,} entries published",
            "",
            f"{middle((took for took, _ in rounds), ' s')}, {size / 1e6:,.0f} MB and the same compressed twice",
            f"{count / seconds:,.0f} entries/s",
            "5,000 at least",
        )
    ]


def published_anew(config: Config, reader: Reader) -> tuple[float, Published]:
    """Into a directory that was not there."""
    assert config.publish is not None
    shutil.rmtree(config.publish.directory, ignore_errors=True)
    return Publishing(config, feeds_of(config, reader)).timed()


class Publishing:
    """As a daemon does it: what was compared stays in memory."""

    def __init__(self, config: Config, feeds: Feeds) -> None:
        self.config = config
        self.feeds = feeds
        self.comparisons = Comparisons(feeds.reader)

    def timed(self, *, looks: bool = False) -> tuple[float, Published]:
        """`looks`: at each file that is there, as a daemon does once an hour."""
        begun = time.perf_counter()
        how = Round(threading.Event(), looks=looks)
        done = publish(self.config, self.feeds, self.comparisons, how)
        return time.perf_counter() - begun, done


def seed(root: Path, source: int, entry: int, number: int) -> None:
    path = root / f"s{source}" / f"{entry}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(article(number), encoding="utf-8")
    long_ago_ns = time.time_ns() - 3_600_000_000_000
    os.utime(path, ns=(long_ago_ns, long_ago_ns))


def update(root: Path) -> None:
    command = [sys.executable, "-m", "feedd", "update", "--config", str(root / "config.toml")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def archived(to: sqlite3.Connection, rules: str, count: int) -> None:
    """As the archivist would have written it down."""
    begin(to, "all", rules)
    ((archive_id,),) = to.execute("SELECT id FROM archives WHERE feed = 'all'").fetchall()
    to.executemany(
        "INSERT INTO archived VALUES (?, ?, 'added', ?, ?, ?, NULL)",
        ((archive_id, n + 1, published(n), n + 1, n + 1) for n in range(count)),
    )
    to.execute("UPDATE archives SET items = ?, filled_at = 1 WHERE id = ?", [count, archive_id])
