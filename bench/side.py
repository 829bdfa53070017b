"""One side of a comparison, run in a fresh process, so that imports and pools count for each."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from bench.memory import Memory, Sampled


class Side(NamedTuple):
    seconds: float  # of the work, as the process measured it
    whole_s: float  # from starting the process to its end
    printed: dict[str, Any]
    peak: Memory


def run(module: str, *arguments: object, sample: bool = False) -> Side:
    """Run `python -m module arguments` and return what it printed. Raises CalledProcessError."""
    os.sync()  # what an earlier side wrote is no burden on this one
    command = [sys.executable, "-m", module, *map(str, arguments)]
    begun = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        if sample:
            with Sampled(process.pid) as sampled:
                output = process.communicate()[0]
            peak = sampled.peak
        else:
            output, peak = process.communicate()[0], Memory()
    whole_s = time.perf_counter() - begun
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    printed = json.loads(output)
    return Side(printed["seconds"], whole_s, printed, peak)


def floor(folder: Path, scratch: Path) -> Side:
    return run("bench.floor", folder, fresh(scratch / "floor.db"))


def ours(folder: Path, scratch: Path, *, looks: int = 0, sample: bool = False) -> Side:
    return run("bench.ours", folder, fresh(scratch / "feedd.db"), looks, sample=sample)


def fresh(database: Path) -> Path:
    for path in database.parent.glob(database.name + "*"):
        path.unlink()
    return database


def size(database: Path) -> int:
    """Bytes of a database with its write-ahead log."""
    return sum(path.stat().st_size for path in database.parent.glob(database.name + "*"))
