import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.sources.feed.discover import (
    COMMON_PATHS,
    HeaderLinks,
    advertised,
    from_link_header,
    looks_like_feed,
)

BASE = "https://example.org/blog/post.html"


@pytest.mark.parametrize(
    "html, feeds",
    [
        ('<link rel="alternate" type="application/rss+xml" href="/rss">', ("https://example.org/rss",)),
        (
            "<LINK HREF=feed.xml TYPE=application/atom+xml REL=Alternate>",
            ("https://example.org/blog/feed.xml",),
        ),
        (
            "<link rel='home alternate' type='application/feed+json; x=y' href='/j'/>",
            ("https://example.org/j",),
        ),
        (
            '<link rel="alternate" type="application/json" href="/feed.json">',
            ("https://example.org/feed.json",),
        ),
        ('<link rel="alternate" type="application/json" href="/wp-json/wp/v2/posts/1">', ()),
        ('<link rel="alternate" hreflang="de" href="/de/">', ()),
        ('<link rel="alternate stylesheet" type="application/rss+xml" href="/x">', ()),
        ('<!-- <link rel="alternate" type="application/rss+xml" href="/no"> -->', ()),
        ("<script>'<link rel=alternate type=application/rss+xml href=/no>'</script>", ()),
        ('<link rel="alternate" type="application/rss+xml" href="javascript:x">', ()),
        ('<link rel="alternate" type="application/rss+xml">', ()),
        (
            '<a href="/feed">RSS</a><a href="/about">x</a><a href="/feedback">x</a>',
            ("https://example.org/feed",),
        ),
        (
            '<a href="/a.rss">a</a><link rel=alternate type=application/rss+xml href="/b">'  # noqa: ISC004
            '<link rel=alternate type=application/rss+xml href="/c"><a href="/b">again</a>',
            ("https://example.org/b", "https://example.org/c", "https://example.org/a.rss"),
        ),
        (
            '<base href="//cdn.example/x/"><link rel=feed href="y?a=1&amp;b=2">',
            ("https://cdn.example/x/y?a=1&b=2",),
        ),
    ],
)
def test_feeds_of_a_page(html: str, feeds: tuple[str, ...]) -> None:
    assert advertised(html, BASE) == feeds
    assert advertised(html.encode(), BASE) == feeds


def test_common_paths_look_like_feeds() -> None:
    assert all(looks_like_feed(f"https://example.org{path}") for path in COMMON_PATHS)
    assert not any(
        looks_like_feed(f"https://example.org{path}") for path in ("/", "/feedback", "/news.xml", "/a/b.json")
    )


@pytest.mark.parametrize(
    "value, links",
    [
        (
            '<https://hub.example/>; rel="hub", </feed>; rel="self"',
            ((), ("https://hub.example/",), "https://example.org/feed"),
        ),
        (
            "<a>;rel=self , <b> ; REL = hub",
            ((), ("https://example.org/blog/b",), "https://example.org/blog/a"),
        ),
        ('</j>; rel="alternate"; type="application/feed+json"', (("https://example.org/j",), (), None)),
        (
            '</j>; title="a, b; rel=hub"; rel="alternate"; type=application/rss+xml',
            (("https://example.org/j",), (), None),
        ),
        ('</de>; rel="alternate"; hreflang="de"', ((), (), None)),
        ('</x>; rel="hub self"', ((), ("https://example.org/x",), "https://example.org/x")),
        ('</x>; rel="hub"; anchor="#other"', ((), (), None)),
        ("</x>; rel=next; rel=hub", ((), (), None)),
        ("<javascript:x>; rel=hub", ((), (), None)),
        ("nonsense", ((), (), None)),
        ("", ((), (), None)),
    ],
)
def test_the_link_header(value: str, links: tuple[tuple[str, ...], tuple[str, ...], str | None]) -> None:
    assert from_link_header(value, BASE) == HeaderLinks(*links)


@given(
    st.text()
    | st.lists(st.sampled_from(["<", ">", ";", ",", '"', "\\", "rel=hub", "a", " ", "=", "link", "'"])).map(
        "".join
    )
)
def test_nothing_is_raised(text: str) -> None:
    advertised(text, BASE)
    from_link_header(text, BASE)


@pytest.mark.parametrize(
    "unit",
    ["<link ", "<a href='", '<link a="', "<!--", "<script>", "<", "<x>;", '<x>;a="', ";a=", "\\", " ", ',"'],
)
def test_time_is_bounded(unit: str) -> None:
    begun = time.process_time()
    advertised(unit * (3_000_000 // len(unit)), BASE)
    from_link_header(unit * (100_000 // len(unit)), BASE)
    assert time.process_time() - begun < 5
