"""Putting queries to SQLite: what is said to it, and when it is stopped."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from place import Place

from feedd.errors import StoreError, TooSlow
from feedd.search.query import bound, parse
from feedd.search.segment import segmented
from feedd.store import search
from feedd.store.search_index import first_of_day

NOW_MS = 1_750_000_000_000
ENDLESS = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"


@pytest.mark.parametrize(
    ("query", "match"),
    [
        ("one", '("one")'),
        ("5G网络 one", '("5g 网 络") AND ("one")'),
        ("one OR two three", '("one" OR "two") AND ("three")'),
        ("one -two -three", '(("one")) NOT (("two") OR ("three"))'),
        ("elect* title:one", '("elect" *) AND (title : "one")'),
        ("tag:news", '(categories : "news")'),
        ("tag:zh", None),
        ("source:a", None),
        ("source:a -one", None),
        ('NEAR(one OR "x" AND', '("near one" OR "x")'),
    ],
)
def test_what_fts5_is_asked(query: str, match: str | None) -> None:
    asked = bound(parse(query), {"zh": {"a"}})
    assert search.wanted(asked, {"a": 1}, NOW_MS).match == match


def test_days_are_ranges_of_documents() -> None:
    wanted = search.wanted(parse("x after:1970 before:1970-01-02"), {}, NOW_MS)
    assert wanted.values == (first_of_day(0), first_of_day(86_400_000))
    assert search.Found(first_of_day(0) + 5, 1).day_ms == 0
    assert first_of_day(-62_135_596_800_000) > 0


def test_what_takes_too_long_is_ended(tmp_path: Path) -> None:
    place = Place(tmp_path)
    connection = place.reader.connection
    soon, later = search.within(0.05), search.within(60)
    with pytest.raises(TooSlow, match="takes too long"), search.patience(connection, place.database, soon):
        connection.execute(ENDLESS)
    with pytest.raises(TooSlow), search.patience(connection, place.database, soon):
        pytest.fail("what is late already is not begun")
    with pytest.raises(StoreError, match="no such table"), search.patience(connection, place.database, later):
        connection.execute("SELECT * FROM absent")
    assert connection.execute("SELECT 1").fetchone() == (1,)
    place.close()


INDEXED = (
    "gov govern government",
    "governing 水力 电 water",
    "watér wat water",
    "вода водный",
    "strasse 5g network",
)


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """An index of words alone, and of one beginning with more words than are asked for one by one."""
    place = Place(tmp_path_factory.mktemp("indexed"))
    many = " ".join(f"x{number:03}" for number in range(search.MOST_EXPANDED + 1))
    for number, text in enumerate((*INDEXED, many), start=1):
        columns = [number, segmented(text), segmented(text.split()[0])]
        place.run("INSERT INTO search_index (rowid, text, title) VALUES (?, ?, ?)", *columns)
        place.run("INSERT INTO search_docs VALUES (?, ?, 1, x'00')", number, number)
    yield place
    place.close()


@pytest.mark.parametrize(
    ("query", "match"),
    [
        ("gove*", '("govern" OR "governing" OR "government")'),
        ("gov* -water", '(("gov" OR "govern" OR "governing" OR "government")) NOT (("water"))'),
        ("title:gov* OR water", '(title : "gov" OR title : "govern" OR title : "governing" OR title : "government" OR "water")'),
        ("5G-net*", '("5g network")'),
        ("во*", '("вода" OR "водныи")'),
        ("水力 电*", '("水 力") AND ("电")'),
        ("none*", '("none" *)'),
        ("x0*", '("x0" *)'),
    ],
)  # fmt: skip
def test_beginnings_are_asked_for_as_the_words_that_there_are(indexed: Place, query: str, match: str) -> None:
    assert search.match_of(search.expanded(indexed.reader.connection, parse(query))) == match


PIECES = ("go*", "gover*", "wat*", "none*", "во*", "5g-ne*", "x0*", "x00*", "title:go*", "水", "water")


def test_words_in_place_of_a_beginning_find_the_same(indexed: Place) -> None:
    connection = indexed.reader.connection
    for one, other in product(PIECES, repeat=2):
        query = parse(f"{one} OR strasse {other} -governi* -title:wa*")
        asked, match = search.wanted(query, {}, NOW_MS), search.match_of(search.expanded(connection, query))
        expected = search.candidates(connection, asked, 10)
        assert search.candidates(connection, asked._replace(match=match), 10) == expected
