"""What HTTP requests came to, counted in memory: a layer around the application, and the labels that it counts by.

Labels are bounded: an address stands for itself only if it is one of ours, and a feed only if it is configured.
"""

import re
import time
from collections import Counter
from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

FORMATS = ("atom", "rss", "json")
PRIVATE = "(private)"  # in place of the name of a feed that is none of everybody's business
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"
SHORT = 200  # characters of an address
FEED = re.compile(r"/feeds/(?P<name>[^/]+)\.(?P<format>[a-z]+)")
PLAIN = frozenset(
    {"/", "/feeds", "/feeds.opml", "/changes", "/sources", "/deliveries", "/search", "/events", "/hub"}
    | {
        "/login",
        "/logout",
        "/settings",
        "/preferences",
        "/api",
        "/healthz",
        "/readyz",
        "/metrics",
        "/style.css",
        "/openapi.json",
    }
    | {f"/search.{each}" for each in FORMATS}
)
PATTERNS = tuple(
    (re.compile(expression), label)
    for expression, label in (
        (r"/feeds/[^/]+\.(?:atom|rss|json)", "/feeds/{name}.{format}"),
        (r"/feeds/[^/]+/archive/[^/]+", "/feeds/{name}/archive/{n}"),
        (r"/feeds/[^/]+", "/feeds/{name}"),
        (r"/sources/[^/]+", "/sources/{name}"),
        (r"/sources/[^/]+/(?:check|pause|resume)", "/sources/{name}"),
        (r"/entries/[^/]+", "/entries/{id}"),
        (r"/entries/[^/]+/diff(?:/[^/]+)?", "/entries/{id}/diff"),
        (r"/push/[^/]+", "/push/{token}"),
        (r"/deliveries/(?:retry|cancel)", "/deliveries"),
        (r"/channels/[^/]+/test", "/channels/{name}/test"),
        (r"/static/[^/]+", "/static/{name}"),
    )
)
API = re.compile(r"/api/v1/(?P<what>[a-z]+)(?:/.*)?", re.DOTALL)
API_PARTS = frozenset(
    {
        "sources",
        "feeds",
        "entries",
        "revisions",
        "diffs",
        "changes",
        "search",
        "deliveries",
        "notify",
        "channels",
    }
)
STREAMS = frozenset(
    {"/events", "/api/v1/changes"}
)  # last as long as their readers like: that is no time of ours


class Asked(NamedTuple):
    """What requests are counted by."""

    route: str
    method: str
    status: int


class FeedAsked(NamedTuple):
    feed: str
    format: str
    status: int


class Counts(NamedTuple):
    """All requests since the start."""

    requests: dict[Asked, int]
    seconds: dict[str, tuple[int, float]]  # route → how many were timed, and how long they took
    feeds: dict[FeedAsked, int]


class Meter:
    """Counts; belongs to the event loop's thread."""

    def __init__(self, feeds: Collection[str], private: Collection[str] = ()) -> None:
        self.serve(feeds, private)
        self.requests: Counter[tuple[str, str, int]] = Counter()  # as Asked
        self.feeds: Counter[tuple[str, str, int]] = Counter()  # as FeedAsked
        self.timed: dict[str, tuple[int, float]] = {}

    def serve(self, feeds: Collection[str], private: Collection[str] = ()) -> None:
        """These are the feeds from now on; what was counted stays."""
        self.names = {name: PRIVATE if name in private else name for name in feeds}

    def count(self, method: str, path: str, status: int, seconds: float) -> None:
        labels = labels_often(path) if len(path) <= SHORT else labels_of(path)
        route = labels.route
        self.requests[route, method if method in METHODS else OTHER, status] += 1
        if route not in STREAMS:
            number, total = self.timed.get(route, (0, 0.0))
            self.timed[route] = (number + 1, total + seconds)
        name = self.names.get(labels.feed)
        if name is not None:
            self.feeds[name, labels.format, status] += 1

    def counts(self) -> Counts:
        return Counts(
            {Asked(*key): number for key, number in self.requests.items()},
            dict(self.timed),
            {FeedAsked(*key): number for key, number in self.feeds.items()},
        )


class Labels(NamedTuple):
    """What stands for an address."""

    route: str  # one of a few, whatever is asked
    feed: str = ""  # as the address names it
    format: str = ""


def labels_of(path: str) -> Labels:
    found = FEED.fullmatch(path)
    if found and found["format"] in FORMATS:
        return Labels(route_of(path), found["name"], found["format"])
    return Labels(route_of(path))


@lru_cache(1_000)
def labels_often(path: str) -> Labels:
    """As `labels_of`: for short addresses, which are asked again and again."""
    return labels_of(path)


def route_of(path: str) -> str:
    if path in PLAIN:
        return path
    if found := API.fullmatch(path):
        return f"/api/v1/{found['what']}" if found["what"] in API_PARTS else OTHER
    return next((label for pattern, label in PATTERNS if pattern.fullmatch(path)), OTHER)


class Counting:
    """The layer: `Middleware(Counting, meter=meter)`, around the gate, so that what that refuses counts, too."""

    def __init__(self, app: ASGIApp, meter: Meter) -> None:
        self.app = app
        self.meter = meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, status = time.monotonic(), 500  # of who raises before anything is sent

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, counted)
        finally:
            self.meter.count(scope["method"], scope["path"], status, time.monotonic() - begun)
