"""feedd, which writes each kind of statement that it gives to SQLite to a file: `traced.py FILE WORD…`."""

import re
import sqlite3
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

from feedd.__main__ import main

VALUES = re.compile(r"'(?:[^']|'')*'|\b[0-9]+(?:\.[0-9]+)?\b|\?")
LIST = re.compile(r"\?(?:, ?\?)+")


class Statements:
    """A line each; of those that differ in values alone, the first."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self.seen = set[str]()
        self.guard = threading.Lock()

    def note(self, statement: str) -> None:
        kind = LIST.sub("?", VALUES.sub("?", statement))
        with self.guard:
            if kind not in self.seen and not statement.startswith(
                "--"
            ):  # what triggers and tables of FTS5 do
                self.seen.add(kind)
                # a negative value after a minus would begin a comment
                line = " ".join(statement.split("\n")).replace("--", "- -")
                with self.path.open("a", encoding="utf-8", errors="replace") as file:
                    file.write(f"{line}\n")


class Traced(sqlite3.Connection):
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.set_trace_callback(STATEMENTS.note)


if __name__ == "__main__":
    STATEMENTS = Statements(sys.argv.pop(1))
    sqlite3.connect = partial(sqlite3.connect, factory=Traced)  # type: ignore[assignment]
    main()
