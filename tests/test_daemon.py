"""The daemon as a process: it serves, follows its folders, shares its work, and ends well whenever it is told to."""

import os
import shutil
import signal
import socket
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from running import FIRST_MS, PATIENCE_S, Beside, Daemon, Site, until, write_seed

from feedd.sources.seedfile import Seed, render
from feedd.store.lock import Lock

ENDS_WITHIN_S = 3.0
MANY = 4_000
WATCH = "watch = true"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thousands of seed files, enough for worker processes."""
    folder = tmp_path_factory.mktemp("many")
    body = "<p>" + "Some words, and some more. " * 40 + "</p>"
    for number in range(MANY):
        text = render(Seed(FIRST_MS + number, f"Title {number}", f"https://example.org/{number}", body))
        path = folder / f"{number}.txt"
        path.write_text(text)
        os.utime(path, (1_700_000_000, 1_700_000_000))
    return folder


def with_many(root: Path, many: Path) -> Site:
    site = Site(root)
    site.seeds.rmdir()
    site.seeds.symlink_to(many)
    return site


def recorded(site: Site) -> int:
    """How many entries the database holds."""
    try:
        with closing(sqlite3.connect(f"file:{site.database}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM entries").fetchone()[0])
    except sqlite3.Error:
        return 0


def is_whole(site: Site) -> bool:
    if not site.database.exists():
        return True
    with closing(sqlite3.connect(site.database)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def lives(pid: int) -> bool:
    """Whether the process is there, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def ends_in_order(daemon: Daemon, number: int, times: int = 1) -> None:
    """It ends in time, and leaves the database whole and no process behind."""
    children = daemon.children()
    begun = time.monotonic()
    for _ in range(times):
        daemon.process.send_signal(number)
    assert daemon.process.wait(PATIENCE_S) == 0, daemon.log()
    assert time.monotonic() - begun < ENDS_WITHIN_S
    assert is_whole(daemon.site)
    until(lambda: not any(map(lives, children)))
    assert "Traceback" not in daemon.log()


def ends_well(daemon: Daemon, number: int, times: int = 1) -> None:
    """It ends in order, and takes away what tells others that it runs."""
    ends_in_order(daemon, number, times)
    assert daemon.site.root.joinpath("feedd.db.lock").read_text() == ""
    assert not daemon.site.root.joinpath("feedd.db.sock").exists()


def test_it_serves_within_seconds(site: Site) -> None:
    site.seed("a.txt", "First")
    begun = time.monotonic()
    with site.running() as daemon:
        until(lambda: daemon.titles() == ["First"])
        assert time.monotonic() - begun < 10
        assert f"feedd serves {site.url}/ (Ctrl-C ends it)" in daemon.log()
        assert (site.root / "feedd.db.lock").read_text().strip() == str(daemon.process.pid)


def test_one_at_a_time(site: Site) -> None:
    with site.running() as daemon:
        second = site.feedd("run", status=1)
        assert f"feedd is already running as process {daemon.process.pid} on this database" in second.stderr
        assert daemon.get("/feeds/all.atom").status_code == 200
    with site.running():
        pass


def test_an_update_beside_a_daemon(site: Site) -> None:
    site.seed("a.txt", "First")
    with site.running() as daemon:
        until(lambda: daemon.titles() == ["First"])
        site.seed("b.txt", "Second")
        site.seeds.joinpath("bad.txt").write_text("")
        handed = site.json("update")
        assert (handed["sources"][0]["added"], len(handed["sources"][0]["rejected"])) == (1, 1)
        assert set(daemon.titles()) == {"First", "Second"}
        shutil.rmtree(site.seeds)
        failed = site.json("update", "news", status=1)
        assert "can't be listed" in failed["sources"][0]["error"]
        site.configure(more='[sources.new]\ntype = "directory"\npath = "seeds"\n')
        unknown = site.feedd("update", "new", status=2)
        assert "there is no source 'new'" in unknown.stderr
        assert "has it read the configuration since? feedd reload" in unknown.stderr
    alone = site.json("update", "news", status=1)
    assert handed["sources"][0].keys() == alone["sources"][0].keys()


