"""Copies of the database: whole beside a writer, checked, and never half there; one put in its place."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from archive import Archive
from disks import small_disk
from nobody import as_nobody, open_folder
from sqlite_utils import Database

from feedd.errors import NewerStore, NotAStore, StoreBusy, StoreError, StoreFull, UsageError
from feedd.store import schema
from feedd.store.backup import PART, Backup, backup, restore, target_of
from feedd.store.lock import Lock
from feedd.store.migrations import migrations
from feedd.store.writer import Writer

NOW_MS = 1_706_867_102_000
LARGE = 5_000  # documents: their pages are copied in several steps
BODY = 4_000
INSERT_RAW = "INSERT INTO raws (url, headers, fetched_at, sha256, bytes, body) VALUES ('x', '[]', 0, ?, 1, ?)"
WRITE_HARD = f"""
import os, sqlite3, sys, time
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute("PRAGMA synchronous = NORMAL")
c.execute("PRAGMA busy_timeout = 30000")
number = 0
while not os.path.exists(sys.argv[2]):
    c.execute("BEGIN IMMEDIATE")
    for _ in range(5):
        c.execute({INSERT_RAW!r}, [os.urandom(8), os.urandom({BODY})])
    c.execute("UPDATE raws SET body = ? WHERE id = ?", [os.urandom({BODY}), number % 1000 + 1])
    c.execute("UPDATE meta SET value = (SELECT count(*) FROM raws) WHERE key = 'raws'")
    c.execute("COMMIT")
    number += 1
    time.sleep(0.002)
"""


def fill(path: Path, documents: int = LARGE) -> None:
    """A database with these documents, and a note of how many they are."""
    with closing(Writer(path)) as writer:
        writer.within(lambda connection: add(connection, documents))


def add(connection: sqlite3.Connection, documents: int) -> None:
    connection.executemany(INSERT_RAW, ((os.urandom(8), os.urandom(BODY)) for _ in range(documents)))
    connection.execute("INSERT OR REPLACE INTO meta SELECT 'raws', count(*) FROM raws")


def rows(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def everything(path: Path) -> dict[str, list[Any]]:
    """All rows of all tables; of the search index, those that it keeps itself in."""
    names = rows(path, "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%'")
    return {name: rows(path, f'SELECT * FROM "{name}"') for (name,) in names}


def is_whole(path: Path) -> bool:
    counted = rows(path, "SELECT count(*), (SELECT value FROM meta WHERE key = 'raws') FROM raws")[0]
    return rows(path, "PRAGMA integrity_check") == [("ok",)] and str(counted[0]) == counted[1]


def names(folder: Path) -> set[str]:
    """Of the files in it, but for what SQLite leaves beside a database that was read."""
    return {each.name for each in folder.iterdir() if not each.name.endswith((".db-wal", ".db-shm"))}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """With three entries in it."""
    with closing(Archive(tmp_path)) as archive:
        archive.many(3, 2)
    return tmp_path / "feedd.db"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Which no test changes."""
    path = tmp_path_factory.mktemp("large") / "feedd.db"
    fill(path)
    return path


def test_a_copy_holds_all_and_is_one_private_file(store: Path) -> None:
    made = backup(store, store.with_name("b.db"))
    assert everything(made.file) == everything(store)
    assert (made.contents.entries, made.contents.versions) == (3, 6)
    assert made.contents.schema == schema.STEPS[-1]
    assert made.bytes == made.file.stat().st_size
    assert made.file.stat().st_mode & 0o777 == 0o600
    assert rows(made.file, "PRAGMA journal_mode") == [("delete",)]
    assert {each.name for each in store.parent.glob("*b.db*")} == {"b.db"}


