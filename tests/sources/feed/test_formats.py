"""What each format says, read off documents that are small enough to be seen whole."""

import json
from base64 import b64encode

import pytest

from feedd.model import Enclosure, RawItem
from feedd.sources.feed.document import FeedDocument
from feedd.sources.feed.parse import parse

URL = "https://example.org/feeds/news.xml"
NAMESPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    ' xmlns:media="http://search.yahoo.com/mrss/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
    ' xmlns:atom="http://www.w3.org/2005/Atom" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"'
    ' xmlns:dcterms="http://purl.org/dc/terms/" xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0"'
    ' xmlns:xhtml="http://www.w3.org/1999/xhtml"'
)


def rss(channel: str = "", *items: str, version: str = "2.0") -> FeedDocument:
    body = "".join(f"<item>{item}</item>" for item in items)
    return parse(
        f'<rss version="{version}" {NAMESPACES}><channel>{channel}{body}</channel></rss>'.encode(), URL
    )


def item(text: str) -> RawItem:
    return rss("", text).items[0]


def atom(feed: str = "", *entries: str, root: str = 'xmlns="http://www.w3.org/2005/Atom"') -> FeedDocument:
    body = "".join(f"<entry>{entry}</entry>" for entry in entries)
    return parse(f"<feed {root}>{feed}{body}</feed>".encode(), URL)


def entry(text: str) -> RawItem:
    return atom("", text).items[0]


@pytest.mark.parametrize(
    "document, expected",
    [
        ('<rss version="0.91"><channel><item/></channel></rss>', "rss091"),
        ('<rss version="0.92"><channel><item/></channel></rss>', "rss092"),
        ('<rss version="0.93"><channel><item/></channel></rss>', "rss093"),
        ('<rss version="0.94"><channel><item/></channel></rss>', "rss094"),
        ('<rss version="2.0"><channel><item/></channel></rss>', "rss20"),
        ("<rss><channel><item/></channel></rss>", "rss"),
        (
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'  # noqa: ISC004
            ' xmlns="http://my.netscape.com/rdf/simple/0.9/"><channel/><item/></rdf:RDF>',
            "rss090",
        ),
        (
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'  # noqa: ISC004
            ' xmlns="http://purl.org/rss/1.0/"><channel/><item/></rdf:RDF>',
            "rss10",
        ),
        ('<Channel xmlns="http://purl.org/net/rss1.1#"><items><item/></items></Channel>', "rss11"),
        ('<feed xmlns="http://www.w3.org/2005/Atom"><entry/></feed>', "atom10"),
        ('<feed version="0.3" xmlns="http://purl.org/atom/ns#"><entry/></feed>', "atom03"),
        ("<feed><entry/></feed>", "atom10"),
        ("<CHANNEL><ITEM/></CHANNEL>", "cdf"),
        ('<entry xmlns="http://www.w3.org/2005/Atom"><id>a</id></entry>', "atom10"),
        ('{"version": "https://jsonfeed.org/version/1", "items": [{"id": 1}]}', "json10"),
        ('{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1"}]}', "json11"),
    ],
)
def test_formats_are_told_apart(document: str, expected: str) -> None:
    found = parse(document.encode(), URL)
    assert (found.format, len(found.items), found.parser) == (expected, 1, "feedd")


def test_what_a_channel_says() -> None:
    found = rss(
        "<title>News &amp;amp; <![CDATA[<b>more</b>]]></title><link>https://example.org/</link><language>de</language>"
        "<ttl>60</ttl><sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>"
        "<skipHours><hour>24</hour><hour>3</hour><hour>x</hour></skipHours>"
        "<skipDays><day>Sunday</day><day>monday</day></skipDays>"
        "<image><url>/logo.png</url><title>no</title><link>https://no.example/</link></image>"
        '<atom:link rel="self" href="https://example.org/feed"/><atom:link rel="hub" href="https://hub.example/"/>'
        '<atom:link rel="next" href="?page=2"/>'
    )
    assert found == FeedDocument(
        format="rss20",
        title="News & more",
        url="https://example.org/",
        language="de",
        image="https://example.org/logo.png",
        hubs=("https://hub.example/",),
        self_url="https://example.org/feed",
        ttl_s=3600,
        update_period_s=6 * 3600,
        skip_hours=(0, 3),
        skip_days=(0, 6),
        next_url="https://example.org/feeds/news.xml?page=2",
    )


