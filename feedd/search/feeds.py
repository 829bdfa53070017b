"""Any search as a feed: the documents of `publish`, of what a query finds, in the order of feeds."""

import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping
from typing import NamedTuple
from uuid import UUID, uuid5

from feedd.publish.cache import Rendered, written
from feedd.publish.document import Document, feed_urn
from feedd.search.finder import Asked, Finder
from feedd.store import search
from feedd.store.database import translated

KEPT_BYTES = 16_000_000
MOVES_MS = 600_000  # what is asked relative to now, as `changed:7d`, is asked again so often
LIMIT = 100


class SearchKey(NamedTuple):
    text: str  # of the query, made clean
    format: str
    limit: int


class SearchFeeds:
    """Renders them on demand, and keeps some. Usable from any thread."""

    def __init__(self, finder: Finder, base_url: str, titles: Mapping[str, str]) -> None:
        self.finder = finder
        self.base_url = base_url
        self.titles = titles
        self.kept: OrderedDict[SearchKey, Rendered] = OrderedDict()
        self.size = 0
        self.guard = threading.Lock()

    def rendered(self, text: str, format_: str, limit: int, *, hidden: Collection[str] = ()) -> Rendered:
        """The feed as it is now. Raises UsageError, TooSlow, StoreError."""
        asked = self.finder.asked(text, hidden=hidden)
        key, state = SearchKey(asked.query.text, format_, limit), self.state(asked)
        with self.guard:
            before = self.kept.get(key)
            if before is not None:
                self.kept.move_to_end(key)
        if before is not None and before.state == state:
            return before
        document = self.document(asked, limit)
        made_of = hash(document.identity)
        if before is not None and before.made_of == made_of:
            made = before._replace(state=state)
        else:
            # what left the results left nothing behind that tells when: no change is later than the newest of all
            made = written(document, format_)._replace(state=state, made_of=made_of)
            made = made._replace(updated_ms=max(made.updated_ms, self.newest_change_ms()))
        self.keep(key, made)
        return made

    def state(self, asked: Asked) -> tuple[int, ...]:
        """Another one whenever anything may be found otherwise."""
        reader = self.finder.reader
        with translated(reader.path):
            followed = search.followed(reader.connection)
        moves = asked.now_ms // MOVES_MS if asked.query.moves else 0
        return (*reader.touched(None), *followed, moves)

    def document(self, asked: Asked, limit: int) -> Document:
        reader, text = self.finder.reader, asked.query.text
        entries = tuple(self.finder.newest(asked, limit))
        born, sources = UUID(reader.uuid()), dict.fromkeys(entry.source for entry in entries)
        return Document(
            "search",
            f"urn:uuid:{uuid5(born, f'search:{text}')}",
            f"Search: {text}",
            self.base_url,
            None,
            "full",
            max(
                (max(entry.changed_ms, entry.seen_ms) for entry in entries),
                default=reader.feed_configured_ms("all"),
            ),
            entries,
            {name: feed_urn(born, name) for name in sources},
            {name: self.titles.get(name, name) for name in sources},
            search=text,
        )

    def newest_change_ms(self) -> int:
        reader = self.finder.reader
        with translated(reader.path):
            return search.newest_change_ms(reader.connection)

    def keep(self, key: SearchKey, made: Rendered) -> None:
        with self.guard:
            if (before := self.kept.pop(key, None)) is not None:
                self.size -= len(before.body) + len(before.gzipped)
            self.kept[key] = made
            self.size += len(made.body) + len(made.gzipped)
            while self.size > KEPT_BYTES and len(self.kept) > 1:
                _, dropped = self.kept.popitem(last=False)
                self.size -= len(dropped.body) + len(dropped.gzipped)
