"""OPML 2.0: all feeds, for a reader to import in one go; and sources, for another feedd or reader."""

from collections.abc import Iterable
from typing import NamedTuple

from lxml import etree

from feedd.publish.plan import Plan
from feedd.publish.syndication import safe


class Listed(NamedTuple):
    """An outline of type rss."""

    title: str
    xml_url: str
    html_url: str | None = None
    tags: tuple[str, ...] = ()  # the first is its folder, the others its `category`


def opml(plans: Iterable[Plan], base_url: str) -> bytes:
    listed = (
        Listed(plan.title, f"{base_url}feeds/{plan.name}.atom", f"{base_url}feeds/{plan.name}")
        for plan in plans
    )
    return outlined("Feeds of feedd", listed)


def outlined(title: str, listed: Iterable[Listed]) -> bytes:
    """An OPML document; folders stand where their first outline does."""
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = title
    body = etree.SubElement(root, "body")
    folders: dict[str, etree._Element] = {}
    for each in listed:
        if not each.tags:
            outline(body, each)
            continue
        folder, name = folders.get(each.tags[0]), safe(each.tags[0])
        if folder is None:
            folder = folders[each.tags[0]] = etree.SubElement(body, "outline", text=name, title=name)
        outline(folder, each)
    rendered: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    return rendered


def outline(parent: "etree._Element", listed: Listed) -> None:
    title = safe(listed.title)
    made = etree.SubElement(parent, "outline", type="rss", text=title, title=title, xmlUrl=listed.xml_url)
    if listed.html_url:
        made.set("htmlUrl", listed.html_url)
    if listed.tags[1:]:
        made.set("category", ",".join(map(safe, listed.tags[1:])))
