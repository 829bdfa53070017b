"""Text of a feed → a tree of elements.

Nothing is resolved but the entities that XML and HTML predefine: the document type declaration is cut off
before the parser sees it, so that there is no entity to expand and nothing to fetch. Time and memory are
bounded by the parser's own limits (huge_tree is off) and by `MAX_DEPTH`.
"""

import re
from html.entities import html5
from typing import NamedTuple

from lxml import etree

from feedd.errors import NotAFeed
from feedd.normalise.text import FORBIDDEN
from feedd.sources.decode import CONTROLS
from feedd.sources.feed import repair
from feedd.sources.feed.names import Element

DOCTYPE = rb"<!DOCTYPE[^<>\[]*+(?:\[.*?(?:\]\s*>|\Z)|>)?"
PROLOG = re.compile(
    rb"<!--.*?(?:-->|\Z)|<\?[^<>]*+>?|" + DOCTYPE + rb"|<(?P<name>[A-Za-z_][\w:.\-]*+)",
    re.DOTALL | re.IGNORECASE,
)
ITEM_END = re.compile(rb"</(?:[\w.\-]+:)?(?:item|entry)\s*>", re.IGNORECASE)
ITEM_START = re.compile(rb"<(?:[\w.\-]+:)?(?:item|entry)[\s>]", re.IGNORECASE)
REFERENCE = re.compile(
    r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)([A-Za-z][A-Za-z0-9]{1,31};)?"
)
MARKUP_CHARACTERS = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"})
# C1 controls, which no one means: Windows-1252 does, in all that is not made by hand
C1 = re.compile(rb"\xc2([\x80-\x9f])")
C1_REFERENCE = re.compile(rb"&#(?:(1(?:2[89]|[34][0-9]|5[0-9]))|[xX]([89][0-9A-Fa-f]));")
ROOTS = frozenset({b"rss", b"rdf", b"feed"})  # wherever junk ends
FIRST_ROOTS = frozenset({b"channel", b"entry"})  # common words: only where nothing stands before them
LONGEST_PROLOG = 1_000_000  # bytes; a feed that begins later is none
# what is mended: each costs a little time and memory
MAX_REFERENCES = 200_000
MAX_TAGS = 500_000
CDATA, CDATA_END = "<![CDATA[", "]]>"


class Markup(NamedTuple):
    data: bytes  # in UTF-8, from the root's start tag to its end tag
    whole: bool  # False: it was cut short, and ends with the last whole item


class Tree(NamedTuple):
    root: Element
    has_bases: bool  # whether xml:base occurs
    has_languages: bool  # whether xml:lang does
    has_items: bool  # whether something looks like an item
    warnings: tuple[str, ...]


class HtmlPage(Exception):
    """The document is a page for people."""


def read(document: bytes) -> Tree:
    """The tree of a document in UTF-8. Raises NotAFeed, and HtmlPage."""
    markup = root_of(document)
    data = without_c1(markup.data)
    root, sound = parsed(data)
    warnings = []
    if not markup.whole:
        warnings.append("it is cut short: only its whole items were taken")
    if not sound:
        warnings.append("its XML is broken, and was mended")
    return Tree(
        root=root,
        has_bases=b"xml:base" in data,
        has_languages=b"xml:lang" in data,
        has_items=ITEM_START.search(data) is not None,
        warnings=tuple(warnings),
    )


def without_c1(data: bytes) -> bytes:
    if b"\xc2" in data:
        data = C1.sub(lambda found: windows_1252(found[1][0]), data)
    if b"&#1" in data or b"&#x" in data or b"&#X" in data:
        data = C1_REFERENCE.sub(
            lambda found: windows_1252(int(found[1]) if found[1] else int(found[2], 16)), data
        )
    return data


def windows_1252(code: int) -> bytes:
    return bytes([code]).decode("cp1252", "ignore").encode("utf-8")


def root_of(data: bytes) -> Markup:
    """The feed without what stands before and behind it. Raises NotAFeed, HtmlPage."""
    first = None
    for found in PROLOG.finditer(data, 0, LONGEST_PROLOG):
        if (name := found["name"]) is None:
            if found[0][:14].lower() == b"<!doctype html" and first is None:
                raise HtmlPage
            continue
        local = name.rpartition(b":")[2].lower()
        if local in ROOTS or (first is None and local in FIRST_ROOTS):
            return cut(data, found.start(), name)
        if local == b"html":
            raise HtmlPage
        first = first or name
    if first is None:
        raise NotAFeed("it is no feed: there is no element in it")
    if data.lstrip().startswith(b"<?xml"):
        raise NotAFeed(
            f"it is XML, but no feed: its first element is '{first[:60].decode('utf-8', 'replace')}'"
        )
    raise HtmlPage


def cut(data: bytes, start: int, name: bytes) -> Markup:
    for spelling in (name, name.lower(), name.upper()):
        end = data.rfind(b"</" + spelling, start)
        if end >= 0:
            return Markup(data[start:end] + b"</" + name + b">", whole=True)
    head_end = data.find(b">", start)
    if data[head_end - 1 : head_end] == b"/":
        return Markup(data[start : head_end + 1], whole=True)
    ends = [found.end() for found in ITEM_END.finditer(data, start)]
    if ends:
        return Markup(data[start : ends[-1]], whole=False)
    begun = ITEM_START.search(data, start)
    return Markup(data[start : begun.start() if begun else None], whole=False)


def parsed(data: bytes) -> tuple[Element, bool]:
    """The root element, and whether the XML was sound."""
    try:
        return etree.fromstring(data, parser(recover=False)), True
    except etree.XMLSyntaxError:
        text = with_known_references(without_controls(data))
    try:
        return etree.fromstring(text.encode("utf-8"), parser(recover=False)), True
    except etree.XMLSyntaxError:
        pass
    if text.count("<") > MAX_TAGS:
        raise NotAFeed(f"its XML is broken, and with more than {MAX_TAGS:,} tags it is too large to be mended")
    root = etree.fromstring(repair.mended(text).encode("utf-8"), parser(recover=True))
    if root is None:
        raise NotAFeed("it looks like a feed, but its XML is broken beyond repair")
    return root, False


def parser(*, recover: bool) -> etree.XMLParser:
    return etree.XMLParser(
        encoding="utf-8",
        recover=recover,
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )


def without_controls(data: bytes) -> str:
    """The text without what XML forbids (XML 1.0 section 2.2)."""
    text = data.translate(None, CONTROLS).decode("utf-8", "replace")
    return FORBIDDEN.sub("", text) if b"\xef\xbf" in data else text


def with_known_references(text: str) -> str:
    """`&nbsp;` as the character, and an `&` that begins no reference as `&amp;`; not within CDATA."""
    pieces, left = [], MAX_REFERENCES
    for position, piece in enumerate(text.split(CDATA)):
        within, end, behind = piece.partition(CDATA_END) if position else ("", "", piece)
        if "&" in behind and left > 0:
            behind, replaced = REFERENCE.subn(known, behind, count=left)
            left -= replaced
        pieces.append(within + end + behind)
    return CDATA.join(pieces)


def known(reference: re.Match[str]) -> str:
    name = reference[1]
    characters = html5.get(name) if name else None
    return f"&amp;{name or ''}" if characters is None else characters.translate(MARKUP_CHARACTERS)
