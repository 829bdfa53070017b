"""What is told to be a live blog, by its address or by what its page states, and that deciding hears of it."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from net import RSS, Net, rss

from feedd.sources import documents
from feedd.sources.article import extract_article
from feedd.sources.documents import Document
from feedd.sources.items import Made, Recipe, drafts
from feedd.sources.live import is_live_document, is_live_url
from feedd.sources.structured import MAX_OBJECTS, objects_of
from feedd.sources.watched import Watching

NOW = 1_790_000_000_000
URL = "https://example.org/story"
HTML = "text/html; charset=utf-8"
RECIPE = Recipe("a", "https://example.org/")
POSTS = [f"At {hour}:00 something happened that nobody had expected so soon." for hour in range(9, 15)]
LIVE = {"@context": "https://schema.org", "@type": "LiveBlogPosting", "headline": "As it happens"}


def page(*stated: object, posts: list[str] = POSTS) -> str:
    """A page with JSON-LD."""
    scripts = "".join(f"<script type='application/ld+json'>{json.dumps(each)}</script>" for each in stated)
    text = "".join(f"<p>{post}</p>" for post in posts)
    return (
        f"<html><head><title>T</title>{scripts}</head><body><article><h1>T</h1>{text}</article></body></html>"
    )


@pytest.mark.parametrize(
    "path",
    [
        "/live/politics-2026",
        "/news/live/",
        "/LIVE/x",
        "/world/live/2026/mar/02/story",
        "/sport/live-blog/final",
        "/liveblog/1",
        "/news/liveblog-election-night",
        "/2026/election-live-updates.html",
        "/news/liveticker-wahl-2026-100.html",
        "/monde/en-direct/article",
        "/politique/article/2026/en-direct-guerre-123.html",
        "/direct/article.html",
        "/internacional/en-vivo/x",
        "/ao-vivo/jogo",
        "/diretta/x",
        "/%E7%9B%B4%E6%92%AD/1",
        "/budget-day-minute-by-minute/",
    ],
)
def test_addresses_of_live_blogs(path: str) -> None:
    assert is_live_url(f"https://example.org{path}")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/",
        "https://live.example.org/story",
        "https://example.org/story?from=/live/",
        "https://example.org/story#/live/",
        "https://example.org/olive/oil",
        "https://example.org/delivery/",
        "https://example.org/live-music-tonight",
        "https://example.org/how-to-live/well",
        "https://example.org/news/where-they-live",
        "https://example.org/redirect/1",
        "https://example.org/directory/",
        "https://example.org/direct-debit",
        "https://example.org/alive",
        "https://example.org/livelihood/live1",
        "https://example.org/deliverybloggers/liveblogger",
        "urn:feedd:live",
        "https://[broken/live/",
    ],
)
def test_addresses_of_anything_else(url: str) -> None:
    assert not is_live_url(url)


@given(st.text())
def test_any_text_is_an_address_or_none(text: str) -> None:
    is_live_url(text)
    is_live_url(f"https://example.org/{text}")


@pytest.mark.parametrize(
    "stated",
    [
        LIVE,
        [LIVE],
        {"@graph": [{"@type": "WebPage"}, LIVE]},
        {"@graph": [{"@graph": [LIVE]}]},
        {"@type": "WebPage", "mainEntity": LIVE},
        LIVE | {"@type": ["NewsArticle", "LiveBlogPosting"]},
        LIVE | {"@type": "https://schema.org/LiveBlogPosting"},
        LIVE | {"@type": "schema:LiveBlogPosting"},
    ],
)
def test_pages_that_state_it(stated: object) -> None:
    data = page(stated).encode()
    assert extract_article(data, URL, HTML, "auto").live
    assert extract_article(data, URL, HTML, "article").live
    assert is_live_document(data, URL, HTML)


@pytest.mark.parametrize(
    "stated",
    [
        {"@type": "NewsArticle"},
        {"@type": "NewsArticle", "headline": "LiveBlogPosting"},
        {"@type": "NewsArticle", "articleBody": LIVE},
        {"@type": "WebPage", "relatedLink": [LIVE]},
        {"@type": "NotALiveBlogPosting"},
        {"@type": {"@id": "LiveBlogPosting"}},
        "LiveBlogPosting",
        None,
    ],
)
def test_pages_that_do_not(stated: object) -> None:
    data = page(stated).encode()
    assert not extract_article(data, URL, HTML, "auto").live
    assert not is_live_document(data, URL, HTML)


def test_what_it_states_is_read_so_far() -> None:
    assert not is_live_document(b"LiveBlogPosting, and no mark-up", URL, "text/plain")
    assert not is_live_document(b'{"@type": "LiveBlogPosting"}', URL, "application/json")
    broken = page().replace("<head>", '<head><script type="application/ld+json">{"@type": "LiveBlogPosting"')
    assert not is_live_document(broken.encode(), URL, HTML)
    deep = '{"@graph":[' * 100_000 + '"LiveBlogPosting"' + "]}" * 100_000
    crowd = json.dumps(
        {"@graph": [{"@type": "Thing", "@graph": [{}] * 50}] * 20_000} | {"x": "LiveBlogPosting"}
    )
    for said in (deep, crowd):
        data = page().replace("<head>", f'<head><script type="application/ld+json">{said}</script>').encode()
        begun = time.perf_counter()
        assert not is_live_document(data, URL, HTML)
        assert time.perf_counter() - begun < 2


@given(st.recursive(st.none() | st.text(max_size=5), lambda below: st.lists(below) | st.dictionaries(st.sampled_from(["@type", "@graph", "mainEntity"]), below)))  # fmt: skip
def test_whatever_is_stated_is_bounded(stated: object) -> None:
    from feedd.sources.markup import Document as Page

    found = list(objects_of(Page(page(stated).encode(), URL, HTML).tree))
    assert len(found) <= MAX_OBJECTS
    assert all(isinstance(each, dict) for each in found)


def lives(made: Made | None) -> list[bool]:
    assert made is not None
    return [item.live for item in made.items]


def test_items_of_every_kind_say_so() -> None:
    feed = rss(
        "<title>a</title><link>https://example.org/live/a</link>",
        "<title>b</title><link>https://example.org/b</link>",
    )
    document = Document(feed.encode(), "https://example.org/feed.xml", RSS)
    whole = documents.read_feed(document, RECIPE, NOW, whole=True)
    assert lives(whole.made) == [True, False]
    drafted = documents.read_feed(document, RECIPE, NOW, whole=False).drafts
    assert lives(documents.summaries(drafted, RECIPE, NOW)) == [True, False]
    plain, live = (Document(page(stated).encode(), URL, HTML) for stated in ({"@type": "Article"}, LIVE))
    for draft, own in zip(drafted, (True, False), strict=True):
        assert lives(documents.read_article(plain, draft, "auto", RECIPE, NOW).made) == [own]
        assert lives(documents.read_article(live, draft, "auto", RECIPE, NOW).made) == [True]
    assert lives(documents.read_watched(plain, RECIPE, Watching(), NOW).made) == [False]
    assert lives(documents.read_watched(live, RECIPE, Watching(), NOW).made) == [True]
    assert drafts([], RECIPE) == []


@pytest.mark.parametrize("settings", ["full_text = true", "recheck = true"])
@pytest.mark.parametrize(
    ("stated", "kinds"), [(LIVE, ["added"]), ({"@type": "Article"}, ["added", "silent-edit"])]
)
def test_what_a_live_blog_adds_is_told_later(
    net: Net, settings: str, stated: object, kinds: list[str]
) -> None:
    def feed(text: str) -> str:
        return rss(
            f"<title>Story</title><link>{net.web.url}/story</link><guid>g</guid><description>{text}</description>"
            "<pubDate>Mon, 02 Mar 2026 10:00:00 GMT</pubDate>"
        )

    net.web.page("/feed.xml", feed("One."), type=RSS)
    net.web.page("/story", page(stated, posts=POSTS[:4]))
    net.feed(settings=settings)
    net.update()
    net.web.page("/feed.xml", feed("Two."), type=RSS)
    net.web.page(
        "/story",
        page(stated, posts=["At 14:30 another thing happened that everybody had feared.", *POSTS[:4]]),
    )
    net.update("a")
    assert net.kinds() == kinds
    (entry,) = net.entries()
    assert entry["revisions"] == 2
