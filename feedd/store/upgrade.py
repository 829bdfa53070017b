"""Bringing a database that an earlier feedd made up to date. A copy of what it was stays beside it."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from feedd.errors import AlreadyRunning, StoreBusy, StoreError
from feedd.store import schema
from feedd.store.backup import backup
from feedd.store.database import connect, connect_to_read
from feedd.store.lock import Lock, holder


def upgrade(path: Path) -> None:
    """Take the steps to today's schema that a database lacks, if any. Raises StoreError; then it is what it was, or
    some whole steps further. One that is not ours, or newer than we are, is not touched.
    """
    if pending(path) is None:
        return
    with alone(path):  # before it is opened to be written: see `check_other_names` of `lock`
        step = pending(path)
        if step is not None:
            keep_copy(path, step)
            with closing(connect(path)) as connection:
                schema.take_steps(connection, path)


def pending(path: Path) -> str | None:
    """The first step that the database lacks."""
    with closing(connect_to_read(path)) as reader:
        schema.check(reader, path)
        return schema.next_step(reader, path) if schema.is_behind(reader, path) else None


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """While no other process runs passes: an earlier feedd would go on, on tables that it does not know."""
    try:
        lock = Lock(path)
    except AlreadyRunning as error:
        if holder(path) != os.getpid():
            raise StoreBusy(
                f"{path}: an earlier feedd made this database, and runs on it: {error}. End it, and start today's:"
                " that brings the database up to date"
            ) from error
        yield
        return
    try:
        yield
    finally:
        lock.release()


def keep_copy(path: Path, step: str) -> None:
    """As private, and as well checked, as a backup: it holds the same. One of an earlier try is replaced."""
    copy = path.with_name(f"{path.name}.before-{step}")
    try:
        backup(path, copy)
    except StoreError as error:
        raise type(error)(
            f"an earlier feedd made this database; it is brought up to date once a copy is kept: {error}."
            " Nothing was changed"
        ) from error
