"""Rendered feeds, kept until a change touches them."""

import gzip
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from hashlib import sha256
from typing import NamedTuple

from feedd.config.settings import Config
from feedd.looks import now_ms
from feedd.publish.archive import archived, full_documents
from feedd.publish.changes import Differences, Log
from feedd.publish.delta import Held
from feedd.publish.document import Document, compose
from feedd.publish.jsonfeed import address, json_feed
from feedd.publish.news import News, Since, since
from feedd.publish.plan import HEALTH, Plan, plans
from feedd.publish.syndication import ATOM_TYPE, RSS_TYPE, atom, rss
from feedd.store.reader import Reader

FORMATS: Mapping[str, tuple[str, Callable[[Document], bytes]]] = {
    "atom": (f"{ATOM_TYPE}; charset=utf-8", atom),
    "rss": (f"{RSS_TYPE}; charset=utf-8", rss),
    "json": ("application/feed+json; charset=utf-8", json_feed),
}
GZIP_LEVEL = 6
KEPT_BYTES = 64_000_000
DELTA_TRIES = 3
MOVES_MS = 600_000  # a query such as `changed:7d` is asked again so often


class Rendered(NamedTuple):
    """A document in one format, ready to be sent."""

    body: bytes
    gzipped: bytes
    etag: str  # of `body`, without quotes; the encoded one's has a suffix
    media_type: str
    updated_ms: int
    state: tuple[int, ...]  # of the sources, when it was made
    made_of: int = 0  # hash of the document
    links: str = ""  # value of the header `Link`


class Key(NamedTuple):
    name: str
    format: str
    limit: int


class Delta(NamedTuple):
    """What somebody lacks who has an earlier document."""

    part: Rendered
    whole: Rendered  # the document as it is now
    base: str  # etag of the earlier one, without quotes


