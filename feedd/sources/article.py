"""The page behind a link → the article on it: its text by a selector or by itself, its details by what it states.

What a page states stands in JSON-LD (schema.org's Article), in Open Graph's and other `<meta>` elements, and in
`<time itemprop>`; of several, the first that is stated in this order counts.
"""

import logging
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from feedd.errors import SelectorRot, SourceError
from feedd.normalise.dates import parse_date
from feedd.normalise.text import FORBIDDEN
from feedd.normalise.url import shown
from feedd.sources import selector as selectors
from feedd.sources.live import is_live_page
from feedd.sources.markup import Document, absolute, text_of
from feedd.sources.selector import compile_selector, select_all
from feedd.sources.structured import objects_of, strings, types_of

AUTO = "auto"
ARTICLE_TYPE = re.compile(r"(?:\w*Article|\w*Posting|Report|Review|\w*Recipe|HowTo|\w*Episode|Event)$")
MAX_TAGS = 50_000  # of a page whose article is to be found: that takes 60 µs a tag
SHORTEST = 20  # characters of what can be an article
TITLES = ("og:title", "twitter:title", "dc.title", "citation_title")
PUBLISHED = (
    "article:published_time", "og:published_time", "datepublished", "pubdate", "publishdate", "publish-date",
    "publish_date", "parsely-pub-date", "sailthru.date", "dc.date.issued", "dcterms.issued", "dcterms.created",
    "dc.date.created", "citation_publication_date", "date", "dc.date",
)  # fmt: skip
UPDATED = (
    "article:modified_time", "og:updated_time", "article:updated_time", "datemodified", "lastmod", "last-modified",
    "dcterms.modified", "dc.date.modified",
)  # fmt: skip
IMAGES = (
    "og:image:secure_url",
    "og:image",
    "og:image:url",
    "twitter:image",
    "twitter:image:src",
    "thumbnail",
)
AUTHORS = (
    "author",
    "article:author",
    "parsely-author",
    "sailthru.author",
    "dc.creator",
    "dcterms.creator",
    "citation_author",
)
LANGUAGES = ("og:locale", "content-language", "language", "dc.language")
# words of class and id that say that an element is none of the article
BESIDE = frozenset(
    "newsletter paywall related share sharing social sociallinks sharebar comments comment commentlist cookie cookies"
    " consent advert advertisement advertising ads sponsor sponsored promo breadcrumb breadcrumbs recommended"
    " recommendations signup subscribe subscription popup modal respond readmore".split()
)
WORDS = re.compile(r"[a-z]+")
MOST_BESIDE = 0.4  # of the page's text: what is more is no matter beside, whatever it is called

log = logging.getLogger("readability.readability")
log.addHandler(logging.NullHandler())  # it logs what it also raises
log.propagate = False


class ExtractedArticle(NamedTuple):
    """What a page says of itself; `None`, "" and () where it says nothing."""

    title: str  # plain text
    html: str  # not sanitised
    published_ms: int | None = None
    updated_ms: int | None = None
    image: str | None = None  # absolute
    authors: tuple[str, ...] = ()
    language: str | None = None
    base_url: str | None = None  # what addresses in `html` are relative to
    live: bool = False  # it is a live blog


class Stated(NamedTuple):
    """The places in which a page says something of itself."""

    objects: tuple[dict[str, Any], ...]  # of JSON-LD, that are articles
    metas: dict[str, tuple[str, ...]]  # contents by name, in small letters


def extract_article(data: bytes, url: str, content_type: str | None, content: str) -> ExtractedArticle:
    """`content` is a selector, or "auto". Raises SelectorRot, SourceError; ValueError where it is no selector."""
    document = Document(data, url, content_type)
    html = found_by(content, document) if content != AUTO or document.is_json else found_alone(document)
    if document.is_json:
        return ExtractedArticle("", html, base_url=url)
    root = document.tree
    objects = tuple(objects_of(root))
    stated = Stated(tuple(filter(is_article, objects)), metas_of(root))
    return ExtractedArticle(
        title=title_of(stated, root, document),
        html=html,
        published_ms=date_of(stated, "datePublished", PUBLISHED, root),
        updated_ms=date_of(stated, "dateModified", UPDATED, root),
        image=image_of(stated, document.base_url),
        authors=authors_of(stated),
        language=language_of(stated, root),
        base_url=document.base_url,
        live=is_live_page(objects),
    )


def found_by(content: str, document: Document) -> str:
    """The HTML of everything that the selector finds, in order."""
    found = select_all(compile_selector(content), document)
    parts = [part for part in map(selectors.html, found) if part.strip()]
    if not parts:
        raise SelectorRot(
            f"content '{content}' finds no text in {document.described()}: the page was rebuilt, or is not what it"
            f' should be; correct the selector, or try content = "{AUTO}"'
        )
    return parts[0] if len(parts) == 1 else "".join(f"<div>{part}</div>" for part in parts)


