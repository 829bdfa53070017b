"""The whole application behind its gate, served on a port, over a store that is filled by hand."""

import asyncio
import threading
from functools import partial
from pathlib import Path
from typing import Any, Self

import httpx
from running import until
from shelf import BORN_MS, Piece, Shelf
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from feedd.access.scopes import Scope
from feedd.config.values import Listen
from feedd.store import tokens
from feedd.store.reader import Reader
from feedd.store.statistics import Statistician
from feedd.web import health, login, metrics, pages
from feedd.web.access import Doors, Gate, require
from feedd.web.app import SecurityHeaders, application
from feedd.web.counting import Counting, Meter
from feedd.web.server import bind, server
from feedd.web.viewer import viewer_of, visible

TOML = """
[server]
base_url = "{base_url}"
access = "{access}"
[sources.a]
type = "directory"
path = "a"
[sources.b]
type = "directory"
path = "b"
[feeds.secret]
access = "token"
"""


class Gated:
    """Feeds `all`, `a`, `b` and so on, and `secret`, which is private."""

    def __init__(self, root: Path, access: str = "public", base_url: str = "http://feeds.example/") -> None:
        self.shelf = Shelf(root, TOML.format(access=access, base_url=base_url))
        self.shelf.look("a", BORN_MS, [Piece("one"), Piece("two")])
        self.now_s = 1_000.0
        self.done: list[str] = []

    def __enter__(self) -> Self:
        self.listening = bind(Listen("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        self.ready = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.serve()))
        self.thread.start()
        assert self.ready.wait(10)
        until(lambda: self.web.started)
        return self

    def __exit__(self, *_: object) -> None:
        self.web.should_exit = True
        self.thread.join(10)
        assert not self.thread.is_alive()
        self.shelf.close()

    async def serve(self) -> None:
        with self.listening:
            reader = Reader(self.shelf.desk.writer.path)
            self.health = health.Health(self.shelf.desk, lambda: self.now_s)
            self.web = server(self.app(reader))
            self.ready.set()
            await self.web.serve(sockets=[self.listening])
            reader.close()

    def app(self, reader: Reader) -> Starlette:
        shelf = self.shelf
        doors = Doors(shelf.config, shelf.desk, reader)
        meter = Meter(shelf.feeds.plans, shelf.config.private_feeds)
        statistician = Statistician(reader, lambda: self.now_s)
        further = [
            *login.routes(doors),
            *health.routes(self.health),
            *metrics.routes(statistician, meter, self.health),
            Route("/api/v1/things", self.change, methods=["GET", "POST", "DELETE"]),
            Route("/api/v1/admin", self.administer),
            Route("/deliveries", self.change, methods=["POST"]),
        ]
        return Starlette(
            routes=application(shelf.feeds, further).routes,
            middleware=[
                Middleware(SecurityHeaders),
                Middleware(Counting, meter=meter),
                Middleware(Gate, doors=doors),
            ],
            exception_handlers={HTTPException: pages.refused},  # type: ignore[dict-item]
        )

    async def change(self, request: Request) -> Response:
        body = (await request.body()).decode()
        viewer = viewer_of(request)
        if request.method != "GET":
            self.done.append(body)
        return JSONResponse(
            {
                "body": body,
                "query": request.url.query,
                "name": viewer.token and viewer.token.name,
                "feeds": list(visible(dict(self.shelf.feeds.plans), viewer)),
            }
        )

    async def administer(self, request: Request) -> Response:
        require(request, Scope.ADMIN)
        return Response("done")

    def token(self, name: str, scope: Scope = Scope.READ) -> str:
        work = partial(tokens.create, name=name, scope=scope, now_ms=BORN_MS)
        made: str = self.shelf.desk.run(lambda writer: writer.within(work))
        return made

    def revoke(self, name: str) -> None:
        work = partial(tokens.revoke, name=name, now_ms=BORN_MS)
        self.shelf.desk.run(lambda writer: writer.within(work))

    def client(self, **settings: Any) -> httpx.Client:
        return httpx.Client(base_url=self.url, trust_env=False, verify=False, **settings)

    def get(self, path: str, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.get(f"{self.url}{path}", headers=named, trust_env=False, verify=False)

    def post(self, path: str, body: str = "", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.post(f"{self.url}{path}", content=body, headers=named, trust_env=False, verify=False)
