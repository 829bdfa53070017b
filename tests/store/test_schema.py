import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from disks import small_disk
from place import Place, seed
from sqlite_utils import Database

from feedd.errors import NewerStore, NotAStore, StoreBusy, StoreError, StoreFull
from feedd.store import schema
from feedd.store.backup import backup
from feedd.store.lock import Lock
from feedd.store.migrations import migrations
from feedd.store.reader import Reader
from feedd.store.writer import Writer


def digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def test_a_database_has_a_uuid_for_good(tmp_path: Path) -> None:
    path = tmp_path / "feedd.db"
    uuids = set()
    for _ in range(2):
        Writer(path).close()
        reader = Reader(path)
        uuids.add(reader.uuid())
        reader.close()
    Writer(tmp_path / "other.db").close()
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        uuids.add(other.execute("SELECT value FROM meta WHERE key = 'uuid'").fetchone()[0])
    assert len(uuids) == 2


def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    (tmp_path / "feedd.db").touch()
    Writer(tmp_path / "feedd.db").close()
    with closing(sqlite3.connect(tmp_path / "feedd.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("SELECT count(*) FROM entries").fetchone() == (0,)


def test_a_store_that_is_not_made_yet_has_the_same_tables(tmp_path: Path) -> None:
    Writer(tmp_path / "feedd.db").close()
    tables = "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"
    with closing(sqlite3.connect(tmp_path / "feedd.db")) as made, closing(schema.empty_store()) as empty:
        assert made.execute(tables).fetchall() == empty.execute(tables).fetchall()


TABLES = "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"


def old_store(path: Path, before: str = "0002_web") -> None:
    """A database as an earlier version made it, with an entry in it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrations.apply(Database(connection), stop_before=before)
        connection.execute(
            "INSERT INTO sources (name, type, location, configured, extraction, selection) VALUES ('a', 'directory',"
            " '/x', 1, 'e', 's')"
        )
        connection.execute(
            "INSERT INTO entries VALUES (1, 'uid', 'https://example.org/1', 'Title', 1, 0, 1, 1, 1, 1, 1, NULL)"
        )


def test_every_step_is_known_by_name() -> None:
    with closing(sqlite3.connect(":memory:")) as nothing:
        assert migrations.name == schema.NAME
        assert tuple(step.name for step in migrations.pending(Database(nothing))) == schema.STEPS


@pytest.mark.parametrize("step", schema.STEPS[1:])
def test_each_earlier_schema_becomes_todays_with_a_private_copy_beside_it(tmp_path: Path, step: str) -> None:
    old, fresh = tmp_path / "old.db", tmp_path / "fresh.db"
    old_store(old, step)
    old.chmod(0o600)
    Writer(old).close()
    Writer(fresh).close()
    with closing(sqlite3.connect(old)) as one, closing(sqlite3.connect(fresh)) as other:
        assert one.execute(TABLES).fetchall() == other.execute(TABLES).fetchall()
    copy = tmp_path / f"old.db.before-{step}"
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(copy)) as kept:
        assert kept.execute("SELECT title FROM entries").fetchall() == [("Title",)]
        assert max(schema.taken(kept)) < step


def test_an_old_database_becomes_one_like_a_fresh_one(tmp_path: Path) -> None:
    old, fresh = tmp_path / "old.db", tmp_path / "fresh.db"
    old_store(old)
    with pytest.raises(StoreError, match="an earlier feedd made this database"):
        Reader(old).sources()
    Writer(old).close()
    Writer(fresh).close()
    with closing(sqlite3.connect(old)) as one, closing(sqlite3.connect(fresh)) as other:
        assert one.execute(TABLES).fetchall() == other.execute(TABLES).fetchall()
        assert one.execute("SELECT title FROM entries").fetchall() == [("Title",)]
        assert one.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    copy = tmp_path / "old.db.before-0002_web"
    with closing(sqlite3.connect(copy)) as kept:
        assert kept.execute("SELECT title FROM entries").fetchall() == [("Title",)]
    Writer(old).close()
    assert sorted(path.name for path in tmp_path.glob("*.before-*")) == [copy.name]


def test_a_copy_that_can_not_be_kept_leaves_the_database_alone(tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    old_store(old)
    (tmp_path / "old.db.before-0002_web").mkdir()
    with pytest.raises(StoreError, match=r"up to date once a copy is kept: .*Is a directory"):
        Writer(old)
    with closing(sqlite3.connect(old)) as connection:
        columns = {row[1] for row in connection.execute("PRAGMA table_info(sources)")}
    assert "etag" not in columns


@pytest.mark.parametrize("content", [b"not a database at all, but a letter to Mother", b"\0" * 8192, b"xy"])
def test_what_is_no_database_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "feedd.db"
    path.write_bytes(content)
    with pytest.raises(NotAStore, match=r"feedd\.db"):
        Writer(path)
    assert path.read_bytes() == content
    reader = Reader(path)
    with pytest.raises(StoreError, match=r"feedd\.db"):
        reader.sources()
    reader.close()


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "feedd.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE photographs (id INTEGER PRIMARY KEY)")
        other.commit()
    before = digest(path)
    with pytest.raises(NotAStore, match="a database of something else"):
        Writer(path)
    assert digest(path) == before


def test_an_upgrade_that_has_no_room_for_a_copy_changes_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path, "2m") as disk:
        old_store(disk / "old.db")
        (disk / "old.db").chmod(0o600)
        with closing(sqlite3.connect(disk / "old.db", isolation_level=None)) as connection:
            connection.execute("INSERT INTO meta VALUES ('large', zeroblob(1100000))")
        with pytest.raises(
            StoreFull, match=r"once a copy is kept: .*before-0002_web: the disk has room for .* kB"
        ):
            Writer(disk / "old.db")
        with closing(sqlite3.connect(disk / "old.db")) as connection:
            assert schema.taken(connection) == {"0001_spine"}
        assert {each.name for each in disk.iterdir()} <= {"old.db", "old.db-wal", "old.db-shm", "old.db.lock"}


HOLDING = """
import sys
from pathlib import Path
from feedd.store.lock import Lock
lock = Lock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_no_database_is_brought_up_to_date_under_a_feedd_that_runs_on_it(tmp_path: Path) -> None:
    """One that was not restarted after its package was replaced: `feedd token new` must not change its tables."""
    old = tmp_path / "old.db"
    old_store(old)
    command, pipe = [sys.executable, "-c", HOLDING, str(old)], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(StoreBusy, match=f"runs on it: feedd is already running as process {other.pid}"):
            Writer(old)
        other.communicate()
    with closing(sqlite3.connect(old)) as connection:
        assert schema.taken(connection) == {"0001_spine"}
    lock = Lock(old)  # whoever holds it itself may
    Writer(old).close()
    lock.release()
    with closing(sqlite3.connect(old)) as connection:
        assert schema.taken(connection) == set(schema.STEPS)


NEWER = "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('feedd', '9999_x', '')"
KILLED = """
import os, sys
from pathlib import Path
from feedd.store.writer import Writer
writer = Writer(Path(sys.argv[1]))
writer.within(lambda connection: connection.execute(sys.argv[2]))
os._exit(0)
"""


@pytest.mark.parametrize("work", [Writer, lambda path: backup(path, path.with_name("b.db"))])
def test_a_newer_schema_is_left_alone(tmp_path: Path, work: Callable[[Path], object]) -> None:
    """Also what its last feedd, which was killed, had not brought into the database yet."""
    path = tmp_path / "feedd.db"
    subprocess.run([sys.executable, "-c", KILLED, str(path), NEWER], check=True)
    log = path.with_name("feedd.db-wal")
    before = digest(path), digest(log)
    with pytest.raises(NewerStore, match=r"a newer feedd made this database \(9999_x\)"):
        work(path)
    assert (digest(path), digest(log)) == before
    assert {each.name for each in tmp_path.iterdir()} <= {"feedd.db", "feedd.db-wal", "feedd.db-shm"}


def test_a_damaged_database_is_said_to_be(tmp_path: Path) -> None:
    place = Place(tmp_path)
    for number in range(200):
        place.write(f"{number}.md", seed(str(number), body="<p>words</p>" * 50))
    place.found()
    place.close()
    with open(place.database, "r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * (place.database.stat().st_size - 16_384))
    reader = Reader(place.database)
    with pytest.raises(NotAStore, match="is damaged"):
        reader.rows("SELECT * FROM revisions JOIN entries USING (id) ORDER BY url")
    reader.close()


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(NotAStore, match="is a folder"):
        Writer(tmp_path)


def test_other_tools_find_something_useful(place: Place) -> None:
    place.write("a.md", seed(title="标题", body="<p>One</p>"))
    place.found()
    place.write("a.md", seed(title="标题", body="<p>Two</p>"))
    place.found()
    shown = {}
    for view in ("entries", "articles", "history", "change_log"):
        command = [sys.executable, "-m", "sqlite_utils", "rows", str(place.database), view]
        done = subprocess.run(command, capture_output=True, check=True, text=True)
        shown[view] = json.loads(done.stdout)
    assert shown["entries"][0]["title"] == "标题"
    assert shown["articles"][0]["content_html"] == "<p>Two</p>"
    assert shown["articles"][0]["published"] == "2024-02-02T09:45:02Z"
    assert [row["change"] for row in shown["history"]] == ["added", "silent-edit"]
    assert [row["kind"] for row in shown["change_log"]] == ["added", "silent-edit"]
