"""Bytes of a page → text, trees and values, within bounds of time and memory. Nothing here knows about selectors.

bs4 and lxml are imported when a page is read: who only checks a configuration needs neither.
"""

import json
import re
from functools import cached_property
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

from feedd.errors import SourceError
from feedd.normalise.html import MARKUP
from feedd.normalise.media import quoted
from feedd.normalise.url import shown
from feedd.sources.decode import decode, web_encoding

MAX_TAGS = 200_000  # of a page: a tree takes half a kilobyte a tag
MAX_DEPTH = 250  # of nested elements; libxml2 stops at 256
MAX_ATTRIBUTES = 1_000  # of an element
ATTRIBUTE = re.compile(r"""[^\s"'<>/=]++(?:\s*+=\s*+(?:"[^"]*+"?|'[^']*+'?|[^\s>]*+))?""")
CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:\-]+)", re.IGNORECASE)
META_CHARSET = re.compile(rb"<meta\b[^>]*?\bcharset\s*=\s*[\"']?\s*([\w.:\-]+)", re.IGNORECASE)
DECLARED = re.compile(rb"<\?xml\b[^>]*?\bencoding\s*=\s*[\"']([\w.:\-]+)", re.IGNORECASE)
META_WITHIN = 4096  # bytes from the beginning, where browsers look at the first 1024
WESTERN = frozenset(["cp1252", "ascii", "utf-8"])  # said by servers that do not know
XML_DECLARATION = re.compile(r"<\?(?=xml)", re.IGNORECASE)
JSON_TYPE = re.compile(r"[^;]*[/+]json\s*(?:;|$)", re.IGNORECASE)
# an address that needs nothing done to it (RFC 3986 appendix A)
USUAL = re.compile(r"https?://[a-zA-Z0-9.\-]+(?::[0-9]{1,5})?(?:/[!$-;=@-Z_a-z~]*(?:\?[!$-;=?-Z_a-z~]+)?)?")
BLOCKS = (
    "address article aside blockquote br caption center dd details div dl dt figcaption figure footer form h1 h2"
    " h3 h4 h5 h6 header hr li main nav ol option p pre section summary table tbody td tfoot th thead tr ul"
)
# of what bs4 or lxml wrote: within attributes it escapes angle brackets
UNSEEN = re.compile(r"<(script|style|template|noscript)\b[^<>]*(?<!/)>.*?</\1>", re.DOTALL)
PREFORMATTED = re.compile(r"<pre\b[^<>]*>.*?</pre>", re.DOTALL)
BLOCK_TAG = re.compile(rf"</?(?:{BLOCKS.replace(' ', '|')})(?:\s[^<>]*|/)?>", re.IGNORECASE)
TAG = re.compile(r"<[^<>]*>")


class Document:
    """A page, with the trees that selectors want, each built when first asked for."""

    def __init__(self, data: bytes, url: str, content_type: str | None = None) -> None:
        self.data = data
        self.url = url
        self.content_type = content_type

    @cached_property
    def text(self) -> str:
        return decoded(self.data, self.content_type)

    @cached_property
    def is_json(self) -> bool:
        if JSON_TYPE.match(self.content_type or ""):
            return True
        start = self.text.lstrip()[:1]
        return (
            start in {"{", "["} and "html" not in (self.content_type or "") and self.json_or_none is not None
        )

    @cached_property
    def json(self) -> Any:
        """Raises SourceError."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError) as error:
            raise SourceError(f"{shown(self.url)} is no JSON that can be read: {error}") from error

    @cached_property
    def json_or_none(self) -> Any:
        try:
            return self.json
        except SourceError:
            return None

    @cached_property
    def soup(self) -> Any:
        """The page as BeautifulSoup. Raises SourceError where it is too large."""
        return soup_of(self.text, self.url)

    @cached_property
    def tree(self) -> Any:
        """The page's root element as lxml has it. Raises SourceError where it is too large."""
        return tree_of(self.text, self.url)

    @cached_property
    def base_url(self) -> str:
        """What relative addresses are relative to: `<base href>`, else the page's own (HTML section 2.4.3)."""
        if self.is_json or "<base" not in self.text.lower():
            return self.url
        base = self.soup.find("base", href=True)
        return (absolute(str(base["href"]), self.url) if base else None) or self.url

    @cached_property
    def title(self) -> str:
        """What the page calls itself: `<title>`, else its first heading, else ""."""
        if self.is_json:
            return ""
        for name in ("title", "h1"):
            found = self.soup.find(name)
            if found is not None and (text := text_of(str(found))):
                return text
        return ""

    def described(self) -> str:
        """The page in a few words, for a message."""
        kind = "JSON" if self.is_json else "HTML"
        name = f"“{shown(self.title, 80)}”, " if self.title else ""
        return f"{shown(self.url)} ({name}{len(self.data):,} bytes of {kind})"


