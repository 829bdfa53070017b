"""A socket that outlives the daemon: nobody who connects is refused."""

import asyncio
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import uvloop
from running import Site, until
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from feedd.web.server import server

LAUNCHER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}
os.execv(sys.executable, [sys.executable, "-m", "feedd", *sys.argv[2:]])
"""


async def when(it_is_so: Callable[[], object]) -> None:
    while not it_is_so():  # noqa: ASYNC110 (nothing else tells)
        await asyncio.sleep(0)


def test_who_has_connected_is_heard_at_the_end() -> None:
    """A connection that the old process has accepted is its own: the next one can't answer there."""
    app = Starlette(routes=[Route("/", lambda _: PlainTextResponse("heard"))])

    async def ended_meanwhile() -> bytes:
        listening = socket.create_server(("127.0.0.1", 0))
        web = server(app)
        serving = asyncio.create_task(web.serve(sockets=[listening]))
        await when(lambda: web.started)
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        await when(lambda: web.server_state.connections)
        web.should_exit = True
        await when(lambda: not web.servers[0].is_serving())
        writer.write(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        await serving
        return answer

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(ended_meanwhile()).endswith(b"heard")


class Client(threading.Thread):
    """Asks on new connections until it is told to end."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port = port
        self.ended = threading.Event()
        self.answered = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        while not self.ended.wait(0.01):
            try:
                connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
                connection.request("GET", "/style.css", headers={"Connection": "close"})
                if connection.getresponse().status == 200:
                    self.answered += 1
                else:
                    self.wrong.append("status")
                connection.close()
            except (OSError, HTTPException) as error:
                self.wrong.append(repr(error))


def handed(site: Site, listening: socket.socket) -> "subprocess.Popen[bytes]":
    """A daemon that is handed the socket, as systemd does."""
    words = [str(listening.fileno()), "run", "--config", str(site.config)]
    with (site.root / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-c", LAUNCHER, *words], pass_fds=[listening.fileno()], stderr=log, cwd=site.root
        )


def test_a_restart_refuses_nobody(tmp_path: Path) -> None:
    site = Site(tmp_path)
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
        client = Client(listening.getsockname()[1])
        first = handed(site, listening)
        client.start()
        try:
            until(lambda: client.answered > 20)
            first.send_signal(signal.SIGTERM)
            assert first.wait(30) == 0
            before, began = client.answered, time.monotonic()
            second = handed(site, listening)
            until(lambda: client.answered > before + 20)
            assert time.monotonic() - began < 30
            second.send_signal(signal.SIGTERM)
            assert second.wait(30) == 0
        finally:
            client.ended.set()
            listening.shutdown(socket.SHUT_RDWR)  # whoever waits in it now is let go
            client.join()
    assert client.wrong[1:] == []  # but for the last, when the socket was closed
