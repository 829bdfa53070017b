"""What a message says of a change, in the contract's shapes and in words."""

import json
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shelf import BORN_MS, Piece, Shelf

from feedd import shapes
from feedd.changes.values import Op
from feedd.comparison import Comparisons, compared
from feedd.model import Kind
from feedd.notify.message import NAMED, Messages, one_line
from feedd.notify.values import Fact, Form, Message
from feedd.notify.view import view
from feedd.store import log
from feedd.store.log import Logged
from feedd.store.pruning import Pruner
from feedd.store.reader import Reader
from feedd.store.retention import Keeps

T = BORN_MS
DAY = 86_400_000
BASE = "https://feeds.example/"
TOML = """
[sources.one]
type = "directory"
path = "1"
title = "The First"
language = "fr"
[sources.two]
type = "directory"
path = "2"
"""
OLD, NEW = "<p>The fire killed 15 people.</p>", "<p>The fire killed 16 people.</p>"
DATA = {"change", "entry", "revision", "previous", "diff"}
CHANGE = {"id", "kind", "significance", "reasons", "at"}


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path, TOML)
    for source in ("one", "two"):
        made.look(source, T)
    yield made
    made.close()


def messages(shelf: Shelf) -> Messages:
    return Messages(shelf.reader, BASE, {}, {"one": "fr"}, {"one": "The First"})


def all_logged(shelf: Shelf) -> list[Logged]:
    return log.after(shelf.reader.connection, 0)


def newest(shelf: Shelf) -> Message:
    return messages(shelf).of_change(all_logged(shelf)[-1], "desk", "msg_1")


def fact(message: Message) -> Fact:
    (found,) = message.facts
    return found


def put(shelf: Shelf, at: int, body: str = OLD, title: str = "Fire", time_ms: int | None = None) -> None:
    shelf.look("one", T + at, [Piece("x", title, body, time_ms)])


def run(shelf: Shelf, statement: str, *values: object) -> None:
    shelf.desk.run(lambda writer: writer.connection.execute(statement, values))


def trouble(shelf: Shelf, kind: Kind, detail: str | None) -> Message:
    run(
        shelf,
        "INSERT INTO changes (kind, at, source_id, pass, silent, detail) VALUES (?,?,1,1,0,?)",
        kind,
        T,
        detail,
    )
    return newest(shelf)


def test_an_edit_in_the_shapes_of_the_contract(shelf: Shelf) -> None:
    put(shelf, 1, time_ms=T - DAY)
    put(shelf, 2, NEW, time_ms=T - DAY + 1000)
    put(shelf, 3, "<p>Something else.</p>", "Later", time_ms=T - DAY + 2000)
    message = messages(shelf).of_change(all_logged(shelf)[1], "desk", "msg_1")
    assert (message.id, message.type, message.channel) == ("msg_1", "entry.edited", "desk")
    assert message.at_ms == T + 2
    assert set(message.data) == DATA
    change, entry, revision, previous, diff = message.data.values()
    assert set(change) == CHANGE
    assert (change["id"], change["kind"], change["at"]) == (2, "edited", "2025-06-15T15:06:40Z")
    assert change["reasons"]
    (now,) = shelf.reader.entries([1], {})
    history = shelf.reader.history(1)
    assert set(entry) == set(shapes.entry_in_full(now, None))
    assert (entry["content_html"], entry["title"]) == (NEW, "Fire"), "as that version had it"
    assert entry["language"] == "fr"
    assert [revision, previous] == [shapes.history(history)[1], shapes.history(history)[0]]
    assert diff == compared(shelf.reader, history[0], history[1]).shape
    assert message.thread == now.uid
    json.dumps(message.data)


def test_an_edit_in_words(shelf: Shelf) -> None:
    put(shelf, 1, title="Fire kills 15")
    put(shelf, 2, NEW, "Fire kills 16")
    told = fact(newest(shelf))
    assert told.headline == "Edited: Fire kills 15 → Fire kills 16"
    assert told.title == "Fire kills 16"
    assert told.page_url == f"{BASE}entries/1/diff/1..2"
    assert told.article_url == "https://example.org/x"
    assert told.source == "one"
    assert told.reasons
    assert told.diff is not None
    assert any(hunk.op is Op.REPLACE for hunk in told.diff.hunks)
    assert (told.began, told.note) == ("", None)
    assert told == messages(shelf).fact(all_logged(shelf)[-1])


def test_an_article_that_was_added(shelf: Shelf) -> None:
    put(shelf, 1)
    message, told = newest(shelf), fact(newest(shelf))
    assert message.type == "entry.added"
    assert message.data["revision"]["revision"] == 1
    assert (message.data["previous"], message.data["diff"]) == (None, None)
    assert told.headline == "Added: Fire"
    assert told.page_url == f"{BASE}entries/1"
    assert (told.began, told.diff, told.note) == ("The fire killed 15 people.", None, None)


