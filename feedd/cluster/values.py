"""What the daemon asks of a worker, and what it answers: frozen values."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from feedd.fetch.hops import Hop
from feedd.fetch.values import Ask
from feedd.reading import Reply, Task
from feedd.sources.directory import Found, Reading

BEGIN_S = 5.0  # within which a worker begins, or leaves it: a message may have been held up on its way
READ_S = 60.0  # for reading a document, unless an order says otherwise
QUEUE_S = 120.0  # that a document waits to be read, and is read, at most


class Order(NamedTuple):
    """One request to send, and what to do with the document that it brings."""

    ask: Ask
    hop: Hop
    seconds: float  # for the request
    task: Task[Any]
    begin_by_s: float  # of the worker's own clock
    read_s: float = READ_S


class Files(NamedTuple):
    """Files to read, in a folder that the worker sees, too."""

    reading: Reading
    batch: Sequence[Found]
    now_ns: int
    read_s: float = READ_S


class Leg(NamedTuple):
    """What one request came to, wherever it was sent."""

    status: int
    headers: Mapping[str, str]  # as Answer's
    set_cookie: list[str]
    seconds: float
    ended_s: float  # when it was over, by the clock of whoever sent it
    body: bytes = b""  # of a document that is still to be read
    reply: Reply[Any] | None = None  # of one that was read


class Greeting(NamedTuple):
    """What a worker says of itself."""

    version: str  # of feedd
    python: str
    clock_s: float  # its own, which only grows
