"""Copies of the database: made while feedd writes, checked before they count, put in its place.

A copy is of one moment: a read transaction is held while pages are copied, and in WAL nobody who writes waits for that.
The pages of a step are on disk before the next step begins. So a writer beside it waits as little as without a copy
(30 ms, measured on a virtual machine); bringing all to disk at the end made it wait for 150 ms, and what the log had
grown by meanwhile for half a second: see `catch_up`.

A copy is written beside its target, under a name that ends in `.feedd-part`, and is locked meanwhile. What a kill left
behind is locked by nobody: the next copy into that folder takes it away.
"""

import errno
import fcntl
import os
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from feedd.errors import (
    AlreadyRunning,
    NotAStore,
    StoreBusy,
    StoreError,
    StoreFull,
    StoreReadOnly,
    UsageError,
)
from feedd.store import schema
from feedd.store.database import connect_to_read, opened, translated
from feedd.store.lock import Lock, lock_path
from feedd.store.retention import in_units

PART = ".feedd-part"
BESIDE = (
    "-wal",
    "-shm",
    "-journal",
)  # what SQLite keeps beside a database, and would read into another of its name
OF_THE_STORE = ("", *BESIDE, ".lock", ".sock")
PAGES_AT_ONCE = 2_000
SIGNALS_EVERY = 100_000  # steps of SQLite's machine
MAGIC = b"SQLite format 3\0"  # what the file format begins with
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
NO_RIGHT = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
Progress = Callable[[int, int], None]  # pages done, of how many


class Contents(NamedTuple):
    """What a database holds."""

    uuid: str
    schema: str  # the last step that it has taken
    entries: int
    versions: int
    changes: int


class Backup(NamedTuple):
    file: Path
    bytes: int
    contents: Contents


class Restored(NamedTuple):
    kept: Path | None  # the database that was there before
    is_behind: bool  # an earlier feedd made it: the next start brings it up to date
    bytes: int
    contents: Contents


class Part(NamedTuple):
    """A file that is being written."""

    path: Path
    fd: int


def stamp(now_ms: int) -> str:
    return datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")


def target_of(file: Path, store: Path, now_ms: int, *, replace: bool) -> Path:
    """Where a backup goes: `file`, or a new file in that folder. Raises UsageError where it would destroy anything,
    and StoreError.
    """
    with in_words(file):
        target = file / f"feedd-{stamp(now_ms)}.db" if file.is_dir() else file
        is_somewhere = target.parent.is_dir()
    if not is_somewhere:
        raise UsageError(f"{target.parent}: there is no such folder; make it, or name another")
    own = {store.resolve().with_name(store.resolve().name + end) for end in OF_THE_STORE}
    if target.resolve() in own:
        raise UsageError(f"{target}: feedd's own database is there; name another file")
    there = [each for each in (target, *beside(target)) if os.path.lexists(each)]
    if there and not replace:
        raise UsageError(f"{there[0]}: is there already; name another file, or replace it with --force")
    if os.path.lexists(target) and not may_go(target):
        raise UsageError(
            f"{target}: is no backup of a database, so that it is not replaced; name another file"
        )
    return target


def is_made(store: Path) -> bool:
    """Whether there is a database. Raises StoreError where that can't be seen."""
    with in_words(store):
        return store.exists()


def may_go(target: Path) -> bool:
    """Whether it is a backup, or nothing: neither a link, nor a database that some feedd runs on."""
    if target.is_symlink() or not target.is_file() or os.path.lexists(lock_path(target)):
        return False
    return beginning(target) in {b"", MAGIC}


def beginning(file: Path) -> bytes:
    with in_words(file), file.open("rb") as opened_file:
        return opened_file.read(len(MAGIC))


def backup(store: Path, target: Path, progress: Progress | None = None) -> Backup:
    """Copy the database, and check the copy. Raises StoreError; then what was at `target` is still there."""
    with closing(
        connect_to_read(store)
    ) as reader:  # at its end, a connection that may write empties the log:
        schema.check(reader, store)  # not that of a newer feedd, or of something else
    with closing(opened(store, "rw")) as source, part_beside(target, 0o600) as part:
        contents = copied(source, store, part, target, progress)
        catch_up(source)
        checked(part, contents, store, target)
        size = os.fstat(part.fd).st_size
        put(part, target)
    return Backup(target, size, contents)


