"""Whatever a server sends, there is an answer or a FetchError, in time, and the next fetch works."""

import asyncio
import contextlib
import ssl

import anyio
import h2.exceptions
import h11
import httpcore
import pytest
from fetching import LOOPBACK, fetch, outcome, with_fetcher
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from webserver import Web

from feedd.errors import FetchError, TimedOut
from feedd.fetch import address
from feedd.fetch.client import Fetcher
from feedd.fetch.values import Access, Answer, Ask
from feedd.fetch.words import explain

PLACE, _ = address.read("https://example.org/?secret")


def subclasses(kind: type[BaseException]) -> list[type[BaseException]]:
    return [kind, *(deeper for below in kind.__subclasses__() for deeper in subclasses(below))]


FOREIGN = [
    kind
    for module in (httpcore, h11, h2.exceptions, anyio, ssl)
    for kind in vars(module).values()
    if isinstance(kind, type)
    and issubclass(kind, Exception)
    and kind.__module__.startswith(module.__name__)
    and kind is not h11.ProtocolError
] + [kind for kind in subclasses(OSError) if kind.__module__ in {"builtins", "socket", "ssl"}]


def made(kind: type[Exception]) -> Exception:
    """One of that kind, with whatever its constructor wants."""
    for arguments in (("what they say\x1b[31m: bytearray(b'secret')",), (1, 2), ()):
        with contextlib.suppress(TypeError):
            return kind(*arguments)
    raise AssertionError(f"{kind} wants other arguments")


@pytest.mark.parametrize("kind", FOREIGN, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
@pytest.mark.parametrize("answered", [False, True])
def test_every_foreign_exception_has_words(kind: type[Exception], answered: bool) -> None:
    error = made(kind)
    if isinstance(error, ssl.SSLCertVerificationError):
        error.verify_message = "it has expired"
    told = explain(error, PLACE, Access(), answered=answered)
    assert isinstance(told, FetchError)
    assert "example.org" in str(told)
    assert "secret" not in str(told)
    assert str(told).isprintable()


LINES = st.sampled_from(
    [b"Content-Length: 5", b"Content-Length: 99999999999999999999", b"Content-Length: -1", b"Content-Length: 5, 6",
     b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: x", b"Connection: close",
     b"Content-Encoding: gzip", b"Content-Encoding: br", b"Content-Encoding: zstd", b"Content-Encoding: \xff",
     b"Location: /", b"Location: http://[", b"Location: \xff\xfe", b"Location: http://\xc3\xbc:99999/", b"Location: //",
     b"Set-Cookie: a=b", b"Set-Cookie: \xff=;;;", b": x", b"no colon", b"X: " + b"y" * 200_000, b" folded", b"X:\x00", b"Upgrade: h2c"]
) | st.binary(max_size=20)  # fmt: skip
STATUS = st.sampled_from(
    [b"HTTP/1.1 200 OK", b"HTTP/1.0 200", b"HTTP/1.1 301 Moved", b"HTTP/1.1 304 Not", b"HTTP/1.1 204 No", b"HTTP/1.1 101 Up",
     b"HTTP/1.1 100 Go", b"HTTP/1.1 999 Odd", b"HTTP/1.1 000 Odd", b"HTTP/2 200", b"HTTP/1.1 200", b"ICY 200 OK", b"HTTP/1.1 20"]
) | st.binary(max_size=20)  # fmt: skip
BODIES = st.sampled_from(
    [b"hello", b"", b"5\r\nhello\r\n0\r\n\r\n", b"5\r\nhello", b"ffffffffffffffffffff\r\n", b"-1\r\n", b"\x1f\x8b\x08", b"0\r\n" + b"x: y\r\n" * 50_000]
) | st.binary(max_size=50)  # fmt: skip


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_whatever_bytes_come_there_is_an_answer_or_an_error(data: st.DataObject) -> None:
    sent = data.draw(STATUS) + b"\r\n"
    sent += (
        b"".join(line + b"\r\n" for line in data.draw(st.lists(LINES, max_size=5)))
        + b"\r\n"
        + data.draw(BODIES)
    )

    async def work(fetcher: Fetcher) -> None:
        for _ in range(2):
            found = await outcome(fetcher, web.url + "/")
            assert isinstance(found, Answer) or str(found).isprintable()
        assert (await fetcher.fetch(Ask(web.url + "/well", LOOPBACK))).body == b"well"

    with Web() as web:
        web.raw("/", lambda wire: wire.send(sent))
        web.page("/well", "well")
        with_fetcher(work)


def test_headers_are_bounded() -> None:
    with Web() as web:
        web.raw("/one", lambda wire: wire.send(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 10**7))
        web.raw("/many", lambda wire: wire.send(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10**6))
        web.raw("/line", lambda wire: wire.send(b"y" * 10**7))
        for path in ("/one", "/many", "/line"):
            with pytest.raises(FetchError, match="did not answer in HTTP"):
                fetch(web.url + path)


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"", "did not answer in HTTP: Server disconnected without sending a response"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "did not answer in HTTP: illegal status line"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive!",
            r"is cut off or broken: peer closed .* \(received 5 bytes",
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "is cut off or broken"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n", "is cut off or broken"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n", "did not answer in HTTP: bad Content-Length"),
    ],
)
def test_what_is_told_of_broken_answers(sent: bytes, told: str) -> None:
    with Web() as web:
        web.raw("/", lambda wire: wire.send(sent))
        with pytest.raises(FetchError, match=told):
            fetch(web.url + "/")


def test_a_longer_body_than_announced_ends_where_it_was_announced() -> None:
    with Web() as web:
        web.raw("/", lambda wire: wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more"))
        assert fetch(web.url + "/").body == b"hello"


def test_one_server_that_hangs_does_not_hold_up_another() -> None:
    async def work(fetcher: Fetcher) -> None:
        bad = [Ask(f"{web.url}/{number}", LOOPBACK._replace(timeout_s=0.5)) for number in range(20)]
        good = [Ask(f"{other.url}/", LOOPBACK) for _ in range(20)]
        loop = asyncio.get_running_loop()
        began = loop.time()
        hanging = asyncio.gather(*map(fetcher.fetch, bad), return_exceptions=True)
        await asyncio.gather(*map(fetcher.fetch, good))
        assert loop.time() - began < 0.45
        assert all(isinstance(outcome, TimedOut) for outcome in await hanging)

    with Web() as web, Web() as other:
        for number in range(20):
            web.raw(f"/{number}", lambda wire: wire.hang())
        other.page("/", "x")
        with_fetcher(work)


def test_decompression_errors_are_translated() -> None:
    with Web() as web:
        for coding in ("gzip", "deflate", "br", "zstd"):
            web.page(f"/{coding}", b"\xff" * 50, headers={"Content-Encoding": coding})
            with pytest.raises(FetchError, match=f"{coding}"):
                fetch(f"{web.url}/{coding}")
