"""What a channel may send now, and when it is asked again: read from the store, decided by the channel's pace."""

import sqlite3
from collections.abc import Collection
from typing import NamedTuple

from feedd.notify.pace import FAILURES_UNTIL_REST, HOUR_MS, Pace
from feedd.store import deliveries
from feedd.store.channels import State
from feedd.store.deliveries import Head


class Round(NamedTuple):
    """What is to be done now."""

    heads: tuple[Head, ...] = ()  # to send
    gather_after: int | None = None  # what is due goes in one message, but for the first so many
    again_ms: int | None = None  # when there is something to do next, as far as is known


NOTHING = Round()


def planned(
    connection: sqlite3.Connection, state: State, pace: Pace, at_once: int, busy: Collection[int], now_ms: int
) -> Round:
    """`busy`: deliveries that are being sent, or were and it is not noted yet."""
    if state.disabled_ms is not None:
        return NOTHING
    rest_ms = max(state.resting_until_ms or 0, pace.awake_ms(now_ms))
    if rest_ms > now_ms:
        return Round(again_ms=rest_ms)
    # one at a time asks whether a receiver that failed is back
    free = (1 if state.failures >= FAILURES_UNTIL_REST else at_once) - len(busy)
    if free <= 0:
        return NOTHING
    if pace.gathers:
        return of_gathered(connection, state.id, free, busy, now_ms)
    if pace.max_per_hour is not None:
        return of_bounded(connection, state.id, pace.max_per_hour, free, busy, now_ms)
    return Round(
        heads(connection, state.id, free, busy, now_ms),
        None,
        deliveries.next_ms(connection, state.id, now_ms),
    )


def heads(
    connection: sqlite3.Connection,
    channel_id: int,
    free: int,
    busy: Collection[int],
    now_ms: int,
    *,
    begun: bool = False,
) -> tuple[Head, ...]:
    found = deliveries.heads(connection, channel_id, now_ms, free + len(busy), begun=begun)
    return tuple(head for head in found if head.id not in busy)[:free]


def of_gathered(
    connection: sqlite3.Connection, channel_id: int, free: int, busy: Collection[int], now_ms: int
) -> Round:
    """A channel whose changes go together: what is due, unless the message before is still under way."""
    fresh = deliveries.waiting(connection, channel_id, now_ms) > 0 and not deliveries.is_gathered(
        connection, channel_id
    )
    begun = heads(connection, channel_id, free, busy, now_ms, begun=True)
    return Round(begun, 0 if fresh else None, deliveries.next_ms(connection, channel_id, now_ms))


def of_bounded(
    connection: sqlite3.Connection, channel_id: int, most: int, free: int, busy: Collection[int], now_ms: int
) -> Round:
    """A channel with `max_per_hour`: what is over goes in one message, which is the last one for now."""
    arrived = deliveries.lately(connection, channel_id, now_ms)
    room = most - len(arrived) - len(busy)
    if room <= 0:
        return Round(again_ms=arrived[0] + HOUR_MS if arrived else None)
    waiting = deliveries.waiting(connection, channel_id, now_ms) - len(busy)
    if waiting > room and not deliveries.is_gathered(connection, channel_id):
        return Round((), room - 1, None)
    again_ms = deliveries.next_ms(connection, channel_id, now_ms)
    return Round(heads(connection, channel_id, min(free, room), busy, now_ms), None, again_ms)
