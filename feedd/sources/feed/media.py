"""Enclosures and pictures of an item."""

import re
from collections.abc import Iterator

from feedd.model import Enclosure
from feedd.sources.feed.fields import (
    Context,
    Fields,
    attribute,
    attributes_of,
    first_text,
    folded,
    link,
    text_of,
)
from feedd.sources.feed.names import Element

MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+\-]+/[a-z0-9!#$&^_.+\-]+")
PICTURE_NAME = re.compile(r"\.(?:avif|gif|jpe?g|png|svg|webp)(?:[?#]|\Z)", re.IGNORECASE)
GENERIC_PICTURE = "gravatar.com/"  # of the author, put in by WordPress as if of the article
PICTURES = (
    "itunes:image",
    "media:thumbnail",
    "image",
    "atom:logo",
    "atom:icon",
    "googleplay:image",
    "media:content",
)
FILES = ("enclosure", "enc:enclosure", "media:content")
NAMES = frozenset({*PICTURES, *FILES})
USUAL_TYPES = frozenset("audio/mpeg image/gif image/jpeg image/png image/webp video/mp4".split())
WHOLE = re.compile(r"[0-9]{1,15}")
CLOCK = re.compile(r"(?:(?:([0-9]{1,4}):)?([0-9]{1,4}):)?([0-9]{1,6})(?:\.[0-9]{1,9})?")


def enclosures(fields: Fields, links: Fields, context: Context) -> tuple[Enclosure, ...]:
    """Each address once; where several elements name one, they complete each other."""
    found: dict[str, Enclosure] = {}
    for element in stated(fields, links):
        if (each := enclosure(element, context)) is not None:
            found[each.url] = completed(found[each.url], each) if each.url in found else each
    if not found:
        return ()
    if (duration_s := seconds(first_text(fields, "itunes:duration"))) is not None:
        main = next(
            (each for each in found.values() if (each.type or "").startswith(("audio/", "video/"))),
            next(iter(found.values())),
        )
        if main.duration_s is None:
            found[main.url] = main._replace(duration_s=duration_s)
    return tuple(found.values())


def completed(first: Enclosure, second: Enclosure) -> Enclosure:
    return Enclosure(
        url=first.url,
        type=first.type or second.type,
        length=first.length or second.length,
        title=first.title or second.title,
        duration_s=first.duration_s or second.duration_s,
    )


def stated(fields: Fields, links: Fields) -> Iterator[Element]:
    for name in FILES:
        if name in fields:
            yield from fields[name]
    yield from links.get("enclosure", ())


def enclosure(element: Element, context: Context) -> Enclosure | None:
    """What an element stands for, if it has an address."""
    attributes = attributes_of(element)
    reference = attributes.get("url") or attributes.get("href") or attributes.get("resource")
    url = link(reference, element, context) if reference else None
    if url is None or GENERIC_PICTURE in url:
        return None
    kind = attributes.get("type", "").lower().partition(";")[0].strip()
    return Enclosure(
        url=url,
        type=kind if kind in USUAL_TYPES or MEDIA_TYPE.fullmatch(kind) else None,
        length=number(attributes.get("length") or attributes.get("filesize", "")),
        title=folded(attributes["title"]) or None if "title" in attributes else None,
        duration_s=seconds(attributes["duration"]) if "duration" in attributes else None,
    )


def number(text: str) -> int | None:
    """A whole number above zero: zero stands for what is not known."""
    return (int(text) or None) if text and WHOLE.fullmatch(text) else None


def seconds(text: str) -> int | None:
    """`3723`, `62:03` or `1:02:03`; zero stands for what is not known."""
    found = CLOCK.fullmatch(text) if text else None
    if found is None:
        return None
    hours, minutes, rest = (int(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + rest or None


def picture(fields: Fields, files: tuple[Enclosure, ...], context: Context) -> str | None:
    """The picture that stands for an item."""
    for name in PICTURES:
        if (elements := fields.get(name)) is None:
            continue
        for element in sorted(elements, key=width, reverse=True) if len(elements) > 1 else elements:
            attributes = attributes_of(element)
            if name == "media:content" and attributes.get("medium", "").lower() != "image":
                continue
            url = link(
                attributes.get("href") or attributes.get("url") or url_within(element), element, context
            )
            if url is not None and GENERIC_PICTURE not in url:
                return url
    return next((each.url for each in files if is_picture(each)), None)


def width(element: Element) -> int:
    return number(attribute(element, "width")) or 0


def url_within(element: Element) -> str:
    """The text of a child called `url`, or the element's own."""
    for child in element:
        if str(child.tag).rpartition("}")[2].lower() == "url":
            return text_of(child)
    return "" if len(element) else text_of(element)


def is_picture(file: Enclosure) -> bool:
    if file.type is not None:
        return file.type.startswith("image/")
    return PICTURE_NAME.search(file.url) is not None
