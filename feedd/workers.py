"""Worker processes, for cold folders and for many feeds at once: started when there is enough to do, gone when there
is nothing.

A worker is sent paths and returns articles, so that a body crosses between processes once.
"""

import asyncio
import fcntl
import logging
import os
import signal
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from feedd import allocation
from feedd.errors import SourceError
from feedd.worker import GRACE_S, REQUESTS_TO_END, start_worker

In = TypeVar("In")
Out = TypeVar("Out")
Params = ParamSpec("Params")

BATCH = 250  # files at once: large enough to be cheap to send, small enough to keep memory flat
WORTH_IT = 1_500  # below, starting processes costs more time than they save
CROWD = 6  # documents that wait at once: fewer are read in a thread
ENOUGH = 40  # documents in memory
IDLE_S = 20.0  # after which worker processes are let go
AHEAD = 2  # batches that wait for each worker
READY = 8  # pieces of work that lie ready for workers: who hands them out waits for its turn in a busy interpreter
PIPE_BYTES = 1_048_576  # as many as Linux lets anybody have
TURN_S = 0.01
LOOK_S = 0.5  # between two looks at whether workers are there
GENTLY = 10  # niceness beside a server: whoever asks it waits for no core that a worker has
log = logging.getLogger(__name__)


def mapped(work: Callable[[Sequence[In]], Out], items: Sequence[In], niceness: int = 0) -> Iterator[Out]:
    """`work` over the items in batches, results in order; in processes if there are many, which give way so far.

    Raises SourceError where workers die again.
    """
    batches = [items[start : start + BATCH] for start in range(0, len(items), BATCH)]
    workers = os.cpu_count() or 1
    if len(items) < WORTH_IT or workers < 2:
        yield from map(work, batches)
        return
    left = deque(batches)
    for is_last_try in (False, True):
        try:
            yield from in_processes(work, left, workers, niceness)
        except BrokenProcessPool as error:
            if is_last_try:
                why = "a worker process died; what it was sent is read again at the next look"
                raise SourceError(why) from error
            # killed for want of memory, perhaps: what it read may be as good as any
            log.warning("a worker process died; what it was sent is read once more")
        else:
            return


def in_processes(
    work: Callable[[Sequence[In]], Out], left: deque[Sequence[In]], count: int, niceness: int
) -> Iterator[Out]:
    """Batches whose results are had are taken from what is left. Raises BrokenProcessPool."""
    workers = Workers(count, niceness)
    running: deque[Future[Out]] = deque()
    allocation.settle()  # the list of files, too: to search it for garbage stops all threads for 0.2 s
    try:
        for batch in tuple(left):
            running.append(submitted(workers.executor, work, batch))
            if len(running) > count * AHEAD:
                yield first_of(running, left)
        while running:
            yield first_of(running, left)
    finally:
        workers.let_go(wait=True)  # their memory is needed, perhaps


def first_of(running: deque[Future[Out]], left: deque[Sequence[In]]) -> Out:
    result = running.popleft().result()
    left.popleft()
    return result


def processes(count: int, leash: Connection, niceness: int) -> ProcessPoolExecutor:
    executor = ProcessPoolExecutor(
        count + READY, mp_context=get_context("spawn"), initializer=start_worker, initargs=(leash, niceness)
    )
    vars(executor)["_max_workers"] = count  # it hands out as many pieces ahead as it was made for
    widen(executor)
    threading.Thread(target=ending_together, args=(weakref.ref(executor),), daemon=True).start()
    return executor


def widen(executor: ProcessPoolExecutor) -> None:
    """Have pipes that hold several documents, and what they come to.

    Where one is full, as Linux's usual ones of 64 kB are, who sends waits until who receives has its turn.
    """
    size = getattr(fcntl, "F_SETPIPE_SZ", None)  # of Linux alone
    for queue in ("_call_queue", "_result_queue"):
        with suppress(OSError):  # the user has too much in pipes: it goes on as it was
            if size is not None:
                fcntl.fcntl(vars(vars(executor)[queue])["_writer"], size, PIPE_BYTES)


def ending_together(pool: "weakref.ref[ProcessPoolExecutor]") -> None:
    """Where one worker ends, all do.

    One that is killed while it sends a result leaves the parent waiting for the rest of that, and the others for their
    turn to send, for ever: the pool hears of a death only between two results. When nobody is left who could send, it does.
    """
    executor = pool()
    if executor is None:
        return
    running, results = vars(executor)["_processes"], vars(executor)["_result_queue"]
    del executor
    while not (running and wait([each.sentinel for each in list(running.values())], LOOK_S)):
        if not running:
            if pool() is None:  # it never had one
                return
            time.sleep(LOOK_S)
    until_s = time.monotonic() + GRACE_S / 2  # the others may be ending in order
    while time.monotonic() < until_s and not is_broken(pool()):
        time.sleep(TURN_S)
    if not is_broken(pool()):
        let_nobody_send(results)
    for each in list(running.values()):
        each.kill()


def let_nobody_send(results: "SimpleQueue[object]") -> None:
    """Let go of our own end of what workers send on, so that whoever receives hears when they are gone.

    It is not closed: whoever starts a further worker at this very moment hands it on by its number. Nobody else closes it
    as long as pools are shut down without a wait.
    """
    with suppress(OSError), Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), vars(results)["_writer"].fileno(), inheritable=False)


