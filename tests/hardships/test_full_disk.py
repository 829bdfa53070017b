"""A disk that fills while feedd runs: what is stored stays, what is read goes in when there is room again."""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from running import Site, until

SMALL, LARGE = "size=2m", "size=64m"
FILES = 30
BODY = "<p>" + "Some words, and some more of them. " * 3_000 + "</p>"  # 100 kB


def mount(*words: str) -> bool:
    done = subprocess.run(["mount", "-t", "tmpfs", *words], capture_output=True, check=False)
    return done.returncode == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0 or not mount("-o", SMALL, "tmpfs", os.fspath(place)):
        pytest.skip("to mount a small file system needs root")
    yield place
    subprocess.run(["umount", place], check=True)


def stored(database: Path) -> int:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM entries").fetchone()[0])


def test_it_goes_on_when_there_is_room(tmp_path: Path, disk: Path) -> None:
    site = Site(tmp_path, source="watch = true", more='[store]\npath = "disk/feedd.db"\n')
    site.seed("first.txt", "First")
    with site.running() as daemon:
        until(lambda: daemon.titles() == ["First"])
        for number in range(FILES):
            site.seed(f"{number}.txt", f"Title {number}", f"{BODY}<p>{number}</p>")
        until(lambda: "the disk is full" in daemon.log())
        assert "First" in daemon.titles(), "what is stored is served"
        assert daemon.get("/healthz").status_code == 200
        assert mount("-o", f"remount,{LARGE}", "tmpfs", os.fspath(disk))
        until(lambda: stored(disk / "feedd.db") == FILES + 1)
        until(lambda: site.json("sources")[0]["error"] is None, 10)
        told = [line for line in daemon.log().splitlines() if "disk is full" in line]
        assert all("nothing that was stored is lost, make room" in line for line in told)
        assert len(told) < 20, daemon.log()
    with closing(sqlite3.connect(disk / "feedd.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
