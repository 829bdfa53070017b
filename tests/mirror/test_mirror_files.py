"""What an archive holds, and what it leaves alone."""

import asyncio
import fcntl
import json
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from disks import fill, small_disk
from mirrored import OUT, SOURCES, files, name_of, over, seeds
from shelf import BORN_MS, Piece, Shelf

from feedd.mirror.folder import MARK, state_of
from feedd.model import Item
from feedd.sources.seedfile import parse

HOUR_MS = 3_600_000


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path, SOURCES + OUT)
    yield made
    made.close()


def read(path: Path) -> tuple[int | None, str, str]:
    seed = parse(path.read_text(encoding="utf-8"))
    return seed.time_ms, seed.title, seed.body


def test_a_revision_rewrites_its_file(shelf: Shelf, tmp_path: Path) -> None:
    shelf.look("a", BORN_MS, [Piece("x"), Piece("y", time_ms=None)])
    mirrors = over(shelf)
    assert mirrors.catch_up()
    x, y = (tmp_path / "out/a" / name_of(each) for each in "xy")
    assert read(x) == (BORN_MS - 1_000_000, "A title", "<p>Some words.</p>")
    assert read(y)[0] is None
    assert os.stat(y).st_mtime_ns == BORN_MS * 1_000_000  # of a guessed time, all that is told
    untouched = os.stat(y).st_ino
    later_ms = BORN_MS + HOUR_MS
    shelf.look("a", later_ms, [Piece("x", "Another title", "<p>Others.</p>", time_ms=later_ms)])
    assert mirrors.catch_up()
    assert read(x) == (later_ms, "Another title", "<p>Others.</p>")
    assert len(seeds(tmp_path / "out")) == 2
    assert os.stat(y).st_ino == untouched


class FromFeed(Piece):
    """An item that states apart when it was published and when it was updated."""

    def item(self) -> Item:
        return super().item()._replace(published_ms=BORN_MS - 5_000_000)


def test_the_time_is_that_of_publication_until_an_edit(shelf: Shelf, tmp_path: Path) -> None:
    mirrors, file = over(shelf), tmp_path / "out/a" / name_of("x")
    shelf.look("a", BORN_MS, [FromFeed("x", time_ms=BORN_MS - 1000)])
    assert mirrors.catch_up()
    assert read(file)[0] == BORN_MS - 5_000_000
    shelf.look("a", BORN_MS + HOUR_MS, [FromFeed("x", body="<p>Others.</p>", time_ms=BORN_MS + 1000)])
    assert mirrors.catch_up()
    assert read(file)[0] == BORN_MS + 1000


def test_each_source_has_its_own_version(shelf: Shelf, tmp_path: Path) -> None:
    shelf.look("a", BORN_MS, [Piece("x", body="<p>As a has it.</p>")])
    mirrors = over(shelf)
    assert mirrors.catch_up()
    shelf.look("b", BORN_MS + 1, [Piece("x", body="<p>As b has it.</p>")])  # which is no change to anyone
    assert mirrors.catch_up()
    bodies = [read(tmp_path / "out" / source / name_of("x"))[2] for source in "ab"]
    assert bodies == ["<p>As a has it.</p>", "<p>As b has it.</p>"]
    assert (tmp_path / "out/README.md").read_text().splitlines()[2:] == [
        "- [a](a.md), files in [a](a/)",
        "- [b](b.md), files in [b](b/)",
    ]


def test_what_was_removed_stays(shelf: Shelf, tmp_path: Path) -> None:
    shelf.look("a", BORN_MS, [Piece("x"), Piece("y")])
    mirrors = over(shelf)
    assert mirrors.catch_up()
    before = seeds(tmp_path / "out")
    shelf.look("a", BORN_MS + HOUR_MS, gone=["x"])
    assert mirrors.catch_up()
    assert seeds(tmp_path / "out") == before
    removed = [line for line in (tmp_path / "out/a.md").read_text().splitlines() if "removed" in line]
    assert len(removed) == 1
    assert name_of("x") in removed[0]
    assert removed[0].endswith(", removed there by 2025-06-15")
    shelf.look("a", BORN_MS + 2 * HOUR_MS, [Piece("x")])
    assert mirrors.catch_up()
    assert "removed" not in (tmp_path / "out/a.md").read_text()


