"""Sockets that are handed over, to real processes: they begin with descriptor 3 there."""

import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from feedd.config.values import Listen
from feedd.service.activation import inherited, is_at

RECEIVER = """
import os, socket, sys
from feedd.errors import ListenError
from feedd.service.activation import inherited
for place, descriptor in enumerate(map(int, sys.argv[2:])):
    os.dup2(descriptor, 50 + place)
for place in range(len(sys.argv) - 2):
    os.dup2(50 + place, 3 + place, inheritable=True)
try:
    found = inherited({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": sys.argv[1]}, os.getpid())
except ListenError as error:
    print(error)
else:
    for each in found:
        nodelay = each.family != socket.AF_UNIX and each.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        print(each.fileno(), each.family.name, bool(nodelay), each.get_inheritable())
"""


def received(said: str, descriptors: list[int]) -> list[str]:
    """What a process prints that is told of so many, and has these from 3 on."""
    command = [sys.executable, "-c", RECEIVER, said, *map(str, descriptors)]
    done = subprocess.run(command, pass_fds=descriptors, capture_output=True, encoding="utf-8")
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_three_families(tmp_path: Path) -> None:
    with ExitStack() as opened:
        made = [opened.enter_context(socket.create_server(("127.0.0.1", 0)))]
        made.append(opened.enter_context(socket.create_server(("::1", 0), family=socket.AF_INET6)))
        made.append(opened.enter_context(socket.socket(socket.AF_UNIX)))
        made[2].bind(f"{tmp_path}/socket")
        made[2].listen()
        assert received("3", [each.fileno() for each in made]) == [
            "3 AF_INET True False",
            "4 AF_INET6 True False",
            "5 AF_UNIX False False",
        ]


@pytest.mark.parametrize("kind", ["file", "datagram", "not listening"])
def test_what_is_no_listening_socket(kind: str) -> None:
    with ExitStack() as opened:
        good = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
        match kind:
            case "file":
                bad = opened.enter_context(open(os.devnull)).fileno()
            case "datagram":
                bad = opened.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).fileno()
            case _:
                bad = opened.enter_context(socket.socket()).fileno()
        (line,) = received("2", [good.fileno(), bad])
    why = "Socket operation on non-socket" if kind == "file" else "it does not listen for connections"
    assert line == (
        f"can't listen on file descriptor 4, which was handed over: {why}."
        " In the socket unit write ListenStream=, and leave out Accept=yes"
    )


@pytest.mark.parametrize("number", ["", "many", "-1", "65", "²"])
def test_a_number_that_is_none(number: str) -> None:
    (line,) = received(number, [])
    assert line == f"can't listen on sockets handed over: LISTEN_FDS is {number!r} and no number up to 64"


def test_meant_for_another_process() -> None:
    assert inherited({}, os.getpid()) == []
    assert inherited({"LISTEN_PID": "1", "LISTEN_FDS": "1"}, os.getpid()) == []
    assert inherited({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "0"}, os.getpid()) == []


def test_which_of_them_the_configuration_means(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as unix:
        port, path = tcp.getsockname()[1], tmp_path / "socket"
        unix.bind(os.fspath(path))
        assert is_at(tcp, Listen("localhost", port))
        assert not is_at(tcp, Listen("localhost", port + 1))
        assert not is_at(tcp, Listen("", 0, path))
        assert is_at(unix, Listen("", 0, path))
        assert not is_at(unix, Listen("", 0, tmp_path / "another"))
        assert not is_at(unix, Listen("127.0.0.1", port))
