"""What lies compressed beside a file, for web servers that send it as it is. The same bytes for the same bytes."""

import gzip
from collections.abc import Mapping

import brotli  # type: ignore[import-untyped]

SMALLEST = 512  # bytes; below, compressing saves no packet
# Feeds in full text, 360 kB a document: more would take half as long again, for 4 % less.
GZIP_LEVEL = 1
BROTLI_QUALITY = 3
CODINGS = (".gz", ".br")


def coded(data: bytes) -> Mapping[str, bytes]:
    """By what is added to the name; nothing where it would not pay."""
    if len(data) < SMALLEST:
        return {}
    return {
        ".gz": gzip.compress(data, GZIP_LEVEL, mtime=0),
        ".br": brotli.compress(data, mode=brotli.MODE_TEXT, quality=BROTLI_QUALITY),
    }


def coded_names(name: str) -> tuple[str, ...]:
    """The file itself, and those that may lie beside it."""
    return name, *(name + coding for coding in CODINGS)


def plain_name(name: str) -> str:
    """Of the file itself, by what lies beside it."""
    for coding in CODINGS:
        name = name.removesuffix(coding)
    return name
