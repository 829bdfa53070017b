"""Tells whoever reads the change log that it has grown."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Bell:
    """Rung by the writer's thread after a transaction; heard on event loops. Usable from any thread."""

    def __init__(self) -> None:
        self.guard = threading.Lock()
        self.rings = 0
        self.heard: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    @contextmanager
    def heard_by(self) -> Iterator[asyncio.Event]:
        """An event of the running loop that is set at each ring; whoever waits for it clears it."""
        pair = asyncio.get_running_loop(), asyncio.Event()
        with self.guard:
            self.heard.add(pair)
        try:
            yield pair[1]
        finally:
            with self.guard:
                self.heard.discard(pair)

    def ring(self) -> None:
        with self.guard:
            self.rings += 1
            heard = list(self.heard)
        for loop, event in heard:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)
