"""Feeds that are at hand, answered before the framework is asked: most requests are for them, and most of those alike.

Only what everybody may see and is asked for plainly is answered here, by the rules and with the headers of the
application; whatever else a request says (who asks, a limit, a part, a browser) goes on to it.
"""

import time
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from feedd.access.needs import SAFE
from feedd.access.origins import is_asked_for
from feedd.errors import StoreError
from feedd.looks import now_ms
from feedd.publish.cache import FORMATS, Feeds, Key, Rendered
from feedd.store.desk import Desk
from feedd.web.access import Doors
from feedd.web.conditional import accepts_gzip, is_unchanged
from feedd.web.counting import Meter
from feedd.web.feed_documents import whole

FOLDER = "/feeds/"
METHODS = SAFE - {"OPTIONS"}
# what makes an answer depend on more than the document: who asks, for which part of it, and whether to read it there
BEYOND = frozenset({b"authorization", b"cookie", b"a-im", b"sec-fetch-dest"})
CONDITIONS = frozenset({b"if-none-match", b"if-modified-since"})
LONGEST = 200  # bytes of a header's value that is remembered …
MOST = 1_000  # … and how many of them, and of the beginnings of answers
TRUSTED_S = 0.2  # that nothing was written is believed for so long: another process may write, too
RawHeaders = list[tuple[bytes, bytes]]


class Freshness:
    """As `Feeds.fresh`, asking the store only where something was written. Belongs to the event loop's thread.

    A query lets go of the interpreter, and gets it back late while files go in. What a piece of the writer's work commits
    before its end, and rings no bell for, is seen at that end.
    """

    def __init__(self, feeds: Feeds, desk: Desk) -> None:
        self.feeds = feeds
        self.desk = desk
        self.states: dict[str, tuple[int, ...]] = {}
        self.as_of = (
            0.0,
            0,
        )  # the end of the writer's last piece of work, and the last news in the change log
        self.until_s = 0.0

    def fresh(self, key: Key) -> Rendered | None:
        """Raises StoreError."""
        as_of, now_s = (self.desk.moved_s, self.desk.bell.rings), time.monotonic()
        if as_of != self.as_of or now_s >= self.until_s:
            self.states.clear()
            self.as_of, self.until_s = as_of, now_s + TRUSTED_S
        state = self.states.get(key.name)
        if state is None:
            state = self.states[key.name] = self.feeds.state(self.feeds.plans[key.name])
        return self.feeds.kept_in(key, state)


class Head(NamedTuple):
    """The beginning of an answer."""

    made_for: tuple[str, int]  # the document's entity tag, and when it changed
    headers: RawHeaders


class Ready:
    """The layer around all others. `further`: the headers that those add to every answer."""

    def __init__(
        self, app: ASGIApp, feeds: Feeds, doors: Doors, meter: Meter, further: Iterable[tuple[str, str]]
    ) -> None:
        self.app = app
        self.url = doors.url
        self.meter = meter
        self.further = [(name.lower().encode(), value.encode()) for name, value in further]
        self.freshness = Freshness(feeds, doors.desk)
        self.heads: dict[tuple[Key, bool, bool], Head] = {}
        self.plans = {} if doors.closed else feeds.plans
        self.private = doors.private

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun_s = time.monotonic()
        key = self.key(scope["path"]) if scope["type"] == "http" else None
        given = dict(scope["headers"]) if key is not None else {}
        rendered = self.at_hand(key, scope, given) if key is not None else None
        if key is None or rendered is None:
            await self.app(scope, receive, send)
            return
        gzipped = takes_gzip(given.get(b"accept-encoding"))
        unchanged = not CONDITIONS.isdisjoint(given) and is_unchanged(
            Headers(raw=scope["headers"]), rendered, now_ms=now_ms()
        )
        status, body = (304, b"") if unchanged else (200, rendered.gzipped if gzipped else rendered.body)
        head = self.head(key, scope, rendered, gzipped=gzipped, unchanged=unchanged)
        try:
            await send({"type": "http.response.start", "status": status, "headers": head})
            await send({"type": "http.response.body", "body": body})
        finally:
            self.meter.count(scope["method"], scope["path"], status, time.monotonic() - begun_s)

    def key(self, path: str) -> Key | None:
        """What is asked for at an address, where everybody may see it."""
        address, _, format_ = path.rpartition(".")
        name = address.removeprefix(FOLDER)
        plan = self.plans.get(name) if address.startswith(FOLDER) and format_ in FORMATS else None
        return Key(name, format_, plan.limit) if plan is not None and name not in self.private else None

    def at_hand(self, key: Key, scope: Scope, given: Mapping[bytes, bytes]) -> Rendered | None:
        """The document, if this request is answered by it alone, and no change has touched the feed since it was made."""
        if scope["method"] not in METHODS or scope["query_string"]:
            return None
        if len(given) != len(scope["headers"]) or not BEYOND.isdisjoint(given):  # what stands twice is a list
            return None
        host, codings = given.get(b"host", b""), given.get(b"accept-encoding", b"")
        if len(host) > LONGEST or len(codings) > LONGEST or not is_for(host, self.url):
            return None
        try:
            return self.freshness.fresh(key)
        except StoreError:  # whoever is asked next says so in words
            return None

    def head(
        self, key: Key, scope: Scope, rendered: Rendered, *, gzipped: bool, unchanged: bool
    ) -> RawHeaders:
        """The headers of an answer, which are the application's, and are made once for a document."""
        way, made_for = (key, gzipped, unchanged), (rendered.etag, rendered.updated_ms)
        found = self.heads.get(way)
        if found is None or found.made_for != made_for:
            if len(self.heads) >= MOST:
                self.heads.clear()
            answer = whole(Request(scope), rendered, gzipped=gzipped, unchanged=unchanged)
            found = self.heads[way] = Head(made_for, [*answer.raw_headers, *self.further])
        return found.headers


@lru_cache(MOST)
def is_for(host: bytes, url: str) -> bool:
    return is_asked_for(host.decode("latin-1"), url)


@lru_cache(MOST)
def takes_gzip(codings: bytes | None) -> bool:
    return accepts_gzip(Headers(raw=[] if codings is None else [(b"accept-encoding", codings)]))
