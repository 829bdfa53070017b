"""Completion in shells: the command that prints a shell's script, and the names that the configuration gives."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from feedd.errors import ConfigError

Completing = Callable[[click.Context, click.Parameter, str], list[str]]
SHELLS: dict[str, type[ShellComplete]] = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}
VARIABLE = "_FEEDD_COMPLETE"  # by which click is asked, when it is called as `feedd`
HINTS = {
    "bash": "put into ~/.bashrc:  source <(feedd completion bash)",
    "zsh": "put into ~/.zshrc, behind compinit:  source <(feedd completion zsh)",
    "fish": "put into ~/.config/fish/config.fish:  feedd completion fish | source",
}


@click.command()
@click.argument("shell", metavar="bash|zsh|fish", type=click.Choice(list(SHELLS)))
def completion(shell: str) -> None:
    """Print the script by which a shell completes feedd's commands, options, sources and channels."""
    context = click.get_current_context()
    click.echo(f"# To have it in each shell, {HINTS[shell]}")
    click.echo(SHELLS[shell](context.find_root().command, {}, "feedd", VARIABLE).source())


def names_in(section: str) -> Completing:
    """Completes the names of the tables in a section of the configuration; mistakes within them don't matter."""

    def completed(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
        return sorted(name for name in tables(ctx, section) if name.startswith(incomplete))

    return completed


def tables(ctx: click.Context, section: str) -> set[str]:
    """Their names; empty where there is no configuration, or it can't be read: who types is not to be disturbed."""
    from feedd.cli.common import read_unchecked  # slow, and `completion` does without
    from feedd.config.load import find

    with suppress(ConfigError, OSError):
        found = [each.get(section) for each in read_unchecked(find(named(ctx), dict(os.environ)))]
        return {name for each in found if isinstance(each, dict) for name in each}
    return set()


def named(ctx: click.Context) -> Path | None:
    """The file that --config names, after the command or before it."""
    path: Path | None = ctx.params.get("config_path") or ctx.find_root().params.get("path")
    return path and path.expanduser()  # what is completed comes as it was typed
