"""The API: all operations under /api/v1, and their description at /openapi.json (OpenAPI 3.1)."""

import asyncio
from collections.abc import Sequence

from anyio import CapacityLimiter
from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from feedd import __version__
from feedd.api import problems
from feedd.api.backing import SLOW, THREADS, Backing, Threads
from feedd.api.changes import Changes
from feedd.api.deliveries import Deliveries
from feedd.api.document import description
from feedd.api.entries import Entries
from feedd.api.feeds import Feeds as FeedOperations
from feedd.api.routing import Heads, answer
from feedd.api.search import Search
from feedd.api.sources import Sources
from feedd.following import Follower
from feedd.operations import Operations
from feedd.publish.cache import Feeds
from feedd.search.finder import Finder
from feedd.store.bell import Bell
from feedd.web.api_page import ApiPage

BASE = "/api/v1"
# FastAPI can tell others of requests, by what the environment says; feedd tells whoever runs it, in /metrics.
SILENT: TelemetryConfig = {"auto_configure": False, "tracing": False, "metrics": False, "logs": False}


def routes(
    feeds: Feeds, finder: Finder, bell: Bell, operations: Operations, stopping: asyncio.Event
) -> list[BaseRoute]:
    """`stopping` is set when feedd ends: then who waits for changes waits no longer."""
    threads = Threads(CapacityLimiter(THREADS), CapacityLimiter(SLOW))
    config = operations.config
    api = application(Backing(config, feeds, finder, Follower(feeds), bell, operations, stopping, threads))
    described = Described(api)
    return [
        Route("/openapi.json", described.document),
        Route("/api", ApiPage(described.made, feeds.base_url).page),
        Mount(BASE, Heads(api)),
        Mount("/api", Heads(nothing())),
    ]


def application(backing: Backing) -> FastAPI:
    groups = (Sources, FeedOperations, Entries, Changes, Search, Deliveries)
    operations = [operation for group in groups for operation in group(backing).routes()]
    return made(operations)


def nothing() -> FastAPI:
    """What answers at addresses that are none."""
    return made([])


def made(operations: Sequence[BaseRoute]) -> FastAPI:
    app = FastAPI(
        title="feedd",
        version=__version__,
        routes=list(operations),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
        telemetry=SILENT,
    )
    problems.install(app)
    return app


class Described:
    """The description; it is made when it is asked for first, which takes some tenths of a second."""

    def __init__(self, api: FastAPI) -> None:
        self.api = api
        self.guard = asyncio.Lock()
        self.found: dict[str, object] | None = None

    async def made(self) -> dict[str, object]:
        async with self.guard:
            if self.found is not None:
                return self.found
            found = await asyncio.to_thread(description, self.api.routes)
            self.found = found
        return found

    async def document(self, _: Request) -> Response:
        return answer(await self.made())