def test_an_article_that_was_removed(shelf: Shelf) -> None:
    put(shelf, 1)
    put(shelf, 2, NEW)
    shelf.look("one", T + 3, gone=["x"])
    message, told = newest(shelf), fact(newest(shelf))
    assert message.type == "entry.removed"
    assert message.data["entry"]["content_html"] == NEW
    assert message.data["entry"]["removed"] == "2025-06-15T15:06:40Z"
    assert message.data["revision"]["revision"] == 2
    assert (message.data["previous"], message.data["diff"]) == (None, None)
    assert told.headline == "Removed: Fire"
    assert told.began == "The fire killed 16 people."
    assert told.page_url == f"{BASE}entries/1"


def test_an_article_that_came_back(shelf: Shelf) -> None:
    put(shelf, 1)
    shelf.look("one", T + 2, gone=["x"])
    put(shelf, 3)
    told = fact(newest(shelf))
    assert told.headline == "Restored: Fire"
    assert told.note == "The article is back, as it was."
    assert newest(shelf).data["revision"]["revision"] == 1
    assert told.diff is None


def test_a_version_that_came_back(shelf: Shelf) -> None:
    put(shelf, 1)
    put(shelf, 2, NEW)
    put(shelf, 3, OLD)
    message = newest(shelf)
    assert message.type == "entry.reverted"
    assert (message.data["diff"]["from"], message.data["diff"]["to"]) == (2, 3)


@pytest.mark.parametrize(
    ("kind", "type_", "headline", "advice"),
    [
        (Kind.SOURCE_FAILING, "source.failing", "one is failing", "feedd update one"),
        (Kind.SOURCE_RECOVERED, "source.recovered", "one has recovered", ""),
        (Kind.SOURCE_PAUSED, "source.paused", "one is paused: it is gone", "feedd update one"),
        (Kind.SOURCE_MOVED, "source.moved", "one has moved", "configuration of one"),
        (Kind.SOURCE_SILENT, "source.silent", "one is silent", "expected_silence for one"),
    ],
)
def test_changes_of_sources(shelf: Shelf, kind: Kind, type_: str, headline: str, advice: str) -> None:
    message = trouble(shelf, kind, "it answered 500\nand more")
    told = fact(message)
    assert message.type == type_
    assert set(message.data) == {"change", "source"}
    assert set(message.data["change"]) == CHANGE | {"detail"}
    assert message.data["source"] == shapes.source(shelf.reader.sources()[0])
    assert (told.headline, told.title, told.page_url) == (headline, "The First", f"{BASE}feeds/one")
    assert told.note == "it answered 500\N{REPLACEMENT CHARACTER}and more."
    assert advice in (
        view(message, [Form.PLAIN], BASE)["changes"][0]["advice"] or ""
    )  # what to do is said once
    assert message.thread is None


def test_what_recovered_may_need_no_words(shelf: Shelf) -> None:
    assert fact(trouble(shelf, Kind.SOURCE_RECOVERED, None)).note is None


def test_a_digest(shelf: Shelf) -> None:
    put(shelf, 1)
    put(shelf, 2, NEW)
    trouble(shelf, Kind.SOURCE_FAILING, "it is down")
    message = messages(shelf).of_digest(all_logged(shelf), "desk", "msg_2", more=7)
    assert (message.type, message.id, message.more, message.thread) == ("digest", "msg_2", 7, None)
    assert message.at_ms == T + 2
    assert set(message.data) == {"changes", "more"}
    added, edited, failing = message.data["changes"]
    assert set(added) == set(edited) == {"change", "entry", "revision"}
    assert "content_html" not in edited["entry"]
    assert edited["revision"]["revision"] == 2
    assert set(failing) == {"change", "source"}
    assert [each.headline for each in message.facts] == ["Added: Fire", "Edited: Fire", "one is failing"]
    assert message.facts[1].diff is not None
    assert messages(shelf).of_digest([], "desk", "msg_3").data == {"changes": [], "more": 0}


def test_a_digest_compares_no_more_than_it_has_room_for(shelf: Shelf) -> None:
    for at in range(5):
        put(shelf, 1 + at, f"<p>There were {at} of them.</p>")
    edits = all_logged(shelf)[1:]
    makes = Messages(shelf.reader, BASE, {}, room=50)
    facts = makes.of_digest(edits, "desk", "msg").facts
    assert [each.diff is None for each in facts] == [False, False, True, True]
    assert {each.note for each in facts[2:]} == {
        "There are too many changes for a comparison of each: see its page."
    }


def test_a_digest_names_only_so_many(shelf: Shelf) -> None:
    trouble(shelf, Kind.SOURCE_FAILING, "it is down")
    message = messages(shelf).of_digest(all_logged(shelf) * (NAMED + 3), "desk", "msg", more=2)
    assert len(message.facts) == len(message.data["changes"]) == NAMED
    assert message.more == message.data["more"] == 5


