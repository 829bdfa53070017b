import asyncio
import json
import os
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from feedd.daemon.control import Message, NoDaemon, ask, listen, short_path, socket_path
from feedd.errors import StoreError


async def echo(message: Message, send: Callable[[Message], None]) -> Message:
    for done in range(3):
        send({"source": "a", "done": done, "total": 3})
    return {"heard": message}


@contextmanager
def answering(database: Path) -> Iterator[None]:
    """A daemon's ear, in a thread."""
    ready, ended = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with await listen(database, echo):
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


def progressless(message: Message) -> None:
    raise AssertionError(message)


def test_a_request_and_its_answer(tmp_path: Path) -> None:
    heard: list[Message] = []
    with answering(tmp_path / "x.db"):
        result = ask(tmp_path / "x.db", {"sources": ["中文"]}, heard.append)
        assert ask(tmp_path / "x.db", {}, heard.append) == {"heard": {}}
    assert result == {"heard": {"sources": ["中文"]}}
    assert [message["done"] for message in heard] == [0, 1, 2, 0, 1, 2]


def test_a_long_request(tmp_path: Path) -> None:
    names = [f"source-{number}" for number in range(20_000)]
    with answering(tmp_path / "x.db"):
        assert ask(tmp_path / "x.db", {"sources": names}, lambda _: None)["heard"] == {"sources": names}


def test_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    with answering(tmp_path / "x.db"):
        assert stat.S_IMODE(socket_path(tmp_path / "x.db").stat().st_mode) == 0o600


@pytest.mark.parametrize("length", [80, 95, 99, 100, 105, 107, 108, 120, 240, 1000])
def test_a_path_of_any_length(tmp_path: Path, length: int) -> None:
    """A socket's address holds 107 bytes."""
    folder = tmp_path
    while len(os.fspath(folder)) + 20 < length:
        folder /= "d" * min(200, length - len(os.fspath(folder)) - 15)
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / "feedd.db"
    with answering(database):
        assert ask(database, {"a": 1}, lambda _: None) == {"heard": {"a": 1}}
    with short_path(socket_path(database)) as address:
        assert len(os.fsencode(address)) <= 107


def test_nobody_is_there(tmp_path: Path) -> None:
    with pytest.raises(NoDaemon, match="does not answer"):
        ask(tmp_path / "x.db", {}, progressless)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(os.fspath(tmp_path / "x.db.sock"))
    with pytest.raises(NoDaemon, match="does not answer"):
        ask(tmp_path / "x.db", {}, progressless)
    with answering(tmp_path / "x.db"):
        assert ask(tmp_path / "x.db", {}, lambda _: None) == {"heard": {}}


@pytest.mark.parametrize("answer", [b"", b'{"source": "a"', b"nonsense\n"])
def test_a_daemon_that_goes_away(tmp_path: Path, answer: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.fspath(tmp_path / "x.db.sock"))
        listening.listen()

        def hang_up() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(answer)

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(NoDaemon):
            ask(tmp_path / "x.db", {}, progressless)
        thread.join()


@pytest.mark.parametrize("sent", [b"", b"\n", b"nonsense\n", b"\xff\xfe\n", b'{"a": 1}'])
def test_requests_that_are_none_harm_nobody(tmp_path: Path, sent: bytes) -> None:
    with answering(tmp_path / "x.db"):
        with socket.socket(socket.AF_UNIX) as odd:
            odd.connect(os.fspath(tmp_path / "x.db.sock"))
            odd.sendall(sent)
            odd.shutdown(socket.SHUT_WR)
            odd.recv(1000)
        assert ask(tmp_path / "x.db", {}, lambda _: None) == {"heard": {}}


def test_a_client_that_goes_away_before_the_answer(tmp_path: Path) -> None:
    with answering(tmp_path / "x.db"):
        with socket.socket(socket.AF_UNIX) as hasty:
            hasty.connect(os.fspath(tmp_path / "x.db.sock"))
            hasty.sendall(json.dumps({}).encode() + b"\n")
        assert ask(tmp_path / "x.db", {}, lambda _: None) == {"heard": {}}


def test_a_socket_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "x.db.sock").mkdir()
    with pytest.raises(StoreError, match=r"x\.db\.sock: can't be made: Is a directory"):
        asyncio.run(listen(tmp_path / "x.db", echo))
