"""The whole as files: what is published, what is not, and that only what is concerned is written."""

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import brotli  # type: ignore[import-untyped]
import pytest
from lxml import etree, html
from published import LONG, Desktop, files_of, plain
from running import until
from shelf import Piece

from feedd.config.load import load
from feedd.errors import ConfigError, PublishError, Stopped
from feedd.publish.archivist import Archivist
from feedd.site import manifest
from feedd.site.alone import name_of
from feedd.site.carrying import carry_on
from feedd.site.manifest import JOURNAL, MANIFEST, OWED
from feedd.site.publishing import Round, publish

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
    assert desk.noted() == set(first.written)


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
    assert set(desk.files()) == desk.noted()
    assert desk.files()["feeds/a.atom"] == desk.shelf.body("a", "atom")
    assert not (desk.public / JOURNAL).exists()


def test_a_feed_that_became_private_goes_also_where_nothing_can_be_written(desk: Desktop) -> None:
    desk.look("a", *(Piece(f"n{number}", f"Number {number}") for number in range(100)))
    Archivist(desk.shelf.desk, desk.shelf.feeds).catch_up()
    desk.publish()
    assert (desk.public / "feeds/a/archive/1.atom.gz").exists()
    (desk.public / "feeds.opml").unlink()
    (desk.public / "static").rename(desk.root / "static")
    (desk.public / "static").symlink_to(desk.root / "static")
    desk.configure(more='[feeds.a]\naccess = "token"')
    with pytest.raises(PublishError, match="is no folder but a link"):
        desk.publish(anew=True)
    assert not [name for name in desk.files() if name.startswith(("feeds/a.", "feeds/a/"))]


def test_pages_are_noted_in_parts_and_only_those_concerned_are_read(
    desk: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "ENTRIES", 2)
    desk.publish()
    first, second = sorted(desk.public.glob(".feedd-manifest-*"))
    assert (first.name, second.name) == (".feedd-manifest-entries-0.json", ".feedd-manifest-entries-1.json")
    second.write_text("damaged")
    assert not desk.publish(looks=False).written
    with pytest.raises(PublishError, match=r"entries-1.json is damaged"):
        desk.publish()
    second.unlink()
    desk.look("b", Piece("three", "Third, corrected"))
    desk.look("a", Piece("two", "Second, corrected"))
    assert set(desk.publish().refused) >= {
        "entries/2.html",
        "entries/3.html",
    }  # it is not known whose they are


def test_an_earlier_copy_of_the_database_that_went_another_way(desk: Desktop) -> None:
    """As many changes came since as had been published: only their times tell that they are others."""
    desk.publish()
    desk.shelf.close()
    shutil.copy(desk.root / "feedd.db", desk.root / "copy.db")
    desk.reopen()
    desk.look("a", Piece("one", "First, corrected", "<p>These words were lost.</p>"))
    desk.publish()
    assert "These words were lost" in desk.text("feeds/a.atom")
    desk.shelf.close()
    shutil.copy(desk.root / "copy.db", desk.root / "feedd.db")
    desk.reopen()
    desk.look("a", Piece("one", "First, corrected", "<p>Others came in their place.</p>"))
    done = desk.publish()
    assert not done.refused
    for name in ("feeds/a.atom", "feeds/all.json", "entries/1.html", "entries/1/diff/1..2.html"):
        assert "words were lost" not in desk.text(name)
    assert desk.publish().written == ()


def test_nothing_runs_in_a_page_wherever_it_lies(desk: Desktop) -> None:
    """Titles are hostile; and what is no header of a host of files stands in the page."""
    evil = "</title><script>alert(1)</script><img src=x onerror=alert(2)>"
    desk.look("a", Piece("one", evil, f"<p>{evil}</p><svg><style><a title='</style>{evil}'>"))
    desk.publish()
    for name, data in desk.files().items():
        if name.endswith(".html"):
            tree = html.document_fromstring(data)
            assert not tree.xpath("//script | //svg | //@onerror"), name
            (said,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
            assert said.startswith("default-src 'none';")


def test_where_a_source_reads_nothing_is_published(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        '[sources.a]\ntype = "directory"\npath = "a"\n[publish]\ndirectory = "a/public"\n', encoding="utf-8"
    )
    with pytest.raises(ConfigError, match=r"publish.directory: lies in what sources.a reads"):
        load(path)


def test_what_a_killed_publishing_put_there_goes_if_nobody_may_read_it_by_now(desk: Desktop) -> None:
    """Only the journal names it. What another program put in such a place stays."""
    desk.publish()
    journal = b""
    for name, data in (("feeds/gone.atom", b"ours"), ("feeds/theirs.atom", b"was ours")):
        (desk.public / name).write_bytes(data)
        journal += manifest.journal_line(name, manifest.File(len(data), sha256(data).hexdigest(), "s"))
    (desk.public / "feeds/theirs.atom").write_bytes(b"theirs")
    (desk.public / JOURNAL).write_bytes(journal)
    done = desk.publish()
    assert done.removed == ("feeds/gone.atom",)
    assert desk.text("feeds/theirs.atom") == "theirs"


def test_what_was_killed_between_a_file_and_what_lies_beside_it_is_made_whole(desk: Desktop) -> None:
    desk.publish()
    before, noted = desk.files(), json.loads(desk.text(MANIFEST))
    names = [f"feeds/a.atom{coding}" for coding in ("", ".gz", ".br")]
    files = [manifest.File(*noted["files"].pop(name)) for name in names]
    (desk.public / MANIFEST).write_text(json.dumps(noted))
    (desk.public / JOURNAL).write_bytes(b"".join(map(manifest.journal_line, names, files)))
    (desk.public / "feeds/a.atom.br").unlink()
    assert desk.publish().written == ("feeds/a.atom.br",)
    assert desk.files() == before


def test_it_ends_when_it_is_told_to(desk: Desktop) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        publish(desk.shelf.config, desk.shelf.feeds, desk.comparisons, Round(stop))
    desk.publish()
    assert "feeds/b.atom" in desk.files()


def test_archives_are_written_once(desk: Desktop) -> None:
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
    carry_on(desk.shelf.config)
    assert (desk.root / "names").read_text().splitlines() == list(done.written)
    assert (desk.root / "counts").read_text() == f"{len(done.written)} 0 {desk.public}\n"
    (desk.root / "names").unlink()
    desk.publish()
    carry_on(desk.shelf.config)
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
    first = desk.publish()
    with pytest.raises(PublishError, match=words):
        carry_on(desk.shelf.config)
    assert desk.publish().written == ()
    desk.configure(publish='command = ["sh", "-c", "cat > names"]')
    carry_on(desk.shelf.config)  # nothing was written since, but it is owed that
    assert (desk.root / "names").read_text().splitlines() == list(first.written)
    assert not (desk.public / OWED).exists()


def test_a_closed_server_publishes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[server]\naccess = "token"\n[publish]\ndirectory = "public"\n')
    with pytest.raises(ConfigError, match="nothing is for everybody"):
        load(path)
