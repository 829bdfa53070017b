"""What goes wrong with something that feedd itself does: tried again, and told to the health feed while it lasts."""

import logging
import sqlite3
import time

from feedd.errors import FeeddError
from feedd.looks import now_ms
from feedd.store import incidents
from feedd.store.desk import Desk

AGAIN_S = 10.0  # after a failure, the first time …
LONGEST_S = 600.0  # … and at most


class OwnTrouble:
    """One kind of incident. Usable from any thread; nobody waits for the writing."""

    def __init__(self, desk: Desk, kind: str) -> None:
        self.desk = desk
        self.kind = kind
        self.told: str | None = ""  # what an earlier process left is not known

    def tell(self, words: str | None) -> None:
        """What is wrong now; None: nothing."""
        if words == self.told:
            return
        self.told = words
        at_ms = now_ms()

        def note(connection: sqlite3.Connection) -> None:
            if words is None:
                incidents.close(connection, None, (self.kind,), at_ms, "feedd")
            else:
                incidents.report(connection, None, self.kind, words, at_ms, "feedd")

        self.desk.post(lambda writer: writer.within(note))


class Attempts:
    """When something is to be tried, and what was said of its failing."""

    def __init__(self, what: str, log: logging.Logger) -> None:
        self.what = what
        self.log = log  # of who tries
        self.failures = 0
        self.at_s = 0.0  # of the monotonic clock
        self.said: str | None = None

    @property
    def is_due(self) -> bool:
        return time.monotonic() >= self.at_s

    def failed(self, error: FeeddError) -> None:
        self.at_s = time.monotonic() + min(AGAIN_S * 2**self.failures, LONGEST_S)
        self.failures = min(self.failures + 1, 20)
        if str(error) != self.said:
            self.log.error("%s: %s", self.what, error)
        self.said = str(error)

    def succeeded(self) -> None:
        if self.said is not None:
            self.log.info("%s: works again", self.what)
        self.failures, self.at_s, self.said = 0, 0.0, None
