"""What is to be done about the subscriptions of our sources at hubs elsewhere. Pure."""

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import NamedTuple

from feedd.config.settings import Server
from feedd.config.sources import FeedSource
from feedd.store.subscriptions import Offer, Subscription
from feedd.websub.incoming import DAY_MS, is_public, renew_at

FAREWELLS = 3  # that a hub is told that we go, at most


class Duty(Enum):
    SUBSCRIBE = auto()  # or renew
    GIVE_UP = auto()  # the hub did not verify
    TURN = auto()  # to another hub of the source: this one fails for a day
    LAPSE = auto()  # the lease is over
    END = auto()  # it is not wanted any more
    UNSUBSCRIBE = auto()
    FORGET = auto()


class Wish(NamedTuple):
    """A subscription that there should be."""

    offer: Offer
    base: str  # that its callback begins with


def duty_of(row: Subscription, wish: Wish | None, now_ms: int) -> Duty | None:
    """What is to be done now, if anything."""
    is_due = row.next_attempt_ms is None or row.next_attempt_ms <= now_ms
    if row.state == "ending":
        if not is_due:
            return None
        return Duty.FORGET if row.attempts >= FAREWELLS else Duty.UNSUBSCRIBE
    if wish is None or not fits(row, wish):
        return Duty.END
    if row.state == "active":
        until_ms = row.lease_until_ms or 0
        if until_ms <= now_ms:
            return Duty.LAPSE
        return Duty.SUBSCRIBE if is_due and renew_at(row.confirmed_ms or 0, until_ms) <= now_ms else None
    if row.state != "asked" and len(wish.offer.hubs) > 1 and fails_for_long(row, now_ms):
        return Duty.TURN
    if not is_due:
        return None
    return Duty.GIVE_UP if row.state == "asked" else Duty.SUBSCRIBE


def fits(row: Subscription, wish: Wish) -> bool:
    same = (row.topic, row.callback) == (wish.offer.topic, f"{wish.base}{row.token}")
    return same and row.hub in wish.offer.hubs


def fails_for_long(row: Subscription, now_ms: int) -> bool:
    return row.failing_since_ms is not None and now_ms - row.failing_since_ms >= DAY_MS


def next_hub(wish: Wish, hub: str | None = None) -> str:
    """The hub to be asked after that one: each in turn."""
    hubs = wish.offer.hubs
    return hubs[(hubs.index(hub) + 1) % len(hubs)] if hub in hubs else hubs[0]


def missing(wishes: Mapping[int, Wish], rows: Sequence[Subscription]) -> list[Wish]:
    """The wishes, by source, that no row stands for."""
    held = {row.source_id for row in rows if row.state != "ending"}
    return [wish for source_id, wish in wishes.items() if source_id not in held]


def callbacks_at(server: Server, source: FeedSource) -> str | None:
    """What the addresses of a source's callbacks begin with; None if a hub can't reach this server.

    `allow_private` says that the source is in a network of one's own: there its hub may reach us, too.
    """
    base = server.base_url
    if base is not None and is_public(base):
        return f"{base}push/"
    if source.allow_private and server.public_url.startswith(("http://", "https://")):
        return f"{server.public_url}push/"
    return None
