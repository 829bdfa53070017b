"""The commands as click knows them: which there are, and what they take."""

from collections.abc import Iterator, Sequence

import click

from feedd.cli.main import cli


def commands(command: click.Command = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """(words, command) of all that can be called: groups are walked through."""
    if not isinstance(command, click.Group):
        yield " ".join(path), command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None, name
        yield from commands(found, (*path, name))


def options(command: click.Command) -> Iterator[tuple[str, ...]]:
    """The spellings of each option, but --config and --help, which are the same everywhere."""
    for each in command.params:
        if isinstance(each, click.Option) and "--config" not in each.opts:
            yield (*each.opts, *each.secondary_opts)


def parse(words: Sequence[str]) -> None:
    """Read a command line as `feedd` would, and run nothing. Raises click.UsageError."""
    command: click.Command = cli
    context, rest = None, list(words)
    while True:
        context = command.make_context(command.name, rest, parent=context)
        if not isinstance(command, click.Group):
            return
        _, found, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert found is not None
        command = found
