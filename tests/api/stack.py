"""The API over a real store, behind its gate, served on a port: with operations that look, deliver and pause."""

import asyncio
import threading
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any, Self

import httpx
import uvloop
from running import until
from shelf import BORN_MS, Piece, Shelf
from starlette.applications import Starlette
from starlette.middleware import Middleware

from feedd.access.scopes import Scope
from feedd.api.app import routes
from feedd.config.sources import Source
from feedd.config.values import Listen
from feedd.looks import Looked, Request, now_ms
from feedd.operations import Operations
from feedd.pipeline import looker
from feedd.search.finder import Finder
from feedd.search.indexer import Indexer
from feedd.store import tokens
from feedd.store.reader import Reader
from feedd.telling import deliverer
from feedd.web.access import Doors, Gate
from feedd.web.app import application
from feedd.web.ending import Ending
from feedd.web.server import bind, server
from feedd.wiring import prepare

TOML = """
[server]
base_url = "http://feeds.example/"
[sources.a]
type = "directory"
path = "a"
tags = ["news"]
[sources.b]
type = "directory"
path = "b"
[sources.still]
type = "directory"
path = "b"
paused = true
[sources.keyed]
type = "feed"
url = "http://127.0.0.1:9/feed.xml?key=SECRET"
every = "30d"
paused = true
[feeds.fires]
match = { title = "fire" }
[feeds.secret]
access = "token"
[notify.desk]
type = "file"
path = "told.jsonl"
[notify.hook]
type = "webhook"
url = "http://127.0.0.1:9/"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
feeds = ["fires"]
"""
SEED = """<!--
url: https://example.org/{name}
title: {title}
date: 2026-11-01T08:00:00Z
-->
<p>{words}</p>
"""
HOUR = 3_600_000
GONE = '[sources.gone]\ntype = "directory"\npath = "b"\n'


class Stack:
    """Entries: forty of `a`, `edited` with three versions, `removed`; two of `b`; one of a source that left."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("a", "b"):
            (root / name).mkdir()
        self.shelf = Shelf(root, TOML + GONE)
        self.fill()
        self.shelf.configure(TOML)
        prepare(self.shelf.desk, self.shelf.config)
        self.token = self.new_token("tester", Scope.WRITE)

    def fill(self) -> None:
        look, t = self.shelf.look, BORN_MS
        many = [Piece(f"n{each:02}", f"Number {each}", time_ms=t - each * HOUR) for each in range(40)]
        edited = Piece("edited", "A fire", "<p>Two houses burned.</p>", t)
        look("a", t, [*many, edited, Piece("removed", time_ms=t)])
        look("a", t + HOUR, [edited._replace(body="<p>Three houses burned.</p>", time_ms=t + 1_000)])
        look("a", t + 2 * HOUR, [edited._replace(body="<p>Four houses burned down.</p>", time_ms=t + 2_000)])
        look("a", t + 3 * HOUR, gone=["removed"])
        look("b", t + 4 * HOUR, [Piece("fire", "Another fire", time_ms=t), Piece("water", time_ms=t)])
        look("gone", t, [Piece("left", time_ms=t)])

    def __enter__(self) -> Self:
        self.listening = bind(Listen("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        assert self.ready.wait(20)
        until(lambda: self.web.started)
        self.client = self.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.end()
        self.thread.join(20)
        assert not self.thread.is_alive()
        self.shelf.close()

    def end(self) -> None:
        """As the daemon does it."""
        self.loop.call_soon_threadsafe(self.stopping.set)
        self.web.should_exit = True

    def run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as the daemon does
            runner.run(self.serve())

    async def serve(self) -> None:
        shelf, reader = self.shelf, Reader(self.shelf.desk.writer.path)
        self.loop, self.stopping, self.may_look = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
        self.may_look.set()
        async with AsyncExitStack() as stack:
            office = await stack.enter_async_context(deliverer(shelf.config, shelf.desk, reader))
            looks = await stack.enter_async_context(looker(shelf.config, shelf.desk, threading.Event()))

            async def look(source: Source, *, begun: Any) -> Looked:
                begun()
                await self.may_look.wait()
                return await looks.look(source, Request(asked=True), None)

            operations = Operations(shelf.config, shelf.desk, look, office.messages, office.tools)
            self.finder = Finder(reader, shelf.config, shelf.feeds.plans)
            Indexer(shelf.desk, reader, shelf.feeds.priorities).catch_up(budget_s=10)
            self.web = server(self.app(reader, operations))
            self.ready.set()
            with self.listening:
                await self.web.serve(sockets=[self.listening])
            await operations.close()
        reader.close()

    def app(self, reader: Reader, operations: Operations) -> Starlette:
        doors = Doors(self.shelf.config, self.shelf.desk, reader)
        found = routes(self.shelf.feeds, self.finder, self.shelf.desk.bell, operations, self.stopping)
        layers = [Middleware(Ending, stopping=self.stopping), Middleware(Gate, doors=doors)]
        return application(self.shelf.feeds, found, layers)

    def new_token(self, name: str, scope: Scope) -> str:
        work = partial(tokens.create, name=name, scope=scope, now_ms=now_ms())
        made: str = self.shelf.desk.run(lambda writer: writer.within(work))
        return made

    def connect(self, token: str | None = None) -> httpx.Client:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=self.url, headers=headers, trust_env=False, verify=False, timeout=30)

    def get(self, path: str, status: int = 200, **params: Any) -> Any:
        """What is answered, which is checked for its form."""
        answer = self.client.get(f"/api/v1{path}", params=params or None)
        return checked(answer, status)

    def post(self, path: str, status: int = 200, token: str | None = None, **settings: Any) -> Any:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return checked(self.client.post(f"/api/v1{path}", headers=headers, **settings), status)

    def id_of(self, name: str) -> int:
        found = self.shelf.reader.entry_at([f"https://example.org/{name}"])
        assert found is not None
        return found


def checked(answer: httpx.Response, status: int) -> Any:
    assert answer.status_code == status, answer.text
    kind = answer.headers["content-type"]
    if status < 400:
        assert kind == "application/json"
        return answer.json()
    return problem(answer)


def problem(answer: httpx.Response) -> Any:
    """RFC 9457."""
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    found = answer.json()
    assert found["status"] == answer.status_code
    assert found["type"] == "about:blank"
    assert found["title"]
    assert found["detail"].endswith((".", "!", "?"))
    assert "Traceback" not in answer.text
    return found