class Feeds:
    """Renders feeds on demand. Usable from any thread; one thread renders a document, the others wait for it."""

    def __init__(
        self,
        reader: Reader,
        plans: Mapping[str, Plan],
        base_url: str,
        priorities: Mapping[str, int],
        titles: Mapping[str, str],
    ) -> None:
        self.reader = reader
        self.plans = plans
        self.base_url = base_url
        self.priorities = priorities
        self.titles = titles
        self.differences = Differences()
        self.held = Held()
        self.kept: OrderedDict[Key, Rendered] = OrderedDict()
        self.size = 0
        self.guard = threading.Lock()
        self.rendering: dict[Key, threading.Lock] = {}

    def state(self, plan: Plan) -> tuple[int, ...]:
        """Changes with every change that touches the feed."""
        if plan.name == HEALTH:
            newest = self.reader.incidents(1)
            return (newest[0].id, newest[0].changed_ms) if newest else ()
        touched = self.reader.touched(plan.sources)
        return (*touched, now_ms() // MOVES_MS) if moves(plan) else touched

    def fresh(self, key: Key) -> Rendered | None:
        """The rendered document, if no change has touched the feed since."""
        return self.kept_in(key, self.state(self.plans[key.name])) if key in self.kept else None

    def kept_in(self, key: Key, state: tuple[int, ...]) -> Rendered | None:
        """The rendered document, if this is the state that it was made in."""
        with self.guard:
            found = self.kept.get(key)
            if found is not None:
                self.kept.move_to_end(key)
        return found if found is not None and found.state == state else None

    def rendered(self, key: Key) -> Rendered:
        """The document as it is now, rendered if need be."""
        with self.guard:
            lock = self.rendering.setdefault(key, threading.Lock())
        with lock:
            found = self.fresh(key)
            if found is None:
                found = self.render(key)
                self.keep(key, found)
        return found

    def document(self, name: str, limit: int) -> Document:
        return self.composed(name, limit, self.differences)

    def outline(self, name: str, limit: int) -> Document:
        """The document without what differs in changes: much quicker, where nobody looks at that."""
        return self.composed(name, limit, None)

    def composed(self, name: str, limit: int, differences: Differences | None) -> Document:
        log = Log(self.reader, differences, self.base_url, self.priorities)
        composed = compose(log, self.plans[name], limit, self.titles)
        return composed._replace(archives=self.archives(name)[0])

    def archive(self, name: str, number: int) -> Rendered | None:
        """The archive document of that number, which is quick to make, and seldom asked for; None: there is none."""
        log = Log(self.reader, self.differences, self.base_url, self.priorities)
        document = archived(log, self.plans[name], number, self.titles)
        return None if document is None else written(document, "atom")._replace(links="")

    def archives(self, name: str) -> tuple[int, int]:
        """How many archive documents there are, and when the newest was filled, in ms; 0 for none."""
        return full_documents(Log(self.reader, None, self.base_url, self.priorities), self.plans[name])

    def render(self, key: Key) -> Rendered:
        """The document as it is now. One that has not changed, whatever its sources did, is not written anew."""
        state = self.state(self.plans[key.name])
        document = self.document(key.name, key.limit)
        made_of = hash(document.identity)
        with self.guard:
            before = self.kept.get(key)
        if before is not None and before.made_of == made_of:
            return before._replace(state=state)
        made = written(document, key.format)._replace(state=state, made_of=made_of)
        if document.archives and key.format == "atom":  # it names the newest
            made = made._replace(updated_ms=max(made.updated_ms, self.archives(key.name)[1]))
        self.held.note(key, made.etag, document)
        # what time alone took out of it left nothing behind that tells when
        return made._replace(updated_ms=now_ms()) if moves(self.plans[key.name]) else made

    def delta(self, key: Key, tags: Collection[str]) -> Delta | None:
        """What is new since the document with one of these tags; None: such a one is not known, or all of it is new."""
        base = self.held.first_known(key, tags)
        if base is None:
            return None
        for _ in range(DELTA_TRIES):
            whole, document = self.rendered(key), self.document(key.name, key.limit)
            if hash(document.identity) == whole.made_of:  # no change came between them
                part = self.held.since(key, base, document)
                return Delta(written(part, key.format), whole, base) if part is not None else None
        return None

    def news(self, name: str, told: Since) -> News | None:
        """What is new in a feed; None if nothing is."""
        log = Log(self.reader, self.differences, self.base_url, self.priorities)
        return since(log, self.plans[name], told, self.titles)

    def keep(self, key: Key, rendered: Rendered) -> None:
        with self.guard:
            if (before := self.kept.pop(key, None)) is not None:
                self.size -= weight(before)
            self.kept[key] = rendered
            self.size += weight(rendered)
            while self.size > KEPT_BYTES and len(self.kept) > 1:
                dropped, old = self.kept.popitem(last=False)
                self.size -= weight(old)
                self.rendering.pop(dropped, None)


def moves(plan: Plan) -> bool:
    """Whether what the feed shows changes with time alone."""
    return plan.query is not None and plan.query.moves


def links_of(document: Document, format_: str) -> str:
    """Hubs and the document itself, as the header `Link` names them (WebSub section 4, RFC 8288)."""
    named = [(hub, "hub") for hub in document.hubs] + [(document.url(f".{format_}"), "self")]
    return ", ".join(f'<{address(url)}>; rel="{rel}"' for url, rel in named)


def written(document: Document, format_: str) -> Rendered:
    """A document in a format."""
    media_type, write = FORMATS[format_]
    body = write(document)
    etag = sha256(body).hexdigest()[:32]
    gzipped = gzip.compress(body, GZIP_LEVEL, mtime=0)
    return Rendered(body, gzipped, etag, media_type, document.updated_ms, (), 0, links_of(document, format_))


def weight(rendered: Rendered) -> int:
    return len(rendered.body) + len(rendered.gzipped)


def feeds_of(config: Config, reader: Reader) -> Feeds:
    """The feeds of a configuration over a store."""
    priorities = {source.name: source.priority for source in config.sources}
    titles = {source.name: source.heading for source in config.sources}
    return Feeds(reader, plans(config), config.server.public_url, priorities, titles)
