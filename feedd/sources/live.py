"""What tells a live blog, whose text grows by insertions: the type that its page states, or its address. Pure."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

from feedd.sources.markup import Document
from feedd.sources.structured import objects_of, types_of

LIVE_TYPE = "LiveBlogPosting"  # schema.org
# parts of a path that stand for live blogs, whole, and the words that another part ends or begins with if it is one's
WHOLE = frozenset(
    "live live-blog live-blogs liveblog liveblogs live-update live-updates liveupdates live-ticker liveticker"
    " live-coverage live-news live-text minute-by-minute en-direct endirect direct en-vivo envivo directo en-directo"
    " ao-vivo aovivo diretta in-diretta zhibo 直播 实时 مباشر ライブ速報".split()
)
WITHIN = re.compile(
    r"(?:^|[-_])(?:live-?blog|live-?updates|live-?ticker|minute-by-minute|en-direct|en-vivo|ao-vivo)(?:[-_.]|$)"
)
HINTS = re.compile(r"live|direct|vivo|diretta|minute-by|zhibo|[^\x00-\x7f]|%", re.IGNORECASE)


def is_live_url(url: str) -> bool:
    """Whether a part of the path says so. Its host, its query and longer words (`olive`, `delivery`) say nothing."""
    if not HINTS.search(url):  # as nearly all
        return False
    try:
        path = urlsplit(url).path
    except ValueError:  # it is no address
        return False
    parts = [unquote(part).lower() for part in path.split("/")]
    return any(part in WHOLE or WITHIN.search(part) for part in parts)


def is_live_page(objects: Iterable[dict[str, Any]]) -> bool:
    """Whether any of the things that a page states as JSON-LD is a live blog."""
    return any(LIVE_TYPE in types_of(said) for said in objects)


def is_live_document(data: bytes, url: str, content_type: str | None) -> bool:
    """As `is_live_page`, of a page as it was received."""
    document = Document(data, url, content_type)
    if document.is_json or LIVE_TYPE not in document.text:
        return False
    return is_live_page(objects_of(document.tree))
