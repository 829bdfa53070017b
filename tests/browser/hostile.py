"""What hostile publishers might send: the corpus of data/hostile, in seed files and in feeds.

`*.html` holds bodies of articles, each under a line `### NAME`; titles.txt and addresses.txt hold one a line. What
runs calls `canary()`; what loads from elsewhere or leads there names evil.example.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from running import FIRST_MS, Site, settle
from webserver import Web

CORPUS = Path(__file__).parents[1] / "data" / "hostile"
NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # no Char of XML 1.0 (2.2)
FORMS = ("rss", "encoded", "atom", "json")  # of feeds that bring bodies
CONFIGURATION = """
[fetch]
allow_private = true
host_interval = "0s"
"""
SOURCE = """
[sources.{name}]
type = "feed"
url = "{web}/{name}"
"""
SPACES = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:media="http://search.yahoo.com/mrss/"'
)


class Payload(NamedTuple):
    name: str
    body: str  # bytes that are no UTF-8 are in it as lone surrogates (PEP 383)


def spoilt(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


# What no editor shows, and what is long.
BUILT = tuple(
    Payload(f"built: {name}", body)
    for name, body in (
        ("form feeds for spaces", "<img\fsrc=x\fonerror=canary()>"),
        ("a vertical tab is no space", "<img\vsrc=x\vonerror=canary()><img src=x\vonerror=canary()>"),
        ("null bytes in names", "<scr\0ipt>canary()</scr\0ipt><img src=x one\0rror=canary()>"),
        ("null bytes between", "<\0script>canary()</script><a href='java\0script:canary()'>x</a>\0"),
        ("control characters", "".join(map(chr, range(1, 32))) + "<a href='\x01javascript:canary()'>x</a>"),
        ("further control characters", "".join(map(chr, range(0x7F, 0xA0)))),
        ("overlong UTF-8", spoilt(b"\xc0\xbcscript\xc0\xbecanary()\xc0\xbc/script\xc0\xbe")),
        ("a byte swallows a quote", spoilt(b'<img alt="\xf0">x" src=x onerror=canary()//">')),
        ("surrogates as bytes", spoilt(b"\xed\xa0\xbc\xed\xbc\x80<p>x\xff\xfe")),
        ("elements 5,000 deep", "<div>" * 5000 + "<script>canary()</script>x" + "</div>" * 5000),
        ("formatting 5,000 deep", "<b><i>" * 2500 + "<img src=x onerror=canary()>x"),
        ("quotations 5,000 deep", "<blockquote>" * 5000 + "x"),
        ("lists 200 deep", "<ul><li>" * 100 + "x<script>canary()</script>"),
        ("drawings 5,000 deep", "<svg>" * 5000 + "<script>canary()</script>"),
        ("HTML and drawings in turn", "<svg><foreignObject>" * 300 + "<img src=x onerror=canary()>"),
        ("a script behind many comments", "<!--x-->" * 5000 + "<script>canary()</script>"),
        ("a huge word", "W" * 100_000 + "<img src=x onerror=canary()>"),
        ("a huge Chinese word", "长" * 50_000),
        ("huge lines of code", f"<pre>{'x' * 50_000}</pre><code>{'y' * 50_000}</code>"),
        ("huge addresses", f'<a href="https://example.org/{"a" * 20_000}">{"https://" + "b" * 20_000}</a>'),
        ("a huge attribute", f'<img alt="{"a" * 100_000}" src=x onerror=canary()>'),
        ("2,000 attributes", f"<p {' '.join(f'a{n}=1' for n in range(2000))} onclick=canary()>x</p>"),
        ("2,000 handlers", f"<p {' '.join(f'on{n}=canary()' for n in range(2000))}>x</p>"),
        ("a table of 300 columns", f"<table><tr>{'<td>cell</td>' * 300}</table>"),
        ("marks upon a letter", "Z" + "\u0338\u0321\u0489" * 3000),
        ("directions never ended", "\u202a\u202b\u202d\u202e\u2066\u2067\u2068" * 200 + "text"),
        ("characters of tags", "".join(map(chr, range(0xE0000, 0xE0080))) + "x"),
    )
)
ODD_TITLES = (
    "\u202eexe.nepo \u2066never ended",
    "\u200b\u200c\u200d\u2060 without width",
    "W" * 10_000,
    "长" * 5_000,
    "Z" + "\u0338\u0321\u0489" * 1000,
    "\ufdfd" * 500,
)


def payloads() -> list[Payload]:
    return [*written(), *BUILT]


def written() -> Iterator[Payload]:
    for path in sorted(CORPUS.glob("*.html")):
        _, *parts = re.split(r"^### ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for part in parts:
            name, _, body = part.partition("\n")
            yield Payload(f"{path.stem}: {name}", body.removesuffix("\n"))


def lines(name: str) -> list[str]:
    return (CORPUS / name).read_text(encoding="utf-8").splitlines()


def titles() -> list[str]:
    return [*lines("titles.txt"), *ODD_TITLES]


def address(kind: str, number: int) -> str:
    return f"https://example.org/{kind}/{number}"


def write_seed(site: Site, name: str, title: str, url: str, body: str, time_ms: int = FIRST_MS) -> None:
    """Without the care that `render` takes: title and address stand in the file as they are."""
    path = site.seeds / f"{name}.txt"
    text = f"<!--{time_ms}-->\n[{title}]({url})\n------\n\n{body}\n"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    settle(path)


def write_payloads(site: Site, each: Sequence[Payload]) -> None:
    for number, payload in enumerate(each):
        body = f"<p>Before.</p>{payload.body}"
        write_seed(site, f"seed-{number}", "In a seed file", address("seed", number), body)


def write_heads(site: Site, body: str, time_ms: int = FIRST_MS) -> None:
    """Articles of all the titles, and of all the addresses."""
    for number, title in enumerate(titles()):
        write_seed(site, f"title-{number}", title, address("title", number), body, time_ms)
    for number, url in enumerate(lines("addresses.txt")):
        write_seed(site, f"address-{number}", "Of a strange address", url, body, time_ms)


def publish(web: Web, each: Sequence[Payload]) -> str:
    """Serve each payload in one of four feeds, titles and addresses in a fifth; the configuration that reads them."""
    by_form: dict[str, list[tuple[str, str]]] = {name: [] for name in FORMS}
    for number, payload in enumerate(each):
        form = "json" if NO_XML.search(payload.body) else FORMS[number % len(FORMS)]
        by_form[form].append((address("feed", number), payload.body))
    described = (item(url, f"<description>{escape(body)}</description>") for url, body in by_form["rss"])
    encoded = (
        item(url, f"<content:encoded>{escape(body)}</content:encoded>") for url, body in by_form["encoded"]
    )
    web.page("/rss", rss(described))
    web.page("/encoded", rss(encoded))
    web.page("/atom", atom(by_form["atom"]))
    web.page("/json", json_feed(by_form["json"]).encode("utf-8", "surrogateescape"))
    web.page("/fields", rss(fields()))
    return CONFIGURATION + "".join(SOURCE.format(name=name, web=web.url) for name in (*FORMS, "fields"))


def rss(items: Iterable[str]) -> str:
    return f"<rss version='2.0' {SPACES}><channel><title>Hostile</title>{''.join(items)}</channel></rss>"


def item(url: str, more: str, title: str = "In a feed") -> str:
    return f"<item><title>{escape(title)}</title><link>{escape(url)}</link>{more}</item>"


def atom(entries: Iterable[tuple[str, str]]) -> str:
    made = "".join(
        f"<entry><id>{url}</id><title>In a feed</title><updated>2024-02-02T09:45:02Z</updated>"
        f"<link href='{url}'/><content type='html'>{escape(body)}</content></entry>"
        for url, body in entries
    )
    return (
        f"<feed xmlns='http://www.w3.org/2005/Atom'><id>urn:x:hostile</id><title>Hostile</title>{made}</feed>"
    )


def json_feed(items: Iterable[tuple[str, str]]) -> str:
    made = [{"id": url, "url": url, "title": "In a feed", "content_html": body} for url, body in items]
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": "Hostile", "items": made}
    return json.dumps(feed, ensure_ascii=False)


def fields() -> Iterator[str]:
    """Titles wherever a feed names something, addresses wherever it leads somewhere."""
    for number, title in enumerate(titles()):
        text, base = escape(title), f"https://example.org/{number}"
        yield item(
            address("named", number),
            f"<dc:creator>{text}</dc:creator><category>{text}</category><description>Words.</description>"
            f"<enclosure url='{base}.mp3' length='1' type={quoteattr(title)}/><media:content url='{base}.jpg'"
            f" medium='image'><media:title>{text}</media:title></media:content>",
            title,
        )
    for number, url in enumerate(lines("addresses.txt")):
        quoted = quoteattr(url)
        body = escape(f"<img src={quoted} alt=x><a href={quoted}>y</a>")
        yield item(
            address("led", number),
            f"<enclosure url={quoted} length='1' type='audio/mpeg'/><media:thumbnail url={quoted}/>"
            f"<comments>{escape(url)}</comments><source url={quoted}>x</source><description>{body}</description>",
        )
        yield item(url, "<description>An address of its own.</description>")
