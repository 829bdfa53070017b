"""Documents that are broken, cut short, or meant to do harm."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedd.errors import NotAFeed
from feedd.sources.feed.document import FeedDocument
from feedd.sources.feed.parse import parse

URL = "https://example.org/feed.xml"
DATA = Path(__file__).parent.parent.parent / "data" / "feeds"
FILES = sorted(path for path in DATA.rglob("*.xml") if path.stat().st_size < 10_000)
ITEM = "<item><title>whole</title><link>https://example.org/1</link></item>"
START, END = '<rss version="2.0"><channel>', "</channel></rss>"


def titles(document: str) -> list[str]:
    return [item.title for item in parse(document.encode("utf-8", "surrogatepass"), URL).items]


def quickly(document: bytes, limit_s: float = 5.0) -> FeedDocument | None:
    begun = time.process_time()
    try:
        return parse(document, URL)
    except NotAFeed:
        return None
    finally:
        assert time.process_time() - begun < limit_s


@pytest.mark.parametrize(
    "data, words",
    [
        (b"", "empty"),
        (b" \n\0" + b"\t" * 10, "neither XML nor JSON"),
        (b" \n ", "empty"),
        (b"Service unavailable", "neither XML nor JSON"),
        (bytes(range(256)) * 10, "no feed"),
        (b"\x89PNG\r\n\x1a\n<rs", "no feed"),
        (b"<!-- <rss> -->", "no element"),
        (b"<?xml version='1.0'?><urlset><url/></urlset>", "first element is 'urlset'"),
        (b"<?xml version='1.0'?><opml><body><channel/></body></opml>", "first element is 'opml'"),
        (b"<!DOCTYPE html><html><body><pre><rss></pre></body></html>", "HTML page, and names no feed"),
        (b"<div>not even a whole page</div>", "HTML page"),
        (b'{"version": "1.0"}', "no JSON Feed"),
        (b"[1, 2]", "no JSON Feed"),
        (b"{not json", "looks like JSON"),
        (b"[" * 100_000, "looks like JSON"),
        (b'{"items":' * 100_000, "looks like JSON"),
        (b'{"items": ' + b"9" * 10_000 + b"}", "looks like JSON"),
    ],
)
def test_what_is_no_feed_says_so(data: bytes, words: str) -> None:
    with pytest.raises(NotAFeed, match=words):
        parse(data, URL)


def test_a_page_names_its_feeds() -> None:
    page = (
        b'<html><head><base href="/blog/"><link rel=alternate type=application/rss+xml href=rss>'
        b'<link rel="alternate" type="application/atom+xml" href="https://example.net/atom?a=1&amp;b=2"></head></html>'
    )
    with pytest.raises(NotAFeed, match=r"names is https://example\.org/blog/rss") as raised:
        parse(page, URL)
    assert raised.value.advertised == ("https://example.org/blog/rss", "https://example.net/atom?a=1&b=2")


@pytest.mark.parametrize(
    "document",
    [
        "<rss/>",
        "<rss><channel/></rss>",
        f"{START}<title>Nothing yet</title>{END}",
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>Nothing yet</title></feed>',
        '{"version": "https://jsonfeed.org/version/1", "items": []}',
    ],
)
def test_an_empty_feed_is_a_feed(document: str) -> None:
    found = parse(document.encode(), URL)
    assert (found.items, found.parser, found.warnings) == ((), "feedd", ())


@pytest.mark.parametrize(
    "before",
    ["\n\n ", "junk ", "\ufeff", "<!-- <rss> --><!-- a -- b -->", "<?xml?xml version='1.0' ??>",
     "<br />\n<b>Warning</b>: Cannot modify header in <b>/var/www/x.php</b> on line <b>3</b><br />\n<?xml version='1.0'?>",
     "<?xml-stylesheet href='a' ?>", '<!DOCTYPE rss PUBLIC "-//x" "http://example.org/rss.dtd">',
     "<!DOCTYPE rss [<!ENTITY x 'y'><!-- ] > -->]>"],
)  # fmt: skip
@pytest.mark.parametrize(
    "after", ["", "\n<!-- generated -->", "<script>x</script>", "\0\0", "</rss>", "<rss>"]
)
def test_junk_around_a_feed(before: str, after: str) -> None:
    assert titles(f"{before}{START}{ITEM}{END}{after}") == ["whole"]


@pytest.mark.parametrize(
    "cut",
    [
        "<item><title>par",
        "<item><title>part</title>",
        "<item>",
        "<item><title><![CDATA[pa",
        "<it",
        "<!-- x",
        "",
    ],
)
def test_a_document_that_was_cut_short_keeps_whole_items(cut: str) -> None:
    found = parse(f"{START}<title>Feed</title>{ITEM}{ITEM}{cut}".encode(), URL)
    assert [item.title for item in found.items] == ["whole", "whole"]
    assert found.title == "Feed"
    assert found.warnings[0] == "it is cut short: only its whole items were taken"
    alone = parse(f"{START}<title>Feed</title>{cut}".encode(), URL)
    assert (alone.items, alone.title) == ((), "Feed")


@pytest.mark.parametrize(
    "broken, title",
    [
        ("<title>a & b &copy; &bogus; &#x26; AT&T</title>", "a & b © &bogus; & AT&T"),
        ("<title>a < b</title>", "a < b"),
        ("<title>one <b>two</title>", "one two"),
        ("<title>one</b> two</title>", "one two"),
        ("<title>one<br>two</title>", "onetwo"),
        ("<guid isPermaLink=false>g</guid><title>t</title>", "t"),
        ("<a x='1' x='2'/><title y=z>t</title>", "t"),
        ("<nope:title>n</nope:title><title>t</title>", "t"),
        ("<description><p>never closed</description><title>t</title>", "t"),
        ("<title>\x01\x02t</title>", "t"),
        ("<title>]]>t</title>", "]]>t"),
        ("<TITLE>t</title>", "t"),
        ("<title><![CDATA[t</title>]]></title>", "t</title>"),
    ],
)
def test_broken_xml_is_mended(broken: str, title: str) -> None:
    assert titles(f"{START}{ITEM}<item>{broken}</item>{ITEM}{END}") == ["whole", title, "whole"]


def test_a_broken_root() -> None:
    assert titles(f'<rss version="2.0" xmlns:dc="<channel>{ITEM}{ITEM}</channel></rss>') == ["whole", "whole"]


def test_items_that_were_not_closed() -> None:
    assert titles(f"{START}<item><title>a</title><item><title>b</title></item>{ITEM}{END}") == [
        "a",
        "b",
        "whole",
    ]


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """A server that must not be asked for anything."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"stolen")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_nothing_is_fetched_and_no_file_is_read(tmp_path: Path, listener: tuple[str, list[str]]) -> None:
    secret = tmp_path / "private.txt"
    secret.write_text("hunter2")
    address, asked = listener
    for target in (secret.as_uri(), str(secret), address + "/x"):
        for doctype in (
            f'<!DOCTYPE rss [<!ENTITY x SYSTEM "{target}">]>',
            f'<!DOCTYPE rss SYSTEM "{target}">',
            f'<!DOCTYPE rss [<!ENTITY % p SYSTEM "{target}"> %p;]>',
            f'<!DOCTYPE rss [<!ENTITY y "]>"><!ENTITY x SYSTEM "{target}">]>',
        ):
            include = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" parse="text" href="{target}"/>'
            document = f"<?xml version='1.0'?>{doctype}{START}<item><title>&x;{include}</title></item>{END}"
            assert "hunter2" not in repr(quickly(document.encode()))
            assert "hunter2" not in repr(quickly(document.replace("rss", "feed").encode()))
            assert "stolen" not in repr(quickly(document.replace("item", "x").encode()))
    assert asked == []


