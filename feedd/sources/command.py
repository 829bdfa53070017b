"""A program whose standard output is a source: no shell, bounded in time and size."""

import asyncio
import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from typing import NamedTuple

from feedd.errors import SourceError, TimedOut, TooLarge

CHUNK = 65_536
ERROR_BYTES = 4_000  # of what it says on standard error
LAST_LINES = 3


class Program(NamedTuple):
    arguments: tuple[str, ...]
    timeout_s: float
    max_bytes: int


async def output_of(program: Program) -> bytes:
    """Run the program; what it printed. Raises SourceError, TimedOut, TooLarge.

    It runs in a session of its own, so that its children end with it, and with nothing on standard input.
    """
    process = await asyncio.to_thread(started, program)
    try:
        return await asyncio.to_thread(watched, process, program)
    except asyncio.CancelledError:
        end(process)
        raise


def started(program: Program) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(  # noqa: S603 (the operator's program; no shell)
            program.arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise SourceError(f"{program.arguments[0]} can't be run: {os.strerror(error.errno or 0)}") from error


def end(process: "subprocess.Popen[bytes]") -> None:
    """Kill the program and what it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def watched(process: "subprocess.Popen[bytes]", program: Program) -> bytes:
    """What the program prints until it ends; it ends in any case."""
    name = program.arguments[0]
    with process:
        try:
            output, errors = printed(process, program)
            status = process.wait(max(0.1, program.timeout_s))
        except subprocess.TimeoutExpired as error:
            raise TimedOut(f"{name} took longer than {program.timeout_s:g} s (timeout)") from error
        finally:
            end(process)
    if status:
        how = f"exit status {status}" if status > 0 else f"signal {-status}"
        lines = errors.decode("utf-8", "replace").strip().splitlines()[-LAST_LINES:]
        raise SourceError(f"{name} failed with {how}{': ' if lines else ''}{' / '.join(lines)}")
    return output


def printed(process: "subprocess.Popen[bytes]", program: Program) -> tuple[bytes, bytes]:
    """Standard output, and the end of standard error. Raises TimeoutExpired, TooLarge."""
    assert process.stdout is not None
    assert process.stderr is not None
    until, output, errors = time.monotonic() + program.timeout_s, bytearray(), b""
    with selectors.DefaultSelector() as ready:
        ready.register(process.stdout, selectors.EVENT_READ)
        ready.register(process.stderr, selectors.EVENT_READ)
        while ready.get_map():
            left = until - time.monotonic()
            if left <= 0:
                raise subprocess.TimeoutExpired(program.arguments, program.timeout_s)
            for key, _ in ready.select(left):
                chunk = os.read(key.fd, CHUNK)
                if not chunk:
                    ready.unregister(key.fileobj)
                elif key.fileobj is process.stdout:
                    output += chunk
                else:
                    errors = (errors + chunk)[-ERROR_BYTES:]
            if len(output) > program.max_bytes:
                raise TooLarge(
                    f"{program.arguments[0]} printed more than {program.max_bytes:,} bytes (max_bytes)"
                )
    return bytes(output), errors
