"""The hubs that documents name, and documents of just what is new."""

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from lxml import etree
from shelf import BORN_MS, Piece, Shelf

from feedd.publish.cache import Key
from feedd.publish.jsonfeed import json_feed
from feedd.publish.news import HEAD_BYTES, MOST_BYTES, Since
from feedd.publish.plan import hubs, own_hub, settings
from feedd.publish.syndication import atom, rss
from feedd.store.log import newest_id

DATA = Path(__file__).parent.parent / "data"
BASE = "http://127.0.0.1:8080/"
ATOM = {"a": "http://www.w3.org/2005/Atom"}
SOURCES = """
[sources.rfi]
type = "directory"
path = "x"
[sources.other]
type = "directory"
path = "y"
"""
CHANNELS = """
[notify.every]
type = "websub"
url = "https://hub.example.org/"
[notify.one]
type = "websub"
url = "https://Other.example.net/a?x=é"
feeds = ["other"]
[notify.hook]
type = "webhook"
url = "https://hooks.example.org/secret"
"""
EVERY = "https://hub.example.org/"
ONE = "https://other.example.net/a?x=%C3%A9"


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path, SOURCES + CHANNELS)
    made.look("rfi", BORN_MS, [Piece("old")])
    made.look("other", BORN_MS)
    yield made
    made.close()


def test_which_hubs_a_feed_has(shelf: Shelf) -> None:
    assert hubs(shelf.config, "rfi") == (f"{BASE}hub", EVERY)
    assert hubs(shelf.config, "other") == (f"{BASE}hub", EVERY, ONE)
    assert shelf.feeds.plans["other"].hubs == hubs(shelf.config, "other")
    before = dict(settings(shelf.config))
    shelf.configure(f"{SOURCES}[websub]\nhub = false\n")
    assert own_hub(shelf.config) is None
    assert hubs(shelf.config, "rfi") == ()
    after = dict(settings(shelf.config))
    assert all(before[name] != after[name] for name in before)


def test_every_format_names_its_hubs_and_is_valid(shelf: Shelf) -> None:
    expected = [f"{BASE}hub", EVERY, ONE]
    root = etree.fromstring(shelf.body("other", "atom"))
    assert root.xpath("a:link[@rel='hub']/@href", namespaces=ATOM) == expected
    assert root.xpath("a:link[@rel='self']/@href", namespaces=ATOM) == [f"{BASE}feeds/other.atom"]
    etree.RelaxNG(etree.parse(DATA / "atom.rng")).assertValid(root)
    channel = etree.fromstring(shelf.body("other", "rss"))[0]
    assert channel.xpath("a:link[@rel='hub']/@href", namespaces=ATOM) == expected
    assert channel.xpath("a:link[@rel='self']/@href", namespaces=ATOM) == [f"{BASE}feeds/other.rss"]
    assert channel.findtext("link") == f"{BASE}feeds/other"
    made = json.loads(shelf.body("other", "json"))
    assert made["hubs"] == [{"type": "WebSub", "url": url} for url in expected]
    assert made["feed_url"] == f"{BASE}feeds/other.json"


def test_the_header_names_them_too(shelf: Shelf) -> None:
    rendered = shelf.feeds.render(Key("other", "rss", 5))
    hub_links = "".join(f'<{url}>; rel="hub", ' for url in (f"{BASE}hub", EVERY, ONE))
    assert rendered.links == f'{hub_links}<{BASE}feeds/other.rss>; rel="self"'


def test_no_hub_no_links(shelf: Shelf) -> None:
    shelf.configure(f"{SOURCES}[websub]\nhub = false\n")
    assert b'rel="hub"' not in shelf.body("rfi", "atom") + shelf.body("rfi", "rss")
    assert "hubs" not in json.loads(shelf.body("rfi", "json"))
    assert shelf.feeds.render(Key("rfi", "atom", 5)).links == f'<{BASE}feeds/rfi.atom>; rel="self"'


def newest(shelf: Shelf) -> Since:
    return Since(newest_id(shelf.reader.connection), 0)


