"""Feeds that a page, a site or an answer's `Link` header names."""

import re
from html import unescape
from typing import NamedTuple
from urllib.parse import urlsplit

from feedd.sources.feed.charset import utf8_of
from feedd.sources.feed.fields import absolute

COMMON_PATHS = (
    "/feed",
    "/feed.xml",
    "/rss",
    "/rss.xml",
    "/atom.xml",
    "/index.xml",
    "/feed.json",
    "/feed.atom",
    "/feed/",
    "/feeds/posts/default",
    "/blog/feed",
    "/blog/feed.xml",
    "/blog/rss.xml",
    "/index.rdf",
    "/rss/",
    "/feed.rss",
    "/index.json",
)
FEED_TYPES = frozenset(
    {
        "application/rss+xml",
        "application/atom+xml",
        "application/feed+json",
        "application/rdf+xml",
        "text/rss+xml",
    }
)
MOST = 30  # feeds that one page may name
LONGEST = 2_000_000  # characters that are looked at
MARKUP = re.compile(
    r"<!--.*?(?:-->|\Z)|<(?P<raw>script|style|textarea|noscript)\b.*?(?:</(?P=raw)|\Z)"
    r"""|<(?P<name>link|a|base)(?P<attributes>(?:\s(?:[^<>"']++|"[^"<]*+"|'[^'<]*+'){0,2000}|\s[^<>]*+))>""",
    re.DOTALL | re.IGNORECASE,
)
ATTRIBUTE = re.compile(r"""([A-Za-z][\w:.\-]*+)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'<>]++))""")
FEED_PATH = re.compile(
    r"/feeds/posts/default\Z|/(?:feeds?|rss|atom|rdf)(?:/[\w\-]*)?/?\Z|/(?:[\w\-]*(?:feed|rss|atom)|index)\.(?:xml|rdf|rss|atom|json)\Z"
    r"|\.(?:rss|atom)\Z",
    re.IGNORECASE,
)
LINK_VALUE = re.compile(r"""\s*+<([^<>]*+)>((?:[^,"]++|"(?:[^"\\]++|\\.)*"?)*)(?:,|\Z)""", re.DOTALL)
LINK_PARAMETER = re.compile(r""";\s*+([\w!#$&+.^`|~*\-]++)\s*+=\s*+(?:"((?:[^"\\]++|\\.)*)"|([^\s;,"]++))""")


class HeaderLinks(NamedTuple):
    """What a `Link` header says about feeds; absolute addresses."""

    alternates: tuple[str, ...] = ()  # feeds, by their media types
    hubs: tuple[str, ...] = ()
    self_url: str | None = None


def advertised(html: bytes | str, base_url: str) -> tuple[str, ...]:
    """Absolute addresses of the feeds that an HTML page names: those meant for readers first.

    First `<link rel="alternate">` with the media type of a feed, then links whose path looks like one.
    """
    text = html if isinstance(html, str) else utf8_of(html)[0].decode("utf-8", "replace")
    base, meant, maybe = base_url, dict[str, None](), dict[str, None]()
    for found in MARKUP.finditer(text[:LONGEST]):
        name = (found["name"] or "").lower()
        if not name:
            continue
        attributes = attributes_of(found["attributes"])
        url = absolute(attributes.get("href", "").strip(), base)
        if url is None:
            continue
        if name == "base":
            base = url
        elif name == "link" and is_feed(attributes):
            meant[url] = None
        elif name == "a" and looks_like_feed(url):
            maybe[url] = None
    return tuple(meant | maybe)[:MOST]


def attributes_of(written: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, *values in ATTRIBUTE.findall(written):
        found.setdefault(name.lower(), unescape("".join(values)))
    return found


def is_feed(attributes: dict[str, str]) -> bool:
    relations = attributes.get("rel", "").lower().split()
    kind = attributes.get("type", "").partition(";")[0].strip().lower()
    if "alternate" in relations and "stylesheet" not in relations:
        # JSON Feed 1.0 had no type of its own; others have that one too
        return kind in FEED_TYPES or (
            kind in {"application/json", "application/xml", "text/xml"}
            and "feed" in attributes["href"].lower()
        )
    return "feed" in relations


def looks_like_feed(url: str) -> bool:
    return FEED_PATH.search(urlsplit(url).path) is not None


def from_link_header(value: str, base_url: str) -> HeaderLinks:
    """The `Link` header (RFC 8288 section 3; of several, joined by commas) as far as feeds go."""
    alternates, hubs, own = dict[str, None](), dict[str, None](), list[str]()
    for target, written in link_values(value):
        parameters = parameters_of(written)
        url = absolute(target.strip(), base_url)
        if url is None or "anchor" in parameters:  # an anchor makes it a link of something else
            continue
        relations = parameters.get("rel", "").lower().split()
        kind = parameters.get("type", "").partition(";")[0].strip().lower()
        if "alternate" in relations and kind in FEED_TYPES:
            alternates[url] = None
        if "hub" in relations:
            hubs[url] = None
        if "self" in relations:
            own.append(url)
    return HeaderLinks(tuple(alternates)[:MOST], tuple(hubs)[:MOST], own[0] if own else None)


def link_values(value: str) -> list[tuple[str, str]]:
    """(target, parameters as written) of each link; what follows something that is none is ignored."""
    found, position = [], 0
    while (link := LINK_VALUE.match(value, position)) is not None:
        found.append((link[1], link[2]))
        position = link.end()
    return found


def parameters_of(written: str) -> dict[str, str]:
    """The first of each name counts (RFC 8288 section 3.3)."""
    found: dict[str, str] = {}
    for name, quoted, token in LINK_PARAMETER.findall(written):
        found.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) if quoted else token)
    return found
