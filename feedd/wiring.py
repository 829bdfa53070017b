"""A configuration over a store: what every command that needs both begins with."""

from collections.abc import Sequence
from typing import NamedTuple

from feedd.config.settings import Config
from feedd.config.sources import Source
from feedd.looks import Looked, is_folder, key_of, named, now_ms
from feedd.publish.cache import Feeds
from feedd.publish.plan import plans, settings
from feedd.store.desk import Desk
from feedd.store.reader import Reader


class Wanted(NamedTuple):
    """What an update looks at, and what it leaves for later."""

    sources: list[Source]
    later: list[Looked]


def feeds_of(config: Config, reader: Reader) -> Feeds:
    """The feeds of a configuration over a store."""
    priorities = {source.name: source.priority for source in config.sources}
    titles = {source.name: source.heading for source in config.sources}
    return Feeds(reader, plans(config), config.server.public_url, priorities, titles)


def prepare(desk: Desk, config: Config) -> None:
    """Bring the store in line with the configuration."""
    keys = [key_of(source) for source in config.sources]
    desk.run(lambda writer: writer.configure(keys, settings(config), now_ms()))


def wanted(config: Config, desk: Desk, names: Sequence[str]) -> Wanted:
    """The sources that an update looks at: those named; else folders, and what else is due and not paused.

    Raises UsageError, StoreError.
    """
    if names:
        return Wanted(named(config, names), [])
    checks, now = desk.run(lambda writer: writer.next_checks()), now_ms()
    chosen, later = list[Source](), list[Looked]()
    for source in config.sources:
        check = checks[source.name]
        if source.paused:
            continue
        if check.paused is None and (
            is_folder(source) or source.timing.is_due(check.at_ms, now, check.last_ms)
        ):
            chosen.append(source)
        else:
            at_ms = check.at_ms if check.paused is None else None
            later.append(Looked(source.name, "unchanged", next_check_ms=at_ms, note=check.paused))
    return Wanted(chosen, later)
