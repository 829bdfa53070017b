"""What goes of earlier versions, what never does, and that what stays says what it said."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from threading import Event, Timer
from typing import Any

import pytest
from archive import BORN_MS, DAY_MS, NOW_MS, Archive
from hypothesis import given, settings
from hypothesis import strategies as st

from feedd.errors import Stopped
from feedd.store.lock import Lock
from feedd.store.pruning import INCREMENTAL, Pruner, file_of, last_pruned
from feedd.store.retention import (
    TOLD_LATELY_MS,
    Guard,
    History,
    Keeps,
    Stored,
    fates,
    guards,
    in_units,
    planned,
)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with closing(Archive(tmp_path)) as made:
        yield made


def versions(archive: Archive, count: int, name: str = "x", **how: Any) -> list[int]:
    body = "<p>What is said at first.</p>" * 20
    return [
        archive.add(name, f"{body}<p>{number}</p>", at_ms=BORN_MS + number, **how) for number in range(count)
    ]


# --- the rules, as values ---


def stored(number: int, **how: Any) -> Stored:
    values = {
        "source_id": 1,
        "seen_ms": number,
        "newest": False,
        "under_way": False,
        "against": None,
        "bytes": 10,
    }
    return Stored(**{"id": number, "entry_id": 1, "number": number, "raw_id": None, **values, **how})


def history(count: int, **how: Any) -> History:
    """Versions 1 to `count` of one source, the last of which is the newest."""
    return History([*map(stored, range(1, count)), stored(count, newest=True)], **how)


def going(found: History, keeps: Keeps, now_ms: int = 1_000) -> list[int]:
    return sorted(
        each.version.id for each in fates(found, {1: keeps}, now_ms) if each.asked and not each.guard
    )


@pytest.mark.parametrize(
    ("keeps", "expected"),
    [
        (Keeps("a"), []),
        (Keeps("a", versions=1), [1, 2, 3]),
        (Keeps("a", versions=2), [1, 2]),
        (Keeps("a", versions=4), []),
        (Keeps("a", age_ms=998), [1]),  # seen at 1, 2, 3; now is 1000
        (Keeps("a", age_ms=997), [1, 2]),
        (Keeps("a", age_ms=1), [1, 2, 3]),
        (Keeps("a", age_ms=998, versions=2), [1, 2]),
        (Keeps("a", age_ms=1, versions=3), [1, 2, 3]),
        (Keeps("a", size=1), []),  # what a size asks for is not told from one entry
    ],
)
def test_what_goes_of_an_entry(keeps: Keeps, expected: list[int]) -> None:
    assert going(history(4), keeps) == expected


def test_the_newest_is_counted_among_the_versions_wherever_it_stands() -> None:
    late = History([stored(1), stored(2, newest=True), stored(3), stored(4)])
    assert going(late, Keeps("a", versions=2)) == [1, 3]
    assert going(late, Keeps("a", versions=1)) == [1, 3, 4]


def test_another_source_is_not_touched() -> None:
    both = History(
        [stored(1), stored(2, source_id=2), stored(3, source_id=2, newest=True), stored(4, newest=True)]
    )
    assert [each.version.id for each in fates(both, {1: Keeps("a", versions=1)}, 1_000)] == [1]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (history(3), {3: Guard.NEWEST}),
        (history(3, placed={1}), {3: Guard.NEWEST, 1: Guard.PLACE}),
        (history(3, noticed={1, 3}), {3: Guard.NEWEST, 1: Guard.NOTICE}),
        (history(3, told={2}), {3: Guard.NEWEST, 2: Guard.TOLD}),
        (history(3, placed={2}, noticed={2}, told={2}), {3: Guard.NEWEST, 2: Guard.PLACE}),
        (
            History([stored(1), stored(2, newest=True), stored(3)], last_id=3),
            {2: Guard.NEWEST, 3: Guard.UNDER_WAY},
        ),
        (
            History([stored(1), stored(2), stored(3, newest=True, under_way=True)]),
            {1: Guard.UNDER_WAY, 2: Guard.UNDER_WAY, 3: Guard.NEWEST},
        ),
        (
            History([stored(1), stored(2), stored(3, source_id=2, newest=True), stored(4, newest=True)]),
            {1: Guard.FIRST, 3: Guard.NEWEST, 4: Guard.NEWEST},
        ),
    ],
)
def test_what_must_stay(found: History, expected: dict[int, Guard]) -> None:
    assert guards(found) == expected


def test_a_change_told_lately_holds_off_age_but_not_number() -> None:
    told = history(4, told={1, 2})
    assert going(told, Keeps("a", age_ms=1)) == [3]
    assert going(told, Keeps("a", versions=1)) == [1, 2, 3]


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1_000, "1.0 kB"), (1_550_000, "1.6 MB"), (600_000_000, "600 MB")],
)
def test_sizes_in_words(size: int, words: str) -> None:
    assert in_units(size) == words


# --- in a store ---


def test_the_oldest_go_and_the_log_stays(archive: Archive) -> None:
    ids = versions(archive, 6, told=True)
    gone = archive.prune(versions=3)
    assert (gone.versions, gone.kept_because) == (3, ())
    assert archive.left() == ids[3:]
    assert archive.rows("SELECT revision_id, previous_id FROM changes ORDER BY id") == [
        (None, None),
        (None, None),
        (None, None),
        (ids[3], None),
        (ids[4], ids[3]),
        (ids[5], ids[4]),
    ]
    assert archive.prune(versions=3).versions == 0


def test_numbers_are_never_given_again(archive: Archive) -> None:
    versions(archive, 4)
    archive.prune(versions=1)
    versions(archive, 2)
    assert archive.rows("SELECT number FROM revisions ORDER BY number") == [(4,), (5,), (6,)]
    assert archive.rows("SELECT revisions FROM entries") == [(6,)]
    assert [each.number for each in archive.reader.history(1)] == [4, 5, 6]


def test_nor_are_ids_though_the_last_is_no_newest_one(archive: Archive) -> None:
    first, newest, late = (
        archive.add("x", body, late=body == "<p>c</p>") for body in ("<p>a</p>", "<p>b</p>", "<p>c</p>")
    )
    gone = archive.prune(versions=1)
    assert archive.left() == [newest, late]
    assert gone.kept_because == ("what a look that is under way works on (1 version)",)
    assert archive.add("y", "<p>d</p>") > late
    archive.prune(versions=1)
    assert late not in archive.left()
    assert first not in archive.left()


def test_what_a_place_holds_stays(archive: Archive) -> None:
    ids = [archive.add("x", f"<p>{number}</p>", place=f"{number}.md") for number in range(3)]
    ids += [archive.add("x", "<p>more</p>", place="2.md"), archive.add("x", "<p>most</p>", place="2.md")]
    gone = archive.prune(versions=1)
    assert archive.left() == [ids[0], ids[1], ids[4]]
    assert gone.kept_because == ("what a place holds now (2 versions)",)


def test_what_is_not_told_yet_stays(archive: Archive) -> None:
    ids = versions(archive, 5)
    archive.run(
        "INSERT INTO held_notices (entry_id, source_id, told_id, revision_id, why, flips) VALUES (1, 1, ?, ?, 'live', 0)",
        ids[1],
        ids[4],
    )
    assert archive.prune(age_ms=1).kept_because == ("what waits to be told (1 version)",)
    assert archive.left() == [ids[1], ids[4]]
    archive.run("DELETE FROM held_notices")
    archive.prune(age_ms=1)
    assert archive.left() == [ids[4]]


def test_what_a_change_of_the_last_days_was_told_from_stays(archive: Archive) -> None:
    ids = versions(archive, 4)
    ids.append(archive.add("x", "<p>Now.</p>", told=True, at_ms=NOW_MS - DAY_MS))
    assert archive.prune(age_ms=1).kept_because == ("what changes of the last 7 days tell of (1 version)",)
    assert archive.left() == ids[3:]
    archive.prune(NOW_MS + TOLD_LATELY_MS, age_ms=1)
    assert archive.left() == ids[4:]


def test_who_had_an_article_first_is_not_forgotten(archive: Archive) -> None:
    """Of sources with the same priority, feeds show the one that had it first."""
    ids = versions(archive, 3)
    archive.add("x", "<p>Theirs.</p>", source="b")
    newest = archive.add("x", "<p>Ours, once more.</p>")
    gone = archive.prune(versions=1)
    assert archive.left() == [ids[0], newest]
    assert gone.kept_because == ("what tells which of several sources had an article first (1 version)",)
    (entry,) = archive.reader.entries([1], {})
    assert entry.source == "a"


def test_other_sources_are_left_alone(archive: Archive) -> None:
    for source in "ab":
        versions(archive, 4, name=source, source=source)
    archive.prune(versions=1)
    assert (len(archive.left("a")), len(archive.left("b"))) == (1, 4)


def test_a_source_that_nothing_is_known_of(archive: Archive) -> None:
    assert archive.report([Keeps("nowhere", versions=1)]).sources == []


def test_a_size_lets_the_oldest_of_all_entries_go(archive: Archive) -> None:
    for number in range(10):
        for name in "xy":
            archive.add(name, f"<p>{'words ' * 100}{number}</p>", at_ms=BORN_MS + number)
    (newest,) = archive.rows("SELECT sum(length(content_html)) FROM revisions WHERE newest")[0]
    gone = archive.prune(size=newest + 2_500)
    assert gone.kept_because == ()
    assert 4 <= gone.versions <= 12
    assert archive.left() == sorted(archive.said)[gone.versions :]
    assert archive.prune(size=newest + 2_500).versions == 0


def test_a_size_that_the_newest_alone_exceed(archive: Archive) -> None:
    ids = versions(archive, 4)
    gone = archive.prune(size=100)
    assert archive.left() == ids[3:]
    assert gone.kept_because == ("the newest versions alone take 793 bytes",)


def test_a_size_that_is_not_met_for_what_must_stay(archive: Archive) -> None:
    for number in range(40):
        archive.add("x", f"<p>{number}</p>", place=f"{number}.md")
    gone = archive.prune(size=1_000)
    assert gone.versions == 0
    assert gone.kept_because[0].startswith("what must stay takes ")
    assert gone.kept_because[1] == "what a place holds now (39 versions)"


def test_documents_go_with_the_last_version_that_came_from_them(archive: Archive) -> None:
    for number, document in enumerate((b"one", b"one", b"two", b"two", b"three")):
        archive.add("x", f"<p>{number}</p>", raw=document * 1000)
    archive.add("y", "<p>Another of the second document.</p>", raw=b"two" * 1000)
    assert archive.prune(versions=4).raws == 0
    assert archive.prune(versions=3).raws == 1
    assert archive.prune(versions=1).raws == 0  # the other entry needs the second
    assert archive.rows("SELECT body FROM raws") != []
    assert archive.rows("SELECT count(*) FROM raws") == [(2,)]


def test_a_document_of_two_sources(archive: Archive) -> None:
    for name, source in (("x", "a"), ("y", "b")):
        archive.add(name, "<p>1</p>", source=source, raw=b"one")
        archive.add(name, "<p>2</p>", source=source)
    assert archive.prune(versions=1).raws == 0
    gone = archive.report([Keeps("a", versions=1), Keeps("b", versions=1)]).sources
    assert [(each.name, each.versions, each.raws) for each in gone] == [("a", 0, 0), ("b", 1, 1)]
    assert archive.rows("SELECT * FROM raws") == []


def test_documents_count_in_a_size(archive: Archive) -> None:
    for number in range(10):
        archive.add("x", f"<p>{number}</p>", raw=Random(number).randbytes(20_000))
    (body,) = archive.rows("SELECT min(length(body)) FROM raws")[0]
    gone = archive.prune(size=4 * body)
    assert 5 <= gone.versions == gone.raws <= 8
    assert gone.bytes > gone.raws * body


def test_documents_that_a_kill_left_behind_go_the_next_time(archive: Archive) -> None:
    ids = [archive.add("x", f"<p>{number}</p>", raw=b"%d" % number) for number in range(3)]
    archive.delete(1, ids[:1])
    assert archive.rows("SELECT count(*) FROM raws") == [(3,)]
    assert archive.prune(versions=3).raws == 0
    assert archive.rows("SELECT count(*) FROM raws") == [(2,)]


def test_what_came_in_between_is_spared(archive: Archive) -> None:
    """Between the plan and the transaction a place may hold another version, and another prune may be quicker."""
    ids = [archive.add("x", f"<p>{number}</p>", raw=b"%d" % number) for number in range(5)]
    with planned(archive.path, [Keeps("a", versions=1)], NOW_MS) as plan:
        assert plan.count() == 4
        archive.run(
            "INSERT INTO locations (source_id, path, entry_id, revision_id) VALUES (1, 'p', 1, ?)", ids[2]
        )
        archive.delete(1, ids[:1])
        Pruner(archive.desk, archive.path, Event()).prune(plan)
        (gone,) = plan.gone()
    assert (gone.versions, gone.raws) == (2, 2)
    assert archive.left() == [ids[2], ids[4]]
    archive.prune(versions=1)


def test_a_look_in_between_that_finds_a_document_again_keeps_it(archive: Archive) -> None:
    archive.add("x", "<p>1</p>", raw=b"one")
    archive.add("x", "<p>2</p>")
    archive.add("z", "<p>0</p>")
    with planned(archive.path, [Keeps("a", versions=1)], NOW_MS) as plan:
        archive.add("y", "<p>3</p>", raw=b"one")
        Pruner(archive.desk, archive.path, Event()).prune(plan)
    assert archive.rows("SELECT count(*) FROM raws") == [(1,)]
    archive.check()


# --- whatever the history, what stays says what it said ---

BODIES = st.lists(st.integers(0, 9), min_size=1, max_size=4).map(
    lambda words: "".join(f"<p>{'Words. ' * 9}{word}</p>" for word in words)
)
STEPS = st.tuples(
    st.sampled_from(["x", "x", "y"]),
    BODIES,
    st.sampled_from("aab"),
    st.integers(0, 50),  # days: arrivals need not be in order
    st.booleans(),  # late
    st.booleans(),  # told
    st.sampled_from([None, "p", "q"]),
    st.sampled_from([None, None, b"one", b"two"]),
)
BOUNDS = st.fixed_dictionaries(
    {},
    optional={
        "versions": st.integers(1, 6),
        "age_ms": st.integers(1, 50).map(lambda days: days * DAY_MS),
        "size": st.integers(1, 6_000),
    },
)


@settings(max_examples=30, deadline=None)
@given(rounds=st.lists(st.tuples(st.lists(STEPS, min_size=1, max_size=12), BOUNDS), min_size=1, max_size=4))
def test_whatever_goes_what_stays_says_what_it_said(rounds: list[tuple[list[Any], dict[str, Any]]]) -> None:
    with TemporaryDirectory() as folder, closing(Archive(Path(folder))) as archive:
        for steps, bounds in rounds:
            for name, body, source, day, late, told, place, raw in steps:
                at_ms = NOW_MS - day * DAY_MS
                where = place and f"{name}-{place}"
                archive.add(
                    name, body, source=source, at_ms=at_ms, late=late, told=told, place=where, raw=raw
                )
            before = {source: set(archive.left(source)) for source in "ab"}
            named = archive.rows(
                "SELECT revision_id FROM locations UNION SELECT id FROM revisions WHERE newest"
            )
            archive.prune(**bounds)
            assert set(archive.left("b")) == before["b"]
            assert {version for (version,) in named} <= {*archive.left("a"), *archive.left("b")}
            if not bounds:
                assert set(archive.left("a")) == before["a"]


@settings(max_examples=30, deadline=None)
@given(
    lates=st.lists(st.booleans(), min_size=2, max_size=30),
    doomed=st.lists(st.sets(st.integers(2, 40)), min_size=1, max_size=4),
)
def test_any_versions_may_go_from_any_tree(lates: list[bool], doomed: list[set[int]]) -> None:
    """What is packed against what goes is packed anew, however the history branches."""
    with TemporaryDirectory() as folder, closing(Archive(Path(folder))) as archive:
        ids = [
            archive.add("x", f"<p>{'Words. ' * 30}{number}</p>", late=late)
            for number, late in enumerate(lates)
        ]
        archive.add("y", "<p>The last of all.</p>")
        for each in doomed:
            before = set(archive.left())
            step = archive.delete(1, sorted(each))
            left = set(archive.left())
            gone = before - left
            assert gone <= each
            assert {newest for (newest,) in archive.rows("SELECT id FROM revisions WHERE newest")} <= left
            assert step.spared == [(1, version) for version in sorted(each - gone)]
            assert len(each & left & set(ids)) <= 1  # the newest
            archive.check()


# --- the file ---


def test_a_file_that_is_much_larger_than_what_it_holds_is_written_anew(archive: Archive) -> None:
    large = "".join(f"<p>{Random(number).randbytes(2_000).hex()}</p>" for number in range(20))
    archive.many(10, 4, large)
    for number in range(200):
        archive.add("z", f"<p>{Random(-number).randbytes(2_000).hex()}</p>")
    archive.desk.run(lambda writer: writer.checkpoint())
    before = archive.path.stat().st_size
    report = archive.report([Keeps("a", versions=1)])
    after = archive.path.stat().st_size
    assert report.space.endswith(" are free: it was written anew")
    assert report.freed_bytes == before - after > before // 4
    file = archive.desk.run(lambda writer: file_of(writer.connection))
    assert (file.bytes, file.free, file.loose, file.mode) == (after, 0, 0, INCREMENTAL)
    archive.check()


def test_what_was_written_anew_once_is_shortened_in_small_steps(archive: Archive) -> None:
    archive.desk.run(lambda writer: writer.connection.execute("PRAGMA auto_vacuum = INCREMENTAL"))
    archive.desk.run(lambda writer: writer.connection.execute("VACUUM"))
    for number in range(300):
        archive.add("z", f"<p>{Random(number).randbytes(30_000).hex()}</p>")
    before = archive.path.stat().st_size
    report = archive.report([Keeps("a", versions=1)])
    assert report.space == "free space at the end of the file was given back"
    assert report.freed_bytes > 7_000_000
    assert archive.path.stat().st_size < before // 4
    archive.check()
    assert archive.report([Keeps("a", versions=1)]).space == "little of the file is free"


def test_a_little_free_space_is_left_for_what_comes_next(archive: Archive) -> None:
    archive.many(40, 2, "<p>Words.</p>" * 500)
    report = archive.report([Keeps("a", versions=1)])
    assert report.space.endswith("too little to write the file anew")
    assert report.freed_bytes == 0


def test_the_file_is_not_written_anew_beside_a_process_that_looks_at_sources(archive: Archive) -> None:
    for number in range(20):
        archive.add("z", f"<p>{Random(number).randbytes(30_000).hex()}</p>")
    lock = Lock(archive.path)
    report = archive.report([Keeps("a", versions=1)])
    lock.release()
    assert "so the file is written anew at the next prune" in report.space
    assert (report.sources[0].versions, report.freed_bytes) == (19, 0)
    assert archive.report([Keeps("a", versions=1)]).freed_bytes > 0


# --- when, and how it ends ---


def test_it_is_done_once_a_day(archive: Archive) -> None:
    keeps = [Keeps("a", versions=1)]
    pruner = Pruner(archive.desk, archive.path, Event())
    assert archive.desk.run(lambda writer: last_pruned(writer.connection)) is None
    assert pruner.run_if_due(keeps, NOW_MS) is not None
    assert pruner.run_if_due(keeps, NOW_MS + DAY_MS - 1) is None
    assert pruner.run_if_due(keeps, NOW_MS + DAY_MS) is not None
    assert pruner.run_if_due(keeps, NOW_MS - 1) is not None, "the clock was set back"
    assert archive.desk.run(lambda writer: last_pruned(writer.connection)) == NOW_MS - 1


def test_pruning_some_sources_is_not_the_run_of_the_day(archive: Archive) -> None:
    Pruner(archive.desk, archive.path, Event(), whole=False).run([Keeps("a", versions=1)], NOW_MS)
    assert archive.desk.run(lambda writer: last_pruned(writer.connection)) is None


def test_it_can_be_stopped_between_two_transactions(archive: Archive) -> None:
    archive.many(1_200, 2)
    stop = Event()

    def progress(done: int, total: int) -> None:
        assert 0 < done < total == 1_200
        stop.set()

    with pytest.raises(Stopped):
        Pruner(archive.desk, archive.path, stop, progress=progress).run([Keeps("a", versions=1)], NOW_MS)
    left = len(archive.left())
    assert 1_200 < left < 2_400
    archive.check()
    assert archive.prune(versions=1).versions == left - 1_200


def test_another_program_that_writes_is_waited_for(archive: Archive) -> None:
    versions(archive, 3)
    archive.run("PRAGMA busy_timeout = 20")
    with closing(sqlite3.connect(archive.path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        timer = Timer(0.1, lambda: other.execute("ROLLBACK"))
        timer.start()
        gone = archive.prune(versions=1)
        timer.join()
    assert gone.versions == 2


def test_what_refers_to_what_is_enforced_again(archive: Archive) -> None:
    versions(archive, 3)
    archive.prune(versions=1)
    with pytest.raises(sqlite3.IntegrityError):
        archive.run("DELETE FROM sources")