@pytest.mark.parametrize(
    "written, title",
    [
        ("AT&amp;amp;T &amp;#8217;n&amp;rsquo;", "AT&T ’n’"),
        ("&lt;b&gt;Bold&lt;/b&gt; words", "Bold words"),
        ("The &lt;canvas&gt; element", "The <canvas> element"),
        ("The &lt;b&gt; element", "The <b> element"),
        ("Vec&lt;T&gt; in Rust &amp; C", "Vec<T> in Rust & C"),
        ("a &lt; b &gt; c", "a < b > c"),
        ("one&lt;br&gt;two", "one two"),
        ("it&#146;s", "it’s"),
        ("  two\n lines ", "two lines"),
        ("<b>naked</b> markup", "naked markup"),
        ("&amp;lt;b&amp;gt; escaped twice", "<b> escaped twice"),
        ("Q&amp;A &amp;copy 2024; &amp;unknown;", "Q&A &copy 2024; &unknown;"),
    ],
)
def test_titles_of_rss_go_by_looks(written: str, title: str) -> None:
    assert item(f"<title>{written}</title>").title == title


@pytest.mark.parametrize(
    "written, title",
    [
        ("<title>AT&amp;amp;T &lt;b&gt;</title>", "AT&amp;T <b>"),
        ('<title type="text">a &lt;b&gt;bold&lt;/b&gt; claim</title>', "a <b>bold</b> claim"),
        (
            '<title type="html">AT&amp;amp;T &lt;b&gt;bold&lt;/b&gt; &amp;lt;i&amp;gt;</title>',
            "AT&T bold <i>",
        ),
        (
            '<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">a <b>bold</b> &lt;i&gt;</div></title>',
            "a bold <i>",
        ),
        ('<title mode="escaped" type="text/html">a &lt;b&gt;bold&lt;/b&gt;</title>', "a bold"),
        (f'<title mode="base64" type="text/plain">{b64encode("ä <b>".encode()).decode()}</title>', "ä <b>"),
    ],
)
def test_titles_of_atom_go_by_their_type(written: str, title: str) -> None:
    assert entry(written).title == title


@pytest.mark.parametrize(
    "written, html",
    [
        ('<content type="text">a &lt;b&gt; &amp; c</content>', "a &lt;b&gt; &amp; c"),
        ('<content type="html">a &lt;b&gt;c&lt;/b&gt;</content>', "a <b>c</b>"),
        ('<content type="text/html"><![CDATA[<p>&nbsp;x</p>]]></content>', "<p>&nbsp;x</p>"),
        (
            '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>a<br/>b &amp; c</p>d</div></content>',
            "<p>a<br>b &amp; c</p>d",
        ),
        (
            '<content type="xhtml"><h:div xmlns:h="http://www.w3.org/1999/xhtml"><h:p>a<h:br/>b</h:p></h:div></content>',
            "<p>a<br>b</p>",
        ),
        (
            f'<content type="text/x-none" mode="base64">{b64encode(b"<p>a</p>").decode()}</content>',
            "&lt;p&gt;a&lt;/p&gt;",
        ),
        (f'<content type="application/x">{b64encode(b"<p>a</p>").decode()}</content>', "<p>a</p>"),
        (
            f'<content type="image/png">{b64encode(bytes(range(256))).decode()}</content><summary>s</summary>',
            "s",
        ),
        ('<content src="https://example.org/movie"/><summary>s &lt;</summary>', "s &lt;"),
        ('<content type="html"> </content><summary type="html">&lt;i&gt;s&lt;/i&gt;</summary>', "<i>s</i>"),
        (
            '<content type="text/plain">p</content><content type="text/html">&lt;b&gt;h&lt;/b&gt;</content>',
            "<b>h</b>",
        ),
    ],
)
def test_content_of_atom(written: str, html: str) -> None:
    assert entry(written).html == html


@pytest.mark.parametrize(
    "written, html",
    [
        ("<description>a &lt;b&gt;c&lt;/b&gt; &amp;amp; d</description>", "a <b>c</b> &amp; d"),
        ("<description>plain &amp; a &lt; b</description>", "plain &amp; a &lt; b"),
        ("<description><b>naked</b> &amp; bare</description>", "<b>naked</b> &amp; bare"),
        ("<description>s</description><content:encoded>&lt;p&gt;c&lt;/p&gt;</content:encoded>", "<p>c</p>"),
        ("<content:encoded/><description>s</description>", "s"),
        ("<description>s</description><xhtml:body><xhtml:p>c</xhtml:p></xhtml:body>", "<p>c</p>"),
        ("<description>s</description><fullitem>&lt;p&gt;c&lt;/p&gt;</fullitem>", "<p>c</p>"),
        ("<itunes:summary>i</itunes:summary><dc:description>d</dc:description>", "d"),
        ("<media:group><media:description>a &lt;\nb</media:description></media:group>", "a &lt;<br>\nb"),
        ("<description>a&nbsp;b &eacute; &bogus; &amp;nbsp;</description>", "a\xa0b é &bogus; &nbsp;"),
    ],
)
def test_content_of_rss(written: str, html: str) -> None:
    assert item(written).html == html


