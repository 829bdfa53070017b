"""The whole as files: what is published, what is not, and that only what is concerned is written."""

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import brotli  # type: ignore[import-untyped]
import pytest
from lxml import etree, html
from published import LONG, Desktop, files_of, plain
from running import until
from shelf import Piece

from feedd.config.load import load
from feedd.errors import ConfigError, PublishError, Stopped
from feedd.site.alone import name_of
from feedd.site.manifest import JOURNAL, MANIFEST
from feedd.site.publishing import Round, carry_on, publish

FOUR = ("all", "changes", "health", "a", "b")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktop]:
    """Published once, and only looked at."""
    made = Desktop(tmp_path_factory.mktemp("published"))
    made.first = made.publish()
    yield made
    made.shelf.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desktop]:
    made = Desktop(tmp_path)
    yield made
    made.shelf.close()


def test_all_that_is_for_everybody_is_there(published: Desktop) -> None:
    desk, done = published, published.first
    assert done is not None
    found = desk.files()
    feeds = {f"feeds/{name}.{format_}" for name in FOUR for format_ in ("atom", "rss", "json", "html")}
    entries = {f"entries/{number}.html" for number in (1, 2, 3)}
    around = {"index.html", "feeds.html", "changes.html", "feeds.opml", "style.css", "static/icon.svg"}
    assert {name for name in found if not name.endswith((".gz", ".br"))} == feeds | entries | around
    assert set(done.written) == set(found)
    assert not done.refused
    for name in FOUR:
        for format_ in ("atom", "rss", "json"):
            assert found[f"feeds/{name}.{format_}"] == desk.shelf.body(name, format_)
    (address,) = etree.fromstring(found["feeds/a.atom"]).xpath("//*[@rel='self']/@href")
    assert address == "https://feeds.example/feeds/a.atom"


def test_nothing_of_a_private_feed_is_there(published: Desktop) -> None:
    assert not [name for name, data in published.files().items() if "secret" in name or b"secret" in data]


def test_what_lies_compressed_beside_is_the_same(published: Desktop) -> None:
    found = published.files()
    assert {"feeds/a.atom.gz", "feeds/a.atom.br", "style.css.gz"} <= set(found)
    for name, data in found.items():
        if name.endswith(".gz"):
            assert gzip.decompress(data) == found[name[:-3]]
            assert data[4:8] == b"\0\0\0\0"  # no time: the same bytes each time
        elif name.endswith(".br"):
            assert brotli.decompress(data) == found[name[:-3]]
    assert not [name for name in found if len(found[name]) < 500 and f"{name}.gz" in found]
    assert {os.stat(published.public / name).st_mode & 0o777 for name in found} == {0o644}


def test_pages_stand_alone(desk: Desktop) -> None:
    """Every link leads to a file that is there; nothing in them would need a running feedd."""
    desk.look("a", Piece("one", "First", "<p>Other words, and more.</p>"))
    desk.publish()
    found = desk.files()
    pages = {name: html.document_fromstring(data) for name, data in found.items() if name.endswith(".html")}
    assert "entries/1/diff/1..2.html" in pages
    links = set()
    for name, tree in pages.items():
        assert not tree.xpath("//form | //script | //button | //dialog | //*[@data-live]"), name
        for address in tree.xpath("//@href | //@src"):
            if address.startswith("/"):
                assert "?" not in address or "?v=" in address, (name, address)
                assert name_of(address.partition("?")[0]) in found, (name, address)
                links.add(address)
    assert {"/", "/feeds", "/changes", "/entries/1", "/entries/1/diff/1..2", "/feeds/a.atom"} <= links


def test_a_base_address_with_a_path(tmp_path: Path) -> None:
    desk = Desktop(tmp_path, "https://example.org/news/")
    desk.publish()
    tree = html.document_fromstring(desk.text("index.html"))
    addresses = [each for each in tree.xpath("//@href | //@src") if each.startswith("/")]
    assert addresses
    assert all(each.startswith("/news/") for each in addresses)
    desk.shelf.close()


