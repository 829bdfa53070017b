"""The children of an element by their names, and what can be read off an element."""

import re
from collections import defaultdict
from typing import NamedTuple
from urllib.parse import urljoin

from feedd.sources.feed.names import Element, Names

Fields = dict[str, list[Element]]

# what a link is that doesn't say (RFC 4287 section 4.2.7.2), and what says it the usual way
USUAL_RELATIONS: dict[str | None, tuple[str, ...]] = {
    None: ("alternate",),
    "": ("alternate",),
    **{each: (each,) for each in ("alternate", "enclosure", "replies", "self", "edit", "related")},
}
XML = "{http://www.w3.org/XML/1998/namespace}"
WEB = re.compile(
    r"https?://(?:[^/?#@\s]*+@)?(?:\[[0-9a-f:.]++\]|[^/?#@:\[\]\s]++)(?::[0-9]*+)?(?:[/?#]|\Z)", re.IGNORECASE
)
USUAL_WEB = re.compile(r"https?://[A-Za-z0-9.\-]++(?:[/?#][!-~]*+)?")  # which `link` leaves as it is
LINE_BREAKS = re.compile(r"[\t\r\n]+")
HOLLOW = ("media:group", "media:content")  # what they hold is read as if it stood beside them
# names as most feeds write them
PLAIN = {name: name for name in "url href type length medium width height rel title".split()}
PLAIN |= {f"{{http://www.w3.org/2005/Atom}}{name}": name for name in ("name", "email", "uri")}


class Context(NamedTuple):
    """What every part of one document is read against."""

    names: Names
    url: str  # of the document
    has_xml_attributes: bool  # whether xml:base or xml:lang occurs in it

    @property
    def host(self) -> str:
        return self.url.partition("//")[2].partition("/")[0].lower()


def collect(element: Element, names: Names, into: Fields | None = None) -> Fields:
    """The children by name, in document order."""
    fields: Fields = defaultdict(list) if into is None else into
    for child in element[:]:  # at once: faster than one by one
        try:
            fields[names[child.tag]].append(child)
        except KeyError:
            fields[names.name(child)].append(child)
    if into is None and ("media:content" in fields or "media:group" in fields):
        for name in HOLLOW:
            for hollow in fields.get(name, ()):
                if len(hollow):
                    collect(hollow, names, fields)
    return fields


def by_relation(fields: Fields) -> Fields:
    """Atom's links by `rel`, which may hold several (and, written as an IRI, ends with its name)."""
    links: Fields = {}
    for element in fields.get("atom:link", ()):
        relation = element.get("rel")
        for each in USUAL_RELATIONS.get(relation) or relations(relation):
            links.setdefault(each, []).append(element)
    return links


def relations(written: str) -> list[str]:
    return [each.rpartition("/")[2] for each in written.lower().split()]


def text_of(element: Element) -> str:
    """The text in and below an element, without markup."""
    text = "".join(element.itertext()) if len(element) else element.text
    return text.strip() if text else ""


def folded(text: str) -> str:
    """On one line."""
    return " ".join(text.split())


def first_text(fields: Fields, *names: str) -> str:
    """The first text of these that is not empty, by the order of names."""
    for name in names:
        for element in fields.get(name, ()):
            if text := text_of(element):
                return text
    return ""


def attribute(element: Element, name: str) -> str:
    """An attribute, whatever its case and namespace; "" where there is none."""
    value = element.get(name)
    if value is None:
        for written in element.keys():  # noqa: SIM118 - `in element` goes over its children
            if plain(written) == name:
                return str(element.get(written)).strip()
        return ""
    return str(value).strip()


def attributes_of(element: Element) -> dict[str, str]:
    """All attributes, whatever the case and namespace of their names."""
    return {PLAIN.get(name) or plain(name): value.strip() for name, value in element.items()}


def plain(name: str) -> str:
    """A name without namespace and prefix, in small letters."""
    return PLAIN.get(name) or name.rpartition("}")[2].rpartition(":")[2].lower()


def language_of(element: Element, context: Context) -> str | None:
    """xml:lang of this element itself."""
    return (element.get(XML + "lang") or None) if context.has_xml_attributes else None


def base_of(element: Element, context: Context) -> str | None:
    """The base URI that xml:base states for an element (RFC 3986 section 5.1), or None."""
    if not context.has_xml_attributes:
        return None
    stated = [base for each in (element, *element.iterancestors()) if (base := each.get(XML + "base"))]
    if not stated:
        return None
    base = context.url
    for each in reversed(stated):
        base = joined(base, each.strip())
    return base


def joined(base: str, reference: str) -> str:
    try:
        return urljoin(base, reference)
    except ValueError:
        return base


def link(reference: str, element: Element, context: Context) -> str | None:
    """An address in an element as an absolute one; or None."""
    if USUAL_WEB.fullmatch(reference):
        return reference
    reference = reference.strip()
    if not reference:
        return None
    if not reference.isprintable():
        reference = LINE_BREAKS.sub("", reference)
    if WEB.match(reference):
        return reference
    if reference.partition("/")[0].lower() == context.host:
        reference = f"//{reference}"  # its scheme was forgotten
    return absolute(reference, base_of(element, context) or context.url)


def absolute(reference: str, base: str) -> str | None:
    """An absolute http(s) address, or None."""
    if not reference:
        return None
    try:
        url = urljoin(base, reference)
    except ValueError:
        return None
    return url if WEB.match(url) else None


def link_of(fields: Fields, context: Context, *names: str) -> str | None:
    """The first address in the text, or else the `href`, of these."""
    for name in names:
        for element in fields.get(name, ()):
            if (url := link(text_of(element) or attribute(element, "href"), element, context)) is not None:
                return url
    return None
