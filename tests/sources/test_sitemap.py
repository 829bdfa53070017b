import gzip
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.errors import SourceError, TooLarge
from feedd.sources.sitemap import MAX_URLS, Further, Sitemap, SitemapEntry, parse_sitemap

URL = "https://example.org/sitemap.xml"
DAY = int(datetime(2026, 11, 24, tzinfo=UTC).timestamp() * 1000)


def urlset(inner: str, namespace: str = "http://www.sitemaps.org/schemas/sitemap/0.9") -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="{namespace}">{inner}</urlset>'.encode()


def entries(data: bytes) -> tuple[SitemapEntry, ...]:
    return parse_sitemap(data, URL).entries


def test_addresses_and_times() -> None:
    found = parse_sitemap(
        urlset(
            "<url><loc> https://example.org/a?x=1&amp;y=2 </loc><lastmod>2026-11-24</lastmod></url>"
            "<url><loc><![CDATA[/b]]></loc><lastmod>soon</lastmod><priority>1</priority></url>"
            "<url><loc>ftp://example.org/c</loc></url><url><lastmod>2026-11-24</lastmod></url>"
        ),
        URL,
    )
    assert found.entries == (
        SitemapEntry("https://example.org/a?x=1&y=2", DAY),
        SitemapEntry("https://example.org/b"),
    )
    assert found.rejected == (
        ("url 3", "its address 'ftp://example.org/c' is not an http or https URL"),
        ("url 4", "has no address (<loc>)"),
    )


def test_an_index() -> None:
    data = (
        "<sitemapindex xmlns='http://www.google.com/schemas/sitemap/0.84'><!-- c --><sitemap><loc>/s1.xml.gz</loc>"
        "<lastmod>2026-11-24T00:00:00Z</lastmod></sitemap><sitemap><loc>https://e.example/s2</loc></sitemap></sitemapindex>"
    )
    found = parse_sitemap(data.encode(), URL)
    assert found == Sitemap(
        (), (Further("https://example.org/s1.xml.gz", DAY), Further("https://e.example/s2"))
    )


def test_a_news_sitemap() -> None:
    data = """<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"
    xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"><url><loc>https://example.org/n</loc><news:news>
    <news:publication><news:name>The Courier</news:name><news:language>en</news:language></news:publication>
    <news:publication_date>2026-11-24T01:00:00+01:00</news:publication_date><news:title>Bridge &amp;
    road</news:title><news:keywords>bridge, flood,</news:keywords></news:news>
    <image:image><image:loc>/i/1.jpg</image:loc><image:title>No</image:title></image:image>
    <image:image><image:loc>/i/2.jpg</image:loc></image:image></url></urlset>"""
    (entry,) = entries(data.encode())
    assert entry == SitemapEntry(
        "https://example.org/n",
        None,
        "Bridge & road",
        DAY,
        "en",
        "https://example.org/i/1.jpg",
        ("bridge", "flood"),
    )
    item = entry.item
    assert (item.url, item.title, item.html, item.published_ms, item.updated_ms) == (
        "https://example.org/n", "Bridge & road", "", DAY, None,
    )  # fmt: skip
    assert (item.details.language, item.details.categories, item.image) == (
        "en",
        ("bridge", "flood"),
        entry.image,
    )


def test_a_video_sitemap() -> None:
    data = urlset(
        "<url><loc>/v</loc><video:video xmlns:video='v'><video:thumbnail_loc>/t.png</video:thumbnail_loc>"
        "<video:title>Film</video:title><video:publication_date>2026-11-24</video:publication_date></video:video></url>"
    )
    assert entries(data) == (
        SitemapEntry("https://example.org/v", None, "Film", DAY, None, "https://example.org/t.png"),
    )


