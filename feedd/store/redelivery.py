"""Deliveries that a person wants to be tried again, or cancelled: which those are, and what is done about them.

Functions on a connection, those that write within a transaction of the writer's. They are found first and taken
in parts, each in a short transaction.
"""

import sqlite3
from collections.abc import Collection, Iterator, Sequence

from feedd.errors import UnknownName, UsageError
from feedd.normalise.url import shown
from feedd.store import attempts, channels, deliveries
from feedd.store.deliveries import Chosen, Delivery

DONE_BADLY = ("failed", "cancelled")
AT_ONCE = 1_000  # deliveries of one transaction: nobody waits for long to write
CANCELLED = "cancelled by a person"


def require_channel(connection: sqlite3.Connection, name: str | None, configured: Collection[str]) -> None:
    """`configured` are the channels of the configuration. Raises UnknownName for one that never was."""
    if name is None or name in configured or channels.named(connection, [name]):
        return
    raise UnknownName(f"there is no channel '{shown(name)}'")


def require_ids(chosen: Chosen, found: Sequence[Delivery]) -> None:
    """Raises UnknownName for a number that is none of those that are meant."""
    if missing := sorted(set(chosen.ids) - {each.id for each in found}):
        raise UnknownName(f"there is no delivery {', '.join(map(str, missing))} that fits")


def to_retry(connection: sqlite3.Connection, chosen: Chosen) -> list[Delivery]:
    """What is to be tried again, the newest first: what was done badly, unless it is said what.

    Raises UsageError where nothing is said, or a channel can't be told any more; UnknownName.
    """
    require_some(chosen)
    if not chosen.statuses and not chosen.ids:
        chosen = chosen._replace(statuses=DONE_BADLY)
    found = deliveries.listed(connection, chosen)
    require_ids(chosen, found)
    for name, (_, configured) in channels.named(connection, {each.channel for each in found}).items():
        if not configured:
            raise UsageError(f"the channel '{name}' is not in the configuration (any more)")
    return found


def to_cancel(connection: sqlite3.Connection, chosen: Chosen) -> list[Delivery]:
    """What waits, of that which is chosen, the newest first. Raises UsageError, UnknownName."""
    require_some(chosen)
    if chosen.statuses and "pending" not in chosen.statuses:
        raise UsageError("only what is pending can be cancelled")
    chosen = chosen._replace(statuses=("pending",))
    found = deliveries.listed(connection, chosen)
    require_ids(chosen, found)
    return found


def require_some(chosen: Chosen) -> None:
    """Raises UsageError where all that there ever were would be meant."""
    if not (chosen.ids or chosen.channel or chosen.statuses or chosen.since_ms is not None):
        raise UsageError("say which deliveries: by ID, channel, status or time")


def parts(found: Sequence[Delivery]) -> Iterator[Sequence[Delivery]]:
    yield from (found[start : start + AT_ONCE] for start in range(0, len(found), AT_ONCE))


def retry(connection: sqlite3.Connection, some: Sequence[Delivery], now_ms: int) -> int:
    """Try these now; their channels are tried anew. Returns how many changes that is."""
    for channel_id, _ in channels.named(connection, {each.channel for each in some}).values():
        channels.revive(connection, channel_id, now_ms)
    return attempts.again(connection, [each.id for each in some], now_ms)


def cancel(connection: sqlite3.Connection, some: Sequence[Delivery], now_ms: int) -> int:
    """Let go of these; returns how many rows that is."""
    return attempts.cancel(connection, [each.id for each in some], CANCELLED, now_ms)
