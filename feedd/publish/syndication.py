"""Document → Atom 1.0 (RFC 4287) and RSS 2.0, by feedgen.

Entries build their own elements, since feedgen 1.0 loses what a link says besides its address, takes HTML for
plain text in RSS, and spells dates by setting the locale of the whole process.
"""

from html import escape
from typing import Any

from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from feedd import __version__
from feedd.model import Enclosure
from feedd.normalise.text import FORBIDDEN, summary
from feedd.publish.document import Document
from feedd.publish.item import Item, Tombstone, article_url, brief, urn
from feedd.publish.times import moment, rfc822, rfc3339

ATOM = "http://www.w3.org/2005/Atom"
DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
MEDIA = "http://search.yahoo.com/mrss/"
HISTORY = "http://purl.org/syndication/history/1.0"
TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
ATOM_TYPE = "application/atom+xml"
RSS_TYPE = "application/rss+xml"


def atom(document: Document) -> bytes:
    generator = base(document)
    generator.link(
        [
            *({"href": url, "rel": rel, "type": ATOM_TYPE} for rel, url in documents(document)),
            *({"href": hub, "rel": "hub"} for hub in document.hubs),
            {"href": document.url(), "rel": "alternate", "type": "text/html"},
        ]
    )
    generator.channel.is_archive = document.archive is not None
    generator.channel.tombstones = document.tombstones
    rendered: bytes = generator.atom_str()
    return rendered


def documents(document: Document) -> list[tuple[str, str]]:
    """(relation, address) of the document itself, and of those that belong to the same feed (RFC 5005 section 4).

    An archive names the next one whether it is full yet or not: so it never changes.
    """
    number = document.archive
    if number is None:
        newest = [("prev-archive", document.archive_url(document.archives))] if document.archives else []
        return [("self", document.url(".atom")), *newest]
    before = [("prev-archive", document.archive_url(number - 1))] if number > 1 else []
    return [
        ("self", document.archive_url(number)),
        ("current", document.url(".atom")),
        *before,
        ("next-archive", document.archive_url(number + 1)),
    ]


def rss(document: Document) -> bytes:
    generator = base(document)
    generator.link({"href": document.url(".rss"), "rel": "self", "type": RSS_TYPE})
    generator.link({"href": document.url(), "rel": "alternate"})  # the last one becomes the channel's link
    generator.description(safe(document.title) or document.name)
    # feedgen would spell it by setting the locale; Channel adds it instead
    generator._FeedGenerator__rss_lastBuildDate = None  # noqa: SLF001
    generator.channel.updated_ms = document.updated_ms
    generator.channel.hubs = document.hubs
    rendered: bytes = generator.rss_str()
    return rendered


def base(document: Document) -> Any:
    generator = FeedGenerator()
    generator.register_extension("channel", Channel)
    generator.id(document.id)
    generator.title(safe(document.title) or document.name)
    generator.updated(moment(document.updated_ms))
    generator.author({"name": "feedd"})  # RFC 4287 section 4.1.1 wants one; a seed file names none
    generator.generator("feedd", version=__version__)
    if document.language:
        generator.language(document.language)
    for entry in document.entries:
        generator.add_entry(Syndicated(document, entry), order="append")
    return generator


def safe(text: str) -> str:
    """`text` without what XML 1.0 forbids."""
    return FORBIDDEN.sub("", text)


def headline(entry: Item) -> str:
    """The title, or what a reader can show in its place."""
    return safe(entry.title).strip() or safe(summary(entry.content_html, 80)) or entry.url


class Channel(BaseExtension):  # type: ignore[misc]
    """What feedgen has no say for at the head of a feed."""

    updated_ms = 0
    tombstones: tuple[Tombstone, ...] = ()
    hubs: tuple[str, ...] = ()  # of RSS alone: feedgen knows them in Atom
    is_archive = False

    def extend_ns(self) -> dict[str, str]:
        names = {"media": MEDIA, "dc": DUBLIN_CORE}
        if self.is_archive:
            names["fh"] = HISTORY
        return {**names, "at": TOMBSTONES} if self.tombstones else names

    def extend_atom(self, feed: Any) -> Any:
        """RFC 6721 section 3: what was withdrawn, so that readers can drop it, too. RFC 5005 section 4: an archive."""
        if self.is_archive:
            etree.SubElement(feed, f"{{{HISTORY}}}archive")
        for each in self.tombstones:
            name = f"{{{TOMBSTONES}}}deleted-entry"
            etree.SubElement(feed, name, ref=urn(each), when=rfc3339(each.when_ms))
        return feed

    def extend_rss(self, rss: Any) -> Any:
        etree.SubElement(rss[0], "lastBuildDate").text = rfc822(self.updated_ms)
        for hub in self.hubs:
            etree.SubElement(rss[0], f"{{{ATOM}}}link", rel="hub", href=hub)
        return rss


