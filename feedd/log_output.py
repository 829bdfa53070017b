"""Where the log goes. Whoever logs waits for nobody: lines wait in a queue, and a thread writes them.

What reads the log may stop, be slow, or go away. None of it ends feedd or holds it up: lines that find the queue full, or
can't be written, are counted, and the count is written once there is somebody to read it.
"""

import logging
import os
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from queue import SimpleQueue
from typing import NamedTuple, TextIO

from feedd.logs import (
    Event,
    as_coloured,
    as_entry,
    as_json,
    as_plain,
    as_prefixed,
    as_text,
    cleaned,
    event_of,
    journal_fields,
)

JOURNAL = "/run/systemd/journal/socket"
SEND_BUFFER = 8 * 1024 * 1024  # bytes, as systemd's own library asks for
MOST_WAITING = 2_000  # lines
PATIENCE_S = 2.0  # with what reads the log, at the end
Write = Callable[[Event], None]  # raises OSError

log = logging.getLogger(__name__)


class Format(StrEnum):
    AUTO = "auto"
    TEXT = "text"
    JSON = "json"
    JOURNAL = "journal"


class Wanted(NamedTuple):
    """What the log is to be like."""

    format: Format = Format.AUTO
    level: int = logging.INFO  # of feedd's own loggers
    levels: tuple[tuple[str, int], ...] = ()  # of some loggers, whatever `level` is
    journal: str = JOURNAL  # the path of its socket


def begin(wanted: Wanted) -> None:
    """Log in this way from now on, to standard error as it is now. It ends with the process, or with the next call."""
    root = logging.getLogger()
    for old in [each for each in root.handlers if isinstance(each, Log)]:
        root.removeHandler(old)
        old.close()
    root.addHandler(Log(writing(wanted, sys.stderr, os.environ)))
    root.setLevel(logging.WARNING)
    for name, level in (("feedd", wanted.level), *wanted.levels):
        logging.getLogger(name).setLevel(level)
    # else Python writes to standard error by itself: several lines, with all that is in them
    logging.captureWarnings(True)
    threading.excepthook = log_thread
    sys.unraisablehook = log_unraisable


def log_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_type is not SystemExit:
        name = ended.thread.name if ended.thread is not None else "that is gone"
        log.error("a bug in feedd ended the thread %s: %s", name, ended.exc_value, exc_info=ended.exc_value)


def log_unraisable(happened: "sys.UnraisableHookArgs") -> None:
    error = happened.exc_value
    log.error(
        "a bug in feedd: %s: %s", happened.err_msg or "an error that nobody can catch", error, exc_info=error
    )


def writing(wanted: Wanted, stream: TextIO | None, environment: Mapping[str, str]) -> Write:
    """How an event is written."""
    descriptor = descriptor_of(stream)
    chosen = wanted.format
    if chosen is Format.AUTO:
        chosen = Format.JOURNAL if is_journal(descriptor, environment) else Format.TEXT
    match chosen:
        case Format.JSON:
            return into(descriptor, as_json)
        case Format.JOURNAL:
            return into_journal(wanted.journal, into(descriptor, as_prefixed))
        case _:
            if descriptor is None or not os.isatty(descriptor):
                return into(descriptor, as_text)
            return into(descriptor, as_coloured if has_colours(environment) else as_plain)


def descriptor_of(stream: TextIO | None) -> int | None:
    """None if there is none: feedd was started without standard error, and its number may be that of another file."""
    try:
        return None if stream is None else stream.fileno()
    except OSError:
        return None


def is_journal(descriptor: int | None, environment: Mapping[str, str]) -> bool:
    """Whether the journal reads what is written there: systemd says what it opened (systemd.exec(5), JOURNAL_STREAM)."""
    if descriptor is None:
        return False
    status = os.fstat(descriptor)
    return environment.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def has_colours(environment: Mapping[str, str]) -> bool:
    """Of a terminal; see no-color.org."""
    return not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def into(descriptor: int | None, shape: Callable[[Event], str]) -> Write:
    def write(event: Event) -> None:
        if descriptor is not None:
            write_all(descriptor, shape(event).encode("utf-8", "backslashreplace"))

    return write


def write_all(descriptor: int, data: bytes) -> None:
    """Past the buffers of sys.stderr, whose lock would be held at the end of the process while a reader sleeps."""
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:  # whoever shares the file with us made it so
            select.select([], [descriptor], [])


def into_journal(path: str, otherwise: Write) -> Write:
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)

    def write(event: Event) -> None:
        try:
            sender.sendto(
                as_entry(journal_fields(event)), path
            )  # by its path: the journal may be started anew
        except OSError:
            otherwise(event)

    return write


class Log(logging.Handler):
    """Takes records from any thread; never raises, never waits."""

    def __init__(self, write: Write) -> None:
        super().__init__()
        self.write = write
        self.waiting: SimpleQueue[Event | None] = SimpleQueue()  # None: the end
        self.thread: threading.Thread | None = None  # from the first line on
        self.lost = 0  # counted by those who log
        self.unwritten = 0  # this and the next by the thread
        self.told = 0

    def emit(self, record: logging.LogRecord) -> None:
        if self.waiting.qsize() >= MOST_WAITING:
            self.lost += 1
            return
        try:
            self.waiting.put(event_of(record))
            if self.thread is None:
                thread = threading.Thread(target=self.run, name="log", daemon=True)
                thread.start()
                self.thread = thread
        except Exception:  # noqa: BLE001 (whatever can't be logged ends nothing, and logging that would go on for ever)
            self.lost += 1

    def run(self) -> None:
        while (event := self.waiting.get()) is not None:
            if not self.written(event):
                self.unwritten += 1
            if self.waiting.empty():
                self.tell_lost()
        self.tell_lost()

    def tell_lost(self) -> None:
        missing = self.lost + self.unwritten - self.told
        if missing == 0:
            return
        said = f"{missing:,} lines of the log were lost: what reads it was away, full or too slow"
        if self.written(Event(time.time(), logging.WARNING, __name__, said)):
            self.told += missing

    def written(self, event: Event) -> bool:
        try:
            self.write(cleaned(event))
        except Exception:  # noqa: BLE001 (as above)
            return False
        return True

    def close(self) -> None:
        """Write what waits, but wait no longer than PATIENCE_S for a reader. `logging` calls it when the process ends."""
        if self.thread is not None:
            self.waiting.put(None)
            self.thread.join(PATIENCE_S)
        super().close()
