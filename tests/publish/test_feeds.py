"""What each format says, and that it is valid, whatever the entries hold."""

import json
import locale
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import feedparser
import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from shelf import BORN_MS, Piece, Shelf

from feedd.normalise.article import normalise
from feedd.normalise.text import FORBIDDEN
from feedd.publish.document import Document
from feedd.publish.jsonfeed import json_feed
from feedd.publish.opml import opml
from feedd.publish.syndication import atom, rss
from feedd.store.reader import Entry

DATA = Path(__file__).parent.parent / "data"
BASE = "http://127.0.0.1:8080/"
NS = {
    "a": "http://www.w3.org/2005/Atom",
    "media": "http://search.yahoo.com/mrss/",
    "content": "http://purl.org/rss/1.0/modules/content/",
}
PICTURE = '<p><img src="https://example.org/p.jpg" alt="x">Text after it.</p>'
TOML = """
[sources.rfi]
type = "directory"
path = "x"
title = "RFI <&> 中文"
language = "zh"
[feeds.short]
content = "summary"
title = "In \\"short\\""
[feeds.odd]
title = "\\u0001"
"""
HOSTILE = (
    Piece("controls", "a\x00b\x08c\x0bd\x1fe\x7ff\x85g", "<p>x\x00y\x0cz\x1b[31m\ufffe\uffff</p>"),
    Piece("surrogates", "one &#xd800; two", "<p>&#xdc80; three &#55357;</p>"),
    Piece("cdata", "]]> <![CDATA[ ]]&gt;", "<p>]]> &lt;![CDATA[ ]]&gt; <b>]]></b></p>"),
    Piece("untitled", "", PICTURE),
    Piece("blank", " \u200b\x01 ", "<p>&nbsp;</p>"),
    Piece("only-controls", "\x01\x02", "<p>&#1;&#xd800;&#xfffe;</p>"),
    Piece("long", "很" * 5000, "<p>" + "长" * 20_000 + "</p>"),
    Piece("emoji", "👩‍👩‍👧‍👦 🇯🇵 \U0010ffff", "<p>👍🏽 \U0001f600</p>"),
    Piece("rtl", "\u202eمرحبا بالعالم\u202c שלום", '<p dir="rtl">مرحبا</p>'),
    Piece(
        "markup", "<script>alert(1)</script> & <b>bold</b> &amp; &nbsp;", "<p>a &lt;b&gt; c &amp;amp; d</p>"
    ),
    Piece("picture", "Picture", '<img src="https://example.org/a b%zz{}|^`\\&#34;é.jpg?x=[1]#y"><p>Text</p>'),
    Piece("newlines", "one\r\ntwo\ttwo", "<pre>a\r\nb\tc\rd</pre>"),
    Piece("old", "Old", "<p>Old</p>", 100_000_000_000),
    Piece("guessed", "Guessed", "<p>No time</p>", None),
    Piece("path(1)'*!;:@&=+$,[]?q=%E4%BD%A0&r=~#x", "An address"),
)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    made = Shelf(tmp_path_factory.mktemp("hostile"), TOML)
    made.look("rfi", BORN_MS, HOSTILE)
    made.look("rfi", BORN_MS + 90_000, [Piece("cdata", "]]> edited", "<p>edited ]]></p>")])
    yield made
    made.close()


@pytest.fixture(scope="module")
def atom_schema() -> etree.RelaxNG:
    return etree.RelaxNG(etree.parse(DATA / "atom.rng"))


@pytest.fixture(scope="module")
def json_schema() -> Any:
    return jsonschema.Draft202012Validator(json.loads((DATA / "jsonfeed-1.1.schema.json").read_text()))


feeds = pytest.mark.parametrize("feed", ["all", "rfi", "short", "odd"])


def parsed(body: bytes) -> Any:
    """As feedparser reads it."""
    found = feedparser.parse(body, sanitize_html=False, resolve_relative_uris=False)
    assert found.bozo == 0, found.get("bozo_exception")
    return found


@feeds
def test_atom_is_valid(shelf: Shelf, atom_schema: etree.RelaxNG, feed: str) -> None:
    body = shelf.body(feed, "atom")
    atom_schema.assertValid(etree.fromstring(body))
    assert len(parsed(body).entries) == len(HOSTILE)


@feeds
def test_json_feed_is_valid(shelf: Shelf, json_schema: Any, feed: str) -> None:
    body = shelf.body(feed, "json")
    json_schema.validate(json.loads(body))
    assert FORBIDDEN.search(body.decode()) is None


@feeds
def test_rss_is_well_formed(shelf: Shelf, feed: str) -> None:
    found = parsed(shelf.body(feed, "rss"))
    assert len(found.entries) == len(HOSTILE)
    assert found.version == "rss20"


