"""RawItem → Item: what a document states becomes an article with an identity, or is rejected with a reason. Pure.

An item is known by its guid within its source, unless several items of the document bear it; then by its URL,
unless items with different guids share that; then by what it says.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from feedd.model import Details, Item, Raw, RawItem, Rejected
from feedd.normalise.article import derive
from feedd.normalise.html import VERSION, TooMuchHtml, clean
from feedd.normalise.media import quoted
from feedd.normalise.text import FORBIDDEN, plain_text
from feedd.normalise.url import BadUrl, canonical, shown
from feedd.rules import Filter, Parts
from feedd.sources.identity import Identity, digest, identify, location_of

EARLIEST_MS = 100_000_000_000  # March 1973: anything less was meant in seconds, or not set
DAY_MS = 86_400_000
LONGEST_TITLE = 2_000
MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,80}")
WHOLE = b""  # equals no hash of what was said


class Recipe(NamedTuple):
    """How a source wants its items to be made."""

    source: str
    document_url: str  # canonical; stands in where an item has no address
    identity: str | None = None  # url | guid: forces one; source: there is one item
    ignore_scheme: bool = False
    rewrite: tuple[tuple[str, str, str], ...] = ()  # part, expression, replacement
    ignore: tuple[re.Pattern[str], ...] = ()
    filter: Filter = Filter()
    extraction: str = ""  # hash of the settings


class Made(NamedTuple):
    items: list[Item]
    rejected: list[Rejected]
    present: frozenset[str]  # locations of all that the document names
    shared: frozenset[str] = frozenset()  # guids and URLs that several of its items bear


class Draft(NamedTuple):
    """An item that is known, and not made into an article yet."""

    raw: RawItem
    url: str | None  # canonical
    identity: Identity
    place: int  # in its document
    seen: bytes  # the same if the document says the same of it, and it is made in the same way; or WHOLE
    shares: frozenset[str] = frozenset()  # of its guid and URL, what other items of the document bear too


def items_of(raws: Sequence[RawItem], recipe: Recipe, now_ms: int, raw: Raw | None = None) -> Made:
    """The items of one document, in its order."""
    return made_of(drafts(raws, recipe), recipe, now_ms, raw)


def drafts(raws: Sequence[RawItem], recipe: Recipe, *, whole: bool = False) -> list[Draft]:
    """Which entry each item of a document is, as far as the document alone can tell.

    `whole`: nobody will ask whether an item is as it was, since its article costs nothing to be had.
    """
    tidy = [tidied(each, recipe) for each in raws]
    urls = [address_of(each.url, recipe) for each in tidy]
    found = identify(list(zip(tidy, urls, strict=True)), recipe.source, recipe.identity)
    return [
        Draft(
            each,
            url,
            identity,
            place,
            WHOLE if whole else seen(each, recipe),
            frozenset(filter(None, (each.guid and location_of(each.guid), url))) & found.shared,
        )
        for place, (each, url, identity) in enumerate(zip(tidy, urls, found.each, strict=True))
    ]


def made_of(
    drafted: Iterable[Draft],
    recipe: Recipe,
    now_ms: int,
    raw: Raw | None = None,
    *,
    provisional: bool = False,
) -> Made:
    """Articles of drafts. `provisional`: of summaries that stand in for them."""
    items, rejected, present, shared = list[Item](), list[Rejected](), set[str](), set[str]()
    # step by step for all of them, in place of one after the other: the processor's caches hold the code of one step
    cleaned = [(draft, cleaned_of(draft, recipe)) for draft in drafted]
    for draft, html in cleaned:
        made = html if isinstance(html, Rejected) else item_of(draft, html, recipe, now_ms)
        present.add(draft.identity.location)
        shared |= draft.shares
        if isinstance(made, Rejected):
            rejected.append(made)
        elif raw is None and not provisional:  # as nearly always
            items.append(made)
        else:
            items.append(made._replace(raw=raw, provisional=provisional))
    return Made(items, rejected, frozenset(present), frozenset(shared))


def tidied(raw: RawItem, recipe: Recipe) -> RawItem:
    url, title = rewritten(raw.url or "", raw.title, recipe.rewrite)
    title = " ".join(FORBIDDEN.sub("", title).split())[:LONGEST_TITLE]
    return raw._replace(url=url or None, title=title)


def rewritten(url: str, title: str, rewrite: Iterable[tuple[str, str, str]]) -> tuple[str, str]:
    """URL and title after the source's replacements."""
    for part, pattern, to in rewrite:
        if part == "url":
            url = re.sub(pattern, to, url)
        else:
            title = re.sub(pattern, to, title)
    return url, title


