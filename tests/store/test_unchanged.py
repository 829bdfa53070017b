"""What is told to be unchanged all at once is what would be told one by one, in the same words and rows."""

import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
from feedd.store.places import Held
from feedd.store.pushes import Received, record
from feedd.store.unchanged import Sorted, sort_out
from feedd.store.writer import Writer

NOW_MS, HOUR_MS = 1_790_000_000_000, 3_600_000
KEYS = {
    name: SourceKey(name, "directory" if name == "folder" else "feed", name, "", "")
    for name in ("one", "two", "folder")
}
OFTEN = "<p>Some words.</p>"
Looks = Sequence[tuple[str, list[RawItem], str]]  # source, document, how


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
HOW = ("", "again", "again", "rebased", "provisional", "pushed")
LOOKS = st.lists(
    st.tuples(st.sampled_from(sorted(KEYS)), st.lists(RAWS, max_size=4), st.sampled_from(HOW)),
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


def look(
    writer: Writer, key: SourceKey, raws: Sequence[RawItem], now_ms: int, *, provisional: bool, pushed: bool
) -> dict[str, int]:
    started = writer.begin(key, now_ms)
    due = Due(now_ms + HOUR_MS, "every 1h")
    if key.name == "folder":
        files = [file(each, place)._replace(provisional=provisional) for place, each in enumerate(raws)]
        tally = writer.record(started.look, key.extraction, files, [])
        writer.finish(key, started.look, due, changed=True, listing=None)
        return tally._asdict()
    made = items_of(raws, Recipe(key.name, f"https://example.org/{key.name}"), now_ms)
    items = [each._replace(provisional=provisional) for each in made.items]
    if pushed and not (started.look.first or started.look.rebase):
        received = Received(items, made.rejected, made.present, made.shared)
        return record(writer, key, started.look, received)._asdict()
    window = Window(items, made.rejected, due, Conversation(), shared=made.shared)
    seen: Pass = started.look._replace(present=made.present)
    return writer.close_window(key, seen, window)._asdict()


def file(said: RawItem, place: int) -> Item:
    article = normalise(said.url or f"https://example.org/{place}", said.title, said.html)
    return Item(f"{place}.txt", said.published_ms, NOW_MS, article, Stamp(1, 1, place), settled=True)


def settled(looks: Looks) -> Iterator[tuple[SourceKey, list[RawItem], str]]:
    """Each look under the settings of its source then; those that are made twice, twice."""
    rebased = Counter[str]()
    for name, raws, how in looks:
        rebased[name] += how == "rebased"
        key = KEYS[name]._replace(extraction=str(rebased[name]))
        yield from [(key, raws, how)] * (1 + (how == "again"))


def told(looks: Looks) -> tuple[list[dict[str, int]], dict[str, list[object]]]:
    """The tallies of these looks and all that is stored then."""
    with tempfile.TemporaryDirectory() as folder:
        path = new_store(Path(folder) / "feedd.db")
        desk = Desk(path)
        try:
            desk.run(lambda writer: writer.configure(list(KEYS.values()), [], NOW_MS))
            tallies = []
            for place, (key, raws, how) in enumerate(settled(looks)):
                made = partial(look, key=key, raws=raws, now_ms=NOW_MS + place)
                tallies.append(
                    desk.run(partial(made, provisional=how == "provisional", pushed=how == "pushed"))
                )
        finally:
            desk.close()
        with closing(sqlite3.connect(path)) as connection:
            stored = {name: connection.execute(query).fetchall() for name, query in TABLES.items()}
    return tallies, stored


def none_is(items: Sequence[Item], held: Mapping[str, Held]) -> Sorted:
    return Sorted(list(items), [])


# another item, with a guid and without, comes with an address that once led to what stands; two places of one entry, of
# which one moves; the same, but as a summary
@given(LOOKS)
@example(
    [
        ("one", [raw("g", "p")], ""),
        ("one", [raw("g", "q")], ""),
        ("one", [raw("g", "p")], "again"),
        ("one", [raw("g", "p"), raw("h", "q")], ""),
    ]
)
@example(
    [
        ("one", [raw("g", "p")], ""),
        ("one", [raw("g", "q")], ""),
        ("one", [raw("g", "p")], "again"),
        ("one", [raw("g", "p"), raw(None, "q")], ""),
    ]
)
@example(
    [
        ("one", [raw("g", "p", hours_ago=3)], ""),
        ("one", [raw("h", "p", hours_ago=3)], ""),
        ("one", [raw("g", "p", hours_ago=3), raw("h", "q", hours_ago=5)], ""),
    ]
)
@example([("one", [raw("g", "p")], ""), ("one", [raw("g", "p")], "provisional")])
def test_all_at_once_is_as_one_by_one(looks: Looks) -> None:
    at_once = told(looks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recording, "sort_out", none_is)
        assert at_once == told(looks)


def test_items_of_a_feed_that_stand_are_not_decided_on(monkeypatch: pytest.MonkeyPatch) -> None:
    raws = [
        RawItem(f"g{n}", f"https://example.org/{n}", f"Title {n}", "<p>Some words.</p>") for n in range(5)
    ]
    left: list[int] = []

    def noted(items: Sequence[Item], held: Mapping[str, Held]) -> Sorted:
        found = sort_out(items, held)
        left.append(len(found.other))
        return found

    monkeypatch.setattr(recording, "sort_out", noted)
    tallies, _ = told([("one", raws, ""), ("one", [raw("h", "h"), *raws], "")])
    assert left == [5, 1]
    assert [(each["added"], each["duplicates"]) for each in tallies] == [(5, 0), (1, 5)]
