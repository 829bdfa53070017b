"""What the commands print, in the shapes of the contract, and how they end."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest
from running import FEEDD, Site, run, write_seed

from feedd import __version__

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
UPDATE = "name status added edited silent_edited reverted removed restored duplicates seconds next_check error rejected"
SOURCE = "name type location entries last_checked last_changed next_check next_check_because failures error"
ENTRY = "id uid url title published updated date_guessed sources revisions"
SHOW = f"{ENTRY} author categories language content_html text image enclosures"
HISTORY = "revision source published seen_at title change significance reasons"
EXPLAIN = "url canonical_url known decision because"
MORE = """
[sources.other]
type = "directory"
path = "other"
language = "zh"
title = "其他"
[sources.asleep]
type = "directory"
path = "other"
paused = true
[sources.missing]
type = "directory"
path = "nowhere"
"""
URL = "https://example.org/4"


class Stocked:
    """A site after an update that failed for one source, an edit, and a second update."""

    def __init__(self, root: Path) -> None:
        self.site = Site(root, more=MORE)
        for number in range(5):
            self.site.seed(f"{number}.txt", f"Title {number}", time_ms=1_706_867_102_000 + number * 1000)
        write_seed(root / "other/中文.md", "标题 \u202e[x](y)", "<p>正文</p>")
        write_seed(root / "other/0.md", "Title 0", time_ms=1_706_867_102_000)
        (self.site.seeds / "bad\x1b.txt").write_text("no seed file")
        self.first = self.site.json("update", status=1)
        self.site.seed("4.txt", "Title 4, edited", "<p>Other words.</p>", 1_706_867_106_000)
        self.second = self.site.json("update", "news", status=0)


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Stocked:
    return Stocked(tmp_path_factory.mktemp("stocked"))


@pytest.fixture(scope="module")
def site(stocked: Stocked) -> Site:
    return stocked.site


def has(shape: dict[str, Any], keys: str) -> bool:
    """Whether all keys are there, and every time is spelled as it should be."""
    assert set(keys.split()) <= set(shape), set(keys.split()) - set(shape)
    for key in ("published", "updated", "seen_at", "last_checked", "last_changed", "next_check"):
        value = shape.get(key)
        assert value is None or TIME.fullmatch(value), (key, value)
    return True


def test_update(stocked: Stocked) -> None:
    news, other, missing = stocked.first["sources"]
    assert all(has(each, UPDATE) for each in (news, other, missing))
    assert (news["name"], news["status"], news["added"], news["error"]) == ("news", "ok", 5, None)
    assert (other["name"], other["added"], other["duplicates"]) == ("other", 1, 1)
    assert (missing["name"], missing["status"]) == ("missing", "failed")
    assert "can't be listed: No such file or directory" in missing["error"]
    (rejected,) = news["rejected"]
    assert set(rejected) == {"where", "reason"}
    assert rejected["where"] == "bad\\x1b.txt"


def test_update_of_one_source(stocked: Stocked) -> None:
    (news,) = stocked.second["sources"]
    assert (news["edited"], news["silent_edited"], news["added"], news["duplicates"]) == (0, 1, 0, 0)
    assert len(news["rejected"]) == 1, "what is refused is listed again"


def test_update_in_words(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.seed("a.txt")
    (site.seeds / "b.txt").write_text("")
    done = site.feedd("update")
    assert done.stdout.startswith("news: ok: 1 added (")
    assert "  rejected b.txt: " in done.stdout
    assert done.stderr == ""
    site.seeds.joinpath("b.txt").unlink()
    site.feedd("update")
    assert site.feedd("update").stdout.startswith("news: unchanged: nothing new (")


def test_sources(site: Site) -> None:
    found = site.json("sources")
    assert all(has(each, SOURCE) for each in found)
    by_name = {each["name"]: each for each in found}
    assert list(by_name) == ["news", "other", "asleep", "missing"]
    assert (by_name["news"]["entries"], by_name["other"]["entries"]) == (5, 2)
    assert by_name["asleep"]["next_check_because"] == "paused"
    assert by_name["missing"]["failures"] == 1
    assert by_name["missing"]["error"]
    assert by_name["news"]["next_check_because"] == "every 1h"
    assert [each["name"] for each in site.json("sources", "--limit", "2")] == ["news", "other"]
    assert [each["name"] for each in site.json("sources", "--since", "1h")] == ["news", "other"]


def test_feeds(site: Site) -> None:
    found = site.json("feeds")
    assert all(has(each, "name title entries updated urls") for each in found)
    assert [each["name"] for each in found] == [
        "all",
        "changes",
        "health",
        "news",
        "other",
        "asleep",
        "missing",
    ]
    assert [each["entries"] for each in found] == [6, 1, 0, 5, 2, 0, 0]
    base = f"{site.url}/feeds/other"
    assert found[4]["urls"] == {"atom": f"{base}.atom", "rss": f"{base}.rss", "json": f"{base}.json"}
    assert found[4]["title"] == "其他"
    assert len(site.json("feeds", "--limit", "1")) == 1


def test_entries(site: Site) -> None:
    found = site.json("entries")
    assert all(has(each, ENTRY) for each in found)
    assert [each["title"] for each in found] == [
        "Title 4, edited",
        "Title 3",
        "Title 2",
        "Title 1",
        "标题 \u202e[x](y)",
        "Title 0",
    ]
    assert all(each["uid"] == str(uuid5(NAMESPACE_URL, each["url"])) for each in found)
    assert (found[0]["revisions"], found[0]["sources"]) == (2, ["news"])
    assert found[5]["sources"] == ["news", "other"]
    assert found[1]["published"] == "2024-02-02T09:45:05Z"
    assert found[0]["date_guessed"] is False


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (["--limit", "2"], 2),
        (["--since", "1h"], 1),
        (["--since", "2024-02-02T09:45:05Z"], 2),
        (["--since", "2024-02-02T10:45:05+01:00"], 2),
        (["--since", "2024-02-02", "--limit", "1"], 1),
    ],
)
def test_limit_and_since(site: Site, words: list[str], count: int) -> None:
    assert len(site.json("entries", *words)) == count


def test_entries_in_words(site: Site) -> None:
    lines = site.feedd("entries").stdout.splitlines()
    assert lines[0].split() == ["id", "published", "title", "sources", "revisions"]
    assert len(lines) == 7
    assert "\u202e" not in "".join(lines), "nothing that turns a terminal's text round"


def test_show(site: Site) -> None:
    shape = site.json("show", URL)
    assert has(shape, SHOW)
    assert (shape["content_html"], shape["text"]) == ("<p>Other words.</p>", "Other words.")
    assert (shape["author"], shape["categories"], shape["enclosures"]) == (None, [], [])
    shown = site.feedd("show", URL).stdout
    assert "Title 4, edited" in shown
    assert "Other words." in shown
    assert site.json("show", "https://example.org/中文")["language"] == "zh"


def test_an_entry_by_anything_that_names_it(site: Site) -> None:
    entry = site.json("show", URL)
    for spelling in (
        str(entry["id"]),
        entry["uid"],
        entry["uid"].upper(),
        f"urn:uuid:{entry['uid']}",
        "HTTPS://Example.ORG:443/%34?utm_source=x#top",
    ):
        assert site.json("show", spelling)["id"] == entry["id"], spelling


def test_history(site: Site) -> None:
    found = site.json("history", URL)
    assert all(has(each, HISTORY) for each in found)
    assert [(each["revision"], each["change"], each["title"]) for each in found] == [
        (1, "added", "Title 4"),
        (2, "silent-edit", "Title 4, edited"),
    ]
    assert found[1]["reasons"] == ["number 4 → 4, edited", "title", "wording: Some → Other"]
    assert found[1]["significance"] == "substantial"
    assert len(site.json("history", URL, "--limit", "1")) == 1
    assert "silent-edit" in site.feedd("history", URL).stdout


def test_explain(site: Site) -> None:
    known = site.json("explain", "HTTPS://example.org/4?utm_medium=y")
    assert set(EXPLAIN.split()) == set(known)
    assert (known["canonical_url"], known["known"], known["decision"]) == (URL, True, "silent-edit")
    assert "news: 4.txt" in known["because"]
    unknown = site.json("explain", "https://example.org/none")
    assert (unknown["known"], unknown["decision"]) == (False, "unknown")
    odd = site.json("explain", "mailto:x")
    assert (odd["known"], odd["canonical_url"], odd["decision"]) == (False, None, "left out")
    assert "silent-edit: " in site.feedd("explain", URL).stdout


def contents(root: Path) -> dict[str, tuple[int, int]]:
    """Every file with its size and time, but what SQLite makes for readers of a database."""
    return {
        str(path): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in root.rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


def test_test_writes_nothing(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.seed("a.txt", "First")
    before = contents(tmp_path)
    found = site.json("test", "news")
    assert contents(tmp_path) == before
    assert [(item["title"], item["decision"]) for item in found["items"]] == [("First", "added")]
    site.feedd("update")
    site.seed("a.txt", "Second")
    site.seed("b.txt", "Third")
    before = contents(tmp_path)
    found = site.json("test", "news")
    assert {item["where"]: item["decision"] for item in found["items"]} == {
        "a.txt": "silent-edit",
        "b.txt": "added",
    }
    assert len(site.json("test", "news", "--limit", "1")["items"]) == 1
    assert "silent-edit" in site.feedd("test", "news").stdout
    assert contents(tmp_path) == before
    assert site.json("show", "https://example.org/a")["title"] == "First"


def test_check(site: Site, tmp_path: Path) -> None:
    done = site.feedd("check")
    assert done.stdout == f"{site.config}: no mistakes; 4 sources\n"
    assert "sources.missing.path: " in done.stderr
    assert "can't be read: No such file or directory" in done.stderr
    shape = site.json("check")
    assert (shape["ok"], shape["mistakes"], len(shape["warnings"])) == (True, [], 1)
    private = Site(tmp_path / "private", more='[feeds.board]\nsources = ["news"]\naccess = "token"')
    (warning,) = private.json("check")["warnings"]
    assert "feeds.board.access: " in warning
    assert "in the public feeds 'all', 'changes', 'news', on pages" in warning
    assert 'access = "token" under [server]' in warning
    broken = Site(tmp_path, source='every = "5x"\nwach = true')
    done = broken.feedd("check", status=2)
    assert done.stderr.splitlines() == [
        f"{broken.config}: sources.news.every: '5x' is not a duration; write 30s, 10m, 1h or 1d",
        f"{broken.config}: sources.news.wach: unknown key; did you mean 'watch'?",
    ]
    assert done.stdout == ""
    shape = broken.json("check", status=2)
    assert (shape["ok"], shape["mistakes"]) == (False, done.stderr.splitlines())
    for command in (["run"], ["update"], ["entries"]):
        assert broken.feedd(*command, status=2).stderr == done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "99"], "there is no entry '99'"),
        (["show", "9" * 5000], "there is no entry '999"),
        (["show", "https://example.org/none"], "there is no entry"),
        (["show", "00000000-0000-0000-0000-000000000000"], "there is no entry"),
        (["show", "\x1b[31m\n"], "there is no entry '\ufffd[31m"),
        (["history", "nonsense"], "there is no entry 'nonsense'; name its number, its uid, or its URL"),
        (["update", "nobody"], "there is no source 'nobody' in "),
        (["test", "nobody"], "there is no source 'nobody' in "),
        (["test", "https://a b/"], "is not a web address"),
        (
            ["test", "https://example.org/", "--type", "feed", "--entry", "li"],
            "--entry: a source of type feed has no",
        ),
        (["entries", "--limit", "0"], "'--limit'"),
        (["entries", "--limit", "x"], "'--limit'"),
        (["entries", "--since", "yesterday"], "'yesterday' is not a time; write 2024-02-01"),
        (["nonsense"], "No such command 'nonsense'"),
        (["show"], "Missing argument 'ENTRY'"),
        (["entries", "--surplus"], "No such option"),
    ],
)
def test_what_is_asked_for_wrongly(site: Site, words: list[str], said: str) -> None:
    done = site.feedd(*words, status=2)
    assert said in done.stderr
    assert done.stdout == ""


def test_a_source_that_fails(site: Site) -> None:
    done = site.feedd("update", "missing", status=1)
    assert done.stdout.startswith("missing: failed: the folder ")
    assert site.feedd("test", "missing", status=1).stderr.startswith("feedd: the folder ")


def test_before_the_first_look(tmp_path: Path) -> None:
    site = Site(tmp_path)
    assert site.json("entries") == []
    (source,) = site.json("sources")
    assert (source["name"], source["entries"], source["last_checked"]) == ("news", 0, None)
    assert [each["entries"] for each in site.json("feeds")] == [0, 0, 0, 0]
    assert not site.database.exists()


def test_a_source_that_is_new_in_the_configuration_is_listed(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.feedd("update")
    site.configure(more=MORE)
    assert [each["name"] for each in site.json("sources")] == ["news", "other", "asleep", "missing"]


def test_help_and_version(tmp_path: Path) -> None:
    def said(*words: str) -> str:
        done = run(words, tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    assert said("--version") == f"feedd, version {__version__}\n"
    listed = said("--help")
    for command in (
        "run",
        "update",
        "check",
        "test",
        "sources",
        "feeds",
        "entries",
        "show",
        "history",
        "explain",
    ):
        assert re.search(rf"^  {command} +\S", listed, re.MULTILINE)
    assert "--since TIME" in said("entries", "-h")


def test_where_the_configuration_is_found(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    def check(*words: str, cwd: Path, home: Path) -> "subprocess.CompletedProcess[str]":
        environment = {"XDG_CONFIG_HOME": str(home), "PATH": "/usr/bin"}
        return run(words, cwd, environment)

    assert check("check", cwd=site.root, home=elsewhere).returncode == 0
    assert check("--config", str(site.config), "check", cwd=elsewhere, home=elsewhere).returncode == 0
    none = check("check", cwd=elsewhere, home=elsewhere)
    assert none.returncode == 2
    assert "no configuration file found (looked for config.toml, " in none.stderr
    (elsewhere / "feedd").mkdir()
    (elsewhere / "feedd/config.toml").write_text("")
    assert check("check", cwd=elsewhere, home=elsewhere).returncode == 0
    (elsewhere / "config.toml").write_text("x = 1")
    assert check("check", cwd=elsewhere, home=elsewhere).returncode == 2, "the folder's own comes first"


@pytest.mark.parametrize("words", [["entries", "--json"], ["show", "1"]])
@pytest.mark.parametrize("many", [False, True])
def test_a_pipe_that_is_closed(
    tmp_path_factory: pytest.TempPathFactory, site: Site, words: list[str], many: bool
) -> None:
    command = [*FEEDD, *words, "--config", str(site.config)]
    done = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=site.root)
    assert done.stdout is not None
    assert done.stderr is not None
    with done.stdout, done.stderr:
        if many:
            done.stdout.read(1)
        done.stdout.close()
        assert done.stderr.read() == b""
    assert done.wait(30) == 0


def test_one_document_alone_on_standard_output(tmp_path: Path) -> None:
    """A title that no terminal's encoding can spell, a C locale, and a failing source beside it."""
    site = Site(tmp_path, more='[sources.missing]\ntype = "directory"\npath = "nowhere"\n')
    site.seed("a.txt", "标题 👍")
    environment = {"PATH": "/usr/bin", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for words in (["update"], ["entries"], ["test", "news"], ["check"]):
        command = [*FEEDD, *words, "--json", "--config", str(site.config)]
        done = subprocess.run(command, capture_output=True, env=environment, cwd=tmp_path)
        assert b"Traceback" not in done.stderr
        assert json.loads(done.stdout.decode()) is not None
    for words in (["entries"], ["show", "1"]):
        command = [*FEEDD, *words, "--config", str(site.config)]
        done = subprocess.run(command, capture_output=True, env=environment, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, b"")


def test_a_database_that_is_none(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.database.write_bytes(b"no database at all, but long enough to be read as one" * 20)
    for words in (["entries"], ["update"], ["sources"]):
        done = site.feedd(*words, status=1)
        assert "the file is not a database; move it away, or name another in store.path" in done.stderr
