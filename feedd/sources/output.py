"""What a program prints → items: a feed, HTML for a page's selectors, seed files in a row, or JSON Lines.

In JSON Lines each line is an item of JSON Feed 1.1 (`id`, `url`, `title`, `content_html`, `content_text`, `summary`,
`date_published`, `date_modified`, `authors`, `tags`, `image`, `attachments`, `language`); a line that is none is
rejected and costs no other. A seed begins at a line `<!--time-->` that its link and its rule follow.
"""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Literal, NamedTuple

from feedd.errors import SeedError, SourceError
from feedd.model import RawItem
from feedd.normalise.url import shown
from feedd.sources import seedfile
from feedd.sources.decode import decode
from feedd.sources.feed import jsonfeed
from feedd.sources.feed.parse import parse as parse_feed
from feedd.sources.markup import absolute
from feedd.sources.page import PageSelectors, items_of_page

Kind = Literal["auto", "feed", "page", "seeds", "jsonl"]
COMMENT_LINE = re.compile(r"\s*<!--[^<>]{0,60}-->[ \t]*")
RULE_LINE = re.compile(r"-{6}[ \t]*")
FEED_START = re.compile(r"\s*(?:<\?xml|<(?:\w+:)?(?:rss|feed|rdf|channel)\b)", re.IGNORECASE)
HTML_START = re.compile(r"\s*(?:<!doctype html|<html\b)", re.IGNORECASE)
SNIFFED = 2_000  # characters


class Output(NamedTuple):
    items: tuple[RawItem, ...]
    rejected: tuple[tuple[str, str], ...] = ()  # where, reason
    title: str = ""  # of a feed
    language: str | None = None  # of a feed
    next_url: str | None = None  # where a page goes on


def items_of_output(
    data: bytes, kind: str = "auto", url: str = "", page: PageSelectors | None = None
) -> Output:
    """`kind` is one of Kind's; `url` is what relative addresses are relative to. Nothing printed is nothing found.

    Raises NotAFeed, SelectorRot, SourceError.
    """
    if not data.strip():
        return Output(())
    if kind == "auto":
        kind = kind_of(data, page)
    match kind:
        case "seeds":
            return of_seeds(decode(data))
        case "jsonl":
            return of_lines(decode(data), url)
        case "page":
            if page is None:
                raise SourceError("the program printed HTML; say with `entry` what is an entry in it")
            found = items_of_page(data, url, "text/html", page)
            return Output(found.items, found.rejected, next_url=found.next_url)
        case _:
            feed = parse_feed(data, url)
            return Output(feed.items, title=feed.title, language=feed.language)


def kind_of(data: bytes, page: PageSelectors | None) -> Kind:
    """What it looks like; selectors are asked where it might be a page."""
    text = decode(data)
    if next(starts_of(text.split("\n")), None) is not None:
        return "seeds"
    if text.lstrip()[:1] in {"{", "["}:
        return (
            "feed" if is_json_feed(text) else "jsonl" if page is None or page.entry.kind != "json" else "page"
        )
    start = text[:SNIFFED]
    if page is not None and (HTML_START.match(start) or not FEED_START.match(start)):
        return "page"
    return "page" if HTML_START.match(start) else "feed"


def is_json_feed(text: str) -> bool:
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(whole, dict) and ("items" in whole or "jsonfeed.org" in str(whole.get("version")))


def starts_of(lines: list[str]) -> Iterator[int]:
    """The lines at which a seed begins."""
    for number in range(len(lines) - 2):
        if COMMENT_LINE.fullmatch(lines[number]) and RULE_LINE.fullmatch(lines[number + 2]):
            link = lines[number + 1].strip()
            if link.startswith("[") and link.endswith(")") and "](" in link:
                yield number


def of_seeds(text: str) -> Output:
    lines = text.split("\n")
    starts = list(starts_of(lines))
    items, rejected = list[RawItem](), list[tuple[str, str]]()
    first = starts[0] if starts else len(lines)
    if "".join(lines[:first]).strip():
        rejected.append(("line 1", "what stands before the first seed is none"))
    for start, end in pairwise([*starts, len(lines)]):
        try:
            items.append(item_of_seed("\n".join(lines[start:end])))
        except SeedError as error:
            rejected.append((f"line {start + 1}", str(error)))
    return Output(tuple(items), tuple(rejected))


def item_of_seed(text: str) -> RawItem:
    """Raises SeedError."""
    seed = seedfile.parse(text)
    url = absolute(seed.url, "")
    if url is None:
        raise SeedError(f"'{shown(seed.url)}' is not an http or https URL")
    return RawItem(
        guid=None, url=url, title=seed.title, html=seed.body, base_url=url, published_ms=seed.time_ms
    )


def of_lines(text: str, url: str) -> Output:
    items, rejected = list[RawItem](), list[tuple[str, str]]()
    for where, said in objects_of(text):
        found = said if isinstance(said, str) else item_of(said, url)
        if isinstance(found, str):
            rejected.append((where, found))
        else:
            items.append(found)
    return Output(tuple(items), tuple(rejected))


def objects_of(text: str) -> Iterator[tuple[str, dict[str, Any] | str]]:
    """Where each object stands, and it or what is wrong with it; an array on one line is as good as lines."""
    if text.lstrip().startswith("["):
        try:
            whole = json.loads(text, strict=False)
        except (ValueError, RecursionError):
            whole = None
        if isinstance(whole, list):
            yield from ((f"item {number}", object_of(each)) for number, each in enumerate(whole, 1))
            return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield f"line {number}", object_of(json.loads(line, strict=False))
            except (ValueError, RecursionError) as error:
                yield f"line {number}", f"is no JSON: {error}"


def object_of(value: object) -> dict[str, Any] | str:
    return value if isinstance(value, dict) else "is no JSON object"


def item_of(said: dict[str, Any], url: str) -> RawItem | str:
    """The item, or why it is none."""
    item = jsonfeed.item_of(said, url, ())
    stated = said.get("url")
    if stated and absolute(str(stated), url) is None:
        return f"its url '{shown(str(stated))}' is not an http or https URL"
    if not (item.title or item.html or item.url):
        return "has neither a title nor a text nor an address"
    return item
