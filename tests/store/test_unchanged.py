"""What is told to be unchanged all at once is what would be told one by one, in the same words and rows."""

import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from stores import new_store

from feedd.decide import Pass
from feedd.model import Conversation, Item, RawItem, Stamp
from feedd.normalise.article import normalise
from feedd.schedule import Due
from feedd.sources.items import Recipe, items_of
from feedd.store import recording
from feedd.store.desk import Desk
from feedd.store.passes import SourceKey, Window
from feedd.store.unchanged import Sorted, sort_out
from feedd.store.writer import Writer

NOW_MS, HOUR_MS = 1_790_000_000_000, 3_600_000
KEYS = {
    name: SourceKey(name, "directory" if name == "folder" else "feed", name, "", "")
    for name in ("one", "two", "folder")
}
OFTEN = "<p>Some words.</p>"


def raw(guid: str | None, end: str | None, html: str = OFTEN, hours_ago: int | None = None) -> RawItem:
    url = end and f"https://example.org/{end}"
    published_ms = None if hours_ago is None else NOW_MS - hours_ago * HOUR_MS
    return RawItem(guid, url, "One", html, published_ms=published_ms)


RAWS = st.builds(
    raw,
    st.sampled_from([None, "g", "h", "i"]),
    st.sampled_from([None, "p", "q", "r"]),
    st.sampled_from([OFTEN, OFTEN, OFTEN, "<p>Wholly other things were said.</p>"]),
    st.sampled_from([None, None, 5, 3]),
)
LOOKS = st.lists(
    st.tuples(st.sampled_from(sorted(KEYS)), st.lists(RAWS, max_size=4), st.booleans()),
    min_size=2,
    max_size=7,
)
TABLES = {
    "entries": "SELECT * FROM entries ORDER BY id",
    "revisions": "SELECT * FROM revisions ORDER BY id",
    "changes": "SELECT * FROM changes ORDER BY id",
    "locations": "SELECT * FROM locations ORDER BY source_id, path",
    "aliases": "SELECT * FROM aliases ORDER BY uid",
    "shared_names": "SELECT * FROM shared_names ORDER BY source_id, name",
    "held_notices": "SELECT * FROM held_notices ORDER BY entry_id, source_id",
}


def look(writer: Writer, name: str, raws: Sequence[RawItem], now_ms: int) -> dict[str, int]:
    key = KEYS[name]
    started = writer.begin(key, now_ms)
    due = Due(now_ms + HOUR_MS, "every 1h")
    if name == "folder":
        tally = writer.record(started.look, "", [file(each, place) for place, each in enumerate(raws)], [])
        writer.finish(key, started.look, due, changed=True, listing=None)
        return tally._asdict()
    made = items_of(raws, Recipe(name, f"https://example.org/{name}"), now_ms)
    window = Window(made.items, made.rejected, due, Conversation(), shared=made.shared)
    seen: Pass = started.look._replace(present=made.present)
    return writer.close_window(key, seen, window)._asdict()


def file(said: RawItem, place: int) -> Item:
    article = normalise(said.url or f"https://example.org/{place}", said.title, said.html)
    return Item(f"{place}.txt", said.published_ms, NOW_MS, article, Stamp(1, 1, place), settled=True)


def told(
    looks: Sequence[tuple[str, list[RawItem], bool]],
) -> tuple[list[dict[str, int]], dict[str, list[object]]]:
    """The tallies of these looks and all that is stored then; a look that is marked is made twice."""
    with tempfile.TemporaryDirectory() as folder:
        path = new_store(Path(folder) / "feedd.db")
        desk = Desk(path)
        try:
            desk.run(lambda writer: writer.configure(list(KEYS.values()), [], NOW_MS))
            made = [(name, raws) for name, raws, again in looks for _ in range(1 + again)]
            tallies = [
                desk.run(partial(look, name=name, raws=raws, now_ms=NOW_MS + place))
                for place, (name, raws) in enumerate(made)
            ]
        finally:
            desk.close()
        with closing(sqlite3.connect(path)) as connection:
            stored = {name: connection.execute(query).fetchall() for name, query in TABLES.items()}
    return tallies, stored


def none_is(connection: sqlite3.Connection, seen: Pass, extraction: str, items: Sequence[Item]) -> Sorted:
    return Sorted(list(items), [])


# another item comes with an address that once led to what stands; two places of one entry, of which one moves
@given(LOOKS)
@example(
    [
        ("one", [raw("g", "p")], False),
        ("one", [raw("g", "q")], False),
        ("one", [raw("g", "p")], True),
        ("one", [raw("g", "p"), raw("h", "q")], True),
    ]
)
@example(
    [
        ("one", [raw("g", "p", hours_ago=3)], False),
        ("one", [raw("h", "p", hours_ago=3)], False),
        ("one", [raw("g", "p", hours_ago=3), raw("h", "q", hours_ago=5)], False),
    ]
)
def test_all_at_once_is_as_one_by_one(looks: list[tuple[str, list[RawItem], bool]]) -> None:
    at_once = told(looks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recording, "sort_out", none_is)
        assert at_once == told(looks)


def test_items_of_a_feed_that_stand_are_not_decided_on(monkeypatch: pytest.MonkeyPatch) -> None:
    raws = [
        RawItem(f"g{n}", f"https://example.org/{n}", f"Title {n}", "<p>Some words.</p>") for n in range(5)
    ]
    left: list[int] = []

    def noted(connection: sqlite3.Connection, seen: Pass, extraction: str, items: Sequence[Item]) -> Sorted:
        found = sort_out(connection, seen, extraction, items)
        left.append(len(found.other))
        return found

    monkeypatch.setattr(recording, "sort_out", noted)
    tallies, _ = told([("one", raws, False), ("one", [raw("h", "h"), *raws], False)])
    assert left == [5, 1]
    assert [(each["added"], each["duplicates"]) for each in tallies] == [(5, 0), (1, 5)]
