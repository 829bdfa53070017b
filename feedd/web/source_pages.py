"""Where the pages of sources are, and the buttons on them: look now, pause, resume."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from feedd.config.settings import Config
from feedd.looks import Looked
from feedd.operations import Operations
from feedd.publish.cache import Feeds
from feedd.threads import PATIENT
from feedd.web import source_detail, source_list
from feedd.web.look import look_of
from feedd.web.parameters import in_words
from feedd.web.source_detail import Done
from feedd.web.source_list import Shown
from feedd.web.viewer import viewer_of

WAIT_S = 10.0  # for what a button asked for; afterwards it goes on by itself


def routes(config: Config, feeds: Feeds, operations: Operations) -> list[Route]:
    pages = SourcePages(config, feeds, operations)
    return [
        Route("/sources", pages.list),
        Route("/sources/{name}", pages.one),
        Route("/sources/{name}/check", pages.check, methods=["POST"]),
        Route("/sources/{name}/pause", pages.pause, methods=["POST"]),
        Route("/sources/{name}/resume", pages.resume, methods=["POST"]),
    ]


class SourcePages:
    def __init__(self, config: Config, feeds: Feeds, operations: Operations, wait_s: float = WAIT_S) -> None:
        self.config = config
        self.feeds = feeds
        self.operations = operations
        self.wait_s = wait_s

    async def list(self, request: Request) -> Response:
        wanted = source_list.asked(request.query_params)
        asked = look_of(request), self.config, self.feeds, wanted
        return await PATIENT.run(source_list.source_list, *asked)

    async def one(self, request: Request) -> Response:
        wanted = source_detail.asked(request.query_params)
        shown = await self.known(request)
        asked = look_of(request), self.feeds, shown, wanted
        return await PATIENT.run(source_detail.source_page, *asked)

    async def known(self, request: Request) -> Shown:
        """The source that is named. Raises HTTPException: 404 for one that never was, 410 for one that was taken out."""
        return await PATIENT.run(self.found, request.path_params["name"])

    def found(self, name: str) -> Shown:
        row = self.feeds.reader.source_named(name)
        source = self.config.source(name)
        if row is None:
            raise HTTPException(404, "There is no source of that name.")
        if source is None:
            words = f"The source '{name}' was taken out of the configuration; what it brought is kept."
            raise HTTPException(410, words)
        return Shown(row, source)

    async def check(self, request: Request) -> Response:
        before = await self.known(request)
        name = before.row.name
        try:
            with in_words(409):
                async with asyncio.timeout(self.wait_s):
                    looked = await self.operations.check(name)
        except TimeoutError:  # the look itself goes on
            return back(name, Done.GOING_ON)
        after = await self.known(request)
        was_looked_at = after.row.last_checked_ms != before.row.last_checked_ms
        return back(name, came_of(looked, was_looked_at=was_looked_at))

    async def pause(self, request: Request) -> Response:
        name = (await self.known(request)).row.name
        token = viewer_of(request).token
        with in_words(409):
            await self.operations.pause(name, token.name if token else "")
        return back(name, Done.PAUSED)

    async def resume(self, request: Request) -> Response:
        name = (await self.known(request)).row.name
        with in_words(409):
            await self.operations.resume(name)
        return back(name, Done.RESUMED)


def back(name: str, done: Done) -> Response:
    return RedirectResponse(f"/sources/{name}?done={done}", 303, {"Cache-Control": "no-store"})


def came_of(looked: Looked, *, was_looked_at: bool) -> Done:
    if looked.status == "failed":
        return Done.FAILED
    if not was_looked_at:
        return Done.HELD
    return Done.CHANGED if looked.tally.changed else Done.UNCHANGED
