"""Opening the database, and SQLite's errors in words. The only module that knows sqlite3's exceptions."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from feedd import limits
from feedd.errors import NotAStore, StoreBusy, StoreError, StoreFull, StoreReadOnly

BUSY_TIMEOUT_MS = 5_000
# With more nothing is quicker: the system has the file in memory, too. A reader's is the 20 pages that SQLite takes in one
# piece for each connection, and keeps (SQLITE_DEFAULT_PCACHE_INITSZ); further ones come and go one by one, with every
# change that is written, and leave holes in the heap.
READERS_CACHE_KIB, WRITERS_CACHE_KIB = 80, 2_048
CHECKPOINT_PAGES = 2_000
# Statements that stay prepared, of some 6 kB each: those of one request, or look. Each thread that reads has its own, and
# each number of values after `IN` makes another one.
READERS_STATEMENTS, WRITERS_STATEMENTS = 32, 128
LEAST_BYTES = 32_768  # of the shared memory file (sqlite.org/walformat.html, section 1.1)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what SQLite raises within into a StoreError that names the file and what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise in_words(error, path) from error


def in_words(error: sqlite3.Error, path: Path) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    match code:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreBusy(f"{path}: another program keeps the database locked; close it and try again")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return StoreReadOnly(
                f"{path}: the database can't be written; check the owner and mode of file and folder"
            )
        case sqlite3.SQLITE_CANTOPEN if limits.is_exhausted():
            return StoreError(f"{path}: the database can't be opened: {limits.in_words()}")
        case sqlite3.SQLITE_CANTOPEN:
            return StoreReadOnly(
                f"{path}: the database can't be opened; check that its folder exists and may be written"
            )
        case sqlite3.SQLITE_IOERR if not is_full(path):
            return StoreError(f"{path}: the disk failed ({error})")
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR:
            return StoreFull(
                f"{path}: the disk is full; nothing that was stored is lost, make room and try again"
            )
        case sqlite3.SQLITE_NOTADB:
            return NotAStore(
                f"{path}: the file is not a database; move it away, or name another in store.path"
            )
        case sqlite3.SQLITE_CORRUPT:
            return NotAStore(f"{path}: the database is damaged ({error}); restore it from a backup")
        case _:
            return StoreError(f"{path}: {error}")


def is_full(path: Path) -> bool:
    """Whether the disk has no room for the files that SQLite keeps beside a database: even reading needs them."""
    try:
        return shutil.disk_usage(path.absolute().parent).free < LEAST_BYTES
    except OSError:
        return False


def connect(path: Path) -> sqlite3.Connection:
    """The writing connection, for the calling thread, in autocommit mode. Raises StoreError."""
    with translated(path):
        connection = opened(path, "rwc")
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(f"PRAGMA cache_size = -{WRITERS_CACHE_KIB}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """A connection that reads, for the calling thread. Raises StoreError."""
    try:
        with translated(path):
            connection = opened(path, "ro", READERS_STATEMENTS)
            try:
                connection.execute(f"PRAGMA cache_size = -{READERS_CACHE_KIB}")
                connection.execute("PRAGMA schema_version").fetchone()
            except sqlite3.Error:
                connection.close()
                raise
            return connection
    except StoreReadOnly as error:
        raise StoreReadOnly(
            f"{path}: the database can't be read by this user: whoever reads must be allowed to write {path.name}-shm"
            " beside it. Run the command as the user that feedd runs as"
        ) from error


def opened(path: Path, mode: str, statements: int = WRITERS_STATEMENTS) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, cached_statements=statements)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; takes the write lock at once, so that it never fails half-way for another writer."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")  # may fail, too: where the disk is full
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def one_view(connection: sqlite3.Connection) -> Iterator[None]:
    """All that is read within is of one moment."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("COMMIT")


def placeholders(count: int) -> str:
    return ",".join("?" * count)


def stored_path(path: str) -> str | bytes:
    """A file's path as SQLite can hold it: bytes where it is no Unicode text."""
    if path.isascii():  # as nearly always
        return path
    try:
        path.encode()
    except UnicodeEncodeError:
        return path.encode("utf-8", "surrogateescape")
    return path


def loaded_path(stored: str | bytes) -> str:
    return stored if isinstance(stored, str) else stored.decode("utf-8", "surrogateescape")
