import asyncio
import gzip
import logging
import time
from typing import Any

import pytest
from fetching import LOOPBACK, outcome, with_fetcher
from h2server import H2Server, Said
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from webserver import Wire, trusting

from feedd.errors import TimedOut, TooLarge
from feedd.fetch.client import Fetcher
from feedd.fetch.values import Answer, Ask

BIG = bytes(3_000_000)
ANSWERS = {
    "/": Said(b"<rss/>", headers=(("content-type", "application/rss+xml"), ("etag", '"1"'))),
    "/gzip": Said(gzip.compress(BIG), headers=(("content-encoding", "gzip"),)),
    "/big": Said(BIG),
    "/304": Said(status="304"),
    "/moved": Said(status="301", headers=(("location", "/"), ("set-cookie", "a=1"))),
    "/hangs": Said(ends=False),
    "/busy": Said(b"later", status="503", headers=(("retry-after", "120"),)),
    "/last": Said(b"last", goaway=True),
}


async def ask(fetcher: Fetcher, url: str, **access: Any) -> Answer:
    return await fetcher.fetch(Ask(url, LOOPBACK._replace(**access)))


def test_answers_over_http2_and_one_connection() -> None:
    async def work(fetcher: Fetcher) -> None:
        answer = await ask(fetcher, server.url + "/")
        assert (answer.status, answer.body, answer.content_type) == (200, b"<rss/>", "application/rss+xml")
        assert (await ask(fetcher, server.url + "/gzip")).body == BIG
        assert (await ask(fetcher, server.url + "/big")).body == BIG
        assert (await ask(fetcher, server.url + "/304")).status == 304
        moved = await ask(fetcher, server.url + "/moved")
        assert (moved.body, moved.moved_to) == (b"<rss/>", server.url + "/")
        busy = await ask(fetcher, server.url + "/busy")
        assert (busy.status, busy.headers["retry-after"], busy.body) == (503, "120", b"later")
        assert server.connections == 1

    with H2Server(ANSWERS) as server:
        with_fetcher(work, tls=trusting())


def test_a_request_that_is_given_up_stalls_no_other() -> None:
    async def work(fetcher: Fetcher) -> None:
        for _ in range(8):
            with pytest.raises(TooLarge):
                await ask(fetcher, server.url + "/big", max_bytes=2_900_000)
        with pytest.raises(TimedOut, match="did not finish its answer within"):
            await ask(fetcher, server.url + "/hangs", timeout_s=0.3)
        assert (await ask(fetcher, server.url + "/big")).body == BIG

    with H2Server(ANSWERS) as server:
        with_fetcher(work, tls=trusting())


def test_a_connection_that_the_server_gives_up_is_replaced() -> None:
    async def work(fetcher: Fetcher) -> None:
        for _ in range(30):
            assert (await ask(fetcher, server.url + "/last")).body == b"last"
        await asyncio.sleep(0.05)
        assert (await ask(fetcher, server.url + "/")).body == b"<rss/>"

    with H2Server(ANSWERS) as server:
        with_fetcher(work, tls=trusting())


FRAMES = st.builds(
    lambda kind, flags, stream, payload: (
        len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload
    ),
    st.integers(0, 10),
    st.integers(0, 255),
    st.sampled_from([0, 1, 2, 3, 2**31]),
    st.binary(max_size=40),
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(FRAMES, max_size=6), st.booleans())
def test_whatever_frames_come_there_is_an_answer_or_an_error(frames: list[bytes], greets: bool) -> None:
    def junk(wire: Wire) -> None:
        wire.connection.recv(65536)
        wire.send((bytes.fromhex("000000040000000000") if greets else b"") + b"".join(frames))
        wire.hang(0.05)

    async def work(fetcher: Fetcher) -> None:
        began = time.monotonic()
        found = await outcome(fetcher, server.url + "/", timeout_s=1)
        assert isinstance(found, Answer) or str(found).startswith(("127.0.0.1", "the answer of 127.0.0.1"))
        assert time.monotonic() - began < 2

    logging.getLogger("asyncio").setLevel(logging.ERROR)
    with H2Server({}, junk) as server:
        with_fetcher(work, tls=trusting())
