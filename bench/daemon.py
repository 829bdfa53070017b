"""A real daemon on a free port, and a client that asks it for feeds."""

import http.client
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

PATIENCE_S = 60.0


class Daemon(NamedTuple):
    process: subprocess.Popen[bytes]
    port: int
    database: Path


class Answer(NamedTuple):
    status: int
    etag: str
    body: bytes


class Client:
    """One kept connection, as a feed reader's."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)

    def get(self, path: str, etag: str = "") -> Answer:
        self.connection.request("GET", path, headers={"If-None-Match": etag} if etag else {})
        response = self.connection.getresponse()
        return Answer(response.status, response.getheader("ETag", ""), response.read())


@contextmanager
def running(scratch: Path, folders: Mapping[str, Path], more: str = "") -> Iterator[Daemon]:
    """`feedd run` over these folders, watched, with `more` in its configuration; ready to answer within the block."""
    port, config, database = free_port(), scratch / "daemon.toml", scratch / "daemon.db"
    sources = [
        f"[sources.{name}]\ntype = 'directory'\npath = '{path}'\nwatch = true\n"
        for name, path in folders.items()
    ]
    config.write_text(
        f"[server]\nlisten = '127.0.0.1:{port}'\n[store]\npath = '{database}'\n{''.join(sources)}{more}"
    )
    command = [sys.executable, "-m", "feedd", "run", "--config", str(config)]
    with (scratch / "daemon.log").open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        wait_for(lambda: process.poll() is not None or answers(port), "the daemon to answer")
        if process.poll() is not None:
            raise RuntimeError((scratch / "daemon.log").read_text())
        yield Daemon(process, port, database)
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def answers(port: int) -> bool:
    try:
        return Client(port).get("/feeds/all.atom").status == 200
    except OSError:
        return False


def wait_for(condition: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    end = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {patience_s:.0f} s for {what}")
        time.sleep(0.05)


def is_ingested(database: Path, source: str) -> bool:
    """Whether the first pass over the source was completed."""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        row = connection.execute("SELECT first_pass_at FROM sources WHERE name = ?", [source]).fetchone()
    return row is not None and row[0] is not None
