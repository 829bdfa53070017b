"""Whole looks: files in real folders, and what the store holds afterwards."""

import os
import sqlite3
import threading
import time
from pathlib import Path

import pytest
from nobody import as_nobody, open_folder
from place import T0, Place, counts, seed

from feedd.errors import Stopped
from feedd.folder import FolderLooker
from feedd.looks import Request

ONE, TWO = "<p>One</p>", "<p>Two</p>"


def test_from_nothing_to_unchanged(place: Place) -> None:
    for name in "abc":
        place.write(f"{name}.md", seed(name))
    assert place.found() == {"added": 3}
    looked = place.look()
    assert (looked.status, counts(looked)) == ("unchanged", {})
    assert place.kinds() == ["added"] * 3


def test_an_empty_folder_is_a_pass(place: Place) -> None:
    assert place.found() == {}
    place.write("a.md", seed())
    assert place.found() == {"added": 1}
    assert place.rows("SELECT silent FROM changes") == [(0,)]


def test_a_source_is_silent_until_its_first_pass_is_complete(place: Place) -> None:
    place.write("a.md", seed())
    place.found()
    place.write("b.md", seed("b"))
    place.found()
    assert place.rows("SELECT silent FROM changes ORDER BY id") == [(1,), (0,)]


def test_progress(place: Place) -> None:
    for number in range(600):
        place.write(f"{number}.md", seed(str(number)))
    seen: list[tuple[int, int]] = []
    place.look(progress=lambda done, total: seen.append((done, total)))
    assert seen == [(250, 600), (500, 600), (600, 600)]


# Bad files and bad folders


def test_a_bad_file_is_listed_until_it_is_mended_or_gone(place: Place) -> None:
    place.write("good.md", seed("good"))
    place.write("bad.md", "no seed")
    place.write("worse.md", b"")
    os.mkfifo(place.folder / "fifo.md")
    assert place.found() == {"added": 1, "rejected": 3}
    for _ in range(2):
        looked = place.look()
        assert counts(looked) == {"rejected": 3}
        reasons = {each.where: each.reason for each in looked.tally.rejected}
        assert reasons["worse.md"] == "the file is empty"
    assert len(place.reader.rejected()) == 3
    place.write("bad.md", seed("mended"))
    (place.folder / "worse.md").unlink()
    (place.folder / "fifo.md").unlink()
    assert place.found() == {"added": 1}
    assert place.look().status == "unchanged"
    assert place.reader.rejected() == []


def test_a_linked_folder_is_listed_at_each_pass(place: Place) -> None:
    (place.root / "outside").mkdir()
    (place.folder / "link").symlink_to(place.root / "outside")
    for _ in range(3):
        assert place.found() == {"rejected": 1}


def test_a_file_that_breaks_still_holds_its_entry(place: Place) -> None:
    place.write("keep.md", seed("keep"))
    file = place.write("a.md", seed())
    place.found()
    place.write("a.md", seed()[:50])
    assert place.found() == {"rejected": 1}
    assert place.entry().removed_ms is None
    place.write("a.md", seed())
    assert place.found() == {"duplicates": 1}
    place.write("a.md", "")
    place.found()
    file.unlink()
    assert place.found() == {"removed": 1}


def test_a_file_of_50_megabytes(place: Place) -> None:
    place.write("a.md", seed())
    large = place.write("large.md", seed("large"))
    os.truncate(large, 50_000_000)
    place.touch(large)
    assert place.found() == {"added": 1, "rejected": 1}


@pytest.mark.parametrize("fault", ["missing", "empty", "a file"])
def test_a_folder_that_fails_removes_nothing(place: Place, fault: str) -> None:
    place.write("a.md", seed())
    place.found()
    hidden = place.folder.rename(place.root / "hidden")
    if fault == "empty":
        place.folder.mkdir()
    elif fault == "a file":
        place.folder.write_text("")
    for failures in (1, 2):
        looked = place.look()
        assert looked.status == "failed"
        assert str(place.folder) in (looked.error or "")
        assert place.reader.sources()[0].failures == failures
        assert place.reader.sources()[0].error == looked.error
    assert place.kinds() == ["added", "source-failing"]
    if fault == "empty":
        place.folder.rmdir()
    elif fault == "a file":
        place.folder.unlink()
    hidden.rename(place.folder)
    assert place.look().status == "unchanged"
    assert place.kinds() == ["added", "source-failing", "source-recovered"]
    assert place.reader.sources()[0].error is None


def test_an_empty_folder_can_be_meant(place: Place) -> None:
    file = place.write("a.md", seed())
    place.found()
    file.unlink()
    assert "feedd update a --accept-removals" in (place.look().error or "")
    assert place.found(accept=True) == {"removed": 1}
    assert place.look().status == "unchanged"


