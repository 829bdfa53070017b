"""The command that has a running daemon read its configuration again."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import click

from feedd.cli.common import config_option, configuration
from feedd.daemon import control
from feedd.errors import ConfigError, FeeddError


@click.command()
@config_option
def reload(config_path: Path | None) -> None:
    """Have the running daemon read its configuration again, and wait for that. One with a mistake changes nothing."""
    try:
        config = configuration(config_path, thorough=True)
    except ConfigError:
        hang_up()  # the daemon's status, log and health feed are to name the mistakes, too
        raise
    try:
        result = control.ask(config.store.path, {"command": "reload"}, lambda _: None)
    except control.NoDaemon:
        if hang_up():
            click.echo("the daemon was told; its log says what came of it")
            return
        raise FeeddError(f"no feedd runs on {config.store.path}: nothing was reloaded") from None
    if "mistakes" in result:  # its environment and its credentials are others than ours
        raise ConfigError(tuple(result["mistakes"]))
    if "error" in result:
        raise FeeddError(f"the daemon goes on as it was: {result['error']}")
    click.echo(result["done"])


def hang_up() -> bool:
    """Tell the daemon that systemd names to its ExecReload by a signal, whatever the file says; whether there is one."""
    pid = os.environ.get("MAINPID", "")
    if not pid.isdigit():
        return False
    with suppress(ProcessLookupError):
        os.kill(int(pid), signal.SIGHUP)
        return True
    return False