def test_entity_bombs_do_not_go_off() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 20))
    found = quickly(
        f'<!DOCTYPE rss [<!ENTITY l0 "lol">{laughs}]>{START}<item><title>&l19;</title></item>{END}'.encode()
    )
    assert found is not None
    assert [item.title for item in found.items] == ["&l19;"]
    quadratic = f'<!DOCTYPE rss [<!ENTITY a "{"a" * 100_000}">]>{START}<item><title>{"&a;" * 100_000}</title></item>{END}'
    found = quickly(quadratic.encode())
    assert found is not None
    assert len(found.items[0].title) < 1_000_000


@pytest.mark.parametrize("name", ["b", "item", "channel", "media:group"])
def test_deep_nesting_is_bounded(name: str) -> None:
    deep = f"<{name}>" * 30_000 + "x" + f"</{name}>" * 30_000
    found = quickly(
        f"{START}{ITEM}<item><title>t</title><description>{deep}</description></item>{END}".encode()
    )
    assert found is not None
    assert found.items[0].title == "whole"


JUNK = ["<", ">", "&", "<!--", "<?", "<![CDATA[", "]]>", "<a ", '"', '<a b="', "&a;", "\0", "</a>", "<a:b/>", "<item>",
        "<!DOCTYPE x [", "<x a=b ", "<a b=c/>", "<rss>", "{", "[", "<item/>", "\x80", "&#x80;", "\x1b$B", " ", "<a></b>",
        "&nbsp;", "</item", '<link rel="', "\ufffe"]  # fmt: skip


