"""A look at a source: what is asked for, and what it came to."""

import random
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from feedd.config.settings import Config
from feedd.config.sources import DirectorySource, Source
from feedd.errors import UnknownName
from feedd.fetch.freshness import backoff
from feedd.model import Tally
from feedd.schedule import Due
from feedd.store.passes import SourceKey

Progress = Callable[[int, int], None]  # files done, of how many


class Looked(NamedTuple):
    """What a look came to; `shapes` shows it."""

    name: str
    status: str  # ok | unchanged | failed
    tally: Tally = Tally()
    seconds: float = 0.0
    next_check_ms: int | None = None
    error: str | None = None
    again: tuple[str, ...] = ()  # files to look at once more, two seconds later
    note: str | None = None  # a state that is no failure
    unwritten: bool = False  # the store could not be written: when to look next stands here alone


class Request(NamedTuple):
    """What of a source to look at, and how."""

    paths: tuple[str, ...] | None = None  # None: all
    accept_removals: bool = False
    asked: bool = False  # somebody named the source: then it is looked at whether it is due or not
    given_up: Callable[[], bool] = (
        bool  # whether nobody wants it any more: files are read to the end of a batch
    )


WHOLE = Request()


def named(config: Config, names: Sequence[str]) -> list[Source]:
    """The sources of these names, in the order of the configuration. Raises UnknownName."""
    if unknown := [name for name in names if config.source(name) is None]:
        known = ", ".join(source.name for source in config.sources[:20]) or "none"
        raise UnknownName(f"there is no source '{unknown[0]}' in {config.path}; there are: {known}")
    return [source for source in config.sources if source.name in set(names)]


def is_folder(source: Source) -> bool:
    """Whether a look costs next to nothing while nothing changed."""
    return isinstance(source, DirectorySource)


def key_of(source: Source) -> SourceKey:
    return SourceKey(
        source.name,
        source.type,
        source.location,
        source.extraction_hash,
        source.selection_hash,
        repr((tuple(source.timing), getattr(source, "max_interval", None))),
        2 if source.paused else 1,
        source.failing_after,
        source.expected_silence,
    )


def due_after_failures(failures: int, every_ms: int, now: int) -> Due:
    """When a source that failed so many times in a row, and whose server is to be spared, is looked at next."""
    words = "failed once" if failures == 1 else f"failed {failures} times in a row"
    return Due(now + backoff(failures, every_ms, random.random()), words)  # noqa: S311 (no secret)


def now_ms() -> int:
    return time.time_ns() // 1_000_000
