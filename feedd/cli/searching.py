"""The command that searches: search."""

import re
from collections.abc import Sequence
from html import unescape
from pathlib import Path

import click

from feedd import shapes
from feedd.cli.common import configuration, cut, day, listing, print_json
from feedd.cli.passes import progress_bars
from feedd.config.settings import Config
from feedd.errors import AlreadyRunning, StoreError
from feedd.harmless import harmless
from feedd.publish.cache import feeds_of
from feedd.search.finder import LIMIT, MOST, Finder, Hit, Results
from feedd.search.indexer import Indexer
from feedd.search.shapes import hit
from feedd.store.desk import Desk
from feedd.store.lock import Lock
from feedd.store.reader import Reader

PATIENCE_S = 10.0  # that bringing the index up to date may take, where no daemon does
MARK = re.compile("</?mark>")


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]})
@click.argument("words", nargs=-1, required=True, metavar="QUERY...")
@listing
def search(
    config_path: Path | None, words: Sequence[str], limit: int | None, since: int | None, *, as_json: bool
) -> None:
    """Search the entries: words, "a phrase", -without, wor*, title:, author:, source:, feed:, tag:, before:, after:,
    changed:.
    """
    config = configuration(config_path)
    reader = Reader(config.store.path)
    finder = Finder(reader, config, feeds_of(config, reader).plans)
    text = " ".join(words)
    finder.asked(text)  # what can't be asked is said before anything is done
    follow(config)
    reader.close()  # the store may have been made, or brought up to date, since
    results = finder.find(text, min(limit or LIMIT, MOST), since)
    if results.state.building:
        click.echo(
            f"the search index is being built: {results.state.behind:,} versions are not in it yet", err=True
        )
    if as_json:
        print_json([hit(each) for each in results.hits])
    else:
        print_results(results)


def follow(config: Config) -> None:
    """Bring the index up to date, where no other process does: the one that holds the lock."""
    if not config.store.path.exists():
        return
    try:
        lock = Lock(config.store.path)
    except (AlreadyRunning, StoreError):  # who may only read finds what there is
        return
    try:
        with Desk(config.store.path) as desk, progress_bars() as bars:
            reader = Reader(config.store.path)
            priorities = {source.name: source.priority for source in config.sources}
            indexer = Indexer(desk, reader, priorities)
            indexer.catch_up(budget_s=PATIENCE_S, progress=bars.of("search index"))
            reader.close()
    except StoreError as error:
        click.echo(f"the search index was not brought up to date: {error}", err=True)
    finally:
        lock.release()


def print_results(results: Results) -> None:
    for each in results.hits:
        print_hit(each)
    if not results.hits:
        click.echo("nothing was found", err=True)
    elif results.more:
        click.echo("there is more: --limit N shows more of it", err=True)


def print_hit(found: Hit) -> None:
    shape = shapes.entry(found.entry)
    click.echo(f"{shape['id']:>6}  {styled(found.title, 100)}")
    click.echo(f"        {day(shape['published'])}  {', '.join(shape['sources'])}  {cut(shape['url'], 120)}")
    if found.fragment:
        click.echo(f"        {styled(found.fragment, 400)}\n")


def styled(html: str, places: int) -> str:
    """As a terminal shows it: bold for what is marked; click leaves that out where there is no terminal."""
    pieces, shown, used = MARK.split(html), "", 0
    for number, piece in enumerate(pieces):
        text = cut(harmless(unescape(piece)), max(1, places - used)) if used < places else ""
        used += len(text)
        shown += click.style(text, bold=True) if number % 2 and text else text
    return shown
