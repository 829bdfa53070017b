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
from feedd.normalise.text import ALLOWED, FORBIDDEN
from feedd.sources.decode import CONTROLS
from feedd.sources.feed import repair
from feedd.sources.feed.names import Element

DOCTYPE = rb"<!DOCTYPE[^<>\[]*+(?:\[.*?(?:\]\s*>|\Z)|>)?"
PROLOG = re.compile(
    rb"<!--.*?(?:-->|\Z)|<\?[^<>]*+>?|" + DOCTYPE + rb"|<(?P<name>[A-Za-z_][\w:.\-]*+)",
    re.DOTALL | re.IGNORECASE,
)
XML_ATTRIBUTE = re.compile(rb"xml:(?:base|lang)")
ITEM_END = re.compile(rb"</(?:[\w.\-]+:)?(?:item|entry)\s*>", re.IGNORECASE)
ITEM_START = re.compile(rb"<(?:[\w.\-]+:)?(?:item|entry)[\s>]", re.IGNORECASE)
REFERENCE = re.compile(
    r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)([A-Za-z][A-Za-z0-9]{1,31};)?"
)
MARKUP_CHARACTERS = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"})
# C1 controls, which no one means: Windows-1252 does, in all that is not made by hand
C1 = re.compile(rb"\xc2[\x80-\x9f]")
FEW = 1000  # lead bytes, each of which costs a step in Python
# a pattern that begins with one plain character is found in less time
C1_REFERENCE = re.compile(rb"#(?<=&#)(?:1(?:2[89]|[34][0-9]|5[0-9])|[xX][89][0-9A-Fa-f]);")
WINDOWS_1252 = {code: bytes([code]).decode("cp1252", "ignore").encode("utf-8") for code in range(0x80, 0xA0)}
NUMERIC = re.compile(r"&#(?:[xX]([0-9A-Fa-f]{1,6})|([0-9]{1,7}));")
ROOTS = frozenset({b"rss", b"rdf", b"feed"})  # wherever junk ends
FIRST_ROOTS = frozenset({b"channel", b"entry"})  # common words: only where nothing stands before them
LONGEST_PROLOG = 1_000_000  # bytes; a feed that begins later is none
MAX_MARKUP = 1_500_000  # tags, in CDATA too: each takes a hundred bytes of memory
# what is mended: each costs a little time and memory
MAX_MENDED = 500_000
CDATA, CDATA_END = "<![CDATA[", "]]>"


class Markup(NamedTuple):
    data: bytes  # in UTF-8, from the root's start tag to its end tag
    whole: bool  # False: it was cut short, and ends with the last whole item


class Tree(NamedTuple):
    root: Element
    has_xml_attributes: bool  # whether xml:base or xml:lang occurs
    has_items: bool  # whether something looks like an item
    warnings: tuple[str, ...]


class HtmlPage(Exception):
    """The document is a page for people."""


def read(document: bytes) -> Tree:
    """The tree of a document in UTF-8. Raises NotAFeed, and HtmlPage."""
    if len(document) > MAX_MARKUP and document.count(b"<") > MAX_MARKUP:
        raise NotAFeed(f"it has more than {MAX_MARKUP:,} tags, which no feed needs")
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
        has_xml_attributes=XML_ATTRIBUTE.search(data) is not None,
        has_items=ITEM_START.search(data) is not None,
        warnings=tuple(warnings),
    )


def without_c1(data: bytes) -> bytes:
    if has_c1(data):
        for code, meant in WINDOWS_1252.items():
            data = data.replace(b"\xc2%c" % code, meant)
    if C1_REFERENCE.search(data):
        for code, meant in WINDOWS_1252.items():
            for written in (b"%d" % code, b"x%x" % code, b"x%X" % code, b"X%x" % code, b"X%X" % code):
                data = data.replace(b"&#%s;" % written, meant)
    return data


def has_c1(data: bytes) -> bool:
    """From one lead byte to the next, as long as they are few: that is faster than any pattern."""
    at = data.find(b"\xc2")
    for _ in range(FEW):
        if at < 0:
            return False
        if b"\x80" <= data[at + 1 : at + 2] <= b"\x9f":
            return True
        at = data.find(b"\xc2", at + 1)
    return at >= 0 and C1.search(data, at) is not None


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
    if text.count("<") > MAX_MENDED:
        raise NotAFeed(f"its XML is broken, and it has more than {MAX_MENDED:,} tags, too many to mend")
    try:
        root = etree.fromstring(
            repair.mended(NUMERIC.sub(allowed, text)).encode("utf-8"), parser(recover=True)
        )
    except etree.XMLSyntaxError:
        root = None
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
    pieces, left = [], MAX_MENDED
    for position, piece in enumerate(text.split(CDATA)):
        within, end, behind = piece.partition(CDATA_END) if position else ("", "", piece)
        if "&" in behind:
            behind, replaced = REFERENCE.subn(known, behind, count=left)
            left -= replaced
            if left <= 0:
                raise NotAFeed(
                    f"its XML is broken: it has more than {MAX_MENDED:,} references that mean nothing"
                )
        pieces.append(within + end + behind)
    return CDATA.join(pieces)


def known(reference: re.Match[str]) -> str:
    name = reference[1]
    characters = html5.get(name) if name else None
    return f"&amp;{name or ''}" if characters is None else characters.translate(MARKUP_CHARACTERS)


def allowed(reference: re.Match[str]) -> str:
    """A numeric reference, unless it is to what XML forbids: a recovering parser would take it."""
    code = int(reference[1], 16) if reference[1] else int(reference[2])
    return reference[0] if code < 0x110000 and ALLOWED.fullmatch(chr(code)) else ""
