"""Peak memory of a process and all that it started, sampled from /proc while it runs."""

import threading
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

EVERY_S = 0.05


class Memory(NamedTuple):
    """Bytes. `pss` counts what processes share once, `rss` once in each."""

    pss: int = 0
    rss: int = 0


class Sampled:
    """Watches the tree of `pid` while the block runs; `peak` is what it held at most."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.peak = Memory()
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self) -> None:
        while not self.done.wait(EVERY_S):
            self.peak = Memory(*map(max, self.peak, held_by_tree(self.pid)))

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.done.set()
        self.thread.join()


def held_by_tree(pid: int) -> Memory:
    each = [held(member) for member in tree(pid)]
    return Memory(sum(memory.pss for memory in each), sum(memory.rss for memory in each))


def tree(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:  # the thread is gone
                continue
    return found


def held(pid: int) -> Memory:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # the process is gone
        return Memory()
    fields = {name: rest.split() for name, _, rest in (line.partition(":") for line in lines[1:])}
    return Memory(*(int(fields[name][0]) * 1024 if name in fields else 0 for name in ("Pss", "Rss")))
