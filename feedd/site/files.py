"""What lies in a place of the directory that is published to: links are not followed."""

import errno
import os
import stat
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path


def contents(path: Path) -> bytes | None:
    """Of an ordinary file, not of what a link leads to; None where there is none. Raises OSError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise IsADirectoryError(errno.EISDIR, "is no ordinary file")
    with open(descriptor, "rb") as file:
        return file.read()


def hash_of(path: Path) -> str | None:
    """Of what is in that place: "" of what is no ordinary file; None where there is nothing. Raises OSError."""
    try:
        data = contents(path)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO, errno.EISDIR}:
            return ""
        raise
    return None if data is None else sha256(data).hexdigest()


def size_of(path: Path | str, is_kind: Callable[[int], bool] = stat.S_ISREG) -> int | None:
    """Of an ordinary file; None of anything else."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return status.st_size if is_kind(status.st_mode) else None


def leads_here(root: Path, name: str) -> bool:
    """Whether all folders between are there, and none is a link."""
    return all(size_of(root / each, stat.S_ISDIR) is not None for each in Path(name).parents if each.name)
