"""How another feedd process hands work to the daemon: a Unix socket beside the database.

One JSON object on one line asks, JSON objects on lines answer: progress first, the result last. The socket is
readable by the daemon's own user alone.
"""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from feedd.errors import FeeddError, StoreError

Message = dict[str, Any]
Answer = Callable[[Message, Callable[[Message], None]], Awaitable[Message]]
LINE_BYTES = 64_000_000


class NoDaemon(FeeddError):
    """Nobody answers on the socket, or the daemon went away before it had answered."""


def socket_path(database: Path) -> Path:
    database = database.resolve()  # as the lock: the same one whichever link leads there
    return database.with_name(database.name + ".sock")


@contextlib.contextmanager
def short_path(path: Path) -> Iterator[str]:
    """A spelling of `path` that fits into a socket's address, which holds 107 bytes."""
    if len(os.fsencode(path)) < 100:
        yield os.fspath(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


async def listen(database: Path, answer: Answer) -> asyncio.Server:
    """Answer requests until the server is closed. Whoever holds the lock may replace the socket.

    Raises StoreError where the socket can't be made.
    """
    path = socket_path(database)
    bound = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        path.unlink(missing_ok=True)
        with short_path(path) as address:
            bound.bind(address)
    except OSError as error:
        bound.close()
        raise StoreError(f"{path}: can't be made: {os.strerror(error.errno or 0)}") from error
    finally:
        os.umask(before)

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def send(message: Message) -> None:
            if not writer.is_closing():
                writer.write(json.dumps(message).encode() + b"\n")

        # whoever asked and hears nothing does the work itself
        with (
            contextlib.closing(writer),
            contextlib.suppress(ConnectionError, ValueError, FeeddError, asyncio.CancelledError),
        ):
            line = await reader.readline()
            if line:
                send({"result": await answer(json.loads(line), send)})
                await writer.drain()

    return await asyncio.start_unix_server(converse, sock=bound, limit=LINE_BYTES)


def ask(database: Path, request: Message, progress: Callable[[Message], None]) -> Message:
    """Send a request to the daemon and wait for its result. Raises NoDaemon."""
    with socket.socket(socket.AF_UNIX) as connection, short_path(socket_path(database)) as address:
        try:
            connection.connect(address)
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as lines:
                while line := lines.readline(LINE_BYTES):
                    message: Message = json.loads(line)
                    if "result" in message:
                        result: Message = message["result"]
                        return result
                    progress(message)
        except (OSError, ValueError) as error:
            raise NoDaemon(f"the daemon does not answer: {error}") from error
    raise NoDaemon("the daemon went away before it had answered")
