"""Selectors, as a configuration spells them: what to take from a page.

    li.job                 CSS: elements
    a.more@href            CSS and an attribute of what it finds
    @data-url              an attribute of the entry itself
    > h3                   CSS that begins with a child combinator starts at the entry
    xpath:.//time[1]       XPath 1.0: elements, attributes, strings, numbers
    json:data.items[*]     a path into a page that is JSON

A path is names and `[…]` in a row: ``a.b``, ``["a name"]``, ``[0]``, ``[-1]``, ``[*]`` or ``*`` for each; a `$`
may stand before it, and alone means the whole. An array at the end of a path stands for what it holds.

What can't be read here raises ValueError with words for the person who wrote it. bs4 and lxml are imported when
a selector of their kind is compiled.
"""

import re
from collections.abc import Callable, Iterable
from functools import cached_property, lru_cache
from html import escape
from typing import Any, Literal, NamedTuple

from feedd.errors import SelectorRot
from feedd.sources.markup import Document, soup_of, text_of, tree_of

ATTRIBUTE = re.compile(r"[^\W\d][\w:.\-]*")
JSON_STEP = re.compile(
    r"""\.?(?:\[\s*(?:(?P<index>-?[0-9]{1,9})|(?P<each>\*)|"(?P<double>[^"]*)"|'(?P<single>[^']*)')\s*\]"""
    r"""|(?P<star>\*)|(?P<name>[^.\[\]*"'\s]+))"""
)
MARKED_UP = re.compile(r"</?[a-zA-Z][^<>]*>|&(?:[a-zA-Z]{2,8}|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});")
MOST = 50_000  # values that one selector gives

Step = int | str | None  # an index, a name, or each


class Selector(NamedTuple):
    text: str  # as it was written
    kind: Literal["css", "xpath", "json"]
    path: str
    attribute: str | None = None  # of what CSS finds
    steps: tuple[Step, ...] = ()  # of a JSON path


class Element:
    """An element of a page; bs4's or lxml's tree of it is built when a selector of that kind asks for it."""

    def __init__(self, url: str, *, tag: Any = None, node: Any = None) -> None:
        self.url = url
        if tag is not None:
            self.tag = tag
        if node is not None:
            self.node = node

    @cached_property
    def tag(self) -> Any:
        from lxml import etree

        markup = etree.tostring(self.node, encoding="unicode", method="html", with_tail=False)
        return self.within(soup_of(markup, self.url), self.node.tag)

    @cached_property
    def node(self) -> Any:
        root = tree_of(str(self.tag), self.url)
        return next((each for each in root.iter() if each.tag == self.tag.name), root)

    @staticmethod
    def within(soup: Any, name: str) -> Any:
        return soup.find(name) or soup

    @property
    def html(self) -> str:
        return str(self.tag)

    @property
    def inner_html(self) -> str:
        return str(self.tag.decode_contents())

    @property
    def text(self) -> str:
        if "tag" in self.__dict__:
            return text_of(self.html)
        from lxml import etree

        return text_of(etree.tostring(self.node, encoding="unicode", with_tail=False))

    def attribute(self, name: str) -> str | None:
        value = self.tag.get(name) if "tag" in self.__dict__ else self.node.get(name)
        return " ".join(value) if isinstance(value, list) else value


class Value(NamedTuple):
    """What a path finds in JSON, and XPath where it gives no elements: a string, a number, an object."""

    of: Any


Found = Element | Value


def compile_selector(text: str) -> Selector:
    """Raises ValueError."""
    text = text.strip()
    if text.startswith("xpath:"):
        selector = Selector(text, "xpath", text.removeprefix("xpath:").strip())
        xpath(selector.path)
    elif text.startswith("json:"):
        path = text.removeprefix("json:").strip()
        selector = Selector(text, "json", path, steps=steps_of(path))
    else:
        path, attribute = split_attribute(text)
        selector = Selector(text, "css", f":scope {path}" if path.startswith(">") else path, attribute)
        if selector.path:
            css(selector.path)
    return selector


def split_attribute(text: str) -> tuple[str, str | None]:
    """CSS and the attribute behind its `@`, which counts outside brackets and quotes alone. Raises ValueError."""
    at = top_level_at(text)
    if at < 0:
        if not text:
            raise ValueError("a selector is empty; write CSS, @attribute, xpath:… or json:…")
        return text, None
    path, attribute = text[:at].strip(), text[at + 1 :].strip()
    if not ATTRIBUTE.fullmatch(attribute):
        raise ValueError(f"'{text}' has no attribute's name behind its @; write for example a@href")
    return path, attribute.lower()


def top_level_at(text: str) -> int:
    """Where the `@` is that begins an attribute's name; -1 for none."""
    quote, depth, escaped = "", 0, False
    for place, char in enumerate(text):
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char in "[(":
            depth += 1
        elif char in "])":
            depth -= 1
        elif char == "@" and depth == 0:
            return place
    return -1


@lru_cache(maxsize=256)
def css(path: str) -> Any:
    """Raises ValueError."""
    import soupsieve

    try:
        return soupsieve.compile(path)
    except (soupsieve.SelectorSyntaxError, NotImplementedError, ValueError, RecursionError) as error:
        why = str(error).split("\n", 1)[0]
        raise ValueError(f"'{path}' is not a CSS selector: {why}") from error


