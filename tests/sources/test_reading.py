"""When a file is read, and what it makes."""

import os
import threading
import time
from pathlib import Path

import pytest
from place import T0, seed

from feedd.model import Item, Rejected, Stamp
from feedd.sources.directory import (
    Found,
    Reading,
    Selection,
    Waiting,
    is_fresh,
    is_trusted,
    scan,
    settle,
    standing,
)
from feedd.sources.files import read_file
from feedd.sources.items import plausible

SECOND_NS = 10**9
LATER_NS = time.time_ns() + 3600 * SECOND_NS
LONG_AGO_NS = 1_700_000_000 * SECOND_NS


def make(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).write_text(seed(path), encoding="utf-8")
        os.utime(root / path, ns=(0, LONG_AGO_NS))


def changed(root: Path) -> list[Found]:
    return scan(root, Selection(["**/*.md"], []), {}).changed


def found(root: Path, path: str) -> Found:
    info = os.stat(root / path)
    return Found(path, Stamp(info.st_size, info.st_mtime_ns, info.st_ino))


def read(root: Path, path: str, now_ns: int = LATER_NS) -> Item | Rejected | Waiting:
    return read_file(Reading(str(root), None, ignore_scheme=False), found(root, path), now_ns)


# Standing still


def test_what_stands_still_is_not_waited_for(tmp_path: Path) -> None:
    make(tmp_path, "a.md", "b.md")
    files = changed(tmp_path)
    assert standing(files, time.time_ns()) == (files, [])
    assert standing(files, files[0].stamp.mtime_ns + 50_000_000)[1]


def test_a_new_file_is_read_once_it_stood_still_for_100_ms(tmp_path: Path) -> None:
    make(tmp_path, "a.md", "old.md")
    os.utime(tmp_path / "a.md")
    files = changed(tmp_path)
    began = time.monotonic()
    assert settle(tmp_path, files) == (files, [])
    assert time.monotonic() - began >= 0.1


def test_a_time_in_the_future_is_waited_for_once(tmp_path: Path) -> None:
    make(tmp_path, "a.md")
    os.utime(tmp_path / "a.md", ns=(0, LATER_NS))
    files = changed(tmp_path)
    assert settle(tmp_path, files) == (files, [])


def test_a_file_that_is_being_written_waits(tmp_path: Path) -> None:
    make(tmp_path, "still.md", "growing.md")
    os.utime(tmp_path / "growing.md")
    done = threading.Event()

    def write() -> None:
        with open(tmp_path / "growing.md", "ab", buffering=0) as file:
            while not done.wait(0.01):
                file.write(b"more")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        still, waiting = settle(tmp_path, changed(tmp_path))
    finally:
        done.set()
        writer.join()
    assert [each.path for each in still] == ["still.md"]
    assert waiting == [Waiting("growing.md")]


def test_a_file_that_settles_is_read_as_it_is_then(tmp_path: Path) -> None:
    make(tmp_path, "a.md")
    os.utime(tmp_path / "a.md")
    files = changed(tmp_path)
    (tmp_path / "a.md").write_text(seed(body="<p>Grown, and longer</p>"), encoding="utf-8")
    assert settle(tmp_path, files) == ([found(tmp_path, "a.md")], [])


def test_a_file_that_goes_away_meanwhile_is_let_go(tmp_path: Path) -> None:
    make(tmp_path, "a.md")
    os.utime(tmp_path / "a.md")
    files = changed(tmp_path)
    (tmp_path / "a.md").unlink()
    assert settle(tmp_path, files) == ([], [])


@pytest.mark.parametrize(
    ("age_ns", "part_ns", "fresh", "trusted"),
    [
        (3 * SECOND_NS, 0, False, True),
        (SECOND_NS, 0, True, False),
        (SECOND_NS, 123_456, True, True),
        (-SECOND_NS, 0, True, False),
        (-3 * SECOND_NS, 0, False, True),
    ],
)
def test_a_young_file_is_looked_at_again(age_ns: int, part_ns: int, *, fresh: bool, trusted: bool) -> None:
    stamp = Stamp(1, LONG_AGO_NS + part_ns, 1)
    assert is_fresh(stamp, LONG_AGO_NS + age_ns) is fresh
    assert is_trusted(stamp, LONG_AGO_NS + age_ns) is trusted


# Reading


def test_what_a_file_makes(tmp_path: Path) -> None:
    make(tmp_path, "a.md")
    outcome = read(tmp_path, "a.md")
    assert isinstance(outcome, Item)
    assert (outcome.location, outcome.stated_ms, outcome.settled) == ("a.md", T0, True)
    assert outcome.article.url == "https://example.org/a.md"
    assert outcome.stamp == found(tmp_path, "a.md").stamp
    assert outcome.fallback_ms == LONG_AGO_NS // 10**6


def test_a_file_that_changes_while_it_is_read_waits(tmp_path: Path) -> None:
    make(tmp_path, "a.md")
    before = found(tmp_path, "a.md")
    os.utime(tmp_path / "a.md")
    assert read_file(Reading(str(tmp_path), None, ignore_scheme=False), before, LATER_NS) == Waiting("a.md")


def test_a_file_whose_folder_is_a_file_by_now_went_away(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    make(tmp_path, "a/b.md")
    before = found(tmp_path, "a/b.md")
    (tmp_path / "a/b.md").unlink()
    (tmp_path / "a").rmdir()
    (tmp_path / "a").write_text("")
    reading = Reading(str(tmp_path), None, ignore_scheme=False)
    assert read_file(reading, before, LATER_NS) == Waiting("a/b.md")


@pytest.mark.parametrize("text", ["", "no seed", seed(body=""), seed("ftp://example.org/a"), seed()[:40]])
def test_a_bad_file_costs_no_other(tmp_path: Path, text: str) -> None:
    make(tmp_path, "a.md")
    (tmp_path / "bad.md").write_text(text, encoding="utf-8")
    assert isinstance(read(tmp_path, "a.md"), Item)
    outcome = read(tmp_path, "bad.md")
    assert isinstance(outcome, Rejected)
    assert (outcome.where, outcome.stamp) == ("bad.md", found(tmp_path, "bad.md").stamp)
    assert outcome.reason


@pytest.mark.parametrize(
    ("time_ms", "means"),
    [
        (T0, T0),
        (None, None),
        (-1, None),
        (0, None),
        (T0 // 1000, None),
        (T0 + 86_400_000, T0 + 86_400_000),
        (T0 + 86_400_001, None),
        (10**17, None),
    ],
)
def test_times_that_can_be(time_ms: int | None, means: int | None) -> None:
    assert plausible(time_ms, T0) == means


def test_a_files_time_never_stands_in_from_the_future(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(seed(stated="NaN"), encoding="utf-8")
    os.utime(tmp_path / "a.md", ns=(0, LATER_NS))
    outcome = read(tmp_path, "a.md", LONG_AGO_NS)
    assert isinstance(outcome, Item)
    assert (outcome.stated_ms, outcome.fallback_ms) == (None, LONG_AGO_NS // 10**6)
