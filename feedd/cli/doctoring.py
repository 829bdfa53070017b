"""The command that looks whether all is well: doctor."""

from pathlib import Path

import click

from feedd.cli.common import config_option, json_option


@click.command()
@json_option
@config_option
def doctor(config_path: Path | None, *, as_json: bool) -> None:
    """Say what is well, what is not, and what to do about it. Changes nothing."""
