"""A page of the application as one that stands alone: what needs a running feedd is taken out of it.

Forms, scripts and what is live go; a link to what is not published becomes its words alone, and in menus goes itself.
"""

import re
from collections.abc import Callable

from selectolax.lexbor import LexborHTMLParser, LexborNode, create_tag

DOCUMENTS = re.compile(r"/(?:feeds\.opml|style\.css|static/[A-Za-z0-9_.-]+|feeds/.+\.(?:atom|rss|json))")
# What only a running feedd can do, or what tells its operator something.
NEEDS_FEEDD = (
    "form, script, dialog, button, #live, p.choice, #failing, section[aria-labelledby=refused-title],"
    " div[role=status], nav.jump, p.key, p.toolbar > span.meta, p.fares"
)
LIVE = "[data-live]"
MENUS = {"nav", "footer"}
# As feedd itself sends it, for hosts of files that send no such header: nothing runs, whatever a page holds.
POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"
AS_IT_IS = "raw=1"  # the document of a feed, not the page about it


def name_of(address: str) -> str | None:
    """The file in which what has this address lies; None for what has a query of its own, or is another's."""
    path, _, query = address.partition("#")[0].partition("?")
    if not path.startswith("/") or path.startswith("//") or query not in {"", AS_IT_IS}:
        return None
    if path == "/":
        return "index.html"
    return path[1:] if DOCUMENTS.fullmatch(path) else f"{path[1:]}.html"


def alone(html: str, prefix: str, is_published: Callable[[str], bool]) -> str:
    """`prefix`: the path of the base address, without its last slash."""
    tree = LexborHTMLParser(html)
    for node in tree.css(NEEDS_FEEDD):
        node.decompose()
    for node in tree.css("meta[charset]"):
        node.insert_after(meta(**{"http-equiv": "Content-Security-Policy", "content": POLICY}))
    for node in tree.css(LIVE):
        del node.attrs["data-live"]
    for node in tree.css("a[href^='/']"):
        relink(node, prefix, is_published)
    for node in tree.css("link[rel=alternate][href^='/']"):
        if not is_published(name_of(node.attributes["href"] or "") or ""):
            node.decompose()
    if prefix:
        for name in ("href", "src"):
            for node in tree.css(f":is(link, img)[{name}^='/']"):
                node.attrs[name] = f"{prefix}{node.attributes[name]}"
    return f"{tree.html or ''}\n"


def meta(**attributes: str) -> LexborNode:
    node = create_tag("meta")
    for name, value in attributes.items():
        node.attrs[name] = value
    return node


def relink(node: LexborNode, prefix: str, is_published: Callable[[str], bool]) -> None:
    """Lead a link to what is published; a source's, to the page of its feed."""
    address = node.attributes["href"] or ""
    for each in (address, re.sub(r"^/sources/([^/?#]+)$", r"/feeds/\1", address)):
        name = name_of(each)
        if name is not None and is_published(name):
            path, sharp, place = each.partition("#")
            node.attrs["href"] = f"{prefix}{path.partition('?')[0]}{sharp}{place}"
            return
    if is_in_menu(node):
        node.decompose()
    else:
        node.unwrap()


def is_in_menu(node: LexborNode) -> bool:
    if {"button", "figure"} & set((node.attributes.get("class") or "").split()):
        return True
    above = node.parent
    while above is not None:
        if above.tag in MENUS:
            return True
        above = above.parent
    return False
