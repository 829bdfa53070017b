"""What commands share: their options, and how they print."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from feedd.allocation import staying
from feedd.config.load import Loader, find, load
from feedd.config.settings import Config
from feedd.config.values import UNITS, instant
from feedd.looks import now_ms

Decorated = Callable[..., Any]


def moment(_: click.Context, __: click.Parameter, value: str | None) -> int | None:
    """A time in milliseconds, from RFC 3339, a date, or how long ago (2h)."""
    if value is None:
        return None
    if ago := re.fullmatch(r"([0-9]{1,9})([smhd])", value):
        return now_ms() - int(ago[1]) * UNITS[ago[2]]
    found = instant(value)
    if found is None:
        raise click.BadParameter(
            f"'{value}' is not a time; write 2024-02-01, 2024-02-01T10:00:00Z or 2h (ago)"
        )
    return found


config_option = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="The configuration file (else ./config.toml, $XDG_CONFIG_HOME/feedd/config.toml, /etc/feedd/config.toml).",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
limit_option = click.option("--limit", type=click.IntRange(1), help="At most so many.")
since_option = click.option(
    "--since", callback=moment, metavar="TIME", help="Only what is not older: a time, a date, or 2h (ago)."
)


def listing(command: Decorated) -> Decorated:
    """The options that every listing takes."""
    return config_option(json_option(limit_option(since_option(command))))


def configuration(config_path: Path | None, *, thorough: bool = False) -> Config:
    """The configuration that the command or the group names; `thorough`: see `load`. Raises ConfigError."""
    chosen = config_path or click.get_current_context().obj
    with staying():
        return load(find(chosen, dict(os.environ)), thorough=thorough)


def read_unchecked(path: Path) -> list[dict[str, Any]]:
    """What stands in the file of a configuration, and in those it includes. Raises ConfigError."""
    loader = Loader(path)
    main = loader.read(path)
    return [main, *(data for _, data in loader.included(main))]


def print_json(value: object) -> None:
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    print(json.dumps(value, ensure_ascii=False, indent=2))


def print_json_list(values: Iterable[object]) -> None:
    """One JSON document, written as it is made: a listing may be longer than memory."""
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    print("[", end="")
    for number, value in enumerate(values):
        print(("," if number else "") + "\n " + json.dumps(value, ensure_ascii=False), end="")
    print("\n]")


def day(time: str | None) -> str:
    """A time of a shape, as a table shows it."""
    return "never" if time is None else time[:16].replace("T", " ")


def table(heads: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    """Columns on a terminal; wide characters take two places."""
    lines = [tuple(map(str, row)) for row in rows]
    widths = [
        max((width(line[column]) for line in (heads, *lines)), default=0) for column in range(len(heads))
    ]
    for line in (heads, *lines):
        cells = (cell + " " * (size - width(cell)) for cell, size in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def width(text: str) -> int:
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


def cut(text: str, places: int) -> str:
    """`text` in at most so many places on a terminal, without control characters."""
    start = "".join(char for char in text[: 2 * places + 1] if char.isprintable())
    if len(text) <= 2 * places and width(start) <= places:
        return start
    taken, kept = 1, ""  # one place for the mark that something was left out
    for char in start:
        taken += width(char)
        if taken > places:
            break
        kept += char
    return kept + "…"