def test_an_update_whose_daemon_is_ended_does_the_work_itself(tmp_path: Path, many: Path) -> None:
    site = with_many(tmp_path, many)
    site.configure("paused = true")
    with site.running() as daemon:
        update = Beside(site, "update", "news")
        until(lambda: recorded(site) > 0)
        ends_in_order(daemon, signal.SIGTERM)
        status, said, errors = update.ended()
    assert status == 0, errors
    assert "added" in said
    assert recorded(site) == MANY


def test_a_program_that_was_asked_for_ends_with_the_daemon(site: Site) -> None:
    site.configure(more='[sources.slow]\ntype = "command"\ncommand = ["/bin/sleep", "60"]\npaused = true\n')
    with site.running() as daemon:
        twice = [Beside(site, "update", "slow") for _ in range(2)]  # the second waits for its turn
        until(daemon.children)
        ends_in_order(daemon, signal.SIGTERM)
        for update in twice:
            update.process.send_signal(signal.SIGTERM)
            assert update.ended()[0] == 0


def test_an_update_waits_for_one_that_is_no_daemon(site: Site) -> None:
    site.seed("a.txt")
    lock = Lock(site.database)
    waiting = Beside(site, "update")
    until(lambda: waiting.errors.read_text().endswith("\n"))
    assert waiting.process.poll() is None
    lock.release()
    status, said, errors = waiting.ended()
    assert status == 0
    assert "1 added" in said
    assert errors.count("\n") == 1
    assert f"already running as process {os.getpid()}" in errors


def test_two_updates_at_once(tmp_path: Path, many: Path) -> None:
    site = with_many(tmp_path, many)
    both = [Beside(site, "update", "--json") for _ in range(2)]
    for each in both:
        status, _, errors = each.ended()
        assert status == 0, errors
    assert recorded(site) == MANY


def test_an_address_in_use(site: Site) -> None:
    with socket.create_server(("127.0.0.1", site.port)):
        done = site.feedd("run", status=1)
    assert done.stderr == (
        f"feedd: can't listen on 127.0.0.1:{site.port}: Address already in use."
        " Stop what uses it, or choose another address in server.listen\n"
    )
    with site.running():
        pass


@pytest.mark.parametrize(
    ("server", "said"),
    [
        ('listen = "192.0.2.1:8080"', "can't listen on 192.0.2.1:8080: "),
        ('listen = "nowhere.invalid:8080"', "can't listen on nowhere.invalid:8080: "),
        ('listen = "unix:/nowhere/x.sock"\nbase_url = "http://x/"', "can't listen on /nowhere/x.sock: "),
        (f'listen = "unix:/{"x" * 120}"\nbase_url = "http://x/"', "can't listen on /xxx"),
    ],
)
def test_an_address_that_cannot_be_had(tmp_path: Path, server: str, said: str) -> None:
    done = Site(tmp_path, server=server).feedd("run", status=1)
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_when_idle(site: Site, number: int) -> None:
    site.seed("a.txt")
    with site.running() as daemon:
        until(daemon.titles)
        with httpx.Client(trust_env=False, verify=False) as client:  # a connection that is kept alive
            client.get(f"{site.url}/feeds/all.atom")
            ends_well(daemon, number)


def starting(daemon: Daemon) -> bool:
    lock = daemon.site.root / "feedd.db.lock"
    return lock.exists() and lock.read_text().strip() == str(daemon.process.pid)


def making_the_database(daemon: Daemon) -> bool:
    return daemon.site.database.exists()


def listening(daemon: Daemon) -> bool:
    return "feedd serves" in daemon.log()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("moment", [starting, making_the_database, listening])
def test_a_signal_while_it_starts(site: Site, number: int, moment: Callable[[Daemon], bool]) -> None:
    site.seed("a.txt")
    with site.running(ready=False) as daemon:
        until(lambda: moment(daemon))
        ends_well(daemon, number)


