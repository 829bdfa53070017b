"""What goes wrong with something that feedd itself does, told to the health feed while it lasts."""

import sqlite3

from feedd.looks import now_ms
from feedd.store import incidents
from feedd.store.desk import Desk


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
