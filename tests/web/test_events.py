"""Streams of events, over real connections to a real server."""

import asyncio
import json
import logging
import random
import re
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st
from running import until
from shelf import BORN_MS, Piece, Shelf
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request

from feedd.config.values import Listen
from feedd.model import Kind
from feedd.store.bell import Bell
from feedd.web import pages
from feedd.web.app import SecurityHeaders
from feedd.web.events import CHUNK_BYTES, Events, address_of, joined, kinds_of, resumed_after, routes
from feedd.web.server import bind, server

TOML = """
[server]
base_url = "http://feeds.example/"
[sources.a]
type = "directory"
path = "a"
[sources.b]
type = "directory"
path = "b"
{}
[feeds.fires]
match = {{ title = "fire" }}
"""
GONE = '[sources.gone]\ntype = "directory"\npath = "gone"\n'
HOUR = 3_600_000
T = BORN_MS
INSERT = "INSERT INTO changes (kind, at, source_id, pass, silent, detail) VALUES (?,?,?,1,?,?)"
MANY = 100_000
NUMBER_OF_EVENT = re.compile(rb"^id: ([0-9]+)\nevent: ", re.MULTILINE)


class Event(NamedTuple):
    id: int
    kind: str
    data: dict[str, Any]


class Client:
    """Reads a stream as HTML, section 9.2.6 has it; blocks without data are no events."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.lines = answer.iter_lines()
        self.last_id = 0
        self.comments: list[str] = []
        self.retry = ""

    def __iter__(self) -> Iterator[Event]:
        while (block := self.block()) is not None:
            if "data" in block:
                yield Event(int(block["id"]), block["event"], json.loads(block["data"]))

    def block(self) -> dict[str, str] | None:
        """None: the stream ended."""
        found = dict[str, str]()
        for line in self.lines:
            if not line:
                self.last_id = int(found.get("id", self.last_id))
                return found
            name, _, value = line.partition(":")
            if name == "":
                self.comments.append(value.strip())
            elif name == "retry":
                self.retry = value.strip()
            else:
                assert name not in found
                found[name] = value.strip()
        return None

    def take(self, count: int) -> list[Event]:
        events = iter(self)
        return [next(events) for _ in range(count)]


class Stage:
    """A store, and a server in a thread that streams what is recorded there."""

    def __init__(self, root: Path, **settings: Any) -> None:
        self.shelf = Shelf(root, TOML.format(GONE))
        for source in ("a", "b", "gone"):
            self.shelf.look(source, T)
        self.shelf.configure(TOML.format(""))
        self.bell = Bell()
        self.settings = settings
        self.listening = bind(Listen(host="127.0.0.1", port=0))
        self.port: int = self.listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/events"
        self.begun = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        assert self.begun.wait(10)

    def run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as the daemon does
            runner.run(self.serve())

    async def serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.events = Events(self.shelf.feeds, self.shelf.config, self.bell, **self.settings)
        handlers: Any = {HTTPException: pages.refused}
        app = Starlette(
            routes=routes(self.events), middleware=[Middleware(SecurityHeaders)], exception_handlers=handlers
        )
        self.server = server(app)
        serving = asyncio.create_task(self.server.serve(sockets=[self.listening]))
        self.begun.set()
        await serving

    def stop_streams(self) -> None:
        with suppress(RuntimeError):  # it has ended
            self.loop.call_soon_threadsafe(self.events.close)

    def close(self) -> None:
        self.stop_streams()
        self.server.should_exit = True
        self.thread.join(20)
        self.listening.close()
        self.shelf.close()

    def write(self, kind: Kind = Kind.SOURCE_FAILING, count: int = 1, *, silent: bool = False) -> None:
        """So many changes of the source `a`, in one transaction."""
        values = [(kind, T, 1, silent, "the server can't be reached")] * count

        def write(writer: Any) -> None:
            writer.connection.execute("BEGIN IMMEDIATE")
            writer.connection.executemany(INSERT, values)
            writer.connection.execute("COMMIT")

        self.shelf.desk.run(write)
        self.bell.ring()

    def look(self, source: str, *pieces: Piece, gone: Sequence[str] = ()) -> None:
        self.shelf.now_ms += HOUR
        self.shelf.look(source, T + self.shelf.now_ms % T + HOUR, pieces, gone)
        self.bell.ring()

    @contextmanager
    def open(self, query: str = "", after: int | str | None = None) -> Iterator[Client]:
        headers = {} if after is None else {"Last-Event-ID": str(after)}
        with (
            httpx.Client(trust_env=False, verify=False, timeout=20) as client,
            client.stream("GET", f"{self.url}?{query}", headers=headers) as answer,
        ):
            assert answer.status_code == 200, answer.read()
            yield Client(answer)

    def refused(self, query: str = "", **headers: str) -> tuple[int, str]:
        with (
            httpx.Client(trust_env=False, verify=False, timeout=20) as client,
            client.stream("GET", f"{self.url}?{query}", headers=headers) as answer,
        ):
            assert answer.status_code != 200
            return answer.status_code, answer.read().decode()

    @property
    def numbers(self) -> list[int]:
        """Of all changes that are told."""
        return [
            each for (each,) in self.shelf.reader.rows("SELECT id FROM changes WHERE NOT silent ORDER BY id")
        ]


@contextmanager
def on_stage(root: Path, **settings: Any) -> Iterator[Stage]:
    made = Stage(root, **settings)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with on_stage(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One on which nothing happens."""
    with on_stage(tmp_path_factory.mktemp("still")) as made:
        yield made


