"""What stands around the pages: who is believed to have asked, what waits, and what is said of a bug."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from shelf import Shelf
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from feedd.threads import Lane
from feedd.web.app import application
from feedd.web.queue import Queue
from feedd.web.server import server

SAID = "203.0.113.9"
SOURCE = '[sources.a]\ntype = "directory"\npath = "a"\n'


@pytest.mark.parametrize(
    ("peer", "forwarded", "seen"),
    [
        (None, SAID, SAID),
        (("127.0.0.1", 1), SAID, SAID),
        (("::1", 1), SAID, SAID),
        (("::1", 1), f"198.51.100.1, {SAID}", SAID),
        (None, None, "127.0.0.1"),
        (("192.0.2.1", 1), SAID, "192.0.2.1"),
    ],
    ids=["unix", "ipv4", "ipv6", "passed-on", "unix-names-none", "elsewhere"],
)
def test_whose_word_is_taken_for_who_asks(
    peer: tuple[str, int] | None, forwarded: str | None, seen: str
) -> None:
    found = list[str]()

    async def app(scope: Any, *_: object) -> None:
        found.append(scope["client"][0])

    headers = [] if forwarded is None else [(b"x-forwarded-for", forwarded.encode())]
    around: Any = server(app).config.app
    asyncio.run(around({"type": "http", "client": peer, "headers": headers}, None, None))
    assert found == [seen]


async def get(app: Starlette, path: str, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://feeds.example") as client:
        return await client.get(path, headers=headers)


@pytest.mark.parametrize("accept", ["text/html", "*/*"], ids=["page", "line"])
def test_a_bug_is_told_in_words_and_shows_nothing(tmp_path: Path, accept: str) -> None:
    async def broken(_: Request) -> Response:
        raise ZeroDivisionError("a secret")

    shelf = Shelf(tmp_path, SOURCE)
    answer = asyncio.run(get(application(shelf.feeds, [Route("/broken", broken)]), "/broken", Accept=accept))
    shelf.close()
    assert answer.status_code == 500
    assert "This is a bug in feedd" in answer.text
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"].startswith("text/html" if accept == "text/html" else "text/plain")


def test_who_comes_when_many_wait_is_sent_away_at_once() -> None:
    async def run() -> list[int]:
        queue, go = Queue(Lane("one", 1), most_waiting=2), threading.Event()

        async def slow(request: Request) -> Response:
            return PlainTextResponse(str(await queue.run(request, go.wait, 10)))

        app = Starlette(routes=[Route("/", slow)])
        first = [asyncio.create_task(get(app, "/")) for _ in range(3)]
        while queue.lane.limiter.statistics().tasks_waiting < 2:  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(0.001)
        late = await get(app, "/")
        assert int(late.headers["retry-after"]) > 0
        go.set()
        return [late.status_code, *(each.status_code for each in await asyncio.gather(*first))]

    assert asyncio.run(run()) == [503, 200, 200, 200]


def test_nothing_is_done_for_who_left() -> None:
    done = list[bool]()
    messages = [{"type": "http.request", "body": b""}, {"type": "http.disconnect"}]

    async def receive() -> Any:
        return messages.pop(0)

    async def run() -> None:
        request = Request({"type": "http", "method": "GET", "headers": []}, receive)
        with pytest.raises(Exception, match="Nobody waits"):
            await Queue(Lane("one", 1)).run(request, done.append, True)

    asyncio.run(run())
    assert done == []
