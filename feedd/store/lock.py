"""One process at a time runs passes on a database: it holds a lock on `DATABASE.lock`, with its pid in it."""

import fcntl
import os
from pathlib import Path

from feedd.errors import AlreadyRunning, StoreFull, StoreReadOnly


class Lock:
    """The lock, held until `release` or the end of the process. Raises AlreadyRunning, StoreReadOnly, StoreFull.

    The kernel drops it with the process, so that a kill leaves nothing behind; the file stays.
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
            os.ftruncate(self.fd, 0)
            os.pwrite(self.fd, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            os.close(self.fd)
            raise StoreFull(f"{self.path}: can't be written: {os.strerror(error.errno or 0)}") from error

    def release(self) -> None:
        os.ftruncate(self.fd, 0)
        os.close(self.fd)


def lock_path(database: Path) -> Path:
    return database.with_name(database.name + ".lock")


def holder(database: Path) -> int | None:
    """The pid in the lock file, if there is one."""
    try:
        text = lock_path(database).read_text()
    except (OSError, UnicodeDecodeError):
        return None
    return int(text) if text.strip().isdigit() else None
