"""What a document states becomes items with an identity: the rules, as tables and as properties."""

import random
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.model import Details, Enclosure, RawItem
from feedd.normalise.article import uid_of
from feedd.rules import Filter
from feedd.sources.identity import identify
from feedd.sources.items import Recipe, drafts, items_of

NOW = 1_770_000_000_000
RECIPE = Recipe("blog", "https://example.org/")
URL = "https://example.org/{}"


def raw(guid: str | None = None, url: str | None = None, title: str = "A title", **more: Any) -> RawItem:
    values = {"html": "<p>Some words.</p>", **more}
    return RawItem(guid, url, title, **values)


def known_by(*raws: RawItem, identity: str | None = None) -> list[tuple[str, str | None, bool]]:
    """(location, uid, follows) of each; a uid of its URL as None."""
    return [each.identity[:3] for each in drafts(raws, RECIPE._replace(identity=identity))]


def named(name: str) -> str:
    return uid_of(f"feedd:blog:{name}")


@pytest.mark.parametrize(
    ("raws", "expected"),
    [
        ([raw("g", URL.format(1))], [("g", None, True)]),
        ([raw("g")], [("g", named("g"), True)]),
        ([raw(None, URL.format(1))], [(URL.format(1), None, False)]),
        # a guid that several bear says nothing
        (
            [raw("g", URL.format(1)), raw("g", URL.format(2))],
            [(URL.format(1), None, False), (URL.format(2), None, False)],
        ),
        # the same item twice is no sharing
        ([raw("g", URL.format(1)), raw("g", URL.format(1))], [("g", None, True)] * 2),
        # a URL that items with different guids share says nothing
        (
            [raw("a", URL.format(1)), raw("b", URL.format(1))],
            [("a", named("a"), True), ("b", named("b"), True)],
        ),
        # one guid and one URL for all: one entry
        ([raw("g", URL.format(1), "x"), raw("g", URL.format(1), "y")], [("g", None, True)] * 2),
    ],
)
def test_what_an_item_is_known_by(raws: list[RawItem], expected: list[tuple[str, str | None, bool]]) -> None:
    assert known_by(*raws) == expected


def test_items_without_guid_and_link_are_known_by_their_titles() -> None:
    one, two, again = known_by(raw(title="one"), raw(title="two"), raw(title="one"))
    assert one == again
    assert one[0] != two[0]
    assert one[2]


def test_items_that_say_the_same_in_their_titles_are_told_apart() -> None:
    texts = [known_by(raw(title="Update", html=f"<p>{text}"), raw(title="Update")) for text in ("a", "b")]
    assert len({name for names in texts for name in names}) == 3
    dated = known_by(raw(title="Update", published_ms=NOW - 1), raw(title="Update", published_ms=NOW - 2))
    assert dated[0] != dated[1]


def test_items_that_all_lead_home_are_known_by_their_titles() -> None:
    home = "https://example.org/"
    one, two = known_by(raw(None, home, "one"), raw(None, home, "two"))
    assert one != two


def test_an_identity_can_be_forced() -> None:
    items = (raw("a", URL.format(1)), raw("b", URL.format(1)))
    assert known_by(*items, identity="url") == [(URL.format(1), None, False)] * 2
    items = (raw("g", URL.format(1)), raw("g", URL.format(2)))
    assert known_by(*items, identity="guid") == [("g", named("g"), True)] * 2


def test_urls_are_compared_in_their_one_spelling() -> None:
    items = (raw("a", "HTTPS://Example.org/x?utm_source=y"), raw("b", "https://example.org/x#top"))
    assert [each[1] for each in known_by(*items)] == [named("a"), named("b")]


def test_a_url_that_is_none_is_no_identity() -> None:
    assert known_by(raw("g", "javascript:alert(1)")) == [("g", named("g"), True)]


@pytest.mark.parametrize(
    ("published", "updated", "expected"),
    [
        (None, None, (None, None)),
        (NOW - 5, None, (NOW - 5, NOW - 5)),
        (None, NOW - 5, (None, NOW - 5)),
        (NOW - 9, NOW - 5, (NOW - 9, NOW - 5)),
        (0, None, (None, None)),
        (NOW + 2 * 86_400_000, None, (None, None)),
        (NOW - 9, NOW + 2 * 86_400_000, (NOW - 9, NOW - 9)),
        (NOW + 3_600_000, None, (NOW + 3_600_000, NOW + 3_600_000)),
    ],
)
def test_times(published: int | None, updated: int | None, expected: tuple[int | None, int | None]) -> None:
    (item,) = items_of([raw("g", published_ms=published, updated_ms=updated)], RECIPE, NOW).items
    assert (item.published_ms, item.stated_ms) == expected


