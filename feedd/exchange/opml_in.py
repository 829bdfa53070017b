"""OPML 1.0, 1.1 and 2.0 as other readers write it, well-formed or not → subscriptions.

The document is decoded here, cut to its root and its ampersands put right before lxml sees it: addresses with
a bare "&" are common, and nothing is left of what a document type may declare: entities, default attributes.
"""

import html
import re
from collections.abc import Iterable, Iterator
from html.entities import html5
from typing import NamedTuple

from lxml import etree

from feedd.config.values import NO_URL
from feedd.exchange.naming import tag
from feedd.normalise.url import BadUrl, canonical, shown
from feedd.sources.decode import decode, web_encoding

LONGEST_TITLE = 500
MOST_TAGS = 50
DECLARED = re.compile(rb"<\?xml[^>]{0,200}?\bencoding\s{0,9}=\s{0,9}[\"']([A-Za-z0-9._:-]{1,40})[\"']")
AMPERSAND = re.compile(
    r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)(?:([A-Za-z][A-Za-z0-9]{1,31};))?"
)
COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
ROOT = re.compile(r"<(?:[\w.-]{1,40}:)?(?:opml|outline)\b", re.IGNORECASE)
FEED_SCHEME = re.compile(r"(?:feed|itpc|pcast|podcast):(?://)?", re.IGNORECASE)
WEB_SCHEME = re.compile(r"https?://", re.IGNORECASE)
FEED_TYPES = frozenset({"rss", "rss1", "rss2", "rdf", "atom", "atom1", "feed", "json", "jsonfeed", "podcast"})
USERINFO = re.compile(r"[A-Za-z]{1,9}://[^/?#]*@")
LONGEST_URL = 4000


class Subscription(NamedTuple):
    """A feed that somebody follows."""

    url: str  # absolute http(s)
    title: str  # white space folded; may be empty
    html_url: str | None = None  # the page that the feed belongs to
    tags: tuple[str, ...] = ()  # folders from the outside in, then categories


class OpmlReading(NamedTuple):
    subscriptions: tuple[Subscription, ...]
    skipped: tuple[tuple[str, str], ...]  # what, and why


class Outline(NamedTuple):
    """An `outline` element, and the folders that it stands in."""

    attributes: dict[str, str]  # names in small letters
    folders: tuple[str, ...]
    empty: bool  # it holds no other
    commented: bool  # itself, or one around it


def read_opml(data: bytes) -> OpmlReading:
    """All subscriptions of an OPML document, each once. Raises ValueError where it is none."""
    parser = etree.XMLParser(
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_pis=True,
        encoding="utf-8",
    )
    text = repaired(text_of(data))
    root = etree.fromstring(text.encode(), parser) if text else None
    if root is None:
        raise ValueError("it is no OPML document: it has no <opml> element")
    collected = Collected()
    for outline in outlines(root):
        collected.take(outline)
    if any(each.type_name == "ERR_RESOURCE_LIMIT" for each in parser.error_log):
        collected.skip(
            "the rest of the document", "it is nested too deeply, or has too long a text, to be read"
        )
    return OpmlReading(tuple(collected.found.values()), tuple(collected.skipped))


class Collected:
    """Subscriptions by canonical URL, in order of appearance; what was skipped, and why."""

    def __init__(self) -> None:
        self.found: dict[str, Subscription] = {}
        self.skipped: list[tuple[str, str]] = []

    def skip(self, what: str, why: str) -> None:
        self.skipped.append((shown(what), why))

    def take(self, outline: Outline) -> None:
        title, address = title_of(outline.attributes), address_of(outline.attributes)
        what = title or USERINFO.sub("", address) or "an outline without a title"
        if why := refusal(outline, address):
            self.skip(what, why)
        elif address:
            try:
                key = canonical(address, ignore_scheme=True)
                subscription = Subscription(
                    spelled(address), title, page_of(outline.attributes), tags_of(outline)
                )
            except BadUrl as error:
                self.skip(what, str(error))
            else:
                self.add(key, subscription)

    def add(self, key: str, new: Subscription) -> None:
        """Readers list a feed once a folder: what comes again brings its tags."""
        first = self.found.setdefault(key, new)
        if first is new:
            return
        tags = unique((*first.tags, *new.tags))
        self.found[key] = first._replace(tags=tags)
        why = f"it is in the file before, as {shown(first.title or first.url)}"
        self.skip(new.title or new.url, f"{why}; that one got its tags" if tags != first.tags else why)


