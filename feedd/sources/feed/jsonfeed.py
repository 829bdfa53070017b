"""JSON Feed, versions 1.0 and 1.1 (jsonfeed.org)."""

import json
from collections.abc import Iterator
from html import escape
from typing import Any

from feedd.errors import NotAFeed
from feedd.model import Details, Enclosure, RawItem
from feedd.normalise.dates import parse_date
from feedd.normalise.text import ALLOWED, FORBIDDEN
from feedd.sources.feed.document import FeedDocument
from feedd.sources.feed.fields import absolute, folded

Object = dict[str, Any]


def read(document: bytes, url: str) -> FeedDocument:
    """Raises NotAFeed."""
    try:
        feed = json.loads(document, strict=False)
    except (ValueError, RecursionError) as error:
        raise NotAFeed(f"it looks like JSON, and is none: {error}") from error
    version = string(feed, "version") if isinstance(feed, dict) else ""
    if not isinstance(feed, dict) or not ("jsonfeed.org" in version or isinstance(feed.get("items"), list)):
        raise NotAFeed("it is JSON, but no JSON Feed: it has no version and no items")
    home = address(feed, url, "home_page_url")
    shared, language = authors(feed), string(feed, "language") or None
    items = [each for each in objects(feed, "items") if "expired" not in each or each["expired"] is not True]
    return FeedDocument(
        format="json11" if version.endswith(("/1.1", "/1.1/")) else "json10",
        title=folded(string(feed, "title")),
        url=home,
        language=language,
        image=address(feed, url, "icon") or address(feed, url, "favicon"),
        hubs=tuple(hub for each in objects(feed, "hubs") if (hub := address(each, url, "url"))),
        self_url=address(feed, url, "feed_url"),
        next_url=address(feed, url, "next_url"),
        expired=feed.get("expired") is True,
        items=tuple(item_of(each, url, shared, language) for each in items),
    )


def item_of(item: Object, base: str, shared: tuple[str, ...], language: str | None = None) -> RawItem:
    """`shared` are the feed's authors, and `language` is its own: for an item that doesn't say."""
    url = address(item, base, "url")
    guid = string(item, "id").strip() or None
    return RawItem(
        guid=guid,
        url=url or address(item, base, "external_url") or (absolute(guid, "") if guid else None),
        title=folded(string(item, "title")),
        html=content(item),
        base_url=url or base,
        published_ms=parse_date(string(item, "date_published")),
        updated_ms=parse_date(string(item, "date_modified")),
        image=address(item, base, "image") or address(item, base, "banner_image"),
        details=Details(
            authors=authors(item) or shared,
            categories=tuple(dict.fromkeys(filter(None, map(folded, strings(item, "tags"))))),
            enclosures=tuple({each.url: each for each in attachments(item, base)}.values()),
            language=string(item, "language") or language,
        ),
    )


def content(item: Object) -> str:
    if html := string(item, "content_html").strip():
        return html
    text = string(item, "content_text").strip() or string(item, "summary").strip()
    return escape(text, quote=False).replace("\n", "<br>\n")


def authors(holder: Object) -> tuple[str, ...]:
    """`authors` of 1.1, else `author` of 1.0."""
    listed = objects(holder, "authors")
    single = holder.get("author")
    if not listed and isinstance(single, dict):
        listed = [single]
    names = (folded(string(each, "name")) or string(each, "url").strip() for each in listed)
    return tuple(dict.fromkeys(filter(None, names)))


def attachments(item: Object, base: str) -> Iterator[Enclosure]:
    for each in objects(item, "attachments"):
        if url := address(each, base, "url"):
            yield Enclosure(
                url=url,
                type=string(each, "mime_type").strip().lower() or None,
                length=whole(each, "size_in_bytes"),
                title=folded(string(each, "title")) or None,
                duration_s=whole(each, "duration_in_seconds"),
            )


def string(holder: Object, key: str) -> str:
    """A text; a number as text, for ids are often written so."""
    value = holder.get(key)
    if isinstance(value, str):
        return value if ALLOWED.fullmatch(value) else FORBIDDEN.sub("", value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def strings(holder: Object, key: str) -> list[str]:
    value = holder.get(key)
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def objects(holder: Object, key: str) -> list[Object]:
    value = holder.get(key)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def whole(holder: Object, key: str) -> int | None:
    value = holder.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 10**15:
        return None
    return int(value) or None


def address(holder: Object, base: str, key: str) -> str | None:
    return absolute(string(holder, key).strip(), base)
