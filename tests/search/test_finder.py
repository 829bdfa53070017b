"""Searching a store: what is found, in which order, with and without an index that is up to date."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shelf import BORN_MS, Piece, Shelf

from feedd.errors import ConfigError, TooSlow, UsageError
from feedd.search.feeds import SearchFeeds
from feedd.search.finder import Finder
from feedd.search.indexer import Indexer
from feedd.search.shapes import hit
from feedd.store.reader import Entry, Reader
from feedd.store.search import within

DAY_MS = 86_400_000
TOML = """
[sources.news]
type = "directory"
path = "."
tags = ["zh", "Big News"]
[sources.other]
type = "directory"
path = "."
[feeds.net]
query = "网络 -疫情"
[feeds.old]
sources = ["other"]
query = 'before:2024 OR after:2030 tag:"big news"'
[feeds.water]
match = { title = "Water" }
"""
ALONE = """
[sources.other]
type = "directory"
path = "."
"""
PIECES = (
    Piece("net", "5G网络", "<p>新的网络来了。</p>", BORN_MS - DAY_MS),
    Piece("covid", "COVID疫情", "<p>疫情与网络 &amp; news</p>", BORN_MS - 400 * DAY_MS),
    Piece("water", "Water rights", "<p>Café talks on water.</p>", BORN_MS - 2 * DAY_MS),
    Piece("emoji", "Party 🎉", "<p>One two one.</p>", BORN_MS - 3 * DAY_MS),
)


class Shelved:
    def __init__(self, root: Path) -> None:
        self.shelf = Shelf(root, TOML)
        self.shelf.look("news", BORN_MS, PIECES[:2])
        self.shelf.look("other", BORN_MS, PIECES[2:])
        self.finder = Finder(self.shelf.reader, self.shelf.config, self.shelf.feeds.plans)

    def names(self, query: str, limit: int = 20, since_ms: int | None = None) -> list[str]:
        return [each.entry.url.rpartition("/")[2] for each in self.finder.find(query, limit, since_ms).hits]

    def follow(self) -> None:
        assert Indexer(self.shelf.desk, self.shelf.reader, {}).catch_up()


@pytest.fixture(scope="module", params=["followed", "behind"])
def shelved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelved]:
    made = Shelved(tmp_path_factory.mktemp("shelf"))
    if request.param == "followed":
        made.follow()
    yield made
    made.shelf.close()


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("网", ["covid", "net"]),
        ("网络", ["covid", "net"]),
        ("络网", []),
        ("5g网络", ["net"]),
        ("covid疫情", ["covid"]),
        ("网络 -疫情", ["net"]),
        ('网络 -"与网络"', ["net"]),
        ("cafe", ["water"]),
        ("WAT*", ["water"]),
        ("title:one", []),
        ("🎉", ["emoji"]),
        ("water OR party", ["emoji", "water"]),
        ("source:news", ["covid", "net"]),
        ("source:news OR source:other 网络 OR water", ["covid", "net", "water"]),
        ("source:other -water", ["emoji"]),
        ("-source:news one", ["emoji"]),
        ("tag:ZH", ["covid", "net"]),
        ('tag:"big news" -疫情', ["net"]),
        ("tag:nowhere", []),
        ("tag:+++", []),
        ("feed:water", ["water"]),
        ("feed:net", ["net"]),
        ("feed:news covid", ["covid"]),
        ("before:2024-12", ["covid"]),
        ("after:2025", ["emoji", "net", "water"]),
        ("before:1960", []),
        ("changed:9999d", []),
        ("author:nobody", []),
    ],
)
def test_what_is_found(shelved: Shelved, query: str, names: list[str]) -> None:
    assert sorted(shelved.names(query)) == names


def test_no_language_of_sqlite_gets_through(shelved: Shelved) -> None:
    for parts in product(["one", '"', "NEAR(one", "*", "{title}:", "^", "AND", "NOT", "\x00", "'"], repeat=2):
        with suppress(UsageError):  # anything else is a bug
            shelved.names(" ".join(parts))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40))
def test_anything_is_answered(shelved: Shelved, text: str) -> None:
    with suppress(UsageError):
        shelved.names(text)


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("source:nope", "no source 'nope'"),
        ("feed:nope", "no feed 'nope'"),
        ("feed:changes", "shows changes or troubles"),
        ("-网", "only what must not be there"),
    ],
)
def test_names_that_there_are_not(shelved: Shelved, query: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        shelved.finder.find(query)


def test_a_feed_that_is_hidden_is_not_there(shelved: Shelved) -> None:
    with pytest.raises(UsageError, match="there is no feed 'water'"):
        shelved.finder.find("feed:water", hidden={"water"})


def test_the_shape(shelved: Shelved) -> None:
    (found,) = shelved.finder.find("covid疫情").hits
    shape = hit(found)
    assert shape["title"] == "COVID疫情"
    assert shape["title_html"] == "<mark>COVID疫情</mark>"
    assert shape["fragment"] == "疫情与网络 &amp; news"
    assert shape["score"] > 0
    assert {
        "id",
        "uid",
        "url",
        "published",
        "updated",
        "date_guessed",
        "sources",
        "revisions",
    } <= shape.keys()


def test_as_many_as_are_wanted(shelved: Shelved) -> None:
    assert len(shelved.names("after:2000", 3)) == 3
    assert shelved.finder.find("after:2000", 3).more
    assert not shelved.finder.find("after:2000", 4).more
    assert shelved.names("after:2000", 9, since_ms=BORN_MS - 2 * DAY_MS) == ["net", "water"]


def test_a_feed_with_a_query_needs_no_index(shelved: Shelved) -> None:
    assert shelved.shelf.names("net") == ["net"]
    assert shelved.shelf.names("old") == []


def test_a_feed_shows_at_once_what_is_new(tmp_path: Path) -> None:
    made = Shelved(tmp_path)
    made.follow()
    made.shelf.look("news", BORN_MS + 1000, [Piece("more", "网络", "<p>x</p>")])
    assert made.shelf.names("net") == ["more", "net"]
    assert made.names("网络 x") == ["more"]
    assert made.finder.newest(made.finder.asked("网络"), 10)[0].title == "网络"
    made.shelf.look("news", BORN_MS + 2000, [Piece("more", "网络", "<p>疫情</p>")])
    assert made.shelf.names("net") == ["net"]
    assert made.names("网络 x") == []
    made.follow()
    assert made.names("changed:9999d") == ["more"]
    made.shelf.close()


def test_no_beginning_of_a_word_is_gathered_by_fts5(tmp_path: Path) -> None:
    """It would take the longer, the more there is, however few are shown."""
    made, traced = Shelved(tmp_path), list[str]()
    made.follow()
    made.shelf.reader.connection.set_trace_callback(traced.append)
    assert made.names("wat* -part*") == ["water"]
    asked = [each for each in traced if "WHERE search_index MATCH" in each]
    assert asked
    assert not [each for each in asked if "*" in each]
    made.shelf.close()


def test_what_is_indexed_while_a_search_runs_is_found(tmp_path: Path) -> None:
    made, other = Shelved(tmp_path), Reader(tmp_path / "feedd.db")
    statements: Iterator[int] = iter(())

    def listen(_: str) -> None:
        if next(statements, None) == 0:
            assert Indexer(made.shelf.desk, other, {}).catch_up()

    for at in range(8):  # before that statement
        made.follow()
        made.shelf.look("news", BORN_MS + at, [Piece(f"new{at}", "New", f"<p>newword{at}</p>")])
        statements = iter(range(at, -1, -1))
        made.shelf.reader.connection.set_trace_callback(listen)
        found = made.names(f"newword{at} new*")
        made.shelf.reader.connection.set_trace_callback(None)
        assert found == [f"new{at}"]
    other.close()
    made.shelf.close()


def test_a_search_is_a_feed_in_the_order_of_feeds(shelved: Shelved) -> None:
    feeds = SearchFeeds(shelved.finder, "https://feeds.example.org/", {})
    asked = shelved.finder.asked("after:2000")
    document = feeds.document(asked, 3)
    order = shelved.shelf.feeds.document("all", 3)
    assert document.entries == order.entries
    assert document.title == "Search: after:2000"
    assert document.url(".rss") == "https://feeds.example.org/search.rss?q=after%3A2000"
    first = feeds.rendered("网络", "atom", 10)
    assert feeds.rendered("  网络 ", "atom", 10) is first
    assert "?q=%E7%BD%91%E7%BB%9C" in first.links
    assert feeds.rendered("网络", "json", 10).etag != first.etag


def test_common_words_are_walked_in_the_order_of_feeds(
    shelved: Shelved, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [entry.id for entry in shelved.finder.newest(shelved.finder.asked("after:2000"), 10)]
    monkeypatch.setattr("feedd.search.finder.SORTED", 1)
    monkeypatch.setattr("feedd.search.finder.WALKED_AT_ONCE", 2)
    assert [entry.id for entry in shelved.finder.newest(shelved.finder.asked("after:2000"), 10)] == expected
    (one,) = shelved.finder.newest(shelved.finder.asked("covid OR none"), 10)
    assert one.title == "COVID疫情"


@pytest.mark.parametrize(
    ("feed", "why"),
    [
        ('query = "-x"', "feeds.x.query: '-x' is no search"),
        ('query = "feed:all x"', "feed: can't stand in the query of a feed"),
        ('query = "x"\nchanges = "all"', "asks for entries, and this feed shows none"),
        ("query = 5", "feeds.x.query"),
    ],
)
def test_queries_of_feeds_that_are_wrong(tmp_path: Path, feed: str, why: str) -> None:
    from feedd.config.load import load

    path = tmp_path / "config.toml"
    path.write_text(f'[sources.a]\ntype = "directory"\npath = "."\n[feeds.x]\n{feed}\n')
    with pytest.raises(ConfigError) as raised:
        load(path)
    assert why in str(raised.value)


def test_settings_tell_queries_apart(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, TOML)
    before = shelf.updated("net")
    shelf.configure(TOML.replace("-疫情", "-水"))
    assert shelf.updated("net") > before
    shelf.close()


def test_a_feed_of_what_changed_lately_is_made_anew_with_time(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, TOML.replace("网络 -疫情", "changed:9999d"))
    shelf.look("news", BORN_MS, [Piece("net")])
    assert shelf.names("net") == []
    shelf.look("news", BORN_MS + 1000, [Piece("net", body="<p>Others.</p>")])
    assert shelf.names("net") == ["net"]
    assert len(shelf.feeds.state(shelf.feeds.plans["net"])) == 3
    assert len(shelf.feeds.state(shelf.feeds.plans["all"])) == 2
    shelf.close()


def test_a_source_that_left_the_configuration_hides_nothing(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, TOML)
    shelf.look("news", BORN_MS, [Piece("one", "One", "<p>alphaword</p>")])
    shelf.look("other", BORN_MS, [Piece("one", "One", "<p>betaword</p>")])
    for toml, found in ((TOML, (1, 0)), (ALONE, (0, 1)), (TOML, (1, 0))):
        shelf.configure(toml)
        assert Indexer(shelf.desk, shelf.reader, shelf.feeds.priorities).catch_up()
        finder = Finder(shelf.reader, shelf.config, shelf.feeds.plans)
        assert tuple(len(finder.find(word).hits) for word in ("alphaword", "betaword")) == found
    shelf.close()


def test_a_search_has_one_time_for_all_that_it_does(
    shelved: Shelved, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feedd.search.finder.PATIENCE_S", -1.0)
    for query in ("网络", "feed:net", "source:news", "wat*"):
        with pytest.raises(TooSlow, match="narrows it"):
            shelved.finder.find(query)
        with pytest.raises(TooSlow):
            shelved.finder.newest(shelved.finder.asked(query), 10)


def test_time_runs_out_while_texts_are_read(shelved: Shelved) -> None:
    asked = shelved.finder.asked("source:news")
    late = asked._replace(until=within(-1.0))
    with pytest.raises(TooSlow):
        next(shelved.finder.read(late, iter([1, 2])))
    assert len(list(shelved.finder.read(asked, iter([1, 2])))) == 2


def test_what_a_feed_asks_for_is_asked_of_the_index_too(shelved: Shelved) -> None:
    """Else each entry that there is would be read for `feed:net`."""
    finder = shelved.finder
    assert finder.asked("feed:net").wanted == finder.asked("网络 -疫情").wanted
    assert finder.asked("feed:old").wanted == finder.asked("source:other").wanted
    assert finder.asked("-feed:net a").wanted == finder.asked("a").wanted
    assert finder.asked("feed:net").query.words == ()


def test_what_a_feed_shows_is_read_once_for_many_entries(
    shelved: Shelved, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads, entries = list[object](), Reader.entries

    def counted(self: Reader, *asked: Any) -> list[Entry]:
        reads.append(asked)
        return entries(self, *asked)

    monkeypatch.setattr(Reader, "entries", counted)
    assert sorted(shelved.names("feed:other")) == ["emoji", "water"]
    assert len(reads) == 2
