"""From an address that somebody pasted to a feed.

    the address itself ─► what its Link headers name ─► what its page names ─► common paths ─► words

The one thing that is done with the outside is `fetch`, which is passed in.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple
from urllib.parse import urljoin

from feedd.errors import FetchError, NotAFeed
from feedd.fetch.values import Answer
from feedd.normalise.url import shown
from feedd.sources.feed.discover import COMMON_PATHS, from_link_header
from feedd.sources.feed.parse import parse

MOST_NAMED = 12  # candidates of a page that are looked at

Fetch = Callable[[str], Awaitable[Answer]]  # raises FetchError


class Found(NamedTuple):
    """A feed."""

    url: str  # to be followed: where permanent redirects led
    title: str
    entries: int
    others: tuple[str, ...] = ()  # what else was named, and not looked at


class Look(NamedTuple):
    """What an address has: a feed, or what may lead to one."""

    found: Found | None
    named: tuple[str, ...]  # by headers, then by the page
    base_url: str
    why: str  # it is no feed


async def find_feed(url: str, fetch: Fetch) -> Found:
    """The feed at `url`, or the first one that it leads to. Raises FetchError, NotAFeed."""
    first = look(url, await fetch(url))
    if first.found is not None:
        return first.found
    candidates = [
        each for each in dict.fromkeys((*first.named[:MOST_NAMED], *common(first.base_url))) if each != url
    ]
    empty = None
    for number, candidate in enumerate(candidates):
        try:
            found = look(candidate, await fetch(candidate)).found
        except FetchError:
            continue
        if found is not None and found.entries:
            others = (each for each in candidates[number + 1 :] if each in first.named)
            return found._replace(others=tuple(others))
        empty = empty or found
    if empty is not None:
        return empty
    where = "where it points, nor at the usual addresses" if first.named else "at the usual addresses"
    raise NotAFeed(f"{shown(url)}: {first.why}; no feed was found {where}", first.named)


def common(base_url: str) -> list[str]:
    """Where feeds often are, on the same host."""
    return [urljoin(base_url, path) for path in COMMON_PATHS]


def look(url: str, answer: Answer) -> Look:
    links = from_link_header(answer.headers.get("link", ""), answer.url)
    topic = (links.self_url,) if links.self_url and links.hubs else ()  # WebSub section 4
    named = (*links.alternates, *topic)
    if not 200 <= answer.status < 300:
        return Look(None, named, answer.url, f"the server answers {answer.status}")
    try:
        document = parse(answer.body, answer.url, answer.content_type)
    except NotAFeed as error:
        return Look(None, tuple(dict.fromkeys((*named, *error.advertised))), answer.url, str(error))
    return Look(Found(answer.moved_to or url, document.title, len(document.items)), (), answer.url, "")
