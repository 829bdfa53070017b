"""What a soak finds out: each way in which a change could be lost, doubled or made up is told."""

import random

import pytest

from bench.soak.ledger import Change, Line, Log, Place, differences, expected, incidents
from bench.soak.listeners import wrong
from bench.soak.play import Fate, Kind, Source, Validator, beginning, following

SOURCES = {
    source.name: source
    for source in (
        Source(1, Kind.RSS, Validator.ETAG, dated=True, moved=False, auto=False, watched=False),
        Source(2, Kind.WATCH, Validator.NONE, dated=False, moved=False, auto=False, watched=False),
        Source(3, Kind.FOLDER, Validator.NONE, dated=True, moved=False, auto=False, watched=True),
    )
}
LINES: list[Line] = [
    ["sent", "rss-1", 0.0, [[1, 1, 50]]],
    ["sent", "watch-2", 0.0, [[1, 1, None]]],
    ["sent", "folder-3", 0.0, [[1, 1, 50], [2, 1, 50]]],
    ["begun", "", 1.0],
    ["sent", "rss-1", 2.0, [[1, 2, 50], [2, 1, 60]]],  # without a word, and a new one
    ["sent", "rss-1", 3.0, [[1, 2, 70], [2, 2, 80]]],  # dated anew, which is nothing; edited
    ["sent", "rss-1", 4.0, [[1, 1, 70]]],  # as it was; the other scrolled off
    ["failed", "watch-2", 5.0, Fate.MISSING],
    ["failed", "watch-2", 65.0, Fate.MISSING],
    ["sent", "folder-3", 66.0, [[1, 1, 50]]],
    ["well", "watch-2", 190.0],
    ["sent", "watch-2", 190.0, [[1, 2, None]]],
    ["sent", "folder-3", 191.0, [[1, 1, 50], [2, 1, 50]]],
]
DUE = {
    Place("rss-1", 1): [Change("silent-edit", 2), Change("reverted", 1)],
    Place("rss-1", 2): [Change("added", 1), Change("edited", 2)],
    Place("watch-2", 1): [Change("removed", None), Change("restored", 2)],
    Place("folder-3", 2): [Change("removed", None), Change("restored", 1)],
}


def test_what_has_to_be_recorded_follows_from_what_was_sent() -> None:
    assert expected(SOURCES, LINES).changes == DUE
    assert expected(SOURCES, LINES).shown["rss-1"] == {(1, 1), (2, 2)}
    assert expected(SOURCES, LINES).failed == {"watch-2": 2}


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([Change("silent-edit", 2)], "reverted 1 was to come, nothing came"),
        (
            [Change("silent-edit", 2)] * 2 + [Change("reverted", 1)],
            "reverted 1 was to come, silent-edit 2 came",
        ),
        ([Change("edited", 2), Change("reverted", 1)], "silent-edit 2 was to come, edited 2 came"),
    ],
    ids=["lost", "doubled", "miscalled"],
)
def test_a_difference_is_told(found: list[Change], words: str) -> None:
    assert differences(DUE, DUE) == []
    (mistake,) = differences(DUE, {**DUE, Place("rss-1", 1): found})
    assert words in mistake
    (made_up,) = differences(DUE, {**DUE, Place("rss-1", 9): [Change("added", 1)]})
    assert "nothing was to come, added 1 came" in made_up


def test_failing_sources_are_told_of_by_turns() -> None:
    due, nobody = expected(SOURCES, LINES), frozenset[str]()

    def told(*kinds: str) -> Log:
        return Log({}, {"watch-2": kinds}, frozenset())

    assert incidents(told("source-failing", "source-recovered"), due, 2, nobody) == []
    assert incidents(told("source-failing", "source-failing"), due, 2, nobody)
    assert incidents(told(), due, 2, nobody)
    assert incidents(told("source-failing", "source-recovered"), due, 3, nobody)
    assert incidents(told("source-paused"), due, 2, frozenset({"watch-2"})) == []
    assert incidents(told(), due, 2, frozenset({"watch-2"}))


def test_what_subscribers_lack_is_told() -> None:
    assert wrong("events", [1, 2, 3], frozenset({1, 2, 3}), 3) == []
    # nobody was there any more to hear of the last
    assert wrong("events", [1, 2], frozenset({1, 2, 3}), 2) == []
    assert wrong("events", [1, 1, 4], frozenset({1, 2}), 2) == [
        "events: 1 lost: [2]",
        "events: 1 told twice: [1]",
        "events: 1 not in the log: [4]",
    ]


def test_the_same_seed_plays_the_same() -> None:
    def play() -> list[object]:
        dice, source = random.Random(3), SOURCES["rss-1"]
        held, acts = beginning(source, 1_000_000.0), list[object]()
        for second in range(200):
            if done := following(source, held, dice, 1_000_000.0 + second):
                acts.append(done)
                held = done[1]
        return acts

    assert play() == play()
    assert len(play()) > 50
