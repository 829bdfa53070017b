"""What sources of the play hold, as documents of their kinds. Pure."""

import json
import random
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cache
from html import escape

from bench.corpus import paragraphs, sentences
from bench.soak.play import Item, Kind, Source

TYPES = {
    Kind.RSS: "application/rss+xml",
    Kind.ATOM: "application/atom+xml",
    Kind.JSON: "application/feed+json",
    Kind.SITEMAP: "application/xml",
}


def title(source: Source, item: Item) -> str:
    """It names the edition, by which the ledger tells contents apart."""
    return f"Nachrichten für {source.name}, piece {item.key}, edition {item.edition}"


def link(source: Source, port: int, item: Item) -> str:
    if source.kind in {Kind.FOLDER, Kind.COMMAND}:
        return f"https://{source.name}.example.org/articles/{item.key}"
    return f"http://{source.host}:{port}/articles/{source.name}/{item.key}"


@cache
def words(name: str, key: int, edition: int) -> str:
    """Of an edition its own sentence, as edits mostly are; the rest stays."""
    base = paragraphs(random.Random(f"{name} {key}"), chinese=key % 3 == 0)[:2]
    own = random.Random(f"{name} {key} {edition}").choice(sentences(key % 3 == 0))
    return f"{''.join(base)}<p>{own}</p>"


def text(source: Source, item: Item) -> str:
    """HTML; its dress changes nothing that it says."""
    body = words(source.name, item.key, item.edition)
    return (
        body.replace("<p>", f'<p class="d{item.dress}"><em>', 1).replace("</p>", "</em></p>", 1)
        if item.dress % 2
        else body
    )


def moment(item: Item) -> datetime:
    return datetime.fromtimestamp(item.stated_s or 0, UTC)


def document(source: Source, items: tuple[Item, ...], port: int, nonce: str) -> bytes:
    """The whole document; `nonce` is of no account."""
    newest_first = tuple(reversed(items))
    match source.kind:
        case Kind.RSS:
            return rss(source, newest_first, port).encode()
        case Kind.ATOM:
            return atom(source, newest_first, port).encode()
        case Kind.JSON:
            return json.dumps(json_feed(source, newest_first, port), ensure_ascii=False).encode()
        case Kind.PAGE:
            return page(source, newest_first, port).encode()
        case Kind.WATCH:
            return article(source, items[0], nonce).encode()
        case Kind.SITEMAP:
            return sitemap(source, newest_first, port).encode()
        case Kind.COMMAND:
            objects = json_feed(source, newest_first, port)["items"]
            return "".join(f"{json.dumps(each, ensure_ascii=False)}\n" for each in objects).encode()
        case Kind.FOLDER:
            raise ValueError("a folder is no document")


def rss(source: Source, items: tuple[Item, ...], port: int) -> str:
    made = "".join(
        f"<item><title>{escape(title(source, item))}</title><link>{link(source, port, item)}</link>"
        f"<guid>{link(source, port, item)}</guid><pubDate>{format_datetime(moment(item))}</pubDate>"
        f"<description>{escape(text(source, item))}</description></item>"
        for item in items
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>{source.name}</title>'
        f"<link>http://{source.host}:{port}/</link><description>News</description>{made}</channel></rss>"
    )


def atom(source: Source, items: tuple[Item, ...], port: int) -> str:
    made = "".join(
        f"<entry><title>{escape(title(source, item))}</title><id>{link(source, port, item)}</id>"
        f'<link rel="alternate" href="{link(source, port, item)}"/><updated>{moment(item).isoformat()}</updated>'
        f'<content type="html">{escape(text(source, item))}</content></entry>'
        for item in items
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>{source.name}</title>'
        f"<id>http://{source.host}:{port}/</id><updated>{moment(items[0]).isoformat()}</updated>{made}</feed>"
    )


def json_feed(source: Source, items: tuple[Item, ...], port: int) -> dict[str, list[dict[str, str]] | str]:
    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": source.name,
        "items": [
            {
                "id": link(source, port, item),
                "url": link(source, port, item),
                "title": title(source, item),
                "content_html": text(source, item),
                "date_modified": moment(item).isoformat(),
            }
            for item in items
        ],
    }


def page(source: Source, items: tuple[Item, ...], port: int) -> str:
    made = "".join(
        f'<li class="piece"><h3><a href="{link(source, port, item)}">{escape(title(source, item))}</a></h3>'
        + (f'<time datetime="{moment(item).isoformat()}">then</time>' if source.dated else "")
        + f'<div class="teaser">{text(source, item)}</div></li>'
        for item in items
    )
    return f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{source.name}</title></head><ul>{made}</ul></html>'


def article(source: Source, item: Item, nonce: str) -> str:
    named = escape(title(source, item))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{named}</title></head><body>'
        f'<p class="banner">You are reader {nonce}</p><main><h1>{named}</h1>{text(source, item)}</main></body></html>'
    )


def sitemap(source: Source, items: tuple[Item, ...], port: int) -> str:
    made = "".join(
        f"<url><loc>{link(source, port, item)}</loc><lastmod>{moment(item).isoformat()}</lastmod></url>"
        for item in items
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{made}</urlset>'
    )