@pytest.mark.parametrize("unit", JUNK)
def test_junk_takes_bounded_time(unit: str) -> None:
    junk = unit.encode("latin-1" if unit == "\x80" else "utf-8") * (400_000 // len(unit))
    quickly(f"{START}{ITEM}".encode() + junk + END.encode(), 2.5)
    quickly(junk, 2.5)


@pytest.mark.parametrize("unit", ["<b>x</b>", "&#x80;", "& ", "</title>", "a\n", "<item>"])
def test_so_do_fifteen_megabytes_of_it(unit: str) -> None:
    quickly(f"{START}{ITEM}{unit * (15_000_000 // len(unit))}{END}".encode(), 10.0)


def test_what_is_too_much_to_mend_says_so() -> None:
    with pytest.raises(NotAFeed, match="too many to mend"):
        parse(f"{START}{'<a b=c>' * 600_000}{END}".encode(), URL)
    with pytest.raises(NotAFeed, match="references that mean nothing"):
        parse(f"{START}{'&a;' * 600_000}{END}".encode(), URL)


def test_a_feed_of_ten_megabytes() -> None:
    body = "<p>Ein Absatz &amp; noch einer.</p>" * 300
    document = (
        f"{START}{f'<item><title>t</title><description><![CDATA[{body}]]></description></item>' * 1000}{END}"
    )
    found = quickly(document.encode())
    assert len(document) > 10_000_000
    assert found is not None
    assert (len(found.items), found.items[-1].html, found.warnings) == (1000, body, ())


@given(st.binary(max_size=2000))
def test_random_bytes(data: bytes) -> None:
    quickly(data)


@given(st.sampled_from(FILES), st.data())
@settings(max_examples=100, deadline=None)
def test_mutated_feeds(path: Path, data: st.DataObject) -> None:
    document = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(document)))
        until = data.draw(st.integers(at, min(len(document), at + 200)))
        document[at:until] = data.draw(st.binary(max_size=20) | st.sampled_from(FRAGMENTS))
    quickly(bytes(document))


FRAGMENTS = [b"<", b"&", b"<![CDATA[", b"]]>", b"</item>", b"</entry>", b"<item>", b"<!--", b'xml:base="//[', b"\xff",
             b' xmlns="x"', b"<title type='xhtml'>", b"&nbsp;", b"<link href='http://[x/'/>", b"</rss>", b"<a:b c:d='e'/>",
             b"<pubDate>99999999999</pubDate>", b"<ttl>99999999</ttl>", b'mode="base64"', b"</channel>"]  # fmt: skip


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    "version items id url title authors author name tags attachments hubs expired".split()
                ),
                inner,
            )
        ),
        max_leaves=30,
    )
)
def test_any_json(value: object) -> None:
    import json

    quickly(
        json.dumps(
            {"version": "https://jsonfeed.org/version/1.1", "items": [value, {"id": value}], "x": value}
        ).encode()
    )
    quickly(json.dumps({"items": value, "hubs": value, "authors": value, "icon": value}).encode())
