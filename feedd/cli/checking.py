"""The command that looks at the configuration: check."""

import sys
from pathlib import Path

import click

from feedd.cautions import warnings_of
from feedd.cli.common import config_option, configuration, json_option, print_json
from feedd.errors import ConfigError


@click.command()
@json_option
@config_option
def check(config_path: Path | None, *, as_json: bool) -> None:
    """Check the configuration; name every mistake in it."""
    try:
        config = configuration(config_path, thorough=True)
    except ConfigError as error:
        if as_json:
            print_json({"ok": False, "mistakes": list(error.mistakes), "warnings": []})
            sys.exit(2)
        raise
    warnings = list(warnings_of(config))
    if as_json:
        print_json({"ok": True, "mistakes": [], "warnings": warnings})
        return
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    count, told = len(config.sources), len(config.channels)
    channels = f", {told} channel{'' if told == 1 else 's'}" if told else ""
    click.echo(f"{config.path}: no mistakes; {count} source{'' if count == 1 else 's'}{channels}")