def with_workers(daemon: Daemon) -> bool:
    return bool(daemon.children())


def with_some_recorded(daemon: Daemon) -> bool:
    return recorded(daemon.site) > 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("moment", [with_workers, with_some_recorded])
def test_a_signal_while_thousands_of_files_go_in(
    tmp_path: Path, many: Path, number: int, moment: Callable[[Daemon], bool]
) -> None:
    site = with_many(tmp_path, many)
    with site.running(ready=False) as daemon:
        until(lambda: moment(daemon))
        ends_well(daemon, number)
    assert recorded(site) < MANY, "it was ended half-way"


def test_a_signal_twice(site: Site) -> None:
    with site.running() as daemon:
        ends_well(daemon, signal.SIGINT, times=3)


def test_a_signal_while_a_client_dawdles(site: Site) -> None:
    with site.running() as daemon, socket.create_connection(("127.0.0.1", site.port)) as slow:
        slow.sendall(b"GET /feeds/all.atom HTTP/1.1\r\nHost: x\r\n")
        with socket.create_connection(("127.0.0.1", site.port)) as silent:
            ends_well(daemon, signal.SIGTERM)
            silent.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_update(tmp_path: Path, many: Path, number: int) -> None:
    site = with_many(tmp_path, many)
    update = Beside(site, "update")
    until(lambda: recorded(site) > 0)
    begun = time.monotonic()
    update.process.send_signal(number)
    status, _, errors = update.ended()
    assert (status, errors) == (0, "")
    assert time.monotonic() - begun < ENDS_WITHIN_S
    assert is_whole(site)


def test_after_a_kill_the_next_run_ends_where_an_undisturbed_one_does(tmp_path: Path, many: Path) -> None:
    site = with_many(tmp_path, many)
    with site.running(ready=False) as daemon:
        until(lambda: recorded(site) > 0 and daemon.children())
        children = daemon.children()
        daemon.kill()
        until(lambda: not any(map(lives, children)))
    assert 0 < recorded(site) < MANY
    assert is_whole(site)
    with site.running():
        until(lambda: recorded(site) == MANY, 60)
    (source,) = site.json("sources")
    assert source["entries"] == MANY
    assert source["error"] is None


def dropped(site: Site, name: str, title: str, *, whole: bool) -> None:
    """A file that comes as editors and jobs make them: renamed into the folder, or written in place."""
    text = render(Seed(FIRST_MS, title, f"https://example.org/{name}", "<p>Some words.</p>"))
    if whole:
        (site.root / "aside").write_text(text)
        (site.root / "aside").rename(site.seeds / f"{name}.txt")
        return
    with (site.seeds / f"{name}.txt").open("w") as file:
        for part in (text[:20], text[20:]):
            file.write(part)
            file.flush()


@pytest.mark.parametrize("whole", [True, False], ids=["renamed", "written"])
def test_a_file_that_is_dropped_in_appears(tmp_path: Path, *, whole: bool) -> None:
    site = Site(tmp_path, source=WATCH)
    site.seed("a.txt", "First")
    with site.running() as daemon:
        until(lambda: daemon.titles() == ["First"])
        dropped(site, "b", "Second", whole=whole)
        until(lambda: daemon.titles() == ["Second", "First"], 10)
        (before,) = (item for item in daemon.items() if item["title"] == "First")
        dropped(site, "a", "First, edited", whole=whole)
        until(lambda: daemon.titles() == ["First, edited", "Second"], 10)
        after = daemon.items()[0]
        assert after["id"] == before["id"]
        assert after["date_published"] == before["date_published"]
        assert after["date_modified"] > before["date_modified"]
        (site.seeds / "a.txt").unlink()
        until(lambda: daemon.titles() == ["Second"], 10)
        (site.seeds / "sub").mkdir()
        write_seed(site.seeds / "sub/c.md", "Third")
        until(lambda: daemon.titles() == ["Third", "Second"], 10)