def test_an_entry_without_a_text_is_written(shelf: Shelf, tmp_path: Path) -> None:
    shelf.look("a", BORN_MS, [Piece("x", "A <b> & c", body=""), Piece("y", "", body="")])
    assert over(shelf).catch_up()
    assert read(tmp_path / "out/a" / name_of("x"))[1:] == ("A <b> & c", "<p>A &lt;b&gt; &amp; c</p>")
    assert read(tmp_path / "out/a" / name_of("y"))[1:] == ("", "<p>https://example.org/y</p>")


def test_the_newest_are_listed(shelf: Shelf, tmp_path: Path) -> None:
    shelf.configure(SOURCES + OUT + "list = 3\n")
    shelf.look(
        "a", BORN_MS, [Piece(f"n{number}", f"T{number}", time_ms=BORN_MS - number) for number in range(250)]
    )
    assert over(shelf).catch_up()
    lines = (tmp_path / "out/a.md").read_text().splitlines()
    assert lines[0] == "# a"
    assert [line[2:17] for line in lines[4:]] == [f"2025-06-15 [T{number}]" for number in range(3)]
    assert lines[4].endswith(f"(a/{name_of('n0')}) ([original](<https://example.org/n0>))")
    assert len(seeds(tmp_path / "out")) == 250


def test_a_list_that_is_carried_on_is_as_one_made_anew(shelf: Shelf, tmp_path: Path) -> None:
    shelf.configure(SOURCES + OUT + "list = 3\n")
    carried, out = over(shelf), tmp_path / "out"

    def passed(turn: int, **stated: int) -> None:
        at_ms = BORN_MS + turn * HOUR_MS
        pieces = [Piece(name, f"T{turn}", f"<p>{turn}</p>", BORN_MS - ago) for name, ago in stated.items()]
        shelf.look("a", at_ms, pieces, gone=["b"] if turn == 4 else [])
        assert carried.catch_up()
        listed = (out / "a.md").read_text()
        (out / "a.md").unlink()
        (out / MARK).write_text("{}")
        assert over(shelf).catch_up()
        assert (out / "a.md").read_text() == listed

    passed(0, a=10)
    passed(1, b=20, c=30, d=40, e=50)
    passed(2, f=5)
    passed(3, a=90)  # of an earlier date now: another takes its place
    passed(4, e=1)
    passed(5, f=5)


def test_a_list_goes_by_the_times_that_it_shows(shelf: Shelf, tmp_path: Path) -> None:
    """Another source states a later time for one: it takes nobody's place."""
    feed = '[feeds.both]\nsources = ["a", "b"]\n'
    shelf.configure(SOURCES + feed + OUT + 'feeds = ["both"]\nlist = 2\n')
    times = {"x": 1, "y": 2, "z": 3}
    shelf.look("a", BORN_MS, [Piece(name, time_ms=BORN_MS + ms) for name, ms in times.items()])
    shelf.look("b", BORN_MS + 10, [Piece("x", time_ms=BORN_MS + 5)])
    shelf.look("b", BORN_MS + 20, [Piece("x", body="<p>Others.</p>", time_ms=BORN_MS + 9)])
    assert over(shelf).catch_up()
    listed = (tmp_path / "out/both.md").read_text()
    assert [name for name in "xyz" if name_of(name) in listed] == ["y", "z"]


def test_feeds_choose(shelf: Shelf, tmp_path: Path) -> None:
    feed = '[feeds.rain]\nsources = ["a", "b"]\nmatch = { title = "rain" }\n'
    shelf.configure(SOURCES + feed + OUT + 'feeds = ["rain"]\nsources = ["b"]\n')
    shelf.look("a", BORN_MS, [Piece("x", "rain"), Piece("y", "sun")])
    shelf.look("b", BORN_MS, [Piece("z", "more rain"), Piece("w", "wind")])
    assert over(shelf).catch_up()
    out = tmp_path / "out"
    assert set(seeds(out)) == {
        f"rain/{name_of('x')}",
        f"rain/{name_of('z')}",
        f"b/{name_of('z')}",
        f"b/{name_of('w')}",
    }
    assert set(files(out)) - set(seeds(out)) == {"README.md", "rain.md", "b.md"}
    wider = feed.replace('"rain"', '"rain|sun"')
    shelf.configure(SOURCES + wider + OUT + 'feeds = ["rain"]\nsources = ["b"]\n')
    assert over(shelf).catch_up()
    assert f"rain/{name_of('y')}" in seeds(out)


