"""A document is read where it was fetched: what is to be read crosses to there, and what it comes to crosses back.

Ask, Task ─► fetch ─► is it new? ─► work(Document) ─► Reply

Worker processes import this, so it imports little: nothing that fetches.
"""

from collections.abc import Callable, Mapping
from typing import Generic, NamedTuple, TypeVar

from feedd.answers import hash_of, raw_of
from feedd.errors import SourceError
from feedd.fetch.values import Answer
from feedd.sources.documents import Document

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
