"""The commands that copy the database, and put a copy in its place: backup, restore."""

import os
from pathlib import Path

import click

from feedd.cli.common import config_option, configuration, json_option, print_json
from feedd.cli.passes import progress_bars
from feedd.errors import UsageError
from feedd.looks import now_ms
from feedd.store import backup as copies
from feedd.store.backup import Contents
from feedd.store.retention import in_units

file_argument = click.argument("file", type=click.Path(path_type=Path))


@click.command()
@file_argument
@click.option("--force", is_flag=True, help="Replace a backup of that name.")
@json_option
@config_option
def backup(config_path: Path | None, file: Path, *, force: bool, as_json: bool) -> None:
    """Copy the database into FILE, or into a new file in that folder, and check the copy. Beside a daemon, too."""
    store, now = configuration(config_path).store.path, now_ms()
    if not copies.is_made(store):
        raise UsageError(f"{store}: there is no database yet that could be copied")
    target = copies.target_of(file, store, now, replace=force)
    with progress_bars() as bars:
        made = copies.backup(store, target, bars.of("pages"))
    if as_json:
        print_json({"file": os.fspath(made.file), "bytes": made.bytes, **shape(made.contents)})
        return
    click.echo(f"{made.file}: {in_units(made.bytes)}, checked: {in_words(made.contents)}")


@click.command()
@file_argument
@json_option
@config_option
def restore(config_path: Path | None, file: Path, *, as_json: bool) -> None:
    """Put the backup FILE in the place of the database, which is kept beside it. Not while feedd runs."""
    store = configuration(config_path).store.path
    with progress_bars() as bars:
        done = copies.restore(store, file, now_ms(), bars.of("pages"))
    if as_json:
        kept = None if done.kept is None else os.fspath(done.kept)
        sizes = {"bytes": done.bytes, **shape(done.contents)}
        print_json({"file": os.fspath(store), "kept": kept, "is_behind": done.is_behind, **sizes})
        return
    click.echo(f"{store}: restored from {file}: {in_words(done.contents)}")
    if done.kept is not None:
        click.echo(f"what was there before is kept as {done.kept}; delete it when you need it no more")
    if done.is_behind:
        click.echo(
            "an earlier feedd made it: the next `feedd run` or `feedd update` brings it up to date, and keeps a copy"
        )


def shape(contents: Contents) -> dict[str, object]:
    named = contents._asdict()
    return {name: named[name] for name in ("entries", "versions", "changes", "schema")}


def in_words(contents: Contents) -> str:
    counts = (
        (contents.entries, "entry", "entries"),
        (contents.versions, "version", "versions"),
        (contents.changes, "change", "changes"),
    )
    return ", ".join(f"{count:,} {one if count == 1 else many}" for count, one, many in counts)
