"""Requests on a fixed schedule: `python -m bench.asking PORT PATH RATE` asks until standard input is closed.

Each request has its time, whatever became of those before it, and waits from then on: who asks only when the last
answer has come measures a server that is late by asking it less. Prints one JSON object.
"""

import asyncio
import json
import sys
import time
from collections import deque
from typing import NamedTuple, cast

import uvloop

TICK_S = 0.0005  # how exactly the schedule is kept; what is late by that counts as the server's
PATIENCE_S = 10.0  # with the last answers


class Waiting(NamedTuple):
    """A request that was sent, or is to be sent when a connection is free."""

    due_s: float


class Connection(asyncio.Protocol):
    """One kept connection, with one request at a time."""

    def __init__(self, load: "Load") -> None:
        self.load = load
        self.lacks = 0  # bytes of an answer whose beginning is here
        self.head = b""
        self.due_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def ask(self, waiting: Waiting) -> None:
        self.due_s = waiting.due_s
        self.transport.write(self.load.request)

    def data_received(self, data: bytes) -> None:
        if self.lacks:
            self.lacks -= len(data)
        else:
            self.head += data
            head, end, body = self.head.partition(b"\r\n\r\n")
            if not end:
                return
            self.head = b""
            self.load.has_come(head)
            length = head.lower().partition(b"\r\ncontent-length: ")[2].partition(b"\r\n")[0]
            self.lacks = int(length or 0) - len(body)
        if not self.lacks:
            self.load.is_answered(self)


class Load:
    """A schedule, the connections that keep it, and how long each answer took."""

    def __init__(self, request: bytes, rate: float) -> None:
        self.request = request
        self.rate = rate
        self.free = deque[
            Connection
        ]()  # the one that rested longest first: none rests until the server closes it
        self.waiting = deque[Waiting]()
        self.taken: list[float] = []  # seconds from when a request was due to the end of its answer
        self.failed = 0

    def has_come(self, head: bytes) -> None:
        self.failed += not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 304"))

    def is_answered(self, connection: Connection) -> None:
        self.taken.append(time.perf_counter() - connection.due_s)
        if self.waiting:
            connection.ask(self.waiting.popleft())
        else:
            self.free.append(connection)

    async def run(self, ended: asyncio.Event) -> None:
        begun, number = time.perf_counter(), 0
        while not ended.is_set():
            while (due_s := begun + number / self.rate) <= time.perf_counter():
                number += 1
                self.waiting.append(Waiting(due_s))
                if self.free:
                    self.free.popleft().ask(self.waiting.popleft())
            await asyncio.sleep(TICK_S)
        end = time.perf_counter() + PATIENCE_S
        while len(self.taken) < number and time.perf_counter() < end:  # noqa: ASYNC110 (it sleeps no longer than that)
            await asyncio.sleep(TICK_S)
        self.failed += number - len(self.taken)


async def main(port: int, path: str, rate: float, connections: int = 32) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept-Encoding: gzip\r\n\r\n".encode()
    load, loop, ended = Load(request, rate), asyncio.get_running_loop(), asyncio.Event()
    for _ in range(connections):
        _, made = await loop.create_connection(lambda: Connection(load), "127.0.0.1", port)
        load.free.append(made)
    asking = asyncio.create_task(load.run(ended))
    await loop.run_in_executor(None, sys.stdin.read)
    ended.set()
    await asking
    print(json.dumps({"taken": load.taken, "failed": load.failed}))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1]), sys.argv[2], float(sys.argv[3])))