def test_beside_one_who_writes_hard(tmp_path: Path) -> None:
    store, end = tmp_path / "feedd.db", tmp_path / "end"
    fill(store)
    counts = [LARGE]

    def progress(_: int, __: int) -> None:
        """Wait until the other has written once more: no step of ours keeps it from that."""
        patience = time.monotonic() + 20
        while (now := rows(store, "SELECT count(*) FROM raws")[0][0]) == counts[-1]:
            assert time.monotonic() < patience
        counts.append(now)

    command = [sys.executable, "-c", WRITE_HARD, str(store), str(end)]
    with subprocess.Popen(command) as writer:
        progress(0, 0)
        made = backup(store, tmp_path / "b.db", progress)
        end.touch()
        assert writer.wait(20) == 0
    assert len(counts) > 3
    assert is_whole(made.file)
    held = rows(made.file, "SELECT count(*) FROM raws")[0][0]
    assert LARGE <= held <= counts[2]  # it is of the moment when it began


PAUSED = """
import signal, sys, time
from pathlib import Path
from feedd.__main__ import leave
from feedd.store import backup
signal.signal(signal.SIGTERM, leave)
def pause(*_):
    print("now", flush=True)
    time.sleep(60)
what, where, *paths = sys.argv[1:]
if where == "placing":
    backup.put = pause
progress = pause if where == "copying" else None
first, second = map(Path, paths)
if what == "backup":
    backup.backup(first, second, progress)
else:
    backup.restore(first, second, 0, progress)
"""


