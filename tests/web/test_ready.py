"""Feeds that are at hand: what is answered before the framework is asked is what it would have answered."""

import asyncio
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import gated
import pytest
from shelf import BORN_MS, Piece, Shelf
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from feedd.access.scopes import Scope as TokenScope
from feedd.publish.cache import FORMATS, Key
from feedd.store import tokens
from feedd.web.access import Doors, Gate
from feedd.web.app import SECURITY_HEADERS, application
from feedd.web.counting import Counting, Meter
from feedd.web.ready import TRUSTED_S, Ready

TOML = f"""{gated.TOML}
[feeds.late]
query = "changed:7d"
"""
PUBLIC, OWN = "http://feeds.example/", "http://127.0.0.1:8000/"
HOST = {PUBLIC: "feeds.example", OWN: "127.0.0.1:8000"}
Headers = tuple[tuple[str, str], ...]


class Answer(NamedTuple):
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Framework:
    """Counts what it is asked, since that was not answered before it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.asked = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        await self.app(scope, receive, send)


class Both:
    """The application behind all its layers, and once more with what is at hand before them."""

    def __init__(self, root: Path, access: str = "public", base_url: str = PUBLIC) -> None:
        self.shelf = Shelf(root, TOML.format(access=access, base_url=base_url))
        self.shelf.look("a", BORN_MS, [Piece("one"), Piece("two")])
        self.host = HOST[base_url]
        feeds, config = self.shelf.feeds, self.shelf.config
        self.doors = Doors(config, self.shelf.desk, self.shelf.reader)
        self.meters = [Meter(feeds.plans, config.private_feeds) for _ in range(2)]
        self.plain, self.behind = map(self.layered, self.meters)
        self.framework = Framework(self.behind)
        further = SECURITY_HEADERS.items()
        self.ready = Ready(self.framework, feeds, self.doors, self.meters[1], further)
        self.runner = asyncio.Runner()

    def layered(self, meter: Meter) -> ASGIApp:
        layers = [Middleware(Counting, meter=meter), Middleware(Gate, doors=self.doors)]
        return application(self.shelf.feeds, (), layers)

    def ask(self, app: ASGIApp, method: str, target: str, headers: Headers) -> Answer:
        path, _, query = target.partition("?")
        spelled = [(name.encode(), value.encode("latin-1")) for name, value in headers]
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": spelled,
            "scheme": "http",
            "root_path": "",
            "client": ("192.0.2.1", 1),
            "server": ("192.0.2.2", 80),
        }
        sent = list[Any]()

        async def receive() -> Any:
            return {"type": "http.request", "body": b""}

        async def send(message: Any) -> None:
            sent.append(message)

        async def run() -> None:
            await app(scope, receive, send)

        self.runner.run(run())
        start, *rest = sent
        return Answer(start["status"], list(start["headers"]), b"".join(each["body"] for each in rest))

    def same(self, method: str, target: str, headers: Headers = ()) -> Answer:
        """What both answer."""
        asked = (
            method,
            target,
            headers if any(name == "host" for name, _ in headers) else (*headers, self.named),
        )
        slow, quick = self.ask(self.plain, *asked), self.ask(self.ready, *asked)
        assert quick == slow, asked
        return quick

    @property
    def named(self) -> tuple[str, str]:
        return "host", self.host

    def is_at_hand(self, method: str, target: str, headers: Headers = ()) -> bool:
        """Whether the framework is not asked."""
        before = self.framework.asked
        self.same(method, target, headers)
        return self.framework.asked == before

    def warm(self) -> None:
        for name, plan in self.shelf.feeds.plans.items():
            for format_ in FORMATS:
                self.shelf.feeds.rendered(Key(name, format_, plan.limit))

    def etag(self, target: str) -> str:
        return dict(self.same("GET", target).headers).get(b"etag", b'"none"').decode()

    def close(self) -> None:
        self.runner.close()
        self.shelf.close()


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    made = Both(tmp_path)
    made.warm()
    yield made
    made.close()


def said(tag: str, token: str) -> Iterator[Headers]:
    """What requests say, by themselves and in pairs that bear on each other."""
    packed = f'{tag[:-1]}-gzip"'
    for coding in (
        "gzip",
        "gzip, br",
        "GZIP;q=0.1",
        "gzip;q=0",
        "*",
        "*;q=0",
        "identity",
        "",
        "x" * 300,
        "q=;,,",
    ):
        yield (("accept-encoding", coding),)
        yield ("accept-encoding", coding), ("if-none-match", tag)
    for tags in (tag, packed, f"W/{tag}", f'"x", {tag}', "*", '"x"', "", tag.strip('"'), "é"):
        yield (("if-none-match", tags),)
        yield ("if-none-match", tags), ("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT")
        yield ("if-none-match", '"x"'), ("if-none-match", tags)
        yield ("a-im", "feed"), ("if-none-match", tags)
    for date in ("Fri, 01 Jan 2100 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "yesterday", ""):
        yield (("if-modified-since", date),)
    for credentials in (f"Bearer {token}", "Bearer feedd_x", "Basic eDp5", "Digest x", ""):
        yield (("authorization", credentials),)
    for cookie in ("feedd=x", "theme=dark", ""):
        yield (("cookie", cookie),)
    for purpose in ("document", "empty", "script"):
        yield (("sec-fetch-dest", purpose),)
        yield ("sec-fetch-dest", purpose), ("if-none-match", tag)
    for host in ("evil.example", "127.0.0.1", "localhost:8000", "feeds.example", "[::1", "x" * 300, ""):
        yield (("host", host),)
        yield ("host", host), ("host", "feeds.example")
    yield ("range", "bytes=0-3"), ("accept", "text/html")
    yield (("x-forwarded-for", "203.0.113.9"),)
    yield ("accept-encoding", "br"), ("accept-encoding", "gzip")


@pytest.mark.parametrize(
    ("access", "base_url"),
    [("public", PUBLIC), ("public", OWN), ("token", PUBLIC)],
    ids=["public", "own-network", "closed"],
)
def test_both_answer_the_same(tmp_path: Path, access: str, base_url: str) -> None:
    both = Both(tmp_path, access, base_url)
    both.warm()
    work = partial(tokens.create, name="t", scope=TokenScope.READ, now_ms=BORN_MS)
    token: str = both.shelf.desk.run(lambda writer: writer.within(work))
    for headers in said(both.etag("/feeds/all.atom"), token):
        both.same("GET", "/feeds/all.atom", headers)
        both.same("HEAD", "/feeds/all.atom", headers)
        both.same("GET", "/feeds/secret.atom", headers)
    for name in (
        "a.rss",
        "b.json",
        "changes.json",
        "health.atom",
        "late.rss",
        "secret.atom",
        "none.atom",
        "all.xml",
    ):
        for query in ("", "?", "?limit=1", "?limit=x", "?raw=1", f"?key={token}", "?key=x", "?x"):
            both.same("GET", f"/feeds/{name}{query}")
    for method in ("POST", "PUT", "OPTIONS", "TRACE", "get"):
        both.same(method, "/feeds/all.atom")
    for target in ("/", "/feeds/all", "/feeds/all.atom/", "//feeds/all.atom", "/feeds/ALL.atom"):
        both.same("HEAD", target)
    assert both.meters[0].counts().requests == both.meters[1].counts().requests
    assert both.meters[0].counts().feeds == both.meters[1].counts().feeds
    assert both.meters[0].timed.keys() == both.meters[1].timed.keys()
    both.close()


def test_what_readers_ask_for_is_at_hand(both: Both) -> None:
    tag = both.etag("/feeds/all.atom")
    for method in ("GET", "HEAD"):
        for target in ("/feeds/all.atom", "/feeds/a.rss", "/feeds/changes.json", "/feeds/late.atom"):
            for headers in ((), (("accept-encoding", "gzip, br"),), (("if-none-match", tag),)):
                assert both.is_at_hand(method, target, headers)


@pytest.mark.parametrize(
    ("target", "name", "value"),
    [
        ("/feeds/secret.atom", "accept", "*/*"),
        ("/feeds/all.atom?limit=2", "accept", "*/*"),
        ("/feeds/all.atom", "authorization", "Bearer x"),
        ("/feeds/all.atom", "cookie", "feedd=x"),
        ("/feeds/all.atom", "sec-fetch-dest", "document"),
        ("/feeds/all.atom", "a-im", "feed"),
    ],
    ids=["private", "limit", "token", "session", "person", "part"],
)
def test_what_asks_for_more_is_not(both: Both, target: str, name: str, value: str) -> None:
    assert not both.is_at_hand("GET", target, ((name, value),))


def test_a_change_is_seen_at_once(both: Both) -> None:
    for number in range(20):
        assert both.is_at_hand("GET", "/feeds/all.atom")
        before = both.etag("/feeds/all.atom")
        both.shelf.look("a", BORN_MS + 60_000 * (number + 1), [Piece(f"n{number}", f"New {number}")])
        quick = both.ask(both.ready, "GET", "/feeds/all.atom", (both.named, ("if-none-match", before)))
        assert quick.status == 200
        assert f"New {number}".encode() in quick.body


def test_answers_to_documents_that_are_gone_are_not_kept(both: Both) -> None:
    for number in range(5):
        both.shelf.look("a", BORN_MS + 60_000 * (number + 1), [Piece(f"n{number}", f"New {number}")])
        both.etag("/feeds/all.atom")
        assert both.is_at_hand("GET", "/feeds/all.atom")
    assert len(both.ready.heads) == 1


def test_what_is_written_elsewhere_is_seen_soon(both: Both) -> None:
    assert both.is_at_hand("GET", "/feeds/all.atom")
    with sqlite3.connect(both.shelf.reader.path) as other:
        other.execute("UPDATE sources SET touched = touched + 1")
    other.close()
    both.runner.run(asyncio.sleep(TRUSTED_S))
    before = both.framework.asked
    both.ask(both.ready, "GET", "/feeds/all.atom", (both.named,))
    assert both.framework.asked == before + 1


def test_the_store_is_not_asked_each_time(both: Both) -> None:
    both.same("GET", "/feeds/all.atom")
    asked = list[str]()
    both.shelf.reader.connection.set_trace_callback(asked.append)
    for _ in range(200):
        both.ask(both.ready, "GET", "/feeds/all.atom", (both.named,))
    assert len(asked) < 100


def test_a_store_that_fails_is_told_in_words(both: Both) -> None:
    assert both.is_at_hand("GET", "/feeds/all.atom")
    both.shelf.desk.run(lambda writer: writer.connection.execute("ALTER TABLE sources RENAME TO lost"))
    assert both.same("GET", "/feeds/all.atom").status == 503
