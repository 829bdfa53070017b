"""Commands of feedd that kill themselves at a chosen point of their work, so that no kill comes too late for it.

A process that has imported feedd forks for every command. The fork does what `python -m feedd` does, and dies without
another word where it is about to commit a further transaction, or at a random moment of that transaction or the next.
"""

import json
import multiprocessing
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import Any, NamedTuple, Self

from commands import import_all

LONGEST_S = 0.05  # some transactions take less than that, so that what comes next is hit, too


class Death(NamedTuple):
    """How a command ended: at the point chosen, or before, of itself."""

    status: int  # as of subprocess: below 0, the signal
    workers: list[int]  # its worker processes, when it died


class Dying:
    """Runs one command, again and again."""

    def __init__(self, words: Sequence[str]) -> None:
        pipe = subprocess.PIPE
        command = [sys.executable, __file__, *words]
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.communicate()

    def run(self, commits: int, *, at_random: bool = False) -> Death:
        """Let it commit that many transactions, or one more if `at_random`, and not another one."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps([commits, at_random]), file=self.process.stdin)
        return Death(*json.loads(self.process.stdout.readline()))


class Connection(sqlite3.Connection):
    """Counts what is committed, by all connections of the process."""

    left = 0  # transactions that may be committed
    at_random = False
    telling = -1  # a file, for the numbers of the worker processes

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        counted = type(self)
        if statement == "COMMIT":
            if counted.left + counted.at_random == 0:
                last_words()
                os.kill(os.getpid(), signal.SIGKILL)
            counted.left -= 1
        elif counted.at_random and counted.left == 0 and statement.startswith("BEGIN"):
            last_words()
            signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-6, LONGEST_S))  # nothing waits for SIGALRM
        return super().execute(statement, *values)


def last_words() -> None:
    children = [child.pid for child in multiprocessing.active_children()]
    os.pwrite(Connection.telling, json.dumps(children).encode(), 0)


def serve() -> bool:
    """Fork for each line of the input; whether this is a fork."""
    for line in sys.stdin:
        telling = os.memfd_create("workers")
        if (pid := os.fork()) == 0:
            Connection.left, Connection.at_random = json.loads(line)
            Connection.telling = telling
            return True
        _, status = os.waitpid(pid, 0)
        workers = json.loads(os.pread(telling, 10_000, 0) or "[]")
        os.close(telling)
        print(json.dumps([os.waitstatus_to_exitcode(status), workers]), flush=True)
    return False


if __name__ == "__main__":
    import_all()
    if serve():
        from feedd.__main__ import main

        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)
        sys.argv[0] = "feedd"
        sqlite3.connect = partial(sqlite3.connect, factory=Connection)  # type: ignore[assignment]
        main()
