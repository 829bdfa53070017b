"""What is to be sent to subscribers now: documents of just what is new, each written once (WebSub section 7)."""

import hmac
import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from feedd.errors import StoreError
from feedd.publish.cache import FORMATS, Feeds, links_of
from feedd.publish.news import News, Since
from feedd.publish.plan import HEALTH
from feedd.store.database import translated
from feedd.store.log import newest_id
from feedd.store.subscribers import Subscriber, everyone
from feedd.websub.requests import host_of

AT_ONCE = 16  # callbacks
PER_HOST = 4  # of them, at one host
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

    hosts: Mapping[str, int]  # how many callbacks of each
    callbacks: Collection[str]
    looked: Mapping[int, int]  # by subscriber: the change up to which there was nothing to tell


class Printed(NamedTuple):
    body: bytes
    headers: tuple[tuple[str, str], ...]
    at_ms: int


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
        since = Since(told, each.told_at_ms if each.feed == HEALTH else 0)
        key = each.feed, since, state
        if self.key != key:
            self.key, self.formats, self.news = None, {}, None
            self.news = self.feeds.news(each.feed, since)
            self.key = key
        news = self.news
        if news is None or not (news.document.entries or each.format == "atom"):
            return None
        if each.format not in self.formats:
            media_type, write = FORMATS[each.format]
            body = write(news.document)
            self.bytes += len(body)
            headers = (("Content-Type", media_type), ("Link", links_of(news.document, each.format)))
            self.formats[each.format] = Printed(body, headers, news.at_ms)
        return self.formats[each.format]


def gather(press: Press, under: Under, now_ms: int) -> Round:
    """Read the store for a round. What finds no room has its turn when something else is done. Raises StoreError."""
    reader = press.feeds.reader
    with translated(reader.path):
        newest, everybody = newest_id(reader.connection), everyone(reader.connection)
    lately = [incident.changed_ms for incident in reader.incidents(1)]
    press.bytes, hosts, next_ms = 0, Counter(under.hosts), now_ms + SOONEST_MS
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
        host = host_of(each.callback)
        is_new = each.callback not in pings
        full = is_new and (hosts.total() >= AT_ONCE or hosts[host] >= PER_HOST)
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
        hosts[host] += is_new
        headers = made.headers + signature(each.secret, made.body)
        pings.setdefault(each.callback, []).append(Ping(each, made.body, headers, newest, made.at_ms))
    sent = {callback: tuple(some) for callback, some in pings.items()}
    expired = any(each.lease_until_ms <= now_ms for each in everybody)
    return Round(sent, tuple(idle), tuple(behind), tuple(spoilt), newest, expired, next_ms)


def signature(secret: str | None, body: bytes) -> tuple[tuple[str, str], ...]:
    """The header by which a subscriber knows that the document is of this hub (section 7.1)."""
    if secret is None:
        return ()
    return (("X-Hub-Signature", f"sha256={hmac.new(secret.encode(), body, 'sha256').hexdigest()}"),)


def counted(callbacks: Iterable[str]) -> Mapping[str, int]:
    return Counter(map(host_of, callbacks))
