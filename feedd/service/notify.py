"""What a service tells systemd, or another manager that speaks its protocol: sd_notify(3).

A message is one datagram of lines NAME=VALUE to the Unix socket that $NOTIFY_SOCKET names. Nothing is raised: a manager
that is away, or reads too slowly, is no reason for a service to end.
"""

import contextlib
import os
import socket
import time
from collections.abc import Mapping, MutableMapping

VARIABLES = (
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LISTEN_PID",
    "LISTEN_PIDFDID",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
)
LONGEST_BYTES = 1_000  # of a status; systemd takes datagrams of 4096 bytes
PATIENCE_S = 1.0  # with a manager whose queue is full, for what it must know


def taken(environment: MutableMapping[str, str]) -> dict[str, str]:
    """What a manager says to this process alone, taken out of `environment`: children must not inherit it."""
    return {name: environment.pop(name) for name in VARIABLES if name in environment}


class Notifier:
    """Sends what there is to say; does nothing where there is no manager."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.address = address_of(environment.get("NOTIFY_SOCKET", ""))
        self.socket: socket.socket | None = None
        self.said: str | None = None  # the last status
        if self.address is not None:
            with contextlib.suppress(OSError):
                self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.watchdog_s = None if self.socket is None else watchdog_of(environment, os.getpid())

    def ready(self, words: str) -> None:
        """Also what ends a reload."""
        self.said = one_line(words)
        self.send(PATIENCE_S, READY="1", STATUS=self.said, MAINPID=str(os.getpid()))

    def status(self, words: str) -> None:
        said = one_line(words)
        if said != self.said and self.send(0, STATUS=said):
            self.said = said

    def reloading(self) -> None:
        now_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self.send(PATIENCE_S, RELOADING="1", MONOTONIC_USEC=str(now_us))

    def stopping(self, words: str) -> None:
        self.said = one_line(words)
        self.send(PATIENCE_S, STOPPING="1", STATUS=self.said)

    def alive(self) -> None:
        """Feeds the watchdog. A manager that it does not reach in time takes the service for hung."""
        self.send(0, WATCHDOG="1")

    def extend(self, seconds: float) -> None:
        """Asks for so much time from now on, for a start, a reload or a stop that takes long."""
        self.send(PATIENCE_S, EXTEND_TIMEOUT_USEC=str(round(seconds * 1_000_000)))

    def send(self, patience_s: float, **values: str) -> bool:
        """Whether the manager has it."""
        if self.socket is None or self.address is None:
            return False
        message = "".join(f"{name}={value}\n" for name, value in values.items())
        try:
            self.socket.settimeout(patience_s)
            self.socket.sendto(message.encode(), self.address)
        except OSError:
            return False
        return True

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None


def address_of(name: str) -> str | None:
    """The address that the socket module takes for a path, or for `@` and an abstract name (unix(7)); else None."""
    if name.startswith("@") and len(name) > 1:
        return "\0" + name[1:]
    return name if name.startswith("/") else None


def watchdog_of(environment: Mapping[str, str], pid: int) -> float | None:
    """Within how many seconds the manager wants to hear that we are alive; None where it does not ask."""
    period = environment.get("WATCHDOG_USEC", "")
    if environment.get("WATCHDOG_PID", str(pid)) != str(pid):
        return None
    if not (period.isascii() and period.isdigit() and int(period) > 0):
        return None
    return int(period) / 1_000_000


def one_line(words: str) -> str:
    """`words` as a status can hold them: no control characters, not too long."""
    shown = " ".join("".join(char if char.isprintable() else " " for char in words).split())
    data = shown.encode("utf-8", "replace")
    if len(data) <= LONGEST_BYTES:
        return data.decode()
    return data[: LONGEST_BYTES - 3].decode("utf-8", "ignore") + "…"
