"""Sockets that systemd opened for the service and hands over when it starts it: sd_listen_fds(3).

They listen while the service is away, so that whoever connects meanwhile waits, and is not refused.
"""

import contextlib
import os
import socket
from collections.abc import Mapping

from feedd.config.values import Listen
from feedd.errors import ListenError

FIRST = 3  # the descriptor they begin with
MOST = 64
FAMILIES = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)


def inherited(environment: Mapping[str, str], pid: int) -> list[socket.socket]:
    """The sockets meant for the process `pid`; none where nobody handed any over. Raises ListenError."""
    if environment.get("LISTEN_PID") != str(pid):  # it may have been meant for what started us
        return []
    number = environment.get("LISTEN_FDS", "")
    if not (number.isascii() and number.isdigit() and int(number) <= MOST):
        raise ListenError(
            f"can't listen on sockets handed over: LISTEN_FDS is {number!r} and no number up to {MOST}"
        )
    with contextlib.ExitStack() as opened:
        found = [opened.enter_context(adopted(FIRST + place)) for place in range(int(number))]
        opened.pop_all()  # all is well: they stay open
    return found


def adopted(descriptor: int) -> socket.socket:
    """The socket that `descriptor` is; children do not inherit it. Raises ListenError."""
    try:
        os.set_inheritable(descriptor, False)
        found = socket.socket(fileno=descriptor)
    except OSError as error:
        raise unusable(descriptor, os.strerror(error.errno or 0)) from error
    is_stream = found.family in FAMILIES and found.type == socket.SOCK_STREAM
    if not is_stream or not found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        found.close()
        raise unusable(descriptor, "it does not listen for connections")
    if found.family != socket.AF_UNIX:
        # connections inherit it; without, the end of an answer may wait for 40 ms (RFC 9293, section 3.7.4)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return found


def is_at(listening: socket.socket, listen: Listen) -> bool:
    """Whether a socket is the one that `server.listen` means. A host has many names, so that its port is compared alone."""
    bound = listening.getsockname()
    if listening.family == socket.AF_UNIX:
        return listen.socket is not None and os.fspath(listen.socket) == bound
    return listen.socket is None and listen.port == bound[1]


def unusable(descriptor: int, why: str) -> ListenError:
    return ListenError(
        f"can't listen on file descriptor {descriptor}, which was handed over: {why}."
        " In the socket unit write ListenStream=, and leave out Accept=yes"
    )
