"""A configuration over a store: what every command that needs both begins with."""

import logging
from collections.abc import Sequence
from typing import NamedTuple

from feedd.config.channels import Channel, Since
from feedd.config.settings import Config
from feedd.config.sources import Source
from feedd.looks import Looked, is_folder, key_of, named, now_ms
from feedd.notify.audience import of_channel
from feedd.publish.plan import settings
from feedd.store.channels import Addressee
from feedd.store.desk import Desk

log = logging.getLogger(__name__)


class Wanted(NamedTuple):
    """What an update looks at, and what it leaves for later."""

    sources: list[Source]
    later: list[Looked]


def prepare(desk: Desk, config: Config) -> None:
    """Bring the store in line with the configuration; say what that cancels."""
    keys = [key_of(source) for source in config.sources]
    told, first = addressees(config), {source.name: source.priority for source in config.sources}
    cancelled = desk.run(lambda writer: writer.configure(keys, settings(config), now_ms(), told, first))
    for name, count in cancelled:
        what = (
            f"; {count:,} {'delivery' if count == 1 else 'deliveries'} that waited for it cancelled"
            if count
            else ""
        )
        log.warning("notify.%s is no longer in the configuration%s", name, what)


def addressees(config: Config) -> list[Addressee]:
    """The channels, as far as it matters for what is queued."""
    return [addressee(channel, config) for channel in config.channels]


def addressee(channel: Channel, config: Config) -> Addressee:
    since = channel.since or Since(None)
    return Addressee(
        channel.name,
        channel.type,
        channel.where,
        channel.settings_hash,
        of_channel(channel, config).wants,
        channel.pace,
        since.ago_ms,
        since.at_ms,
    )


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
