"""Which versions are compared with which."""

import pytest

from feedd.comparison import after, befores, newest_pair, numbered
from feedd.errors import UsageError
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
    with pytest.raises(UsageError, match="no version 2 of this entry; it has versions 1 to 5"):
        numbered((version(1), version(5)), 2)
    with pytest.raises(UsageError, match="it has version 1 alone"):
        numbered((version(1),), 2)