def decoded(data: bytes, content_type: str | None) -> str:
    """Text by byte order mark, HTTP header, `<meta>` or XML declaration, else by what the bytes look like."""
    for label in declared(data, content_type):
        try:
            name = web_encoding(label)
        except LookupError:
            continue
        if name in WESTERN:
            return decode(data) if is_utf8(data) or name == "utf-8" else decode(data, name)
        if not name.startswith("utf-16"):  # what could be read as far as here is none
            return decode(data, name)
    return decode(data)


def declared(data: bytes, content_type: str | None) -> list[str]:
    """The labels that a page has for its encoding, the decisive one first."""
    labels = []
    if content_type and (found := CHARSET.search(content_type)):
        labels.append(found[1])
    stated = (pattern.search(data[:META_WITHIN]) for pattern in (META_CHARSET, DECLARED))
    return [*labels, *(found[1].decode("ascii") for found in stated if found)]


def is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def soup_of(text: str, url: str) -> Any:
    """Raises SourceError."""
    from bs4 import BeautifulSoup
    from bs4.element import PreformattedString

    soup = BeautifulSoup(parsable(text, url), "lxml")
    for unseen in soup.find_all(string=lambda string: isinstance(string, PreformattedString)):
        unseen.extract()  # comments and their like
    if text.count("<") > MAX_DEPTH:
        depths = {id(soup): 0}
        for tag in soup.find_all(True):
            depth = depths[id(tag)] = depths[id(tag.parent)] + 1
            if depth > MAX_DEPTH:
                raise too_deep(url)
    return soup


def tree_of(text: str, url: str) -> Any:
    """The root of an lxml.html tree. Raises SourceError."""
    from lxml import etree
    from lxml.html import HTMLParser, document_fromstring

    parser = HTMLParser(
        recover=True, no_network=True, remove_comments=True, remove_pis=True, encoding="utf-8"
    )
    raw = parsable(text, url).encode("utf-8", "replace")
    try:
        root = document_fromstring(raw, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):  # nothing in it
        root = document_fromstring(b"<p></p>", parser=parser)
    if any("xcessive depth" in entry.message for entry in parser.error_log):
        raise too_deep(url)
    return root


def parsable(text: str, url: str) -> str:
    """`text` without what makes a parser take it for something else. Raises SourceError."""
    if text.count("<") > MAX_TAGS:
        raise SourceError(
            f"{shown(url)} has more than {MAX_TAGS:,} tags: feedd reads no page as large as that"
        )
    if "<" not in text:
        return f"<pre>{text}</pre>"
    if any(map(overloaded, MARKUP.finditer(text))):
        raise SourceError(f"{shown(url)} has an element with more than {MAX_ATTRIBUTES:,} attributes")
    return XML_DECLARATION.sub("<?-", text)


def overloaded(tag: re.Match[str]) -> bool:
    """Whether a tag has more attributes than libxml2 reads in good time: it takes the square of their number."""
    if tag["name"] is None or tag.end() - tag.start() < 2 * MAX_ATTRIBUTES:
        return False
    return len(ATTRIBUTE.findall(tag[0])) > MAX_ATTRIBUTES


def too_deep(url: str) -> SourceError:
    return SourceError(f"{shown(url)} nests elements more than {MAX_DEPTH} deep: feedd reads no such page")


def text_of(markup: str) -> str:
    """The text of HTML that bs4 or lxml wrote, on one line; blocks are kept apart by a space."""
    return " ".join(bare(markup).split())


def lines_of(markup: str) -> list[str]:
    """The same, a line a block."""
    return [line for line in (" ".join(line.split()) for line in broken(markup).split("\n")) if line]


def bare(markup: str) -> str:
    return unescape(TAG.sub("", BLOCK_TAG.sub(" ", UNSEEN.sub("", markup))))


def broken(markup: str) -> str:
    kept = PREFORMATTED.sub(lambda found: found[0].replace("\n", "<br>"), UNSEEN.sub("", markup))
    folded = kept.replace("\n", " ")
    return unescape(TAG.sub("", BLOCK_TAG.sub("\n", folded)))


def absolute(address: str, base_url: str) -> str | None:
    """The address as an absolute http(s) URI, or None."""
    if USUAL.fullmatch(address):
        return address
    try:
        url = quoted(urljoin(base_url, "".join(address.split("\n")).strip()))
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return None
    return url if usable else None
