"""Text constructs: what is HTML, what is plain text, and the one made of the other.

Atom says which (RFC 4287 section 3.1); in RSS it is told by looks.
"""

import binascii
import re
from base64 import b64decode
from html import escape, unescape
from html.entities import html5

from lxml import etree

from feedd.normalise.text import FORBIDDEN
from feedd.sources.feed.fields import folded, text_of
from feedd.sources.feed.names import Element

REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|([A-Za-z][A-Za-z0-9]{1,31}));")
TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9]*)(?:[\s/][^<>]*)?>")
ANY_MARKUP = re.compile(r"<(?:[A-Za-z][^<>]*>|/[A-Za-z]|!--)")
INVISIBLE = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style)\b[^<>]*>.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE
)
# elements of HTML that a title may be dressed in
DRESS = frozenset(
    "a abbr acronym b bdi bdo big blink br center cite code del dfn div em font h1 h2 h3 h4 h5 h6 i img ins kbd"
    " mark nobr p q s samp small span strike strong sub sup tt u var wbr".split()
)
STANDALONE = frozenset({"br", "img", "wbr", "p"})
BLOCKS = frozenset("br div h1 h2 h3 h4 h5 h6 p center".split())
HTML_TYPES = frozenset({"html", "text/html", "xhtml", "application/xhtml+xml", "text/xhtml"})
TEXT_TYPES = frozenset({"text", "text/plain", "plain", ""})
XHTML_DIV = "div"
VOID_END = re.compile(
    r"</(?:area|br|col|embed|hr|img|input|link|meta|param|source|track|wbr)>", re.IGNORECASE
)
PREFIXED_TAG = re.compile(r"</?[A-Za-z][\w.\-]*:")


def title_of(element: Element, name: str) -> str:
    """Plain text on one line."""
    if len(element):
        return folded("".join(element.itertext()))
    text = element.text or ""
    atom = name.startswith("atom:")
    if atom and element.get("mode") == "base64":
        text = decoded(text)
    if "<" not in text and "&" not in text:
        return folded(text)
    if atom:
        kind = (element.get("type") or "").strip().lower()
        return stripped(text) if kind in HTML_TYPES else folded(text)
    return stripped(text) if element.get("type") == "html" else by_looks(text)


def stripped(html: str) -> str:
    """The text of a little HTML, on one line."""
    if "<" in html:
        html = INVISIBLE.sub("", html)
        html = TAG.sub(lambda tag: " " if tag[1].lower() in BLOCKS else "", html)
    return folded(unescape(html) if "&" in html else html)


def by_looks(text: str) -> str:
    """A title of RSS as plain text: HTML where it can hardly be anything else."""
    if "<" in text:
        tags = [(tag[0][1] == "/", tag[1].lower()) for tag in TAG.finditer(text)]
        closed = {name for closing, name in tags if closing} | STANDALONE
        dress = closed & DRESS
        text = TAG.sub(lambda tag: undressed(tag, dress), text)
    if "&" in text:
        text = REFERENCE.sub(character, text)
    return folded(text)


def undressed(tag: re.Match[str], dress: frozenset[str] | set[str]) -> str:
    name = tag[1].lower()
    if name not in dress:
        return tag[0]
    return " " if name in BLOCKS else ""


def character(reference: re.Match[str]) -> str:
    if (name := reference[1]) and f"{name};" not in html5:
        return reference[0]
    return unescape(reference[0])


def html_of(element: Element, name: str) -> str:
    """The HTML of a construct, not sanitised; "" where there is none."""
    if len(element):
        return inner(element)
    text = (element.text or "").strip()
    if not text:
        return ""
    if name.startswith("atom:"):
        return html_of_typed(text, element)
    if name.startswith("media:") and element.get("type") != "html":
        return escape(text, quote=False).replace("\n", "<br>\n")  # Media RSS: plain unless said otherwise
    return text if looks_like_html(text) else escape(text, quote=False)


def html_of_typed(text: str, element: Element) -> str:
    kind = (element.get("type") or "").split(";")[0].strip().lower()
    mode = element.get("mode")  # of Atom 0.3
    if mode == "base64":
        text = decoded(text).strip()
    if kind in HTML_TYPES:
        return text
    if kind in TEXT_TYPES or mode:
        return escape(text, quote=False)
    if kind.startswith("text/") or kind.endswith(("/xml", "+xml")):
        return escape(text, quote=False)
    unpacked = decoded(text).strip()  # RFC 4287 section 4.1.3.3, item 7
    if unpacked == text:
        return escape(text, quote=False)
    return unpacked if looks_like_html(unpacked) else escape(unpacked, quote=False)


def looks_like_html(text: str) -> bool:
    return ("<" in text and ANY_MARKUP.search(text) is not None) or (
        "&" in text and REFERENCE.search(text) is not None
    )


def decoded(text: str) -> str:
    """The text that base64 stands for; as it is where it is none, "" where it stands for no text."""
    try:
        return FORBIDDEN.sub("", b64decode("".join(text.split()), validate=True).decode("utf-8"))
    except UnicodeDecodeError:
        return ""
    except (binascii.Error, ValueError):
        return text


def inner(element: Element) -> str:
    """What is within an element, or within the one `div` there, as HTML."""
    wrapper = content_root(element)
    html = serialised(wrapper)
    if PREFIXED_TAG.search(html):
        for each in wrapper.iter(etree.Element):
            each.tag = each.tag.rpartition("}")[2].rpartition(":")[2]
        html = serialised(wrapper)
    html = html[html.find(">") + 1 : html.rfind("</")].strip()
    return VOID_END.sub("", html)  # which XHTML's `<br/>` gets, and HTML takes for another one


def content_root(element: Element) -> Element:
    """The element whose base and language rule: XHTML's `div`, which is no part of the content."""
    if len(element) == 1 and not (element.text or "").strip():
        only = element[0]
        if not (only.tail or "").strip() and local_name(only) == XHTML_DIV:
            return only
    return element


def local_name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2].rpartition(":")[2].lower()


def serialised(wrapper: Element) -> str:
    """With a start tag that ends at the first `>`."""
    wrapper.attrib.clear()
    return str(etree.tostring(wrapper, encoding="unicode", method="html", with_tail=False))


def typed_text(element: Element) -> str:
    """The text of a person or a category: HTML entities in it are resolved, for many write them."""
    text = text_of(element)
    return folded(REFERENCE.sub(character, text) if "&" in text else text)
