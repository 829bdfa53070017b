"""Bytes of a feed → FeedDocument: RSS 0.90 to 2.0, Atom 0.3 and 1.0, CDF, JSON Feed 1.0 and 1.1.

    bytes ─► charset ─► UTF-8 ─► tree ─► channel ─► item     XML; broken XML goes through repair
                              └► jsonfeed                    JSON

What is told apart by looks is told by the document alone, never by its media type: servers send feeds as
`text/html`, and pages as `application/rss+xml`.
"""

import re

from feedd.errors import NotAFeed
from feedd.sources.feed import channel, charset, fallback, jsonfeed, tree
from feedd.sources.feed.discover import advertised
from feedd.sources.feed.document import FeedDocument

JSON = re.compile(rb"\s*[{\[]")


def parse(data: bytes, url: str, content_type: str | None = None) -> FeedDocument:
    """`url` is where the document was found, after redirects. Raises NotAFeed.

    `content_type` is HTTP's header, of which the charset parameter counts.
    """
    if not data or data.isspace():
        raise NotAFeed("it is empty")
    document, warnings = charset.utf8_of(data, content_type)
    feed = read(document, url)
    return feed._replace(warnings=warnings + feed.warnings) if warnings else feed


def read(document: bytes, url: str) -> FeedDocument:
    if JSON.match(document):
        return jsonfeed.read(document, url)
    if b"<" not in document:
        raise NotAFeed("it is no feed: neither XML nor JSON")
    try:
        found = tree.read(document)
    except tree.HtmlPage:
        raise html_page(document, url) from None
    feed = channel.read(found, url)
    if not feed.items and found.has_items:
        items = fallback.items_of(document, url)
        feed = feed._replace(items=items, parser="feedparser" if items else "feedd")
    return feed


def html_page(document: bytes, url: str) -> NotAFeed:
    feeds = advertised(document, url)
    if not feeds:
        return NotAFeed("it is an HTML page, and names no feed")
    return NotAFeed(f"it is an HTML page; the feed that it names is {feeds[0]}", feeds)
