"""`A-IM: feed` (RFC 3229): only what is new, for who says what it has."""

import json
from array import array
from collections.abc import Iterator
from pathlib import Path

import feedparser
import httpx
import pytest
from inprocess import Pages, pages_of
from shelf import BORN_MS, Piece, Shelf

from feedd.publish.cache import Key
from feedd.publish.delta import Held, cost

FORMATS = ("atom", "rss", "json")
TOML = '[sources.one]\ntype = "directory"\npath = "1"\n[feeds.about]\nmatch = { title = "Fire" }\n'
ALL, OTHER = ("all", "atom", 100), ("all", "rss", 100)
every_format = pytest.mark.parametrize("format_", FORMATS)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path, TOML)
    made.look("one", BORN_MS, [Piece("a", "Fire"), Piece("b", "Flood"), Piece("c", "Storm")])
    yield made
    made.close()


@pytest.fixture
def pages(shelf: Shelf) -> Iterator[Pages]:
    with pages_of(shelf.feeds) as made:
        yield made


def titles(found: httpx.Response, format_: str) -> list[str]:
    if format_ == "json":
        return [item["title"] for item in json.loads(found.content)["items"]]
    parsed = feedparser.parse(found.content)
    assert not parsed.bozo
    return [entry.title for entry in parsed.entries]


def asked(pages: Pages, path: str, tags: str, wanted: str = "feed", **headers: str) -> httpx.Response:
    return pages.get(path, **{"A-IM": wanted, "If-None-Match": tags, **headers})


def more(shelf: Shelf) -> None:
    """A new entry, and an edited one."""
    shelf.look(
        "one", BORN_MS + 60_000, [Piece("d", "Drought"), Piece("b", "Flood, and rain", "<p>Other words.</p>")]
    )


@every_format
def test_what_is_new_and_what_changed_alone(shelf: Shelf, pages: Pages, format_: str) -> None:
    path = f"/feeds/all.{format_}"
    first = pages.get(path)
    more(shelf)
    found = asked(pages, path, first.headers["etag"])
    assert found.status_code == 226
    assert sorted(titles(found, format_)) == ["Drought", "Flood, and rain"]
    whole = pages.get(path)
    assert len(titles(whole, format_)) == 4
    assert found.headers["im"] == "feed"
    assert found.headers["etag"] == whole.headers["etag"] != first.headers["etag"]
    assert found.headers["delta-base"] == first.headers["etag"]
    assert found.headers["cache-control"] == "no-store, im"
    assert found.headers["content-type"] == whole.headers["content-type"]
    assert found.headers["last-modified"] == whole.headers["last-modified"]
    for each in (first, found, whole):
        assert "A-IM" in each.headers["vary"]


@every_format
def test_nothing_new_is_a_304(shelf: Shelf, pages: Pages, format_: str) -> None:
    path = f"/feeds/all.{format_}"
    found = asked(pages, path, pages.get(path).headers["etag"])
    assert (found.status_code, found.content) == (304, b"")
    assert "im" not in found.headers


def test_a_client_follows_from_one_tag_to_the_next(shelf: Shelf, pages: Pages) -> None:
    path, seen = "/feeds/all.json", list[str]()
    tag = pages.get(path).headers["etag"]
    for number in range(4):
        shelf.look("one", BORN_MS + 60_000 * (number + 1), [Piece(f"n{number}", f"New {number}")])
        found = asked(pages, path, tag)
        assert found.status_code == 226
        seen += titles(found, "json")
        tag = found.headers["etag"]
    assert seen == ["New 0", "New 1", "New 2", "New 3"]


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ("feed", 226),
        ("FEED", 226),
        ("vcdiff, feed;q=0.5, gzip", 226),
        ("feed;q=0", 200),
        ("vcdiff", 200),
        ("feeds", 200),
        ("", 200),
    ],
)
def test_who_wants_it(shelf: Shelf, pages: Pages, wanted: str, status: int) -> None:
    tag = pages.get("/feeds/all.atom").headers["etag"]
    more(shelf)
    assert asked(pages, "/feeds/all.atom", tag, wanted).status_code == status


def test_a_tag_that_is_not_known_earns_the_whole(shelf: Shelf, pages: Pages) -> None:
    tag = pages.get("/feeds/all.atom").headers["etag"]
    more(shelf)
    for tags in ('"0123"', "0123", "", '"', "W/", tag.upper(), f'"{"x" * 5000}"', ",".join(['"a"'] * 900)):
        found = asked(pages, "/feeds/all.atom", tags)
        assert (found.status_code, len(titles(found, "atom"))) == (200, 4)
    assert "delta-base" not in found.headers
    assert pages.get("/feeds/all.atom", **{"A-IM": "feed"}).status_code == 200


