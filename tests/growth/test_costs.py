"""What is done each second, and at each change, costs the same however many sources there are.

Costs are instructions of SQLite's, which the machine's other work changes nothing of.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from shelf import BORN_MS, Piece, Shelf

from feedd.publish import archivist
from feedd.publish.archivist import Archivist
from feedd.search.finder import Finder
from feedd.search.indexer import Indexer
from feedd.store import archives
from feedd.store.writer import Writer

FEW, MANY = 10, 200
BOUND = 1.25  # of what is done once: B-trees are deeper
T, MINUTE_MS = BORN_MS, 60_000
ARCHIVED = "SELECT a.feed, d.kind, d.entry_id, d.revision_id, d.change_id FROM archived d JOIN archives a ON a.id = d.archive_id"


def stocked(root: Path, sources: int) -> Shelf:
    root.mkdir()
    each = (f"[sources.s{n}]\ntype = 'directory'\npath = '{n}'\n" for n in range(sources))
    shelf = Shelf(root, "".join(each))
    for number in range(sources):
        shelf.look(f"s{number}", T, [Piece(f"n{number}-{n}", f"Water {n}") for n in range(3)])
    Archivist(shelf.desk, shelf.feeds).catch_up()
    Indexer(shelf.desk, shelf.reader, {}).catch_up()
    return shelf


@pytest.fixture(scope="module")
def shelves(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shelf, Shelf]]:
    """One of few sources, and one of many."""
    root = tmp_path_factory.mktemp("growth")
    made = stocked(root / "few", FEW), stocked(root / "many", MANY)
    yield made
    for each in made:
        each.close()


@contextmanager
def counted(shelf: Shelf) -> Iterator[list[None]]:
    """As long a list as instructions were carried out within, by this thread's connection and the writer's."""
    done = list[None]()

    def listen(connection: sqlite3.Connection, every: int) -> None:
        connection.set_progress_handler((lambda: done.append(None)) if every else None, every)

    listen(shelf.reader.connection, 1)
    shelf.desk.run(lambda writer: listen(writer.connection, 1))
    try:
        yield done
    finally:
        listen(shelf.reader.connection, 0)
        shelf.desk.run(lambda writer: listen(writer.connection, 0))


def cost(shelf: Shelf, work: Callable[[Shelf], object]) -> int:
    work(shelf)  # so that statements are prepared
    with counted(shelf) as done:
        work(shelf)
    return len(done)


def tick(shelf: Shelf) -> None:
    def asked(writer: Writer) -> None:
        assert not writer.release(T + MINUTE_MS)
        assert not writer.due(T + MINUTE_MS, 64)

    shelf.desk.run(asked)


def state(shelf: Shelf) -> None:
    shelf.reader.touched(None)


def search(shelf: Shelf) -> None:
    Finder(shelf.reader, shelf.config, shelf.feeds.plans).asked("water source:s1")


@pytest.mark.parametrize("work", [tick, state, search], ids=["tick", "state", "search"])
def test_what_is_asked_again_and_again(shelves: tuple[Shelf, Shelf], work: Callable[[Shelf], object]) -> None:
    few, many = (cost(each, work) for each in shelves)
    assert 0 < many <= BOUND * few


def test_archives_that_have_nothing_to_follow_cost_nothing_more(shelves: tuple[Shelf, Shelf]) -> None:
    for shelf in shelves:
        kept = Archivist(shelf.desk, shelf.feeds)
        kept.catch_up()
        with counted(shelf) as done:
            kept.catch_up()
        assert len(done) < 100


def test_archives_follow_a_change_and_no_other_source(shelves: tuple[Shelf, Shelf]) -> None:
    costs = []
    for shelf in shelves:
        kept = Archivist(shelf.desk, shelf.feeds)
        kept.catch_up()
        for number in range(2):
            shelf.look("s1", T + MINUTE_MS, [Piece(f"new-{number}", f"News {number}")])
            with counted(shelf) as done:
                kept.catch_up()
        costs.append(len(done))
        assert shelf.reader.rows(f"{ARCHIVED} WHERE a.feed = 's1'")[-1][1] == "added"
    assert costs[1] <= BOUND * costs[0]


def test_a_configuration_that_is_as_it_was_is_not_written(shelves: tuple[Shelf, Shelf]) -> None:
    def written() -> int:
        return shelf.desk.run(lambda writer: writer.connection.total_changes)

    shelf = shelves[1]
    before = written()
    shelf.configure(shelf.path.read_text())
    assert written() == before


def archived(shelf: Shelf) -> set[tuple[Any, ...]]:
    return set(shelf.reader.rows(ARCHIVED))


@pytest.mark.parametrize("far", [2, 10_000], ids=["noted-often", "never-noted"])
def test_one_that_goes_on_archives_what_one_that_begins_anew_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, far: int
) -> None:
    monkeypatch.setattr(archivist, "FAR", far)
    names = ("one", "two", "six")
    toml = "".join(f"[sources.{name}]\ntype = 'directory'\npath = '{name}'\n" for name in names)
    shelf = Shelf(tmp_path, f"{toml}[feeds.pair]\nsources = ['one', 'two']\n")
    kept = Archivist(shelf.desk, shelf.feeds)
    for turn in range(12):
        shared = Piece("shared", "Shared", f"<p>Words that are new at the turn of {turn // 4}.</p>")
        own = Piece(f"n{turn}", f"News {turn}")
        gone = ["shared"] if turn % 5 == 4 else [f"n{turn - 3}"] if turn > 2 else []
        shelf.look(names[turn % 3], T + turn * MINUTE_MS, [own, *([] if gone else [shared])], gone)
        kept.catch_up()
    found = archived(shelf)
    assert {feed for feed, *_ in found} == {"all", "changes", "pair", *names}
    shelf.desk.run(
        lambda writer: writer.connection.executescript("DELETE FROM archived; DELETE FROM archives")
    )
    Archivist(shelf.desk, shelf.feeds).catch_up()
    assert archived(shelf) == found
    shelf.close()


def test_an_archive_that_nobody_follows_stays_where_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source that comes back is followed from there."""
    monkeypatch.setattr(archivist, "FAR", 3)
    one, two = (f"[sources.{name}]\ntype = 'directory'\npath = '{name}'\n" for name in ("one", "two"))
    shelf = Shelf(tmp_path, one + two)
    shelf.look("one", T, [Piece("first")])
    Archivist(shelf.desk, shelf.feeds).catch_up()
    shelf.configure(two)
    for turn in range(9):
        shelf.look("two", T + turn * MINUTE_MS, [Piece(f"n{turn}")])
        Archivist(shelf.desk, shelf.feeds).catch_up()
    at = archives.positions(shelf.reader.connection)
    assert at["one"].change_id == 1
    assert at["two"].change_id >= 7
    shelf.close()