def test_nothing_is_written_where_nothing_changed(desk: Desktop) -> None:
    first = desk.publish()
    before = {name: os.stat(desk.public / name).st_mtime_ns for name in (*first.written, MANIFEST)}
    again = desk.publish()
    assert (again.written, again.removed, again.kept) == ((), (), len(first.written))
    desk.look("a", Piece("one", "First"))  # nothing new
    assert desk.publish().written == ()
    assert before == {name: os.stat(desk.public / name).st_mtime_ns for name in before}


def test_a_new_entry_writes_what_is_concerned(desk: Desktop) -> None:
    desk.publish()
    desk.look("b", Piece("four", "Fourth"))
    done = desk.publish()
    feeds = {
        f"feeds/{name}.{format_}" for name in ("all", "b") for format_ in ("atom", "rss", "json", "html")
    }
    assert set(plain(done.written)) == {*feeds, "entries/4.html", "index.html", "feeds.html"}


def test_an_edit_writes_its_pages_and_the_comparison(desk: Desktop) -> None:
    desk.publish()
    desk.look("a", Piece("one", "First, corrected", "<p>Quite other words were said.</p>"))
    done = desk.publish()
    assert {"entries/1.html", "entries/1/diff/1..2.html", "changes.html", "feeds/changes.atom"} <= set(
        done.written
    )
    assert not {"entries/2.html", "feeds/b.atom", "feeds/b.html"} & set(done.written)
    assert "First, corrected" in desk.text("entries/1.html")


def test_a_removed_entry_says_so_and_keeps_its_page(desk: Desktop) -> None:
    desk.publish()
    desk.look("a", gone=("one",))
    desk.publish()
    assert "No source holds it any more" in desk.text("entries/1.html")
    assert "deleted-entry" in desk.text("feeds/a.atom")


def test_a_feed_that_became_private_is_taken_away(desk: Desktop) -> None:
    desk.publish()
    desk.configure(more='[feeds.a]\naccess = "token"')
    done = desk.publish()
    assert "feeds/a.atom" in done.removed
    assert not [name for name in desk.files() if name.startswith("feeds/a.")]
    assert '/feeds/a"' not in desk.text("feeds.html")
    assert '/feeds/a"' not in desk.text("entries/1.html")


def test_without_pages_and_archives(desk: Desktop) -> None:
    desk.publish()
    desk.configure(publish="pages = false\narchives = false")
    desk.publish()
    feeds = {f"feeds/{name}.{format_}" for name in FOUR for format_ in ("atom", "rss", "json")}
    assert {name for name in desk.files() if not name.endswith((".gz", ".br"))} == {*feeds, "feeds.opml"}
    assert not (desk.public / "entries").exists()


def test_pages_in_another_language(desk: Desktop) -> None:
    desk.configure(publish='language = "zh"\narchives = false')
    desk.publish()
    assert 'lang="zh-Hans"' in desk.text("index.html")


def test_a_file_that_is_lost_is_made_again(desk: Desktop) -> None:
    desk.publish()
    before = desk.files()
    (desk.public / "feeds/a.atom").unlink()
    (desk.public / "entries/2.html.br").write_bytes(b"")
    done = desk.publish()
    assert set(done.written) == {"feeds/a.atom"}
    assert set(done.refused) == {"entries/2.html.br"}  # somebody emptied it
    (desk.public / "entries/2.html.br").unlink()
    assert desk.publish().written == ("entries/2.html.br",)
    assert desk.files() == before


def test_a_directory_taken_away_is_made_again(desk: Desktop) -> None:
    desk.publish()
    before = desk.files()
    os.rename(desk.public, desk.root / "elsewhere")
    desk.publish()
    assert desk.files() == before == files_of(desk.root / "elsewhere")


def test_anew_makes_all_and_looks_at_all(desk: Desktop) -> None:
    first = desk.publish()
    assert desk.publish(anew=True).written == ()
    damaged = desk.text("feeds/a.json").replace("First", "Tsrif")
    (desk.public / "feeds/a.json").write_text(damaged)
    assert not desk.publish().refused  # it has the size that it should have
    assert set(desk.publish(anew=True).refused) == {"feeds/a.json"}
    assert json.loads(desk.text(MANIFEST))["files"].keys() == set(first.written)