def refusal(outline: Outline, address: str) -> str | None:
    """Why an outline is no subscription; None for one that is, and for a folder."""
    kind = kind_of(outline.attributes)
    if outline.commented and (address or kind):
        return "it is commented out"
    if kind == "include" or (kind == "link" and not address):  # WordPress lists feeds as links with an xmlUrl
        return f"it is a link to another document (type {kind}), not a feed"
    if address and "+" in kind:
        return f"it is a page that is read by rules (type {shown(kind, 40)}), not a feed"
    if len(address) > LONGEST_URL:
        return f"its address is longer than {LONGEST_URL:,} characters"
    if USERINFO.match(address):
        return "its address holds a user or password; add it with auth = { user = …, password = … }"
    if address or not outline.empty:
        return None
    return (
        "it has no address (xmlUrl)"
        if kind in FEED_TYPES
        else "it is an empty folder, or has no address (xmlUrl)"
    )


def outlines(root: "etree._Element") -> Iterator[Outline]:
    """Every outline, in the order of the document."""
    folders: list[tuple[str, ...]] = [()]  # of the elements that are open
    commented = [False]
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if local_name(element) != "outline":
            continue
        if event == "end":
            folders.pop()
            commented.pop()
            continue
        attributes = {key.lower(): value for key, value in element.attrib.items()}
        is_comment = commented[-1] or attributes.get("iscomment", "").strip().lower() == "true"
        yield Outline(attributes, folders[-1], len(element) == 0, is_comment)
        name = "" if address_of(attributes) else tag(title_of(attributes))
        folders.append((*folders[-1], name)[:MOST_TAGS] if name else folders[-1])
        commented.append(is_comment)


def text_of(data: bytes) -> str:
    """The document as text: by its mark, as UTF-8 where it is that, else as it declares, else by its looks."""
    if data[:4].count(0) == 2:  # UTF-16 without a mark
        return decode(data, "utf-16-le" if data[1] == 0 else "utf-16-be")
    declared = DECLARED.match(data[:300].lstrip())
    return decode(data, other_encoding(data, declared[1].decode()) if declared else None)


def other_encoding(data: bytes, label: str) -> str | None:
    """What the document declares, unless it is UTF-8 all the same, or that can't be."""
    try:
        data.decode()
    except UnicodeDecodeError:
        try:
            return None if "utf" in label.lower() else web_encoding(label)
        except (LookupError, UnicodeError, ValueError):
            return None
    return None


def repaired(text: str) -> str:
    """`text` from its root on, with ampersands that XML can read; "" where it has no root of ours."""
    text = COMMENT.sub("", text)
    root = ROOT.search(text)
    return AMPERSAND.sub(respelled, text[root.start() :]) if root else ""


def respelled(ampersand: re.Match[str]) -> str:
    """A reference that HTML knows and XML does not as its characters; any other ampersand as itself."""
    name = ampersand[1]
    return html.escape(html5.get(name, f"&{name}")) if name else "&amp;"


def local_name(element: "etree._Element") -> str:
    return str(element.tag).rpartition("}")[2].rpartition(":")[2].lower()


def kind_of(attributes: dict[str, str]) -> str:
    return attributes.get("type", "").strip().lower()


def title_of(attributes: dict[str, str]) -> str:
    """What the reader shows (`text`, OPML 2.0 "Text attribute"), else what the feed calls itself."""
    for key in ("text", "title"):
        if folded := " ".join(attributes.get(key, "").split()):
            return folded[:LONGEST_TITLE].rstrip()
    return ""


def address_of(attributes: dict[str, str]) -> str:
    """The feed's address, without a scheme that says no more than that it is one; "" where there is none."""
    address = attributes.get("xmlurl", "").strip()
    if not address and kind_of(attributes) in FEED_TYPES:
        address = attributes.get("url", "").strip()
    return web_address(address)


def web_address(address: str) -> str:
    """`feed://example.org/x` and its like as http addresses; `feed:https://…` as what it holds."""
    bare = FEED_SCHEME.sub("", address, count=1) if FEED_SCHEME.match(address) else address
    return bare if bare == address or WEB_SCHEME.match(bare) else f"http://{bare}"


def spelled(address: str) -> str:
    """The address as it was written where it holds only what a URL may, else its canonical spelling."""
    return canonical(address) if NO_URL.search(address) or not address.isascii() else address


def page_of(attributes: dict[str, str]) -> str | None:
    """Nobody fetches it: it need not be a good address."""
    address = attributes.get("htmlurl", "").strip()
    usable = WEB_SCHEME.match(address) and len(address) <= LONGEST_URL and not NO_URL.search(address)
    return address if usable else None


def tags_of(outline: Outline) -> tuple[str, ...]:
    """The folders from the outside in, then the words of `category` ("/a/b,c": OPML 2.0, "Other attributes")."""
    words = re.split("[,/]", outline.attributes.get("category", "")[:10_000])
    return unique((*outline.folders, *map(tag, words)))


def unique(tags: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, tags)))[:MOST_TAGS]
