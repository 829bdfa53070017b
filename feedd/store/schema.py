"""Which steps of the schema a database has taken, and which it needs. The steps themselves: see `migrations`."""

import sqlite3
from pathlib import Path

from feedd.errors import NewerStore, NotAStore, StoreError
from feedd.store.database import translated

NAME = "feedd"
STEPS = (
    "0001_spine",
    "0002_web",
    "0003_changes",
    "0004_notify",
    "0005_search",
    "0006_access",
    "0007_pages",
    "0008_archives",
    "0009_own_incidents",
    "0010_growth",
    "0011_terms",
)
TAKEN = "_sqlite_migrations"  # the table in which sqlite-utils notes them


def tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def taken(connection: sqlite3.Connection) -> set[str]:
    """The names of the steps that the database has taken."""
    if TAKEN not in tables(connection):
        return set()
    rows = connection.execute(f"SELECT name FROM {TAKEN} WHERE migration_set = ?", [NAME])
    return {name for (name,) in rows}


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a database that is not ours, or newer than we are, without touching it. Raises NotAStore, NewerStore."""
    with translated(path):
        applied = taken(connection)
        if newer := sorted(applied - set(STEPS)):
            raise NewerStore(
                f"{path}: a newer feedd made this database ({newer[-1]}), so it was left alone. Use that version,"
                " or name another file in store.path"
            )
        if not applied and tables(connection) - {TAKEN}:
            raise NotAStore(
                f"{path}: the file is a database of something else; name another file in store.path"
            )


def empty_store() -> sqlite3.Connection:
    """What a database holds that was not made yet."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    take_steps(connection, Path(":memory:"))
    return connection


def is_behind(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether an earlier feedd made the database, and steps to today's schema are pending."""
    with translated(path):
        applied = taken(connection)
    return bool(applied) and not applied.issuperset(STEPS)


def check_current(connection: sqlite3.Connection, path: Path) -> None:
    """As `check`, and refuse a database that no step was applied to yet. Raises StoreError."""
    check(connection, path)
    if is_behind(connection, path):
        raise StoreError(
            f"{path}: an earlier feedd made this database; `feedd update` or `feedd run` brings it up to date, and"
            " keeps a copy"
        )


def next_step(connection: sqlite3.Connection, path: Path) -> str:
    """The first step that the database has not taken."""
    with translated(path):
        applied = taken(connection)
    return next(name for name in STEPS if name not in applied)


def take_steps(connection: sqlite3.Connection, path: Path) -> None:
    """All that were not taken yet, each in a transaction. Raises StoreError."""
    with translated(path):
        if taken(connection).issuperset(STEPS):
            return
        from feedd.store.migrations import apply  # sqlite-utils takes a fifth of a second, seldom needed

        apply(connection)
