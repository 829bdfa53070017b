"""A document as it was received → what it states, and articles. Pure: it runs in a thread, or in another process."""

from collections.abc import Sequence
from typing import NamedTuple

from feedd.errors import NotAFeed
from feedd.model import Raw, RawItem, Wishes
from feedd.normalise.url import BadUrl, canonical
from feedd.sources.article import extract_article
from feedd.sources.feed.parse import parse
from feedd.sources.items import Draft, Made, Recipe, drafts, made_of
from feedd.sources.output import items_of_output
from feedd.sources.page import PageSelectors, items_of_page
from feedd.sources.sitemap import SitemapEntry
from feedd.sources.watched import Watching, name_of, watched_item

EMPTY = "the feed is empty"


class Document(NamedTuple):
    """What a server or a program sent."""

    body: bytes
    url: str
    content_type: str | None = None
    raw: Raw | None = None  # to be kept as evidence


class Reading(NamedTuple):
    """What a document comes to."""

    drafts: tuple[Draft, ...]
    made: Made | None = None  # None: the articles themselves are still to be had
    rejected: tuple[tuple[str, str], ...] = ()  # where, and why
    wishes: Wishes = Wishes()
    hub: str | None = None
    next_url: str | None = None
    note: str | None = None


def reading_of(
    raws: Sequence[RawItem], recipe: Recipe, now_ms: int, raw: Raw | None, *, whole: bool
) -> Reading:
    """`whole`: the items are articles as they stand."""
    drafted = drafts(raws, recipe, whole=whole)
    return Reading(tuple(drafted), made_of(drafted, recipe, now_ms, raw) if whole else None)


def read_feed(document: Document, recipe: Recipe, now_ms: int, *, whole: bool) -> Reading:
    """Raises NotAFeed."""
    try:
        feed = parse(document.body, document.url, document.content_type)
    except NotAFeed as error:
        what = "; write its address into url" if error.advertised else ""
        raise NotAFeed(f"{document.url} is no feed: {error}{what}", error.advertised) from error
    reading = reading_of(feed.items, at_home(recipe, feed.url), now_ms, document.raw, whole=whole)
    return reading._replace(
        drafts=() if whole else reading.drafts,  # what was made says it all
        wishes=Wishes(feed.ttl_s, feed.update_period_s, feed.skip_hours, feed.skip_days),
        hub=next(iter(feed.hubs), None),
        note="; ".join(feed.warnings) or None if feed.items else EMPTY,
    )


def at_home(recipe: Recipe, url: str | None) -> Recipe:
    """Items without an address of their own get that of the site."""
    try:
        return recipe._replace(document_url=canonical(url)) if url else recipe
    except BadUrl:
        return recipe


def read_page(
    document: Document, recipe: Recipe, selectors: PageSelectors, now_ms: int, *, whole: bool
) -> Reading:
    """Raises SelectorRot."""
    page = items_of_page(document.body, document.url, document.content_type, selectors)
    reading = reading_of(page.items, recipe, now_ms, document.raw, whole=whole)
    return reading._replace(rejected=page.rejected, next_url=page.next_url)


def read_watched(document: Document, recipe: Recipe, watching: Watching, now_ms: int) -> Reading:
    """Raises SelectorRot."""
    item = watched_item(document.body, document.url, document.content_type, watching)
    return reading_of([item], recipe, now_ms, document.raw, whole=True)


def read_sitemap(entries: Sequence[SitemapEntry], recipe: Recipe, now_ms: int, *, whole: bool) -> Reading:
    """`whole`: there is nothing but what the sitemap says; an address stands in for a title."""
    raws = [each.named_item if whole else each.item for each in entries]
    return reading_of(raws, recipe, now_ms, None, whole=whole)


def titled(item: RawItem) -> RawItem:
    return item if item.title or item.url is None else item._replace(title=name_of(item.url))


def read_output(
    document: Document, recipe: Recipe, kind: str, selectors: PageSelectors | None, now_ms: int
) -> Reading:
    """Raises NotAFeed, SelectorRot."""
    output = items_of_output(document.body, kind, url=document.url, page=selectors)
    reading = reading_of(output.items, recipe, now_ms, document.raw, whole=True)
    return reading._replace(rejected=output.rejected, note=None if output.items else "it printed no items")


def read_article(draft: Draft, page: Document, content: str, recipe: Recipe, now_ms: int) -> Made:
    """The item with the article of its own page in place of its summary. Raises SelectorRot."""
    article, item = extract_article(page.body, page.url, page.content_type, content), draft.raw
    details = item.details._replace(
        authors=item.details.authors or article.authors, language=item.details.language or article.language
    )
    whole = item._replace(
        title=item.title or article.title or titled(item).title,
        html=article.html,
        base_url=article.base_url or page.url,
        published_ms=article.published_ms if item.published_ms is None else item.published_ms,
        updated_ms=article.updated_ms if item.updated_ms is None else item.updated_ms,
        image=item.image or article.image,
        details=details,
    )
    return made_of([draft._replace(raw=whole)], recipe, now_ms, page.raw)


def summaries(drafted: Sequence[Draft], recipe: Recipe, now_ms: int) -> Made:
    """Items as their document states them, standing in for articles that can't be had."""
    standing = (draft._replace(raw=titled(draft.raw)) for draft in drafted)
    return made_of(standing, recipe, now_ms, provisional=True)
