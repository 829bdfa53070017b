"""Sitemaps → addresses with what is said of them (sitemaps.org, version 0.9; Google's news, image and video extensions).

Read are `urlset` and `sitemapindex` in whatever namespace, plain text with an address a line, feeds that serve as
sitemaps, and each of these packed with gzip.
"""

import re
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from feedd.errors import NotAFeed, SourceError, TooLarge
from feedd.model import Details, RawItem
from feedd.normalise.dates import parse_date
from feedd.normalise.url import shown
from feedd.sources.feed.parse import parse as parse_feed
from feedd.sources.markup import absolute, decoded

MAX_URLS = 50_000  # of one sitemap, as the protocol says
MAX_UNPACKED = 52_428_800  # bytes, as the protocol says
GZIP = b"\x1f\x8b"
XML_DECLARATION = re.compile(r"\s*<\?xml[^>]*>", re.IGNORECASE)
ADDRESS_LINE = re.compile(r"[a-z][a-z0-9+.\-]*:\S+", re.IGNORECASE)
EXTENSION = re.compile(r"\.(?:x?html?|php|aspx?|jsp)$", re.IGNORECASE)
WORD_BREAK = re.compile(r"[\s_\-]+")
FEEDS = frozenset(["rss", "feed", "rdf", "channel"])


class SitemapEntry(NamedTuple):
    """One page. `published_ms`, `title` and `language` are those of a news or video sitemap, or of a feed."""

    url: str
    lastmod_ms: int | None = None
    title: str = ""  # plain text
    published_ms: int | None = None
    language: str | None = None
    image: str | None = None  # absolute
    keywords: tuple[str, ...] = ()

    @property
    def item(self) -> RawItem:
        """As a document's item; its text is to be had at its address."""
        details = Details(categories=self.keywords, language=self.language)
        return RawItem(
            guid=None, url=self.url, title=self.title, html="", published_ms=self.published_ms,
            updated_ms=self.lastmod_ms, image=self.image, details=details,
        )  # fmt: skip

    @property
    def named_item(self) -> RawItem:
        """The same where its text is not had: without a title it bears what its address ends in."""
        item = self.item
        return item if item.title else item._replace(title=named_by(self.url))


class Further(NamedTuple):
    """A sitemap that an index names."""

    url: str
    lastmod_ms: int | None = None


class Sitemap(NamedTuple):
    entries: tuple[SitemapEntry, ...] = ()
    sitemaps: tuple[Further, ...] = ()
    rejected: tuple[tuple[str, str], ...] = ()  # where, reason


def named_by(url: str) -> str:
    """`/news/2026/bamboo-bridge.html` → "bamboo bridge"."""
    parts = urlsplit(url)
    last = unquote(parts.path.rstrip("/").rpartition("/")[2])
    words = WORD_BREAK.sub(" ", EXTENSION.sub("", last)).strip()
    return words or parts.hostname or url


class Place(NamedTuple):
    """A `<url>` or `<sitemap>` element: its kind, and its own texts and those of its extensions by local name."""

    kind: str
    said: dict[str, str]


def parse_sitemap(data: bytes, url: str) -> Sitemap:
    """Raises NotAFeed, TooLarge, SourceError."""
    if data.startswith(GZIP):
        data = unpacked(data, url)
    text = decoded(data, None)
    if not text.strip():
        raise SourceError(f"the sitemap {shown(url)} is empty")
    if text.lstrip()[:1] in {"{", "["}:
        return of_feed(data, url)
    if "<" not in text:
        return of_lines(text, url)
    root = tree_of(text)
    if root is not None:
        found = of_tree(root, url)
        if found is not None:
            return found
        if local(root) in FEEDS:
            return of_feed(data, url)
    raise SourceError(
        f"{shown(url)} is no sitemap: it is {kind_of(root)}, without <url> or <sitemap> elements"
    )


