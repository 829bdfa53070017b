"""Bodies, decompressed step by step, so that a small body that grows to gigabytes is stopped while it grows."""

import re
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import brotli  # type: ignore[import-untyped]
import zstandard

from feedd.errors import FetchError, TooLarge

STEP = 64 * 1024  # bytes that one step of decompression gives, at most about
MOST_CODINGS = 3
MOST_MEMBERS = 1000  # of a gzip body or frames of a zstd one; each costs time even if there is nothing in it
ZSTD_WINDOW = 8 * 1024 * 1024  # RFC 9659 section 3
ZSTD_SLICE = 128  # 4 bytes can stand for 128 kB, and the library gives all that its input holds
BOUNDED_BROTLI = hasattr(brotli.Decompressor, "can_accept_more_data")  # since 1.2
ACCEPTED = "gzip, br, zstd" if BOUNDED_BROTLI else "gzip, zstd"
LENGTH = re.compile(r"[0-9]{1,19}")
PLAIN = frozenset(
    # what servers write there besides codings; the last ones mean the charset
    ("", "identity", "none", "binary", "8bit", "utf-8", "utf8", "iso-8859-1")
)


class Decoder(Protocol):
    def feed(self, data: bytes) -> Iterator[bytes]:
        """What that makes, in pieces of bounded size. Raises zlib.error, brotli.error, zstandard.ZstdError."""
        ...

    @property
    def finished(self) -> bool: ...


class Gzip:
    """RFC 1952; several members one after another; anything else after the first is ignored."""

    def __init__(self) -> None:
        self._machine = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._members = 1

    @property
    def finished(self) -> bool:
        return self._machine.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._machine.eof:
                if not data.startswith(b"\x1f"):
                    return
                self._members += 1
                if self._members > MOST_MEMBERS:
                    raise zlib.error("too many members")
                self._machine = zlib.decompressobj(zlib.MAX_WBITS | 16)
            yield from inflate(self._machine, data)
            data = self._machine.unused_data


class Deflate:
    """RFC 9110 section 8.4.1.2: zlib; and bare deflate, which some servers send under that name."""

    def __init__(self) -> None:
        self._head = b""
        self._machine: zlib._Decompress | None = None

    @property
    def finished(self) -> bool:
        return self._machine is not None and self._machine.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._machine is None:
            self._head += data
            if len(self._head) < 2:
                return
            data = self._head
            is_zlib = data[0] & 0x0F == 8 and int.from_bytes(data[:2]) % 31 == 0
            self._machine = zlib.decompressobj(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
        if not self._machine.eof:
            yield from inflate(self._machine, data)


def inflate(machine: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    while True:
        made = machine.decompress(data, STEP)
        data = machine.unconsumed_tail
        if made:
            yield made
        if machine.eof or (not data and len(made) < STEP):
            return


class Brotli:
    """RFC 7932."""

    def __init__(self) -> None:
        self._machine = brotli.Decompressor()

    @property
    def finished(self) -> bool:
        return bool(self._machine.is_finished())

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._machine.is_finished():
            raise brotli.error("something follows its end")
        made = self._machine.process(data, output_buffer_limit=STEP)
        while made:  # there may be more, whatever can_accept_more_data() says
            yield made
            made = self._machine.process(b"", output_buffer_limit=STEP)


class Zstd:
    """RFC 8878; several frames one after another."""

    def __init__(self) -> None:
        self._source = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
        self._machine = self._source.decompressobj()
        self._frames = 1

    @property
    def finished(self) -> bool:
        return self._machine.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), ZSTD_SLICE):
            yield from self._feed(data[start : start + ZSTD_SLICE])

    def _feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._machine.eof:
                self._frames += 1
                if self._frames > MOST_MEMBERS:
                    raise zstandard.ZstdError("too many frames")
                self._machine = self._source.decompressobj()
            yield self._machine.decompress(data)
            data = self._machine.unused_data


DECODERS: dict[str, Callable[[], Decoder]] = {
    "gzip": Gzip,
    "x-gzip": Gzip,
    "deflate": Deflate,
    "zstd": Zstd,
}
if BOUNDED_BROTLI:
    DECODERS["br"] = Brotli


class Body:
    """A body as it comes in.

    `most` bounds it in bytes, as it comes and decompressed. `cut`: the rest of a longer one is left out.
    """

    def __init__(self, host: str, coding: str, most: int, *, cut: bool = False) -> None:
        self._host = host
        self._coding = coding
        self._decoders = decoders(host, coding)
        self._most = most
        self._cut = cut
        self._pieces: list[bytes] = []
        self._size = 0
        self._received = 0
        self.full = False  # there was more than that, and it is left out

    def announce(self, content_length: str | None) -> None:
        """Raises TooLarge if it is going to be."""
        plausible = content_length and LENGTH.fullmatch(content_length)
        if plausible and int(plausible[0]) > self._most and not self._cut:
            raise self._too_large()

    def add(self, data: bytes) -> None:
        """Raises TooLarge, and FetchError for what can't be decompressed."""
        if self.full:
            return
        self._received += len(data)
        if self._received > self._most and not self._cut:
            raise self._too_large()
        try:
            for piece in chained(self._decoders, data):
                if not self._keep(piece):
                    return
        except (zlib.error, brotli.error, zstandard.ZstdError) as error:
            text = f"{self._host} sent a body that is not the {self._coding} it is said to be: {error}"
            raise FetchError(text) from error

    def whole(self) -> bytes:
        """All of it. Raises FetchError if it was cut off."""
        if self._received and not self.full and not all(decoder.finished for decoder in self._decoders):
            raise FetchError(f"{self._host} sent a body that is cut off: its {self._coding} has no end")
        return self.so_far()

    def so_far(self) -> bytes:
        return b"".join(self._pieces)

    def _keep(self, piece: bytes) -> bool:
        """Whether more is wanted."""
        room = max(self._most - self._size, 0)
        if len(piece) > room and not self._cut:
            raise self._too_large()
        self._pieces.append(piece[:room])
        self._size += len(piece)
        self.full = self._cut and self._size > self._most
        return not self.full

    def _too_large(self) -> TooLarge:
        return TooLarge(f"{self._host} sends more than {spell_size(self._most)} (max_bytes)")


def decoders(host: str, coding: str) -> list[Decoder]:
    """The way back through all codings of a `Content-Encoding` (RFC 9110 section 8.4). Raises FetchError."""
    names = [name for part in coding.lower().split(",") if (name := part.strip()) not in PLAIN]
    unknown = [name for name in names if name not in DECODERS]
    if unknown:
        raise FetchError(f"{host} sent a body in '{unknown[0][:40]}', which was not asked for")
    if len(names) > MOST_CODINGS:
        raise FetchError(f"{host} sent a body that is compressed {len(names)} times")
    return [DECODERS[name]() for name in reversed(names)]


def chained(steps: list[Decoder], data: bytes) -> Iterator[bytes]:
    if not steps:
        yield data
        return
    for piece in steps[0].feed(data):
        yield from chained(steps[1:], piece)


def spell_size(size: int) -> str:
    """A size as the configuration would take it, such as 15MB."""
    for unit, length in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= length and size % length == 0:
            return f"{size // length} {unit}"
    return f"{size} bytes"