def test_how_a_stream_begins(stage: Stage) -> None:
    stage.write()
    with stage.open() as client:
        headers = client.answer.headers
        assert headers["content-type"] == "text/event-stream; charset=utf-8"
        assert headers["cache-control"] == "no-store"
        assert headers["x-accel-buffering"] == "no"
        assert headers["access-control-allow-origin"] == "*"
        assert "content-length" not in headers
        assert headers["x-content-type-options"] == "nosniff"
        assert client.block() == {"id": "1"}
        assert (client.retry, len(client.comments)) == ("3000", 1)
    assert httpx.head(stage.url, trust_env=False, verify=False).status_code == 200


@pytest.mark.parametrize(
    ("line", "is_told"),
    [
        ('base_url = "https://feeds.example/"', True),
        ('listen = "127.0.0.1:8080"', False),
        ('base_url = "http://192.168.1.5/"', False),
        ('base_url = "https://feeds.example/"\naccess = "token"', False),
    ],
    ids=["public", "this-machine", "own-network", "closed"],
)
def test_pages_of_other_sites_listen_where_everybody_may(tmp_path: Path, line: str, *, is_told: bool) -> None:
    shelf = Shelf(tmp_path, f"[server]\n{line}\n")
    headers = dict(Events(shelf.feeds, shelf.config, Bell()).headers)
    shelf.close()
    assert (b"access-control-allow-origin" in headers) is is_told


def test_changes_of_entries_are_told_with_their_page(stage: Stage) -> None:
    with stage.open() as client:
        client.block()
        stage.look("a", Piece("x", "A fire", "<p>It killed 15.</p>"))
        (added,) = client.take(1)
        stage.look("a", Piece("x", "A fire", "<p>It killed 16.</p>"))
        (edited,) = client.take(1)
        stage.look("a", gone=["x"])
        (removed,) = client.take(1)
    assert [each.kind for each in (added, edited, removed)] == ["added", "silent-edit", "removed"]
    assert [each.id for each in (added, edited, removed)] == stage.numbers
    assert set(added.data) == {"change", "entry", "url"}
    assert added.data["url"] == "http://feeds.example/entries/1"
    assert added.data["change"]["kind"] == "added"
    assert added.data["entry"]["url"] == "https://example.org/x"
    assert "content_html" not in added.data["entry"]
    assert edited.data["url"] == "http://feeds.example/entries/1/diff/1..2"
    assert edited.data["change"]["reasons"]
    assert removed.data["url"] == "http://feeds.example/entries/1"
    assert removed.data["entry"]["removed"]


def test_changes_of_sources(stage: Stage) -> None:
    stage.write(Kind.SOURCE_FAILING)
    with stage.open(after=0) as client:
        (event,) = client.take(1)
    assert event.kind == "source-failing"
    assert event.data["url"] == "http://feeds.example/feeds/a"
    assert event.data["source"]["name"] == "a"
    assert event.data["change"]["detail"] == "the server can't be reached"


