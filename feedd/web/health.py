"""`/healthz`: the event loop and the scheduler are alive. `/readyz`: the database can be written, and looks are planned.

The daemon reports its ticks here; nothing is asked of the store by `/healthz`, and at most every five seconds by
`/readyz`, however often they are asked.
"""

import asyncio
import json
import time
from collections.abc import Callable
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from feedd.errors import StoreError
from feedd.looks import now_ms
from feedd.store.desk import Desk
from feedd.store.statistics import probe

TICK_WITHIN_S = 30.0
ASK_EVERY_S = 5.0
PATIENCE_S = 2.0  # with a writer that is busy …
BUSY_FOR_S = 60.0  # … for how long it may be


class State(NamedTuple):
    """How something is, for programs and in words."""

    ok: bool
    words: str
    checks: tuple[tuple[str, bool], ...] = ()


class Health:
    """What the daemon says of itself. `clock`: monotonic seconds."""

    def __init__(self, desk: Desk, clock: Callable[[], float] = time.monotonic) -> None:
        self.desk = desk
        self.clock = clock
        self.ticked_s = clock()  # the daemon begins now
        self.ticked_at_ms = now_ms()
        self.is_scheduled = False
        self.asked_s: float | None = None
        self.written_s: float | None = None
        self.error: str | None = None
        self.asking: asyncio.Task[None] | None = None
        self.probe: asyncio.Task[None] | None = None  # of the writer

    def tick(self) -> None:
        """The scheduler asked what is due."""
        self.ticked_s = self.clock()
        self.ticked_at_ms = now_ms()

    def scheduled(self) -> None:
        """The first looks are planned."""
        self.is_scheduled = True

    def alive(self) -> State:
        silent_s = self.clock() - self.ticked_s
        if silent_s <= TICK_WITHIN_S:
            return State(True, "feedd is alive.", (("scheduler", True),))
        return State(
            False, f"The scheduler has not asked what is due for {silent_s:.0f} s.", (("scheduler", False),)
        )

    async def vital(self) -> State:
        """Whether the event loop, the scheduler and the writer are all alive; asks nothing of the disk.

        A writer that comes from one piece of work to the next is alive, though each fails since another program keeps
        the database locked: another start would not help. Nor is the scheduler to blame that waits for it.
        """
        probe = self.probe = self.probe or asyncio.create_task(self.hear_writer())
        heard, _ = await asyncio.wait({probe}, timeout=PATIENCE_S)
        if heard:
            return self.alive()
        silent_s = self.clock() - self.desk.moved_s
        if silent_s > BUSY_FOR_S:
            return State(False, f"The writer has not come on for {silent_s:.0f} s.", (("writer", False),))
        return State(True, "The writer is busy.", (("writer", True),))

    async def hear_writer(self) -> None:
        try:
            await self.desk.do(lambda _: None)
        finally:
            self.probe = None

    async def ready(self) -> State:
        await self.ask()
        is_written = self.error is None and self.written_s is not None
        is_written = is_written and self.clock() - (self.written_s or 0.0) <= BUSY_FOR_S
        checks = (("database", is_written), ("schedule", self.is_scheduled))
        if not is_written:
            return State(False, self.error or "The database has not been written for a minute.", checks)
        if not self.is_scheduled:
            return State(False, "The first looks are not planned yet.", checks)
        return State(True, "feedd is ready.", checks)

    async def ask(self) -> None:
        """Write something, if that was not tried lately; a writer that is busy is waited for a moment only."""
        now = self.clock()
        if self.asking is None and (self.asked_s is None or now - self.asked_s >= ASK_EVERY_S):
            self.asked_s = now
            self.asking = asyncio.create_task(self.write())
        if self.asking is not None:
            await asyncio.wait({self.asking}, timeout=PATIENCE_S)

    async def write(self) -> None:
        at_ms = now_ms()
        try:
            await self.desk.do(lambda writer: writer.within(lambda connection: probe(connection, at_ms)))
        except StoreError:
            self.error = "The database can't be written; the log says more."
        except RuntimeError:  # the writer's thread has ended
            self.error = "feedd is ending."
        else:
            self.error, self.written_s = None, self.clock()
        finally:
            self.asking = None


def routes(health: Health) -> list[Route]:
    async def healthz(request: Request) -> Response:
        return answered(request, health.alive())

    async def readyz(request: Request) -> Response:
        return answered(request, await health.ready())

    return [Route("/healthz", healthz), Route("/readyz", readyz)]


def answered(request: Request, state: State) -> Response:
    """JSON for who accepts that, else a line of text."""
    status = 200 if state.ok else 503
    headers = {"Cache-Control": "no-store", "Vary": "Accept"}
    if "application/json" in request.headers.get("accept", ""):
        said = {"status": "ok" if state.ok else "failed", "detail": state.words, "checks": dict(state.checks)}
        return Response(json.dumps(said), status, headers, "application/json")
    return Response(f"{state.words}\n", status, headers, "text/plain")
