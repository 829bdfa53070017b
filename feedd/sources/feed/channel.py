"""A tree → the feed that it is: its format, what it says of itself, its items."""

from collections.abc import Iterator
from datetime import timedelta

from feedd.sources.feed.content import title_of
from feedd.sources.feed.document import FeedDocument
from feedd.sources.feed.fields import (
    Context,
    Fields,
    attribute,
    by_relation,
    collect,
    first_text,
    language_of,
    link,
    link_of,
    text_of,
)
from feedd.sources.feed.item import Shared, addresses, alternate, item_of, people
from feedd.sources.feed.media import picture
from feedd.sources.feed.names import Element, Names, prefix_of, split
from feedd.sources.feed.tree import Tree

ITEMS = frozenset({"item", "atom:entry", "entry", "atom:item"})
CONTAINERS = frozenset({"channel", "items", "atom:channel"})
PERIODS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(days=7),
    "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MAX_ITEMS = 20_000
TOO_MANY = f"it has more than {MAX_ITEMS:,} items: the first {MAX_ITEMS:,} were taken"
LONGEST_TTL_S = 366 * 86_400


def read(tree: Tree, url: str) -> FeedDocument:
    root = tree.root
    names = Names(root)
    context = Context(names, url, tree.has_xml_attributes)
    elements: list[Element] = []
    fields = parts(root, names, elements)
    links = by_relation(fields)
    home = link_of(fields, context, "link") or alternate(links, context) or home_of_cdf(root, context)
    language = language_of(root, context) or first_text(fields, "language", "dc:language") or None
    shared = Shared(people(fields) if names.atom else (), home, language)
    return FeedDocument(
        format=format_of(root, fields),
        title=title(fields),
        url=home,
        language=language,
        image=picture(fields, (), context),
        hubs=tuple(dict.fromkeys(addresses(links, "hub", context))),
        self_url=next(addresses(links, "self", context), None),
        ttl_s=ttl(first_text(fields, "ttl")),
        update_period_s=update_period(fields),
        skip_hours=skip_hours(fields),
        skip_days=skip_days(fields),
        next_url=next(addresses(links, "next", context), None),
        items=tuple(item_of(element, context, shared) for element in elements[:MAX_ITEMS]),
        warnings=tree.warnings + ((TOO_MANY,) if len(elements) > MAX_ITEMS else ()),
    )


def parts(root: Element, names: Names, items: list[Element]) -> Fields:
    """What a feed says of itself, by name; its items go to `items`."""
    if names.name(root) in ITEMS:
        items.append(root)  # an entry by itself (RFC 4287 section 2)
        return {}
    fields: Fields = {}
    pending = [root]
    while pending:
        element = pending.pop(0)
        for name, found in collect(element, names).items():
            if name in ITEMS:
                items.extend(found)
            elif name in CONTAINERS:
                pending.extend(found)
            else:
                fields.setdefault(name, []).extend(found)
    return fields


def title(fields: Fields) -> str:
    for name in ("title", "atom:title", "dc:title", "itunes:title"):
        for element in fields.get(name, ()):
            if text := title_of(element, name):
                return text
    return ""


def home_of_cdf(root: Element, context: Context) -> str | None:
    return link(attribute(root, "href"), root, context) if root.attrib else None


def format_of(root: Element, fields: Fields) -> str:
    namespace, local = split(root.tag)
    local = local.rpartition(":")[2].lower()
    version = attribute(root, "version")
    if local == "rss":
        digits = version.replace(".", "")[:3]
        if digits in {"090", "091", "092", "093", "094"}:
            return f"rss{digits}"
        return "rss20" if digits.startswith("2") else "rss"
    if local in {"feed", "entry"}:
        return "atom03" if "purl.org/atom" in namespace or version.startswith("0.") else "atom10"
    if local == "rdf":
        return "rss090" if any("/0.9" in uri for uri in root.nsmap.values()) else "rss10"
    return "rss11" if prefix_of(namespace) == "" or "items" in fields else "cdf"


def ttl(text: str) -> int | None:
    """RSS 2.0 `ttl` counts minutes."""
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        return None
    return min(int(text) * 60, LONGEST_TTL_S) or None


def update_period(fields: Fields) -> int | None:
    period = PERIODS.get(first_text(fields, "sy:updateperiod").lower())
    if period is None:
        return None
    frequency = first_text(fields, "sy:updatefrequency")
    times = int(frequency) if frequency.isascii() and frequency.isdigit() and len(frequency) < 6 else 1
    return int(period.total_seconds()) // max(times, 1)


def skip_hours(fields: Fields) -> tuple[int, ...]:
    """0…23; RSS 0.91 counts from 1 to 24."""
    words = [
        word for word in within(fields, "skiphours") if word.isascii() and word.isdigit() and len(word) < 3
    ]
    return tuple(sorted({int(word) % 24 for word in words if int(word) <= 24}))


def skip_days(fields: Fields) -> tuple[int, ...]:
    return tuple(
        sorted({DAYS.index(word.lower()) for word in within(fields, "skipdays") if word.lower() in DAYS})
    )


def within(fields: Fields, name: str) -> Iterator[str]:
    for element in fields.get(name, ()):
        for child in element:
            yield text_of(child)
