"""What a service manager hears, on real sockets."""

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from feedd.service.notify import LONGEST_BYTES, Notifier, taken


class Manager:
    """The manager's end, at a path or an abstract name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + name[1:] if name.startswith("@") else name)
        self.socket.settimeout(5)

    def heard(self) -> dict[str, str]:
        lines = self.socket.recv(4096).decode().splitlines()
        return {name: value for name, _, value in (line.partition("=") for line in lines)}

    def silent(self) -> bool:
        self.socket.setblocking(False)
        try:
            self.socket.recv(4096)
        except BlockingIOError:
            return True
        finally:
            self.socket.settimeout(5)
        return False


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    made = Manager(f"@feedd-{os.getpid()}" if request.param == "abstract" else f"{tmp_path}/notify")
    yield made
    made.socket.close()


@pytest.fixture
def notifier(manager: Manager) -> Iterator[Notifier]:
    made = Notifier({"NOTIFY_SOCKET": manager.name})
    yield made
    made.close()


def test_what_is_said(manager: Manager, notifier: Notifier) -> None:
    notifier.ready("Serving")
    assert manager.heard() == {"READY": "1", "STATUS": "Serving", "MAINPID": str(os.getpid())}
    notifier.alive()
    assert manager.heard() == {"WATCHDOG": "1"}
    notifier.extend(1.5)
    assert manager.heard() == {"EXTEND_TIMEOUT_USEC": "1500000"}
    notifier.stopping("Ending")
    assert manager.heard() == {"STOPPING": "1", "STATUS": "Ending"}


def test_a_reload_has_the_time_of_the_monotonic_clock(manager: Manager, notifier: Notifier) -> None:
    before = time.monotonic_ns() // 1000
    notifier.reloading()
    said = manager.heard()
    assert said["RELOADING"] == "1"
    assert before <= int(said["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000


def test_a_status_is_sent_when_it_changes(manager: Manager, notifier: Notifier) -> None:
    notifier.ready("One source")
    manager.heard()
    notifier.status("One source")
    assert manager.silent()
    notifier.status("Two sources")
    assert manager.heard() == {"STATUS": "Two sources"}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("a\nREADY=1\rb\x1b[31m\x00c\u202e", "a READY=1 b [31m c"),
        ("新聞：三個來源", "新聞：三個來源"),
        ("a\udce9b", "a b"),
        ("", ""),
    ],
    ids=["control", "chinese", "surrogate", "empty"],
)
def test_words_are_one_line(manager: Manager, notifier: Notifier, words: str, expected: str) -> None:
    notifier.status("something else")
    manager.heard()
    notifier.status(words)
    assert manager.heard() == {"STATUS": expected}


def test_words_are_cut_between_characters(manager: Manager, notifier: Notifier) -> None:
    notifier.status("語" * LONGEST_BYTES)
    said = manager.heard()["STATUS"]
    assert said == "語" * ((LONGEST_BYTES - 3) // 3) + "…"


def test_a_manager_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    first = Manager(f"{tmp_path}/notify")
    notifier = Notifier({"NOTIFY_SOCKET": first.name})
    first.socket.close()
    notifier.status("lost")
    notifier.ready("lost")
    os.unlink(first.name)
    second = Manager(first.name)
    notifier.status("heard")
    assert second.heard() == {"STATUS": "heard"}
    second.socket.close()
    notifier.close()
    notifier.status("after the end")


def test_a_manager_that_does_not_read_keeps_nobody_waiting(tmp_path: Path) -> None:
    manager = Manager(f"{tmp_path}/notify")
    notifier = Notifier({"NOTIFY_SOCKET": manager.name})
    began = time.monotonic()
    for _ in range(2_000):  # more than its queue takes
        notifier.alive()
    notifier.status("lost")
    assert time.monotonic() - began < 1
    while not manager.silent():
        pass
    notifier.status("lost")  # it was not: it is sent again
    assert manager.heard() == {"STATUS": "lost"}
    manager.socket.close()
    notifier.close()


@pytest.mark.parametrize("name", ["", "@", "vsock:2:1234", "relative", "/nowhere/at/all", "/" + "a" * 200])
def test_without_a_manager(name: str) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "1000000"} if name else {})
    notifier.ready("Serving")
    notifier.alive()
    notifier.close()


@pytest.mark.parametrize(
    ("usec", "pid", "expected"),
    [
        ("120000000", None, 120.0),
        ("1500000", "ours", 1.5),
        ("1500000", "1", None),
        ("0", None, None),
        ("-1", None, None),
        ("²", None, None),
        ("", None, None),
    ],
)
def test_the_watchdog(manager: Manager, usec: str, pid: str | None, expected: float | None) -> None:
    environment = {"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": usec}
    if pid is not None:
        environment["WATCHDOG_PID"] = str(os.getpid()) if pid == "ours" else pid
    notifier = Notifier(environment)
    assert notifier.watchdog_s == expected
    notifier.close()


def test_children_inherit_nothing() -> None:
    environment = {
        "NOTIFY_SOCKET": "/run/a",
        "LISTEN_FDS": "1",
        "LISTEN_PID": "7",
        "WATCHDOG_USEC": "1",
        "HOME": "/",
    }
    said = taken(environment)
    assert environment == {"HOME": "/"}
    assert said == {"NOTIFY_SOCKET": "/run/a", "LISTEN_FDS": "1", "LISTEN_PID": "7", "WATCHDOG_USEC": "1"}
