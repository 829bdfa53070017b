"""Seed files → items: read, cleaned, and made articles of."""

import os
import stat
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple

from feedd.errors import OutOfFiles, SeedError
from feedd.limits import in_words, ran_out
from feedd.model import Item, Raw, Rejected, Stamp
from feedd.normalise.article import derive
from feedd.normalise.html import TooMuchHtml, clean
from feedd.normalise.text import plain_text
from feedd.normalise.url import BadUrl, canonical
from feedd.rules import Parts
from feedd.sources import seedfile
from feedd.sources.decode import decode
from feedd.sources.directory import Found, Outcome, Reading, Waiting, is_trusted, stamp_of
from feedd.sources.items import plausible, rewritten, without

MAX_BYTES = 15_000_000
TOGETHER_BYTES = 1_000_000  # of files that are taken through one step after the other
FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class Opened(NamedTuple):
    """A file that is a seed file."""

    found: Found
    time_ms: int | None  # as it states it
    title: str
    address: str  # canonical
    body: str  # HTML: clean after the second step
    raw: Raw | None


def read_files(reading: Reading, batch: Sequence[Found], now_ns: int) -> list[Outcome]:
    """Read files and make articles of them; whatever one holds, it costs no other anything.

    What a worker process is sent for. Raises OutOfFiles: that says nothing of any file.
    """
    return [outcome for some in portions(batch) for outcome in read_together(reading, some, now_ns)]


def read_file(reading: Reading, found: Found, now_ns: int) -> Outcome:
    """As `read_files`, of one."""
    (outcome,) = read_files(reading, [found], now_ns)
    return outcome


def portions(batch: Sequence[Found]) -> Iterator[Sequence[Found]]:
    """The files in parts of about TOGETHER_BYTES."""
    start = size = 0
    for end, found in enumerate(batch, 1):
        size += found.stamp.size
        if size >= TOGETHER_BYTES:
            yield batch[start:end]
            start, size = end, 0
    if start < len(batch):
        yield batch[start:]


def read_together(reading: Reading, files: Sequence[Found], now_ns: int) -> list[Outcome]:
    """Each step for all of them, in place of all steps for each: the processor's caches hold the code of one step."""
    opened = [opened_of(reading, found, now_ns) for found in files]
    cleaned = [cleaned_of(each) if isinstance(each, Opened) else each for each in opened]
    return [item_of(reading, each, now_ns) if isinstance(each, Opened) else each for each in cleaned]


def opened_of(reading: Reading, found: Found, now_ns: int) -> Opened | Rejected | Waiting:
    path, stamp = found
    if stamp.size > MAX_BYTES:
        why = f"has {stamp.size:,} bytes; a seed file has at most {MAX_BYTES:,}"
        return Rejected(path, why, stamp)
    try:
        data = read_bytes(os.path.join(reading.root, path), stamp)
    except (FileNotFoundError, NotADirectoryError):  # it went away since: the next look sees that
        return Waiting(path)
    except OSError as error:
        if ran_out(error):
            raise OutOfFiles(in_words()) from error
        return Rejected(path, f"can't be read: {os.strerror(error.errno or 0)}")
    if data is None:
        return Waiting(path)
    try:
        seed = seedfile.parse(decode(data, reading.encoding))
        url, title = rewritten(seed.url, seed.title, reading.rewrite)
        address = canonical(url, ignore_scheme=reading.ignore_scheme)
    except (SeedError, BadUrl) as error:
        return Rejected(path, str(error), stamp)
    raw = Raw(path, None, (), now_ns // 1_000_000, sha256(data).digest(), data) if reading.keep_raw else None
    return Opened(found, seed.time_ms, title, address, without(seed.body, reading.ignore), raw)


def cleaned_of(opened: Opened) -> Opened | Rejected:
    path, stamp = opened.found
    try:
        return opened._replace(body=clean(opened.body, opened.address))
    except TooMuchHtml as error:
        return Rejected(path, str(error), stamp)


def item_of(reading: Reading, cleaned: Opened, now_ns: int) -> Item | Rejected:
    path, stamp = cleaned.found
    parts = Parts(cleaned.title, cleaned.address, lambda: plain_text(cleaned.body))
    if objection := reading.filter.objection(parts):
        return Rejected(path, f"left out: {objection}", stamp)
    now_ms = now_ns // 1_000_000
    fallback_ms = min(stamp.mtime_ns // 1_000_000, now_ms)
    settled, stated_ms = is_trusted(stamp, now_ns), plausible(cleaned.time_ms, now_ms)
    article = derive(cleaned.address, cleaned.title, cleaned.body)
    return Item(path, stated_ms, fallback_ms, article, stamp, settled, raw=cleaned.raw)


def read_bytes(path: str, stamp: Stamp) -> bytes | None:
    """The bytes of a file if its stamp is the same before and after; None if it changed. Raises OSError."""
    fd = os.open(path, FLAGS)
    try:
        before = os.fstat(fd)
        if not stat.S_ISREG(before.st_mode) or stamp != stamp_of(before):
            return None
        data = os.read(fd, stamp.size + 1)
        while data and len(data) < stamp.size and (more := os.read(fd, stamp.size + 1 - len(data))):
            data += more
        after = os.fstat(fd)
    finally:
        os.close(fd)
    same = stamp == stamp_of(after) and len(data) == stamp.size
    return data if same else None
