"""The channel `file`: JSON Lines, a message a line, rotated by size."""

import errno
import fcntl
import json
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from feedd.atomic import sync_folder
from feedd.config.channels import FileChannel
from feedd.notify.aside import aside
from feedd.notify.body import payload
from feedd.notify.values import Delivered, Failed, Message, Outcome

MODE = 0o600  # what is told may be for few
OPEN = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
POLL_S = 0.02
# JSON may hold them as they are, but many readers take them for ends of lines
LINE_ENDS = str.maketrans({end: f"\\u{ord(end):04x}" for end in "\u0085\u2028\u2029"})


class Refused(Exception):
    """It can't be written there, and why, in words."""


async def send(channel: FileChannel, message: Message) -> Outcome:
    """Append the message; it is on the disk when this returns."""
    work = partial(
        append, channel.path, line_of(message), channel.max_bytes, channel.keep, channel.timeout / 1000
    )
    try:
        await aside(work, f"file {channel.name}")
    except Refused as error:
        return Failed(str(error))
    except OSError as error:
        return Failed(explain(error, channel.path))
    return Delivered(f"appended to {channel.path}")


def line_of(message: Message) -> bytes:
    """The message as one line of JSON, in UTF-8: that of a webhook, with its `id` before."""
    text = json.dumps({"id": message.id, **payload(message)}, ensure_ascii=False, separators=(",", ":"))
    return text.translate(LINE_ENDS).encode("utf-8", "replace") + b"\n"


def append(path: Path, line: bytes, max_bytes: int, keep: int, patience_s: float) -> None:
    """Write the line to its end and to the disk, or not at all. Raises Refused, OSError.

    A file that would grow over `max_bytes` is first moved to `path.1`, that to `path.2`, and so on to `path.keep`;
    a line that is longer by itself gets a file of its own. Several processes may append to one file.
    """
    while True:
        with locked(path, patience_s) as descriptor:
            size = os.fstat(descriptor).st_size
            full = size > 0 and size + len(line) > max_bytes
            if full and keep > 0:
                make_room(path, keep)
                continue
            if full:
                os.ftruncate(descriptor, 0)
            write(descriptor, line)
        break
    if size == 0:
        sync_folder(path.parent)


@contextmanager
def locked(path: Path, patience_s: float) -> Iterator[int]:
    """The file that has this name now, made if there is none, for us alone. Raises Refused, OSError."""
    until_s = time.monotonic() + patience_s
    while True:
        descriptor = os.open(path, OPEN, MODE)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Refused(f"{path} is not an ordinary file")
            if take(descriptor) and still_named(path, descriptor):
                yield descriptor
                return
        finally:
            os.close(descriptor)  # and gives the lock back
        if time.monotonic() > until_s:
            raise Refused(f"another program keeps {path} locked")
        time.sleep(POLL_S)


def take(descriptor: int) -> bool:
    """Lock an open file, unless somebody else has."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def still_named(path: Path, descriptor: int) -> bool:
    """Whether the open file has this name yet: it may have been moved while we waited for its lock."""
    try:
        found = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return os.path.samestat(found, os.fstat(descriptor))


def write(descriptor: int, line: bytes) -> None:
    """Append to a locked file. Raises OSError, and leaves the file as it was."""
    size = os.fstat(descriptor).st_size
    # somebody who was killed may have left a line without its end: it stays, but takes no other with it
    torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
    rest = memoryview(b"\n" + line if torn else line)
    try:
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    except OSError:
        with suppress(OSError):
            os.ftruncate(descriptor, size)
        raise


def make_room(path: Path, keep: int) -> None:
    """Move the file to `path.1`, and those before it up to the first number that is free; else the last is lost."""
    free = next((number for number in range(1, keep) if not numbered(path, number).exists()), keep)
    for number in range(free, 1, -1):
        os.replace(numbered(path, number - 1), numbered(path, number))
    os.replace(path, numbered(path, 1))


def numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


def explain(error: OSError, path: Path) -> str:
    if error.filename2:  # what the file was to be moved to
        why = os.strerror(error.errno or 0)
        return f"{path} can't be moved out of the way, to {os.fsdecode(error.filename2)}: {why}"
    match error.errno:
        case errno.ELOOP:
            return f"{path} is a symbolic link; write the path of the file itself"
        case errno.EISDIR | errno.ENXIO:
            return f"{path} is not an ordinary file"
        case errno.ENOENT:
            return f"{path} can't be written: there is no folder {path.parent}"
        case errno.ENOSPC | errno.EDQUOT:
            return f"{path} can't be written: the disk is full"
        case _:
            return f"{path} can't be written: {os.strerror(error.errno or 0)}"
