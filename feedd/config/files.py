"""The files that a configuration was read from, and whether they are still the same."""

import os
from pathlib import Path
from typing import NamedTuple


class Seen(NamedTuple):
    """A file as it was; its size is None where it can't be reached."""

    path: Path
    size: int | None
    mtime_ns: int = 0
    inode: int = 0


def included(folder: Path, pattern: str) -> list[Path]:
    """The files that a pattern of `include` names, in order. Raises ValueError or NotImplementedError for no such pattern."""
    try:
        return sorted(each for each in folder.glob(pattern) if not each.is_dir())
    except OSError:  # a name that no file can have
        return []


def seen(path: Path, patterns: tuple[str, ...]) -> tuple[Seen, ...]:
    """The files of a configuration as they are now: a few `stat`s, which work where file-system events do not."""
    folder = path.absolute().parent
    files = dict.fromkeys([path, *(file for pattern in patterns for file in included(folder, pattern))])
    return tuple(seen_file(file) for file in files)


def seen_file(path: Path) -> Seen:
    try:
        found = os.stat(path)
    except OSError:
        return Seen(path, None)
    return Seen(path, found.st_size, found.st_mtime_ns, found.st_ino)


def emptied(before: tuple[Seen, ...], now: tuple[Seen, ...]) -> list[Path]:
    """Files that held something and hold nothing now: no editor leaves them so, but a copy on a full disk does."""
    held = {each.path for each in before if each.size}
    return [each.path for each in now if each.size == 0 and each.path in held]
