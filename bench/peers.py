"""Other readers, put to the same work: Debian's newsboat and sfeed, and the `reader` library from the package index.

`python peers.py DATABASE WORKERS` is what a program over `reader` does: it runs in an environment of reader's own, and
imports nothing of this project. Addresses come on standard input where the feeds are to be added first.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import venv
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

READER = ("reader", "sgmllib3k")  # its copy of feedparser needs the second, and does not ask for it
NEWSBOAT_CONFIG = """\
auto-reload no
browser true
cleanup-on-quit no
max-items 0
notify-screen no
reload-threads {threads}
"""


SFEED_CONFIG = """\
sfeedpath={folder}
maxjobs={jobs}
feeds() {{
{feeds}
}}
"""
SAYS = ("newsboat --version", "nginx -v", "wrk -v", "dpkg-query -W sfeed")  # what it is, on the first line


class Cost(NamedTuple):
    """What a program cost from its start to its end, all that it started included."""

    wall_s: float
    processor_s: float


class Peer(NamedTuple):
    """A program that reads all feeds, and does so again."""

    name: str
    command: tuple[str, ...]
    database: Path
    held: str  # the query that counts what it holds; "" where it has a folder of files with a line an entry
    adding: tuple[str, ...] = ()  # a command to be run before, which does not count
    environment: tuple[tuple[str, str], ...] = ()


def held_by(peer: Peer) -> int:
    """How many entries."""
    if not peer.held:
        return sum(file.read_bytes().count(b"\n") for file in peer.database.iterdir())
    with closing(sqlite3.connect(peer.database)) as connection:
        return int(connection.execute(peer.held).fetchone()[0])


def versions() -> list[str]:
    """Of those that are installed; who is not is named, too. `reader` has its version in its row."""
    return [first_line(command.split()) for command in SAYS]


def first_line(command: Sequence[str]) -> str:
    """nginx and wrk have their say on either output, whatever their status."""
    program = shutil.which(command[0], path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        return f"{command[0]}: not installed"
    said = subprocess.run([program, *command[1:]], check=False, capture_output=True, text=True, timeout=60)
    lines = f"{said.stdout}{said.stderr}".split("\n")
    return " ".join(lines[0].partition("Copyright")[0].partition(" - ")[0].split())


def newsboat(scratch: Path, urls: Sequence[str], threads: int) -> Peer | None:
    """None where it is not installed."""
    program = shutil.which("newsboat")
    if program is None:
        return None
    home = scratch / f"newsboat-{threads}"
    home.mkdir(exist_ok=True)
    (home / "urls").write_text("".join(f"{url}\n" for url in urls))
    (home / "config").write_text(NEWSBOAT_CONFIG.format(threads=threads))
    files = ("-u", str(home / "urls"), "-c", str(home / "cache.db"), "-C", str(home / "config"))
    return Peer(
        f"newsboat, {threads} threads",
        (program, *files, "-x", "reload"),
        home / "cache.db",
        "SELECT count(*) FROM rss_item",
        environment=(("HOME", str(home)), ("XDG_CONFIG_HOME", str(home)), ("XDG_DATA_HOME", str(home))),
    )


def sfeed(scratch: Path, urls: Sequence[str], jobs: int) -> Peer | None:
    """A shell script that starts curl, sfeed and sort for each feed, and keeps the result as a file; None: not installed."""
    program = shutil.which("sfeed_update")
    if program is None or shutil.which("curl") is None:
        return None
    folder, config = scratch / "sfeed", scratch / "sfeedrc"
    feeds = "\n".join(f'\tfeed "{number}" "{url}"' for number, url in enumerate(urls))
    config.write_text(SFEED_CONFIG.format(folder=folder, jobs=jobs, feeds=feeds))
    return Peer(f"sfeed_update, {jobs} jobs", (program, str(config)), folder, "")


def reader(scratch: Path, workers: int) -> Peer | None:
    """None where it can't be installed. Its feeds are added beforehand, which does not count."""
    python, database = reader_python(scratch), scratch / f"reader-{workers}.db"
    if python is None:
        return None
    command = (str(python), "-W", "ignore", __file__, str(database), str(workers))
    asked = "import importlib.metadata as m; print('reader', m.version('reader'))"
    name = f"{first_line([str(python), '-c', asked])}, {workers} workers"
    return Peer(name, command, database, "SELECT count(*) FROM entries", (*command, "add"))


def reader_python(scratch: Path) -> Path | None:
    """A Python that has `reader`: FEEDD_BENCH_READER, or one in a new environment."""
    if given := os.environ.get("FEEDD_BENCH_READER"):
        return Path(given)
    home = scratch / "reader-environment"
    python = home / "bin" / "python"
    if not home.exists():
        venv.create(home, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *READER], check=False, timeout=300)
    asked = subprocess.run([python, "-c", "import reader"], check=False, capture_output=True, timeout=60)
    return None if asked.returncode else python


def with_reader(database: str, workers: int, *, adding: bool) -> None:
    from reader import make_reader  # type: ignore[import-not-found]

    with make_reader(database) as feeds:
        if adding:
            for url in sys.stdin.read().split():
                feeds.add_feed(url)
        else:
            feeds.update_feeds(workers=workers, scheduled=False)


if __name__ == "__main__":
    with_reader(sys.argv[1], int(sys.argv[2]), adding=len(sys.argv) > 3)
