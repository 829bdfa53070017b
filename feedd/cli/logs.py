"""The options of the log: before any command, and after those that go on for long."""

import functools
import logging
import pkgutil
from collections.abc import Callable
from typing import Any

import click

import feedd
from feedd.log_output import Format, Wanted, begin

Decorated = Callable[..., Any]
KEY = "feedd.logs"  # where a context keeps what was said before the command
LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
# what feedd is built on, as far as its debugging lines hold no headers, and so no secrets
LIBRARIES = ("asyncio", "uvicorn")


def log_options(command: Decorated) -> Decorated:
    """-v, -q, --log-level and --log-format. What stands after a command goes before what stands before it."""

    @functools.wraps(command)
    def logged(
        *args: object,
        verbose: bool,
        quiet: bool,
        log_levels: tuple[tuple[str, int], ...],
        log_format: str | None,
        **kwargs: object,
    ) -> object:
        if verbose and quiet:
            raise click.UsageError("-v and -q at once: choose one")
        meta = click.get_current_context().meta
        before: Wanted = meta.get(KEY, Wanted())
        meta[KEY] = Wanted(
            before.format if log_format is None else Format(log_format),
            logging.DEBUG if verbose else logging.WARNING if quiet else before.level,
            before.levels + log_levels,
        )
        begin(meta[KEY])
        return command(*args, **kwargs)

    for option in reversed(OPTIONS):
        logged = option(logged)
    return logged


def levels(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
    """Loggers and their levels."""
    return tuple(map(level, given))


def level(text: str) -> tuple[str, int]:
    name, _, said = text.partition("=")
    if said.lower() not in LEVELS:
        raise click.BadParameter(f"'{text}' is not NAME=LEVEL; a level is one of {', '.join(LEVELS)}")
    if name in LIBRARIES:
        return name, LEVELS[said.lower()]
    parts = {each.name for each in pkgutil.walk_packages(feedd.__path__, "feedd.")}
    if f"feedd.{name}" not in parts:
        known = sorted(
            each.removeprefix("feedd.") for each in parts if each.count(".") == 1 and "__" not in each
        )
        raise click.BadParameter(
            f"'{name}' is no part of feedd; there are: {', '.join((*known, *LIBRARIES))},"
            " and parts of those, such as notify.email"
        )
    return f"feedd.{name}", LEVELS[said.lower()]


OPTIONS = (
    click.option("-v", "--verbose", is_flag=True, help="Log what is done in detail, too."),
    click.option("-q", "--quiet", is_flag=True, help="Log warnings and errors alone."),
    click.option(
        "--log-level",
        "log_levels",
        multiple=True,
        callback=levels,
        metavar="NAME=LEVEL",
        help="The level of a part of feedd, such as notify=debug; as often as you like.",
    ),
    click.option(
        "--log-format",
        type=click.Choice([each.value for each in Format]),
        help="auto: to the journal if systemd connected it, else text.",
    ),
)
