"""A second feedd on one database, whatever path leads it there: it refuses, and names the first."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import Daemon, Site, run


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    site = Site(tmp_path_factory.mktemp("first"))
    site.seed("a.txt", "First")
    with site.running() as running:
        yield running


def second(daemon: Daemon, root: Path, store: str) -> str:
    """What another feedd says, whose configuration names the database so."""
    other = Site(root, more=f'[store]\npath = "{store}"\n')
    done = run(["run", "--config", os.fspath(other.config)], root)
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("\n") == 1
    assert daemon.process.poll() is None
    return done.stderr


@pytest.mark.parametrize("way", ["straight", "roundabout", "by a link to it", "by a link to its folder"])
def test_by_any_path_the_first_is_named(daemon: Daemon, tmp_path: Path, way: str) -> None:
    database = daemon.site.database
    (tmp_path / "link.db").symlink_to(database)
    (tmp_path / "folder").symlink_to(database.parent)
    store = {
        "straight": os.fspath(database),
        "roundabout": os.path.relpath(database, tmp_path),
        "by a link to it": "link.db",
        "by a link to its folder": "folder/feedd.db",
    }[way]
    said = second(daemon, tmp_path, store)
    assert said == f"feedd: feedd is already running as process {daemon.process.pid} on this database\n"


def test_by_another_name_of_the_file(daemon: Daemon, tmp_path: Path) -> None:
    """Two logs beside one database destroy it, and a lock by its name does not see the other."""
    os.link(daemon.site.database, tmp_path / "hard.db")
    try:
        said = second(daemon, tmp_path, "hard.db")
    finally:
        (tmp_path / "hard.db").unlink()
    assert f"process {daemon.process.pid} has this file open" in said
    assert not (tmp_path / "hard.db-wal").exists()


def test_an_update_by_a_link_is_handed_to_the_daemon(daemon: Daemon, tmp_path: Path) -> None:
    site, other = daemon.site, tmp_path / "link.db"
    other.symlink_to(site.database)
    site.seed("b.txt", "Second")
    config = site.root / "other.toml"
    config.write_text(f'{site.config.read_text()}\n[store]\npath = "{other}"\n')
    done = run(["update", "--config", os.fspath(config)], site.root)
    assert (done.returncode, done.stderr) == (0, "")
    assert set(daemon.titles()) == {"First", "Second"}