@feeds
def test_the_same_ids_in_all_formats(shelf: Shelf, feed: str) -> None:
    items = json.loads(shelf.body(feed, "json"))["items"]
    expected = [f"urn:uuid:{uuid5(NAMESPACE_URL, item['url'])}" for item in items]
    assert [item["id"] for item in items] == expected
    assert [entry.id for entry in parsed(shelf.body(feed, "atom")).entries] == expected
    assert [entry.id for entry in parsed(shelf.body(feed, "rss")).entries] == expected
    assert len(set(expected)) == len(HOSTILE)


@feeds
@pytest.mark.parametrize("format_", ["atom", "rss", "json"])
def test_the_same_bytes_at_each_render(shelf: Shelf, feed: str, format_: str) -> None:
    assert shelf.body(feed, format_) == shelf.body(feed, format_)


def test_no_item_lacks_a_title_and_none_is_empty(shelf: Shelf) -> None:
    for format_ in ("atom", "rss"):
        assert all(entry.title.strip() for entry in parsed(shelf.body("all", format_)).entries)
    titles = {item["url"]: item["title"] for item in json.loads(shelf.body("all", "json"))["items"]}
    assert all(title.strip() for title in titles.values())
    assert titles["https://example.org/untitled"] == "Text after it."
    assert titles["https://example.org/long"] == "很" * 5000
    assert titles["https://example.org/markup"] == "<script>alert(1)</script> & <b>bold</b> &amp; &nbsp;"


def test_titles_are_plain_text_in_every_format(shelf: Shelf) -> None:
    expected = [item["title"] for item in json.loads(shelf.body("all", "json"))["items"]]
    root = etree.fromstring(shelf.body("all", "atom"))
    assert [title.text for title in root.iterfind("a:entry/a:title", NS)] == expected
    root = etree.fromstring(shelf.body("all", "rss"))
    assert [title.text for title in root.iterfind("channel/item/title", NS)] == expected


def test_the_head_of_a_feed(shelf: Shelf) -> None:
    root = etree.fromstring(shelf.body("rfi", "atom"))
    assert root.findtext("a:title", namespaces=NS) == "RFI <&> 中文"
    links = {link.get("rel"): (link.get("href"), link.get("type")) for link in root.iterfind("a:link", NS)}
    assert links == {
        "self": (f"{BASE}feeds/rfi.atom", "application/atom+xml"),
        "hub": (f"{BASE}hub", None),
        "alternate": (f"{BASE}feeds/rfi", "text/html"),
    }
    assert root.get("{http://www.w3.org/XML/1998/namespace}lang") == "zh"
    assert parsed(shelf.body("rfi", "atom")).feed.updated.startswith("2025-06-15T15:08:10")
    channel = etree.fromstring(shelf.body("rfi", "rss")).find("channel")
    assert channel is not None
    assert channel.findtext("link") == f"{BASE}feeds/rfi"
    assert channel.findtext("description") == "RFI <&> 中文"
    own = {link.get("rel"): link.get("href") for link in channel.findall("a:link", NS)}
    assert own == {"self": f"{BASE}feeds/rfi.rss", "hub": f"{BASE}hub"}
    feed = json.loads(shelf.body("rfi", "json"))
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert (feed["home_page_url"], feed["feed_url"]) == (f"{BASE}feeds/rfi", f"{BASE}feeds/rfi.json")
    assert feed["language"] == "zh"


def test_a_feeds_id_is_made_from_the_databases_own(shelf: Shelf) -> None:
    root = etree.fromstring(shelf.body("rfi", "atom"))
    made = uuid5(UUID(shelf.reader.uuid()), "feed:rfi")
    assert root.findtext("a:id", namespaces=NS) == f"urn:uuid:{made}"
    assert {each.text for each in root.iterfind("a:entry/a:source/a:id", NS)} == {f"urn:uuid:{made}"}


def test_the_whole_content_is_in_full_feeds(shelf: Shelf) -> None:
    expected = [item["content_html"] for item in json.loads(shelf.body("all", "json"))["items"]]
    entries = etree.fromstring(shelf.body("all", "atom")).findall("a:entry", NS)
    for entry in entries:
        assert entry.find("a:content", NS).get("type") == "html"
        assert entry.find("a:summary", NS) is None
    assert [entry.findtext("a:content", namespaces=NS).replace("\r", "") for entry in entries] == [
        html.replace("\r", "") for html in expected
    ]
    assert any("]]&gt;" in html for html in expected)


def test_the_beginning_of_the_text_is_in_summary_feeds(shelf: Shelf) -> None:
    items = json.loads(shelf.body("short", "json"))["items"]
    assert all("content_html" not in item and len(item["content_text"]) <= 301 for item in items)
    entries = etree.fromstring(shelf.body("short", "atom")).findall("a:entry", NS)
    assert all(entry.find("a:content", NS) is None for entry in entries)
    assert [entry.findtext("a:summary", namespaces=NS) for entry in entries] == [
        item["content_text"] for item in items
    ]
    rss_items = etree.fromstring(shelf.body("short", "rss")).findall("channel/item")
    assert all(item.find("content:encoded", NS) is None for item in rss_items)