def restore(store: Path, file: Path, now_ms: int, progress: Progress | None = None) -> Restored:
    """Put a copy of `file` in the database's place, which is kept. Raises StoreError; then nothing was changed."""
    with in_words(file):
        is_there = file.is_file()
    if not is_there:
        raise UsageError(f"{file}: there is no such file")
    if is_made(store) and file.samefile(store):
        raise UsageError(f"{file}: is the database that feedd uses now; name a backup of it")
    try:
        lock = Lock(store)
    except AlreadyRunning as error:
        raise StoreBusy(f"{error}; end it, then restore. Nothing was changed") from error
    store = store.resolve()  # where a link leads: on a disk that was chosen for it
    try:
        with closing(backup_of(file)) as source, part_beside(store, mode_of(store)) as part:
            contents = copied(source, file, part, store, progress)
            checked(part, contents, file, store)
            size = os.fstat(part.fd).st_size
            belongs(part.path, store)
            belongs(lock.path, store)
            kept = keep(store, now_ms)
            put(part, store)
            return Restored(kept, contents.schema != schema.STEPS[-1], size, contents)
    finally:
        lock.release()


def backup_of(file: Path) -> sqlite3.Connection:
    """Raises StoreError where it is none."""
    try:
        source = connect_to_read(file)
        try:
            contents_of(source, file)
        except StoreError:
            source.close()
            raise
    except NotAStore as error:
        raise NotAStore(
            f"{file}: is no sound database of feedd's; name a file that `feedd backup` made. Nothing was changed"
        ) from error
    return source


def copied(
    source: sqlite3.Connection, file: Path, part: Part, target: Path, progress: Progress | None
) -> Contents:
    """Copy what `source` holds at this moment into the part. Errors name `file` or `target`."""
    with translated(file):
        source.execute("BEGIN")
        contents = contents_of(source, file)
        pages, page_bytes = (
            source.execute(f"PRAGMA {each}").fetchone()[0] for each in ("page_count", "page_size")
        )
    room(pages * page_bytes, target)

    def step(_: int, remaining: int, total: int) -> None:
        os.fdatasync(part.fd)
        if progress is not None:
            progress(total - remaining, total)

    with in_words(target), translated(target), closing(opened(part.path, "rw")) as to:
        to.execute("PRAGMA journal_mode = OFF")
        to.execute("PRAGMA synchronous = OFF")
        source.backup(to, pages=PAGES_AT_ONCE, progress=step)
    with translated(file):
        source.execute("ROLLBACK")
    return contents


def catch_up(source: sqlite3.Connection) -> None:
    """Bring back what the log has grown by while the copy held it: else the next one who writes would have to."""
    with suppress(sqlite3.Error):  # of a user who may only read
        source.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()


def checked(part: Part, contents: Contents, file: Path, target: Path) -> None:
    """Check the copy, and bring it to disk. Raises StoreError where it is damaged, or is none."""
    with translated(target), closing(opened(part.path, "rw")) as copy:
        copy.execute("PRAGMA locking_mode = EXCLUSIVE")
        copy.execute("PRAGMA journal_mode = DELETE")  # it needs no files beside it
        found = damage(copy)
        same = not found and contents_of(copy, target) == contents
    if found:
        raise NotAStore(f"{file}: the database is damaged ({found[0]}); the copy was thrown away")
    if not same:
        raise StoreError(f"{target}: the copy does not hold what was copied; check the disk, then try again")
    with in_words(target):
        os.fsync(part.fd)


def damage(connection: sqlite3.Connection, most: int = 3) -> list[str]:
    """What SQLite finds wrong with the file; nothing where it is sound. A signal ends it: then sqlite3's error."""
    connection.set_progress_handler(
        lambda: 0, SIGNALS_EVERY
    )  # Python sees signals where it runs code of its own
    try:
        rows = connection.execute(f"PRAGMA quick_check({most})").fetchall()
    finally:
        connection.set_progress_handler(None, 0)
    return [" ".join(str(said).split()) for (said,) in rows if said != "ok"]


