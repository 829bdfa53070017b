"""The API: all operations under /api/v1, and their description at /openapi.json (OpenAPI 3.1)."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Sequence

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from feedd import __version__
from feedd.answers import hash_of
from feedd.api import problems
from feedd.api.backing import Backing
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
    config = operations.config
    api = application(Backing(config, feeds, finder, Follower(feeds, config), bell, operations, stopping))
    described = Described(api)
    return [
        *alone("/openapi.json", described.document),
        *alone("/api", ApiPage(described.made, feeds.base_url).page),
        below(BASE, Heads(api)),
        below("/api", Heads(nothing())),
    ]


def application(backing: Backing) -> FastAPI:
    groups = (Sources, FeedOperations, Entries, Changes, Search, Deliveries)
    operations = [operation for group in groups for operation in group(backing).routes()]
    return made(operations)


def alone(path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> list[BaseRoute]:
    """What is at one address, behind what answers other methods there."""
    return [Route(path, Heads(made([Route(path, endpoint)])))]


def below(path: str, app: ASGIApp) -> Mount:
    """All addresses there; with a line end in them, too, where Starlette's own expression stops."""
    mount = Mount(path, app)
    mount.path_regex = re.compile(mount.path_regex.pattern, re.DOTALL)
    return mount


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
    """The description; it is made when it is asked for first, which takes some tenths of a second.

    With a strong validator (RFC 9110, section 8.8.3): clients that are made of it ask for it again and again.
    """

    def __init__(self, api: FastAPI) -> None:
        self.api = api
        self.guard = asyncio.Lock()
        self.found: dict[str, object] | None = None
        self.etag = ""

    async def made(self) -> dict[str, object]:
        async with self.guard:
            if self.found is not None:
                return self.found
            found = await asyncio.to_thread(description, self.api.routes)
            self.etag = f'"{hash_of(json.dumps(found).encode()).hex()}"'
            self.found = found
        return found

    async def document(self, request: Request) -> Response:
        document, headers = await self.made(), {"ETag": self.etag}
        if has(request, self.etag):
            return Response(status_code=304, headers={**headers, "Cache-Control": "no-cache"})
        return answer(document, headers=headers)


def has(request: Request, etag: str) -> bool:
    """Whether who asks has what is named so (RFC 9110, section 13.1.2)."""
    said = ",".join(request.headers.getlist("if-none-match"))
    return bool({"*", etag} & {each.strip().removeprefix("W/") for each in said.split(",")})
