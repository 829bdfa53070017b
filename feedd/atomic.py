"""Writing files that others read: whoever opens one sees the whole old one or the whole new one.

The one writer of publishing, archives and mirrors. After a power failure it is the old one or the new one, too.
"""

import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

MODE = 0o644  # what is published is read by other users, such as a web server's
PART = ".feedd-{}.part"  # what is being written, in the folder of the file
LEFT_BEHIND = re.compile(r"\.feedd-[0-9a-f]{16}\.part")
MORE = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write(path: Path, data: bytes, mode: int = MODE) -> None:
    """Put `data` in the place of `path`, and on the disk. Raises OSError; then what was there stays.

    The folder must be there. A symbolic link of that name is replaced itself, and not followed.
    """
    place(path, data, mode)
    sync_folder(path.parent)


def place(path: Path, data: bytes, mode: int = MODE) -> None:
    """As `write`, for who writes many files, and calls `sync_folder` once for all of a folder. Raises OSError."""
    part = path.parent / PART.format(secrets.token_hex(8))
    descriptor = os.open(part, NEW, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(descriptor, mode)  # whatever the umask is
            os.fsync(descriptor)
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(part)
        raise


def append(path: Path, lines: bytes) -> None:
    """Add to a file of notes, and put it on the disk. Raises OSError; a link of that name is not followed."""
    descriptor = os.open(path, MORE, MODE)
    with open(descriptor, "ab") as file:
        file.write(lines)
        file.flush()
        os.fdatasync(descriptor)


def sync_folder(folder: Path) -> None:
    """Put the names of new files on the disk."""
    with suppress(OSError):  # not every file system can
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sweep(folder: Path) -> None:
    """Take away what a writer that was killed left in the folder. Nobody may be writing there. Raises OSError."""
    for name in os.listdir(folder):
        if LEFT_BEHIND.fullmatch(name):
            with suppress(FileNotFoundError):
                os.unlink(folder / name)
