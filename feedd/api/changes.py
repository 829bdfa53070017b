"""What changed since a number: the change log, as far as it is told, with a long poll."""

import asyncio
from contextlib import suppress
from itertools import islice
from typing import Annotated, NamedTuple

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from feedd import shape_types as types
from feedd.api import pages
from feedd.api.backing import Backing
from feedd.api.operation import get
from feedd.api.routing import Operation, answer
from feedd.api.values import Kinds, Limit, Names, Position, Wait
from feedd.errors import Stopped, TooMany
from feedd.following import Room, Shared, Told
from feedd.model import Kind
from feedd.notify.audience import Audience
from feedd.web.events import address_of, left

TAG = "changes"
WAITING = 128  # requests
WAITING_OF_ONE = 16  # address
BREATH_S = 0.1  # between two reads of what is new
POLL_S = 5.0  # should nobody have rung, since another process wrote
Since = Annotated[
    Position | None,
    Query(
        description="The number of the last change that you know: 0 for all. Without it: from now on.",
        examples=[0],
    ),
]  # fmt: skip


class Batch(NamedTuple):
    """What followed a change."""

    items: tuple[Told, ...]
    last_id: int  # of the change that it reaches to
    is_full: bool  # there is more at once


class Changes:
    def __init__(self, backing: Backing) -> None:
        self.backing = backing
        self.room = Room(WAITING, WAITING_OF_ONE)
        self.log = Shared[Batch]()

    def routes(self) -> list[Operation]:
        return [get("/changes", self.changes, pages.Changes, 404, 410, name="listChanges", tag=TAG)]

    async def changes(
        self,
        request: Request,
        since: Since = None,
        wait: Wait = 0,
        limit: Limit = 100,
        source: Annotated[Names, Query(description="Only changes of these sources.")] = [],  # noqa: B006
        feed: Annotated[Names, Query(description="Only changes that these feeds tell.")] = [],  # noqa: B006
        kind: Kinds = [],  # noqa: B006
    ) -> Response:
        """List what changed since a number.

        In the order of the log, without what a source's first look brought. Pass `next` as the next `since`; it moves
        past what was not asked for, too. With `wait`, a request that finds nothing waits until something comes. A number
        that the log has not reached yet counts as the last one: the database may be an older one.
        """
        if feed or source:
            await self.backing.read(self.check, request, feed, source)
        newest_id = await self.log.alone(self.backing.follower.newest_id)
        start_id = newest_id if since is None else min(since, newest_id)
        audience = self.backing.follower.audience(frozenset(kind or Kind), feed, source)
        batch = await self.batch(request, audience, start_id, limit, wait)
        items: list[types.Event] = [each.shape for each in batch.items]
        headers = {"Cache-Control": "no-store"}
        return answer({"items": items, "next": batch.last_id, "more": batch.is_full}, headers=headers)

    def check(self, request: Request, feeds: list[str], sources: list[str]) -> None:
        """Raises HTTPException."""
        for name in feeds:
            self.backing.feed(name, request)
        for name in sources:
            self.backing.source(name)

    async def batch(
        self, request: Request, audience: Audience, start_id: int, limit: int, wait_s: int
    ) -> Batch:
        """What followed; waited for, unless feedd ends or whoever asks is gone. Raises Stopped, TooMany, StoreError."""
        if not wait_s:
            return await self.read(audience, start_id, limit)
        address = address_of(request)
        if self.backing.stopping.is_set():
            raise Stopped
        if self.room.is_full():
            raise TooMany("too many wait for changes already; try again later")
        if self.room.is_full_for(address):
            raise TooMany(
                f"{WAITING_OF_ONE} requests of yours wait for changes already; let one of them end first"
            )
        with self.room.taken(address):
            coming = asyncio.create_task(self.awaited(audience, start_id, limit, wait_s))
            leaving = asyncio.create_task(left(request.receive))
            stopping = asyncio.create_task(self.backing.stopping.wait())
            tasks = (coming, leaving, stopping)
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                return coming.result() if coming.done() else Batch((), start_id, is_full=False)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def awaited(self, audience: Audience, last_id: int, limit: int, wait_s: int) -> Batch:
        """What followed, as soon as there is something, at the latest after that time."""
        clock = asyncio.get_running_loop().time
        end_s = clock() + wait_s
        with self.backing.bell.heard_by() as rung:
            while True:
                rung.clear()
                batch = await self.read(audience, last_id, limit)
                last_id = batch.last_id
                if batch.items or clock() >= end_s:
                    return batch
                if batch.is_full:
                    continue
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(min(end_s, clock() + POLL_S)):
                        await rung.wait()
                await asyncio.sleep(BREATH_S)

    async def read(self, audience: Audience, last_id: int, limit: int) -> Batch:
        """Raises StoreError."""
        key = (audience, last_id, limit, self.backing.bell.rings)
        return await self.log.read(key, self.after, audience, last_id, limit)

    def after(self, audience: Audience, last_id: int, limit: int) -> Batch:
        """Raises StoreError."""
        told, is_full = list[Told](), False
        for part in self.backing.follower.after(audience, last_id):
            told += part.told
            last_id, is_full = part.last_id, part.is_full
            if len(told) > limit:
                last = told[limit - 1]
                return Batch(tuple(islice(told, limit)), last.logged.id, is_full=True)
            if len(told) == limit:
                break
        return Batch(tuple(told), last_id, is_full)