def test_what_was_killed_is_made_good(desk: Desktop) -> None:
    """Killed between the first file and the manifest, then more changed: what lies there is known as feedd's."""
    desk.publish()
    desk.look("a", Piece("one", "First, corrected", LONG))
    command = [sys.executable, "-m", "feedd", "publish", "--config", os.fspath(desk.shelf.path)]
    with subprocess.Popen(command) as process:
        until(lambda: (desk.public / JOURNAL).exists() and b"feeds/" in (desk.public / JOURNAL).read_bytes())
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert (desk.public / JOURNAL).exists()
    (desk.public / "feeds/.feedd-0123456789abcdef.part").write_bytes(b"half")
    desk.look("a", Piece("one", "First, corrected again", LONG))
    done = desk.publish()
    assert not done.refused
    assert sorted(desk.files()) == sorted(json.loads(desk.text(MANIFEST))["files"])
    assert desk.files()["feeds/a.atom"] == desk.shelf.body("a", "atom")
    assert not (desk.public / JOURNAL).exists()


def test_it_ends_when_it_is_told_to(desk: Desktop) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        publish(desk.shelf.config, desk.shelf.feeds, desk.comparisons, Round(stop))
    desk.publish()
    assert "feeds/b.atom" in desk.files()


def test_archives_are_written_once(desk: Desktop) -> None:
    from feedd.publish.archivist import Archivist

    desk.look("a", *(Piece(f"n{number}", f"Number {number}") for number in range(108)))
    archivist = Archivist(desk.shelf.desk, desk.shelf.feeds)
    archivist.catch_up()
    done = desk.publish()
    archives = [name for name in plain(done.written) if "/archive/" in name]
    assert archives == [f"feeds/{name}/archive/1.atom" for name in ("a", "all")]
    whole = desk.shelf.feeds.archive("a", 1)
    assert whole is not None
    assert desk.files()["feeds/a/archive/1.atom"] == whole.body
    desk.look("a", *(Piece(f"m{number}", f"Number {number}") for number in range(100)))
    archivist.catch_up()
    done = desk.publish()
    assert [name for name in plain(done.written) if "/archive/" in name] == [
        "feeds/a/archive/2.atom",
        "feeds/all/archive/2.atom",
    ]
    (newest,) = etree.fromstring(desk.files()["feeds/a.atom"]).xpath("//*[@rel='prev-archive']/@href")
    assert newest == "https://feeds.example/feeds/a/archive/2.atom"


def test_a_command_is_told(desk: Desktop) -> None:
    script = (
        'cat > names; echo "$FEEDD_PUBLISH_WRITTEN $FEEDD_PUBLISH_REMOVED $FEEDD_PUBLISH_DIRECTORY" > counts'
    )
    desk.configure(publish=f"command = {json.dumps(['sh', '-c', script])}")
    done = desk.publish()
    carry_on(desk.shelf.config, done)
    assert (desk.root / "names").read_text().splitlines() == list(done.written)
    assert (desk.root / "counts").read_text() == f"{len(done.written)} 0 {desk.public}\n"
    (desk.root / "names").unlink()
    carry_on(desk.shelf.config, desk.publish())
    assert not (desk.root / "names").exists()  # nothing was written


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["sh", "-c", "echo no route >&2; exit 3"], "sh ended with exit status 3; it says: no route"),
        (["./not-there"], "not-there can't be run"),
    ],
    ids=["fails", "is not there"],
)
def test_a_command_that_fails_is_told_of(desk: Desktop, command: list[str], words: str) -> None:
    desk.configure(publish=f"command = {json.dumps(command)}")
    done = desk.publish()
    with pytest.raises(PublishError, match=words):
        carry_on(desk.shelf.config, done)
    assert desk.publish().written == ()


def test_a_closed_server_publishes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[server]\naccess = "token"\n[publish]\ndirectory = "public"\n')
    with pytest.raises(ConfigError, match="nothing is for everybody"):
        load(path)
