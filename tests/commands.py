"""feedd's commands in processes of their own, without half a second of imports for each.

A process that has imported feedd forks for every command; the fork does what `python -m feedd` does, to the end of the
interpreter. It ends when the test process does.
"""

import json
import os
import select
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from typing import BinaryIO

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
        asked = {"words": list(words), "cwd": os.fspath(cwd), "environment": dict(environment or os.environ)}
        reading, writing = os.pipe()
        with (
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as errors,
            os.fdopen(reading, "rb", 0) as said,
        ):
            try:
                files = [out.fileno(), errors.fileno(), writing]
                socket.send_fds(self.socket, [json.dumps(asked).encode()], files)
            finally:
                os.close(writing)
            status = waited(said, timeout)
            return subprocess.CompletedProcess(list(words), status, whole(out), whole(errors))


def waited(said: BinaryIO, timeout: float) -> int:
    """The exit status of the process that tells its pid, and then that."""
    heard, pid = b"", 0
    while select.select([said], [], [], timeout)[0]:
        piece = said.read(100)
        heard += piece
        if not pid and b"\n" in heard:
            pid = int(heard.partition(b"\n")[0])
        if not piece:
            return int(heard.rpartition(ENDED)[2])
    os.kill(pid, 9)
    raise subprocess.TimeoutExpired("feedd", timeout)


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
            os.environ.update(asked["environment"])
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

    for name in {*COMMANDS.values()}:
        importlib.import_module(f"feedd.cli.{name}")


SERVING = os.getpid()

if __name__ == "__main__":
    import_all()
    with socket.socket(fileno=int(sys.argv[1])) as listening:
        given = serve(listening)
    if given is not None:
        sys.argv = ["feedd", *given]
        from feedd.__main__ import main

        main()
