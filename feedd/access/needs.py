"""What a request needs, by its address and method. Pure.

The addresses of feeds that are private need a token that may read, and so does all that names one of them; anything
that changes something needs one that may write. A private feed hides the feed: its entries have pages of their own, and
stand in other feeds.
"""

import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

from feedd.access.scopes import Scope

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# Who watches feedd has no token; who logs in has none yet, and wants to see the page as it is.
OPEN = frozenset(
    {"/healthz", "/readyz", "/login", "/logout", "/preferences", "/style.css", "/favicon.ico", "/robots.txt"}
)
# Their own rules: /hub knows no private feed; hubs know the token in the address of /push, and no other.
TRUSTED = re.compile(r"/hub|/push/[^/]*")
STATIC = re.compile(r"/static/[A-Za-z0-9_.-]+")  # the same for everybody: scripts and pictures of the pages
ADMIN = re.compile(r"/api/v[0-9]+/(?:tokens|config|backup)(?:/.*)?")
OF_A_FEED = re.compile(
    r"(?:/api/v[0-9]+)?/feeds/(?P<name>[a-z0-9][a-z0-9_-]{0,62})(?P<document>\.[^/]*|/archive/[^/]*)?(?:/.*)?",
    re.DOTALL,
)
READ_BY_READERS = re.compile(r"/feeds/[^/]+(?:\.[^/]*|/archive/.*)|/feeds\.opml|/search\.[a-z]+|/events")
BETWEEN = re.compile(r"[^a-z0-9_-]+")
LONGEST_QUERY = 10_000  # characters that are looked through
MOST_FIELDS = 200


class Need(NamedTuple):
    """What is needed to be answered."""

    scope: Scope | None = None  # None: nothing
    for_readers: bool = (
        False  # a document that feed readers fetch: they know basic auth, and keys in addresses
    )
    is_api: bool = False
    is_open: bool = False  # whoever asks, and whatever they show


def needed(method: str, path: str, query: str, *, closed: bool, private: Collection[str]) -> Need:
    """`closed`: nothing is readable without a token; `private`: feeds that are not."""
    for_readers, is_api = READ_BY_READERS.fullmatch(path) is not None, path.startswith("/api/")
    if path in OPEN or TRUSTED.fullmatch(path) or STATIC.fullmatch(path):
        return Need(is_open=True)
    if ADMIN.fullmatch(path):
        return Need(Scope.ADMIN, for_readers, is_api)
    if method not in SAFE and not for_readers:  # a document takes no other method, whoever asks
        return Need(Scope.WRITE, for_readers, is_api)
    if closed or (private and names_one_of(private, path, query)):
        return Need(Scope.READ, for_readers, is_api)
    return Need(None, for_readers, is_api)


def names_one_of(private: Collection[str], path: str, query: str) -> bool:
    """Whether an address names one of these feeds: in its path, as `feed=`, or as `feed:` in what is searched for."""
    found = OF_A_FEED.fullmatch(path) or OF_A_FEED.fullmatch(unquote(path))
    if found and found["name"] in private:
        return True
    try:
        fields = parse_qsl(query[:LONGEST_QUERY], keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:  # too many for whoever answers, too; but what can't be judged is not for everybody
        return True
    for name, value in fields:
        if name == "feed" and set(private) & {each.strip().lower() for each in value.split(",")}:
            return True
        if name in {"q", "query"} and searches_one_of(private, value):
            return True
    return is_too_long(query)


def is_too_long(query: str) -> bool:
    """Whether there is more of it than is looked through: it may name anything."""
    return len(query) > LONGEST_QUERY


def searches_one_of(private: Collection[str], text: str) -> bool:
    """Whether a search may be limited to one of these feeds.

    However it spells `feed:NAME`, with quotes, other widths of letters, or what nobody sees: rather once too often.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    if ":" not in plain:
        return False
    words = BETWEEN.sub("", plain)
    return limits_to(frozenset(private)).search(words) is not None


@lru_cache(4)
def limits_to(feeds: frozenset[str]) -> re.Pattern[str]:
    """What finds a term that limits a search to one of these feeds."""
    return re.compile(f"feed-*(?:{'|'.join(map(re.escape, sorted(feeds)))})")
