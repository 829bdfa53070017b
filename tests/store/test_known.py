"""What the store says of a change to those who ask whether they are told of it: the same as feeds find."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shelf import BORN_MS, Piece, Shelf

from feedd.publish.changes import Log, judged
from feedd.rules import Parts
from feedd.store import log
from feedd.store.known import StoredKnown
from feedd.store.log import Logged
from feedd.store.pruning import Pruner
from feedd.store.retention import Keeps

T = BORN_MS
DAY = 86_400_000
TOML = """
[sources.one]
type = "directory"
path = "1"
[sources.two]
type = "directory"
path = "2"
priority = 5
[feeds.every]
changes = "all"
match = { title = "fire" }
[feeds.first]
changes = "all"
sources = ["one"]
match = { text = "15" }
[feeds.second]
changes = "all"
sources = ["two"]
reject = { title = "fire" }
"""


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path, TOML)
    yield made
    made.close()


def known(shelf: Shelf) -> StoredKnown:
    return StoredKnown(shelf.reader.connection, shelf.feeds.priorities)


def logged(shelf: Shelf) -> list[Logged]:
    return log.after(shelf.reader.connection, 0)


def said(parts: Sequence[Parts]) -> list[tuple[str, str]]:
    return [(each.title, each.text()) for each in parts]


def piece(title: str, text: str, name: str = "x") -> Piece:
    return Piece(name, title, f"<p>{text}</p>")


def test_what_is_now_and_the_ends_of_a_change(shelf: Shelf) -> None:
    for second, (title, text) in enumerate([("A", "first"), ("B", "second"), ("C", "third one")]):
        shelf.look("one", T + second, [] if second else [piece("other", "x", "y")])
        shelf.look("one", T + 10 + second, [piece(title, text)])
    shelf.look("one", T + 20, gone=["x"])
    added, first, second_, removed = [each for each in logged(shelf) if each.entry_id == 2]
    ends = known(shelf).ends
    assert said(ends(added)) == [("C", "third one"), ("A", "first")]
    assert said(ends(first)) == [("C", "third one"), ("B", "second"), ("A", "first")]
    assert said(ends(second_)) == [("C", "third one"), ("B", "second")]
    assert said(ends(removed)) == [("C", "third one")]
    assert {each.url for each in ends(first)} == {"https://example.org/x"}


def test_a_text_is_made_only_if_it_is_asked_for(shelf: Shelf) -> None:
    shelf.look("one", T)
    shelf.look("one", T + 1, [piece("A", "first")])
    found = known(shelf)
    (change,) = logged(shelf)
    (parts,) = found.ends(change)
    assert not found.texts
    assert parts.text() == "first"
    assert len(found.texts) == 1


def test_what_is_read_once_is_not_read_again(shelf: Shelf) -> None:
    shelf.look("one", T)
    shelf.look("one", T + 1, [piece("A", "first")])
    (change,) = logged(shelf)
    found = known(shelf)
    statements = list[str]()
    shelf.reader.connection.set_trace_callback(statements.append)
    for _ in range(3):
        assert found.holders(change) == {"one"}
        assert [each.text() for each in found.ends(change)] == ["first"]
        assert found.ends(change, {"two"}) == []
    assert len(statements) <= 5
    shelf.reader.connection.set_trace_callback(None)


def test_the_version_of_the_highest_priority(shelf: Shelf) -> None:
    shelf.look("one", T)
    shelf.look("two", T)
    shelf.look("one", T + 1, [piece("In one", "first")])
    shelf.look("two", T + 2, [piece("In two", "another first")])
    change = logged(shelf)[0]
    titles = [
        [each.title for each in known(shelf).ends(change, within)] for within in (None, {"one"}, {"two"}, ())
    ]
    assert titles == [["In two", "In one"], ["In one"], ["In two", "In one"], []]
    assert [each.title for each in StoredKnown(shelf.reader.connection).ends(change)] == ["In one"]
    assert known(shelf).holders(change) == {"one", "two"}


def test_changes_of_sources_have_no_ends(shelf: Shelf) -> None:
    shelf.desk.run(
        lambda writer: writer.connection.execute(
            "INSERT INTO changes (kind, at, source_id, pass, silent) VALUES ('source-failing', 1, 1, 1, 0)"
        )
    )
    (change,) = logged(shelf)
    assert known(shelf).ends(change) == []
    assert known(shelf).holders(change) == frozenset()


def test_what_was_pruned_is_left_out(shelf: Shelf) -> None:
    shelf.look("one", T)
    for second, text in enumerate(["first", "second", "third"]):
        shelf.look("one", T + 1 + second, [piece(text.title(), text)])
    before = known(shelf).ends(logged(shelf)[1])
    assert [each.title for each in before] == ["Third", "Second", "First"]
    Pruner(shelf.desk, shelf.path.with_name("feedd.db"), Event()).run(
        [Keeps("one", versions=1)], T + 30 * DAY
    )
    assert said(known(shelf).ends(logged(shelf)[1])) == [("Third", "third")]
    assert [each.text() for each in before] == ["third", "", ""], "pruned since they were named"


look = st.tuples(
    st.sampled_from(["one", "two"]),
    st.sampled_from(["x", "y"]),
    st.sampled_from(["The fire", "The flood"]),
    st.sampled_from(["It killed 15 people.", "It killed 16 people.", "Nobody was hurt."]),
    st.booleans(),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(look, min_size=3, max_size=8))
def test_rules_find_what_they_find_in_feeds(looks: list[tuple[str, str, str, str, bool]]) -> None:
    with TemporaryDirectory() as folder:
        shelf = Shelf(Path(folder), TOML)
        try:
            shelf.look("one", T)
            shelf.look("two", T)
            for second, (source, name, title, text, gone) in enumerate(looks):
                pieces = [] if gone else [piece(title, text, name)]
                shelf.look(source, T + 1 + second, pieces, [name] if gone else [])
            agree(shelf)
        finally:
            shelf.close()


def agree(shelf: Shelf) -> None:
    changes = {each.id: each for each in logged(shelf)}
    feeds = shelf.feeds
    for name in ("every", "first", "second"):
        plan = feeds.plans[name]
        for change, seen in judged(Log(shelf.reader, None, "", feeds.priorities), plan):
            ends = known(shelf).ends(changes[change.id], plan.sources)
            assert any(plan.filter.objection(parts) is None for parts in ends) == seen.shows, (name, change)
