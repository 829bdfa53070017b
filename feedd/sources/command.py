"""A program whose standard output is a source."""

import os
import threading

from feedd.errors import SourceError
from feedd.quoting import quoted
from feedd.sources.process import Program, run
from feedd.threads import PROGRAMS

LAST_LINES = 3


async def output_of(program: Program) -> bytes:
    """Run the program; what it printed. Raises SourceError, TimedOut, TooLarge."""
    cancelled = threading.Event()
    try:
        ended = await PROGRAMS.run(run, program, cancelled.is_set)
    finally:
        cancelled.set()
    if ended.status:
        how = f"exit status {ended.status}" if ended.status > 0 else f"signal {-ended.status}"
        lines = ended.errors.decode("utf-8", "replace").strip().splitlines()[-LAST_LINES:]
        name = os.path.basename(program.arguments[0])
        raise SourceError(quoted(f"{name} failed with {how}", " / ".join(lines)))
    return ended.output
