"""The folder of an archive: whether it is ours, how far it is, and how files get into it.

It is ours if it was empty when we came, or if our mark is in it. The mark says how far the archive is, too, so that a
copy, a clone or an earlier state of the folder is followed up from where that stands.
"""

import fcntl
import json
import os
import stat
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from feedd import atomic
from feedd.errors import MirrorError

MARK = ".feedd-mirror.json"
FORMAT = 1
ABOUT = "feedd keeps this folder; see docs/mirror.md. Without this file it won't write here."
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
BESIDE = frozenset({".git"})  # may be there before us


class State(NamedTuple):
    """How far an archive is."""

    store: str = ""  # a digest of the UUID of the database that it follows
    change_id: int = 0
    revision_id: int = 0
    folders: tuple[tuple[str, str], ...] = ()  # name, and a digest of what chooses and names its articles

    def without(self, names: Container[str]) -> "State":
        """The same, of an archive that lacks these folders."""
        return self._replace(folders=tuple(each for each in self.folders if each[0] not in names))

    def and_of(self, committed: "State") -> "State":
        """What is committed, as far as it is in the folder, too."""
        return committed._replace(folders=tuple(each for each in committed.folders if each in self.folders))

    def spelled(self) -> bytes:
        said = {"about": ABOUT, "format": FORMAT, **self._asdict(), "folders": dict(self.folders)}
        return (json.dumps(said, indent=1) + "\n").encode()


def state_of(data: bytes | None) -> State:
    """What a mark says; nothing where it is damaged or empty, so that all is compared. Raises MirrorError."""
    try:
        said = json.loads(data or b"")
        if int(said["format"]) > FORMAT:
            raise MirrorError("a newer feedd keeps this archive, so it was left alone; use that version")
        folders = tuple((str(name), str(rules)) for name, rules in said["folders"].items())
        return State(str(said["store"]), int(said["change_id"]), int(said["revision_id"]), folders)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
        return State()


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """The folder is there and ours, and nobody else writes in it meanwhile. Raises MirrorError."""
    with in_words(folder):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise MirrorError(
                f"{folder}: another feedd is writing there; give each a folder of its own"
            ) from error
        with in_words(folder):
            atomic.sweep(folder)
            others = sorted(set(os.listdir(descriptor)) - BESIDE)
            if not is_file(folder / MARK):
                if others:
                    raise MirrorError(
                        f"{folder}: holds {others[0]!r} and no {MARK}, so feedd does not write there; name an empty"
                        " folder, or one that is not there yet"
                    )
                atomic.write(folder / MARK, State().spelled())
        yield
    finally:
        os.close(descriptor)


def is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


@contextmanager
def in_words(folder: Path) -> Iterator[None]:
    """Turn what the system says into a MirrorError."""
    try:
        yield
    except OSError as error:
        named = Path(error.filename) if isinstance(error.filename, str) else folder
        where = named.parent if atomic.LEFT_BEHIND.fullmatch(named.name) else named
        why = os.strerror(error.errno or 0)
        raise MirrorError(
            f"{where}: can't be written: {why}; what is there stays, and it is tried again"
        ) from error


def shelf(folder: Path, name: str) -> Path:
    """The folder of that name in the archive. Raises OSError, MirrorError where it leads elsewhere."""
    path = folder / name
    if path.is_symlink():
        raise MirrorError(f"{path}: is a symbolic link, so feedd does not write there; take it away")
    path.mkdir(exist_ok=True)
    return path


def put(path: Path, data: bytes, time_ms: int | None = None) -> bool:
    """Write what is not there yet; whether it was not. Raises OSError, MirrorError. `sync_folder` is the caller's.

    `time_ms`: the file's own time, where that is all there is to tell when the article is from.
    """
    time_ns = None if time_ms is None else time_ms * 1_000_000
    there, at_ns = present(path, len(data))
    if there == data and time_ns in {None, at_ns}:
        return False
    if there != data:
        atomic.place(path, data)
    if time_ns is not None:
        os.utime(path, ns=(time_ns, time_ns), follow_symlinks=False)
    return True


def present(path: Path, size: int) -> tuple[bytes | None, int]:
    """A file of that size, and its time in ns; None for one that gives way: another, none, a symbolic link, a FIFO.

    Raises OSError, MirrorError.
    """
    try:
        info = os.lstat(path)
    except FileNotFoundError:
        return None, 0
    if stat.S_ISDIR(info.st_mode):
        raise MirrorError(f"{path}: is a folder, where an article belongs; take it away")
    if not stat.S_ISREG(info.st_mode) or info.st_size != size:
        return None, 0
    with open(os.open(path, READ), "rb") as file:
        return file.read(), info.st_mtime_ns
