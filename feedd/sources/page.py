"""A page and the selectors of `type = "page"` → items. Pure: bytes in, values out."""

import re
from html import unescape
from itertools import islice
from typing import Any, NamedTuple

from selectolax.lexbor import LexborHTMLParser

from feedd.errors import SelectorRot
from feedd.model import Details, RawItem
from feedd.normalise.localdate import parse_local_date
from feedd.normalise.media import PLACEHOLDER, Sources, largest, restore_image
from feedd.normalise.url import shown
from feedd.sources import selector as selectors
from feedd.sources.markup import Document, absolute
from feedd.sources.selector import Element, Found, Selector, Value, select, select_all

MAX_ENTRIES = 2_000  # of one page
LONGEST_TITLE = 500  # characters of a text that stands in for a title
BACKGROUND = re.compile(r"url\(\s*[\"']?([^\"')]+)")


class PageSelectors(NamedTuple):
    """What a page's source says; each selector but `entry` and `next_page` is looked for within an entry."""

    entry: Selector
    title: Selector | None = None  # None: the first heading, else the link's text
    link: Selector | None = None  # None: the entry itself if it is a link, else the first within it
    date: Selector | None = None
    date_format: tuple[str, ...] = ()  # strptime's; one of them fits
    timezone: str | None = None  # IANA's name, of dates without an offset
    language: str | None = None  # BCP 47's tag: of the names of months
    summary: Selector | None = None
    image: Selector | None = None
    author: Selector | None = None
    next_page: Selector | None = None


class PageItems(NamedTuple):
    items: tuple[RawItem, ...]
    rejected: tuple[tuple[str, str], ...]  # where, reason
    next_url: str | None
    matched: int  # what `entry` found, rejected ones included


def items_of_page(data: bytes, url: str, content_type: str | None, wanted: PageSelectors) -> PageItems:
    """The entries of one page, in its order. Raises SelectorRot, SourceError."""
    document = Document(data, url, content_type)
    entries = select_all(wanted.entry, document)
    if not entries:
        raise rot("entry", wanted.entry, document)
    items, rejected = list[RawItem](), list[tuple[str, str]]()
    for number, entry in enumerate(islice(entries, MAX_ENTRIES), 1):
        item = item_of(entry, document, wanted)
        if item.title or item.url:
            items.append(item)
        else:
            rejected.append((f"entry {number}", "has neither a title nor a link"))
    if len(entries) > MAX_ENTRIES:
        rejected.append(
            (f"entry {MAX_ENTRIES + 1}", f"a page is read up to {MAX_ENTRIES:,} entries; it and more follow")
        )
    return PageItems(tuple(items), tuple(rejected), next_page(document, wanted.next_page), len(entries))


def rot(key: str, selector: Selector, document: Document) -> SelectorRot:
    return SelectorRot(
        f"{key} '{shown(selector.text)}' finds nothing in {document.described()}: the page was rebuilt, or is not what"
        " it should be (a consent page, an error, a page that only a browser fills);"
        " see what other selectors give with `feedd test`"
    )


def item_of(entry: Found, document: Document, wanted: PageSelectors) -> RawItem:
    links = select(wanted.link, entry) if wanted.link else [entry]
    image = first(wanted.image, entry)
    summary = first(wanted.summary, entry)
    return RawItem(
        guid=None,
        url=next((url for link in links if (url := link_of(link, document.base_url))), None),
        title=title_of(entry, links, wanted),
        html=selectors.html(summary) if summary else "",
        base_url=document.base_url,
        published_ms=date_of(entry, wanted),
        image=image_of(image, document.base_url) if image else None,
        details=Details(authors=authors_of(entry, wanted.author)),
    )


def first(selector: Selector | None, entry: Found) -> Found | None:
    return next(iter(select(selector, entry)), None) if selector else None


