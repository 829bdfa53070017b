"""Sources: how they are, their looks, and what can be done about them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from feedd import shape_types as types
from feedd import shapes
from feedd.api import pages
from feedd.api.backing import Backing
from feedd.api.operation import get, post
from feedd.api.problems import sentence
from feedd.api.routing import Operation, answer, page
from feedd.api.values import Cursor, Limit, SourceName, Wait, cursor
from feedd.errors import UnknownName, UsageError
from feedd.operations import came_of
from feedd.store import looks
from feedd.store.database import translated
from feedd.store.looks import Look
from feedd.store.proposals import by_source
from feedd.web.viewer import Viewer, viewer_of

TAG = "sources"
NO_STORE = {"Cache-Control": "no-store"}


@contextmanager
def in_conflict() -> Iterator[None]:
    """What can't be done now is a conflict with the state of things (RFC 9110, section 15.5.10)."""
    try:
        yield
    except UnknownName:
        raise
    except UsageError as error:
        said = str(error)
        raise HTTPException(409, sentence(said)) from error


class Sources:
    def __init__(self, backing: Backing) -> None:
        self.backing = backing

    def routes(self) -> list[Operation]:
        named = "/sources/{name}"
        running: dict[int, dict[str, Any]] = {
            202: {"model": pages.Running, "description": "The look goes on."}
        }
        return [
            get("/sources", self.listing, pages.Sources, name="listSources", tag=TAG),
            get(named, self.show, types.Source, 404, 410, name="getSource", tag=TAG),
            get(f"{named}/looks", self.looks, pages.Looks, 404, 410, name="listLooks", tag=TAG),
            post(f"{named}/check", self.check, types.SourceResult, 404, 409, 410, name="checkSource", tag=TAG, also=running),
            post(f"{named}/pause", self.pause, types.Source, 404, 409, 410, name="pauseSource", tag=TAG),
            post(f"{named}/resume", self.resume, types.Source, 404, 409, 410, name="resumeSource", tag=TAG),
        ]  # fmt: skip

    async def listing(self, request: Request) -> Response:
        """List the sources.

        Without a token, what stands behind `?` in their addresses is left out, since it may be a key.
        """
        return answer({"items": await self.backing.read(self.shapes, viewer_of(request))})

    async def show(self, request: Request, name: SourceName) -> Response:
        """Show a source."""
        return await self.shown(request, name)

    async def looks(
        self, request: Request, name: SourceName, limit: Limit = 20, cursor: Cursor = None
    ) -> Response:
        """List the looks at a source.

        The newest first; the newest 500 are kept.
        """
        asked = name, limit, cursor, viewer_of(request)
        items, following = await self.backing.read(self.looks_page, *asked)
        return page(request, items, following)

    async def check(self, name: SourceName, wait: Wait = 30) -> Response:
        """Look at a source now.

        Despite its schedule, a pause and backoff, but not against a Retry-After of its server. Whoever asks while a look
        waits for its turn shares that. A look that takes longer than `wait` goes on.
        """
        await self.backing.read(self.backing.source, name)
        with in_conflict():
            look = self.backing.operations.look_of(name)
        await asyncio.wait({look}, timeout=wait)
        if not look.done():
            return answer({"name": name, "status": "running"}, 202, NO_STORE)
        with in_conflict():
            return answer(shapes.source_result(came_of(look)), headers=NO_STORE)

    async def pause(self, request: Request, name: SourceName) -> Response:
        """Pause a source.

        It is not looked at until it is resumed, unless somebody asks for a look. One that is paused stays so.
        """
        await self.backing.read(self.backing.source, name)
        token = viewer_of(request).token
        with in_conflict():
            await self.backing.operations.pause(name, "somebody" if token is None else token.name)
        return await self.shown(request, name)

    async def resume(self, request: Request, name: SourceName) -> Response:
        """Resume a source.

        It is looked at soon. A source that the configuration pauses is resumed there: 409.
        """
        await self.backing.read(self.backing.source, name)
        with in_conflict():
            await self.backing.operations.resume(name)
        return await self.shown(request, name)

    async def shown(self, request: Request, name: str) -> Response:
        return answer(await self.backing.read(self.shape, name, viewer_of(request)))

    def shapes(self, viewer: Viewer) -> list[types.Source]:
        rows = {row.name: row for row in map(viewer.shown, self.backing.reader.sources())}
        proposed = by_source(self.backing.reader.proposals())
        return [
            shapes.source(
                rows[source.name],
                proposed.get(source.name, ()) if viewer.may_see(source.name) else (),
                paused=source.paused,
            )
            for source in self.backing.config.sources
            if source.name in rows
        ]

    def shape(self, name: str, viewer: Viewer) -> types.Source:
        """Raises HTTPException."""
        source, row = self.backing.source(name), self.backing.reader.source_named(name)
        if row is None:
            raise HTTPException(404, f"There is no source '{name}'.")
        proposed = by_source(self.backing.reader.proposals()).get(name, ()) if viewer.may_see(name) else ()
        return shapes.source(viewer.shown(row), proposed, paused=source.paused)

    def looks_page(
        self, name: str, limit: int, before: int | None, viewer: Viewer
    ) -> tuple[list[types.Look], str | None]:
        """Raises HTTPException."""
        self.backing.source(name)
        reader, found = self.backing.reader, list[Look]()
        with translated(reader.path):
            for source_id in reader.source_ids([name]):
                found = looks.history(reader.connection, source_id, limit + 1, before)
        following = cursor(found[limit - 1].id) if len(found) > limit else None
        return [shapes.look(viewer.look(each)) for each in found[:limit]], following
