"""Who fetches documents and has them read: this machine alone, or others, too (see `cluster`)."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from feedd.fetch.client import Fetcher
from feedd.fetch.values import Answer, Ask
from feedd.reading import Found, Reply, Task, reply, unless_new
from feedd.sources import directory
from feedd.workers import Pool

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
        return await self.read_of(await self.fetcher.fetch(ask, self.pool.room), task)

    async def read_of(self, answer: Answer, task: Task[Found]) -> Reply[Found]:
        """Raises SourceError where a worker process died over it."""
        said: Reply[Found] | None = unless_new(answer, task)
        return await self.pool.run(reply, answer, task) if said is None else said

    async def fetch(self, ask: Ask) -> Answer:
        return await self.fetcher.fetch(ask)
