"""What is written when something is in the way: another program, a missing right, a full disk."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from nobody import as_nobody, open_folder
from place import Place, seed

from feedd.errors import StoreBusy
from feedd.store.database import connect, connect_to_read, transaction
from feedd.store.recording import only_held_by

FILES = 400


def fill(place: Place, count: int = FILES) -> None:
    for number in range(count):
        place.write(f"{number:03}.md", seed(str(number), body=f"<p>{number}</p>" * 200))


def impatient(place: Place) -> None:
    place.run("PRAGMA busy_timeout = 50")


def test_a_locked_database_fails_the_look_and_no_more(place: Place) -> None:
    fill(place)
    impatient(place)
    with closing(sqlite3.connect(place.database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        looked = place.look()
        assert looked.status == "failed"
        assert (
            looked.error
            == f"{place.database}: another program keeps the database locked; close it and try again"
        )
        other.execute("ROLLBACK")
    assert place.found() == {"added": FILES}
    assert set(place.kinds()) == {"added"}


def test_a_lock_between_two_batches_loses_nothing(place: Place) -> None:
    fill(place, 600)
    impatient(place)
    with closing(sqlite3.connect(place.database, isolation_level=None)) as other:

        def lock(done: int, _: int) -> None:
            if done == 250:
                other.execute("BEGIN IMMEDIATE")

        assert place.look(progress=lock).status == "failed"
        other.execute("ROLLBACK")
    assert place.found() == {"added": 350}


def test_readers_never_wait(place: Place) -> None:
    fill(place, 10)
    place.found()
    with closing(sqlite3.connect(place.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM changes")
        assert len(place.kinds()) == 10
        other.execute("ROLLBACK")


def test_a_look_while_somebody_reads(place: Place) -> None:
    fill(place, 10)
    with closing(connect_to_read(place.database)) as other:
        other.execute("BEGIN")
        assert other.execute("SELECT count(*) FROM entries").fetchone() == (0,)
        assert place.found() == {"added": 10}
        assert other.execute("SELECT count(*) FROM entries").fetchone() == (0,)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_transaction_is_all_or_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    with closing(connect(tmp_path / "a.db")) as connection:
        connection.execute("CREATE TABLE t (x)")

        def fail_half_way() -> None:
            with transaction(connection):
                connection.execute("INSERT INTO t VALUES (1)")
                raise error

        with pytest.raises(error):
            fail_half_way()
        with transaction(connection):
            connection.execute("INSERT INTO t VALUES (2)")
        assert connection.execute("SELECT x FROM t").fetchall() == [(2,)]


def test_a_transaction_that_cannot_begin(place: Place) -> None:
    impatient(place)
    with closing(sqlite3.connect(place.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy):
            place.add("b", place.folder)
        other.execute("ROLLBACK")
    place.add("b", place.folder)


def test_any_number_of_files_can_be_named(place: Place) -> None:
    """SQLite may be built to take few values in a statement."""
    fill(place, 10)
    place.found()
    place.desk.run(lambda writer: writer.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999))
    names = [f"{number:03}.md" for number in range(5_000)]
    known = place.desk.run(lambda writer: writer.stamps_of(1, names))
    assert sorted(known) == names[:10]
    gone = [f"{number}.md" for number in range(5_000)]
    assert place.desk.run(lambda writer: only_held_by(writer.connection, 1, gone)) == []


MAKE = """
os.mkdir("in")
place = Place(root, root / "in/feedd.db")
place.write("a.md", seed())
place.close()
"""
LOOK_WITHOUT_RIGHTS = """
os.chmod(root / "in/feedd.db", {file})
os.chmod(root / "in", {folder})
try:
    place = Place(root, root / "in/feedd.db")
    print(place.look().error)
    place.close()
except StoreReadOnly as error:
    print(error)
os.chmod(root / "in", 0o700)
os.chmod(root / "in/feedd.db", 0o600)
"""
LOOK = """
place = Place(root, root / "in/feedd.db")
print(place.found())
place.close()
"""


@pytest.mark.parametrize(("folder", "file"), [(0o700, 0o400), (0o500, 0o600), (0, 0o600)])
def test_without_the_right_to_write(folder: int, file: int) -> None:
    with open_folder() as parent:
        script = MAKE + LOOK_WITHOUT_RIGHTS.format(folder=folder, file=file) + LOOK
        said, then = as_nobody(parent, script).splitlines()
    assert said.startswith(f"{parent}/in/feedd.db: ")
    assert "the database can't be " in said or "can't be reached: Permission denied" in said
    assert then == "{'added': 1}"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root mounts a file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk(small_disk: Path, tmp_path: Path) -> None:
    place = Place(tmp_path, small_disk / "feedd.db")
    fill(place, 100)
    assert place.found() == {"added": 100}
    fill(place, 1_400)
    looked = place.look()
    assert looked.status == "failed"
    assert "the disk is full; nothing that was stored is lost" in (looked.error or "")
    stored = place.one("SELECT count(*) FROM entries")
    assert stored >= 100
    assert place.look().status == "failed"
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    tally = place.found()
    assert stored + tally["added"] == 1_400
    assert place.look().status == "unchanged"
    assert place.one("PRAGMA integrity_check") == "ok"
    place.close()


def test_a_disk_that_is_full_from_the_start(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(b"x" * (2**20 - 4096))
    script = f"""
from pathlib import Path
from feedd.errors import FeeddError
from feedd.store.desk import Desk
from feedd.store.lock import Lock
for work in (Lock, Desk):
    try:
        work(Path({str(small_disk / "feedd.db")!r}))
    except FeeddError as error:
        print(type(error).__name__)
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True)
    assert done.stderr == ""
    assert "StoreFull" in done.stdout