@lru_cache(maxsize=256)
def xpath(path: str) -> Callable[[Any], Any]:
    """Raises ValueError."""
    from lxml import etree

    try:
        compiled = etree.XPath(path, regexp=False, smart_strings=False)
        compiled(etree.Element("html"))  # only then it is told that a function or a prefix is unknown
    except (etree.XPathError, ValueError) as error:
        raise ValueError(f"'{path}' is not an XPath 1.0 expression: {error}") from error
    return compiled  # type: ignore[no-any-return]


def steps_of(path: str) -> tuple[Step, ...]:
    """Raises ValueError."""
    rest = path.removeprefix("$")
    steps: list[Step] = []
    place = 0
    while place < len(rest):
        found = JSON_STEP.match(rest, place)
        if found is None or (place == 0 and rest == path and found[0].startswith(".")):
            raise ValueError(
                f"'json:{path}' is not a JSON path: it goes wrong at '{rest[place:]}';"
                ' write for example json:data.items[*] or json:["a name"][0]'
            )
        steps.append(step_of(found))
        place = found.end()
        if place < len(rest) and rest[place] not in ".[":
            raise ValueError(
                f"'json:{path}' is not a JSON path: '.' or '[' is missing before '{rest[place:]}'"
            )
    return tuple(steps)


def step_of(found: re.Match[str]) -> Step:
    if found["index"] is not None:
        return int(found["index"])
    if found["each"] or found["star"]:
        return None
    return next(name for name in (found["double"], found["single"], found["name"]) if name is not None)


def select_all(selector: Selector, document: Document) -> list[Found]:
    """What `selector` finds in the whole page, in its order. Raises SelectorRot, SourceError."""
    match selector.kind:
        case "json":
            return json_values(selector, document.json)
        case _ if document.is_json:
            raise SelectorRot(
                f"{document.described()} is JSON, where '{selector.text}' finds nothing;"
                " write a path as in json:items[*]"
            )
        case "css":
            return attributes_of(selector, by_css(selector, document.soup, document.url))
        case "xpath":
            return by_xpath(selector, document.tree, document.url)


def select(selector: Selector, within: Found) -> list[Found]:
    """What `selector` finds below one element or value; CSS also the element itself where there is nothing below.

    Raises SelectorRot, SourceError.
    """
    match within:
        case Element():
            if selector.kind == "json":
                raise SelectorRot(f"'{selector.text}' looks for JSON within HTML; write CSS or xpath:…")
            if selector.kind == "xpath":
                return by_xpath(selector, within.node, within.url)
            if not selector.path:
                return attributes_of(selector, [within])
            found: list[Found] = by_css(selector, within.tag, within.url)
            if not found and css(selector.path).match(within.tag):
                found = [within]
            return attributes_of(selector, found)
        case Value():
            if selector.kind != "json":
                raise SelectorRot(
                    f"'{selector.text}' looks for HTML within JSON; write a path as in json:title"
                )
            return json_values(selector, within.of)


def by_css(selector: Selector, tag: Any, url: str) -> list[Found]:
    if not selector.path:
        return []
    return [Element(url, tag=each) for each in css(selector.path).select(tag, limit=MOST)]


def attributes_of(selector: Selector, found: list[Found]) -> list[Found]:
    if selector.attribute is None:
        return found
    values = (each.attribute(selector.attribute) for each in found if isinstance(each, Element))
    return [Value(value) for value in values if value is not None]


def by_xpath(selector: Selector, node: Any, url: str) -> list[Found]:
    from lxml import etree

    try:
        result = xpath(selector.path)(node)
    except etree.XPathError as error:
        raise SelectorRot(f"'{selector.text}' can't be evaluated: {error}") from error
    results = result[:MOST] if isinstance(result, list) else [result]
    # a comment, a processing instruction or a namespace is no value of a page
    return [
        Element(url, node=each) if isinstance(getattr(each, "tag", None), str) else Value(each)
        for each in results
        if isinstance(each, str | float | bool) or isinstance(getattr(each, "tag", None), str)
    ]


def json_values(selector: Selector, value: Any) -> list[Found]:
    values = [value]
    for step in selector.steps:
        values = [found for each in values for found in below(each, step)][:MOST]
    spread = (each if isinstance(each, list) else [each] for each in values)
    found: list[Found] = [Value(each) for some in spread for each in some if each is not None]
    return found[:MOST]


def below(value: Any, step: Step) -> Iterable[Any]:
    match value, step:
        case dict(), None:
            return value.values()
        case list(), None:
            return value
        case dict(), str() if step in value:
            return [value[step]]
        case list(), int() if -len(value) <= step < len(value):
            return [value[step]]
        case _:
            return []


def text(found: Found) -> str:
    """As plain text on one line."""
    match found:
        case Element():
            return found.text
        case Value(of=str(said)):
            return (
                text_of(str(soup_of(said, "a value"))) if MARKED_UP.search(said) else " ".join(said.split())
            )
        case Value(of=bool() | dict() | list() | None):
            return ""
        case Value(of=number):
            return str(int(number)) if number == number // 1 else str(number)


def html(found: Found) -> str:
    """As HTML: of an element what is within it; a string that holds mark-up as it is, else escaped."""
    match found:
        case Element():
            return found.inner_html
        case Value(of=str(said)) if MARKED_UP.search(said):
            return said
        case _:
            return escape(text(found), quote=False)