@pytest.mark.parametrize(
    "written, url, guid",
    [
        (
            "<link>https://a.example/1</link><guid>https://a.example/g</guid>",
            "https://a.example/1",
            "https://a.example/g",
        ),
        ("<guid>https://a.example/g</guid>", "https://a.example/g", "https://a.example/g"),
        ('<guid isPermaLink="false">https://a.example/g</guid>', None, "https://a.example/g"),
        ("<link>javascript:alert(1)</link><guid>x 1</guid>", None, "x 1"),
        ("<link>mailto:a@example.org</link>", None, None),
        ("<link>\n /story?a=1&amp;b=2 </link>", "https://example.org/story?a=1&b=2", None),
        ("<link>example.org/story</link>", "https://example.org/story", None),
        ("<link>//cdn.example/x</link>", "https://cdn.example/x", None),
        ('<link href="https://a.example/h"/>', "https://a.example/h", None),
        ("<link/><atom:link href='https://a.example/atom'/>", "https://a.example/atom", None),
        (
            "<link>https://a/click</link><feedburner:origLink>https://a/b</feedburner:origLink>",
            "https://a/b",
            None,
        ),
        (
            "<link>http://</link><link>https://[bad/</link><link>https://a.example/3</link>",
            "https://a.example/3",
            None,
        ),
        ("<link>https://a.example/a\n b</link>", "https://a.example/a b", None),
    ],
)
def test_link_and_guid_of_rss(written: str, url: str | None, guid: str | None) -> None:
    found = item(written)
    assert (found.url, found.guid) == (url, guid)


@pytest.mark.parametrize(
    "written, url",
    [
        ('<link href="/a"/>', "https://example.org/a"),
        (
            '<link rel="self" href="/s"/><link rel="alternate" type="application/pdf" href="/p"/>',
            "https://example.org/p",
        ),
        (
            '<link type="application/pdf" href="/p"/><link type="text/html" href="/h"/>',
            "https://example.org/h",
        ),
        (
            '<link rel="http://www.iana.org/assignments/relation/alternate" href="/i"/>',
            "https://example.org/i",
        ),
        ("<id>https://example.org/id</id>", "https://example.org/id"),
        ("<id>tag:example.org,2024:1</id>", None),
        ('<link rel="enclosure" href="/e.mp3"/>', None),
    ],
)
def test_link_of_atom(written: str, url: str | None) -> None:
    assert entry(written).url == url


def test_times() -> None:
    both = entry("<published>2024-10-01T10:00:00+02:00</published><updated>2024-10-02T10:00:00Z</updated>")
    assert (both.published_ms, both.updated_ms) == (1727769600000, 1727863200000)
    assert item("<pubDate>Tue, 01 Oct 2024 10:00:00 +0200</pubDate>").published_ms == 1727769600000
    assert item("<dc:date>2024-10-01</dc:date><pubDate>soon</pubDate>").published_ms == 1727740800000
    assert item("<atom:updated>2024-10-01T08:00:00Z</atom:updated>").updated_ms == 1727769600000
    assert item("<dcterms:modified>2024-10-01T08:00:00Z</dcterms:modified>").updated_ms == 1727769600000
    old = atom(
        "",
        "<issued>2004-10-01</issued><modified>2004-10-02</modified>",
        root='xmlns="http://purl.org/atom/ns#"',
    )
    assert (old.items[0].published_ms, old.items[0].updated_ms) == (1096588800000, 1096675200000)


@pytest.mark.parametrize(
    "written, authors",
    [
        ("<author>ada@example.org (Ada Lovelace)</author>", ("Ada Lovelace",)),
        ("<author>Ada Lovelace &lt;ada@example.org&gt;</author>", ("Ada Lovelace",)),
        ("<author>ada@example.org</author>", ("ada@example.org",)),
        (
            "<dc:creator>Ada</dc:creator><dc:creator>Bob</dc:creator><author>x@example.org</author>",
            ("Ada", "Bob"),
        ),
        ("<itunes:author>Ada</itunes:author>", ("Ada",)),
        ("<author><name>Ada</name><email>a@example.org</email></author>", ("Ada",)),
        ("<author> </author>", ()),
    ],
)
def test_authors_of_rss(written: str, authors: tuple[str, ...]) -> None:
    assert item(written).details.authors == authors


