"""The commands from and to other readers: add, import, export."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click

from feedd.cli.common import config_option, configuration, json_option, print_json
from feedd.config.settings import Config
from feedd.errors import FeeddError, UsageError
from feedd.exchange.export import opml_of, subscriptions
from feedd.exchange.opml_in import read_opml
from feedd.exchange.plan import Planned, planned
from feedd.exchange.toml_file import append_sources
from feedd.normalise.url import shown

MAX_BYTES = 50_000_000


@click.command()
@click.argument("url", metavar="URL")
@click.option("--name", help="What the source is called (else: made from the feed's title).")
@click.option("--tag", "tags", multiple=True, help="A tag; may be given several times.")
@click.option("--every", metavar="DURATION", help="How often it is looked at: 10m, 1h, 1d or auto.")
@click.option("--allow-private", is_flag=True, help="It may have a loopback or private address.")
@json_option
@config_option
def add(
    config_path: Path | None,
    url: str,
    name: str | None,
    tags: tuple[str, ...],
    every: str | None,
    *,
    allow_private: bool,
    as_json: bool,
) -> None:
    """Find the feed of a site, and append it to the configuration, whose comments stay."""
    from feedd.exchange.subscribe import Wish, subscribe

    done = subscribe(configuration(config_path), Wish(url, name, tags, every, allow_private))
    if as_json:
        print_json(done._asdict())
        return
    if done.url is not None:
        entries = f"{done.entries:,} entr{'y' if done.entries == 1 else 'ies'}"
        click.echo(f"{shown(done.url, 2000)}: {shown(done.title or '') or 'no title'}, {entries}")
    for other in done.others:
        click.echo(f"not taken: {shown(other, 2000)}, which the page names too")
    click.echo(f"added as {done.name}" if done.added else f"subscribed already, as {done.name}")


@click.command("import")
@click.argument("file", metavar="FILE", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Show what would be imported; write nothing.")
@json_option
@config_option
def import_(config_path: Path | None, file: BinaryIO, *, dry_run: bool, as_json: bool) -> None:
    """Append the feeds of an OPML file (- for standard input) to the configuration, nothing twice."""
    config = configuration(config_path)
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise FeeddError(f"{file.name}: is larger than {MAX_BYTES // 1_000_000} MB")
    try:
        reading = read_opml(data)
    except ValueError as error:
        raise FeeddError(f"{file.name}: {error}; feedd imports OPML, as other readers export it") from error
    plan = planned(config, reading.subscriptions)
    if not dry_run:
        append_sources(config.path, plan.imported)
    print_import(plan._replace(skipped=reading.skipped + plan.skipped), dry_run=dry_run, as_json=as_json)


def print_import(plan: Planned, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        imported = [{"name": each.name, "url": each.url} for each in plan.imported]
        skipped = [{"what": what, "why": why} for what, why in plan.skipped]
        print_json({"imported": imported, "skipped": skipped})
        return
    for each in plan.imported:
        click.echo(f"{each.name}: {each.url}")
    for what, why in plan.skipped:
        click.echo(f"skipped {what}: {why}")
    done = "would be imported" if dry_run else "imported"
    click.echo(f"{len(plan.imported):,} {done}, {len(plan.skipped):,} skipped", err=True)


@click.command()
@click.argument("folder", required=False, metavar="[DIR]", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(["opml", "jsonl", "seeds"]), default="opml", show_default=True
)
@config_option
def export(config_path: Path | None, folder: Path | None, form: str) -> None:
    """Write the feeds as OPML, or all entries as JSON Lines, to standard output; or entries as seed files to DIR."""
    config = configuration(config_path)
    if (form == "seeds") != (folder is not None):
        raise UsageError(
            "--format seeds takes the folder to write to; the other formats go to standard output"
        )
    if form == "opml":
        sys.stdout.buffer.write(opml_of(subscriptions(config.sources)))
    elif folder is None:
        for line in entry_lines(config):
            sys.stdout.buffer.write(line)
    else:
        export_seeds(config, folder)


def entry_lines(config: Config) -> Iterator[bytes]:
    """Every entry in the shape of `show`, one a line."""
    from feedd import shapes
    from feedd.cli.listings import newest
    from feedd.store.reader import Reader

    languages = {source.name: source.language for source in config.sources}
    for entry in newest(Reader(config.store.path), config):
        shape = shapes.entry_in_full(entry, languages.get(entry.source))
        yield json.dumps(shape, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def export_seeds(config: Config, folder: Path) -> None:
    from feedd.cli.listings import newest
    from feedd.exchange.entries_out import write_seeds
    from feedd.store.reader import Reader

    written, skipped = write_seeds(newest(Reader(config.store.path), config), folder)
    for url, why in skipped:
        click.echo(f"skipped {url}: {why}", err=True)
    click.echo(f"{written:,} written, {len(skipped):,} skipped", err=True)
    if skipped:
        sys.exit(1)
