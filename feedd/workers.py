"""Worker processes for cold folders: started when there is enough to do, gone when there is nothing.

A worker is sent paths and returns articles, so that a body crosses between processes once.
"""

import gc
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from typing import TypeVar

from feedd.errors import SourceError

In = TypeVar("In")
Out = TypeVar("Out")

BATCH = 250  # files at once: large enough to be cheap to send, small enough to keep memory flat
WORTH_IT = 1_500  # below, starting processes costs more time than they save
AHEAD = 2  # batches that wait for each worker


def mapped(work: Callable[[Sequence[In]], Out], items: Sequence[In]) -> Iterator[Out]:
    """`work` over the items in batches, results in order; in processes if there are many."""
    batches = [items[start : start + BATCH] for start in range(0, len(items), BATCH)]
    workers = os.cpu_count() or 1
    if len(items) < WORTH_IT or workers < 2:
        yield from map(work, batches)
        return
    try:
        yield from in_processes(work, batches, workers)
    except BrokenProcessPool as error:
        raise SourceError("a worker process died; what it was sent is read again at the next look") from error


def in_processes(
    work: Callable[[Sequence[In]], Out], batches: list[Sequence[In]], workers: int
) -> Iterator[Out]:
    context = get_context("spawn")
    leash, held = context.Pipe(duplex=False)
    executor = ProcessPoolExecutor(workers, mp_context=context, initializer=start_worker, initargs=(leash,))
    running: deque[Future[Out]] = deque()
    gc.freeze()  # the list of files: to search it for garbage stops all threads, and those that serve, for 0.2 s
    try:
        for batch in batches:
            running.append(executor.submit(work, batch))
            if len(running) > workers * AHEAD:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    except BaseException:
        held.close()  # a pool that breaks while it starts workers would wait for the last of them for ever
        raise
    finally:
        gc.unfreeze()
        executor.shutdown(wait=True, cancel_futures=True)
        held.close()
        leash.close()


def start_worker(leash: Connection) -> None:
    """A worker leaves Ctrl-C to its parent, and ends with it, or when the other end of its leash is let go."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=end_with, args=(parent.sentinel, leash), daemon=True).start()


def end_with(*signs: "int | Connection") -> None:
    wait(signs)
    os._exit(1)
