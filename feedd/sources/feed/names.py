"""Names of elements, whatever prefixes and namespaces a publisher took: `pubdate`, `dc:creator`, `atom:link`.

Names are in small letters. What belongs to RSS itself has no prefix, what belongs to Atom has `atom:`, be it
in its namespace, in a wrong one or in none.
"""

import re
from functools import lru_cache
from typing import Any

Element = Any  # lxml has no types of its own

LONGEST = 200  # characters of a name that is worth remembering
SCHEME = re.compile(r"https?://(?:www\.)?")
RSS, ATOM = "", "atom"
# namespaces without scheme, `www.`, and what is often added or forgotten at their ends; in small letters
PREFIXES = {
    "purl.org/rss/1.0": RSS,
    "purl.org/net/rss1.1": RSS,
    "my.netscape.com/rdf/simple/0.9": RSS,
    "channel.netscape.com/rdf/simple/0.9": RSS,
    "my.netscape.com/publish/formats/rss-0.91": RSS,
    "backend.userland.com/rss": RSS,
    "backend.userland.com/rss2": RSS,
    "backend.userland.com/rss091": RSS,
    "backend.userland.com/rss092": RSS,
    "blogs.law.harvard.edu/tech/rss": RSS,
    "cyber.law.harvard.edu/rss/rss.html": RSS,
    "rssboard.org/rss-specification": RSS,
    "purl.org/rss/2.0": RSS,
    "w3.org/2005/atom": ATOM,
    "purl.org/atom/ns": ATOM,
    "w3.org/1999/02/22-rdf-syntax-ns": "rdf",
    "w3.org/1999/xhtml": "xhtml",
    "purl.org/dc/elements/1.0": "dc",
    "purl.org/dc/elements/1.1": "dc",
    "purl.org/dc/terms": "dcterms",
    "purl.org/rss/1.0/modules/content": "content",
    "purl.org/rss/1.0/modules/dc": "dc",
    "purl.org/rss/1.0/modules/dcterms": "dcterms",
    "purl.org/rss/1.0/modules/syndication": "sy",
    "purl.org/rss/1.0/modules/slash": "slash",
    "purl.org/rss/modules/content": "content",
    "itunes.com/dtds/podcast-1.0": "itunes",
    "example.com/dtds/podcast-1.0": "itunes",
    "search.yahoo.com/mrss": "media",
    "search.yahoo.com/mrss/rss.xml": "media",
    "rssnamespace.org/feedburner/ext/1.0": "feedburner",
    "pheedo.com/namespace/pheedo": "pheedo",
    "purl.oclc.org/net/rss_2.0/enc": "enc",
    "purl.org/syndication/thread/1.0": "thr",
    "wellformedweb.org/commentapi": "wfw",
    "google.com/schemas/play-podcasts/1.0": "googleplay",
    "podcastindex.org/namespace/1.0": "podcast",
}


def prefix_of(namespace: str) -> str | None:
    """The prefix by which a known namespace goes here."""
    return PREFIXES.get(SCHEME.sub("", namespace.strip().lower(), count=1).rstrip("/#").removesuffix(".dtd"))


def split(tag: str) -> tuple[str, str]:
    """(namespace, local name) of lxml's `{namespace}local`."""
    namespace, _, local = tag.rpartition("}")
    return namespace[1:], local


def written_name(tag: str, written_prefix: str) -> tuple[str, str]:
    """(prefix, local name) in small letters: by the namespace if it is known, else as written."""
    namespace, local = split(tag)
    prefix = prefix_of(namespace) if namespace else None
    if prefix is None:
        prefix, colon, rest = local.rpartition(":")  # a prefix that was never declared
        prefix = prefix if colon else written_prefix
        local = rest
    return prefix.lower(), local.lower()


remembered_name = lru_cache(1000)(written_name)


def name_of(element: Element) -> tuple[str, str]:
    """`written_name`, which feeds share most of."""
    tag, prefix = element.tag, element.prefix or ""
    usual = len(tag) + len(prefix) < LONGEST
    return remembered_name(tag, prefix) if usual else written_name(tag, prefix)


class Names(dict[str, str]):
    """lxml's tag → name, for one document: worked out once a tag."""

    def __init__(self, root: Element) -> None:
        super().__init__()
        prefix, local = name_of(root)
        self.atom = local in {"feed", "entry"}
        self.own = {RSS, ATOM, prefix} if self.atom else {RSS, "rss", prefix} - {"rdf"}

    def name(self, element: Element) -> str:
        """The name of an element whose tag may be new."""
        tag = element.tag
        if not isinstance(tag, str):
            return ""  # no element
        known = self.get(tag)
        if known is None:
            prefix, local = name_of(element)
            if prefix in self.own:
                prefix = ATOM if self.atom else RSS
            known = self[tag] = f"{prefix}:{local}" if prefix else local
        return known
