"""Work that may take seconds: on few threads, so that it holds up no page, and with a bound on what waits for them."""

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter
from starlette.exceptions import HTTPException
from starlette.requests import Request

from feedd.threads import Lane

MOST_WAITING = 20
RETRY_AFTER = {"Retry-After": "10"}
Result = TypeVar("Result")


def require_room(limiter: CapacityLimiter, most_waiting: int = MOST_WAITING) -> None:
    """Raises HTTPException (503) where too many wait already."""
    if limiter.statistics().tasks_waiting >= most_waiting:
        raise HTTPException(503, "Too many wait for an answer already; try again in a moment.", RETRY_AFTER)


class Queue:
    """Belongs to the event loop's thread."""

    def __init__(self, lane: Lane, most_waiting: int = MOST_WAITING) -> None:
        self.lane = lane
        self.most_waiting = most_waiting

    async def run(self, request: Request, work: Callable[..., Result], *values: object) -> Result:
        """Raises HTTPException (503) where too many wait already, and for who left meanwhile."""
        require_room(self.lane.limiter, self.most_waiting)
        await request.body()  # what can be heard of the client behind it is that it left
        async with self.lane.limiter:
            if await request.is_disconnected():
                raise HTTPException(503, "Nobody waits for this any longer.")
            return await self.lane.run_now(work, *values)
