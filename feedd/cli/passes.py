"""The commands that look at sources: run, update."""

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click
import uvloop

from feedd import shapes
from feedd.allocation import give_back, search_seldom
from feedd.cli.common import (
    config_option,
    configuration,
    json_option,
    print_json,
)
from feedd.cli.completing import names_in
from feedd.cli.logs import log_options
from feedd.config.settings import Config
from feedd.config.sources import Source
from feedd.daemon import control
from feedd.errors import AlreadyRunning, UsageError
from feedd.looks import Looked, Progress, Request, is_folder, named
from feedd.model import COUNTS
from feedd.pipeline import looker
from feedd.store.desk import Desk
from feedd.store.lock import Lock
from feedd.store.reader import Reader
from feedd.wiring import prepare, wanted

WAIT_S = 0.1
DELIVER_S = 60.0  # that an update spends on telling what it found
PROGRESS_FROM = 1_000  # files; fewer are read before a bar is worth drawing
log = logging.getLogger(__name__)


class Updated(NamedTuple):
    """What an update came to."""

    shape: shapes.Shape
    is_mirrored: bool = True  # false: an archive could not be brought up to date, and the log says why


@click.command()
@log_options
@config_option
def run(config_path: Path | None) -> None:
    """Run the daemon: look at sources when they are due, serve feeds and pages."""
    from feedd.daemon.daemon import run as run_daemon

    give_back()
    run_daemon(configuration(config_path, thorough=True), lambda words: log.info("%s", words))


@click.command()
@click.argument("names", nargs=-1, metavar="[SOURCE]...", shell_complete=names_in("sources"))
@click.option("--accept-removals", is_flag=True, help="Remove what is gone, however much it is.")
@json_option
@log_options
@config_option
def update(config_path: Path | None, names: tuple[str, ...], *, accept_removals: bool, as_json: bool) -> None:
    """Look at sources once, then exit. Beside a running daemon, the daemon does the work."""
    search_seldom()
    config = configuration(config_path, thorough=True)
    named(config, names)
    with progress_bars() as progress:
        result, is_mirrored = updated(config, names, accept_removals=accept_removals, progress=progress)
    if "error" in result:
        raise UsageError(
            f"the running daemon answers: {result['error']} (has it read the configuration since? feedd reload)"
        )
    if as_json:
        print_json(result)
    else:
        print_update(result)
    if not is_mirrored or any(source["status"] == "failed" for source in result["sources"]):
        sys.exit(1)


def updated(config: Config, names: tuple[str, ...], *, accept_removals: bool, progress: "Bars") -> Updated:
    """Do the pass here, or have the process do it that holds the lock; wait for one that won't."""
    request = {"command": "update", "sources": list(names), "accept_removals": accept_removals}
    told = False
    while True:
        try:
            lock = Lock(config.store.path)
        except AlreadyRunning as error:
            try:
                return Updated(control.ask(config.store.path, request, progress.from_daemon))
            except control.NoDaemon:
                if not told:
                    click.echo(f"{error}; waiting for it to end", err=True)
                told = True
                time.sleep(WAIT_S)
            continue
        try:
            return update_here(config, names, accept_removals=accept_removals, progress=progress)
        finally:
            lock.release()


def update_here(
    config: Config, names: tuple[str, ...], *, accept_removals: bool, progress: "Bars"
) -> Updated:
    request = Request(accept_removals=accept_removals, asked=bool(names))
    with Desk(config.store.path) as desk:
        prepare(desk, config)
        due = wanted(config, desk, names)

        async def looks() -> list[Looked]:
            async with looker(config, desk, threading.Event()) as each:
                looked = await in_order(
                    due.sources, lambda source: each.look(source, request, progress.of(source.name))
                )
            await delivered(config, desk)
            return looked

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            looked = runner.run(looks())
        return Updated(shapes.update([*looked, *due.later]), archived(config, desk))


def archived(config: Config, desk: Desk) -> bool:
    """Bring the archives up to date; whether that was done."""
    if not config.mirrors:
        return True
    from feedd.mirror.mirrors import mirrored

    return mirrored(config, desk)


async def delivered(config: Config, desk: Desk) -> None:
    """Tell what there is to be told now. What nobody takes waits for the next update, or the daemon."""
    if not config.channels:
        return
    from feedd.telling import deliverer  # what sends takes a tenth of a second

    reader = Reader(config.store.path)
    async with deliverer(config, desk, reader) as office:
        if not await office.drain(DELIVER_S):
            click.echo(
                f"not all was delivered within {DELIVER_S:g} s; the rest waits for the next update", err=True
            )
    reader.close()


async def in_order(sources: list[Source], look: Callable[[Source], Awaitable[Looked]]) -> list[Looked]:
    """Look at folders one after the other, as the configuration names them, and at all else meanwhile."""
    one_by_one = asyncio.Lock()

    async def looked(source: Source) -> Looked:
        if not is_folder(source):
            return await look(source)
        async with one_by_one:
            return await look(source)

    return await asyncio.gather(*map(looked, sources))


def print_update(result: shapes.Shape) -> None:
    for source in result["sources"]:
        counts = [f"{source[key]:,} {key.replace('_', ' ')}" for key in COUNTS if source[key]]
        said = source["error"] or ", ".join([*counts, *filter(None, [source["note"]])]) or "nothing new"
        click.echo(f"{source['name']}: {source['status']}: {said} ({source['seconds']:.2f} s)")
        for each in source["rejected"]:
            click.echo(f"  rejected {each['where']}: {each['reason']}")


def has_terminal() -> bool:
    """Whether standard error is one. There may be none at all: a program that starts feedd may have closed it."""
    return sys.stderr is not None and sys.stderr.isatty()


class Bars:
    """A progress bar a source, on a terminal and for long passes alone."""

    def __init__(self) -> None:
        self.drawn = False

    def of(self, name: str) -> Progress | None:
        if not has_terminal():
            return None
        return lambda done, total: self.draw(name, done, total)

    def from_daemon(self, message: control.Message) -> None:
        if has_terminal():
            self.draw(message["source"], message["done"], message["total"])

    def draw(self, name: str, done: int, total: int) -> None:
        if total < PROGRESS_FROM:
            return
        filled = 30 * done // total
        bar = "█" * filled + "·" * (30 - filled)
        print(f"\r{name} {bar} {done:,} of {total:,}", end="", file=sys.stderr, flush=True)
        self.drawn = True

    def clear(self) -> None:
        if self.drawn:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


@contextmanager
def progress_bars() -> Iterator[Bars]:
    bars = Bars()
    try:
        yield bars
    finally:
        bars.clear()
