"""Work that blocks, in a thread of its own.

Not in asyncio's pool: that has six threads on a small machine, and a channel whose other side hangs would take them
from all else that needs one.
"""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

Found = TypeVar("Found")


async def aside(work: Callable[[], Found], name: str, *, lasting: bool = True) -> Found:
    """What `work` returns or raises.

    A caller that is cancelled, or gives up, leaves the thread to itself. `lasting`: the process waits at its end
    for the work to be done, which therefore has to end by itself.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Found] = loop.create_future()
    context = contextvars.copy_context()

    def settle(found: Found | None, error: BaseException | None) -> None:
        if future.done():
            return  # nobody waits any more
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(found)  # type: ignore[arg-type]

    def run() -> None:
        found, failed = None, None
        try:
            found = context.run(work)
        except BaseException as error:  # noqa: BLE001 (it is raised where it is waited for)
            failed = error
        with suppress(RuntimeError):  # the loop has been closed meanwhile
            loop.call_soon_threadsafe(settle, found, failed)

    threading.Thread(target=run, name=name, daemon=not lasting).start()
    return await future