def test_without_permission() -> None:
    with open_folder() as root:
        said = as_nobody(
            root,
            """
place = Place(root)
place.write("a.md", seed())
place.write("b.md", seed("b"))
place.write("sub/c.md", seed("c"))
os.chmod(root / "seeds/b.md", 0)
print(place.found())
os.chmod(root / "seeds/sub", 0)
for _ in range(2):
    looked = place.look()
    print(counts(looked), [each.where for each in looked.tally.rejected])
os.chmod(root / "seeds", 0)
print(place.look().error)
os.chmod(root / "seeds", 0o700)
os.chmod(root / "seeds/sub", 0o700)
os.chmod(root / "seeds/b.md", 0o600)
print(place.found(), place.kinds())
place.close()
""",
        )
    assert said.splitlines() == [
        "{'added': 2, 'rejected': 1}",
        "{'rejected': 2} ['b.md', 'sub/']",
        "{'rejected': 2} ['b.md', 'sub/']",
        f"the folder {root}/seeds can't be listed: Permission denied",
        "{'added': 1} ['added', 'added', 'source-failing', 'added', 'source-recovered']",
    ]


# Fresh files


def test_a_file_that_is_being_written_counts_as_present(place: Place) -> None:
    place.write("a.md", seed("other"))
    file = place.write("growing.md", seed(body=ONE))
    place.found()
    done = threading.Event()

    def write() -> None:
        with open(file, "ab", buffering=0) as growing:
            while not done.wait(0.01):
                growing.write(b"<p>more</p>")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        place.write("b.md", seed("b"))
        time.sleep(0.02)
        looked = place.look(request=Request(("growing.md", "b.md")))
    finally:
        done.set()
        writer.join()
    assert counts(looked) == {"added": 1}
    assert looked.again == ("growing.md",)
    place.touch(file)
    assert place.found() == {"silent_edited": 1}


