"""`feedd backup` and `feedd restore`, as they are called: beside a daemon, and what they print."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from running import Daemon, Site

WORDS = "1 entry, 1 version, 1 change"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    made = Site(tmp_path_factory.mktemp("site"))
    made.seed("first.md", "The first")
    made.feedd("update")
    return made


@pytest.fixture(scope="module")
def daemon(site: Site) -> Iterator[Daemon]:
    with site.running() as made:
        yield made


def test_without_a_database(tmp_path: Path) -> None:
    fresh = Site(tmp_path)
    assert "there is no database yet" in fresh.feedd("backup", "b.db", status=2).stderr
    assert "b.db: there is no such file" in fresh.feedd("restore", "b.db", status=2).stderr
    assert not fresh.database.exists()


def test_beside_a_daemon(site: Site, daemon: Daemon) -> None:
    made = site.json("backup", "b.db")
    size = (site.root / "b.db").stat().st_size
    assert made == {
        "file": "b.db",
        "bytes": size,
        "entries": 1,
        "versions": 1,
        "changes": 1,
        "schema": made["schema"],
    }
    done = site.feedd("backup", "b.db", status=2)
    assert done.stderr == "b.db: is there already; name another file, or replace it with --force\n"
    assert site.feedd("backup", "b.db", "--force").stdout.endswith(f" kB, checked: {WORDS}\n")
    refused = site.feedd("restore", "b.db", status=1).stderr
    assert refused == (
        f"feedd: feedd is already running as process {daemon.process.pid} on this database; end it, then restore."
        " Nothing was changed\n"
    )


def test_into_a_folder(site: Site) -> None:
    (site.root / "backups").mkdir()
    made = Path(site.json("backup", "backups")["file"])
    assert made.match("backups/feedd-????????T??????Z.db")
    assert made.name in {each.name for each in (site.root / "backups").iterdir()}


def test_what_came_since_is_gone_and_comes_again(tmp_path: Path) -> None:
    fresh = Site(tmp_path)
    fresh.seed("first.md", "The first")
    fresh.feedd("update")
    fresh.feedd("backup", "b.db")
    fresh.seed("second.md", "The second")
    fresh.feedd("update")
    done = fresh.json("restore", "b.db")
    assert (done["file"], done["entries"], done["is_behind"]) == (str(fresh.database), 1, False)
    assert Path(done["kept"]).exists()
    assert [each["title"] for each in fresh.json("entries")] == ["The first"]
    fresh.feedd("update")
    assert [each["title"] for each in fresh.json("entries")] == ["The second", "The first"]
    said = fresh.feedd("restore", done["kept"]).stdout
    assert f"restored from {done['kept']}: 2 entries, 2 versions, 2 changes" in said
    assert "what was there before is kept as " in said
