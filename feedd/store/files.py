"""Whether the files that are open as the database are still those that bear its name.

A file that was moved away, deleted or replaced goes on to exist for who has it open: what is written to it is lost
with the last who has. So whoever writes asks first. SQLite keeps two more files beside the database, its write-ahead
log and the index of that; what other programs find there must be the same ones, too (sqlite.org/howtocorrupt.html).
"""

import logging
import os
import sqlite3
import time
from pathlib import Path
from typing import NamedTuple

from feedd.errors import StoreReplaced

Identity = tuple[int, int]  # device and inode
log = logging.getLogger(__name__)


class Files(NamedTuple):
    """Which files are open; None: it was not there."""

    database: Identity | None
    log: Identity | None
    memory: Identity | None


def of(path: Path) -> Files:
    return Files(identity(path), identity(beside(path, "-wal")), identity(beside(path, "-shm")))


def beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def identity(path: Path) -> Identity | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def check(path: Path, opened: Files) -> None:
    """Raises StoreReplaced where another file has the name of one that is open, or none has."""
    now = of(path)
    if now == opened:
        return
    for name, was, is_now in zip(
        (path, beside(path, "-wal"), beside(path, "-shm")), opened, now, strict=True
    ):
        if was is not None and was != is_now:
            what = "was deleted or moved away" if is_now is None else "was replaced by another file"
            raise StoreReplaced(
                f"{name} {what} while feedd had it open: nothing more is written. End feedd before you move or restore"
                " its database, and start it again; feedd restore does it in order"
            )


def rescue(connection: sqlite3.Connection, path: Path, opened: Files) -> None:
    """Before the end: keep what a database holds that has its name no more. With us it may go for good."""
    if identity(path) == opened.database:
        return
    copy = beside(path, time.strftime(".rescued-%Y%m%dT%H%M%SZ", time.gmtime()))
    try:
        connection.execute("VACUUM INTO ?", [os.fspath(copy)])
    except sqlite3.Error as error:
        log.critical("%s: what it held before it was taken away can't be kept: %s", path, error)
    else:
        log.warning("%s: what it held before it was taken away is kept in %s", path, copy)
