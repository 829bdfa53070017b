"""Files of folders that workers see, too: read on workers, a batch at a time.

What a worker makes an article of was the very file that the daemon listed: its stamp says so, inode and all. Anything
else is read again by the daemon: that a file is not there says nothing, if a worker says it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future, wait
from typing import Any

from feedd.cluster.values import Files
from feedd.errors import Stopped
from feedd.model import Item
from feedd.sources.directory import Found, Outcome, Reading
from feedd.sources.files import read_file, read_files
from feedd.workers import BATCH

AHEAD = 2  # batches for each worker
LOOK_S = 0.5  # how soon it is seen that nobody wants them any more


class SharedFolders:
    """Of the event loop that it is made on; used from other threads. `read` returns nothing where nobody can."""

    def __init__(
        self, read: Callable[[Files], Coroutine[Any, Any, list[Outcome]]], workers: Callable[[], int]
    ) -> None:
        self.read = read
        self.workers = workers
        self.loop = asyncio.get_running_loop()

    def mapped(
        self, reading: Reading, files: Sequence[Found], now_ns: int, unwanted: Callable[[], bool]
    ) -> Iterator[list[Outcome]]:
        """As `read_files` over batches of them, in order. Raises OutOfFiles, Stopped."""
        waiting = deque(files[start : start + BATCH] for start in range(0, len(files), BATCH))
        running = deque[tuple[Sequence[Found], Future[list[Outcome]]]]()
        try:
            while waiting or running:
                while waiting and len(running) < AHEAD * self.workers() + 1:
                    batch = waiting.popleft()
                    running.append((batch, self.start(Files(reading, batch, now_ns))))
                batch, future = running.popleft()
                yield certain(reading, batch, awaited(future, unwanted), now_ns)
        finally:
            for _, future in running:
                future.cancel()

    def start(self, files: Files) -> "Future[list[Outcome]]":
        return asyncio.run_coroutine_threadsafe(self.read(files), self.loop)


def awaited(future: "Future[list[Outcome]]", unwanted: Callable[[], bool]) -> list[Outcome]:
    """Raises Stopped: a worker may take its time, whether or not anybody waits."""
    while not unwanted():
        if future in wait([future], LOOK_S).done:
            return future.result()
    future.cancel()
    raise Stopped("stopped while workers read files; the next look goes on from here")


def certain(
    reading: Reading, batch: Sequence[Found], outcomes: Sequence[Outcome], now_ns: int
) -> list[Outcome]:
    """What workers are believed, and the rest as it is seen here."""
    if len(outcomes) != len(batch):  # nobody could read it
        return read_files(reading, batch, now_ns)
    return [
        outcome if isinstance(outcome, Item) else read_file(reading, found, now_ns)
        for found, outcome in zip(batch, outcomes, strict=True)
    ]
