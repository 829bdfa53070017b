"""Appends sources to the user's configuration, which keeps every byte that it has.

What is new is written by tomlkit and stands at the end: that leaves comments, order and line ends alone, and
costs the same in a file of ten thousand sources. Only where TOML allows no table there, since `sources` is an
inline one, tomlkit edits the whole document.
"""

import fcntl
import os
import shutil
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from tempfile import mkstemp
from typing import IO, Any, NamedTuple

import tomlkit
from tomlkit.exceptions import TOMLKitError

from feedd.config.load import Loader
from feedd.errors import ConfigError, FeeddError, UsageError

COMMON_LINE_END = b"\r\n"


class NewSource(NamedTuple):
    """A source as it is to stand in the file; None and False are left out."""

    name: str
    url: str
    title: str | None = None
    tags: tuple[str, ...] = ()
    type: str = "feed"
    every: str | None = None  # a duration, a word such as "auto"
    allow_private: bool = False


class CannotWrite(FeeddError):
    """The configuration can't be replaced; it is as it was."""


def append_sources(path: Path, new: Sequence[NewSource]) -> None:
    """Write `new` at the end of the configuration, all of them or none.

    Raises ConfigError where the file has mistakes, or would have some afterwards; CannotWrite.
    """
    if not new:
        return
    if not path.is_file():
        raise UsageError(
            f"{path}: there is no such file; make one first, if only an empty one, and try again"
        )
    try:
        with locked(path) as (real, file):
            after, main = extended(path, file.read(), new)
            Proposed(path, main).load()
            replace(real, after, os.fstat(file.fileno()))
    except OSError as error:
        raise CannotWrite(
            f"{path} can't be written: {os.strerror(error.errno or 0)}; it is as it was"
        ) from error


def refuse_taken(path: Path, main: dict[str, Any], new: Sequence[NewSource]) -> None:
    """Raises ConfigError where the file has a source of such a name: it would be replaced, or be there twice."""
    there = main.get("sources", {})
    taken = {*there} if isinstance(there, dict) else set()
    for each in new:
        if each.name in taken:
            raise ConfigError((f"{path}: sources.{each.name}: the name is taken already",))
        taken.add(each.name)


class Proposed(Loader):
    """The configuration as it would be if its main file held `main`."""

    def __init__(self, path: Path, main: dict[str, Any]) -> None:
        super().__init__(path)
        self.main = main

    def read(self, file: Path) -> dict[str, Any]:
        return self.main if file == self.path else super().read(file)


@contextmanager
def locked(path: Path) -> "Iterator[tuple[Path, IO[bytes]]]":
    """The file that `path` leads to, opened, while no other feedd writes it."""
    while True:
        real = path.resolve(strict=True)
        with real.open("rb") as file:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(file, fcntl.LOCK_EX)
            if os.path.samestat(os.fstat(file.fileno()), real.stat()):  # nobody replaced it while we waited
                yield real, file
                return


def extended(path: Path, before: bytes, new: Sequence[NewSource]) -> tuple[bytes, dict[str, Any]]:
    """The file with the sources at its end, and what it says then. Raises ConfigError, UsageError."""
    text = rendered(new).encode()
    if COMMON_LINE_END in before:
        text = text.replace(b"\n", COMMON_LINE_END)
    after = before + gap(before) + text
    try:
        return after, tomllib.loads(after.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        refuse_taken(path, Loader(path).read(path), new)
        after = edited(before, new)
        return after, tomllib.loads(after.decode("utf-8-sig"))


def gap(before: bytes) -> bytes:
    """What makes the next line stand apart from the last one."""
    end = COMMON_LINE_END if COMMON_LINE_END in before else b"\n"
    if not before.strip(b"\xef\xbb\xbf\r\n\t "):
        return b""
    if not before.endswith(b"\n"):
        return 2 * end
    return b"" if before.endswith((b"\n\n", b"\n\r\n")) else end


def rendered(new: Sequence[NewSource]) -> str:
    """`[sources.NAME]` tables, a blank line between two."""
    return "\n".join(f"[sources.{each.name}]\n{lines(each)}" for each in new)


def lines(source: NewSource) -> str:
    """The lines of a table; a value that tomlkit has spelled, but not its tables, which cost ten times as much."""
    return "".join(f"{key} = {spelled(value)}\n" for key, value in settings(source).items())


def settings(source: NewSource) -> dict[str, Any]:
    stated = {"type": source.type, **source._asdict()}
    return {key: value for key, value in stated.items() if key != "name" and value not in {None, False, ()}}


@lru_cache(maxsize=10_000)  # an import says the same few tags again and again
def spelled(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(spelled, value))}]"
    text: str = tomlkit.item(value).as_string()
    return text


def edited(before: bytes, new: Sequence[NewSource]) -> bytes:
    """The file with the sources where tomlkit finds a place. Raises UsageError."""
    text = before.decode("utf-8-sig")
    try:
        document = tomlkit.parse(text)
        sources: Any = document["sources"]
        for each in new:
            sources[each.name] = settings(each)
        after = tomlkit.dumps(document)
        tomllib.loads(after)
    except (TOMLKitError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"no source can be added to the file as it is written; write each source as a table [sources.NAME] ({error})"
        ) from error
    return before[: len(before) - len(text.encode())] + after.encode()


def replace(real: Path, data: bytes, old: os.stat_result) -> None:
    """Put `data` in the file's place: whoever reads it sees the old one or the new one.

    Raises CannotWrite where it is no longer the file whose status is `old`; OSError.
    """
    descriptor, temporary = mkstemp(dir=real.parent, prefix=f".{real.name}.", suffix="~")
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            keep_owner(descriptor, old)
            shutil.copystat(real, temporary)
            os.utime(temporary)
            os.fsync(descriptor)
        refuse_changed(real, old)
        os.replace(temporary, real)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    folder = os.open(real.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def refuse_changed(real: Path, old: os.stat_result) -> None:
    """An editor takes no lock."""
    now = real.stat()
    if (now.st_ino, now.st_size, now.st_mtime_ns) != (old.st_ino, old.st_size, old.st_mtime_ns):
        raise CannotWrite(
            f"{real} was changed by another program meanwhile; it is as that left it: try again"
        )


def keep_owner(descriptor: int, old: os.stat_result) -> None:
    """Owner and group as they were; a user who may not give files away keeps what can be kept."""
    for owner, group in ((old.st_uid, old.st_gid), (-1, old.st_gid)):
        try:
            os.fchown(descriptor, owner, group)
        except OSError:
            continue
        return
