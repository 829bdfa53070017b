"""Other programs: no shell, bounded in time and size, ended with all that they started."""

import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

from feedd.errors import SourceError, Stopped, TimedOut, TooLarge

CHUNK = 65_536
ERROR_BYTES = 8_000  # of what it says on standard error
POLL_S = 0.02
TICK_S = 0.2  # how often it is looked whether the work is still wanted
LINGER_S = 1.0  # for which what the program started may go on printing after its end


class Program(NamedTuple):
    arguments: tuple[str, ...]
    timeout_s: float
    max_bytes: int
    folder: Path | None = None  # it runs there
    environment: Mapping[str, str] | None = None  # None: ours
    given: bytes = b""  # what it reads from standard input
    surplus: bool = False  # of what it prints beyond `max_bytes`, only the end is kept, in place of TooLarge


class Ended(NamedTuple):
    status: int
    output: bytes
    errors: bytes  # the end of what it said on standard error


def run(program: Program, unwanted: Callable[[], bool] = bool) -> Ended:
    """Run it to its end. Raises SourceError, Stopped, TimedOut, TooLarge; `unwanted` says that nobody waits any more.

    It runs in a session of its own.
    """
    name = os.path.basename(program.arguments[0])
    with started(program) as process:
        try:
            began = time.monotonic()
            output, errors = printed(process, program, unwanted)
            status = ended(process, program, began, unwanted)
        except subprocess.TimeoutExpired as error:
            raise TimedOut(f"{name} took longer than {program.timeout_s:g} s (timeout)") from error
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()  # a child of another session may hold the other end for ever
    return Ended(status, output, errors)


@contextmanager
def started(program: Program) -> "Iterator[subprocess.Popen[bytes]]":
    """The program, as it begins to run. Raises SourceError."""
    with handed(program.given) as given:
        try:
            process = subprocess.Popen(  # noqa: S603 (no shell; the operator's program, or git)
                program.arguments,
                cwd=program.folder,
                env=program.environment,
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            why = os.strerror(error.errno or 0)
            raise SourceError(f"{program.arguments[0]} can't be run: {why}") from error
    with process:
        yield process


@contextmanager
def handed(given: bytes) -> Iterator[IO[bytes] | int]:
    """What becomes a program's standard input. Raises SourceError.

    It lies in a file without a name: whether a program reads all of it, or nothing, it never keeps us waiting.
    """
    if not given:
        yield subprocess.DEVNULL
        return
    with ExitStack() as stack:
        try:
            file = stack.enter_context(tempfile.TemporaryFile())
            file.write(given)
            file.seek(0)
        except OSError as error:
            why = os.strerror(error.errno or 0)
            raise SourceError(
                f"no temporary file can be made for what a program is to read: {why}"
            ) from error
        yield file


def ended(
    process: "subprocess.Popen[bytes]", program: Program, began: float, unwanted: Callable[[], bool]
) -> int:
    """Wait for one that closed what it prints to, and lives on. Raises TimeoutExpired, Stopped."""
    while (status := process.poll()) is None:
        if unwanted():
            raise Stopped(f"{program.arguments[0]} was ended, since feedd is ending")
        if time.monotonic() - began >= program.timeout_s:
            raise subprocess.TimeoutExpired(program.arguments, program.timeout_s)
        time.sleep(POLL_S)
    return status


def printed(
    process: "subprocess.Popen[bytes]", program: Program, unwanted: Callable[[], bool]
) -> tuple[bytes, bytes]:
    """Standard output, and the end of standard error. Raises TimeoutExpired, TooLarge, SourceError."""
    assert process.stdout is not None
    assert process.stderr is not None
    began, ended_at = time.monotonic(), None
    output, errors = bytearray(), b""
    with selectors.DefaultSelector() as ready:
        ready.register(process.stdout, selectors.EVENT_READ)
        ready.register(process.stderr, selectors.EVENT_READ)
        while ready.get_map():
            now = time.monotonic()
            if now - began >= program.timeout_s:
                raise subprocess.TimeoutExpired(program.arguments, program.timeout_s)
            if unwanted():
                raise Stopped(f"{program.arguments[0]} was ended, since feedd is ending")
            if process.poll() is not None:
                ended_at = ended_at or now
                if now - ended_at >= LINGER_S:
                    break
            for key, _ in ready.select(min(TICK_S, began + program.timeout_s - now)):
                chunk = os.read(key.fd, CHUNK)
                if not chunk:
                    ready.unregister(key.fileobj)
                elif key.fileobj is process.stdout:
                    output += chunk
                else:
                    errors = (errors + chunk)[-ERROR_BYTES:]
            bounded(output, program)
    return bytes(output), errors


def bounded(output: bytearray, program: Program) -> None:
    """Keep its length in bounds. Raises TooLarge."""
    surplus = len(output) - program.max_bytes
    if surplus <= 0:
        return
    if not program.surplus:
        name = os.path.basename(program.arguments[0])
        raise TooLarge(f"{name} printed more than {program.max_bytes:,} bytes (max_bytes)")
    del output[:surplus]
