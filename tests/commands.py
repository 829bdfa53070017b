"""feedd's commands in processes of their own, without half a second of imports for each.

A process that has imported feedd forks for every command; the fork does what `python -m feedd` does, to the end of the
interpreter. It ends when the test process does.
"""

import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import BinaryIO

from feedd.allocation import LITTLE_ASIDE, TUNABLES

ENDED = b"ended "


class Forker:
    """Runs commands. One of a test process."""

    def __init__(self) -> None:
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, __file__, str(theirs.fileno())]
            self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)

    def run(
        self,
        words: Sequence[str],
        cwd: str | os.PathLike[str],
        environment: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> "subprocess.CompletedProcess[bytes]":
        """As subprocess.run, of `feedd` with these words."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
            process = self.start(words, cwd, out, errors, environment)
            try:
                status = process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
            return subprocess.CompletedProcess(list(words), status, whole(out), whole(errors))

    def start(
        self,
        words: Sequence[str],
        cwd: str | os.PathLike[str],
        out: BinaryIO,
        errors: BinaryIO,
        environment: Mapping[str, str] | None = None,
    ) -> "Forked":
        """As subprocess.Popen."""
        asked = {"words": list(words), "cwd": os.fspath(cwd), "environment": dict(environment or os.environ)}
        reading, writing = os.pipe()
        try:
            files = [out.fileno(), errors.fileno(), writing]
            socket.send_fds(self.socket, [json.dumps(asked).encode()], files)
        finally:
            os.close(writing)
        return Forked(reading)


class Forked:
    """A process that the forker made: what is used of subprocess.Popen."""

    def __init__(self, reading: int) -> None:
        self.said = os.fdopen(reading, "rb", 0)
        self.heard = b""
        self.returncode: int | None = None
        self.listen(60, until=b"\n")
        self.pid = int(self.heard.partition(b"\n")[0])

    def listen(self, timeout: float, until: bytes = b"") -> None:
        """Until what is told holds that, or all of it was told."""
        end = time.monotonic() + timeout
        while not (until and until in self.heard):
            if not select.select([self.said], [], [], max(0.0, end - time.monotonic()))[0]:
                raise subprocess.TimeoutExpired("feedd", timeout)
            piece = self.said.read(100)
            self.heard += piece
            if not piece:
                self.returncode = int(self.heard.rpartition(ENDED)[2])
                self.said.close()
                return

    def wait(self, timeout: float = 60) -> int:
        if self.returncode is None:
            self.listen(timeout)
        assert self.returncode is not None
        return self.returncode

    def poll(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it has ended, and that is not known here yet
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def whole(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()


@cache
def forker() -> Forker:
    return Forker()


def serve(requests: socket.socket) -> list[str] | None:
    """Fork for each request; in a fork, the words to go on with. None at the end of all."""
    while True:
        message, files, _, _ = socket.recv_fds(requests, 1_000_000, 3)
        if not message:
            return None
        if os.fork() == 0 and os.fork() == 0:  # this one waits for nobody
            requests.close()
            asked, (out, errors, told) = json.loads(message), files
            if (pid := os.fork()) != 0:
                os.write(told, f"{pid}\n".encode())
                _, status = os.waitpid(pid, 0)
                os.write(told, ENDED + str(os.waitstatus_to_exitcode(status)).encode())
                os._exit(0)
            os.close(told)
            os.dup2(out, 1)
            os.dup2(errors, 2)
            os.chdir(asked["cwd"])
            os.environ.clear()
            # a daemon begins once more where this is not said, which would be the forker
            os.environ.update({TUNABLES: LITTLE_ASIDE, **asked["environment"]})
            words: list[str] = asked["words"]
            return words
        for file in files:
            os.close(file)
        if os.getpid() != SERVING:
            os._exit(0)  # of the two forks, the one between
        os.wait()


def import_all() -> None:
    """What commands import, where they import it."""
    import importlib

    from feedd.cli.main import COMMANDS

    for name in (*(f"cli.{each}" for each in {*COMMANDS.values()}), "daemon", "telling"):
        importlib.import_module(f"feedd.{name}")


SERVING = os.getpid()

if __name__ == "__main__":
    import_all()
    gc.freeze()  # else each fork looks through all that was imported, which copies its memory: 0.15 s of CPU a command
    with socket.socket(fileno=int(sys.argv[1])) as listening:
        given = serve(listening)
    if given is not None:
        sys.argv = ["feedd", *given]
        from feedd.__main__ import main

        main()
