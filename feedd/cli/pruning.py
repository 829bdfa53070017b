"""The command that lets go of earlier versions: prune."""

import threading
from pathlib import Path

import click

from feedd import shapes
from feedd.cli.common import config_option, configuration, json_option, print_json, table
from feedd.cli.completing import names_in
from feedd.cli.passes import Bars, progress_bars
from feedd.config.settings import Config
from feedd.keeping import kept
from feedd.looks import named, now_ms
from feedd.store.desk import Desk
from feedd.store.pruning import Pruner, Report
from feedd.store.retention import Gone, Keeps, in_units, planned

EVERYTHING = "it has no `keep`: every version stays"


@click.command()
@click.argument("names", nargs=-1, metavar="[SOURCE]...", shell_complete=names_in("sources"))
@click.option("--dry-run", is_flag=True, help="Say what would go; nothing is deleted.")
@json_option
@config_option
def prune(config_path: Path | None, names: tuple[str, ...], *, dry_run: bool, as_json: bool) -> None:
    """Delete the earlier versions that the sources' `keep` does not keep. The newest always stays."""
    config = configuration(config_path)
    chosen = named(config, names) if names else list(config.sources)
    keeps = kept(chosen)
    with progress_bars() as progress:
        report = pruned(config, keeps, progress, dry_run=dry_run, whole=not names)
    bounded = {each.name for each in keeps}
    unbounded = [
        Gone(each.name, kept_because=(EVERYTHING,)) for each in chosen if names and each.name not in bounded
    ]
    report = report._replace(sources=[*report.sources, *unbounded])
    if as_json:
        print_json(shapes.prune(report, dry_run=dry_run))
    else:
        print_report(report, dry_run=dry_run)


def pruned(config: Config, keeps: list[Keeps], bars: Bars, *, dry_run: bool, whole: bool) -> Report:
    path = config.store.path
    if not keeps or not path.exists():
        return Report([Gone(each.name) for each in keeps])
    if dry_run:
        with planned(path, keeps, now_ms()) as plan:
            return Report(plan.gone())
    stop = threading.Event()
    with Desk(path) as desk:
        pruner = Pruner(desk, path, stop, whole=whole, progress=bars.of("versions"))
        try:
            return pruner.run(keeps, now_ms())
        finally:
            stop.set()  # a signal does not wait for the file to be written anew


def print_report(report: Report, *, dry_run: bool) -> None:
    if not report.sources:
        click.echo("no source has a `keep`: every version stays")
        return
    heads = ("source", "versions", "documents", "bytes", "stays though a bound asks for it")
    rows = (
        (
            each.name,
            f"{each.versions:,}",
            f"{each.raws:,}",
            in_units(each.bytes),
            "; ".join(each.kept_because),
        )
        for each in report.sources
    )
    table(heads, rows)
    if dry_run:
        click.echo("this would go; nothing was deleted")
    elif report.space:
        click.echo(report.space)
