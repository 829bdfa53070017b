"""The one writer: a thread that owns the writing connection, and takes work one piece at a time."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from feedd.store.bell import Bell
from feedd.store.writer import Writer

Result = TypeVar("Result")
log = logging.getLogger(__name__)


class Desk:
    """Hands work to the writer's thread. Usable from any thread. Raises what the work raises."""

    def __init__(self, path: Path) -> None:
        self.bell = Bell()
        self.moved_s = time.monotonic()  # when a piece of work had been done last, well or not
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="writer")
        try:
            self.writer = self.thread.submit(Writer, path, self.bell).result()
        except BaseException:
            self.thread.shutdown()
            raise

    def submit(self, work: Callable[[Writer], Result]) -> Future[Result]:
        def done() -> Result:
            try:
                return work(self.writer)
            finally:
                self.moved_s = time.monotonic()

        return self.thread.submit(done)

    def run(self, work: Callable[[Writer], Result]) -> Result:
        return self.submit(work).result()

    def post(self, work: Callable[[Writer], object]) -> None:
        """As `run`, for who does not wait for the result; what goes wrong is logged."""

        def logged(done: Future[object]) -> None:
            if not done.cancelled() and (error := done.exception()) is not None:
                log.error("the store can't be written: %s", error)

        self.submit(work).add_done_callback(logged)

    async def do(self, work: Callable[[Writer], Result]) -> Result:
        """As `run`, without keeping the event loop waiting."""
        return await asyncio.wrap_future(self.submit(work))

    def close(self) -> None:
        self.thread.submit(self.writer.close).result()
        self.thread.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