class Syndicated(FeedEntry):  # type: ignore[misc]
    """An entry that renders itself from its value."""

    def __init__(self, document: Document, entry: Item) -> None:
        super().__init__()
        self.document = document
        self.entry = entry

    def atom_entry(self, extensions: bool = True) -> Any:  # noqa: ARG002 (feedgen's signature)
        entry, document = self.entry, self.document
        element = etree.Element("entry")  # no namespace: feedgen's root declares Atom's as the default
        text(element, "id", urn(entry))
        text(element, "title", headline(entry))
        text(element, "updated", rfc3339(entry.updated_ms))
        text(element, "published", rfc3339(entry.published_ms))
        for name in entry.details.authors:
            text(etree.SubElement(element, "author"), "name", name)
        for category in entry.details.categories:
            etree.SubElement(element, "category", term=safe(category))
        etree.SubElement(element, "link", rel="alternate", type="text/html", href=entry.url)
        if article := article_url(entry):
            etree.SubElement(element, "link", rel="related", type="text/html", href=safe(article))
        if entry.details.comments_url:
            etree.SubElement(
                element, "link", rel="replies", type="text/html", href=safe(entry.details.comments_url)
            )
        for enclosure in entry.details.enclosures:
            etree.SubElement(element, "link", rel="enclosure", href=safe(enclosure.url), **about(enclosure))
        source = etree.SubElement(element, "source")
        text(source, "id", document.source_ids[entry.source])
        text(source, "title", document.source_titles[entry.source])
        if document.content == "full":
            text(element, "content", entry.content_html).set("type", "html")
        else:
            text(element, "summary", brief(entry)).set("type", "text")
        self.thumbnail(element)
        return element

    def rss_entry(self, extensions: bool = True) -> Any:  # noqa: ARG002 (feedgen's signature)
        entry, document = self.entry, self.document
        element = etree.Element("item")
        text(element, "title", headline(entry))
        text(element, "link", entry.url)
        text(element, "guid", urn(entry)).set("isPermaLink", "false")
        text(element, "pubDate", rfc822(entry.published_ms))
        text(element, f"{{{ATOM}}}updated", rfc3339(entry.updated_ms))
        for name in entry.details.authors:
            text(element, f"{{{DUBLIN_CORE}}}creator", name)
        for category in entry.details.categories:
            text(element, "category", category)
        if entry.details.comments_url:
            text(element, "comments", entry.details.comments_url)
        self.enclosures(element)
        source = text(element, "source", document.source_titles[entry.source])
        source.set("url", f"{document.base_url}feeds/{entry.source}.rss")
        text(element, "description", escape(brief(entry), quote=False))  # RSS takes it for HTML
        if document.content == "full":
            text(element, f"{{{CONTENT}}}encoded", entry.content_html)
        self.thumbnail(element)
        return element

    def enclosures(self, element: Any) -> None:
        """RSS 2.0 knows one enclosure an item, with all of its attributes; further ones are Media RSS."""
        first, *more = self.entry.details.enclosures or (None,)
        if first is not None:
            kind, length = first.type or "application/octet-stream", str(first.length or 0)
            etree.SubElement(element, "enclosure", url=safe(first.url), type=kind, length=length)
        for each in more:
            if each is not None:
                sized = {"fileSize": str(each.length)} if each.length is not None else {}
                typed = {"type": safe(each.type)} if each.type else {}
                etree.SubElement(element, f"{{{MEDIA}}}content", url=safe(each.url), **typed, **sized)

    def thumbnail(self, element: Any) -> None:
        if self.entry.image:
            etree.SubElement(element, f"{{{MEDIA}}}thumbnail", url=safe(self.entry.image))


def about(enclosure: Enclosure) -> dict[str, str]:
    """What Atom's link says of an enclosure besides its address."""
    said = {
        "type": enclosure.type,
        "length": None if enclosure.length is None else str(enclosure.length),
        "title": enclosure.title,
    }
    return {key: safe(value) for key, value in said.items() if value}


def text(parent: Any, tag: str, value: str) -> Any:
    element = etree.SubElement(parent, tag)
    element.text = safe(value)
    return element
