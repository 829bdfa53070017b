"""Files, bodies and databases that nobody meant well with: each costs itself alone."""

import os
import sqlite3
import threading
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from place import T0, Place, seed
from running import Site, until
from watchfiles import Change

from feedd.cli.common import cut
from feedd.config.load import load
from feedd.daemon.watching import Meant, meant
from feedd.errors import ConfigError
from feedd.looks import Request
from feedd.normalise.html import MAX_REFERENCES, TooMuchHtml, clean
from feedd.normalise.text import links_hash
from feedd.publish.cache import Key, feeds_of
from feedd.sources.directory import Selection
from feedd.store.reader import Reader
from feedd.store.writer import Writer

BASE = "https://example.org/dir/page"
MARKDOWN = Selection(("**/*.md",), ())
YEAR_2400_S = 13_569_465_600


def test_a_file_dated_beyond_what_the_database_counts(place: Place) -> None:
    far = place.write("far.md", seed("far", stated=None))
    os.utime(far, (YEAR_2400_S, YEAR_2400_S))
    place.write("near.md", seed("near"))
    assert place.found() == {"added": 2}
    assert place.found() == {}


def test_a_look_at_one_file_does_not_end_the_failure_of_the_source(place: Place) -> None:
    for number in range(30):
        place.write(f"{number}.md", seed(str(number)))
    place.found()
    for number in range(28):
        (place.folder / f"{number}.md").unlink()
    assert place.look().status == "failed"
    place.write("new.md", seed("new"))
    assert place.look(request=Request(("new.md",))).error is None
    assert place.one("SELECT failures FROM sources") == 1
    assert place.kinds().count("source-recovered") == 0


def test_a_failed_look_says_what_it_had_recorded(place: Place) -> None:
    for number in range(30):
        place.write(f"{number}.md", seed(str(number)))
    place.found()
    for number in range(28):
        (place.folder / f"{number}.md").unlink()
    place.write("new.md", seed("new"))
    looked = place.look()
    assert (looked.status, looked.tally.added, looked.tally.removed) == ("failed", 1, 0)


def test_undated_files_of_one_url_over_several_batches(place: Place) -> None:
    for number in range(600):
        file = place.write(f"{number:03}.md", seed("one", body=f"<p>v{number}</p>", stated="NaN"))
        os.utime(file, (1_700_000_000 - number, 1_700_000_000 - number))
    assert place.found() == {"added": 1, "duplicates": 599}
    assert place.entry("one").content_html == "<p>v0</p>"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([(Change.modified, "/r/a.md")], Meant(("a.md",), False, ())),
        (
            [(Change.added, "/r/sub/a.md"), (Change.deleted, "/r/sub/a.md.tmp")],
            Meant(("sub/a.md",), False, ("sub/a.md.tmp",)),
        ),
        ([(Change.deleted, "/r/a.md")], Meant((), True, ())),
        ([(Change.deleted, "/r/2024.02")], Meant((), False, ("2024.02",))),
        ([(Change.modified, "/r/feedd.db-wal"), (Change.modified, "/r/.a.md.swp")], Meant((), False, ())),
        ([(Change.added, "/r/.git/a.md")], Meant((), False, ())),
    ],
)
def test_events_name_files_or_leave_it_open(changes: list[tuple[Change, str]], said: Meant) -> None:
    assert meant(changes, Path("/r"), MARKDOWN) == said


