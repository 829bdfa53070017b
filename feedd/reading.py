"""A document is read where it was fetched: what is to be read crosses to there, and what it comes to crosses back.

Ask, Task ─► fetch ─► is it new? ─► work(Document) ─► Reply
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from feedd.answers import hash_of, raw_of
from feedd.errors import SourceError
from feedd.fetch.client import Fetcher
from feedd.fetch.values import Answer, Ask
from feedd.sources import directory
from feedd.sources.documents import Document
from feedd.workers import Pool

Found = TypeVar("Found")


class Task(NamedTuple, Generic[Found]):
    """How to read a document; it can cross to another process, as what it finds can."""

    work: Callable[[Document], Found]  # raises SourceError
    known: bytes | None = None  # the hash of a document that is not to be read again
    raw_ms: int | None = None  # when it is fetched, if it is to be kept as evidence


class Reply(NamedTuple, Generic[Found]):
    """An answer without its document, and what reading that came to."""

    url: str  # that answered
    status: int
    headers: Mapping[str, str]  # as Answer's
    moved_to: str | None
    size: int  # bytes of the document
    digest: bytes  # its hash
    found: Found | None = None
    error: SourceError | None = None  # why it could not be read

    @property
    def result(self) -> Found:
        """What was read. Raises SourceError."""
        if self.error is not None:
            raise self.error
        assert self.found is not None, "a document that is not new was not read"
        return self.found


# files of a folder that others see, too: what each of them comes to, a batch at a time, in order, until nobody
# wants them any more. Raises OutOfFiles, Stopped
ReadsFiles = Callable[
    [directory.Reading, Sequence[directory.Found], int, Callable[[], bool]], Iterator[list[directory.Outcome]]
]


class Engine(Protocol):
    """Who fetches documents and reads them."""

    @property
    def files(self) -> ReadsFiles | None:
        """Reads files, from any thread; None: there are no others."""
        ...

    def allow(self, concurrency: int) -> None:
        """So many requests at once, if this machine sends them all."""
        ...

    async def read(self, ask: Ask, task: Task[Found]) -> Reply[Found]:
        """Any status is an answer; what is no document, or is known, is not read. Raises FetchError."""
        ...

    async def fetch(self, ask: Ask) -> Answer:
        """Raises FetchError."""
        ...


class Alone:
    """One machine does it all: the event loop fetches, the pool reads."""

    def __init__(self, fetcher: Fetcher, pool: Pool) -> None:
        self.files: ReadsFiles | None = None
        self.fetcher = fetcher
        self.pool = pool

    def allow(self, concurrency: int) -> None:
        self.fetcher.manners.allow(concurrency)

    async def read(self, ask: Ask, task: Task[Found]) -> Reply[Found]:
        await self.pool.room.wait()
        return await self.read_of(await self.fetcher.fetch(ask), task)

    async def read_of(self, answer: Answer, task: Task[Found]) -> Reply[Found]:
        """Raises SourceError where a worker process died over it."""
        said: Reply[Found] | None = unless_new(answer, task)
        return await self.pool.run(reply, answer, task) if said is None else said

    async def fetch(self, ask: Ask) -> Answer:
        return await self.fetcher.fetch(ask)


def unless_new(answer: Answer, task: Task[Found]) -> Reply[Found] | None:
    """The reply to an answer without a document that is to be read."""
    success = 200 <= answer.status < 300
    if success and task.known is None:
        return None
    said: Reply[Found] = unread(answer)
    return None if success and said.digest != task.known else said


def unread(answer: Answer) -> Reply[Found]:
    body = answer.body
    return Reply(answer.url, answer.status, answer.headers, answer.moved_to, len(body), hash_of(body))


def reply(answer: Answer, task: Task[Found]) -> Reply[Found]:
    """Read the document of an answer. What it is refused for is in the reply."""
    raw = None if task.raw_ms is None else raw_of(answer, task.raw_ms)
    said: Reply[Found] = unread(answer)
    try:
        found = task.work(Document(answer.body, answer.url, answer.content_type, raw))
    except SourceError as error:
        return said._replace(error=error)
    return Reply(*said[:6], found)