def address_of(url: str | None, recipe: Recipe) -> str | None:
    if url is None:
        return None
    try:
        return canonical(url, ignore_scheme=recipe.ignore_scheme)
    except BadUrl:
        return None


def cleaned_of(draft: Draft, recipe: Recipe) -> str | Rejected:
    raw = draft.raw
    try:
        return clean(without(raw.html, recipe.ignore), raw.base_url or draft.url or recipe.document_url)
    except TooMuchHtml as error:
        return refused(draft, str(error))


def item_of(draft: Draft, html: str, recipe: Recipe, now_ms: int) -> Item | Rejected:
    """`html`: clean."""
    raw, url, identity = draft.raw, draft.url, draft.identity
    address = url or recipe.document_url
    details = tidy(raw.details)
    parts = Parts(raw.title, address, lambda: plain_text(html), details.authors, details.categories)
    if objection := recipe.filter.objection(parts):
        return refused(draft, f"left out: {objection}")
    published = plausible(raw.published_ms, now_ms)
    stated = plausible(raw.updated_ms, now_ms)
    article = derive(address, raw.title, html, details, raw.image and quoted(raw.image), identity.uid)
    return Item(
        location=identity.location,
        stated_ms=published if stated is None else stated,
        fallback_ms=now_ms - draft.place,  # in the document's order, the first of it the newest
        article=article,
        stamp=None,
        settled=True,
        published_ms=published,
        follows=identity.follows,
        elsewhere=identity.elsewhere,
        apart=identity.apart,
        seen=draft.seen,
    )


def refused(draft: Draft, reason: str) -> Rejected:
    """The item as one that is left out, by the best name that it has."""
    raw = draft.raw
    return Rejected(shown(draft.url or raw.guid or raw.title or draft.identity.location), reason)


def tidy(details: Details) -> Details:
    """Addresses as URIs (RFC 3986), which feeds must hold."""
    if not details.enclosures and details.comments_url is None:
        return details
    return details._replace(
        enclosures=tuple(
            each._replace(url=quoted(each.url), type=media_type(each.type)) for each in details.enclosures
        ),
        comments_url=details.comments_url and quoted(details.comments_url),
    )


def media_type(stated: str | None) -> str | None:
    """A media type (RFC 9110 section 8.3.1) without its parameters; None for what is none."""
    name = (stated or "").partition(";")[0].strip().lower()
    return name if MEDIA_TYPE.fullmatch(name) else None


def without(html: str, ignored: Iterable[re.Pattern[str]]) -> str:
    """The text without what the source says to ignore."""
    for pattern in ignored:
        html = pattern.sub("", html)
    return html


def plausible(time_ms: int | None, now_ms: int) -> int | None:
    """A stated time, if it can be one: not before March 1973, not beyond tomorrow."""
    if time_ms is None or not EARLIEST_MS <= time_ms <= now_ms + DAY_MS:
        return None
    return time_ms


def seen(raw: RawItem, recipe: Recipe) -> bytes:
    """16 bytes that are equal if the document says the same of an item, and it is made in the same way."""
    return digest(repr((raw._replace(base_url=None), recipe.extraction, VERSION)))