def test_a_folder_that_came_has_no_events_for_its_files(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    assert meant([(Change.added, str(tmp_path / "new"))], tmp_path, MARKDOWN).unsure


def test_a_folder_that_went_is_told_by_what_it_held(place: Place) -> None:
    place.write("2024.02/a.md", seed("a"))
    place.found()
    held = [
        folder
        for folder in ("2024.02", "2024.0", "2024.02/a", "other")
        if place.desk.run(partial(Writer.holds_below, name="a", folder=folder))
    ]
    assert held == ["2024.02"]


def test_a_watch_outlives_names_that_are_no_text(tmp_path: Path) -> None:
    site = Site(tmp_path, "watch = true")
    site.seed("one.md")
    with site.running():
        until(lambda: len(site.json("entries")) == 1)
        (site.seeds / os.fsdecode(b"\xff.swp")).write_text("x")
        site.seed("two.md")
        until(lambda: len(site.json("entries")) == 2)
        site.seed("three.md")
        until(lambda: len(site.json("entries")) == 3)


def holds_more(site: Site, number: int) -> bool:
    return len(site.json("entries")) > number


def test_a_file_in_motion_does_not_keep_others_waiting(tmp_path: Path) -> None:
    site = Site(tmp_path, "watch = true")
    stop = threading.Event()

    def write() -> None:
        with (site.seeds / "loop.md").open("a") as file:
            while not stop.wait(0.02):
                file.write("more\n")
                file.flush()

    writer = threading.Thread(target=write)
    with site.running() as daemon:
        writer.start()
        try:
            for number in range(5):
                site.seed(f"{number}.md")
                until(partial(holds_more, site, number), patience_s=8)
        finally:
            stop.set()
            writer.join()
        assert daemon.log().count("being written") < 60


def test_long_titles_are_cut_in_one_go() -> None:
    title = "长" * 200_000
    assert cut(title, 10) == "长长长长…"
    assert cut("ab", 2) == "ab"
    assert cut("abc", 2) == "a…"


def test_a_renamed_file_with_an_earlier_date_is_an_edit(place: Place) -> None:
    old = place.write("x.md", seed("x", body="<p>v2</p>", stated=T0 + 5000))
    place.found()
    old.unlink()
    place.write("renamed.md", seed("x", body="<p>v3 corrected</p>", stated=T0))
    assert place.found() == {"edited": 1}
    assert place.entry("x").content_html == "<p>v3 corrected</p>"
    place.write("older.md", seed("x", body="<p>v1</p>", stated=T0 - 5000))
    assert place.found() == {"duplicates": 1}
    assert place.entry("x").content_html == "<p>v3 corrected</p>"


def test_a_database_in_a_watched_folder_does_not_wake_its_daemon(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.configure("watch = true")
    text = site.config.read_text().replace('path = "seeds"', 'path = "."')
    site.config.write_text(text)
    site.seed("one.md")

    def passes() -> int:
        if not site.database.exists():
            return 0
        with closing(sqlite3.connect(site.database)) as connection:
            found: int = connection.execute("SELECT sum(passes) FROM sources").fetchone()[0]
        return found

    with site.running():
        until(lambda: passes() >= 1)
        site.seed("two.md")
        until(lambda: len(site.json("entries")) == 2)
        before = passes()
        site.seed("three.md")
        until(lambda: len(site.json("entries")) == 3)
        assert passes() - before <= 3


def test_what_is_being_written_during_an_update_is_read_by_the_daemon(tmp_path: Path) -> None:
    site = Site(tmp_path)
    with site.running():
        until(lambda: site.json("sources")[0]["last_checked"])
        file = site.seed("late.md")
        os.utime(file)  # as if it had been written this moment: it is looked at again two seconds later
        site.json("update")
        file.write_text(file.read_text().replace("Some words", "Other words"))
        until(
            lambda: any(
                "Other words" in site.json("show", str(each["id"]))["text"] for each in site.json("entries")
            )
        )


def test_headings_of_share_boxes_one_after_another() -> None:
    raw = "<h3>分享</h3>" * 40_000 + '<a href="https://x.com/intent/tweet"></a><p>text</p>'
    assert clean(raw, BASE) == "<p>text</p>"


def test_more_references_than_an_article_has(place: Place) -> None:
    with pytest.raises(TooMuchHtml):
        clean("&" * (MAX_REFERENCES + 1), BASE)
    place.write("bomb.md", seed("bomb", body="<p>" + "&" * (MAX_REFERENCES + 1)))
    place.write("good.md", seed("good"))
    assert place.found() == {"added": 1, "rejected": 1}


def test_links_about_sharing_that_share_nothing_stay() -> None:
    body = (
        '<p>By <a href="https://x.com/intent/user?screen_name=foo">@foo</a> of'
        ' <a href="https://www.addtoany.com/blog/">a blog</a>.</p>'
    )
    assert clean(body, BASE) == body


def test_addresses_become_uris() -> None:
    cleaned = clean('<img src="//cdn.example.org/图 1.jpg?a=%E4"><a href="/a b">x</a>', BASE)
    assert 'src="https://cdn.example.org/%E5%9B%BE%201.jpg?a=%E4"' in cleaned
    assert 'href="https://example.org/a%20b"' in cleaned


def test_tracking_parameters_of_links_are_no_edit() -> None:
    first, second = (f'<a href="https://example.org/a?b=1&amp;utm_id={n}">x</a>' for n in (1, 2))
    assert links_hash(first) == links_hash(second)
    assert links_hash(first) != links_hash(first.replace("b=1", "b=2"))


def test_text_stays_text_in_every_format(place: Place) -> None:
    place.write("a.md", seed(body="<p>write &lt;img src=x onerror=alert(1)&gt; if 1 &lt; 2</p>"))
    place.found()
    config = place.root / "config.toml"
    config.write_text('[sources.a]\ntype = "directory"\npath = "seeds"\n')
    feeds = feeds_of(load(config), place.reader)
    rss = feeds.render(Key("all", "rss", 10)).body.decode()
    assert (
        "<description>write &amp;lt;img src=x onerror=alert(1)&amp;gt; if 1 &amp;lt; 2</description>" in rss
    )
    assert "<entry><id>" in feeds.render(Key("all", "atom", 10)).body.decode()


@pytest.mark.parametrize(
    ("toml", "mistakes"),
    [
        ('[sources.a]\ntype = "directory"\npath = "x"\ninclude = ["[z-a].md"]', ["sources.a.include.0"]),
        ('[feeds.jp]\nlimit = 0\nsources = ["nope"]', ["feeds.jp.limit", "feeds.jp.sources"]),
        ('include = ["sources.d/typo.toml"]', ["include"]),
        ('[feeds.changes]\nlimit = 5000\nchanges = "some"', ["feeds.changes.changes", "feeds.changes.limit"]),
        ('[sources.a]\ntype = "directory"\npath = "x"\ncron = "0 * * * *-5"', ["sources.a.cron"]),
        ('[sources.a]\ntype = "directory"\npath = "x"\ncron = "٣ * * * *"', ["sources.a.cron"]),
        ('[server]\nlisten = "[::ffff:0.0.0.0]:8080"', ["server.base_url"]),
    ],
)
def test_less_obvious_mistakes(tmp_path: Path, toml: str, mistakes: list[str]) -> None:
    config = tmp_path / "config.toml"
    config.write_text(toml, encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        load(config)
    named = [mistake.removeprefix(f"{config}: ").split(": ")[0] for mistake in raised.value.mistakes]
    assert sorted(named) == sorted(mistakes)


def test_a_database_of_something_else_is_named_by_who_reads(tmp_path: Path) -> None:
    site = Site(tmp_path)
    with closing(sqlite3.connect(site.database)) as connection:
        connection.execute("CREATE TABLE other (x)")
    said = site.feedd("entries", status=1).stderr
    assert "is a database of something else" in said


def test_a_database_that_is_not_made_yet_is_empty(tmp_path: Path) -> None:
    with closing(Reader(tmp_path / "none.db")) as reader:
        assert reader.sources() == []
    assert list(tmp_path.iterdir()) == []
