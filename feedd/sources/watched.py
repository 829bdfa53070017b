"""A watched page, or a part of it, as one entry whose revisions are the point. Pure: bytes in, values out.

`remove` and then `ignore` are for what changes without meaning anything. `remove` takes out elements wherever they
are on the page (with `@attribute` that attribute alone, of JSON what is at a path). `ignore` takes out text: its
expressions see the text of one block (a paragraph, a cell, a list item) at a time, as one string whatever mark-up
is within it; of plain text and of JSON they see everything.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from feedd.errors import SelectorRot, SourceError
from feedd.model import RawItem
from feedd.normalise.html import paragraphs
from feedd.normalise.url import shown
from feedd.sources import selector as selectors
from feedd.sources.markup import BLOCKS, Document, lines_of
from feedd.sources.selector import Element, Found, Selector, Step, compile_selector, css, select_all, xpath

UNSEEN = ["script", "style", "template", "noscript", "link", "meta", "base", "title"]
SHOWN = ["img", "picture", "video", "audio", "iframe", "object", "svg"]
BLOCK_NAMES = frozenset(BLOCKS.split()) | {"body", "html", "[document]"}
# what elements stand in that mean nothing alone
AROUND = {
    **dict.fromkeys(("tr", "tbody", "thead", "tfoot", "caption"), ("<table>", "</table>")),
    **dict.fromkeys(("td", "th"), ("<table><tr>", "</tr></table>")),
    "li": ("<ul>", "</ul>"),
    **dict.fromkeys(("dt", "dd"), ("<dl>", "</dl>")),
}


class Watching(NamedTuple):
    """What of a page is watched."""

    select: str | None = None  # a selector; None: all of it
    remove: tuple[str, ...] = ()  # selectors
    ignore: tuple[re.Pattern[str], ...] = ()
    text_only: bool = False  # its text, a paragraph a block


def watched_item(data: bytes, url: str, content_type: str | None, watching: Watching = Watching()) -> RawItem:  # noqa: B008 - frozen
    """Raises SelectorRot where `select` finds nothing or nothing is left, SourceError; ValueError for no selector."""
    select, ignore, text_only = watching.select, watching.ignore, watching.text_only
    document = Document(data, url, content_type)
    chosen = compile_selector(select) if select else None
    removed = [compile_selector(text) for text in watching.remove]
    if document.is_json:
        html = of_text(pretty(document, chosen, removed), ignore, text_only=text_only)
    elif is_plain(document):
        if chosen:
            raise SelectorRot(f"{document.described()} is plain text, where '{chosen.text}' finds nothing")
        html = of_text(document.text, ignore, text_only=text_only)
    else:
        html = of_markup(document, chosen, removed, ignore, text_only=text_only)
    if not html:
        raise SelectorRot(
            f"nothing is left to watch of {document.described()}: it is empty, or only a browser fills it,"
            " or `remove` and `ignore` take out everything"
        )
    return RawItem(
        guid=None, url=url, title=document.title or name_of(url), html=html, base_url=document.base_url
    )


def name_of(url: str) -> str:
    """The last part of an address, for a document that has no title."""
    parts = urlsplit(url)
    return unquote(parts.path.rstrip("/").rpartition("/")[2]) or parts.hostname or url


def is_plain(document: Document) -> bool:
    kind = (document.content_type or "").partition(";")[0].strip().lower()
    return kind == "text/plain" or "<" not in document.text


def of_text(text: str, ignore: Iterable[re.Pattern[str]], *, text_only: bool) -> str:
    for pattern in ignore:
        text = pattern.sub("", text)
    if not text.strip():
        return ""
    return paragraphs(text) if text_only else f"<pre>{escape(text, quote=False)}</pre>"


def pretty(document: Document, select: Selector | None, removed: Sequence[Selector]) -> str:
    """JSON in a form that depends on nothing but what it says: a line a value, keys in order."""
    value = document.json
    for selector in removed:
        if selector.kind == "json" and selector.steps:
            delete(value, selector.steps)
    values = [value]
    if select is not None:
        values = [found.of for found in select_all(select, document) if not isinstance(found, Element)]
        if not values:
            raise nothing(select, document)
    try:
        return "\n".join(json.dumps(each, indent=2, sort_keys=True, ensure_ascii=False) for each in values)
    except RecursionError as error:
        raise SourceError(f"{shown(document.url)} is JSON that is nested too deep") from error


def delete(value: Any, steps: Sequence[Step]) -> None:
    """Take out what is at a path, where there is something."""
    holders = [value]
    for step in steps[:-1]:
        holders = [found for holder in holders for found in selectors.below(holder, step)]
    last = steps[-1]
    for holder in holders:
        if last is None and isinstance(holder, dict | list):
            holder.clear()
        elif any(True for _ in selectors.below(holder, last)):
            del holder[last]


def nothing(select: Selector, document: Document) -> SelectorRot:
    return SelectorRot(
        f"select '{shown(select.text)}' finds nothing in {document.described()}: the page was rebuilt, or is not what"
        " it should be (a consent page, an error, a page that only a browser fills)"
    )


def of_markup(
    document: Document,
    select: Selector | None,
    removed: Sequence[Selector],
    ignore: Sequence[re.Pattern[str]],
    *,
    text_only: bool,
) -> str:
    parts = parts_of(cleared(document, removed), select)
    if select is not None and not parts:
        raise nothing(select, document)
    for part in parts:
        if isinstance(part, Element):
            for unseen in part.tag.find_all(UNSEEN):
                unseen.decompose()
            ignore_in(part.tag, ignore)
    html = joined(parts)
    lines = lines_of(html)
    if text_only:
        return paragraphs("\n".join(lines))
    return html if lines or any(f"<{name}" in html for name in SHOWN) else ""


def cleared(document: Document, removed: Sequence[Selector]) -> Document:
    """The page without what `remove` names: XPath's first, then CSS's."""
    by_path = [selector for selector in removed if selector.kind == "xpath"]
    if by_path:
        document = written_anew(document, without_nodes(document, by_path))
    by_css = [selector for selector in removed if selector.kind == "css" and selector.path]
    for selector in by_css:
        for tag in css(selector.path).select(document.soup):
            take_out(tag, selector.attribute)
    return written_anew(document, str(document.soup)) if by_css else document


def take_out(tag: Any, attribute: str | None) -> None:
    if attribute is None:
        tag.extract()  # to decompose would break elements within it that are found, too
    elif attribute in tag.attrs:
        del tag[attribute]


def without_nodes(document: Document, removed: Iterable[Selector]) -> str:
    from lxml import etree

    root = document.tree
    for selector in removed:
        found = xpath(selector.path)(root)
        for node in found if isinstance(found, list) else ():
            if isinstance(getattr(node, "tag", None), str) and node.getparent() is not None:
                node.drop_tree()
    return str(etree.tostring(root, encoding="unicode", method="html"))


def written_anew(document: Document, text: str) -> Document:
    return Document(text.encode("utf-8", "replace"), document.url, "text/html; charset=utf-8")


def parts_of(document: Document, select: Selector | None) -> list[Found]:
    if select is None:
        return [Element(document.url, tag=document.soup.body or document.soup)]
    return select_all(select, document)


def joined(parts: Sequence[Found]) -> str:
    """The parts one after another, each with its own element, and what an element needs around it."""
    pieces = []
    for around, some in groupby(parts, key=around_of):
        inner = "".join(written(part) for part in some)
        pieces.append(f"{around[0]}{inner}{around[1]}")
    return "".join(pieces).strip()


def around_of(part: Found) -> tuple[str, str]:
    return AROUND.get(part.tag.name, ("", "")) if isinstance(part, Element) else ("", "")


def written(part: Found) -> str:
    if not isinstance(part, Element):
        return f"<p>{selectors.html(part)}</p>"
    return part.inner_html if part.tag.name in {"body", "html", "[document]"} else part.html


def ignore_in(tag: Any, ignore: Sequence[re.Pattern[str]]) -> None:
    """Take out what the expressions find in the text of each block, and blocks that are empty without it."""
    if not ignore:
        return
    for block, strings in blocks_of(tag):
        before = "".join(strings)
        after = [str(each) for each in strings]
        for pattern in ignore:
            after = without(after, pattern)
        for string, text in zip(strings, after, strict=True):
            if text != string:
                string.replace_with(text)
        emptied = before.strip() and not "".join(after).strip()
        if emptied and block is not tag and block.find(SHOWN) is None and not block.get_text(strip=True):
            block.extract()


def blocks_of(tag: Any) -> Iterator[tuple[Any, list[Any]]]:
    """The text nodes that stand next to each other in one block, with that block."""
    strings = [(block_around(string), string) for string in tag.find_all(string=True)]
    groups = groupby(strings, key=lambda pair: id(pair[0]))
    return iter(
        [(some[0][0], [string for _, string in some]) for some in (list(group) for _, group in groups)]
    )


def block_around(string: Any) -> Any:
    block = string.parent
    while block.name not in BLOCK_NAMES and block.parent is not None:
        block = block.parent
    return block


def without(texts: Sequence[str], pattern: re.Pattern[str]) -> list[str]:
    """The texts without what `pattern` finds in all of them as one."""
    spans = [found.span() for found in pattern.finditer("".join(texts)) if found.end() > found.start()]
    if not spans:
        return list(texts)
    kept, start, place = list[str](), 0, 0
    for text in texts:
        end, pieces, at = start + len(text), [], start
        while place < len(spans) and spans[place][0] < end:
            begin, stop = spans[place]
            pieces.append(text[at - start : max(begin - start, at - start)])
            at = min(stop, end)
            if stop > end:
                break
            place += 1
        pieces.append(text[at - start :])
        kept.append("".join(pieces))
        start = end
    return kept
