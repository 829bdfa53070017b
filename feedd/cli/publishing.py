"""The command that writes feeds, archives and pages as files: publish."""

import os
import sys
import threading
import time
from pathlib import Path

import click

from feedd.cli.common import config_option, configuration, json_option, print_json
from feedd.comparison import Comparisons
from feedd.errors import UsageError
from feedd.publish.cache import feeds_of
from feedd.site.carrying import carry_on
from feedd.site.publishing import Published, Round
from feedd.site.publishing import publish as published_now
from feedd.store.reader import Reader


@click.command()
@click.option("--anew", is_flag=True, help="Make every file anew, also what did not change.")
@click.option("--adopt", is_flag=True, help="Take over what was published from another database.")
@json_option
@config_option
def publish(config_path: Path | None, *, anew: bool, adopt: bool, as_json: bool) -> None:
    """Write feeds, archives and pages into the directory of [publish]. Beside a daemon, too."""
    config = configuration(config_path)
    if config.publish is None:
        raise UsageError(
            f'{config.path}: nothing says where to publish; write [publish] with directory = "…"'
        )
    if not config.store.path.exists():
        raise UsageError(f"{config.store.path}: there is no database yet; `feedd update` makes it")
    began, reader = time.monotonic(), Reader(config.store.path)
    try:
        feeds = feeds_of(config, reader)
        how = Round(threading.Event(), anew=anew, adopt=adopt)
        done = published_now(config, feeds, Comparisons(reader), how)
    finally:
        reader.close()
    show(done, time.monotonic() - began, as_json=as_json)
    carry_on(config)
    if done.trouble:
        sys.exit(1)


def show(done: Published, seconds: float, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "directory": os.fspath(done.directory),
                "written": done.written,
                "removed": done.removed,
                "kept": done.kept,
                "refused": done.refused,
                "seconds": round(seconds, 3),
            }
        )
    else:
        counts = f"{len(done.written):,} written, {len(done.removed):,} removed, {done.kept:,} as they were"
        click.echo(f"{done.directory}: files: {counts}, in {seconds:.1f} s")
    if done.trouble:
        click.echo(f"feedd: {done.trouble}", err=True)
