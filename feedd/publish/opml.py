"""All feeds as OPML 2.0, for a reader to import in one go."""

from collections.abc import Iterable

from lxml import etree

from feedd.publish.plan import Plan
from feedd.publish.syndication import safe


def opml(plans: Iterable[Plan], base_url: str) -> bytes:
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = "Feeds of feedd"
    body = etree.SubElement(root, "body")
    for plan in plans:
        etree.SubElement(
            body,
            "outline",
            type="rss",
            text=safe(plan.title),
            title=safe(plan.title),
            xmlUrl=f"{base_url}feeds/{plan.name}.atom",
            htmlUrl=f"{base_url}feeds/{plan.name}",
        )
    rendered: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    return rendered
