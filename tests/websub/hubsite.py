"""A hub as it runs: the application on a port, pings in its own event loop, and a store that is filled by hand."""

import asyncio
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import httpx
from running import free_port, until
from shelf import Piece, Shelf
from webserver import Reply, Request, Web

from feedd.config.values import Listen
from feedd.fetch.client import Fetcher
from feedd.publish.cache import feeds_of
from feedd.store.reader import Reader
from feedd.web.app import application
from feedd.web.hub import routes
from feedd.web.server import bind, server
from feedd.websub.hub import Hub

SOURCES = ("news", "other")
PRIVATE = "[websub]\nallow_private = true\n"


class HubSite:
    """Sources `news` and `other`, that were looked at once, and the hub of their feeds.

    With the folder and the port of another one it goes on where that one was.
    """

    def __init__(
        self,
        root: Path,
        more: str = PRIVATE,
        *,
        names: Sequence[str] = SOURCES,
        port: int = 0,
        offset_ms: int = 0,
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        sources = "".join(f'[sources.{name}]\ntype = "directory"\npath = "{name}"\n' for name in names)
        self.shelf = Shelf(root, f'[server]\nlisten = "127.0.0.1:{self.port}"\n{sources}{more}')
        self.offset_ms = offset_ms
        if not port:
            self.add("first", "old-one", "old-two")
            self.shelf.look("other", self.now_ms())

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self.offset_ms

    def add(self, title: str, *names: str, source: str = "news", body: str = "<p>Some words.</p>") -> None:
        self.shelf.look(source, self.now_ms(), [Piece(name, f"{title} {name}", body) for name in names])

    def remove(self, *names: str, source: str = "news") -> None:
        self.shelf.look(source, self.now_ms(), gone=names)

    def later(self, ms: int) -> None:
        """Turn the hub's clock forward."""
        self.offset_ms += ms
        self.shelf.desk.bell.ring()

    def __enter__(self) -> Self:
        self.thread = threading.Thread(target=lambda: asyncio.run(self.serve()))
        self.ready = threading.Event()
        self.thread.start()
        assert self.ready.wait(10)
        until(lambda: self.web.started)
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join(10)
        assert not self.thread.is_alive()
        self.shelf.close()

    async def serve(self) -> None:
        self.loop, self.stop = asyncio.get_running_loop(), asyncio.Event()
        shelf = self.shelf
        reader = Reader(shelf.desk.writer.path)
        feeds = feeds_of(shelf.config, reader)
        with bind(Listen("127.0.0.1", self.port)) as listening:
            async with Fetcher() as fetcher:
                bell = shelf.desk.bell
                self.hub = Hub(
                    shelf.config, shelf.desk, reader, feeds, fetcher, bell, "feedd/test", self.now_ms, 0.02
                )
                app = application(feeds)
                app.router.routes.extend(routes(self.hub))
                web = server(app)
                tasks = [asyncio.create_task(web.serve(sockets=[listening]))]
                tasks.append(asyncio.create_task(self.hub.run()))
                self.web = web
                self.ready.set()
                await self.stop.wait()
                web.should_exit = True
                await tasks[0]
                tasks[1].cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        reader.close()

    def topic(self, feed: str = "news", format_: str = "atom") -> str:
        return f"{self.url}feeds/{feed}.{format_}"

    def ask(
        self, callback: str, mode: str = "subscribe", topic: str | None = None, **more: str
    ) -> httpx.Response:
        said = {"hub.mode": mode, "hub.topic": topic or self.topic(), "hub.callback": callback}
        said |= {f"hub.{name}": value for name, value in more.items()}
        return httpx.post(f"{self.url}hub", data=said, trust_env=False, verify=False)

    def follow(self, caller: "Caller", topic: str | None = None, **more: str) -> None:
        """Subscribe, and wait until that is confirmed."""
        before = self.confirmed()
        assert self.ask(caller.url, topic=topic, **more).status_code == 202
        until(lambda: self.confirmed() != before)

    def confirmed(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT topic, callback, secret, confirmed_at, lease_until FROM subscribers")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.shelf.reader.rows(query)

    def run(self, statement: str, *values: object) -> None:
        """Change the database behind its back."""
        self.shelf.desk.run(lambda writer: writer.connection.execute(statement, values))


class Caller:
    """A subscriber: confirms what it is asked, keeps what it is sent."""

    def __init__(self, web: Web, path: str = "/callback", status: int = 200) -> None:
        self.web, self.path, self.status = web, path, status
        web.script(path.partition("?")[0], self.answer)
        self.url = web.url + path
        self.asked: list[dict[str, str]] = []
        self.got: list[Request] = []
        self.agrees = True

    def answer(self, request: Request) -> Reply:
        if request.method == "POST":
            if self.status < 300:
                self.got.append(request)
            return Reply("", self.status)
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}
        self.asked.append(query)
        return Reply(query.get("hub.challenge", "") if self.agrees else "no", type="text/plain")

    def bodies(self, count: int) -> list[str]:
        """What was sent, once it is so much."""
        until(lambda: len(self.got) >= count)
        return [request.body.decode() for request in self.got]


def titles(bodies: Iterable[str]) -> list[list[str]]:
    """The titles of the entries of Atom documents."""
    return [
        [
            part.partition("</title>")[0]
            for part in body.split("<entry>")[1:]
            for part in [part.partition("<title>")[2]]
        ]
        for body in bodies
    ]
