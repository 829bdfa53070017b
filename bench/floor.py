"""What the work costs at least: `python -m bench.floor FOLDER DATABASE` prints the seconds that it took.

One process, one transaction: each file is read, sanitised, its text taken, and inserted into one table.
"""

import json
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nh3
from lxml import html


def ingest(folder: Path, database: Path) -> None:
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("CREATE TABLE articles (id INTEGER PRIMARY KEY, path TEXT, html TEXT, text TEXT)")
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO articles (path, html, text) VALUES (?,?,?)", articles(folder))
    connection.execute("COMMIT")
    connection.close()


def articles(folder: Path) -> Iterator[tuple[str, str, str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            with open(entry.path, "rb") as file:  # a Path costs more than opening
                clean = nh3.clean(file.read().decode())
            yield entry.name, clean, html.fromstring(clean).text_content()


def list_and_stat(folder: Path) -> int:
    """What it costs at least to find out that nothing changed; returns how many files there are."""
    count = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            entry.stat(follow_symlinks=False)
            count += 1
    return count


if __name__ == "__main__":
    begun = time.perf_counter()
    ingest(Path(sys.argv[1]), Path(sys.argv[2]))
    print(json.dumps({"seconds": time.perf_counter() - begun}))
