"""The command that looks at the configuration: check."""

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click

from feedd.cli.common import config_option, configuration, json_option, print_json
from feedd.config.channels import (
    AppriseChannel,
    Channel,
    CommandChannel,
    EmailChannel,
    FileChannel,
    WebhookChannel,
)
from feedd.config.secrets import Secret
from feedd.config.settings import Config
from feedd.config.sources import DirectorySource, Source, WebSource
from feedd.config.templates import Template
from feedd.errors import ConfigError
from feedd.notify import apprise_way
from feedd.publish.plan import HEALTH, Plan, plans

MOST_NAMED = 5  # feeds, in one warning


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


def warnings_of(config: Config) -> Iterator[str]:
    """What is no mistake, but will fail or surprise at run time."""
    if not config.sources:
        yield f"{config.path}: sources: there is none; add one as [sources.NAME]"
    for source in config.sources:
        for key, warning in of_source(source):
            yield f"{config.path}: sources.{source.name}{key}: {warning}"
    for channel in config.channels:
        for key, warning in of_channel(channel, config.path.absolute().parent):
            yield f"{config.path}: notify.{channel.name}{key}: {warning}"
    yield from of_private_feeds(config)
    yield from of_publishing(config)
    if not config.store.path.parent.is_dir():
        yield f"{config.path}: store.path: the folder {config.store.path.parent} does not exist"


def of_publishing(config: Config) -> Iterator[str]:
    wish, path = config.publish, config.path
    if wish is None:
        return
    if config.server.base_url is None:
        yield (
            f"{path}: server.base_url: is missing, so that what is published names itself by"
            f" {config.server.public_url}, which readers elsewhere can't reach"
        )
    if not wish.directory.is_dir() and not wish.directory.parent.is_dir():
        yield f"{path}: publish.directory: the folder {wish.directory.parent} does not exist"
    if wish.command is not None and not is_program(wish.command[0], path.absolute().parent):
        yield f"{path}: publish.command: {wish.command[0]} is no program that can be run"


def of_private_feeds(config: Config) -> Iterator[str]:
    """A private feed hides the feed, and not its entries."""
    if config.server.access == "token":
        return
    made = plans(config)
    for private in (made[name] for name in sorted(config.private_feeds)):
        if private.shows_notices:
            continue
        names = [
            each.name for each in made.values() if not config.is_private(each.name) and shares(private, each)
        ]
        also = f"in the public feeds {cut_short(names)}, on " if names else "on "
        yield (
            f"{config.path}: feeds.{private.name}.access: the feed is private, but its entries also stand {also}"
            'pages and in searches that all may read; to close everything, write access = "token" under [server]'
        )


def shares(one: Plan, other: Plan) -> bool:
    """Whether entries of one may stand in the other, as far as their sources tell."""
    if other.name == HEALTH:
        return False
    return one.sources is None or other.sources is None or not set(one.sources).isdisjoint(other.sources)


def cut_short(names: Sequence[str]) -> str:
    shown, rest = ", ".join(f"'{each}'" for each in names[:MOST_NAMED]), len(names) - MOST_NAMED
    return f"{shown} and {rest} more" if rest > 0 else shown


def of_source(source: Source) -> Iterator[tuple[str, str]]:
    """(key, warning)."""
    try:
        if isinstance(source, DirectorySource):
            next(source.path.iterdir(), None)
    except OSError as error:
        yield ".path", f"{source.location} can't be read: {error.strerror}"
    if isinstance(source, WebSource):
        yield from of_secrets(("", each) for each in source.secrets)


def of_channel(channel: Channel, folder: Path) -> Iterator[tuple[str, str]]:
    """(key, warning)."""
    yield from of_secrets(channel.secrets)
    yield from of_words(channel)
    match channel:
        case WebhookChannel() if not channel.secret:
            yield ".secret", "there is none: the receiver can't tell who sent a message"
        case EmailChannel() if channel.security == "none" and channel.password is not None:
            yield ".security", 'the password is sent as it is; write "starttls" or "tls"'
        case CommandChannel() if not is_program(channel.command[0], folder):
            yield ".command", f"{channel.command[0]} is no program that can be run"
        case FileChannel() if not channel.path.parent.is_dir():
            yield ".path", f"the folder {channel.path.parent} does not exist"
        case FileChannel() if channel.path.is_symlink():
            yield ".path", f"{channel.path} is a symbolic link; write the path of the file itself"
        case FileChannel() if channel.path.exists() and not channel.path.is_file():
            yield ".path", f"{channel.path} is not an ordinary file"


def of_words(channel: Channel) -> Iterator[tuple[str, str]]:
    """(key, warning) of templates that are never used."""
    match channel:
        case EmailChannel():
            yield from unused(channel.template, "a mail", ("text", "html"))
        case AppriseChannel() if not channel.url.missing and channel.template.given:
            form = apprise_way.form_of(channel.url.reveal())
            yield from unused(channel.template, "this service", (str(form),))


def unused(template: Template, who: str, forms: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for name in template.given:
        if name not in ("title", *forms):
            yield f".template.{name}", f"{who} takes {' and '.join(forms)}, so that this is never used"


def is_program(name: str, folder: Path) -> bool:
    return shutil.which(os.path.join(folder, name) if "/" in name else name) is not None


def of_secrets(secrets: Iterable[tuple[str, Secret]]) -> Iterator[tuple[str, str]]:
    """(key, warning) of each that has one, and each once."""
    yield from dict.fromkeys(
        (f".{key}" if key else "", each.warning) for key, each in secrets if each.warning
    )
