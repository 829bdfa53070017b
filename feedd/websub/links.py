"""What a server says of a feed's hub and of its own address: the `Link` header (RFC 8288, WebSub section 4). Pure."""

import re
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from feedd.errors import FetchError
from feedd.fetch.address import read

LONGEST_HEADER = 16_000  # characters; what follows is not looked at
LONGEST_ADDRESS = 2_000
MOST_LINKS = 100
MOST_HUBS = 3
TARGET = re.compile(r"[\s,]*<([^>]*)>")
PARAMETER = re.compile(r"""\s*;\s*([^\s=;,"<>]*)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?""", re.DOTALL)


class Announced(NamedTuple):
    """Where a document is pushed from, as its headers say."""

    hubs: tuple[str, ...] = ()
    topic: str | None = None  # the address that it calls its own

    @property
    def hub(self) -> str | None:
        return next(iter(self.hubs), None)


def links(header: str) -> list[tuple[str, frozenset[str]]]:
    """(target as it stands, its relations in small letters) of each link; what is broken ends the list."""
    found, position, header = list[tuple[str, frozenset[str]]](), 0, header[:LONGEST_HEADER]
    while len(found) < MOST_LINKS and (target := TARGET.match(header, position)):
        position, relations, anchored = target.end(), None, False
        while (parameter := PARAMETER.match(header, position)) and parameter.end() > position:
            position = parameter.end()
            name, value = parameter[1].lower(), parameter[2] or parameter[3] or ""
            if name == "rel" and relations is None:  # the first counts (section 3.3)
                relations = frozenset(value.lower().split())
            anchored = anchored or name == "anchor"
        if not anchored:  # of another resource (section 3.2)
            found.append((target[1].strip(), relations or frozenset()))
        rest = header[position:].lstrip()
        if rest and not rest.startswith(","):
            break
    return found


def announced(header: str, base: str) -> Announced:
    """The first hubs and the first own address; `base` is where the document was found."""
    hubs, topic = list[str](), None
    for target, relations in links(header):
        if "hub" in relations and (hub := web_address(target, base)) is not None:
            hubs.append(hub)
        if topic is None and "self" in relations:
            topic = web_address(target, base)
    return Announced(tuple(dict.fromkeys(hubs))[:MOST_HUBS], topic)


def web_address(reference: str | None, base: str = "") -> str | None:
    """An absolute http(s) address, or None."""
    if not reference:
        return None
    try:
        url = urljoin(base, reference)
        parts = urlsplit(url)
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return None
    return url if is_web and len(url) <= LONGEST_ADDRESS and url.isprintable() and " " not in url else None


def canonical(url: str) -> str:
    """The address in the one spelling; a fragment or a user in it makes it another one."""
    try:
        address, auth = read(url)
    except FetchError:
        return url
    return url if auth or "#" in url else address.url
