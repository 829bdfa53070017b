"""What is to be sent to subscribers now: documents of just what is new, each written once (WebSub section 7)."""

import hmac
import logging
from collections import Counter
from collections.abc import Collection, Mapping
from enum import Enum, auto
from typing import NamedTuple

from feedd.errors import StoreError
from feedd.publish.cache import FORMATS, Feeds, links_of
from feedd.publish.news import MOST_BYTES, News, Since
from feedd.publish.plan import HEALTH
from feedd.store.database import translated
from feedd.store.log import newest_id
from feedd.store.subscribers import Subscriber, everyone
from feedd.websub.requests import host_of

AT_ONCE = 16  # callbacks
PER_HOST = 4  # of them, at one host
SLOW_S = 2.0  # that the last answer of a slow callback took
SLOW_AT_ONCE = AT_ONCE // 2
UNPROVEN_AT_ONCE = (
    AT_ONCE * 3 // 4
)  # slow ones, and those that did not answer yet: the rest is for prompt ones
ROOM_BYTES = 64_000_000  # of documents that are under way
WORTH_NOTING = 1_000  # changes without news: so many are not gone through again after a restart
SOONEST_MS = 60_000  # it is looked again at least so often
log = logging.getLogger(__name__)


class Ping(NamedTuple):
    """One document for one subscriber."""

    subscriber: Subscriber
    body: bytes
    headers: tuple[tuple[str, str], ...]
    told: int  # the change up to which it tells all
    at_ms: int  # when the newest was recorded of what it tells
    items: int  # that it tells of


class Round(NamedTuple):
    """What is to be done now."""

    pings: Mapping[str, tuple[Ping, ...]]  # by callback
    idle: tuple[int, ...]  # subscribers to whom there is nothing to tell up to `newest`
    behind: tuple[int, ...]  # those of them for whom that is worth to be noted
    spoilt: tuple[Subscriber, ...]  # what they are to be told can't be written
    newest: int  # change in the log
    expired: bool  # leases have ended
    next_ms: int  # when to look again, whatever happens


class Under(NamedTuple):
    """What is under way, and what is known of subscribers that were looked at."""

    callbacks: Collection[str]
    seconds: Mapping[str, float]  # by callback: how long it took to answer last
    looked: Mapping[int, int]  # by subscriber: the change up to which there was nothing to tell


class Printed(NamedTuple):
    body: bytes
    headers: tuple[tuple[str, str], ...]
    at_ms: int
    items: int


class Pace(Enum):
    """How a callback answered last."""

    SLOW = auto()
    UNKNOWN = auto()
    PROMPT = auto()


def pace_of(seconds: float | None) -> Pace:
    if seconds is None:
        return Pace.UNKNOWN
    return Pace.SLOW if seconds > SLOW_S else Pace.PROMPT


def is_room(pace: Pace, begun: Mapping[Pace, int]) -> bool:
    """Whether one more callback may be sent to, while so many are: slow ones never take the places of prompt ones."""
    unproven = begun[Pace.SLOW] + begun[Pace.UNKNOWN]
    if unproven + begun[Pace.PROMPT] >= AT_ONCE:
        return False
    if pace is Pace.SLOW and begun[pace] >= SLOW_AT_ONCE:
        return False
    return pace is Pace.PROMPT or unproven < UNPROVEN_AT_ONCE


class Places:
    """Who is being sent to."""

    def __init__(self, under: Under) -> None:
        self.seconds = under.seconds
        self.hosts = Counter(map(host_of, under.callbacks))
        self.begun = Counter(map(self.pace, under.callbacks))

    def pace(self, callback: str) -> Pace:
        return pace_of(self.seconds.get(callback))

    def has_room(self, callback: str) -> bool:
        return is_room(self.pace(callback), self.begun) and self.hosts[host_of(callback)] < PER_HOST

    def take(self, callback: str) -> None:
        self.hosts[host_of(callback)] += 1
        self.begun[self.pace(callback)] += 1