def test_authors_of_atom_are_inherited() -> None:
    found = atom(
        "<author><name>Feed</name></author>",
        "<author><name>Ada</name></author><author><email>bob@example.org</email></author>",
        "<source><author><name>Origin</name></author></source>",
        "<title>none</title>",
    )
    assert [each.details.authors for each in found.items] == [
        ("Ada", "bob@example.org"),
        ("Origin",),
        ("Feed",),
    ]


def test_categories() -> None:
    found = item(
        "<category>A</category><category>A</category><dc:subject>B</dc:subject>"
        "<itunes:keywords>c, d</itunes:keywords><category> </category>"
    )
    assert found.details.categories == ("A", "B", "c", "d")
    assert entry('<category term="t"/><category term="u" label="U &amp; V"/>').details.categories == (
        "t",
        "U & V",
    )


def test_enclosures_complete_each_other() -> None:
    found = item(
        '<enclosure url="/a.mp3" length="123" type="audio/mpeg"/><itunes:duration>1:02:03</itunes:duration>'
        '<media:group><media:content url="https://example.org/a.mp3" fileSize="9" duration="60"/>'
        '<media:content url="https://example.org/b.jpg" medium="image" type="image/jpeg"/></media:group>'
        '<enclosure url="javascript:x"/><enclosure url="" type="audio/mpeg"/>'
    )
    assert found.details.enclosures == (
        Enclosure("https://example.org/a.mp3", "audio/mpeg", 123, None, 60),
        Enclosure("https://example.org/b.jpg", "image/jpeg"),
    )
    assert found.image == "https://example.org/b.jpg"


def test_enclosures_of_atom() -> None:
    found = entry('<link rel="enclosure" href="/a.mp3" length="123" type="Audio/MPEG" title="Part 1"/>')
    assert found.details.enclosures == (Enclosure("https://example.org/a.mp3", "audio/mpeg", 123, "Part 1"),)


@pytest.mark.parametrize(
    "written",
    [
        '<media:thumbnail url="/p.png"/>',
        '<media:thumbnail url="/small.png" width="10"/><media:thumbnail url="/p.png" width="100"/>',
        '<itunes:image href="/p.png"/>',
        '<enclosure url="/p.png" type="image/png"/>',
        '<enclosure url="/p.png"/>',
        "<image><url>/p.png</url></image>",
        '<media:content url="/p.png" medium="image"><media:title>t</media:title></media:content>',
    ],
)
def test_pictures(written: str) -> None:
    assert item(written).image == "https://example.org/p.png"


def test_podcasts() -> None:
    found = item(
        '<enclosure url="/a.mp3" length="0" type="audio/mpeg"/><itunes:duration>62:03</itunes:duration>'
        "<itunes:episode>7</itunes:episode><itunes:season>2</itunes:season><itunes:explicit>Clean</itunes:explicit>"
    )
    assert found.details.enclosures == (
        Enclosure("https://example.org/a.mp3", "audio/mpeg", None, None, 3723),
    )
    assert (found.details.episode, found.details.season, found.details.explicit) == ("7", "2", False)
    assert item("<itunes:explicit>yes</itunes:explicit>").details.explicit is True
    assert item("<itunes:explicit>perhaps</itunes:explicit>").details.explicit is None


def test_where_an_entry_came_from() -> None:
    found = item('<source url="https://o.example/rss">Origin</source><comments>/c</comments>').details
    assert (found.origin, found.origin_url) == ("Origin", "https://o.example/rss")
    assert found.comments_url == "https://example.org/c"
    theirs = entry(
        '<source><title>Origin</title><link rel="self" href="https://o.example/atom"/></source>'
        '<link rel="replies" type="application/atom+xml" href="/r.atom"/><link rel="replies" href="/r"/>'
    ).details
    assert (theirs.origin, theirs.origin_url) == ("Origin", "https://o.example/atom")
    assert theirs.comments_url == "https://example.org/r"


