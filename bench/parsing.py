"""How fast feeds are parsed, against feedparser: `python -m bench.parsing [FOLDER]`, or feeds made here."""

import gc
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import feedparser

from bench.figures import Figure, ratio, table
from feedd.errors import NotAFeed
from feedd.sources.feed.parse import parse

Reading = Callable[[bytes], object]

RUNS = 5
URL = "https://example.org/feed.xml"
SENTENCE = "Die Grundschule am Fluss hat diese Woche die ersten Kinder nach dem Sommer empfangen, sagte sie. "
PARAGRAPH = f'<p>{SENTENCE * 3}<a href="https://example.org/schule">Mehr &amp; Bilder</a></p>\n'


def parsing(scratch: Path) -> list[Figure]:
    """Every feed of a folder of ours, by both."""
    folder = scratch / "feeds"
    folder.mkdir(exist_ok=True)
    for number in range(20):
        (folder / f"{number}.rss").write_text(rss(number, 20))
        (folder / f"{number}.atom").write_text(atom(number, 20))
    return of_folder(folder)


def of_folder(folder: Path) -> list[Figure]:
    documents = [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]
    size = sum(map(len, documents))
    peer, own = fastest_s((theirs, ours), documents)
    return [
        Figure(
            f"parse {len(documents)} feeds ({size / 1e6:.1f} MB)",
            f"feedparser {peer * 1000:,.0f} ms",
            f"{own * 1000:,.0f} ms ({size / own / 1e6:,.0f} MB/s)",
            ratio(own / peer),
            "0.10 ×",
        )
    ]


def fastest_s(readings: Sequence[Reading], documents: list[bytes]) -> list[float]:
    """The best run of each, of the processor; in turns, since other programs may run beside this one."""
    times: list[list[float]] = [[] for _ in readings]
    for _ in range(RUNS):
        for reading, taken in zip(readings, times, strict=True):
            gc.collect()
            begun = time.process_time()
            for document in documents:
                reading(document)
            taken.append(time.process_time() - begun)
    return list(map(min, times))


def ours(document: bytes) -> None:
    with suppress(NotAFeed):
        parse(document, URL)


def theirs(document: bytes) -> None:
    feedparser.parse(BytesIO(document), sanitize_html=False, resolve_relative_uris=False)


def body(number: int, item: int) -> str:
    return PARAGRAPH * (3 + (number + item) % 7)


def rss(number: int, items: int) -> str:
    parts = (
        f"<item><title>Artikel {item}</title><link>https://example.org/{number}/{item}</link>"
        f"<guid>https://example.org/{number}/{item}</guid><dc:creator>Ada</dc:creator><category>Ort</category>"
        f"<pubDate>Tue, 0{1 + item % 9} Oct 2024 10:00:00 +0200</pubDate><description>{SENTENCE}</description>"
        f"<content:encoded><![CDATA[{body(number, item)}]]></content:encoded></item>"
        for item in range(items)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>Zeitung</title>'
        f"<link>https://example.org/</link>{''.join(parts)}</channel></rss>"
    )


def atom(number: int, items: int) -> str:
    parts = (
        f"<entry><title>Artikel {item}</title><id>urn:example:{number}:{item}</id>"
        f'<link rel="alternate" type="text/html" href="https://example.org/{number}/{item}"/>'
        f"<published>2024-10-0{1 + item % 9}T10:00:00+02:00</published>"
        f"<updated>2024-10-1{item % 10}T10:00:00Z</updated><author><name>Ada</name></author>"
        f'<content type="html">{body(number, item).replace("&", "&amp;").replace("<", "&lt;")}</content></entry>'
        for item in range(items)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Zeitung</title>'
        f'<id>urn:example:{number}</id><link href="https://example.org/"/>{"".join(parts)}</feed>'
    )


if __name__ == "__main__":
    print(table(of_folder(Path(sys.argv[1]))))
