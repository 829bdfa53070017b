"""One item or entry, of any XML format."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from feedd.model import Details, RawItem
from feedd.normalise.dates import parse_date
from feedd.sources.feed import media
from feedd.sources.feed.content import content_root, html_of, title_of, typed_text
from feedd.sources.feed.fields import (
    Context,
    Fields,
    attribute,
    attributes_of,
    base_of,
    by_relation,
    collect,
    first_text,
    folded,
    language_of,
    link,
    link_of,
    plain,
    text_of,
)
from feedd.sources.feed.names import Element

TITLES = ("title", "atom:title", "dc:title", "media:title", "itunes:title")
# the whole before the summary, the writer's own before what was made for directories
CONTENTS = (
    "content:encoded", "xhtml:body", "body", "fullitem", "xhtml:div", "atom:content", "content", "description",
    "atom:summary", "summary", "dc:description", "abstract", "dcterms:abstract", "itunes:summary",
    "media:description", "itunes:subtitle", "googleplay:description",
)  # fmt: skip
PUBLISHED = (
    "pubdate", "atom:published", "atom:issued", "dcterms:issued", "dc:date", "dcterms:available",
    "dcterms:created", "atom:created", "published", "issued", "date",
)  # fmt: skip
UPDATED = ("atom:updated", "atom:modified", "dcterms:modified", "updated", "modified", "lastmod")
GUIDS = ("guid", "atom:id", "id")
LINKS = ("feedburner:origlink", "pheedo:origlink", "link")
LANGUAGES = ("dc:language", "language")
KEYWORDS = ("itunes:keywords", "media:keywords")
AUTHORS = ("atom:author", "dc:creator", "author", "itunes:author", "dc:author", "media:credit")
CATEGORIES = ("category", "atom:category", "dc:subject", "media:category", "itunes:category")
MAIL_AND_NAME = re.compile(r"[^\s@()<>]+@[^\s@()<>]+\s*\((.+)\)")
NAME_AND_MAIL = re.compile(r"(.+?)\s*[<(]\s*(?:mailto:)?[^\s@()<>]+@[^\s@()<>]+\s*[>)]")
HTML_PAGE = frozenset({"", "text/html", "application/xhtml+xml", "html"})
PODCAST = frozenset(
    "itunes:episode itunes:season itunes:explicit podcast:episode podcast:season googleplay:explicit".split()
)
YES = frozenset({"yes", "true", "explicit"})
NO = frozenset({"no", "false", "clean"})


class Shape(NamedTuple):
    """The names that occur in an item, by what is read from them: most items of a feed have one shape."""

    guids: tuple[str, ...]
    links: tuple[str, ...]
    titles: tuple[str, ...]
    contents: tuple[str, ...]
    published: tuple[str, ...]
    updated: tuple[str, ...]
    authors: tuple[str, ...]
    categories: tuple[str, ...]
    keywords: tuple[str, ...]
    languages: tuple[str, ...]
    is_podcast: bool
    has_media: bool
    has_links: bool
    has_source: bool
    has_comments: bool


@lru_cache(256)
def shape_of(names: tuple[str, ...]) -> Shape:
    def present(role: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in role if name in names)

    return Shape(
        guids=present(GUIDS),
        links=present(LINKS),
        titles=present(TITLES),
        contents=present(CONTENTS),
        published=present(PUBLISHED),
        updated=present(UPDATED),
        authors=present(AUTHORS),
        categories=present(CATEGORIES),
        keywords=present(KEYWORDS),
        languages=present(LANGUAGES),
        is_podcast=not PODCAST.isdisjoint(names),
        has_media=not media.NAMES.isdisjoint(names),
        has_links="atom:link" in names,
        has_source=not {"source", "atom:source"}.isdisjoint(names),
        has_comments="comments" in names,
    )


class Shared(NamedTuple):
    """What a feed says for those of its items that say nothing themselves."""

    authors: tuple[str, ...]
    home: str | None
    language: str | None


def item_of(element: Element, context: Context, feed: Shared) -> RawItem:
    fields = collect(element, context.names)
    shape = shape_of(tuple(fields))
    links = by_relation(fields) if shape.has_links else {}
    guid = first_text(fields, *shape.guids) if shape.guids else ""
    own = {} if guid else attributes_of(element)  # RSS 1.0 and CDF say there what others do in elements
    guid = guid or own.get("about", "")
    url = address(element, fields, links, shape, guid, context)
    if url is None and "href" in own:
        url = link(own["href"], element, context)
    html, base, language = content(fields, shape, context)
    if base is None:
        base = (
            (base_of(element, context) or context.url)
            if context.names.atom
            else (url or feed.home or context.url)
        )
    has_files = shape.has_media or "enclosure" in links
    files = media.enclosures(fields, links, context) if has_files else ()
    # by position, which takes half the time: the order is that of `Details` and of `RawItem`
    details = Details(
        people(fields, shape.authors)
        or (inherited(fields, context) if shape.has_source else ())
        or feed.authors,
        categories(fields, shape) if shape.categories or shape.keywords else (),
        files,
        (language_of(element, context) if context.has_xml_attributes else None)
        or (first_text(fields, *shape.languages) if shape.languages else None)
        or language
        or feed.language,
        comments(fields, links, context) if links or shape.has_comments else None,
        origin(fields, context) if shape.has_source else None,
        origin_url(fields, context) if shape.has_source else None,
    )
    return RawItem(
        guid or None,
        url,
        title(fields, shape.titles),
        html,
        base,
        moment(fields, shape.published),
        (moment(fields, shape.updated) if shape.updated else None) or parse_date(own.get("lastmod", "")),
        media.picture(fields, files, context) if has_files else None,
        with_episode(details, fields) if shape.is_podcast else details,
    )


def with_episode(details: Details, fields: Fields) -> Details:
    return details._replace(
        episode=first_text(fields, "itunes:episode", "podcast:episode") or None,
        season=first_text(fields, "itunes:season", "podcast:season") or None,
        explicit=yes_or_no(first_text(fields, "itunes:explicit", "googleplay:explicit")),
    )


def title(fields: Fields, names: tuple[str, ...] = TITLES) -> str:
    for name in names:
        for element in fields.get(name, ()):
            if text := title_of(element, name):
                return text
    return ""


def address(
    element: Element, fields: Fields, links: Fields, shape: Shape, guid: str, context: Context
) -> str | None:
    """Where an item is to be read: its own address before one that only counts clicks."""
    return (
        link_of(fields, context, *shape.links)
        or (alternate(links, context) if links else None)
        or permalink(element, fields, guid, context)
    )


def alternate(links: Fields, context: Context) -> str | None:
    """The page that says the same: an HTML one before others (RFC 4287 section 4.2.7.2)."""
    other = None
    for each in links.get("alternate", ()):
        url = link(attribute(each, "href") or text_of(each), each, context)
        if url is None:
            continue
        if (each.get("type") or "").strip().lower() in HTML_PAGE:
            return url
        other = other or url
    return other


def permalink(element: Element, fields: Fields, guid: str, context: Context) -> str | None:
    """The id, if it is said to be, or may be, an address."""
    if not guid.lower().startswith(("http://", "https://")):
        return None
    for each in fields.get("guid", ()):
        if attribute(each, "ispermalink").lower() == "false":
            return None
    return link(guid, element, context)


def content(fields: Fields, shape: Shape, context: Context) -> tuple[str, str | None, str | None]:
    """HTML of the content, else of the summary; its base URL and language where it states them."""
    for name in shape.contents:
        elements = fields[name]
        for element in by_preference(elements) if name == "atom:content" else elements:
            base, language = stated_within(element, context) if context.has_xml_attributes else (None, None)
            if html := html_of(element, name):
                return html, base, language
    return "", None, None


def stated_within(element: Element, context: Context) -> tuple[str | None, str | None]:
    """Base URL and language of a content."""
    root = content_root(element)
    return base_of(root, context), language_of(root, context) or language_of(element, context)


def by_preference(elements: Iterable[Element]) -> list[Element]:
    """Of several versions of one content (Atom 0.3), HTML first; not what is elsewhere."""
    parts: list[Element] = []
    for each in elements:
        if each.get("src"):
            continue
        multipart = (each.get("type") or "").startswith("multipart/") and len(each)
        parts.extend(each if multipart else [each])
    if len(parts) < 2:
        return parts
    return sorted(parts, key=lambda part: "html" not in (part.get("type") or ""))


def moment(fields: Fields, names: tuple[str, ...]) -> int | None:
    """The first of these that is a date."""
    for name in names:
        for element in fields.get(name, ()):
            if (text := text_of(element)) and (found := parse_date(text)) is not None:
                return found
    return None


def people(fields: Fields, names: tuple[str, ...] = AUTHORS) -> tuple[str, ...]:
    """Names of the authors, by the first kind of element that names any."""
    for name in names:
        elements = fields.get(name)
        if elements and (found := [person for each in elements if (person := person_of(each))]):
            return tuple(dict.fromkeys(found)) if len(found) > 1 else (found[0],)
    return ()


def person_of(element: Element) -> str:
    """The name; failing that, an address."""
    if len(element):
        parts = {plain(str(child.tag)): child for child in element}
        for name in ("name", "email", "uri", "url"):
            if name in parts and (text := typed_text(parts[name])):
                return text
    text = typed_text(element)
    if "@" in text and len(text) < 500:
        named = MAIL_AND_NAME.fullmatch(text) or NAME_AND_MAIL.fullmatch(text)
        return named[1].strip() if named else text
    return text


def inherited(fields: Fields, context: Context) -> tuple[str, ...]:
    """The authors of the feed that an entry came from (RFC 4287 section 4.1.1)."""
    for element in fields.get("atom:source", ()):
        if found := people(collect(element, context.names)):
            return found
    return ()


def categories(fields: Fields, shape: Shape) -> tuple[str, ...]:
    found = [label_of(element) for name in shape.categories for element in fields[name]]
    for name in shape.keywords:
        for element in fields[name]:
            found.extend(map(folded, text_of(element).split(",")))
    return tuple(dict.fromkeys(filter(None, found))) if found else ()


def label_of(element: Element) -> str:
    """A category as it is to be shown."""
    if element.attrib and (stated := element.get("label") or element.get("term") or element.get("text")):
        return folded(stated)
    return typed_text(element)


def comments(fields: Fields, links: Fields, context: Context) -> str | None:
    found = link_of(fields, context, "comments") if "comments" in fields else None
    if found is None and "replies" in links:
        replies = sorted(
            links["replies"], key=lambda reply: attribute(reply, "type").lower() not in HTML_PAGE
        )
        return link(attribute(replies[0], "href"), replies[0], context)
    return found


def origin(fields: Fields, context: Context) -> str | None:
    for element in fields.get("source", ()):
        return folded(text_of(element)) or None
    for element in fields.get("atom:source", ()):
        return title(collect(element, context.names)) or None
    return None


def origin_url(fields: Fields, context: Context) -> str | None:
    """The feed's own address, else its page's."""
    for element in fields.get("source", ()):
        return link(attribute(element, "url"), element, context)
    for element in fields.get("atom:source", ()):
        links = by_relation(collect(element, context.names))
        return next(addresses(links, "self", context), None) or alternate(links, context)
    return None


def addresses(links: Fields, relation: str, context: Context) -> Iterator[str]:
    for each in links.get(relation, ()):
        if url := link(attribute(each, "href"), each, context):
            yield url


def yes_or_no(text: str) -> bool | None:
    word = text.lower()
    return True if word in YES else False if word in NO else None