def test_bases_nest() -> None:
    found = atom(
        "",
        '<link href="x"/><content type="xhtml" xml:base="deep/">'
        '<div xmlns="http://www.w3.org/1999/xhtml" xml:base="er/" xml:lang="fr"><a href="y">y</a></div></content>',
        root='xmlns="http://www.w3.org/2005/Atom" xml:base="http://other.example/a/" xml:lang="en"',
    )
    assert found.language == "en"
    assert found.items[0].url == "http://other.example/a/x"
    assert found.items[0].base_url == "http://other.example/a/deep/er/"
    assert found.items[0].details.language == "fr"
    assert found.items[0].html == '<a href="y">y</a>'


def test_an_item_that_does_not_say_is_in_the_language_of_its_feed() -> None:
    said = "<item><title>a</title></item><item><title>b</title><dc:language>fr</dc:language></item>"
    found = [item.details.language for item in rss(f"<language>de-AT</language>{said}").items]
    assert found == ["de-AT", "fr"]
    assert [item.details.language for item in rss(said).items] == [None, "fr"]
    root = 'xmlns="http://www.w3.org/2005/Atom" xml:lang="en"'
    assert atom("", "<title>a</title>", root=root).items[0].details.language == "en"
    feed = {"language": "en", "items": [{"id": "1"}, {"id": "2", "language": "de"}]}
    items = parse(json.dumps(feed).encode(), URL).items
    assert [item.details.language for item in items] == ["en", "de"]


def test_bases_without_xml_base() -> None:
    assert entry('<link href="https://a.example/1"/>').base_url == URL  # RFC 3986 section 5.1.3
    assert item("<link>https://a.example/1</link>").base_url == "https://a.example/1"
    assert (
        rss("<link>https://a.example/</link>", "<title>x</title>").items[0].base_url == "https://a.example/"
    )


@pytest.mark.parametrize(
    "namespace",
    [
        "http://www.w3.org/2005/Atom",
        "https://www.w3.org/2005/Atom/",
        "HTTP://WWW.W3.ORG/2005/ATOM",
        "urn:made-up",
        "",
    ],
)
@pytest.mark.parametrize("prefix", ["", "a", "rss"])
def test_any_prefix_and_namespace(namespace: str, prefix: str) -> None:
    colon = f"{prefix}:" if prefix else ""
    declared = f'xmlns{":" if prefix else ""}{prefix}="{namespace}"' if namespace else ""
    document = (
        f"<{colon}feed {declared}><{colon}entry><{colon}title>T</{colon}title><{colon}id>i</{colon}id>"
        f'<{colon}link href="https://a.example/"/></{colon}entry></{colon}feed>'
    )
    found = parse(document.encode(), URL).items[0]
    assert (found.title, found.guid, found.url) == ("T", "i", "https://a.example/")


def test_json_feed() -> None:
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "T",
        "home_page_url": "https://a.example/",
        "feed_url": "https://a.example/feed.json",
        "next_url": "https://a.example/feed.json?2",
        "hubs": [{"type": "WebSub", "url": "https://hub.example/"}, 3],
        "authors": [{"name": "Feed"}],
        "expired": True,
        "items": [
            {"id": 7, "url": "/7", "title": "a  b", "content_text": "1 < 2\n3", "date_published": "2024-10-01T08:00:00Z",
             "attachments": [{"url": "https://a.example/x.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 5,
                              "duration_in_seconds": 61.5}], "tags": ["x", 3]},
            {"id": "https://a.example/8", "content_html": "<p>8\u0000</p>", "authors": [{"name": "Ada"}],
             "banner_image": "https://a.example/b.png", "language": "de"},
            "nonsense",
        ],
    }  # fmt: skip
    found = parse(json.dumps(feed).encode(), URL)
    assert (found.title, found.url, found.expired) == ("T", "https://a.example/", True)
    assert (found.self_url, found.next_url) == (
        "https://a.example/feed.json",
        "https://a.example/feed.json?2",
    )
    assert found.hubs == ("https://hub.example/",)
    first, second = found.items
    assert (first.guid, first.url, first.title, first.html) == (
        "7",
        "https://example.org/7",
        "a b",
        "1 &lt; 2<br>\n3",
    )
    assert first.published_ms == 1727769600000
    assert first.details.authors == ("Feed",)
    assert first.details.categories == ("x",)
    assert first.details.enclosures == (Enclosure("https://a.example/x.mp3", "audio/mpeg", 5, None, 61),)
    assert (second.url, second.html, second.image) == (
        "https://a.example/8",
        "<p>8</p>",
        "https://a.example/b.png",
    )
    assert (second.details.authors, second.details.language) == (("Ada",), "de")