def test_undated_items_keep_the_order_of_their_document() -> None:
    made = items_of([raw(str(number)) for number in range(5)], RECIPE, NOW)
    times = [item.time_ms for item in made.items]
    assert times == sorted(times, reverse=True)
    assert len(set(times)) == 5


def test_rules_and_rewrites() -> None:
    recipe = RECIPE._replace(
        rewrite=(("url", "^http:", "https:"), ("title", " - Site$", "")),
        filter=Filter((("author", re.compile("Ann")),), (("category", re.compile("ads")),)),
    )
    items = (
        raw("a", "http://example.org/a", "A - Site", details=Details(authors=("Ann",))),
        raw("b", "http://example.org/b", "B - Site", details=Details(authors=("Bob",))),
        raw("c", "http://example.org/c", "C - Site", details=Details(authors=("Ann",), categories=("ads",))),
    )
    made = items_of(items, recipe, NOW)
    assert [(each.article.url, each.article.title) for each in made.items] == [("https://example.org/a", "A")]
    assert [each.reason for each in made.rejected] == [
        "left out: match.author 'Ann' is not met",
        "left out: reject.category 'ads' is met",
    ]
    assert made.present == {"a", "b", "c"}


def test_an_item_that_says_nothing_is_an_item() -> None:
    made = items_of([raw("g", title="", html=" "), raw(None, title="", html="")], RECIPE, NOW)
    assert made.rejected == []
    assert [each.article.url for each in made.items] == ["https://example.org/"] * 2


def test_content_says_what_is_compared() -> None:
    """Authors, enclosures and pictures belong to the content; the order of looks does not."""

    def hash_of(**more: Any) -> bytes:
        (item,) = items_of([raw("g", URL.format(1), **more)], RECIPE, NOW).items
        return item.article.content_hash

    plain = hash_of()
    assert plain == hash_of(published_ms=NOW - 1)
    assert plain != hash_of(details=Details(authors=("Ann",)))
    assert plain != hash_of(details=Details(enclosures=(Enclosure("https://example.org/a.mp3"),)))
    assert plain != hash_of(image="https://example.org/a.png")


texts = st.text(st.characters(codec="utf-8"), max_size=12)
raws = st.builds(
    RawItem,
    guid=st.none() | st.sampled_from(["a", "b", "c"]) | texts,
    url=st.none() | st.sampled_from([URL.format(1), URL.format(2), "https://example.org/"]) | texts,
    title=texts,
    html=texts,
    published_ms=st.none() | st.integers(-(2**63), 2**63),
)


@given(st.lists(raws, max_size=8))
def test_every_item_becomes_an_item_or_is_rejected(items: list[RawItem]) -> None:
    made = items_of(items, RECIPE, NOW)
    assert len(made.items) + len(made.rejected) == len(items)
    assert {item.location for item in made.items} <= made.present
    for item in made.items:
        assert item.article.url.startswith(("http://", "https://"))


@given(st.lists(raws, max_size=8))
def test_items_that_differ_in_guid_and_url_are_never_one(items: list[RawItem]) -> None:
    found = drafts(items, RECIPE)
    for one in found:
        for other in found:
            if one.identity == other.identity and one.identity.uid is not None:
                same = one.raw.guid == other.raw.guid and one.raw.guid is not None
                assert same or one.raw.title == other.raw.title


@given(st.lists(raws, max_size=8), st.randoms())
def test_the_order_of_a_document_changes_no_identity(items: list[RawItem], chance: random.Random) -> None:
    shuffled = list(items)
    chance.shuffle(shuffled)
    pairs = [(each, each.url) for each in items]
    before = dict(zip(map(repr, pairs), identify(pairs, "blog").each, strict=True))
    pairs = [(each, each.url) for each in shuffled]
    assert dict(zip(map(repr, pairs), identify(pairs, "blog").each, strict=True)) == before
