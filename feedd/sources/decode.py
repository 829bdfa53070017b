"""Bytes of unknown encoding → text, as well as a browser would.

A byte order mark decides; then what the source is said to be; then UTF-8, which few other texts look like by
chance; then the detector that Firefox uses. What can't be decoded becomes U+FFFD, and what XML 1.0 forbids
(section 2.2) is left out.
"""

import codecs
import re

import chardetng_py

from feedd.normalise.text import FORBIDDEN

MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
CONTROLS = bytes({*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20)})
# encodings that a label means on the web although its name says less (encoding.spec.whatwg.org)
WEB_LABELS = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
    # labels that Python doesn't know
    "windows-31j": "cp932",
    "windows-874": "cp874",
    "x-sjis": "cp932",
    "x-gbk": "gb18030",
    "x-x-big5": "big5hkscs",
}
ESCAPE = b"\x1b"  # by which ISO-2022-JP is told: to the letter it is ASCII
MULTIBYTE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")
SAMPLE = 200_000  # bytes: enough to tell an encoding by
# up to a byte that is no part of a longer character in any encoding that is told by looks
TELLING = re.compile(rb"[\x80-\xff][^\n<]*+")
NOT_ASCII = bytes(range(0x80, 0x100))
LETTERS_BEFORE = 30  # bytes: the beginning of the word that a telling byte stands in


def web_encoding(label: str) -> str:
    """Python's name for what a browser takes `label` to mean. Raises LookupError."""
    label = label.strip().lower()
    name = WEB_LABELS.get(label) or codecs.lookup(label).name
    "".encode(name)  # some codecs are known to Python, and make no text
    return WEB_LABELS.get(name, name)


def decode(data: bytes, encoding: str | None = None) -> str:
    """`data` as text with line feeds for line ends; `encoding` is a name that `web_encoding` knows."""
    for mark, name in MARKS:
        if data.startswith(mark):
            return tidy(data[len(mark) :].decode(name, "replace"))
    if encoding is not None:
        return tidy(data.decode(web_encoding(encoding), "replace"))
    try:
        if ESCAPE in data:
            return tidy(data.decode(detect(data), "replace"))
        text = data.translate(None, CONTROLS).decode("utf-8")
    except UnicodeDecodeError:
        return tidy(data.decode(detect(data), "replace"))
    if b"\xef\xbf" in data:
        text = FORBIDDEN.sub("", text)
    return line_feeds(text)


def detect(data: bytes) -> str:
    """The likeliest encoding of text that is not valid UTF-8."""
    data = sample_of(data)
    text = data.decode("utf-8", "replace")
    if text.count("\ufffd") * 4 < len(MULTIBYTE.findall(data)):
        return "utf-8"  # broken in a few places, but nothing else
    try:
        return web_encoding(chardetng_py.detect(data))
    except LookupError:
        return "cp1252"


def sample_of(data: bytes) -> bytes:
    """`data`; of a long one what tells its encoding, about `SAMPLE` bytes of it and no part of a character."""
    if len(data) <= SAMPLE:
        return data
    if (start := data.find(ESCAPE)) >= 0:
        window = data[start : start + SAMPLE]
        return window.rpartition(b"\n")[0] or window
    pieces, size, end = [], 0, 0
    for found in TELLING.finditer(data):
        start, end = max(end, found.start() - LETTERS_BEFORE), found.end()
        piece = data[start : min(end, start + SAMPLE)]
        pieces.append(piece if end <= start + SAMPLE else piece.rstrip(NOT_ASCII) or piece)
        size += len(pieces[-1])
        if size >= SAMPLE:
            break
    return b"\n".join(pieces)


def tidy(text: str) -> str:
    text = text.removeprefix("\ufeff")
    if FORBIDDEN.search(text):
        for control in CONTROLS.decode():  # one by one: where there are many, ten times as fast
            text = text.replace(control, "")
        text = FORBIDDEN.sub("", text)
    return line_feeds(text)


def line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
