"""Bytes of a feed → UTF-8: RFC 7303 section 3, as far as servers keep to it.

A byte order mark decides. Then UTF-8 goes before a label that fits everything (a server's default
ISO-8859-1), since hardly another text looks like UTF-8 by chance; then the charset that the server states,
then the one that the XML declaration does; a label that doesn't fit is ignored.
"""

import codecs
import re
import zlib
from contextlib import suppress
from functools import lru_cache

from feedd.errors import NotAFeed
from feedd.sources.decode import ESCAPE, decode, web_encoding

GZIP = b"\x1f\x8b"
MAX_UNPACKED = 50_000_000  # bytes
DECLARED = re.compile(rb"<\?xml[^<>]{0,200}?encoding\s*=\s*[\"']\s*([A-Za-z0-9._:\-]{1,40})")
PARAMETER = re.compile(r";\s*charset\s*=\s*[\"']?([A-Za-z0-9._:\-]{1,40})", re.IGNORECASE)
WIDE = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"\x00<\x00", "utf-16-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x00{\x00", "utf-16-be"),
    (b"{\x00", "utf-16-le"),
    (b"\x4c\x6f\xa7\x94", "cp037"),  # <?xm in EBCDIC
)
known_encoding = lru_cache(100)(web_encoding)
TOLERATED = 500  # one character in so many may be broken without the label being doubted


def utf8_of(data: bytes, content_type: str | None = None) -> tuple[bytes, tuple[str, ...]]:
    """The document in UTF-8, and what is worth a warning. Raises NotAFeed where it can't be unpacked."""
    if data.startswith(GZIP):
        data = unpack(data)
    if data.startswith(codecs.BOM_UTF8):
        data = data[len(codecs.BOM_UTF8) :]
        if fits(data, "utf-8"):
            return data, ()
        return encoded(decode(data)), ()
    for start, encoding in WIDE:
        if data.startswith(start):
            return encoded(decode(encoded(data.decode(encoding, "replace")))), ()
    stated = labels(data, content_type)
    for encoding in candidates(stated):
        if fits(data, encoding):
            text = data if encoding == "utf-8" else encoded(decode(data, encoding))
            return text, () if data.isascii() else mistaken(stated, encoding)
    return encoded(decode(data)), mistaken(stated, None)


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def unpack(data: bytes) -> bytes:
    """What was packed once more within HTTP's own packing, or despite its headers."""
    try:
        unpacker = zlib.decompressobj(31)
        unpacked = unpacker.decompress(data, MAX_UNPACKED)
    except zlib.error as error:
        raise NotAFeed(f"it is packed with gzip, and can't be unpacked: {error}") from error
    if unpacker.unconsumed_tail:
        raise NotAFeed(
            f"it is packed with gzip, and larger than {MAX_UNPACKED // 1_000_000} MB when unpacked"
        )
    return unpacked


def labels(data: bytes, content_type: str | None) -> list[str]:
    """Python's names of the encodings that are stated: by HTTP, by the XML declaration."""
    stated = []
    if content_type and (parameter := PARAMETER.search(content_type)):
        stated.append(parameter[1])
    if declared := DECLARED.search(data, 0, 2000):
        stated.append(declared[1].decode("ascii"))
    known = []
    for label in stated:
        with suppress(LookupError):
            known.append(known_encoding(label))
    return known


def candidates(stated: list[str]) -> list[str]:
    """What to try, in this order: UTF-8 stands before what fits everything."""
    strict = [name for name in stated if not single_byte(name)]
    return list(dict.fromkeys([*strict, "utf-8", *filter(single_byte, stated)]))


def single_byte(encoding: str) -> bool:
    return encoding.startswith(("cp125", "iso8859", "koi8", "cp874", "mac", "ascii", "latin"))


def fits(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        if encoding == "utf-8":
            return False  # `decode` knows better what to make of it
        text = data.decode(encoding, "replace")
        return text.count("\ufffd") * TOLERATED <= len(text)
    if encoding == "utf-8" and ESCAPE in data:
        return b"\x1b$" not in data  # ISO-2022-JP, to the letter ASCII
    return not encoding.startswith(("utf-16", "utf-32"))  # without a mark, and beginning in ASCII


def mistaken(stated: list[str], found: str | None) -> tuple[str, ...]:
    wrong = [each for each in stated if each != found]
    if not wrong:
        return ()
    return (f"it says that it is in {wrong[0]}, and is {f'in {found}' if found else 'not'}",)
