"""Somebody takes the database away, or puts another in its place, while feedd has it open."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from place import Place, seed

from feedd.errors import StoreReplaced
from feedd.folder import FolderLooker
from feedd.store.desk import Desk
from feedd.store.writer import Writer


def delete(database: Path) -> None:
    database.unlink()


def move_away(database: Path) -> None:
    database.rename(database.with_name("elsewhere.db"))


def replace(database: Path) -> None:
    with closing(Writer(database.with_name("other.db"))):
        pass
    os.replace(database.with_name("other.db"), database)


def delete_log(database: Path) -> None:
    database.with_name("feedd.db-wal").unlink()


def delete_index(database: Path) -> None:
    database.with_name("feedd.db-shm").unlink()


def entries(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return int(connection.execute("SELECT count(*) FROM entries").fetchone()[0])


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """With one entry, which is in the log alone."""
    made = Place(tmp_path)
    made.write("a.txt", seed("a"))
    assert made.look().tally.added == 1
    return made


@pytest.mark.parametrize(
    ("hardship", "file", "what", "kept_in"),
    [
        (delete, "feedd.db", "was deleted or moved away", "feedd.db.rescued-*"),
        (move_away, "feedd.db", "was deleted or moved away", "elsewhere.db"),
        (replace, "feedd.db", "was replaced by another file", "feedd.db.rescued-*"),
        (delete_log, "feedd.db-wal", "was deleted or moved away", "feedd.db"),
        (delete_index, "feedd.db-shm", "was deleted or moved away", "feedd.db"),
    ],
)
def test_nothing_is_written_where_nobody_sees_it(
    place: Place, hardship: Callable[[Path], None], file: str, what: str, kept_in: str
) -> None:
    hardship(place.database)
    place.write("b.txt", seed("b"))
    looked = FolderLooker(place.desk, place.stop, place.root).look(place.sources["a"])
    assert looked.error is not None
    assert looked.error.startswith(
        f"{place.root / file} {what} while feedd had it open: nothing more is written"
    )
    with pytest.raises(StoreReplaced):
        place.desk.run(lambda writer: writer.due(0))
    place.reader.close()
    place.desk.close()
    (kept,) = place.root.glob(kept_in)
    assert entries(kept) == 1
    if hardship is replace:
        assert entries(place.database) == 0, "it is not touched"
    with closing(Desk(place.database)) as desk:
        desk.run(lambda writer: writer.due(0))
    assert entries(place.database) == (1 if kept_in == "feedd.db" else 0)