def is_broken(executor: ProcessPoolExecutor | None) -> bool:
    """Since Python 3.12 a pool that is keeps whoever hands in work waiting until all its workers have ended."""
    return executor is not None and bool(vars(executor)["_broken"])


def submitted(
    executor: Executor, work: Callable[Params, Out], *args: Params.args, **kwargs: Params.kwargs
) -> Future[Out]:
    """Hand in work. Raises BrokenProcessPool, also where the pool breaks at this very moment."""
    try:
        with leaving_requests_to_end_to_the_parent():
            return executor.submit(work, *args, **kwargs)
    except (ValueError, OSError) as error:  # a pipe of the pool was closed while it starts a further process
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise BrokenProcessPool("a worker process died") from error


@contextmanager
def leaving_requests_to_end_to_the_parent() -> Iterator[None]:
    """A process that is started meanwhile never sees one, not even before its first line runs."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, REQUESTS_TO_END)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Workers:
    """Processes that work until they are let go of."""

    def __init__(self, count: int, niceness: int) -> None:
        self.leash = Pipe(duplex=False)
        self.executor = processes(count, self.leash[0], niceness)

    def let_go(self, *, wait: bool = False) -> None:
        """What they are doing is lost. `wait`: until they are gone."""
        stop_listening(self.executor)
        # which ends when they did
        gone: threading.Thread | None = vars(self.executor)["_executor_manager_thread"]
        self.executor.shutdown(wait=False, cancel_futures=True)  # see let_nobody_send
        for end in self.leash:
            end.close()
        if wait and gone is not None:
            gone.join()


class Pool:
    """Does work off the event loop: in a thread while there is little of it, in processes where there is much.

    Where one of them dies, nobody knows over which document: what was under way is read once more, one after the other,
    by a process of its own. Belongs to the event loop that it is used on. `niceness`: how far its processes give way to others.
    """

    def __init__(self, niceness: int = 0) -> None:
        self.niceness = niceness
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="read")
        self.workers: Workers | None = None
        self.lone: Workers | None = None  # one that reads what others died over
        self.one_by_one = asyncio.Lock()
        self.waiting = 0
        self.room = asyncio.Event()  # set while little is waiting: what is fetched meanwhile waits in memory
        self.room.set()
        self.retirement: asyncio.TimerHandle | None = None

    async def run(self, work: Callable[Params, Out], *args: Params.args, **kwargs: Params.kwargs) -> Out:
        """`work` and its arguments must be able to cross to another process. Raises SourceError, and what it raises."""
        self.waiting += 1
        if self.waiting >= ENOUGH:
            self.room.clear()
        workers = None
        try:
            workers = self.chosen()
            if workers is None:
                return await done(submitted(self.thread, work, *args, **kwargs))
            return await done(submitted(workers.executor, work, *args, **kwargs))
        except BrokenProcessPool:
            if workers is not None and workers is self.workers:  # others may work by now
                log.warning("a worker process died; what waited for it is read once more, piece by piece")
                self.let_go()  # the lone one, too: it may be dead as well
            return await self.run_alone(work, *args, **kwargs)
        finally:
            self.waiting -= 1
            if self.waiting < ENOUGH:
                self.room.set()
            if not self.waiting and (self.workers or self.lone) and self.retirement is None:
                self.retirement = asyncio.get_running_loop().call_later(IDLE_S, self.let_go)

    async def run_alone(
        self, work: Callable[Params, Out], *args: Params.args, **kwargs: Params.kwargs
    ) -> Out:
        """As `run`, with no other's work beside it."""
        async with self.one_by_one:
            lone, self.lone = self.lone or Workers(1, self.niceness), None  # nobody's but ours while it reads
            try:
                result = await done(submitted(lone.executor, work, *args, **kwargs))
            except BrokenProcessPool as error:
                lone.let_go()
                why = "a worker process died over it twice, perhaps for want of memory; it is read again at the next look"
                raise SourceError(why) from error
            except BaseException:  # cancelled: it may still read, and die over that
                lone.let_go()
                raise
            self.lone = lone
            return result

    def chosen(self) -> Workers | None:
        """Who does the next piece of work; None: a thread."""
        if self.retirement is not None:
            self.retirement.cancel()
            self.retirement = None
        if self.workers is None and self.waiting > CROWD:
            self.workers = Workers(os.cpu_count() or 1, self.niceness)
        return self.workers

    def let_go(self) -> None:
        """Let all processes go; what they are doing is lost."""
        self.retirement = None
        for each in (self.workers, self.lone):
            if each is not None:
                each.let_go()
        self.workers = self.lone = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.retirement is not None:
            self.retirement.cancel()
        self.let_go()
        self.thread.shutdown(wait=False, cancel_futures=True)


async def done(work: Future[Out]) -> Out:
    """What comes of it. It goes on if whoever waits is cancelled: a pool that breaks can't cope with being told."""
    future = asyncio.wrap_future(work)
    future.add_done_callback(looked_at)
    return await asyncio.shield(future)


def stop_listening(executor: ProcessPoolExecutor) -> None:
    """Close our own end of what workers are sent, before a shutdown.

    Where they all died, Python before 3.11.5 waits for ever to send the rest (gh-94777); later it does this by itself.
    """
    if sys.version_info < (3, 11, 5):
        vars(vars(executor)["_call_queue"])["_reader"].close()


def looked_at(future: "asyncio.Future[Out]") -> None:
    """Nobody may be left to hear of an error."""
    if not future.cancelled():
        future.exception()
