"""A document as it was received → what it states, and articles. Pure: it runs in a thread, or in another process."""

from collections.abc import Sequence
from typing import NamedTuple

from feedd.errors import NotAFeed
from feedd.model import Raw, RawItem, Wishes
from feedd.normalise.text import FORBIDDEN
from feedd.normalise.url import BadUrl, canonical
from feedd.recheck import Known, Recheck, Titles, remembered, stated_time, title_of
from feedd.sources.article import ExtractedArticle, extract_article
from feedd.sources.feed.parse import parse
from feedd.sources.identity import Identity
from feedd.sources.items import WHOLE, Draft, Made, Recipe, drafts, made_of, plausible, rewritten
from feedd.sources.live import is_live_document, is_live_url
from feedd.sources.output import items_of_output
from feedd.sources.page import PageSelectors, items_of_page
from feedd.sources.sitemap import Sitemap, SitemapEntry, parse_sitemap
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
    topic: str | None = None  # what the hub knows it by
    next_url: str | None = None
    note: str | None = None


class Before(NamedTuple):
    """What is known of an article that was read before; no title: of none."""

    title: str = ""
    recheck: Recheck = Recheck()


class Read(NamedTuple):
    """What an article's own page comes to."""

    made: Made
    recheck: Recheck  # what the next reading is compared with


def reading_of(
    raws: Sequence[RawItem], recipe: Recipe, now_ms: int, raw: Raw | None, *, whole: bool
) -> Reading:
    """`whole`: the items are articles as they stand."""
    drafted = drafts(raws, recipe, whole=whole)
    return Reading(tuple(drafted), living(made_of(drafted, recipe, now_ms, raw)) if whole else None)


def living(made: Made, *, live: bool = False) -> Made:
    """With those marked that are of live blogs; `live`: all are."""
    items = made.items
    return made._replace(
        items=[each._replace(live=True) if live or is_live_url(each.article.url) else each for each in items]
    )


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
        hub=" ".join(feed.hubs) or None,
        topic=feed.self_url,
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
    received = (document.body, document.url, document.content_type)
    reading = reading_of([watched_item(*received, watching)], recipe, now_ms, document.raw, whole=True)
    if reading.made is None or not is_live_document(*received):
        return reading
    return reading._replace(made=living(reading.made, live=True))


def sitemap_of(document: Document) -> Sitemap:
    """Raises SourceError."""
    return parse_sitemap(document.body, document.url)


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


def read_article(
    page: Document,
    draft: Draft,
    content: str,
    recipe: Recipe,
    now_ms: int,
    before: Before = Before(),  # noqa: B008 (frozen)
) -> Read:
    """The item with the article of its own page in place of its summary. Raises SelectorRot, SourceError."""
    article, item = extract_article(page.body, page.url, page.content_type, content), draft.raw
    details = item.details._replace(
        authors=item.details.authors or article.authors, language=item.details.language or article.language
    )
    titles = Titles(item.title, headline_of(article, item, recipe))
    title = item.title or article.title or titled(item).title
    if before.title:
        title = title_of(before.title, before.recheck.titles, titles)
    whole = item._replace(
        title=title,
        html=article.html,
        base_url=article.base_url or page.url,
        published_ms=article.published_ms if item.published_ms is None else item.published_ms,
        updated_ms=article.updated_ms if item.updated_ms is None else item.updated_ms,
        image=item.image or article.image,
        details=details,
    )
    made = living(made_of([draft._replace(raw=whole)], recipe, now_ms, page.raw), live=article.live)
    recheck = before.recheck._replace(
        titles=titles if titles.headline else titles._replace(headline=before.recheck.titles.headline),
        modified_ms=article.updated_ms,
        stated=stated_by(item),
    )
    return Read(made, recheck)


def headline_of(article: ExtractedArticle, item: RawItem, recipe: Recipe) -> str:
    """What the page calls the article, as the source wants titles to be."""
    title = rewritten("", article.title, recipe.rewrite)[1] if item.title else article.title
    return remembered(" ".join(FORBIDDEN.sub("", title).split()))


def stated_by(item: RawItem) -> tuple[str, ...]:
    """What a document says of an item itself, so that its page is not asked for it."""
    said = {"image": item.image, "authors": item.details.authors, "language": item.details.language}
    return tuple(name for name, value in said.items() if value)


def read_again(page: Document, known: Known, content: str, recipe: Recipe, now_ms: int) -> Read:
    """An article that was read before, as its own page has it now. Raises SelectorRot, SourceError.

    Whether its document still names it is no matter.
    """
    recheck, details = known.recheck, known.details
    raw = RawItem(
        None,
        known.url,
        recheck.titles.stated,
        "",
        published_ms=known.published_ms,
        image=known.image if "image" in recheck.stated else None,
        details=details._replace(
            authors=details.authors if "authors" in recheck.stated else (),
            language=details.language if "language" in recheck.stated else None,
        ),
    )
    identity = Identity(known.location, known.uid, follows=True)
    draft = Draft(raw, known.url, identity, 0, known.seen or WHOLE)
    made, found = read_article(page, draft, content, recipe, now_ms, Before(known.title, recheck))
    stated = stated_time(known, plausible(found.modified_ms, now_ms))
    items = [item._replace(stated_ms=stated, seen=known.seen) for item in made.items]
    return Read(made._replace(items=items), found._replace(stated=recheck.stated))


def summaries(drafted: Sequence[Draft], recipe: Recipe, now_ms: int) -> Made:
    """Items as their document states them, standing in for articles that can't be had."""
    standing = (draft._replace(raw=titled(draft.raw)) for draft in drafted)
    return living(made_of(standing, recipe, now_ms, provisional=True))