def found_alone(document: Document) -> str:
    """The HTML of what is most likely the article."""
    import readability
    from lxml import etree

    if document.text.count("<") > MAX_TAGS:
        raise SourceError(
            f"{shown(document.url)} has more than {MAX_TAGS:,} tags, too many to look for the article in them;"
            " name its element with a selector"
        )
    root = document_without_matter_beside(document)
    page = etree.tostring(root, encoding="unicode", method="html")
    try:
        html = str(
            readability.Document(page, min_text_length=10, retry_length=100).summary(html_partial=True)
        )
    except readability.readability.Unparseable:
        html = ""
    if len(text_of(html)) < SHORTEST:
        raise SelectorRot(
            f'content = "{AUTO}" finds no article in {document.described()}: it has no text to speak of, or only a'
            " browser fills it; name the article's element with a selector"
        )
    return FORBIDDEN.sub("", html)


def document_without_matter_beside(document: Document) -> Any:
    """A tree of the page without share boxes, newsletters, comments and their like."""
    from copy import deepcopy

    root = deepcopy(document.tree)
    limit = len(root.text_content()) * MOST_BESIDE
    for element in [each for each in root.iter() if is_named_beside(each)]:
        if element.getparent() is not None and not holds_the_article(element, limit):
            element.drop_tree()
    return root


def is_named_beside(element: Any) -> bool:
    if not isinstance(element.tag, str) or element.tag in {"html", "body", "main"}:
        return False
    names = f"{element.get('class') or ''} {element.get('id') or ''}".lower()
    return bool(names.strip()) and not BESIDE.isdisjoint(WORDS.findall(names))


def holds_the_article(element: Any, limit: float) -> bool:
    return element.find(".//h1") is not None or len(element.text_content()) > limit


def is_article(said: dict[str, Any]) -> bool:
    return any(ARTICLE_TYPE.match(kind) for kind in types_of(said))


def metas_of(root: Any) -> dict[str, tuple[str, ...]]:
    metas: dict[str, tuple[str, ...]] = {}
    for meta in root.iter("meta"):
        name = meta.get("property") or meta.get("name") or meta.get("itemprop") or meta.get("http-equiv")
        content = (meta.get("content") or "").strip()
        if name and content and len(before := metas.get(name.lower(), ())) < 50:
            metas[name.lower()] = (*before, content)
    return metas


def said_of(stated: Stated, key: str, names: Iterable[str]) -> Iterator[str]:
    """What is stated under `key` in JSON-LD, then under any of `names`."""
    for said in stated.objects:
        yield from strings(said.get(key))
    for name in names:
        yield from stated.metas.get(name, ())


def title_of(stated: Stated, root: Any, document: Document) -> str:
    heading = next((" ".join(each.text_content().split()) for each in root.iter("h1")), "")
    titles = (text_of(title) for title in said_of(stated, "headline", TITLES))
    return next((title for title in (*titles, heading) if title), "") or document.title


def date_of(stated: Stated, key: str, names: Iterable[str], root: Any) -> int | None:
    texts = [*said_of(stated, key, names), *times_of(root, key)]
    return next((moment for text in texts if (moment := parse_date(text)) is not None), None)


def times_of(root: Any, key: str) -> Iterator[str]:
    for time in root.iter("time"):
        marked = key in (time.get("itemprop") or "") or (
            key == "datePublished" and time.get("pubdate") is not None
        )
        if marked and time.get("datetime"):
            yield time.get("datetime")


def image_of(stated: Stated, base_url: str) -> str | None:
    named = (address for said in stated.objects for address in addresses(said.get("image")))
    listed = (content for name in IMAGES for content in stated.metas.get(name, ()))
    return next((url for each in (*listed, *named) if (url := absolute(each, base_url))), None)


def addresses(image: object) -> list[str]:
    """Those in schema.org's ways to state a picture: an address, an ImageObject, several."""
    several = image if isinstance(image, list) else [image]
    return [url for each in several for url in strings(each.get("url") if isinstance(each, dict) else each)]


def authors_of(stated: Stated) -> tuple[str, ...]:
    named = [name for said in stated.objects for name in names_of(said.get("author"))]
    listed = (name for key in AUTHORS for name in stated.metas.get(key, ()))
    names = (text_of(name) for name in named or listed)
    return tuple(dict.fromkeys(name for name in names if name and not re.match("https?:", name)))


def names_of(author: object) -> list[str]:
    several = author if isinstance(author, list) else [author]
    return [
        name for each in several for name in strings(each.get("name") if isinstance(each, dict) else each)
    ]


def language_of(stated: Stated, root: Any) -> str | None:
    languages = (root.get("lang"), root.get("{http://www.w3.org/XML/1998/namespace}lang"))
    stated_ones = said_of(stated, "inLanguage", LANGUAGES)
    tags = (each.strip().replace("_", "-") for each in (*languages, *stated_ones) if each)
    return next((tag for tag in tags if re.fullmatch(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*", tag)), None)
