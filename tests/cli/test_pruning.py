"""`feedd prune`: what it prints, beside which processes, and however it ends; and the daemon's daily run."""

import os
import random
import signal
import sqlite3
import subprocess
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from archive import Archive
from running import FEEDD, Beside, Site, until

from feedd.cli.passes import Bars, update_here
from feedd.config.load import load
from feedd.normalise.text import content_hash
from feedd.store import snapshot

FILES = 6


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "other").mkdir()
    return Site(tmp_path, "keep = 2", '[sources.other]\ntype = "directory"\npath = "other"\n')


def edit(site: Site, version: int, files: int = FILES) -> None:
    for number in range(files):
        body = f"<p>Always the same.</p><p>Of this there are {version} in {number}.</p>" * 3
        site.seed(f"{number}.md", f"Title {number}", body, 1_706_867_102_000 + version * 60_000)


def edited(site: Site, versions: int, files: int = FILES) -> None:
    for version in range(versions):
        edit(site, version, files)
        update_here(load(site.config), (), accept_removals=False, progress=Bars())


def rows(site: Site, query: str) -> list[Any]:
    with closing(sqlite3.connect(site.database)) as connection:
        return connection.execute(query).fetchall()


def check(site: Site) -> int:
    """What must hold whatever happened; returns how many versions there are."""
    with closing(sqlite3.connect(site.database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        found = connection.execute("SELECT id, title, content_hash FROM revisions").fetchall()
        for version, title, stored in found:
            assert content_hash(title, snapshot.content(connection, version)) == stored
        newest = "SELECT entry_id FROM revisions GROUP BY entry_id, source_id HAVING sum(newest) != 1"
        assert connection.execute(newest).fetchall() == []
    return len(found)


def test_what_it_prints(site: Site) -> None:
    edited(site, 4)
    planned = site.json("prune", "--dry-run")
    assert check(site) == 4 * FILES
    (news,) = planned["sources"]
    assert news == {
        "name": "news",
        "versions": 2 * FILES,
        "raws": 0,
        "bytes": news["bytes"],
        "kept_because": [],
    }
    assert 2 * FILES * 200 < news["bytes"] < 2 * FILES * 600
    assert (planned["dry_run"], planned["freed_bytes"]) == (True, 0)
    said = site.feedd("prune", "--dry-run").stdout
    assert said.splitlines()[1].split()[:3] == ["news", str(2 * FILES), "0"]
    assert said.endswith("this would go; nothing was deleted\n")
    done = site.json("prune")
    assert done["sources"] == planned["sources"]
    assert done["dry_run"] is False
    assert check(site) == 2 * FILES
    assert site.json("prune")["sources"][0]["versions"] == 0
    entry = site.json("entries", "--limit", "1")[0]
    assert entry["revisions"] == 4
    assert [each["revision"] for each in site.json("history", str(entry["id"]))] == [3, 4]
    for words in (("diff", "2", "4"), ("show", "--revision", "2")):
        gone = site.feedd(words[0], str(entry["id"]), *words[1:], status=2)
        assert gone.stderr == "version 2 is no longer kept\n"
    edited(site, 1)
    assert [each["revision"] for each in site.json("history", str(entry["id"]))] == [3, 4, 5]


def test_sources_by_name(site: Site) -> None:
    edited(site, 3)
    (other,) = site.json("prune", "other")["sources"]
    assert (other["versions"], other["kept_because"]) == (0, ["it has no `keep`: every version stays"])
    assert check(site) == 3 * FILES
    assert site.json("prune", "other", "news")["sources"][0]["versions"] == FILES
    failed = site.feedd("prune", "nowhere", status=2)
    assert failed.stderr == f"there is no source 'nowhere' in {site.config}; there are: news, other\n"


def test_a_bound_that_cannot_be_met_is_said(site: Site) -> None:
    edited(site, 3)
    site.configure('keep = "1kB"')
    (news,) = site.json("prune")["sources"]
    assert news["kept_because"][0].startswith("the newest versions alone take ")
    assert news["kept_because"][1] == f"what changes of the last 7 days tell of ({2 * FILES} versions)"
    assert "the newest versions alone take" in site.feedd("prune", "--dry-run").stdout


def test_without_keep_and_without_a_database(site: Site) -> None:
    assert site.json("prune")["sources"][0]["versions"] == 0
    assert not site.database.exists()
    site.configure()
    assert site.feedd("prune").stdout == "no source has a `keep`: every version stays\n"
    assert site.json("prune", "--dry-run")["sources"] == []


def test_a_source_that_left_the_configuration_is_left_alone(site: Site) -> None:
    edited(site, 3)
    site.config.write_text(site.config.read_text().replace("[sources.news]", "[sources.another]"))
    site.feedd("update")
    (another,) = site.json("prune")["sources"]
    assert (another["name"], another["versions"]) == ("another", 0)
    assert check(site) == 4 * FILES


def test_beside_updates_it_loses_nothing(site: Site) -> None:
    """Prunes and updates at once, one after the other as fast as they go."""
    edited(site, 2)
    for version in range(2, 4):
        edit(site, version)
        running = [Beside(site, word) for word in ("update", "prune", "prune")]
        for each in running:
            status, _, errors = each.ended()
            assert (status, errors) == (0, "")
        check(site)
    site.feedd("prune")
    assert check(site) == 2 * FILES
    assert rows(site, "SELECT DISTINCT revisions FROM entries") == [(4,)]
    assert rows(site, "SELECT DISTINCT number FROM revisions ORDER BY 1") == [(3,), (4,)]
    assert rows(site, "SELECT count(*) FROM changes") == [(4 * FILES,)]


def test_beside_a_daemon(site: Site) -> None:
    edited(site, 4)
    with site.running() as daemon:
        assert site.json("prune")["sources"][0]["versions"] == 2 * FILES
        edit(site, 4)
        site.feedd("update", "news")
        site.feedd("prune")
        assert len(daemon.items("news")) == FILES
    assert check(site) == 2 * FILES


def test_the_daemon_does_it_soon_after_it_starts_and_then_daily(site: Site) -> None:
    edited(site, 4)
    with site.running() as daemon:
        until(lambda: f"news: {2 * FILES} earlier versions were pruned" in daemon.log())
        until(lambda: rows(site, "SELECT value FROM meta WHERE key = 'pruned_at'"))
    assert check(site) == 2 * FILES
    edited(site, 1)
    with site.running() as daemon:
        time.sleep(3)
        assert "pruned" not in daemon.log()
    assert check(site) == 3 * FILES


def test_killed_at_any_moment_it_leaves_a_sound_database(site: Site) -> None:
    with closing(Archive(site.root)) as archive:
        archive.many(1_000, 4)
        for number in range(200):
            archive.add("documents", f"<p>{number}</p>", raw=b"%d" % number)
    site.config.write_text(site.config.read_text().replace("[sources.news]", "[sources.a]"))
    chance = random.Random(1)
    left, killed = check(site), 0
    for _ in range(5):
        command = [*FEEDD, "prune", "--config", os.fspath(site.config)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            with suppress(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0.3, 0.6))
            killed += process.poll() is None
            process.send_signal(signal.SIGKILL)
            process.communicate()
        now = check(site)
        assert now <= left
        left = now
    site.feedd("prune")
    assert killed
    assert check(site) == 2 * 1_001
    assert rows(site, "SELECT count(*) FROM raws") == [(2,)]