def contents_of(connection: sqlite3.Connection, path: Path) -> Contents:
    """Raises StoreError."""
    schema.check(connection, path)
    with translated(path):
        taken = schema.taken(connection)
        if not taken:
            raise NotAStore(f"{path}: the file is a database that holds nothing of feedd's")
        (uuid,) = connection.execute("SELECT max(value) FROM meta WHERE key = 'uuid'").fetchone()
        tables = ("entries", "revisions", "changes")
        counts = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]
    return Contents(uuid, max(taken), *counts)


def room(size: int, target: Path) -> None:
    with in_words(target):
        free = shutil.disk_usage(target.absolute().parent).free
    if free < size:
        raise StoreFull(
            f"{target}: the disk has room for {in_units(free)} and the copy takes {in_units(size)}; make room,"
            " or name a file on another disk"
        )


def keep(store: Path, now_ms: int) -> Path | None:
    """Give the database that is there, and its log, a second name. Raises StoreError.

    Under its first name it stays until another takes its place: at no moment is there none.
    """
    if store.exists() and beginning(store) == MAGIC:  # else SQLite would throw the log away
        settle(store)
    kept = unused(store.with_name(f"{store.name}.before-restore-{stamp(now_ms)}"))
    with in_words(store):
        for end in ("", "-wal", "-journal"):
            if (each := store.with_name(store.name + end)).exists():
                second_name(each, kept.with_name(kept.name + end))
    return kept if kept.exists() else None


def settle(store: Path) -> None:
    """Bring its log into the database, which only its one user can. A damaged one is left as it is, with its log."""
    try:
        with translated(store), closing(opened(store, "rw")) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
    except StoreBusy as error:
        raise StoreBusy(
            f"{store}: another program uses the database; close it, then restore. Nothing was changed"
        ) from error
    except StoreError:
        return


def second_name(file: Path, name: Path) -> None:
    try:
        os.link(file, name)
    except OSError:  # the file system knows no second names
        shutil.copy2(file, name)


def unused(path: Path) -> Path:
    names = (path, *(path.with_name(f"{path.name}-{number}") for number in range(2, 1_000)))
    return next(each for each in names if not os.path.lexists(each))


def mode_of(store: Path) -> int:
    return store.stat().st_mode & 0o777 if store.exists() else 0o600


def belongs(file: Path, store: Path) -> None:
    """Where root restores: the user that feedd runs as must be able to write what it finds."""
    if os.geteuid() == 0:
        owner = (store if store.exists() else store.absolute().parent).stat()
        os.chown(file, owner.st_uid, owner.st_gid)


def put(part: Part, target: Path) -> None:
    with in_words(target):
        for each in beside(target):
            each.unlink(missing_ok=True)
        part.path.replace(target)
        folder = os.open(target.absolute().parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def part_beside(target: Path, mode: int) -> Iterator[Part]:
    """An empty file in the target's folder; it goes at the end, unless it was put in the target's place."""
    path = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}{PART}")
    with in_words(target):
        sweep(target.absolute().parent)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with in_words(target):
            fcntl.flock(fd, fcntl.LOCK_EX)
            os.fchmod(fd, mode)
        yield Part(path, fd)
    finally:
        for each in (path, *beside(path)):
            each.unlink(missing_ok=True)
        os.close(fd)  # not before: SQLite's own locks on the file would go with it


def sweep(folder: Path) -> None:
    """Take away what copies left behind that were killed."""
    for path in folder.glob(f".*{PART}"):
        with suppress(OSError):  # somebody else's
            fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for each in (*beside(path), path):
                    each.unlink(missing_ok=True)
            finally:
                os.close(fd)


def beside(path: Path) -> list[Path]:
    return [path.with_name(path.name + end) for end in BESIDE]


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Turn what the system raises within into a StoreError that names the file."""
    try:
        yield
    except OSError as error:
        why = os.strerror(error.errno or 0)
        if error.errno in NO_ROOM:
            raise StoreFull(f"{path}: the disk is full; make room, or name a file on another disk") from error
        if error.errno in NO_RIGHT:
            raise StoreReadOnly(
                f"{path}: {why}; check the owner and mode of the file and its folders"
            ) from error
        raise StoreError(f"{path}: {why}") from error