@pytest.mark.parametrize(
    "data",
    [
        urlset("<url><loc>/a</loc></url>", "nonsense"),
        b"<urlset><url><loc>/a</loc></url></urlset>",
        b"  \n<urlset><url><loc>/a</loc></url>",
        b"<root><news:urlset><news:url><news:loc>/a</news:loc></news:url></news:urlset></root>",
        '\ufeff<?xml version="1.0" encoding="utf-16"?><URLSET><URL><LOC>/a</LOC></URL></URLSET>'.encode(),
        "<urlset><url><loc>/a</loc></url></urlset>".encode("utf-16"),
        b"<urlset><url><loc>/a</loc></url><url><loc>\x00</loc>",
        b"https://example.org/a\r\n",
        b"\xef\xbb\xbfhttps://example.org/a",
        b'<rss version="2.0"><channel><item><link>https://example.org/a</link></item></channel></rss>',
        b'{"version": "https://jsonfeed.org/version/1.1", "items": [{"url": "https://example.org/a"}]}',
        gzip.compress(b"<urlset><url><loc>/a</loc></url></urlset>", mtime=0),
        gzip.compress(b"<urlset><url><loc>/a</loc></url></urlset>", mtime=0)[:-6],
    ],
)
def test_whatever_shape_it_has(data: bytes) -> None:
    assert [entry.url for entry in entries(data)] == ["https://example.org/a"]


def test_a_feed_as_a_sitemap() -> None:
    data = b"""<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de"><entry><title>T</title><id>urn:x</id>
    <link href="/a"/><updated>2026-11-24T00:00:00Z</updated><published>2026-11-23T00:00:00Z</published></entry>
    <entry><title>no address</title><id>urn:y</id></entry></feed>"""
    found = parse_sitemap(data, URL)
    assert found.entries == (SitemapEntry("https://example.org/a", DAY, "T", DAY - 86_400_000, "de"),)
    assert found.rejected == (("item 2", "has no address"),)


def test_plain_text() -> None:
    found = parse_sitemap(
        b"https://example.org/a\n\nnot one\nmailto:x@example.org\nhttps://example.org/b", URL
    )
    assert [entry.url for entry in found.entries] == ["https://example.org/a", "https://example.org/b"]
    assert [where for where, _ in found.rejected] == ["line 3", "line 4"]


def test_an_empty_sitemap_is_one() -> None:
    assert parse_sitemap(urlset(""), URL) == Sitemap()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"<html><body><p>Not found</p></body></html>", "is no sitemap: it is a document <html>"),
        (b"<!doctype html><title>x</title><p>a<br>b", "is no sitemap"),
        (b"just words", "is no sitemap"),
        (b"{}", "no JSON Feed"),
        (b"<", "is no sitemap"),
        (b"\x1f\x8bnonsense", "damaged"),
    ],
)
def test_what_is_no_sitemap_is_said_so(data: bytes, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        parse_sitemap(data, URL)


def test_a_gzip_bomb() -> None:
    with pytest.raises(TooLarge, match="52,428,800"):
        parse_sitemap(gzip.compress(bytes(60_000_000), 1), URL)


@pytest.mark.parametrize(
    "dtd",
    [
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd" [<!ENTITY x "boom">]>',
        '<!DOCTYPE a [<!ENTITY y "/secret"><!ENTITY x "&y;&y;&y;&y;&y;&y;">]>',
    ],
)
def test_no_entity_is_replaced(dtd: str) -> None:
    found = parse_sitemap(f"{dtd}<urlset><url><loc>/a&x;</loc></url></urlset>".encode(), URL)
    assert [entry.url for entry in found.entries] == ["https://example.org/a"]


def test_depth_and_number_are_bounded() -> None:
    many = parse_sitemap(urlset("<url><loc>/a</loc></url>" * (MAX_URLS + 2)), URL)
    assert len(many.entries) == MAX_URLS
    assert many.rejected == (("urls", "a sitemap may hold 50,000; of these 50,002 the first are read"),)
    with pytest.raises(SourceError):
        parse_sitemap(b"<a>" * 200_000, URL)


@pytest.mark.parametrize(
    ("url", "title"),
    [
        ("https://example.org/news/2026/bamboo-bridge_reopens.html", "bamboo bridge reopens"),
        ("https://example.org/%E6%96%B0%E9%97%BB/", "新闻"),
        ("https://example.org/", "example.org"),
    ],
)
def test_a_page_without_a_title_is_named_by_its_address(url: str, title: str) -> None:
    assert SitemapEntry(url).named_item.title == title
    assert SitemapEntry(url).item.title == ""
    assert SitemapEntry(url, title="T").named_item.title == "T"


@given(st.binary() | st.text('<>/urlsetocmap&;"= hp:').map(str.encode) | st.binary().map(gzip.compress))
def test_any_bytes_are_a_sitemap_or_a_named_error(data: bytes) -> None:
    try:
        found = parse_sitemap(data, URL)
    except SourceError:
        return
    assert all(entry.url.startswith("http") for entry in found.entries)
