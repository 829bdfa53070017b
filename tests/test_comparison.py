"""Which versions are compared with which."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from archive import Archive

from feedd.allocation import held_bytes
from feedd.comparison import (
    Comparison,
    Comparisons,
    TooLong,
    after,
    befores,
    compared,
    found_between,
    newest_pair,
    numbered,
)
from feedd.errors import NoLongerKept, UsageError
from feedd.store.reader import Revision


def version(
    number: int, source: str = "a", *, newest: bool = False, change: str = "edited", stated: int | None = None
) -> Revision:
    return Revision(number, source, "x", stated, number, "T", change, "none", (), number, newest)


TWO_SOURCES = (version(1), version(2, "b"), version(3), version(4, "b", newest=True), version(5, newest=True))


def pairs(*history: Revision) -> dict[int, int]:
    return {number: each.number for number, each in befores(history).items()}


def test_a_version_follows_the_one_before_it_in_its_source() -> None:
    assert pairs(*TWO_SOURCES) == {3: 1, 4: 2, 5: 3}
    assert [each.number for each in newest_pair(TWO_SOURCES, "a")] == [3, 5]
    assert [each.number for each in newest_pair(TWO_SOURCES, "b")] == [2, 4]
    assert after(TWO_SOURCES, TWO_SOURCES[0]) is TWO_SOURCES[2]
    assert after(TWO_SOURCES, TWO_SOURCES[4]) is None


def test_what_came_late_was_followed_by_nothing() -> None:
    late = version(2, change="duplicate", stated=5)
    assert pairs(version(1, stated=10), late, version(3, newest=True, stated=11)) == {2: 1, 3: 1}
    quiet = version(2, change="duplicate", stated=10)  # the same time, kept without a word
    assert pairs(version(1, stated=10), quiet, version(3, newest=True, stated=11)) == {2: 1, 3: 2}
    back = version(2, change="edited", stated=5)  # the publisher's clock ran backwards
    assert pairs(version(1, stated=10), back, version(3, newest=True, stated=6)) == {2: 1, 3: 2}


def test_one_that_came_late_is_what_the_first_is_compared_with() -> None:
    history = (version(1, newest=True, stated=10), version(2, change="duplicate", stated=5))
    assert [each.number for each in newest_pair(history, "a")] == [2, 1]


def test_one_version_is_compared_with_nothing() -> None:
    with pytest.raises(UsageError, match=r"a has one version of this entry.*; see history"):
        newest_pair((version(1, newest=True),), "a")
    with pytest.raises(UsageError, match="compare it with another source's"):
        newest_pair((version(1, newest=True), version(2, "b", newest=True)), "a")


def test_numbers_that_are_gone_are_said() -> None:
    for number in (1, 3):
        with pytest.raises(NoLongerKept, match=f"^version {number} is no longer kept$"):
            numbered((version(2), version(5)), number)
    for number in (0, 6):
        with pytest.raises(
            UsageError, match=f"^there is no version {number} of this entry; the last is 5$"
        ) as failed:
            numbered((version(2), version(5)), number)
        assert not isinstance(failed.value, NoLongerKept)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    made = Archive(tmp_path)
    for number in range(6):
        made.add("x", f"<p>It was {number} %.</p>")
    yield made
    made.close()


def test_a_version_and_itself_are_one(archive: Archive) -> None:
    first, *_ = archive.reader.history(1)
    for compare in (Comparisons(archive.reader).of, partial(compared, archive.reader)):
        with pytest.raises(UsageError, match=r"^version 1 and version 1 are one$"):
            compare(first, first)


def test_a_pair_is_compared_once(archive: Archive) -> None:
    history, comparisons = archive.reader.history(1), Comparisons(archive.reader)
    found = comparisons.of(history[0], history[1])
    assert found == compared(archive.reader, history[0], history[1])
    again = comparisons.of(history[0], history[1]._replace(newest=True))
    assert again.diff is found.diff
    assert again.new.newest, "what is not of the text is as it is now"
    assert comparisons.of(history[1], history[0]).diff.hunks[0].new == found.diff.hunks[0].old


def test_threads_that_want_the_same_pair_wait_for_one(archive: Archive) -> None:
    history, comparisons = archive.reader.history(1), Comparisons(archive.reader)

    def ask(_: int) -> Comparison:
        try:
            return comparisons.of(history[0], history[1])
        finally:
            archive.reader.close()

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(32)))
    assert len({id(each.diff) for each in found}) == 1
    assert comparisons.making == {}


def test_the_last_comparisons_are_kept(archive: Archive) -> None:
    history = archive.reader.history(1)
    one = held_bytes(found_between(archive.reader, history[0], history[1]))
    comparisons = Comparisons(archive.reader, keeps=2 * one)
    kept = [comparisons.of(history[0], each).diff for each in history[1:4]]
    assert comparisons.size == 2 * one
    assert comparisons.of(history[0], history[3]).diff is kept[2]
    assert comparisons.of(history[0], history[2]).diff is kept[1]
    assert comparisons.of(history[0], history[1]).diff is not kept[0]
    assert comparisons.of(history[0], history[3]).diff is not kept[2], (
        "the one that was asked for longest ago"
    )
    assert comparisons.size == 2 * one


def test_what_is_too_long_where_others_wait(archive: Archive) -> None:
    history, length = archive.reader.history(1), len("<p>It was 0 %.</p>")
    assert Comparisons(archive.reader, longest=2 * length).of(*history[:2])
    comparisons = Comparisons(archive.reader, longest=2 * length - 1)
    with pytest.raises(TooLong, match=r"^versions 1 and 2 are too long to be compared here$"):
        comparisons.of(*history[:2])
    assert not comparisons.kept
    assert compared(archive.reader, *history[:2]), "a command holds nobody up"
