"""A program whose standard output is a source: no shell, bounded in time and size."""

import asyncio
import os
import signal
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
    name = program.arguments[0]
    try:
        process = await asyncio.create_subprocess_exec(
            *program.arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise SourceError(f"{name} can't be run: {os.strerror(error.errno or 0)}") from error
    try:
        async with asyncio.timeout(program.timeout_s):
            said = asyncio.create_task(last_words(process))
            output = await printed(process, program)
            errors, status = await said, await process.wait()
    except TimeoutError as error:
        raise TimedOut(f"{name} took longer than {program.timeout_s:g} s (timeout)") from error
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    if status:
        how = f"exit status {status}" if status > 0 else f"signal {-status}"
        lines = errors.decode("utf-8", "replace").strip().splitlines()[-LAST_LINES:]
        raise SourceError(f"{name} failed with {how}{': ' if lines else ''}{' / '.join(lines)}")
    return output


async def printed(process: asyncio.subprocess.Process, program: Program) -> bytes:
    assert process.stdout is not None
    output = bytearray()
    while chunk := await process.stdout.read(CHUNK):
        output += chunk
        if len(output) > program.max_bytes:
            raise TooLarge(
                f"{program.arguments[0]} printed more than {program.max_bytes:,} bytes (max_bytes)"
            )
    return bytes(output)


async def last_words(process: asyncio.subprocess.Process) -> bytes:
    """The end of what the program says on standard error."""
    assert process.stderr is not None
    said = b""
    while chunk := await process.stderr.read(CHUNK):
        said = (said + chunk)[-ERROR_BYTES:]
    return said