def title_of(entry: Found, links: list[Found], wanted: PageSelectors) -> str:
    if wanted.title is not None:
        found = first(wanted.title, entry)
        return selectors.text(found) if found else ""
    match entry:
        case Element():
            texts = (selectors.text(each) for each in (*headings(entry), *map(link_element, links)) if each)
            return next((text[:LONGEST_TITLE] for text in texts if text), "")
        case Value(of=dict(said)):
            return next((selectors.text(Value(said[key])) for key in ("title", "name") if said.get(key)), "")
        case _:
            return ""


def headings(entry: Element) -> list[Element]:
    found = entry.tag.find(re.compile("^h[1-6]$"))
    return [Element(entry.url, tag=found)] if found else []


def link_element(found: Found) -> Element | None:
    """The `<a href>` that an element is or holds."""
    if not isinstance(found, Element):
        return None
    if found.attribute("href") is not None:
        return found
    within = found.tag.find("a", href=True)
    return Element(found.url, tag=within) if within else None


def link_of(found: Found, base_url: str) -> str | None:
    match found:
        case Value(of=str(address)):
            return absolute(unescape(address), base_url)
        case Value(of=dict(said)):
            stated = (said[key] for key in ("url", "link", "href") if isinstance(said.get(key), str))
            return next((url for each in stated if (url := absolute(each, base_url))), None)
        case Element():
            link = link_element(found)
            return absolute(link.attribute("href") or "", base_url) if link else None
        case _:
            return None


def date_of(entry: Found, wanted: PageSelectors) -> int | None:
    """The first date that can be read of what `date` finds."""
    if wanted.date is None:
        return None
    texts = (text for found in select(wanted.date, entry) for text in date_texts(found))
    language, timezone = wanted.language, wanted.timezone
    moments = (
        parse_local_date(text, formats=formats, language=language, timezone=timezone)
        for text in texts
        for formats in ((wanted.date_format, ()) if machine_made(text) else (wanted.date_format,))
    )
    return next((moment for moment in moments if moment is not None), None)


def machine_made(text: str) -> bool:
    """Whether a date is ISO 8601's, which no `date_format` needs to spell."""
    return re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ]|$)", text.strip()) is not None


def date_texts(found: Found) -> list[str]:
    if isinstance(found, Value):
        return [selectors.text(found)]
    stated = (found.attribute(name) for name in ("datetime", "content"))
    return [text for text in (*stated, found.text) if text]


def image_of(found: Found, base_url: str) -> str | None:
    """A picture's address: of `src` or what stands in for it, of a `<meta>`, a link, or a background."""
    if isinstance(found, Value):
        return absolute(found.of, base_url) if isinstance(found.of, str) and found.of else None
    tag = found.tag.find_parent("picture") or found.tag
    address = picture_in(str(tag)) or other_picture(found)
    return absolute(address, base_url) if address else None


def picture_in(markup: str) -> str | None:
    """The first `<img>` that has an address; lazy ones included."""
    tree: Any = LexborHTMLParser(markup, is_fragment=True)
    sources = Sources()
    for image in tree.css("img"):
        restore_image(image, image.attributes, sources)
        source = (image.attributes.get("src") or "").strip()
        if source and not PLACEHOLDER.match(source):
            return source
    return next(
        (each for source in tree.css("source[srcset]") if (each := largest(source.attributes["srcset"]))),
        None,
    )


def other_picture(found: Element) -> str | None:
    styled = [found.tag, *found.tag.find_all(style=True, limit=5)]
    background = next(
        (each for tag in styled if (each := BACKGROUND.search(str(tag.get("style") or "")))), None
    )
    if background:
        return background[1]
    names = ("content", "poster", "data-bg", "data-background", "data-background-image", "href")
    return next((value for name in names if (value := found.attribute(name))), None)


def authors_of(entry: Found, selector: Selector | None) -> tuple[str, ...]:
    names = (selectors.text(found) for found in select(selector, entry)) if selector else ()
    return tuple(dict.fromkeys(name for name in names if name))


def next_page(document: Document, selector: Selector | None) -> str | None:
    """Where the page goes on, if that is elsewhere."""
    if selector is None:
        return None
    links = (link_of(found, document.base_url) for found in select_all(selector, document))
    return next(
        (url for url in links if url and url.partition("#")[0] != document.url.partition("#")[0]), None
    )
