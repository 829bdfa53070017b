"""`feedd doctor` on a sound site, and on one for each thing that can be wrong with it."""

import os
import resource
import signal
import socket
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from shutil import copytree
from threading import Thread

import pytest
from disks import fill, small_disk
from running import Site

from feedd.cli.doctoring import findings, running, trouble_of
from feedd.cli.passes import Bars, update_here
from feedd.config.load import load
from feedd.config.values import Listen
from feedd.doctor import Finding
from feedd.store.lock import Lock

YEAR_MS = 365 * 86_400_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = Site(tmp_path_factory.mktemp("site") / "a")
    site.seed("first.md", "The first")
    update_here(load(site.config), (), accept_removals=False, progress=Bars())
    site.database.chmod(0o600)
    return site.root


@pytest.fixture
def site(made: Path, tmp_path: Path) -> Site:
    """One entry, and a database that only its owner reads."""
    copytree(made, tmp_path / "a")
    return Site(tmp_path / "a")


def found(site: Site, check: str) -> list[Finding]:
    return [each for each in findings(site.config) if each.check == check]


def one(site: Site, check: str) -> tuple[str, str]:
    (only,) = found(site, check)
    return only.state, only.detail


def execute(site: Site, *statements: str) -> None:
    with closing(sqlite3.connect(site.database, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_all_is_well_beside_a_daemon(site: Site) -> None:
    with site.running() as daemon:
        listed = site.json("doctor", status=0)
        said = site.feedd("doctor").stdout.splitlines()
    assert {each["state"] for each in listed if each["check"] != "search"} == {"ok"}
    assert set(listed[0]) == {"check", "state", "detail", "advice"}
    assert [each["check"] for each in listed] == [
        *("configuration", "schema", "database", "disk", "permissions", "clock", "search", "sources"),
        *("network", "daemon", "limits"),
    ]
    assert f"ok: daemon: process {daemon.process.pid} is alive" in said
    assert any(line.startswith("ok: limits: ") for line in said)


def test_it_changes_nothing(site: Site) -> None:
    def state() -> dict[str, bytes]:
        return {each.name: each.read_bytes() for each in site.root.iterdir() if each.is_file()}

    before = state()
    assert not [each for each in findings(site.config) if each.state == "bad"]
    after = state()
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) <= {"feedd.db-wal", "feedd.db-shm"}  # which any reader has


def test_mistakes_in_the_configuration(site: Site) -> None:
    site.configure("every = 7", '[notify.a]\ntype = "nothing"\n')
    listed = site.json("doctor", status=1)
    assert [each["state"] for each in listed] == ["bad", "bad"]
    assert "sources.news.every" in listed[0]["detail"]
    assert "notify.a.type" in listed[1]["detail"]


def test_warnings_of_the_configuration(site: Site) -> None:
    site.configure(
        more='[sources.b]\ntype = "feed"\nurl = "https://example.org/"\nheaders = { X = "env:NOWHERE" }\n'
    )
    assert found(site, "configuration")[0].state == "warning"
    assert "NOWHERE is not set" in found(site, "configuration")[0].detail


def test_a_database_that_is_not_there(site: Site) -> None:
    site.database.unlink()
    assert one(site, "database")[0] == "warning"


def test_a_file_that_is_no_database(site: Site) -> None:
    site.database.write_text("Hello. " * 1000)
    assert one(site, "database")[0] == "bad"
    assert site.feedd("doctor", status=1).stdout.count("\nbad: database: ") == 1


def test_a_damaged_database(site: Site) -> None:
    with site.database.open("r+b") as file:
        file.seek(site.database.stat().st_size // 2)
        file.write(os.urandom(40_000))
    damaged = found(site, "database")
    assert damaged[0].state == "bad"
    assert "is damaged" in damaged[0].detail


def test_a_full_disk(made: Path, tmp_path: Path) -> None:
    """On which SQLite can't even read; what is wrong is said all the same, and what to do."""
    with small_disk(tmp_path, "4m") as disk:
        copytree(made, disk / "a")
        fill(disk)
        site = Site(disk / "a")
        said = {each.check: each for each in findings(site.config) if each.state == "bad"}
    assert set(said) == {"database", "disk"}
    assert "the disk is full; nothing that was stored is lost" in said["database"].detail
    assert (said["disk"].detail, said["disk"].advice) == ("0 bytes are free on the disk", "make room")


def test_rows_that_refer_to_nothing(site: Site) -> None:
    execute(site, "UPDATE changes SET entry_id = 99")
    assert ("bad", "1 of changes refer to entries that are not there") in [
        each[1:3] for each in found(site, "database")
    ]


def test_a_newer_and_an_older_database(site: Site) -> None:
    execute(site, "DELETE FROM _sqlite_migrations WHERE name >= '0007'")
    assert one(site, "schema")[0] == "warning"
    execute(
        site, "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('feedd', '9999', '')"
    )
    assert one(site, "schema")[0] == "bad"


def test_a_clock_that_went_back(site: Site) -> None:
    assert one(site, "clock")[0] == "ok"
    execute(site, f"UPDATE changes SET at = at + {YEAR_MS}")
    assert one(site, "clock")[0] == "bad"


def test_permissions(site: Site) -> None:
    site.database.chmod(0o644)
    assert one(site, "permissions") == ("ok", "mode 644")
    execute(site, "INSERT INTO tokens (name, scope, hash, created_at) VALUES ('a', 'read', x'00', 0)")
    assert one(site, "permissions")[0] == "warning"


def test_an_index_that_is_behind(site: Site) -> None:
    assert one(site, "search") == ("warning", "the index is not made yet")


def test_a_source_that_fails(site: Site) -> None:
    execute(site, "UPDATE sources SET failures = 3, error = 'it is gone'")
    assert one(site, "sources") == ("warning", "news: 3 failures in a row: it is gone")


def test_a_source_that_is_paused(site: Site) -> None:
    execute(site, "UPDATE sources SET paused_by = 'somebody'")
    assert one(site, "sources") == ("warning", "news: paused: somebody")


def test_a_channel_that_fails(site: Site) -> None:
    execute(
        site,
        "INSERT INTO channels (id, name, type, location, settings, configured, added_at, failures, error)"
        " VALUES (1, 'desk', 'file', '', '', 1, 0, 2, 'no room')",
        "INSERT INTO deliveries (channel_id, thread, type, status, created_at) VALUES (1, 0, 'a', 'failed', 0)",
    )
    assert one(site, "channels") == ("warning", "desk: 1 delivery was given up: no room")
    execute(site, "UPDATE channels SET disabled_at = 1")
    assert one(site, "channels")[0] == "bad"


def test_who_may_reach_private_addresses(site: Site) -> None:
    site.configure(
        more='[sources.b]\ntype = "feed"\nurl = "https://example.org/"\nallow_private = true\n'
        "[websub]\nallow_private = true\n"
    )
    assert one(site, "network")[1].endswith("allowed to sources.b, websub")


def test_a_lock_that_another_command_holds(site: Site) -> None:
    lock = Lock(site.database)
    try:
        assert one(site, "daemon")[0] == "warning"
        assert f"process {os.getpid()} holds the lock" in one(site, "daemon")[1]
    finally:
        lock.release()
    (site.root / "feedd.db.lock").write_text("1\n")  # a killed one leaves its number
    assert "not running" in one(site, "daemon")[1]


def test_a_daemon_that_hangs(site: Site) -> None:
    with site.running() as daemon:
        daemon.process.send_signal(signal.SIGSTOP)
        try:
            began = time.monotonic()
            process = running(load(site.config))
            assert time.monotonic() - began < 10
        finally:
            daemon.process.send_signal(signal.SIGCONT)
    assert (process.pid, process.listens) == (daemon.process.pid, True)
    assert "gives no answer" in process.trouble


def test_something_else_answers(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    listen = Listen("", 0, path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.fspath(path))
        assert trouble_of(listen) == f"{path} gives no answer: Connection refused"
        server.listen()

        def answer() -> None:
            with server.accept()[0] as connection:
                connection.sendall(b"SSH-2.0-none\r\n")
                connection.recv(1_000)

        other = Thread(target=answer)
        other.start()
        assert trouble_of(listen) == f"{path} answers something else than feedd does"
        other.join()


def test_few_files_may_be_open(site: Site) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
    try:
        assert one(site, "limits") == ("bad", "100 files and connections may be open at once")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
