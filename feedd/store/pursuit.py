"""Following the change log in a thread of one's own: woken by the bell, and ended in order."""

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple

from feedd.errors import StoreError
from feedd.store.bell import Bell

LISTEN_S = 5.0  # what is no change, as a version that nobody is told of, rings no bell
log = logging.getLogger(__name__)


class Follower(NamedTuple):
    """Who follows, and how."""

    name: str  # of the thread
    what: str  # that follows, in words
    catch_up: Callable[
        [threading.Event, asyncio.Event], object
    ]  # until it is to stop; what says that the bell rang
    close: Callable[[], object]  # what the thread opened
    pause_s: float = 0.0  # after each round
    again_s: float = 0.0  # after a round that failed


async def follow(bell: Bell, follower: Follower) -> None:
    """Follow until cancelled. A store that can't be written is tried again; anything else is a bug."""
    stop, thread = threading.Event(), ThreadPoolExecutor(1, follower.name)
    with bell.heard_by() as rung:
        try:
            await watch(follower, rung, stop, thread)
        finally:
            stop.set()  # the step that is under way is the last one
            thread.submit(follower.close)
            await asyncio.get_running_loop().run_in_executor(None, thread.shutdown)  # others go on meanwhile


async def watch(
    follower: Follower, rung: asyncio.Event, stop: threading.Event, thread: ThreadPoolExecutor
) -> None:
    complained, loop = False, asyncio.get_running_loop()
    while True:
        rung.clear()
        try:
            await loop.run_in_executor(thread, follower.catch_up, stop, rung)
            complained = False
        except StoreError as error:
            if not complained:
                log.error("%s can't follow: %s", follower.what, error)  # noqa: TRY400 (words are enough)
            complained = True
            await asyncio.sleep(follower.again_s)
        await asyncio.sleep(follower.pause_s)
        with suppress(TimeoutError):  # not wait_for, which in Python 3.11 may lose a cancellation
            async with asyncio.timeout(LISTEN_S):
                await rung.wait()