def names(shelf: Shelf, feed: str, since: Since) -> list[str]:
    found = shelf.feeds.news(feed, since)
    return [entry.url.rpartition("/")[2] for entry in found.document.entries] if found else []


def test_news_are_what_came_after(shelf: Shelf) -> None:
    told = newest(shelf)
    assert shelf.feeds.news("rfi", told) is None
    assert shelf.feeds.news("rfi", Since(0, 0)) is None  # a first pass is silent
    shelf.look("rfi", BORN_MS + 1, [Piece("a"), Piece("b")])
    shelf.look("other", BORN_MS + 2, [Piece("c")])
    assert names(shelf, "rfi", told) == ["b", "a"]
    assert names(shelf, "all", told) == ["c", "b", "a"]
    assert names(shelf, "changes", told) == []
    later = newest(shelf)
    shelf.look(
        "rfi", BORN_MS + 3, [Piece("a", body="<p>Quite other words.</p>", time_ms=BORN_MS)], gone=["b"]
    )
    assert names(shelf, "rfi", later) == ["a"]
    assert len(names(shelf, "changes", later)) == 2
    found = shelf.feeds.news("rfi", later)
    assert found is not None
    assert len(found.document.tombstones) == 1
    assert found.at_ms == BORN_MS + 3
    assert names(shelf, "other", later) == []


def test_documents_of_news_are_whole_documents(shelf: Shelf) -> None:
    told = newest(shelf)
    shelf.look("rfi", BORN_MS + 1, [Piece("a"), Piece("b\x01", "]]> \x08", "<p>x\x00</p>")])
    shelf.look("rfi", BORN_MS + 2, gone=["a"])
    found = shelf.feeds.news("rfi", told)
    assert found is not None
    root = etree.fromstring(atom(found.document))
    etree.RelaxNG(etree.parse(DATA / "atom.rng")).assertValid(root)
    whole = etree.fromstring(shelf.body("rfi", "atom"))
    assert root.findtext("a:id", namespaces=ATOM) == whole.findtext("a:id", namespaces=ATOM)
    assert len(etree.fromstring(rss(found.document)).findall("channel/item")) == 1
    schema = json.loads((DATA / "jsonfeed-1.1.schema.json").read_text())
    jsonschema.validate(json.loads(json_feed(found.document)), schema)


def test_news_are_bounded(shelf: Shelf) -> None:
    told = newest(shelf)
    shelf.look("rfi", BORN_MS + 1, [Piece(f"n{number}") for number in range(1_050)])
    order = shelf.reader.rows(
        "SELECT url FROM changes c JOIN entries e ON e.id = entry_id ORDER BY c.id DESC"
    )
    expected = [url.rpartition("/")[2] for (url,) in order]
    found = shelf.feeds.news("rfi", told)
    assert found is not None
    assert (found.items, found.is_cut) == (MOST_BYTES // (HEAD_BYTES + 30), True)
    assert names(shelf, "rfi", told._replace(most_bytes=2_000)) == expected[:2]
    assert names(shelf, "rfi", told._replace(most_bytes=1)) == expected[:1], "one at least"


def test_what_is_too_large_makes_way(shelf: Shelf) -> None:
    told = newest(shelf)
    large = "<p>" + "&lt;" * 50_000 + "</p>"
    shelf.look("rfi", BORN_MS + 1, [Piece("large", body=large)])
    found = shelf.feeds.news("rfi", told)
    assert found is not None
    assert (found.items, found.is_cut) == (1, False)
    assert len(atom(found.document)) > MOST_BYTES / 2
    shelf.look("rfi", BORN_MS + 2, [Piece("small"), Piece("larger", body=large * 2)])
    assert names(shelf, "rfi", told) == ["small", "large"]
    assert names(shelf, "rfi", told._replace(most_bytes=5_000)) == ["small"]
    shelf.look("rfi", BORN_MS + 3, gone=["small"])
    found = shelf.feeds.news("rfi", told._replace(most_bytes=5_000))
    assert found is not None
    assert (found.items, len(found.document.tombstones), found.is_cut) == (1, 1, True)
