"""Which entries a feed shows, in which order, and when it says it changed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shelf import BORN_MS, Piece, Shelf

from feedd.publish.cache import Key

DAY = 86_400_000
T = BORN_MS
TOML = """
[sources.one]
type = "directory"
path = "1"
tags = ["zh"]
[sources.two]
type = "directory"
path = "2"
"""


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path, TOML)
    yield made
    made.close()


def piece(name: str, days_ago: float = 1, title: str = "A title", body: str = "<p>Words.</p>") -> Piece:
    return Piece(name, title, body, int(T - days_ago * DAY))


def test_what_the_first_pass_brought_is_in_order_of_publication(shelf: Shelf) -> None:
    shelf.look("one", T, [piece("old", 9), piece("new", 1), piece("middle", 5)])
    assert shelf.names() == shelf.names("one") == ["new", "middle", "old"]


def test_afterwards_the_order_is_when_a_change_was_recorded(shelf: Shelf) -> None:
    shelf.look("one", T, [piece("old", 9), piece("new", 1)])
    shelf.look("one", T + 1000, [piece("late", 100)])
    assert shelf.names() == ["late", "new", "old"]
    shelf.look("one", T + 2000, [piece("old", 9, "Edited")])
    assert shelf.names() == ["old", "late", "new"]
    published = {entry.title: entry.published_ms for entry in shelf.feeds.document("all", 9).entries}
    assert published["Edited"] == T - 9 * DAY


def test_a_first_pass_that_brings_nothing_is_one(shelf: Shelf) -> None:
    shelf.look("one", T)
    shelf.look("one", T + 1000, [piece("a", 100)])
    shelf.look("two", T + 500, [piece("b", 1)])
    assert shelf.names() == ["a", "b"]


def test_a_source_that_has_an_entry_second_moves_nothing(shelf: Shelf) -> None:
    shelf.look("one", T, [piece("shared", 9), piece("new", 1)])
    shelf.look("two", T, [piece("other", 5)])
    before = shelf.body("all", "atom")
    shelf.look("two", T + 5000, [piece("shared", 9)])
    assert shelf.names() == ["new", "other", "shared"]
    assert shelf.names("one") == ["new", "shared"]
    assert shelf.names("two") == ["shared", "other"]
    assert shelf.body("all", "atom") == before


def test_a_source_of_higher_priority_shows_its_version_in_the_old_place(shelf: Shelf) -> None:
    shelf.configure(TOML + "priority = 1\n")
    shelf.look("one", T, [piece("shared", 9, "First"), piece("new", 1)])
    shelf.look("two", T)
    shelf.look("two", T + 5000, [piece("shared", 9, "Second")])
    assert shelf.names() == ["new", "shared"]
    assert shelf.feeds.document("all", 9).entries[1].title == "Second"
    assert shelf.feeds.document("one", 9).entries[1].title == "First"


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_a_limit_takes_the_newest(shelf: Shelf, limit: int) -> None:
    shelf.look("one", T, [piece("a", 9), piece("b", 7)])
    shelf.look("two", T, [piece("c", 8), piece("d", 6)])
    assert shelf.names(limit=limit) == ["d", "b", "c", "a"][:limit]


def test_a_limit_takes_the_same_of_one_source_as_of_all(shelf: Shelf) -> None:
    """Entries of one pass have one place: then the newest published come first."""
    shelf.look("one", T)
    shelf.look("one", T + 1000, [piece(f"p{days}", days) for days in (3, 1, 4, 2)])
    for limit in (1, 2, 3, 4):
        assert shelf.names("all", limit) == shelf.names("one", limit) == ["p1", "p2", "p3", "p4"][:limit]


def test_removed_entries_leave_and_come_back(shelf: Shelf) -> None:
    shelf.look("one", T, [piece("a", 2), piece("b", 1)])
    shelf.look("one", T + 1000, gone=["b"])
    assert shelf.names() == shelf.names("one") == ["a"]
    assert shelf.updated() == shelf.updated("one") == T + 1000
    assert shelf.updated("two") < T + 1000
    shelf.look("one", T + 2000, [piece("b", 1)])
    assert shelf.names() == ["b", "a"]
    assert shelf.updated() == T + 2000


def test_an_entry_that_another_source_holds_stays(shelf: Shelf) -> None:
    shelf.look("one", T, [piece("a")])
    shelf.look("two", T, [piece("a")])
    shelf.look("one", T + 1000, gone=["a"])
    assert shelf.names() == ["a"]


def test_when_a_feed_changed(shelf: Shelf) -> None:
    shelf.look("one", T, [piece("a", 2), piece("b", 1)])
    assert shelf.updated() == shelf.updated("one") == T
    before = shelf.body("all", "atom")
    shelf.look("one", T + 1000, [piece("a", 2)])
    assert shelf.updated() == T
    assert shelf.body("all", "atom") == before
    shelf.look("one", T + 2000, [piece("a", 2, body="<p><b>Words.</b></p>")])
    assert shelf.body("all", "atom") != before
    assert shelf.updated() == T + 2000, "mark-up alone changes the document, too"
    entry = next(entry for entry in shelf.feeds.document("all", 9).entries if entry.url.endswith("a"))
    assert entry.updated_ms == T - 2 * DAY, "but it is no news"
    assert shelf.names() == ["b", "a"]


def test_updated_is_when_an_edit_was_recorded_and_never_goes_back(shelf: Shelf) -> None:
    shelf.look("one", T, [piece("a", 2)])
    shelf.look("one", T + 5000, [piece("a", 2, "Second")])
    shelf.look("one", T + 3000, [piece("a", 2, "Third")])
    (entry,) = shelf.feeds.document("all", 9).entries
    assert (entry.title, entry.published_ms, entry.updated_ms) == ("Third", T - 2 * DAY, T + 5000)


def test_rules_choose_entries(shelf: Shelf) -> None:
    shelf.configure(
        TOML
        + """
