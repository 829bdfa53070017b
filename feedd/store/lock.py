"""One process at a time runs passes on a database: it holds a lock on `DATABASE.lock`, with its pid in it."""

import fcntl
import os
import struct
from pathlib import Path

from feedd.errors import AlreadyRunning, StoreBusy, StoreFull, StoreReadOnly

FLOCK = struct.Struct("@hhqqi")  # struct flock of fcntl(2): type, whence, start, length, pid
SHARED = (
    0x40000002,
    510,
)  # the bytes that whoever has a database open keeps locked (sqlite.org/lockingv3.html)


class Lock:
    """The lock, held until `release` or the end of the process.

    The kernel drops it with the process, so that a kill leaves nothing behind; the file stays.
    Raises AlreadyRunning, StoreBusy, StoreReadOnly, StoreFull.
    """

    def __init__(self, database: Path) -> None:
        self.path = lock_path(database)
        try:
            self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreReadOnly(f"{self.path}: can't be opened: {os.strerror(error.errno or 0)}") from error
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self.fd)
            raise AlreadyRunning(holder(database)) from error
        try:
            check_other_names(database)
            os.ftruncate(self.fd, 0)
            os.pwrite(self.fd, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            os.close(self.fd)
            raise StoreFull(f"{self.path}: can't be written: {os.strerror(error.errno or 0)}") from error
        except StoreBusy:
            os.close(self.fd)
            raise

    def release(self) -> None:
        os.ftruncate(self.fd, 0)
        os.close(self.fd)


def lock_path(database: Path) -> Path:
    """The same one whichever link leads to the database."""
    database = database.resolve()
    return database.with_name(database.name + ".lock")


def check_other_names(database: Path) -> None:
    """Raises StoreBusy where a file with hard links is in use: under each name it would have a log of its own."""
    try:
        if os.stat(database).st_nlink < 2:
            return
        fd = os.open(
            database, os.O_RDWR | os.O_CLOEXEC
        )  # before SQLite opens it: to close it drops its locks
    except OSError:  # who opens it says so
        return
    try:
        asked = FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, *SHARED, 0)
        kind, *_, pid = FLOCK.unpack(fcntl.fcntl(fd, fcntl.F_GETLK, asked))
    finally:
        os.close(fd)
    if kind != fcntl.F_UNLCK:
        raise StoreBusy(
            f"{database}: process {pid} has this file open, maybe under another name, for it has several (hard links)."
            " Two processes that write it under two names destroy it: end that one, or give each a copy"
        )


def holder(database: Path) -> int | None:
    """The pid in the lock file, if there is one."""
    try:
        text = lock_path(database).read_text()
    except (OSError, UnicodeDecodeError):
        return None
    return int(text) if text.strip().isdigit() else None