def test_what_leaves_a_feed_leaves_its_list(shelf: Shelf, tmp_path: Path) -> None:
    feed = '[feeds.rain]\nsources = ["a"]\nmatch = { title = "rain" }\n'
    shelf.configure(SOURCES + feed + OUT + 'feeds = ["rain"]\n')
    shelf.look("a", BORN_MS, [Piece("x", "rain"), Piece("y", "rain")])
    mirrors = over(shelf)
    assert mirrors.catch_up()
    shelf.look("a", BORN_MS + HOUR_MS, [Piece("x", "sun", "<p>Others.</p>")])
    assert mirrors.catch_up()
    assert len(seeds(tmp_path / "out")) == 2  # its file stays
    listed = (tmp_path / "out/rain.md").read_text()
    assert name_of("y") in listed
    assert name_of("x") not in listed


def test_a_source_that_left_keeps_its_files_and_is_not_listed(shelf: Shelf, tmp_path: Path) -> None:
    shelf.look("a", BORN_MS, [Piece("x")])
    assert over(shelf).catch_up()
    before = seeds(tmp_path / "out")
    shelf.configure(SOURCES[SOURCES.index("[sources.b]") :] + OUT)
    assert over(shelf).catch_up()
    assert seeds(tmp_path / "out") == before
    assert "[a]" not in (tmp_path / "out/README.md").read_text()


def test_a_folder_that_was_taken_away_is_written_anew(shelf: Shelf, tmp_path: Path) -> None:
    shelf.look("a", BORN_MS, [Piece("x"), Piece("y")])
    assert over(shelf).catch_up()
    out = tmp_path / "out"
    before = files(out)
    shutil.rmtree(out / "a")
    shelf.look("b", BORN_MS, [Piece("z")])
    (keeper,) = (each.keeper for each in over(shelf).kept)
    assert keeper.catch_up(lambda: True) is None  # it is ended half-way
    (out / "a" / name_of("y")).unlink()
    assert over(shelf).catch_up()
    assert before.keys() < files(out).keys()


def test_a_database_that_is_behind_the_archive(shelf: Shelf, tmp_path: Path) -> None:
    """A backup was restored: what it gets next has numbers that the archive has met already."""
    shelf.look("a", BORN_MS, [Piece("x")])
    mirrors, mark = over(shelf), tmp_path / "out" / MARK
    assert mirrors.catch_up()
    mark.write_text(json.dumps(json.loads(mark.read_bytes()) | {"change_id": 500, "revision_id": 500}))
    shelf.look("a", BORN_MS + 1, [Piece("y")])
    assert over(shelf).catch_up()
    assert set(seeds(tmp_path / "out")) == {f"a/{name_of(each)}" for each in "xy"}
    assert json.loads(mark.read_bytes())["change_id"] == 2


def test_what_others_bring_is_met_once(shelf: Shelf, tmp_path: Path) -> None:
    shelf.configure(SOURCES + OUT + 'sources = ["a"]\n')
    mirrors, mark = over(shelf), tmp_path / "out" / MARK
    (keeper,) = (each.keeper for each in mirrors.kept)
    assert mirrors.catch_up()
    before = mark.read_bytes()
    shelf.look("b", BORN_MS, [Piece("x")])
    assert mirrors.catch_up()
    assert mark.read_bytes() == before
    assert keeper.follows(state_of(before)).change_id == 1
    shelf.look("a", BORN_MS, [Piece("y")])
    assert mirrors.catch_up()
    assert set(seeds(tmp_path / "out")) == {f"a/{name_of('y')}"}


def test_a_mark_that_is_damaged_costs_a_comparison(shelf: Shelf, tmp_path: Path) -> None:
    shelf.look("a", BORN_MS, [Piece("x"), Piece("y")])
    assert over(shelf).catch_up()
    out = tmp_path / "out"
    before = files(out)
    (out / "a" / name_of("x")).write_text("spoilt")
    (out / "a" / name_of("y")).unlink()
    for mark in (b"", b"[]", b'{"format": 1, "folders": 3}', b"\xff", b'{"format": Infinity}'):
        (out / MARK).write_bytes(mark)
        assert over(shelf).catch_up()
        assert files(out) == before
        assert json.loads((out / MARK).read_bytes())["change_id"] == 2


def refusal(shelf: Shelf, caplog: pytest.LogCaptureFixture) -> str:
    """What keeps an archive from being written: it is said once."""
    caplog.clear()
    mirrors = over(shelf)
    assert not mirrors.catch_up()
    assert not mirrors.catch_up()  # too soon
    for each in mirrors.kept:
        assert each.writing.at_s == 0 or not each.writing.is_due
        each.writing.at_s = 0
    assert not mirrors.catch_up()  # in vain
    (record,) = [each for each in caplog.records if each.levelno >= logging.ERROR]
    said = record.getMessage()
    assert said.startswith("archive.out: ")
    return said.removeprefix("archive.out: ")