class Press:
    """Writes documents, and keeps the newest one: what is asked for twice in a row is written once. Of one thread."""

    def __init__(self, feeds: Feeds) -> None:
        self.feeds = feeds
        self.key: object = None
        self.news: News | None = None
        self.formats: dict[str, Printed] = {}
        self.bytes = 0  # that were written in this round

    def printed(self, each: Subscriber, told: int, state: tuple[int, ...]) -> Printed | None:
        """None: there is nothing new that the format can tell of; only Atom tells of removals.

        `state` changes with the store.
        """
        most_bytes = min(each.most_bytes or MOST_BYTES, MOST_BYTES)
        since = Since(told, each.told_at_ms if each.feed == HEALTH else 0, most_bytes)
        key = each.feed, since, state
        if self.key != key:
            self.key, self.formats, self.news = None, {}, None
            self.news = self.feeds.news(each.feed, since)
            self.key = key
            if self.news is not None and self.news.is_cut:
                words = "%s: a push has room for the %d newest of what is new; the rest is left out of it"
                log.warning(words, each.feed, self.news.items)
        news = self.news
        if news is None or not (news.document.entries or each.format == "atom"):
            return None
        if each.format not in self.formats:
            media_type, write = FORMATS[each.format]
            body = write(news.document)
            self.bytes += len(body)
            headers = (("Content-Type", media_type), ("Link", links_of(news.document, each.format)))
            self.formats[each.format] = Printed(body, headers, news.at_ms, count_of(news, each.format))
        return self.formats[each.format]


def count_of(news: News, format_: str) -> int:
    """What a document tells: only Atom tells of removals."""
    return news.items if format_ == "atom" else len(news.document.entries)


def gather(press: Press, under: Under, now_ms: int) -> Round:
    """Read the store for a round. What finds no room has its turn when something else is done. Raises StoreError."""
    reader = press.feeds.reader
    with translated(reader.path):
        newest, everybody = newest_id(reader.connection), everyone(reader.connection)
    lately = [incident.changed_ms for incident in reader.incidents(1)]
    press.bytes, places, next_ms = 0, Places(under), now_ms + SOONEST_MS
    pings: dict[str, list[Ping]] = {}
    idle, behind, spoilt = list[int](), list[int](), list[Subscriber]()
    for each in everybody:
        next_ms = min(next_ms, each.lease_until_ms)
        told = max(each.told, under.looked.get(each.id, 0))
        stirred = each.feed == HEALTH and lately > [each.told_at_ms]
        if each.lease_until_ms <= now_ms or each.callback in under.callbacks:
            continue
        if each.next_attempt_ms is not None and each.next_attempt_ms > now_ms:
            next_ms = min(next_ms, each.next_attempt_ms)
            continue
        is_new = each.callback not in pings
        full = is_new and not places.has_room(each.callback)
        if full or press.bytes > ROOM_BYTES or (told >= newest and not stirred):
            continue
        try:
            made = press.printed(each, told, (newest, *lately))
        except StoreError:
            raise
        except Exception:
            log.exception("a bug in feedd: what is new in %s can't be written", each.feed)
            spoilt.append(each)
            continue
        if made is None:
            idle.append(each.id)
            behind += [each.id] if newest - each.told > WORTH_NOTING else []
            continue
        if is_new:
            places.take(each.callback)
        headers = made.headers + signature(each.secret, made.body)
        ping = Ping(each, made.body, headers, newest, made.at_ms, made.items)
        pings.setdefault(each.callback, []).append(ping)
    sent = {callback: tuple(some) for callback, some in pings.items()}
    expired = any(each.lease_until_ms <= now_ms for each in everybody)
    return Round(sent, tuple(idle), tuple(behind), tuple(spoilt), newest, expired, next_ms)


def signature(secret: str | None, body: bytes) -> tuple[tuple[str, str], ...]:
    """The header by which a subscriber knows that the document is of this hub (section 7.1)."""
    if secret is None:
        return ()
    return (("X-Hub-Signature", f"sha256={hmac.new(secret.encode(), body, 'sha256').hexdigest()}"),)
