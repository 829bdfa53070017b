"""Document → JSON Feed 1.1 (jsonfeed.org/version/1.1)."""

import json
import re
from typing import Any
from urllib.parse import quote

from feedd.model import Details
from feedd.publish.document import Document
from feedd.publish.item import Item, article_url, brief, urn
from feedd.publish.syndication import headline, safe
from feedd.publish.times import rfc3339
from feedd.store.reader import Entry

URL_SAFE = "!#$%&'()*+,/:;=?@[]~-._"
STRAY = re.compile("%(?![0-9A-Fa-f]{2})")  # an escape that is none


def json_feed(document: Document) -> bytes:
    feed: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": safe(document.title) or document.name,
        "home_page_url": document.url(),
        "feed_url": document.url(".json"),
    }
    if document.language:
        feed["language"] = document.language
    if document.hubs:
        feed["hubs"] = [{"type": "WebSub", "url": address(hub)} for hub in document.hubs]
    feed["items"] = [item(document, entry) for entry in document.entries]
    return json.dumps(feed, ensure_ascii=False, separators=(",", ":")).encode()


def address(url: str) -> str:
    """As a URL must be spelled: what is stored may hold more than that."""
    return STRAY.sub("%25", quote(safe(url), safe=URL_SAFE))


def attributed(said: Details) -> dict[str, Any]:
    """Authors, tags, language and attachments, where there are any."""
    attachments = [
        {
            "url": address(each.url),
            "mime_type": each.type or "application/octet-stream",
            **({"title": safe(each.title)} if each.title else {}),
            **({"size_in_bytes": each.length} if each.length is not None else {}),
            **({"duration_in_seconds": each.duration_s} if each.duration_s is not None else {}),
        }
        for each in said.enclosures
    ]
    made = {
        "authors": [{"name": safe(name)} for name in said.authors],
        "tags": [safe(each) for each in said.categories],
        "language": said.language,
        "attachments": attachments,
    }
    return {key: value for key, value in made.items() if value}


def item(document: Document, entry: Item) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": urn(entry),
        "url": entry.url,
        "title": headline(entry),
        "date_published": rfc3339(entry.published_ms),
        "date_modified": rfc3339(entry.updated_ms),
    }
    if article := article_url(entry):
        made["external_url"] = address(article)
    if document.content == "full":
        made["content_html"] = safe(entry.content_html)
    else:
        made["content_text"] = safe(brief(entry))
    if entry.image:
        made["image"] = address(entry.image)
    made |= attributed(entry.details)
    made["_feedd"] = {"source": entry.source}
    if isinstance(entry, Entry):
        made["_feedd"]["revisions"] = entry.revisions
    return made