def test_times(shelf: Shelf) -> None:
    """`published` stays; `updated` is when the edit was recorded."""
    (edited,) = (
        item for item in json.loads(shelf.body("all", "json"))["items"] if item["title"] == "]]> edited"
    )
    assert (edited["date_published"], edited["date_modified"]) == (
        "2025-06-15T14:50:00Z",
        "2025-06-15T15:08:10Z",
    )
    (item,) = (
        item
        for item in etree.fromstring(shelf.body("all", "rss")).iterfind("channel/item")
        if item.findtext("title") == "]]> edited"
    )
    assert item.findtext("pubDate") == "Sun, 15 Jun 2025 14:50:00 +0000"
    assert item.findtext("a:updated", namespaces=NS) == "2025-06-15T15:08:10Z"
    assert item.find("guid").get("isPermaLink") == "false"


def test_a_lead_picture(shelf: Shelf) -> None:
    (item,) = (
        item for item in json.loads(shelf.body("all", "json"))["items"] if item["url"].endswith("untitled")
    )
    assert item["image"] == "https://example.org/p.jpg"
    for format_ in ("atom", "rss"):
        thumbnails = etree.fromstring(shelf.body("all", format_)).iterfind(".//media:thumbnail", NS)
        assert "https://example.org/p.jpg" in {each.get("url") for each in thumbnails}


def test_rendering_leaves_the_locale_alone(shelf: Shelf) -> None:
    before = locale.setlocale(locale.LC_ALL)
    try:
        for name in ("de_DE.UTF-8", "C.UTF-8", "C"):
            try:
                locale.setlocale(locale.LC_ALL, name)
            except locale.Error:
                continue
            now = locale.setlocale(locale.LC_ALL)
            body = shelf.body("all", "rss")
            assert locale.setlocale(locale.LC_ALL) == now
            assert b"Sun, 15 Jun 2025" in body
    finally:
        locale.setlocale(locale.LC_ALL, before)


def test_opml(shelf: Shelf) -> None:
    body = opml(shelf.feeds.plans.values(), BASE)
    root = etree.fromstring(body)
    assert (root.tag, root.get("version")) == ("opml", "2.0")
    assert root.findtext("head/title")
    outlines = root.findall("body/outline")
    assert [outline.get("xmlUrl") for outline in outlines] == [
        f"{BASE}feeds/{name}.atom" for name in ("all", "changes", "health", "rfi", "short", "odd")
    ]
    assert all(outline.get("type") == "rss" and outline.get("text") for outline in outlines)
    assert outlines[3].get("text") == "RFI <&> 中文"


def entry_of(title: str, html: str, image: str | None, published: int, updated: int, entry_id: int) -> Entry:
    """An entry as a damaged store might hold it: nothing was cleaned."""
    article = normalise(f"https://example.org/{entry_id}", "x", "x")
    return Entry(
        entry_id, article.uid, article.url, title, published, updated, False, updated, updated, None, 1, 0,
        ("s",), "s", image, html,
    )  # fmt: skip


any_text = st.text(st.characters() | st.sampled_from("\x00\x1b\ud800\udfff\ufffe]>&<\"'"), max_size=60)
any_entry = st.builds(
    entry_of,
    any_text,
    any_text,
    st.none() | any_text.map("https://example.org/{}".format),
    st.integers(-(10**14), 10**16),
    st.integers(-(10**14), 10**16),
    st.integers(1, 50),
)


@settings(max_examples=60, deadline=None)
@given(
    title=any_text,
    source=any_text,
    content=st.sampled_from(["full", "summary"]),
    entries=st.lists(any_entry, max_size=4, unique_by=lambda entry: entry.id),
)
def test_whatever_the_entries_hold(
    atom_schema: etree.RelaxNG, json_schema: Any, title: str, source: str, content: str, entries: list[Entry]
) -> None:
    made = Document(
        "x", f"urn:uuid:{UUID(int=1)}", title, BASE, None, content, 0, tuple(entries),
        {"s": f"urn:uuid:{UUID(int=2)}"}, {"s": source},
    )  # fmt: skip
    atom_schema.assertValid(etree.fromstring(atom(made)))
    items = json.loads(json_feed(made))
    json_schema.validate(items)
    expected = [f"urn:uuid:{entry.uid}" for entry in entries]
    assert [item["id"] for item in items["items"]] == expected
    root = etree.fromstring(rss(made))
    assert [guid.text for guid in root.iterfind("channel/item/guid")] == expected
    assert root.findtext("channel/title")
    assert all(item.findtext("title") for item in root.iterfind("channel/item"))


def test_the_schemas_refuse_what_is_invalid(
    shelf: Shelf, atom_schema: etree.RelaxNG, json_schema: Any
) -> None:
    root = etree.fromstring(shelf.body("all", "atom"))
    root.remove(root.find("a:updated", NS))
    assert not atom_schema.validate(root)
    assert not json_schema.is_valid({"version": "1", "title": "x"})