def unpacked(data: bytes, url: str) -> bytes:
    """What a gzip file holds, as far as it goes."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        text = unpacker.decompress(data, MAX_UNPACKED)
    except zlib.error as error:
        raise SourceError(f"the sitemap {shown(url)} is packed with gzip and damaged: {error}") from error
    if unpacker.unconsumed_tail:
        raise TooLarge(f"the sitemap {shown(url)} is larger than {MAX_UNPACKED:,} bytes when unpacked")
    return text


def of_feed(data: bytes, url: str) -> Sitemap:
    feed = parse_feed(data, url)
    entries, rejected = list[SitemapEntry](), list[tuple[str, str]]()
    for number, item in enumerate(feed.items, 1):
        if item.url is None:
            rejected.append((f"item {number}", "has no address"))
            continue
        stated = item.published_ms if item.updated_ms is None else item.updated_ms
        language = item.details.language or feed.language
        entries.append(SitemapEntry(item.url, stated, item.title, item.published_ms, language, item.image))
    return limited(entries, [], rejected)


def of_lines(text: str, url: str) -> Sitemap:
    lines = [line.strip() for line in text.split("\n")]
    if not any(map(ADDRESS_LINE.fullmatch, lines)):
        raise NotAFeed(f"{shown(url)} is no sitemap: it is text without an address a line")
    entries, rejected = list[SitemapEntry](), list[tuple[str, str]]()
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        address = absolute(line, url) if ADDRESS_LINE.fullmatch(line) else None
        if address is None:
            rejected.append((f"line {number}", f"'{shown(line)}' is not an http or https URL"))
        else:
            entries.append(SitemapEntry(address))
    return limited(entries, [], rejected)


def tree_of(text: str) -> Any:
    """The root element, or None. No DTD is read, no entity replaced, nothing fetched."""
    from lxml import etree

    parser = etree.XMLParser(
        encoding="utf-8", recover=True, resolve_entities=False, no_network=True, load_dtd=False,
        remove_comments=True, remove_pis=True, huge_tree=False,
    )  # fmt: skip
    markup = XML_DECLARATION.sub("", text[:2000], count=1) + text[2000:]
    try:
        return etree.fromstring(markup.encode("utf-8", "replace").lstrip(), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def local(element: Any) -> str:
    tag = element.tag if isinstance(element.tag, str) else ""
    return tag.rpartition("}")[2].rpartition(":")[2].lower()


def kind_of(root: Any) -> str:
    return (
        "neither XML nor text with an address a line"
        if root is None
        else f"a document <{shown(local(root), 40)}>"
    )


def of_tree(root: Any, url: str) -> Sitemap | None:
    """None where there is neither a `<url>` nor a `<sitemap>`, nor a root that may lack them."""
    entries, sitemaps, rejected = (
        list[SitemapEntry](),
        list[Further](),
        list[tuple[str, str]](),
    )
    number = 0
    for place in places(root):
        number += 1
        stated = place.said.get("loc", "")
        address = absolute(stated, url) if stated else None
        if address is None:
            why = (
                f"its address '{shown(stated)}' is not an http or https URL"
                if stated
                else "has no address (<loc>)"
            )
            rejected.append((f"{place.kind} {number}", why))
        elif place.kind == "sitemap":
            sitemaps.append(Further(address, parse_date(place.said.get("lastmod", ""))))
        else:
            entries.append(entry_of(address, place.said, url))
    if number == 0 and local(root) not in {"urlset", "sitemapindex"}:
        return None
    return limited(entries, sitemaps, rejected)


def places(root: Any) -> Iterator[Place]:
    for element in root.iter():
        kind = local(element)
        if kind in {"url", "sitemap"} and len(element):
            yield Place(kind, dict(reversed(list(texts_of(element)))))


def texts_of(element: Any) -> Iterator[tuple[str, str]]:
    """Names and texts: those of extensions bear the extension's name, as in `news.title`."""
    for child in element:
        name = local(child)
        if name not in {"news", "image", "video"}:
            yield name, (child.text or "").strip()
            continue
        for part in child.iter():
            yield f"{name}.{local(part)}", (part.text or "").strip()


def entry_of(address: str, said: dict[str, str], url: str) -> SitemapEntry:
    published = said.get("news.publication_date") or said.get("video.publication_date") or ""
    picture = said.get("image.loc") or said.get("video.thumbnail_loc") or ""
    return SitemapEntry(
        url=address,
        lastmod_ms=parse_date(said.get("lastmod", "")),
        title=" ".join((said.get("news.title") or said.get("video.title") or "").split()),
        published_ms=parse_date(published),
        language=said.get("news.language") or None,
        image=absolute(picture, url) if picture else None,
        keywords=tuple(word for each in said.get("news.keywords", "").split(",") if (word := each.strip())),
    )


def limited(entries: list[SitemapEntry], sitemaps: list[Further], rejected: list[tuple[str, str]]) -> Sitemap:
    """As much as the protocol lets a sitemap hold."""
    rejected = rejected[:MAX_URLS]
    for what, held in (("urls", len(entries)), ("sitemaps", len(sitemaps))):
        if held > MAX_URLS:
            rejected.append((what, f"a sitemap may hold {MAX_URLS:,}; of these {held:,} the first are read"))
    return Sitemap(tuple(entries[:MAX_URLS]), tuple(sitemaps[:MAX_URLS]), tuple(rejected))
