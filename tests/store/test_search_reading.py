"""Putting queries to SQLite: what is said to it, and when it is stopped."""

from pathlib import Path

import pytest
from place import Place

from feedd.errors import StoreError, TooSlow
from feedd.search.query import bound, parse
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