def test_a_folder_that_goes_and_comes_back(tmp_path: Path) -> None:
    site = Site(tmp_path, source=WATCH)
    site.seed("a.txt", "First")
    with site.running() as daemon:
        until(lambda: daemon.titles() == ["First"])
        site.seeds.rename(site.root / "aside")
        until(lambda: site.json("sources")[0]["error"] is not None)
        assert daemon.titles() == ["First"], "nothing is removed"
        (site.root / "aside").rename(site.seeds)
        site.seed("b.txt", "Second")
        until(lambda: set(daemon.titles()) == {"First", "Second"}, 20)
        assert site.json("sources")[0]["error"] is None
        dropped(site, "c", "Third", whole=True)
        until(lambda: daemon.titles()[0] == "Third", 20)


def test_a_folder_that_is_replaced(tmp_path: Path) -> None:
    site = Site(tmp_path, source=WATCH)
    site.seed("a.txt", "First")
    with site.running() as daemon:
        until(lambda: daemon.titles() == ["First"])
        shutil.rmtree(site.seeds)
        site.seed("a.txt", "First")
        site.seed("b.txt", "Second")
        until(lambda: set(daemon.titles()) == {"First", "Second"}, 20)
        dropped(site, "c", "Third", whole=True)
        until(lambda: daemon.titles()[0] == "Third", 20)


def test_a_folder_that_comes_late(tmp_path: Path) -> None:
    site = Site(tmp_path, source=WATCH)
    site.seeds.rmdir()
    with site.running() as daemon:
        until(lambda: site.json("sources")[0]["error"])
        write_seed(site.seeds / "a.txt", "First")
        until(lambda: daemon.titles() == ["First"], 20)


def test_the_schedule_finds_what_no_event_tells(tmp_path: Path) -> None:
    site = Site(tmp_path, source='every = "1s"')
    with site.running() as daemon:
        until(lambda: site.json("sources")[0]["last_checked"])
        site.seed("a.txt", "First")
        until(lambda: daemon.titles() == ["First"], 10)


def test_a_paused_source_is_looked_at_when_it_is_named(tmp_path: Path) -> None:
    site = Site(tmp_path, source="paused = true\n" + WATCH)
    site.seed("a.txt", "First")
    with site.running() as daemon:
        assert site.json("update") == {"sources": []}
        assert daemon.titles() == []
        assert site.json("update", "news")["sources"][0]["added"] == 1
        assert daemon.titles() == ["First"]


def test_a_source_that_fails_costs_no_other_anything(tmp_path: Path) -> None:
    site = Site(tmp_path, more='[sources.missing]\ntype = "directory"\npath = "nowhere"\nwatch = true\n')
    site.seed("a.txt", "First")
    with site.running() as daemon:
        until(lambda: daemon.titles() == ["First"])
        until(lambda: "nowhere can&#39;t be listed" in daemon.get("/", Accept="text/html").text)


def test_a_database_with_a_long_path(tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 120)
    folder.mkdir()
    site = Site(tmp_path, more=f'[store]\npath = "{folder.name}/feedd.db"\n')
    site.seed("a.txt", "First")
    with site.running() as daemon:
        until(lambda: daemon.titles() == ["First"])
        assert site.json("update")["sources"][0]["status"] == "unchanged"
        assert (folder / "feedd.db.lock").read_text().strip() == str(daemon.process.pid)
    assert not (folder / "feedd.db.sock").exists()


def test_nonsense_on_the_control_socket_harms_nobody(site: Site) -> None:
    with site.running() as daemon:
        for sent in (b"nonsense\n", b"[]\n", b"{}\n", b'{"sources": 5}\n', b'{"sources": []}\n', b'"x"\n'):
            with socket.socket(socket.AF_UNIX) as odd:
                odd.connect(os.fspath(site.root / "feedd.db.sock"))
                odd.sendall(sent)
                odd.settimeout(PATIENCE_S)
                odd.recv(1000)
        assert site.json("update")["sources"][0]["status"] == "unchanged"
        assert daemon.get("/feeds/all.atom").status_code == 200