[feeds.japan]
sources = ["tag:zh"]
match = { title = "日本|东京" }
reject = { url = "sports" }
[feeds.words]
match = { text = "Words", url = "^https://example.org/[ab]" }
[feeds.nobody]
match = { author = "x" }
[feeds.rest]
reject = { text = "(?i)secret" }
"""
    )
    shelf.look("one", T, [piece("a", 1, "日本"), piece("sports-b", 2, "东京"), piece("c", 3, "Paris")])
    shelf.look("two", T, [piece("b", 4, "日本"), piece("d", 5, body="<p>A <b>SEC</b>RET</p>")])
    assert shelf.names("japan") == ["a"]
    assert shelf.names("words") == ["a", "b"]
    assert shelf.names("nobody") == []
    assert shelf.names("rest") == ["a", "sports-b", "c", "b"]


def test_an_entry_that_is_edited_out_of_a_feed_changes_it(shelf: Shelf) -> None:
    shelf.configure(TOML + '[feeds.japan]\nmatch = { title = "日本" }\n')
    shelf.look("one", T, [piece("a", 2, "日本"), piece("b", 1, "日本")])
    shelf.look("one", T + 1000, [piece("b", 1, "Paris")])
    assert shelf.names("japan") == ["a"]
    assert shelf.updated("japan") == T + 1000


def test_an_entry_that_a_feed_never_showed_leaves_it_alone(shelf: Shelf) -> None:
    shelf.configure(TOML + '[feeds.japan]\nmatch = { title = "日本" }\n')
    shelf.look("one", T, [piece("a", 2, "日本")])
    shelf.look("one", T + 1000, [piece("b", 1, "Paris")])
    assert shelf.updated("japan") == max(T, shelf.reader.feed_configured_ms("japan"))


def test_other_settings_change_a_feed(shelf: Shelf) -> None:
    shelf.look("one", T, [piece("a", 2)])
    base = '[server]\nbase_url = "https://feeds.example.org/"\n'
    for toml in (base, TOML.replace('path = "2"', 'path = "2"\ntitle = "Two"'), TOML + "priority = 1\n"):
        before = shelf.reader.feed_configured_ms("all")
        shelf.configure(toml + TOML if toml is base else toml)
        assert shelf.reader.feed_configured_ms("all") > before
        before = shelf.reader.feed_configured_ms("all")
        shelf.configure(toml + TOML if toml is base else toml)
        assert shelf.reader.feed_configured_ms("all") == before


def test_the_feed_of_a_source_that_left_keeps_its_entries_in_all(shelf: Shelf) -> None:
    shelf.look("one", T, [piece("a", 2)])
    shelf.look("two", T, [piece("b", 3)])
    shelf.configure(TOML[: TOML.index("[sources.two]")])
    assert shelf.names() == ["a", "b"]
    assert "two" not in shelf.feeds.plans


def test_a_rendered_feed_is_kept_until_a_change_touches_it(shelf: Shelf) -> None:
    shelf.look("one", T, [piece("a")])
    shelf.look("two", T, [piece("b")])
    one, all_ = Key("one", "atom", 100), Key("all", "atom", 100)
    assert shelf.feeds.fresh(one) is None
    kept, whole = shelf.feeds.rendered(one), shelf.feeds.rendered(all_)
    assert shelf.feeds.fresh(one) is kept
    shelf.look("two", T + 1000, [piece("c")])
    assert shelf.feeds.fresh(one) is kept
    assert shelf.feeds.fresh(all_) is None
    again = shelf.feeds.rendered(all_)
    assert again.etag != whole.etag
    shelf.look("one", T + 2000, [piece("a")])
    assert shelf.feeds.fresh(one) is kept, "a look that changed nothing"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    looks=st.lists(
        st.tuples(
            st.sampled_from(["one", "two"]),
            st.lists(
                st.tuples(st.sampled_from("abcdef"), st.integers(1, 9), st.sampled_from(["x", "y"])),
                max_size=4,
                unique_by=lambda each: each[0],
            ),
        ),
        max_size=5,
    )
)
def test_feeds_agree(
    tmp_path_factory: pytest.TempPathFactory, looks: list[tuple[str, list[tuple[str, int, str]]]]
) -> None:
    """Whatever is looked at: the newest first, each entry once, and a limit takes the head."""
    shelf = Shelf(tmp_path_factory.mktemp("any"), TOML)
    try:
        for number, (source, found) in enumerate(looks):
            shelf.look(source, T + number * 1000, [piece(name, days, title) for name, days, title in found])
        for feed in ("all", "one", "two"):
            whole = shelf.names(feed)
            assert len(set(whole)) == len(whole)
            assert all(shelf.names(feed, limit) == whole[:limit] for limit in range(1, 8))
            held = {name for source, found in looks if feed in {"all", source} for name, _, _ in found}
            assert set(whole) == held
    finally:
        shelf.close()