def test_what_is_asked_for_is_told(stage: Stage) -> None:
    stage.look("a", Piece("1", "A fire"), Piece("2", "A flood"))
    stage.look("b", Piece("3", "Another fire"))
    stage.write(Kind.SOURCE_RECOVERED)

    def told(query: str, count: int) -> list[str]:
        """And not a change more, before the one that comes last."""
        with stage.open(query, after=0) as client:
            found = client.take(count)
            stage.look("b", Piece("last", "The last fire", time_ms=T))
            stage.look("b", gone=["last"])
            (end,) = client.take(1)
        assert end.data["entry"]["title"] == "The last fire" if "entry" in end.data else True
        return [each.data["entry"]["title"] if "entry" in each.data else each.kind for each in found]

    assert told("feed=fires&kinds=added", 2) == ["A fire", "Another fire"]
    assert told("kinds=source-recovered,removed", 1) == ["source-recovered"]
    assert told("source=b&kinds=added", 1) == ["Another fire"]
    assert told("feed=a&feed=b&kinds=added", 3) == ["A fire", "A flood", "Another fire"]
    assert told("feed=health&feed=b&kinds=source-recovered,added", 2) == ["Another fire", "source-recovered"]


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("feed=nothing", 404, "no feed or source"),
        ("source=nothing", 404, "no feed or source"),
        ("source=all", 404, "no feed or source"),
        ("feed=gone", 410, "taken out"),
        ("kinds=added,novel", 400, "silent-edit"),
        ("kinds=", 400, "kinds of change"),
        ("last_event_id=x", 400, "number of a change"),
        ("&".join(["feed=all"] * 101), 400, "at most"),
    ],
)
def test_what_can_not_be_told(still: Stage, query: str, status: int, words: str) -> None:
    found, said = still.refused(query)
    assert found == status
    assert words in said


def test_a_number_that_is_none(still: Stage) -> None:
    assert still.refused(**{"Last-Event-ID": "-1"})[0] == 400
    assert still.refused(**{"Last-Event-ID": "9" * 19})[0] == 400


def test_a_number_beyond_the_log_is_now(stage: Stage) -> None:
    stage.write(count=3)
    with stage.open(after=10**17) as client:
        client.block()
        assert client.last_id == 3
        stage.write()
        assert [each.id for each in client.take(1)] == [4]


def test_the_header_wins_over_the_address(stage: Stage) -> None:
    stage.write(count=5)
    with stage.open("last_event_id=1", after=3) as client:
        assert [each.id for each in client.take(2)] == [4, 5]
    with stage.open("last_event_id=1") as client:
        assert [each.id for each in client.take(4)] == [2, 3, 4, 5]


def test_nothing_is_left_out_or_repeated_while_changes_arrive(stage: Stage) -> None:
    chance, total = random.Random(5), 3_000

    def write() -> None:
        written = 0
        while written < total:
            count = min(chance.choice([1, 1, 3, 700]), total - written)
            stage.write(count=count)
            stage.write(silent=True)
            written += count
            time.sleep(0.005)

    writing = threading.Thread(target=write)
    last_id, told = 0, list[int]()
    breaks = random.Random(6)
    with stage.open(after=0) as whole:
        writing.start()
        while len(told) < total:
            with stage.open(after=last_id) as client:
                client.block()
                count = min(breaks.choice([0, 1, 40, 900]), total - len(told))
                told += [each.id for each in client.take(count)]
                last_id = client.last_id
        writing.join()
        everything = [each.id for each in whole.take(total)]
    assert told == everything == stage.numbers


def test_streams_wake_together_at_a_change(stage: Stage) -> None:
    with stage.open() as one, stage.open() as two, stage.open("kinds=source-failing") as three:
        clients = [one, two, three]
        for client in clients:
            client.block()
        for number in range(1, 6):
            stage.write()
            began = time.monotonic()
            assert [client.take(1)[0].id for client in clients] == [number] * 3
            assert time.monotonic() - began < 2


def test_a_heartbeat_carries_the_number_on(tmp_path: Path) -> None:
    with on_stage(tmp_path, heartbeat_s=0.1) as stage, stage.open("kinds=removed") as client:
        assert client.block() == {"id": "0"}
        assert client.block() == {"id": "0"}
        assert client.comments[1:] == ["heartbeat"]
        stage.write(count=7)
        stage.write(count=2, silent=True)
        until(lambda: client.block() == {"id": "9"})


def test_a_reader_that_reads_nothing_is_dropped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What it was not sent stays in the log: the server's memory does not grow, and others go on."""
    with on_stage(tmp_path, patience_s=0.5) as stage, plain(stage, 0) as lazy:
        stage.write(count=1000)
        until(lambda: stage.events.room.clients.total() == 1)
        before = resident()
        stage.write(count=MANY)
        with plain(stage, 1000) as quick:
            assert numbers(quick, MANY) == list(range(1001, 1001 + MANY))
            assert resident() - before < 30_000_000
            until(lambda: stage.events.room.clients.total() == 1)  # the lazy one is gone
            stage.write()
            assert numbers(quick, 1) == [MANY + 1001]
        assert len(received(lazy)) < MANY * 100
        until(lambda: not stage.events.room.clients and not stage.events.reading)
        assert stage.events.listening is None
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING] == []


