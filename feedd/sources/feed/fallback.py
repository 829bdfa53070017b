"""feedparser, for the feeds in which ours finds no item."""

import calendar
from html import escape
from io import BytesIO
from typing import Any

from feedd.model import Details, Enclosure, RawItem
from feedd.sources.feed.fields import absolute, folded
from feedd.sources.feed.media import number

LARGEST = 2_000_000  # bytes; it takes its time


def items_of(document: bytes, url: str) -> tuple[RawItem, ...]:
    if len(document) > LARGEST:
        return ()
    import feedparser

    # bytes alone would be taken for the name of a file
    try:
        found = feedparser.parse(BytesIO(document), sanitize_html=False, resolve_relative_uris=False)
    except Exception:  # noqa: BLE001 - it has no errors of its own, and lets those of others through
        return ()
    return tuple(item_of(entry, url) for entry in found.entries)


def item_of(entry: Any, url: str) -> RawItem:
    """`dict.get`, since its own `get` takes one time for another."""
    contents = [each.value for each in entry.get("content", ()) if each.get("value")]
    detail = entry.get("summary_detail", {})
    summary = entry.get("summary", "")
    if detail.get("type") == "text/plain":
        summary = escape(summary, quote=False)
    return RawItem(
        guid=entry.get("id") or None,
        url=absolute(entry.get("link", "").strip(), url),
        title=folded(entry.get("title", "")),
        html=contents[0] if contents else summary,
        base_url=url,
        published_ms=milliseconds(dict.get(entry, "published_parsed")),
        updated_ms=milliseconds(dict.get(entry, "updated_parsed")),
        details=Details(
            authors=(author,) if (author := folded(entry.get("author", ""))) else (),
            categories=tuple(dict.fromkeys(tag.term for tag in entry.get("tags", ()) if tag.get("term"))),
            enclosures=tuple(
                Enclosure(address, each.get("type"), number(str(each.get("length", ""))))
                for each in entry.get("enclosures", ())
                if (address := absolute(each.get("href", ""), url))
            ),
        ),
    )


def milliseconds(parsed: Any) -> int | None:
    return None if parsed is None else calendar.timegm(parsed) * 1000
