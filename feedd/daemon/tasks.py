"""Work that goes on by itself on an event loop."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from feedd.errors import Stopped, UnknownName

EXPECTED = (Stopped, UnknownName)  # feedd ends, or the source left the configuration meanwhile
log = logging.getLogger(__name__)


class Tasks:
    """A bug in one of them is logged, and ends none of the others."""

    def __init__(self) -> None:
        self.running: set[asyncio.Task[None]] = set()
        self.is_closed = False

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        """None: it was closed, and nothing begins any more."""
        if self.is_closed:
            work.close()
            return None
        task = asyncio.create_task(work)
        self.running.add(task)
        task.add_done_callback(self.finished)
        return task

    def finished(self, task: asyncio.Task[None]) -> None:
        self.running.discard(task)
        if task.cancelled() or (error := task.exception()) is None or isinstance(error, EXPECTED):
            return
        log.error("a bug in feedd: %s", error, exc_info=error)

    async def end(self) -> None:
        """Cancel all of them, wait for that, and begin nothing more.

        Once each, however often it is called: what ends in order is not to be cut off in that.
        """
        tasks = list(self.running)
        if not self.is_closed:
            self.is_closed = True
            for task in tasks:
                task.cancel()
        if tasks:
            await asyncio.wait(tasks)
