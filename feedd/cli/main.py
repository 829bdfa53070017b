"""The command line: what stands before every command. A command's module is imported when it runs."""

import importlib
import logging
import os
import sys
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from feedd import __version__
from feedd.allocation import staying
from feedd.cli.logs import log_options

COMMANDS = {
    "run": "passes",
    "reload": "reloading",
    "update": "passes",
    "check": "checking",
    "test": "testing",
    "sources": "listings",
    "feeds": "listings",
    "entries": "listings",
    "show": "listings",
    "history": "listings",
    "diff": "comparing",
    "explain": "listings",
    "search": "searching",
    "add": "exchange",
    "import": "exchange",
    "export": "exchange",
    "publish": "publishing",
    "prune": "pruning",
    "backup": "backing",
    "restore": "backing",
    "doctor": "doctoring",
    "install-service": "installing",
    "deliveries": "delivering",
    "notify": "notifying",
    "token": "tokens",
    "completion": "completing",
}
SPELLED = {  # where another thing has the name, or no Python name could be so
    "import": "import_",
    "deliveries": "deliveries_",
    "install-service": "install_service",
}
log = logging.getLogger(__name__)


class Commands(click.Group):
    """Commands whose modules are imported when they are needed; errors in words."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        with staying():
            module = importlib.import_module(f"feedd.cli.{COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, SPELLED.get(cmd_name, cmd_name))
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names alone: to import all commands for a line of help each takes a second."""
        named = [CompletionItem(name) for name in COMMANDS if name.startswith(incomplete)]
        return named + click.Command.shell_complete(self, ctx, incomplete)

    def invoke(self, ctx: click.Context) -> object:
        from feedd.errors import ConfigError, FeeddError, UsageError

        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()  # at the end of the process nobody would catch that the reader is gone
        except (ConfigError, UsageError) as error:
            click.echo(str(error), err=True)
            sys.exit(2)
        except FeeddError as error:
            click.echo(f"feedd: {error}", err=True)
            sys.exit(1)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except (click.ClickException, click.Abort, click.exceptions.Exit, EOFError):
            raise  # click's own
        except Exception as error:
            log.critical("a bug in feedd ended it: %s", error, exc_info=error)
            sys.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="feedd")
@click.option("--config", "path", type=click.Path(path_type=Path), help="The configuration file.")
@log_options
@click.pass_context
def cli(ctx: click.Context, path: Path | None) -> None:
    """Turns what is published or edited into feeds, keeps every version, and tells what changed."""
    ctx.obj = path
