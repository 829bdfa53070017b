"""What a channel may send now, and when it is asked again: read from the store, decided by the channel's pace."""

import sqlite3
from collections.abc import Collection, Mapping
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


class Busy(NamedTuple):
    """What is under way."""

    sending: Mapping[int, int] = {}  # delivery → thread
    unnoted: Collection[int] = ()  # deliveries that were sent, and it is not noted yet

    @property
    def ids(self) -> list[int]:
        return [*self.sending, *self.unnoted]

    def holds(self, head: Head) -> bool:
        """Whether it must wait for what is under way: it may be that, or about the same entry."""
        return head.id in self.sending or head.id in self.unnoted or head.thread in self.sending.values()


NOTHING = Round()
IDLE = Busy()


def planned(
    connection: sqlite3.Connection,
    state: State,
    pace: Pace,
    at_once: int,
    busy: Busy,
    now_ms: int,
    *,
    gathers: bool = True,
) -> Round:
    """`gathers`: False where it was just found that nothing can be put together."""
    if state.disabled_ms is not None:
        return NOTHING
    rest_ms = max(state.resting_until_ms or 0, pace.awake_ms(now_ms))
    if rest_ms > now_ms:
        return Round(again_ms=rest_ms)
    # one at a time asks whether a receiver that failed is back
    free = (1 if state.failures >= FAILURES_UNTIL_REST else at_once) - len(busy.sending)
    room = None
    if pace.max_per_hour is not None:
        arrived = deliveries.lately(connection, state.id, now_ms)
        room = pace.max_per_hour - len(arrived) - len(busy.ids)
        if room <= 0:
            return Round(again_ms=arrived[0] + HOUR_MS if arrived else None)
        free = min(free, room)
    if free <= 0:
        return NOTHING
    found = deliveries.heads(connection, state.id, now_ms, free + len(busy.ids), begun=pace.gathers)
    heads = tuple(head for head in found if not busy.holds(head))[:free]
    first = over(connection, state.id, pace, room, now_ms) if gathers else None
    if first is not None:
        begun = deliveries.heads(connection, state.id, now_ms, free + len(busy.ids), begun=True)
        heads = tuple(head for head in begun if not busy.holds(head))[:free]
    return Round(heads, first, deliveries.next_ms(connection, state.id, now_ms))


def over(
    connection: sqlite3.Connection, channel_id: int, pace: Pace, room: int | None, now_ms: int
) -> int | None:
    """After how many messages of one change the rest goes in one; None: nothing is put together now."""
    if not pace.gathers and room is None:
        return None
    waiting = deliveries.waiting(connection, channel_id, now_ms)
    most = 0 if pace.gathers or room is None else room
    if waiting <= most or deliveries.is_gathered(connection, channel_id):
        return None
    return max(0, most - 1)
