"""What two versions link to and show. Pure."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from feedd.changes.addresses import file, link, picture
from feedd.changes.values import Content
from feedd.normalise.text import without_trackers

# tags first: looking for `<` is many times as quick as looking for white space, and text is not taken for a tag
TAGGED = re.compile(r'<([a-z][a-z0-9]*+)((?:\s[^\s=>]++="[^"]*+")+)')
TARGET = re.compile(r'\s(href|src|poster)="([^"]*)"')  # as normalise.text.TARGET, with the name


class Target(NamedTuple):
    tag: str
    attribute: str
    address: str  # as HTML has it


class Link(NamedTuple):
    tells: str  # what it has to have in common with another to be the same
    address: str


def links(old: Content, new: Content) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Addresses that are gone, and that have come: targets and pictures but the lead picture, then enclosures.

    Also those that changed places with others of their kind: as they stood, and as they stand.
    """
    before, after = targets(old.html), targets(new.html)
    if (before, old.image, old.enclosures) == (after, new.image, new.enclosures):
        return (), ()
    lead = {picture(image) for image in (old.image, new.image) if image}
    was, is_ = told(before, lead), told(after, lead)
    was[-1].extend(enclosed(old.enclosures))
    is_[-1].extend(enclosed(new.enclosures))
    all_old, all_new = ([each for kind in kinds for each in kind] for kinds in (was, is_))
    pairs = [pair for some, others in zip(was, is_, strict=True) for pair in swapped(some, others)]
    return (
        missing(all_old, all_new) + tuple(one.address for one, _ in pairs),
        missing(all_new, all_old) + tuple(other.address for _, other in pairs),
    )


def targets(html: str) -> list[Target]:
    """Every address, with what it is of."""
    return [
        Target(tag, *target)
        for tag, attributes in TAGGED.findall(html)
        for target in TARGET.findall(attributes)
    ]


def told(found: Iterable[Target], lead: set[str]) -> tuple[list[Link], list[Link], list[Link]]:
    """What a version links to, its pictures, and its sounds and films; each in order."""
    linked, pictures, files = list[Link](), list[Link](), list[Link]()
    for tag, attribute, target in found:
        address = without_trackers(target).removesuffix("?")
        if attribute == "href":
            linked.append(Link(link(address), address))
        elif tag == "img" or attribute == "poster":
            if (tells := picture(address)) not in lead:
                pictures.append(Link(tells, address))
        else:
            files.append(Link(file(address), address))
    return linked, pictures, files


def enclosed(addresses: Iterable[str]) -> list[Link]:
    return [Link(file(address), address) for address in addresses]


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


def swapped(old: list[Link], new: list[Link]) -> list[tuple[Link, Link]]:
    """What stands in the place of another, of those that are in both."""
    counts = Counter(each.tells for each in old) & Counter(each.tells for each in new)
    both = zip(first(old, counts), first(new, counts), strict=True)
    return [(one, other) for one, other in both if one.tells != other.tells]


def first(links: list[Link], counts: Counter[str]) -> list[Link]:
    """As many of each as `counts` says."""
    left, found = counts.copy(), []
    for each in links:
        if left[each.tells] > 0:
            left[each.tells] -= 1
            found.append(each)
    return found
