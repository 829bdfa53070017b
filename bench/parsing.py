"""How fast feeds are parsed, against feedparser and sfeed: `python -m bench.parsing FOLDER`, or feeds made here.

FEEDD_BENCH_FEEDS names a folder of captured feeds; without it, those of the tests are read.
"""

import gc
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import NamedTuple

import feedparser

from bench.figures import Figure, middle, table
from feedd.errors import NotAFeed
from feedd.sources.feed.parse import parse

Reading = Callable[[bytes], object]

RUNS = 5
TESTED = Path(__file__).parents[1] / "tests/data/feeds/real"
EACH = 'for file in "$@"; do sfeed https://example.org/ <"$file"; done'  # as it is used: a process a feed
NONE = 'for file in "$@"; do sfeed https://example.org/ </dev/null; done'
URL = "https://example.org/feed.xml"
SENTENCE = "Die Grundschule am Fluss hat diese Woche die ersten Kinder nach dem Sommer empfangen, sagte sie. "
PARAGRAPH = f'<p>{SENTENCE * 3}<a href="https://example.org/schule">Mehr &amp; Bilder</a></p>\n'


class Times(NamedTuple):
    """Seconds of the processor that each reading of all documents took."""

    ours: list[float]
    feedparser: list[float]
    sfeed: list[float]  # with the start of its processes
    starts: list[float]  # of as many sfeeds that find nothing to read


def parsing(scratch: Path) -> list[Figure]:
    """Captured feeds, and some made here; each by all."""
    folder = scratch / "feeds"
    folder.mkdir(exist_ok=True)
    for number in range(20):
        (folder / f"{number}.rss").write_text(rss(number, 20))
        (folder / f"{number}.atom").write_text(atom(number, 20))
    captured = Path(os.environ.get("FEEDD_BENCH_FEEDS", TESTED))
    return [*of_folder(captured, "captured"), *of_folder(folder, "made")]


def of_folder(folder: Path, kind: str) -> list[Figure]:
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    taken = measured(paths)
    size = sum(path.stat().st_size for path in paths)
    own, peer = median(taken.ours), median(taken.feedparser)
    return [
        Figure(
            f"parse {len(paths)} {kind} feeds ({size / 1e6:.1f} MB)",
            f"feedparser {peer * 1000:,.0f} ms",
            f"{own * 1000:,.0f} ms ({size / own / 1e6:,.0f} MB/s)",
            middle(compared(taken.ours, taken.feedparser), " ×"),
            "0.10 ×",
        ),
        beside_sfeed(taken),
    ]


def beside_sfeed(taken: Times) -> Figure:
    """It takes texts as they are, by a parser of its own in C: it judges no dates, charsets, languages or addresses."""
    if not taken.sfeed:
        return Figure("… by sfeed", "sfeed: not installed", "", "", "")
    theirs, starts = median(taken.sfeed) * 1000, median(taken.starts) * 1000
    return Figure(
        "… by sfeed, which takes texts as they are",
        f"sfeed {theirs:,.0f} ms, {starts:,.0f} of them the starts of its processes",
        f"{median(taken.ours) * 1000:,.0f} ms",
        middle(compared(taken.ours, taken.sfeed), " ×"),
        "",
    )


def compared(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    return [mine / other for mine, other in zip(ours, theirs, strict=True)]


def measured(paths: Sequence[Path]) -> Times:
    """In turns, since other programs may run beside this one."""
    documents, taken = [path.read_bytes() for path in paths], Times([], [], [], [])
    for _ in range(RUNS):
        taken.ours.append(seconds(ours, documents))
        taken.feedparser.append(seconds(theirs, documents))
        if shutil.which("sfeed"):
            taken.sfeed.append(seconds_of_processes(EACH, paths))
            taken.starts.append(seconds_of_processes(NONE, paths))
    return taken


def seconds(reading: Reading, documents: Sequence[bytes]) -> float:
    gc.collect()
    begun = time.process_time()
    for document in documents:
        reading(document)
    return time.process_time() - begun


def seconds_of_processes(script: str, paths: Sequence[Path]) -> float:
    """What has no feed in it is not what sfeed fails over: it prints nothing."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["sh", "-c", script, "sh", *map(str, paths)], check=False, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


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
    print(table(of_folder(Path(sys.argv[1]), "captured")))
