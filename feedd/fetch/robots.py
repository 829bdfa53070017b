"""robots.txt (RFC 9309): what feedd may look at on a site, asked once a day."""

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from protego import Protego

from feedd.errors import FetchError, TooManyRedirects
from feedd.fetch import address
from feedd.fetch.address import Address
from feedd.fetch.values import Access, Answer, Ask

AGENT = "feedd"
BYTES = 500_000  # section 2.5: what follows is left out
REDIRECTS = 5  # section 2.3.1.2
KEPT_S = 86_400.0  # section 2.4
RETRY_S = 3_600.0
GIVEN_UP_S = 30 * 86_400.0  # section 2.3.1.4: what can't be had for so long counts as none
ORIGINS = 1_000  # that are remembered
LONGEST_LINE = 2_000
MOST_LINES = 10_000
LONGEST_DELAY_S = 300.0
AGENT_LINE = re.compile(r"\s*user.?agent\s*:?\s*(\*|[a-z_-]*)", re.IGNORECASE | re.ASCII)
RULE_LINE = re.compile(r"\s*(?:allow|disallow|crawl.?delay)\s*:", re.IGNORECASE | re.ASCII)


Fetch = Callable[[Ask], Awaitable[Answer]]


class Rules(NamedTuple):
    """What a site says; `parsed` is None if it can't be asked, which forbids everything."""

    parsed: Protego | None
    until_s: float
    failing_since_s: float | None = None


class Robots:
    """Remembers what sites say. Of one event loop. `clock` gives seconds that only grow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: OrderedDict[tuple[str, str, int], Rules] = OrderedDict()
        self._asking: dict[tuple[str, str, int], asyncio.Lock] = {}

    async def allows(self, fetch: Fetch, url: str, access: Access) -> bool:
        """Whether feedd may ask for that address. False too while the site's robots.txt can't be had.

        Raises FetchError if `url` is no address of the web.
        """
        place, _ = address.read(url)
        if place.target == "/robots.txt":
            return True
        rules = await self._rules(fetch, place, access)
        return rules.parsed is not None and bool(rules.parsed.can_fetch(place.url, AGENT))

    def delay_s(self, url: str) -> float | None:
        """The site's Crawl-delay, which no specification knows, if the site was asked; at most five minutes."""
        rules = self._known.get(address.read(url)[0].origin)
        delay_s = rules.parsed.crawl_delay(AGENT) if rules and rules.parsed else None
        return min(float(delay_s), LONGEST_DELAY_S) if delay_s and delay_s > 0 else None

    async def _rules(self, fetch: Fetch, place: Address, access: Access) -> Rules:
        async with self._asking.setdefault(place.origin, asyncio.Lock()):
            known = self._known.get(place.origin)
            if known is None or known.until_s <= self._clock():
                known = await self._ask(fetch, place, access, known)
                self._known[place.origin] = known
            self._known.move_to_end(place.origin)
        self._forget()
        return known

    def _forget(self) -> None:
        while len(self._known) > ORIGINS:
            origin, _ = self._known.popitem(last=False)
            self._asking.pop(origin, None)

    async def _ask(self, fetch: Fetch, place: Address, access: Access, before: Rules | None) -> Rules:
        bounded = access._replace(max_bytes=BYTES, max_redirects=REDIRECTS)
        ask = Ask(place._replace(target="/robots.txt").url, bounded, accept="text/plain, */*;q=0.5", cut=True)
        now_s = self._clock()
        try:
            answer = await fetch(ask)
        except TooManyRedirects:
            return Rules(read(b""), now_s + KEPT_S)
        except FetchError:
            return unreachable(before, now_s)
        if answer.status == 429 or answer.status >= 500:
            return unreachable(before, now_s)
        return Rules(read(answer.body if answer.status < 300 else b""), now_s + KEPT_S)


def unreachable(before: Rules | None, now_s: float) -> Rules:
    """Nothing is allowed then; rules that were known stay for as long."""
    since_s = now_s if before is None or before.failing_since_s is None else before.failing_since_s
    parsed = before.parsed if before else None
    if now_s - since_s > GIVEN_UP_S:
        parsed = read(b"")
    return Rules(parsed, now_s + RETRY_S, since_s)


def read(body: bytes) -> Protego:
    """The rules of a file. Lines are bounded in length and number: each is matched with each address."""
    lines = body.decode("utf-8", "replace").removeprefix("\ufeff").splitlines()
    kept = [line for line in lines if len(line) <= LONGEST_LINE]
    return Protego.parse("\n".join(islice(essential(kept), MOST_LINES)))


def essential(lines: Iterable[str]) -> Iterator[str]:
    """The lines that count, with each agent once in its group, and all that are not we under one name.

    protego copies each rule to every agent of its group, and a group may name thousands.
    """
    group: set[str] = set()
    for line in lines:
        if found := AGENT_LINE.match(line):
            name = found[1].lower()
            agent = name if name in {AGENT, "*"} else "someone-else"
            if agent not in group:
                group.add(agent)
                yield f"User-agent: {agent}"
        elif RULE_LINE.match(line):
            group.clear()
            yield line