def test_what_is_not_ours_is_left_alone(
    shelf: Shelf, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shelf.look("a", BORN_MS, [Piece("x")])
    out = tmp_path / "out"
    out.mkdir()
    (out / "letter.txt").write_text("Dear …")
    assert refusal(shelf, caplog) == (
        f"{out}: holds 'letter.txt' and no {MARK}, so feedd does not write there; name an empty folder, or one that is"
        " not there yet"
    )
    assert [each.name for each in out.iterdir()] == ["letter.txt"]
    (out / "letter.txt").unlink()
    assert over(shelf).catch_up()
    others = {"letter.txt": b"Dear", "a/notes.md": b"mine", "c/x": b"y"}
    for name, data in others.items():
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_bytes(data)
    shelf.look("a", BORN_MS + 1, [Piece("y")], gone=["x"])
    assert over(shelf).catch_up()
    (out / MARK).write_text("{}")
    assert over(shelf).catch_up()
    assert others.items() <= files(out).items()


def test_links_lead_nowhere(shelf: Shelf, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shelf.look("a", BORN_MS, [Piece("x")])
    assert over(shelf).catch_up()
    out, outside = tmp_path / "out", tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("theirs")
    file = out / "a" / name_of("x")
    before = file.read_bytes()
    file.unlink()
    file.symlink_to(outside / "file")
    (out / MARK).write_text("{}")
    assert over(shelf).catch_up()
    assert not file.is_symlink()
    assert file.read_bytes() == before
    file.unlink()
    (out / "a").rmdir()
    (out / "a").symlink_to(outside)
    (out / MARK).write_text("{}")
    assert (
        refusal(shelf, caplog)
        == f"{out / 'a'}: is a symbolic link, so feedd does not write there; take it away"
    )
    (out / "a").unlink()
    file.mkdir(parents=True)
    assert refusal(shelf, caplog) == f"{file}: is a folder, where an article belongs; take it away"
    assert [each.name for each in outside.iterdir()] == ["file"]
    assert (outside / "file").read_text() == "theirs"


def test_one_writes_at_a_time(shelf: Shelf, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shelf.look("a", BORN_MS, [Piece("x")])
    assert over(shelf).catch_up()
    shelf.look("a", BORN_MS + 1, [Piece("y")])
    descriptor = os.open(tmp_path / "out", os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        assert "another feedd is writing there" in refusal(shelf, caplog)
    finally:
        os.close(descriptor)
    (tmp_path / "out" / MARK).write_text('{"format": 2}')
    assert "a newer feedd keeps this archive" in refusal(shelf, caplog)


def test_one_that_fails_costs_the_others_nothing(
    shelf: Shelf, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shelf.configure(SOURCES + OUT + '[archive.more]\ndirectory = "more"\n')
    shelf.look("a", BORN_MS, [Piece("x")])
    (tmp_path / "out").write_text("a file")
    assert "out: can't be written: " in refusal(shelf, caplog)
    assert set(seeds(tmp_path / "more")) == {f"a/{name_of('x')}"}


def test_changes_are_followed(shelf: Shelf, tmp_path: Path) -> None:
    async def follow() -> None:
        following = asyncio.create_task(over(shelf).run())
        while not seeds(tmp_path / "out"):
            assert not following.done()
            await asyncio.sleep(0.01)
        following.cancel()
        with pytest.raises(asyncio.CancelledError):
            await following

    shelf.look("a", BORN_MS, [Piece("x")])
    asyncio.run(asyncio.wait_for(follow(), 20))
    assert set(seeds(tmp_path / "out")) == {f"a/{name_of('x')}"}


def test_a_full_disk_loses_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with small_disk(tmp_path, "1m") as disk:
        shelf = Shelf(tmp_path, SOURCES + OUT.replace('"out"', f'"{disk / "out"}"'))
        shelf.look("a", BORN_MS, [Piece("x")])
        assert over(shelf).catch_up()
        before = files(disk / "out")
        shelf.look(
            "a", BORN_MS + 1, [Piece("x", body="<p>Others.</p>"), Piece("y", body="<p>So long.</p>" * 1000)]
        )
        fill(disk)
        assert "No space left on device; what is there stays, and it is tried again" in refusal(shelf, caplog)
        assert not list((disk / "out").rglob(".feedd-*.part"))
        (disk / "ballast").unlink()
        assert over(shelf).catch_up()
        assert len(seeds(disk / "out")) == 2
        assert files(disk / "out") != before
        shelf.close()
