"""What two versions link to and show. Pure."""

import re
from collections import Counter
from collections.abc import Iterable
from urllib.parse import parse_qsl

from feedd.changes.values import Content
from feedd.normalise.text import without_trackers

# tags first: looking for `<` is many times as quick as looking for white space, and text is not taken for a tag
TAGGED = re.compile(r'<[a-z][a-z0-9]*+((?:\s[^\s=>]++="[^"]*+")++)')
TARGET = re.compile(r'\s(href|src|poster)="([^"]*)"')  # as normalise.text.TARGET, with the name

# what a server makes of a picture, and what lets one see it, not which one it is
RENDERING = frozenset(
    "w width h height q quality fit crop fm format auto dpr v ver version cb t ts _ sig signature s hash expires"
    " token resize scale size imwidth impolicy x-amz-algorithm x-amz-credential x-amz-date x-amz-expires"
    " x-amz-security-token x-amz-signature x-amz-signedheaders key-pair-id policy".split()
)

Link = tuple[str, str]  # what tells it, the address


def links(old: Content, new: Content) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Addresses that are gone, and that have come: targets and pictures but the lead picture, then enclosures."""
    before, after = targets(old.html), targets(new.html)
    if (before, old.image, old.enclosures) == (after, new.image, new.enclosures):
        return (), ()
    lead = {picture(image) for image in (old.image, new.image) if image}
    was, is_ = told(before, lead, old.enclosures), told(after, lead, new.enclosures)
    return missing(was, is_), missing(is_, was)


def targets(html: str) -> list[tuple[str, str]]:
    """Names of attributes and the addresses that they hold."""
    return [target for attributes in TAGGED.findall(html) for target in TARGET.findall(attributes)]


def told(found: Iterable[tuple[str, str]], lead: set[str], enclosures: Iterable[str]) -> list[Link]:
    """The links of a version in order, each with what it has to have in common with another to be the same."""
    links = []
    for attribute, target in found:
        address = without_trackers(target).removesuffix("?")
        tells = address if attribute == "href" else picture(address)
        if attribute == "href" or tells not in lead:
            links.append((tells, address))
    return links + [(picture(address), address) for address in enclosures]


def picture(address: str) -> str:
    """Which picture, or file, an address is of, whatever its protocol, size and version."""
    bare, _, query = address.partition("?")
    bare = bare.removeprefix("https:").removeprefix("http:")
    if not query:
        return bare
    pairs = parse_qsl(query, keep_blank_values=True)
    kept = sorted(pair for pair in pairs if pair[0].lower() not in RENDERING)
    return f"{bare}?{kept}" if kept else bare


def missing(links: list[Link], others: list[Link]) -> tuple[str, ...]:
    """Addresses of the links that stand less often among the others; the last of several."""
    here, there = Counter(tells for tells, _ in links), Counter(tells for tells, _ in others)
    gone = here - there
    found = []
    for tells, address in reversed(links) if gone else ():
        if gone[tells]:
            gone[tells] -= 1
            found.append(address)
    return tuple(reversed(found))