@contextmanager
def paused(what: str, where: str, first: Path, second: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that stands still in the middle."""
    command = [sys.executable, "-c", PAUSED, what, where, str(first), str(second)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"now\n"
        try:
            yield process
        finally:
            process.kill()


def test_killed_while_it_copies(large: Path, tmp_path: Path) -> None:
    target = tmp_path / "b.db"
    fill(target, 1)
    old = target.read_bytes()
    with paused("backup", "copying", large, target):
        (part,) = names(tmp_path) - {"b.db"}
        assert part.endswith(PART)
    assert target.read_bytes() == old
    backup(target, tmp_path / "c.db")
    assert names(tmp_path) == {"b.db", "c.db"}


def test_ended_by_a_signal_it_leaves_nothing(large: Path, tmp_path: Path) -> None:
    with paused("backup", "copying", large, tmp_path / "b.db") as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert names(tmp_path) == set()


def test_a_copy_under_way_is_nobodys_leftover(large: Path, store: Path) -> None:
    with paused("backup", "copying", large, store.with_name("b.db")):
        backup(store, store.with_name("c.db"))
        assert [each for each in names(store.parent) if each.endswith(PART)]


@pytest.mark.parametrize("where", ["copying", "placing"])
def test_killed_while_it_restores(large: Path, tmp_path: Path, where: str) -> None:
    store = tmp_path / "feedd.db"
    fill(store, 1)
    with paused("restore", where, store, large):
        pass
    assert rows(store, "SELECT count(*) FROM raws") == [(1,)]
    Writer(store).close()
    restore(store, large, NOW_MS)
    assert rows(store, "SELECT count(*) FROM raws") == [(LARGE,)]
    assert not [each for each in names(tmp_path) if each.endswith(PART)]


def test_there_and_back(store: Path) -> None:
    made = backup(store, store.with_name("b.db"))
    before = everything(store)
    store.chmod(0o640)
    with closing(Writer(store)) as writer:
        writer.within(lambda connection: add(connection, 2))
        with pytest.raises(StoreBusy, match="another program uses the database; close it"):
            restore(store, made.file, NOW_MS)
    changed = everything(store)
    done = restore(store, made.file, NOW_MS)
    assert done.kept == store.with_name("feedd.db.before-restore-20240202T094502Z")
    assert everything(store) == before
    assert everything(done.kept) == changed
    assert store.stat().st_mode & 0o777 == 0o640
    again = restore(store, made.file, NOW_MS)
    assert again.kept == store.with_name("feedd.db.before-restore-20240202T094502Z-2")
    assert names(store.parent) == {"feedd.db", "feedd.db.lock", "b.db", done.kept.name, again.kept.name}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root restores for others")
@pytest.mark.parametrize("is_there", [True, False])
def test_what_root_restores_belongs_to_the_user_that_feedd_runs_as(tmp_path: Path, is_there: bool) -> None:
    backups, home = tmp_path / "backups", tmp_path / "home"
    backups.mkdir()
    home.mkdir()
    fill(backups / "b.db", 1)
    os.chown(home, 65_534, 65_534)
    if is_there:
        fill(home / "feedd.db", 1)
        os.chown(home / "feedd.db", 65_534, 65_534)
    restore(home / "feedd.db", backups / "b.db", NOW_MS)
    assert {each.stat().st_uid for each in home.iterdir()} == {65_534}
    assert {each.stat().st_uid for each in backups.iterdir()} == {0}


def test_where_there_is_no_database(store: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    done = restore(tmp_path / "new/feedd.db", store, NOW_MS)
    assert done.kept is None
    assert everything(tmp_path / "new/feedd.db") == everything(store)


def test_where_a_link_leads(store: Path, tmp_path: Path) -> None:
    """The database lies on a disk that was chosen for it, and stays there."""
    made, before = backup(store, store.with_name("b.db")), everything(store)
    (tmp_path / "home").mkdir()
    link = tmp_path / "home/feedd.db"
    link.symlink_to(store)
    with closing(Writer(link)) as writer:
        writer.within(lambda connection: add(connection, 2))
    done = restore(link, made.file, NOW_MS)
    assert (link.resolve(), everything(link)) == (store.resolve(), before)
    assert done.kept is not None
    assert (done.kept.parent, done.kept.is_symlink()) == (store.resolve().parent, False)
    assert names(link.parent) == {"feedd.db"}


def test_in_place_of_a_damaged_one(store: Path) -> None:
    made = backup(store, store.with_name("b.db"))
    store.write_bytes(b"no database" * 1000)
    log = store.with_name("feedd.db-wal")
    log.write_bytes(b"of another one")
    done = restore(store, made.file, NOW_MS)
    assert everything(store) == everything(made.file)
    assert not log.exists()
    assert done.kept is not None
    assert done.kept.read_bytes() == b"no database" * 1000
    assert done.kept.with_name(f"{done.kept.name}-wal").read_bytes() == b"of another one"


def test_beside_one_that_runs(store: Path) -> None:
    made = backup(store, store.with_name("b.db"))
    lock = Lock(store)
    with pytest.raises(StoreBusy, match=f"process {os.getpid()} on this database; end it, then restore"):
        restore(store, made.file, NOW_MS)
    lock.release()


def test_an_older_one_is_brought_up_to_date_at_the_next_start(store: Path) -> None:
    old = store.with_name("old.db")
    with closing(sqlite3.connect(old, isolation_level=None)) as connection:
        migrations.apply(Database(connection), stop_before="0003_changes")
    done = restore(store, old, NOW_MS)
    assert (done.is_behind, done.contents.schema) == (True, "0002_web")
    Writer(store).close()
    assert rows(store, "SELECT count(*) FROM tokens") == [(0,)]


def spoil(made: Backup, how: str) -> type[StoreError]:
    """Make a file of it that must not be restored."""
    match how:
        case "text":
            made.file.write_text("Hello. " * 1000)
        case "cut off":
            os.truncate(made.file, made.bytes // 2)
        case "overwritten":
            with made.file.open("r+b") as file:
                file.seek(8192)
                file.write(os.urandom(made.bytes - 8192))
        case "another":
            made.file.unlink()
            with closing(sqlite3.connect(made.file)) as connection:
                connection.execute("CREATE TABLE a (b)")
        case "empty":
            made.file.write_bytes(b"")
        case "newer":
            with closing(sqlite3.connect(made.file, isolation_level=None)) as connection:
                connection.execute(
                    "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('feedd', '9999', '')"
                )
            return NewerStore
    return NotAStore


@pytest.mark.parametrize("how", ["text", "cut off", "overwritten", "another", "empty", "newer"])
def test_what_can_not_be_restored(store: Path, how: str) -> None:
    made = backup(store, store.with_name("b.db"))
    before = everything(store)
    with pytest.raises(spoil(made, how), match=r"b\.db: "):
        restore(store, made.file, NOW_MS)
    assert everything(store) == before
    assert not [each for each in names(store.parent) if "before" in each or each.endswith(PART)]


def test_a_damaged_database_makes_no_backup(large: Path, tmp_path: Path) -> None:
    """Where nothing is counted, so that only SQLite's own check finds it."""
    store, target = tmp_path / "feedd.db", tmp_path / "b.db"
    copyfile(large, store)
    with store.open("r+b") as file:
        file.seek(store.stat().st_size // 2)
        file.write(os.urandom(50_000))
    target.write_bytes(b"")
    with pytest.raises(NotAStore, match=r"feedd\.db: the database is damaged .*the copy was thrown away"):
        backup(store, target)
    assert target.read_bytes() == b""
    assert names(tmp_path) == {"feedd.db", "b.db"}


def test_what_is_never_replaced(store: Path) -> None:
    def refused(name: str, *, replace: bool = True) -> str:
        with pytest.raises(UsageError) as raised:
            target_of(store.parent / name, store, NOW_MS, replace=replace)
        return str(raised.value)

    store.with_name("link.db").symlink_to(store)
    store.with_name("text").write_text("Hello, this is a letter.")
    store.with_name("fresh.db-wal").touch()
    backup(store, store.with_name("b.db"))
    for own in ("feedd.db", "feedd.db-wal", "feedd.db.lock", "link.db"):
        assert "feedd's own database is there" in refused(own)
    assert "is no backup of a database" in refused("text")
    backup(store, store.with_name("other.db"))
    store.with_name("other.db.lock").touch()  # some feedd runs on it
    assert "is no backup of a database" in refused("other.db")
    assert "no such folder" in refused("nowhere/b.db")
    assert "b.db: is there already; name another file, or replace it with --force" in refused(
        "b.db", replace=False
    )
    assert "fresh.db-wal: is there already" in refused("fresh.db", replace=False)
    assert target_of(store.with_name("b.db"), store, NOW_MS, replace=True) == store.with_name("b.db")
    assert target_of(store.parent, store, NOW_MS, replace=False).name == "feedd-20240202T094502Z.db"


def test_what_lies_beside_a_replaced_backup_is_not_read_into_the_new_one(store: Path) -> None:
    target = store.with_name("b.db")
    with closing(Writer(target)) as writer:
        writer.within(lambda connection: add(connection, 3))
        log = target.with_name("b.db-wal").read_bytes()
    target.with_name("b.db-wal").write_bytes(log)
    backup(store, target)
    assert everything(target) == everything(store)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path, "30m") as made:
        yield made


def test_a_disk_that_is_full_from_the_start(disk: Path, large: Path) -> None:
    (disk / "ballast").write_bytes(b"x" * 20_000_000)
    with pytest.raises(
        StoreFull, match=r"b\.db: the disk has room for 11\.\d MB and the copy takes 2\d\.\d MB"
    ):
        backup(large, disk / "b.db")
    assert names(disk) == {"ballast"}


def test_a_disk_that_becomes_full(disk: Path, large: Path) -> None:
    target = disk / "b.db"
    target.write_bytes(b"")

    def progress(_: int, __: int) -> None:
        (disk / "ballast").write_bytes(b"x" * 18_000_000)

    with pytest.raises(StoreFull, match=r"b\.db: the disk is full"):
        backup(large, target, progress)
    assert names(disk) == {"ballast", "b.db"}
    assert target.read_bytes() == b""


def test_folders_that_can_not_be_written_or_entered() -> None:
    with open_folder() as parent:
        said = as_nobody(
            parent,
            """
from feedd.store.backup import backup, is_made, restore, target_of
from feedd.store.writer import Writer
store = root / "feedd.db"
Writer(store).close()
os.mkdir(root / "in", 0o500)
os.mkdir(root / "shut", 0)
for work in (
    lambda: backup(store, root / "in/b.db"),
    lambda: target_of(root / "shut/b.db", store, 0, replace=False),
    lambda: restore(store, root / "shut/b.db", 0),
    lambda: is_made(root / "shut/feedd.db"),
):
    try:
        work()
    except StoreReadOnly as error:
        print(error)
""",
        )
    names = ("in/b.db", "shut/b.db", "shut/b.db", "shut/feedd.db")
    advice = "Permission denied; check the owner and mode of the file and its folders"
    assert said.splitlines() == [f"{parent}/{name}: {advice}" for name in names]