def test_a_sample_says_that_it_is_one(shelf: Shelf) -> None:
    put(shelf, 1)
    put(shelf, 2, NEW)
    edit, sample = newest(shelf), messages(shelf).sample("desk", "msg_t", T)
    assert (sample.type, sample.channel, sample.at_ms) == ("test", "desk", T)
    told = fact(sample)
    assert "sample" in told.headline
    assert told.note is not None
    assert "sample" in told.note
    assert told.diff is not None
    assert told.page_url == BASE

    def keys(data: Any) -> Any:
        return {name: keys(each) for name, each in data.items()} if isinstance(data, dict) else None

    assert keys(sample.data) == keys(edit.data)
    json.dumps(sample.data)


def test_versions_that_were_pruned(shelf: Shelf) -> None:
    for at, body in enumerate([OLD, NEW, "<p>Something else.</p>"]):
        put(shelf, 1 + at, body)
    added, first, second = all_logged(shelf)
    Pruner(shelf.desk, shelf.path.with_name("feedd.db"), Event()).run(
        [Keeps("one", versions=1)], T + 30 * DAY
    )
    made = [messages(shelf).of_change(each, "desk", "m") for each in (added, first, second)]
    notes = [fact(each).note for each in made]
    gone = "The version that this tells of is no longer kept."
    before = "The version before is no longer kept, so that there is nothing to compare with."
    assert notes == [gone, gone, before]
    assert [each.data["revision"] and each.data["revision"]["revision"] for each in made] == [None, None, 3]
    assert all(each.data["diff"] is None for each in made)
    assert all(each.data["entry"]["content_html"] == "<p>Something else.</p>" for each in made)
    assert [fact(each).page_url for each in made] == [f"{BASE}entries/1"] * 3
    assert [fact(each).began for each in made] == [""] * 3


def test_an_entry_that_is_gone(shelf: Shelf) -> None:
    put(shelf, 1)
    (added,) = all_logged(shelf)
    message = messages(shelf).of_change(added._replace(entry_id=99, kind=Kind.EDITED), "desk", "m")
    assert message.data == {**dict.fromkeys(DATA), "change": message.data["change"]}
    told = fact(message)
    assert (told.headline, told.title, told.note) == ("Edited: an entry", "", "The entry is no longer kept.")
    digest = messages(shelf).of_digest([added._replace(entry_id=99)], "desk", "m")
    assert digest.data["changes"][0]["entry"] is None


def test_a_source_that_is_gone(shelf: Shelf) -> None:
    trouble(shelf, Kind.SOURCE_FAILING, "down")
    (change,) = all_logged(shelf)
    message = messages(shelf).of_change(change._replace(source_id=99), "desk", "m")
    assert message.data["source"] is None
    assert fact(message).headline == "one is failing"


def test_versions_that_are_too_long_to_be_compared(shelf: Shelf) -> None:
    put(shelf, 1)
    put(shelf, 2, NEW)
    makes = messages(shelf)
    makes.comparisons = Comparisons(shelf.reader, longest=10)
    message = makes.of_change(all_logged(shelf)[-1], "desk", "m")
    assert message.data["diff"] is None
    assert message.data["previous"] is not None
    assert fact(message).note == "The versions are too long to be compared here."


def test_channels_share_a_comparison(shelf: Shelf) -> None:
    put(shelf, 1)
    put(shelf, 2, NEW)
    makes, change = messages(shelf), all_logged(shelf)[-1]
    first, second = (fact(makes.of_change(change, name, "m")) for name in ("desk", "mail"))
    assert first.diff is second.diff


def test_a_hostile_title_stays_on_one_line(shelf: Shelf) -> None:
    put(shelf, 1, title="Fire\r\nBcc: all@example.org\x1b[31m \u202eerif")
    told = fact(newest(shelf))
    for text in (told.headline, told.title):
        assert text.isprintable()
        assert "Bcc" in text


def test_a_database_that_is_not_there_yet(tmp_path: Path) -> None:
    makes = Messages(Reader(tmp_path / "none.db"), BASE, {})
    nothing = Logged(1, Kind.REMOVED, T, 1, "one", 5, None, None, "substantial", (), None)  # type: ignore[arg-type]
    assert makes.fact(nothing).note == "The entry is no longer kept."


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Daten\u00adbank", "Datenbank"),
        ("a\u2060b\u200ec", "abc"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("a\x00b\x85c", "a b c"),
    ],
)
def test_what_shows_nothing_parts_no_word(text: str, line: str) -> None:
    assert one_line(text) == line


@given(st.text())
def test_one_line_is_one(text: str) -> None:
    found = one_line(text)
    assert len(found.splitlines()) <= 1
    assert not set(found) & set("\r\n\x00\x1b\u2028\x85")


def test_a_source_that_the_configuration_pauses_is_told_to_be(shelf: Shelf) -> None:
    trouble(shelf, Kind.SOURCE_PAUSED, "it is gone")
    makes = Messages(shelf.reader, BASE, {}, paused=frozenset({"one"}))
    source = makes.of_change(all_logged(shelf)[-1], "desk", "msg_1").data["source"]
    assert (source["next_check"], source["next_check_because"]) == (None, "paused")
