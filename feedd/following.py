"""The change log as whoever follows it is told it: what an audience wants to know, each change with what it is about."""

import asyncio
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Generic, NamedTuple, TypeVar

from feedd import shape_types, shapes
from feedd.config.settings import Config
from feedd.model import Kind
from feedd.notify.audience import Audience, Wish, of_feed
from feedd.notify.message import page_path
from feedd.publish.cache import Feeds
from feedd.quoting import for_everybody
from feedd.store import log as change_log
from feedd.store.database import translated
from feedd.store.known import StoredKnown
from feedd.store.log import Logged
from feedd.store.proposals import Proposed, by_source
from feedd.store.reader import SourceRow
from feedd.threads import PATIENT

READ_AT_ONCE = 500  # changes
ENTRIES_AT_ONCE = 25
Result = TypeVar("Result")
Other = TypeVar("Other")


class Told(NamedTuple):
    """A change that is told."""

    logged: Logged
    shape: shape_types.Event


class Part(NamedTuple):
    """What a short piece of the log says to one audience."""

    told: tuple[Told, ...]
    last_id: int  # of the change that it reaches to
    is_full: bool  # there may be more


class Room:
    """Who may wait at the same time: so many, and so many of one address. Belongs to one event loop."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self.most = most
        self.most_of_one = most_of_one
        self.clients: Counter[str | None] = Counter()  # by address; None: many may be behind it

    def is_full(self) -> bool:
        return self.clients.total() >= self.most

    def is_full_for(self, address: str | None) -> bool:
        return address is not None and self.clients[address] >= self.most_of_one

    @contextmanager
    def taken(self, address: str | None) -> Iterator[None]:
        self.clients[address] += 1
        try:
            yield
        finally:
            self.clients[address] -= 1
            if not self.clients[address]:
                del self.clients[address]


class Shared(Generic[Result]):
    """Reading. Whoever asks for the same at the same time shares it. Belongs to one event loop."""

    def __init__(self) -> None:
        self.under_way: dict[Hashable, asyncio.Task[Result]] = {}

    async def read(self, key: Hashable, work: Callable[..., Result], *values: object) -> Result:
        """`key`: what is asked for, and of which time."""
        task = self.under_way.get(key)
        if task is None:
            task = self.under_way[key] = asyncio.create_task(self.alone(work, *values))
            task.add_done_callback(lambda done: self.ended(key, done))
        await asyncio.wait({task})  # which leaves it to the others if whoever asks is cancelled
        return task.result()

    async def alone(self, work: Callable[..., Other], *values: object) -> Other:
        return await PATIENT.run(work, *values)

    def ended(self, key: Hashable, task: "asyncio.Task[Result]") -> None:
        del self.under_way[key]
        if not task.cancelled():
            task.exception()  # nobody may be left to hear of it


class Follower:
    """Reads the log. Usable from any thread."""

    def __init__(self, feeds: Feeds, config: Config) -> None:
        self.feeds = feeds
        self.config = config

    def audience(self, kinds: frozenset[Kind], feeds: Sequence[str], sources: Sequence[str]) -> Audience:
        """Who wants changes of these kinds: of any of the sources, in any of the feeds; of all where none is named."""
        wishes = dict.fromkeys(of_feed(self.feeds.plans[name], kinds) for name in feeds)
        return Audience(Wish(kinds, frozenset(sources) or None), tuple(wishes))

    def newest_id(self) -> int:
        """Raises StoreError."""
        reader = self.feeds.reader
        with translated(reader.path):
            return change_log.newest_id(reader.connection)

    def after(self, audience: Audience, last_id: int) -> Iterator[Part]:
        """What followed, in parts; the last of them reaches as far as was read. Raises StoreError."""
        newest_id, reader = self.newest_id(), self.feeds.reader
        with translated(reader.path):
            found = change_log.after(reader.connection, last_id, READ_AT_ONCE)
            known = StoredKnown(reader.connection, self.feeds.priorities)
            is_full = len(found) == READ_AT_ONCE
            # silent changes behind the last one that was found need not be passed over again
            end_id = found[-1].id if is_full else max([last_id, newest_id, *(each.id for each in found)])
            starts = range(0, max(len(found), 1), ENTRIES_AT_ONCE)
            for start in starts:
                some = found[start : start + ENTRIES_AT_ONCE]
                told = self.told([each for each in some if audience.wants(each, known)], known)
                is_last = start == starts[-1]
                yield Part(told, end_id if is_last else some[-1].id, is_full if is_last else True)

    def told(self, changes: Sequence[Logged], known: StoredKnown) -> tuple[Told, ...]:
        reader = self.feeds.reader
        wanted = {change.entry_id for change in changes if change.entry_id is not None}
        about = {change.source_id for change in changes if change.entry_id is None}
        found = reader.entries(wanted, self.feeds.priorities) if wanted else []
        entries = {each.id: shapes.entry(each) for each in found}
        sources = {each: reader.source_numbered(each) for each in about}
        proposed = by_source(reader.proposals()) if about else {}
        told = list[Told]()
        for change in changes:
            url = self.page(change, known)
            if change.entry_id is None:
                row = sources.get(change.source_id)
                said = change._replace(detail=for_everybody(change.detail))
                shape: shape_types.Event = shapes.source_event(said, row and self.source(row, proposed), url)
            else:
                shape = shapes.entry_event(change, entries.get(change.entry_id), url)
            told.append(Told(change, shape))
        return tuple(told)

    def source(self, row: SourceRow, proposed: Mapping[str, Sequence[Proposed]]) -> shape_types.Source:
        """All that is known of it, as /api/v1/sources has it for everybody."""
        row, is_paused = shapes.for_everybody(row), row.name in self.config.paused
        return shapes.source(row, proposed.get(row.name, ()), paused=is_paused)

    def page(self, change: Logged, known: StoredKnown) -> str:
        """The address of the page about a change."""
        ends = known.sides_of(change) if change.previous_id is not None else ()
        new, old = ends if len(ends) == 2 else (None, None)
        return f"{self.feeds.base_url}{page_path(change, old, new)}"