def test_a_store_that_can_not_be_read_ends_a_stream(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    with stage.open() as client:
        client.block()
        stage.shelf.desk.run(lambda writer: writer.connection.execute("ALTER TABLE changes RENAME TO others"))
        stage.bell.ring()
        assert client.block() is None
    until(lambda: not stage.events.room.clients)
    (said,) = (each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING)
    assert said.startswith("a stream of events ends: ")


def test_too_many_streams(tmp_path: Path) -> None:
    with on_stage(tmp_path, streams=2) as stage:
        with stage.open() as one, stage.open() as two:
            one.block()
            two.block()
            status, words = stage.refused()
            assert (status, "try again later" in words) == (503, True)
            again = httpx.get(stage.url, trust_env=False, verify=False)
            assert again.headers["retry-after"] == "30"
        until(lambda: not stage.events.room.clients)
        with stage.open() as client:
            client.block()


def test_streams_end_at_once_when_feedd_does(stage: Stage) -> None:
    stage.write(count=20_000)
    with plain(stage, 0), stage.open() as client:
        client.block()
        until(lambda: stage.events.room.clients.total() == 2)
        began = time.monotonic()
        stage.stop_streams()
        assert list(client) == []
        until(lambda: not stage.events.room.clients)
        assert stage.refused()[0] == 503
        assert time.monotonic() - began < 1
        stage.server.should_exit = True
        stage.thread.join(10)
        assert time.monotonic() - began < 2


@contextmanager
def plain(stage: Stage, after: int) -> Iterator[socket.socket]:
    """A connection that has asked for a stream, and holds little of what it does not read."""
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536 if after else 4096)
        made.settimeout(20)
        made.connect(("127.0.0.1", stage.port))
        made.sendall(b"GET /events?last_event_id=%d HTTP/1.1\r\nHost: x\r\n\r\n" % after)
        yield made


def numbers(connection: socket.socket, count: int) -> list[int]:
    """Of so many events that come next, whose data are not kept."""
    found, rest = list[int](), b""
    while len(found) < count and (data := connection.recv(65536)):
        whole, _, rest = (rest + data).rpartition(b"\n\n")
        found += map(int, NUMBER_OF_EVENT.findall(whole))
    return found


def resident() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def received(connection: socket.socket) -> bytes:
    """What still comes, until the other side ends it."""
    connection.settimeout(10)
    found = bytearray()
    try:
        while data := connection.recv(65536):
            found += data
    except ConnectionResetError:
        pass
    return bytes(found)


@given(st.lists(st.sampled_from(list(Kind)), min_size=1), st.booleans())
def test_kinds_are_named_in_one_list_or_several(kinds: list[Kind], apart: bool) -> None:
    values = list(map(str, kinds)) if apart else [",".join(kinds)]
    assert kinds_of(values) == frozenset(kinds)
    assert kinds_of([]) == frozenset(Kind)


@given(st.lists(st.text(), min_size=1))
def test_other_kinds_are_refused_in_words(values: list[str]) -> None:
    named = {name for name in ",".join(values).split(",") if name}
    if named and named <= set(Kind):
        assert kinds_of(values) == named
        return
    with pytest.raises(HTTPException, match="added") as refused:
        kinds_of(values)
    assert refused.value.status_code == 400


@given(st.one_of(st.none(), st.text(), st.integers(0, 10**20).map(str)))
def test_numbers_to_go_on_from(text: str | None) -> None:
    if not text or (text.isascii() and text.isdigit() and len(text) <= 18):
        assert resumed_after(text, None) == resumed_after(None, text) == (int(text) if text else None)
        return
    with pytest.raises(HTTPException, match="number") as refused:
        resumed_after(text, None)
    assert refused.value.status_code == 400


@given(st.lists(st.binary(max_size=2 * CHUNK_BYTES), max_size=20))
def test_events_are_sent_in_pieces(spelled: list[bytes]) -> None:
    pieces = list(joined(spelled))
    assert b"".join(pieces) == b"".join(spelled)
    longest = max(map(len, spelled), default=0)
    assert all(len(piece) <= max(CHUNK_BYTES, longest) for piece in pieces)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (None, None),
        ("127.0.0.1", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
        ("testclient", None),
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_what_streams_are_counted_by(host: str | None, expected: str | None) -> None:
    client = None if host is None else (host, 1)
    assert address_of(Request({"type": "http", "headers": [], "client": client})) == expected
