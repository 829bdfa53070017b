"""What a measurement comes to, and the table of them."""

import os
import platform
import sqlite3
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import NamedTuple

LIBRARIES = (
    "nh3",
    "lxml",
    "selectolax",
    "feedgen",
    "httpx",
    "starlette",
    "uvicorn",
    "watchfiles",
    "feedparser",
)
COLUMNS = ("", "floor or peer", "feedd", "figure", "at most")


class Figure(NamedTuple):
    name: str
    floor: str  # what it is set against; "" where the target is absolute
    feedd: str
    figure: str  # what the target speaks of
    target: str


def ratio(value: float) -> str:
    return f"{value:.2f} ×"


def middle(values: Iterable[float], unit: str = "") -> str:
    """Of several runs: the median, and from where to where they went."""
    ordered = sorted(values)
    return f"{median(ordered):.2f}{unit} ({ordered[0]:.2f} to {ordered[-1]:.2f})"


def heading(peers: Iterable[str] = ()) -> str:
    """Machine and versions; on a machine that is busy otherwise, two processes suffer more than the floor's one."""
    load = os.getloadavg()[0]
    processor = next(
        (line.partition(":")[2].strip() for line in read("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{os.cpu_count()} cores ({processor}), {platform.system()} {platform.release()},"
        f" Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {libraries}"
        f"; peers: {', '.join(peers)}; load average at the start {load:.2f}"
    )


def read(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def table(figures: Iterable[Figure]) -> str:
    """The figures as Markdown that can be read as it stands."""
    rows = [COLUMNS, *figures]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def line(figure: Figure) -> str:
    """A row as it comes, before it is known how wide the others are."""
    return "| " + " | ".join(figure) + " |"
