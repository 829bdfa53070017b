"""What of a configuration is no mistake, but will fail or surprise at run time: `check` says it, and some of it each start."""

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

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
from feedd.limits import most_files
from feedd.needs import enough_files
from feedd.notify import apprise_way
from feedd.publish.plan import HEALTH, Plan, plans

MOST_NAMED = 5  # feeds, in one warning


def at_start(config: Config) -> Iterator[str]:
    """What an operator should hear before it fails: secrets that can't be had, limits that are too low."""
    for source in config.sources:
        if isinstance(source, WebSource):
            for key, warning in of_missing(("", each) for each in source.secrets):
                yield f"sources.{source.name}{key}: {warning}"
    for channel in config.channels:
        for key, warning in of_missing(channel.secrets):
            yield f"notify.{channel.name}{key}: {warning}"
    if (too_few := enough_files(config, most_files())) is not None:
        yield too_few


def of_missing(secrets: Iterable[tuple[str, Secret]]) -> Iterator[tuple[str, str]]:
    return of_secrets((key, each) for key, each in secrets if each.missing)


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
