import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import suppress

import brotli  # type: ignore[import-untyped]
import pytest
import zstandard
from fetching import fetch
from hypothesis import given
from hypothesis import strategies as st
from webserver import Web, Wire

from feedd.errors import FetchError, TooLarge
from feedd.fetch.body import Body

TEXT = ("Ein Satz mit Umlauten: äöü. " * 4000).encode()
MB = 10**6


def bare_deflate(data: bytes) -> bytes:
    machine = zlib.compressobj(wbits=-15)
    return machine.compress(data) + machine.flush()


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "br": lambda data: brotli.compress(data, quality=4),
    "zstd": zstandard.compress,
    "deflate": zlib.compress,
    "Deflate": bare_deflate,
    "identity": bytes,
    "": bytes,
    "utf-8": bytes,
}


def gzip_bomb(size: int) -> bytes:
    """A gzip member of zeros, made of one block that stands for a megabyte, again and again."""
    machine = zlib.compressobj(9, wbits=-15)
    block = machine.compress(bytes(MB)) + machine.flush(zlib.Z_FULL_FLUSH)
    return bytes.fromhex("1f8b08000000000000ff") + block * (size // MB)


def unpack(coding: str, data: bytes, *, most: int = 100 * MB, chunk: int = 65536, cut: bool = False) -> bytes:
    body = Body("example.org", coding, most, cut=cut)
    for start in range(0, len(data), chunk):
        body.add(data[start : start + chunk])
    return body.whole()


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("chunk", [1, 100, 65536])
@pytest.mark.parametrize("text", [b"", b"x", TEXT])
def test_codings(coding: str, chunk: int, text: bytes) -> None:
    assert unpack(coding, CODINGS[coding](text), chunk=chunk) == text


@pytest.mark.parametrize("coding", CODINGS)
def test_an_empty_body_is_empty_in_any_coding(coding: str) -> None:
    assert unpack(coding, b"") == b""


def test_codings_one_upon_another() -> None:
    data = gzip.compress(zstandard.compress(brotli.compress(TEXT)))
    assert unpack("br, zstd ,GZIP", data) == TEXT
    with pytest.raises(FetchError, match="compressed 4 times"):
        unpack("br, zstd, gzip, gzip", gzip.compress(data))


def test_several_members_and_frames() -> None:
    for chunk in (1, 7, 65536):
        assert unpack("gzip", gzip.compress(b"one ") + gzip.compress(b"two"), chunk=chunk) == b"one two"
        assert (
            unpack("zstd", zstandard.compress(b"one ") + zstandard.compress(b"two"), chunk=chunk)
            == b"one two"
        )
        assert unpack("gzip", gzip.compress(b"one") + bytes(100), chunk=chunk) == b"one"
        with pytest.raises(FetchError, match="not the br"):
            unpack("br", brotli.compress(b"one") + bytes(100), chunk=chunk)
        assert unpack("deflate", zlib.compress(b"one") + bytes(100), chunk=chunk) == b"one"


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_members_without_number_are_refused(coding: str) -> None:
    with pytest.raises(FetchError, match="too many"):
        unpack(coding, CODINGS[coding](b"") * 100_000)


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate", "Deflate"])
def test_a_body_that_is_cut_off_is_an_error(coding: str) -> None:
    data = CODINGS[coding](TEXT)
    with pytest.raises(FetchError, match="cut off"):
        unpack(coding, data[: len(data) // 2])


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_a_body_that_is_not_what_it_says(coding: str) -> None:
    with pytest.raises(FetchError, match=f"not the {coding} it is said to be"):
        unpack(coding, b"<rss>plain</rss>" * 10)


def test_an_unknown_coding_says_so() -> None:
    with pytest.raises(FetchError, match=r"example\.org sent a body in 'compress', which was not asked for"):
        unpack("gzip, compress", b"x")


@given(st.sampled_from(sorted(CODINGS)), st.binary(max_size=300), st.integers(1, 50))
def test_any_bytes_are_a_body_or_an_error(coding: str, data: bytes, chunk: int) -> None:
    for tail in (b"", CODINGS[coding](TEXT)[:100]):
        with suppress(FetchError):
            assert isinstance(unpack(coding, tail + data, chunk=chunk), bytes)


BOMBS: dict[str, Callable[[], bytes]] = {
    "gzip": lambda: gzip_bomb(10_000 * MB),
    "br": lambda: brotli.compress(bytes(200 * MB), quality=1),
    "zstd": lambda: zstandard.compress(bytes(300 * MB)),
    "deflate": lambda: gzip_bomb(1000 * MB)[10:],
    "gzip, gzip": lambda: gzip.compress(gzip_bomb(10_000 * MB)),
}


@pytest.mark.parametrize("coding", BOMBS)
@pytest.mark.parametrize("cut", [False, True])
def test_a_bomb_is_stopped_while_it_grows(coding: str, cut: bool) -> None:
    bomb = BOMBS[coding]()
    tracemalloc.start()
    try:
        if cut:
            assert unpack(coding, bomb, most=5 * MB, cut=True) == bytes(5 * MB)
        else:
            with pytest.raises(TooLarge, match=r"example\.org sends more than 5 MB \(max_bytes\)"):
                unpack(coding, bomb, most=5 * MB)
        assert tracemalloc.get_traced_memory()[1] < 25 * MB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("most", [0, 1, 999, 1000])
def test_the_bound_is_exact(most: int) -> None:
    for data in (bytes(most), bytes(most + 1)):
        body = Body("example.org", "", most)
        if len(data) > most:
            with pytest.raises(TooLarge):
                body.add(data)
        else:
            body.add(data)
            assert body.whole() == data


def test_bounds_hold_over_the_wire() -> None:
    bomb = {"Content-Encoding": "gzip"}
    with Web() as web:
        assert fetch(web.page("/fits", bytes(1000)), max_bytes=1000).body == bytes(1000)
        for path, body, headers in (
            ("/plain", bytes(1001), {}),
            ("/bomb", gzip_bomb(10_000 * MB)[:MB], bomb),
        ):
            with pytest.raises(TooLarge, match=r"127\.0\.0\.1 sends more than 1 kB"):
                fetch(web.page(path, body, headers=headers), max_bytes=1000)


def test_a_size_that_is_announced_is_not_waited_for() -> None:
    def announce(wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 16000000\r\n\r\n")
        wire.hang()

    with Web() as web, pytest.raises(TooLarge, match="more than 15 MB"):
        fetch(web.raw("/", announce))


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate"])
def test_codings_over_the_wire(coding: str) -> None:
    with Web() as web:
        url = web.page("/", CODINGS[coding](TEXT), headers={"Content-Encoding": coding})
        answer = fetch(url)
    assert answer.body == TEXT
    assert web.requests[0].headers["accept-encoding"] == "gzip, br, zstd"
