"""What an item of a document is known by, as far as the document alone can tell. Pure.

By its guid within its source, unless several items of the document bear it; then by its URL, unless items with
different guids share that; then by what it says.
"""

from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

from feedd.model import RawItem
from feedd.normalise.article import uid_of

LONGEST_GUID = 2_000
Addressed = tuple[RawItem, str | None]  # with its canonical URL


class Name(NamedTuple):
    """A name that means something within its source alone."""

    location: str
    identity: str  # of which its uid is made, where it counts: that takes a while


class Identity(NamedTuple):
    location: str
    uid: str | None  # None: that of its URL
    follows: bool  # the location alone says which entry it is
    elsewhere: str | None = None  # another location that may hold it, if what that holds has its title
    apart: Name | None = None  # what it is known by where its URL tells nothing apart


class Identities(NamedTuple):
    each: list[Identity]
    shared: frozenset[str]  # guids and URLs that several items bear, and that so tell nothing apart


def identify(items: Sequence[Addressed], source: str, forced: str | None = None) -> Identities:
    """`forced`: "url" or "guid" where the source says what counts; "source" where there is one item."""
    if forced == "source":
        one = Identity("", uid_of(f"feedd:{source}"), follows=True)
        return Identities([one] * len(items), frozenset())
    bearers = Counter(guid for guid, _ in {(raw.guid, url or said(raw)) for raw, url in items})
    shared_urls = shared_by_several(items)
    names = names_of(items)
    each = [
        forced_identity(raw, url, source, forced) or identity_of(raw, url, name, source, bearers, shared_urls)
        for (raw, url), name in zip(items, names, strict=True)
    ]
    shared = {location_of(guid) for guid, count in bearers.items() if guid is not None and count > 1}
    shared |= {url for url in shared_urls if url is not None}
    return Identities(each, frozenset() if forced else frozenset(shared))


def shared_by_several(items: Sequence[Addressed]) -> set[str | None]:
    """The URLs that items with different guids bear, or without guids and with different titles."""
    names_at: dict[str | None, set[str]] = {}
    for raw, url in items:
        names_at.setdefault(url, set()).add(raw.guid or said(raw))
    return {url for url, names in names_at.items() if len(names) > 1}


def names_of(items: Sequence[Addressed]) -> list[str]:
    """What each item says, as a name: its title and date. Where several say the same, their texts tell them apart."""
    names, alike = [dated(raw) for raw, _ in items], dict[str, set[str]]()
    for name, (raw, _) in zip(names, items, strict=True):
        alike.setdefault(name, set()).add(raw.html)
    return [
        name if len(alike[name]) == 1 else f"{name}:{digest(raw.html).hex()}"
        for name, (raw, _) in zip(names, items, strict=True)
    ]


def dated(raw: RawItem) -> str:
    return said(raw) if raw.published_ms is None else f"{said(raw)}:{raw.published_ms}"


def forced_identity(raw: RawItem, url: str | None, source: str, forced: str | None) -> Identity | None:
    if forced == "guid" and raw.guid is not None:
        return by_name(raw.guid, source)
    if forced == "url" and url is not None:
        return Identity(url, None, follows=False)
    return None


def identity_of(
    raw: RawItem,
    url: str | None,
    name: str,
    source: str,
    bearers: Counter[str | None],
    shared_urls: set[str | None],
) -> Identity:
    guid = raw.guid
    if guid is not None and bearers[guid] == 1:
        if url is None or url in shared_urls:
            return by_name(guid, source)
        return Identity(location_of(guid), None, follows=True, apart=name_of(guid, source))
    if url is not None and url not in shared_urls:
        return Identity(url, None, follows=False, apart=name_of(name, source))
    return by_name(name, source)._replace(elsewhere=url)


def by_name(name: str, source: str) -> Identity:
    """Known by a name that means something within its source alone."""
    location, identity = name_of(name, source)
    return Identity(location, uid_of(identity), follows=True)


def name_of(name: str, source: str) -> Name:
    return Name(location_of(name), f"feedd:{source}:{name}")


def location_of(guid: str) -> str:
    """The guid, or what stands for one that is very long."""
    return guid if len(guid) <= LONGEST_GUID else f"{guid[:100]}…{digest(guid).hex()}"


def said(raw: RawItem) -> str:
    """A name made of what the item says, where it bears none: its title, else its text."""
    return f"said:{digest(raw.title or raw.html).hex()}"


def digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
