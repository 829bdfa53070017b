"""The web of many hosts: `python -m bench.cluster.web PORT LOG` prints a line when it answers.

A third of the sources answer late, a third have much to say. Each request becomes a line of the log: the host's
address, the source, when it came whole and when its answer was out (ns of the machine's monotonic clock), who asked,
and whether it got all of it. It ends when standard input is closed.
"""

import asyncio
import re
import sys
import time
from pathlib import Path
from random import Random
from typing import TextIO, cast

import uvloop

from bench.corpus import paragraphs
from bench.feedserver import Entry, atom, entry, rss

PATH = re.compile(rb"GET /(\d{1,6}) ")
USUAL, MANY = 10, 70  # entries
MADE = 24  # documents of each size; a source has one of them under a name of its own
SHARED = 10  # in each ten sources, three are on one host
SLOW, LARGE = 0, 1  # remainders by three
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n"
NOT_THERE = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def host_of(source: int) -> str:
    """The address of a source's host."""
    place = source - source % SHARED if source % SHARED < 3 else source
    return f"10.50.{place // 250}.{place % 250 + 1}"


def delay_s(source: int) -> float:
    return 0.5 + Random(source).random() * 1.5 if source % 3 == SLOW else 0.0


def entries_of(source: int) -> int:
    return MANY if source % 3 == LARGE else USUAL


def written(number: int, count: int) -> Entry:
    """An entry of about 1.5 kB, or of 5.5 kB in a large document."""
    parts = paragraphs(Random(number), chinese=number % 3 != 0)
    if count == MANY:
        parts += paragraphs(Random(-number - 1), chinese=number % 3 != 0)
    return entry(number)._replace(html="".join(parts if count == MANY else parts[:4]))


def document(number: int, count: int) -> bytes:
    made = [written(number * count + place, count) for place in range(count)]
    return (atom if number % 2 else rss)(number, made).encode()


class Documents:
    def __init__(self) -> None:
        self.made = {count: [document(number, count) for number in range(MADE)] for count in (USUAL, MANY)}

    def of(self, source: int) -> bytes:
        made = self.made[entries_of(source)]
        body = made[source % MADE].replace(b"site-0.", b"site-%d." % source)
        return HEAD % len(body) + body


class Connection(asyncio.Protocol):
    """Requests of one client to one host, one after the other, kept alive."""

    def __init__(self, documents: Documents, log: TextIO) -> None:
        self.documents = documents
        self.log = log
        self.pending = b""
        self.asked: tuple[int, int] | None = None  # source, and when
        self.later: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=0)
        self.host = transport.get_extra_info("sockname")[0]
        self.peer = transport.get_extra_info("peername")[0]

    def data_received(self, data: bytes) -> None:
        self.pending += data
        if b"\r\n\r\n" not in self.pending:
            return
        request, _, self.pending = self.pending.partition(b"\r\n\r\n")
        found = PATH.match(request)
        if found is None or host_of(int(found[1])) != self.host:
            self.transport.write(NOT_THERE)
            return
        source = int(found[1])
        self.asked = (source, time.monotonic_ns())
        self.later = asyncio.get_running_loop().call_later(delay_s(source), self.answer, source)

    def answer(self, source: int) -> None:
        self.transport.write(self.documents.of(source))
        if not self.transport.get_write_buffer_size():
            self.over(whole=True)

    def resume_writing(self) -> None:
        self.over(whole=True)

    def connection_lost(self, _: Exception | None) -> None:
        if self.later is not None:
            self.later.cancel()
        self.over(whole=False)

    def over(self, *, whole: bool) -> None:
        if self.asked is None:
            return
        (source, begun_ns), self.asked = self.asked, None
        print(self.host, source, begun_ns, time.monotonic_ns(), self.peer, int(whole), file=self.log)


async def main(port: int, log: Path) -> None:
    documents, loop = Documents(), asyncio.get_running_loop()
    with log.open("w", buffering=1) as lines:
        server = await loop.create_server(lambda: Connection(documents, lines), "0.0.0.0", port, backlog=1024)
        print("ready", flush=True)
        await loop.run_in_executor(None, sys.stdin.read)
        server.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1]), Path(sys.argv[2])))
