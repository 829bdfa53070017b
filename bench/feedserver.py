"""The web, played on loopback: `python -m bench.feedserver FEEDS ENTRIES` prints its port, and serves /0, /1, ….

Every document is made before the first request and has an ETag; If-None-Match earns a 304. It does nothing else,
so that it is never what a client waits for. A number beyond the last is one of them under another name: its
entries have addresses of their own, and the same text. /plain/0 is /0 without an ETag: always sent in full; in /fresh/0 the
first entry is another one each time.
"""

import asyncio
import random
import re
import sys
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from itertools import count as count_from
from typing import NamedTuple, cast

import uvloop

from bench.corpus import article, paragraphs

HOME = "https://site-0.example.org"
BRIEF = 3  # every so many entries is one paragraph long, as news in brief are
PATH = re.compile(rb"GET /(plain/|fresh/)?(\d{1,6}) ")
CONDITION = re.compile(rb'\r\nif-none-match: ?"(\d+)"', re.IGNORECASE)


class Entry(NamedTuple):
    url: str
    title: str
    html: str
    at: datetime


def entry(number: int) -> Entry:
    """An article of the corpus as a feed has it."""
    head, _, html = article(number).partition("------\n\n")
    title = head[head.index("[") + 1 : head.index("](")]
    if number % BRIEF == 0:
        html = paragraphs(random.Random(number), chinese=True)[0]
    at = datetime.fromtimestamp(1_700_000_000 + number * 60, UTC)
    return Entry(f"{HOME}/articles/{number}", title, html, at)


def rss(number: int, entries: list[Entry]) -> str:
    items = "".join(
        f"<item><title>{escape(each.title)}</title><link>{each.url}</link><guid>{each.url}</guid>"
        f"<pubDate>{format_datetime(each.at)}</pubDate><dc:creator>Ada Berg</dc:creator><category>news</category>"
        f"<description>{escape(each.title)}</description>"
        f"<content:encoded><![CDATA[{each.html}]]></content:encoded></item>"
        for each in entries
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>'
        f"<title>Site {number}</title><link>{HOME}/</link><description>News</description>{items}</channel></rss>"
    )


def atom(number: int, entries: list[Entry]) -> str:
    items = "".join(
        f'<entry><title>{escape(each.title)}</title><id>{each.url}</id><link rel="alternate" href="{each.url}"/>'
        f"<published>{each.at.isoformat()}</published><updated>{each.at.isoformat()}</updated>"
        f'<author><name>Ada Berg</name></author><category term="news"/>'
        f'<content type="html">{escape(each.html, quote=False)}</content></entry>'
        for each in entries
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Site {number}</title>'
        f'<id>{HOME}/</id><link href="{HOME}/"/><updated>{entries[0].at.isoformat()}</updated>{items}</feed>'
    )


def document(number: int, items: int) -> bytes:
    entries = [entry(number * items + place) for place in range(items)]
    return (atom if number % 2 else rss)(number, entries).encode()


class Documents:
    """What is served, by number."""

    def __init__(self, count: int, items: int) -> None:
        self.made = [document(number, items) for number in range(count)]
        self.items = items
        self.news = count_from(1)

    def answer(self, request: bytes) -> bytes:
        found = PATH.match(request)
        if found is None:
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        number, condition = int(found[2]), CONDITION.search(request)
        if condition is not None and int(condition[1]) == number:
            return b'HTTP/1.1 304 Not Modified\r\nETag: "%d"\r\n\r\n' % number
        round_, place = divmod(number, len(self.made))
        body = self.made[place]
        if round_:
            body = body.replace(b"site-0.", b"site-%d." % round_)
        if found[1] == b"fresh/":
            first = b"/articles/%d" % (place * self.items)
            body = body.replace(first, b"/articles/new-%d" % next(self.news))
        validator = b"" if found[1] else b'ETag: "%d"\r\n' % number
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n%s\r\n"
        return head % (len(body), validator) + body


class Connection(asyncio.Protocol):
    """Requests of one client, kept alive."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self.pending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.pending += data
        while b"\r\n\r\n" in self.pending:
            request, _, self.pending = self.pending.partition(b"\r\n\r\n")
            self.transport.write(self.documents.answer(request))


async def main(count: int, items: int) -> None:
    """Serve until standard input is closed, or whoever started this is gone."""
    documents, loop = Documents(count, items), asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(documents), "127.0.0.1", 0)
    size = sum(map(len, documents.made)) // count
    print(server.sockets[0].getsockname()[1], size, flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1]), int(sys.argv[2])))