def test_the_tag_of_another_document_is_none(shelf: Shelf, pages: Pages) -> None:
    tag = pages.get("/feeds/all.atom").headers["etag"]
    more(shelf)
    for path in ("/feeds/one.atom", "/feeds/all.rss"):
        assert asked(pages, path, tag).status_code == 200


def test_one_of_several_tags_and_weak_ones(shelf: Shelf, pages: Pages) -> None:
    tag = pages.get("/feeds/all.atom").headers["etag"]
    more(shelf)
    found = asked(pages, "/feeds/all.atom", f'"x", W/{tag}')
    assert (found.status_code, found.headers["delta-base"]) == (226, tag)


def test_lists_may_stand_in_several_lines(shelf: Shelf, pages: Pages) -> None:
    """RFC 9110, section 5.3."""
    tag = pages.get("/feeds/all.atom").headers["etag"]
    lines = [("A-IM", "vcdiff"), ("A-IM", "feed"), ("If-None-Match", '"x"'), ("If-None-Match", tag)]
    assert pages.runner.run(pages.client.get("/feeds/all.atom", headers=lines)).status_code == 304
    more(shelf)
    found = pages.runner.run(pages.client.get("/feeds/all.atom", headers=lines))
    assert (found.status_code, found.headers["delta-base"]) == (226, tag)


def test_the_coding_of_either_does_not_matter(shelf: Shelf, pages: Pages) -> None:
    path = "/feeds/all.rss"
    packed = pages.get(path, **{"Accept-Encoding": "gzip"})
    more(shelf)
    found = asked(pages, path, packed.headers["etag"], **{"Accept-Encoding": "gzip"})
    assert (found.status_code, found.headers["content-encoding"]) == (226, "gzip")
    assert found.headers["etag"].endswith('-gzip"')
    plain = asked(pages, path, packed.headers["etag"], **{"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == found.content


def test_what_was_withdrawn_is_told_in_atom(shelf: Shelf, pages: Pages) -> None:
    tag = pages.get("/feeds/all.atom").headers["etag"]
    shelf.look("one", BORN_MS + 60_000, gone=["c"])
    found = asked(pages, "/feeds/all.atom", tag)
    assert (found.status_code, titles(found, "atom")) == (226, [])
    assert found.text.count("deleted-entry") == 1


def test_where_all_is_new_the_whole_is_sent(shelf: Shelf, pages: Pages) -> None:
    tag = pages.get("/feeds/about.atom").headers["etag"]
    shelf.look("one", BORN_MS + 60_000, [Piece("a", "Fire, again", "<p>Other words.</p>")])
    assert asked(pages, "/feeds/about.atom", tag).status_code == 200


def test_a_limit_of_its_own(shelf: Shelf, pages: Pages) -> None:
    tag = pages.get("/feeds/all.json?limit=2").headers["etag"]
    shelf.look("one", BORN_MS + 60_000, [Piece("d", "Drought")])
    found = asked(pages, "/feeds/all.json?limit=2", tag)
    assert (found.status_code, titles(found, "json")) == (226, ["Drought"])


def test_head_says_the_same(shelf: Shelf, pages: Pages) -> None:
    tag = pages.get("/feeds/all.atom").headers["etag"]
    more(shelf)
    found = pages.get("/feeds/all.atom", "HEAD", **{"A-IM": "feed", "If-None-Match": tag})
    assert (found.status_code, found.content) == (226, b"")


def test_what_is_remembered_is_bounded(shelf: Shelf) -> None:
    document = shelf.feeds.document("all", 100)
    one = cost(array("q", range(len(document.entries))))
    held = Held(keeps=2 * one + 1)
    for number in range(4):
        held.note(ALL, str(number), document)
    assert held.size == 2 * one
    assert list(held.known[ALL]) == ["2", "3"]
    assert held.first_known(ALL, ["0", "3", "2"]) == "3"
    assert held.since(ALL, "0", document) is None
    held.note(OTHER, "4", document)
    assert [list(made) for made in held.known.values()] == [["3"], ["4"]]
    held.note(OTHER, "5", document)
    assert list(held.known) == [OTHER]


def test_what_shares_nothing_with_the_newest_is_not_remembered(shelf: Shelf) -> None:
    """A feed that changes often would else fill memory with what nobody can be told a part by."""
    held, asked = shelf.feeds.held, Key("all", "atom", 3)
    for number in range(20):
        shelf.look("one", BORN_MS + 60_000 * (number + 1), [Piece(f"n{number}", f"New {number}")])
        made = shelf.feeds.rendered(asked)
    assert list(held.known[asked])[-1] == made.etag
    assert len(held.known[asked]) == 3
    assert held.size == sum(cost(each) for each in held.known[asked].values())