def test_a_young_file_is_looked_at_again(place: Place) -> None:
    file = place.write("a.md", seed(body=ONE))
    second_ns = 10**9
    os.utime(file, ns=(0, time.time_ns() // second_ns * second_ns))  # a file system that counts in seconds
    looked = place.look()
    assert (counts(looked), looked.again) == ({"added": 1}, ("a.md",))
    again = place.look(request=Request(looked.again))
    assert counts(again) == {"duplicates": 1}
    assert place.found() == {"duplicates": 1}


def test_a_change_that_a_stamp_hides_is_found_while_the_file_is_young(place: Place) -> None:
    file = place.write("a.md", seed(body=ONE))
    info = os.stat(file)
    stamp_ns = time.time_ns() // 10**9 * 10**9
    os.utime(file, ns=(0, stamp_ns))
    place.found()
    with open(file, "r+b") as same:
        same.write(seed(body="<p>Own</p>").encode())
    os.utime(file, ns=(0, stamp_ns))
    assert (os.stat(file).st_size, os.stat(file).st_ino) == (info.st_size, info.st_ino)
    assert place.found() == {"silent_edited": 1}


def test_some_files_alone(place: Place) -> None:
    place.write("a.md", seed())
    place.write("b.md", seed("b"))
    place.found()
    checked = place.one("SELECT next_check FROM sources")
    (place.folder / "b.md").unlink()
    place.write("a.md", seed(body=TWO))
    place.write("c.md", seed("c"))
    looked = place.look(request=Request(("a.md", "b.md", "nothing.md", "sub")))
    assert counts(looked) == {"silent_edited": 1}
    assert looked.next_check_ms == checked
    assert place.found() == {"added": 1, "removed": 1}


# Many removals, other settings


def fill(place: Place, count: int) -> None:
    for number in range(count):
        place.write(f"{number}.md", seed(str(number)))
    assert place.found() == {"added": count}


def drop(place: Place, count: int) -> None:
    for number in range(count):
        (place.folder / f"{number}.md").unlink()


@pytest.mark.parametrize(("total", "gone"), [(100, 20), (250, 25)])
def test_a_few_removals_are_believed(place: Place, total: int, gone: int) -> None:
    fill(place, total)
    drop(place, gone)
    assert place.found() == {"removed": gone}


@pytest.mark.parametrize(("total", "gone"), [(100, 21), (250, 26), (50, 49)])
def test_many_removals_are_held(place: Place, total: int, gone: int) -> None:
    fill(place, total)
    drop(place, gone)
    place.write("new.md", seed("new"))
    for _ in range(2):
        looked = place.look()
        assert looked.status == "failed"
        assert "nothing was removed" in (looked.error or "")
        assert "feedd update a --accept-removals" in (looked.error or "")
    assert place.one("SELECT count(*) FROM entries WHERE removed_at IS NULL") == total + 1
    assert place.found(accept=True) == {"removed": gone}
    assert place.look().status == "unchanged"


def test_files_that_come_back_are_no_failure_any_more(place: Place) -> None:
    fill(place, 50)
    drop(place, 40)
    assert place.look().status == "failed"
    for number in range(40):
        place.write(f"{number}.md", seed(str(number)))
    assert place.found() == {"duplicates": 40}
    assert place.kinds()[-2:] == ["source-failing", "source-recovered"]


@pytest.mark.parametrize("setting", ["path", "include", "exclude"])
def test_after_another_choice_nothing_is_removed_unasked(place: Place, setting: str) -> None:
    place.write("a.md", seed("a"))
    place.write("b.txt", seed("b"))
    place.found()
    if setting == "path":
        place.add("a", place.root / "other")
        place.write("a.md", seed("a"), place.root / "other")
    else:
        place.add("a", place.folder, **{setting: ["**/*.md"] if setting == "include" else ["*.txt"]})
    for _ in range(2):
        assert "path, include or exclude changed" in (place.look().error or "")
    assert place.entry("b").removed_ms is None
    assert place.found(accept=True) == {"removed": 1}
    assert place.look().status == "unchanged"


def test_another_choice_that_loses_nothing_is_fine(place: Place) -> None:
    place.write("a.md", seed("a"))
    place.found()
    place.folder.rename(place.root / "moved")
    place.add("a", place.root / "moved")
    assert place.look().status == "unchanged"
    place.add("a", place.root / "moved", include=["*.md"])
    assert place.look().status == "unchanged"


def test_after_other_settings_one_pass_is_silent(place: Place) -> None:
    place.write("a.md", seed(body="<p>æ</p>").encode("cp1252"))
    place.write("b.md", seed("b"))
    place.found()
    changes = place.kinds()
    place.add("a", place.folder, encoding="latin2")
    assert place.found() == {"duplicates": 2}
    assert place.kinds() == changes
    assert place.look().status == "unchanged"
    place.write("a.md", seed(body="<p>o</p>"))
    place.write("b.md", seed("b", body="<p>o</p>"))
    assert place.found() == {"silent_edited": 2}


def test_after_other_settings_new_files_are_told(place: Place) -> None:
    place.write("a.md", seed())
    place.found()
    place.add("a", place.folder, ignore_scheme=True)
    place.write("b.md", seed("b"))
    assert place.found()["added"] >= 1


# Being stopped


def test_a_look_that_is_stopped_goes_on_where_it_was(place: Place) -> None:
    for number in range(600):
        place.write(f"{number}.md", seed(str(number)))
    with pytest.raises(Stopped):
        place.look(progress=lambda *_: place.stop.set())
    assert place.one("SELECT count(*) FROM entries") == 250
    place.stop.clear()
    assert place.found() == {"added": 350}
    assert place.rows("SELECT DISTINCT silent FROM changes") == [(1,)]


def test_files_are_where_the_reader_finds_them(place: Place, tmp_path: Path) -> None:
    place.write("新闻/标题.md", seed("标题", "标题", "<p>正文</p>"))
    assert place.found() == {"added": 1}
    (entry,) = place.reader.entries(place.reader.entry_ids(None, removed=False), {})
    assert place.reader.locations(entry.id) == [("a", "新闻/标题.md")]


def test_changed_settings_swallow_no_later_edit(place: Place) -> None:
    """Also of what is not the newest version of its entry, and of what could not be read that day."""
    place.write("x.txt", seed("a", body="<p>Old</p>", stated=T0))
    place.write("y.txt", seed("a", body="<p>New</p>", stated=T0 + 5000))
    place.write("z.txt", seed("b", body="<p>Other</p>", stated=T0))
    place.found()
    place.write("z.txt", "junk")
    place.add("a", place.folder, encoding="latin-1")
    place.found()
    place.write("x.txt", seed("a", body="<p>Third</p>", stated=T0))
    place.write("z.txt", seed("b", body="<p>Edited</p>", stated=T0))
    assert place.found() == {"silent_edited": 2}


def test_files_that_events_told_of_are_looked_at_again_after_the_store_was_locked(place: Place) -> None:
    place.write("a.md", seed())
    place.look()
    place.write("a.md", seed(body="<p>Other words</p>"))
    place.run("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(place.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    looked = FolderLooker(place.desk, place.stop, place.root).look(place.sources["a"], Request(("a.md",)))
    assert looked.status == "failed"
    assert looked.again == ("a.md",)
    other.execute("ROLLBACK")
    other.close()
