"""Who subscribes while a soak runs: a stream of events, a long poll, readers of feeds. Each keeps what it was told."""

import asyncio
import json
import random
from collections import Counter
from contextlib import suppress

import httpx

EVENTS_RECONNECT_S = 50.0  # after so long the stream is left, and taken up again where it was left
POLL_S = 20
READ_EVERY_S = 2.0
BROWSE_EVERY_S = 10.0
AT_ONCE = 3  # people who look at all of these pages
PAGES = (
    "/",
    "/changes",
    "/feeds",
    "/sources",
    "/deliveries",
    "/search?q=edition",
    "/entries/1",
    "/api/v1/entries",
)
PATIENCE_S = 60.0


class Listeners:
    def __init__(self, url: str, feeds: list[str], dice: random.Random) -> None:
        self.client = httpx.AsyncClient(base_url=url, timeout=PATIENCE_S, trust_env=False)
        self.feeds = feeds
        self.dice = dice
        self.events: list[int] = []  # the numbers of the changes, as they came
        self.polled: list[int] = []
        self.answers = Counter[int]()  # that readers had, by status
        self.mistakes: list[str] = []

    async def run(self) -> None:
        """Until it is cancelled."""
        async with self.client, asyncio.TaskGroup() as group:
            group.create_task(self.stream())
            group.create_task(self.poll())
            group.create_task(self.browse())
            for place in range(0, len(self.feeds), 4):
                group.create_task(self.read(self.feeds[place : place + 4]))

    async def stream(self) -> None:
        while True:
            headers = {"Last-Event-ID": str(self.events[-1] if self.events else 0)}
            with suppress(TimeoutError, httpx.TransportError):
                async with (
                    asyncio.timeout(EVENTS_RECONNECT_S),
                    self.client.stream("GET", "/events", headers=headers) as said,
                ):
                    async for line in said.aiter_lines():
                        if line.startswith("data: "):
                            self.events.append(json.loads(line[6:])["change"]["id"])
            await asyncio.sleep(0.5)

    async def poll(self) -> None:
        since = 0
        while True:
            try:
                said = await self.client.get("/api/v1/changes", params={"since": since, "wait": POLL_S})
                answer = said.raise_for_status().json()
            except httpx.HTTPError as error:
                self.mistakes.append(f"the long poll failed: {error!r}")
                await asyncio.sleep(1)
                continue
            self.polled += [item["change"]["id"] for item in answer["items"]]
            since = answer["next"]

    async def browse(self) -> None:
        """As people do who look at everything at the same time: all threads that read the store have something to do."""
        while True:
            await asyncio.gather(*(self.look_at(page) for page in PAGES * AT_ONCE))
            await asyncio.sleep(BROWSE_EVERY_S)

    async def look_at(self, page: str) -> None:
        try:
            answer = await self.client.get(page)
        except httpx.HTTPError as error:
            self.mistakes.append(f"{page}: {error!r}")
            return
        self.answers[answer.status_code] += 1
        if answer.status_code != 200:
            self.mistakes.append(f"{page}: answered {answer.status_code}")

    async def read(self, feeds: list[str]) -> None:
        """As a feed reader does, one after the other, and only what is new."""
        tags = dict[str, str]()
        while True:
            for feed in feeds:
                await asyncio.sleep(self.dice.uniform(0, READ_EVERY_S))
                condition = {"If-None-Match": tags[feed]} if feed in tags else {}
                try:
                    said = await self.client.get(feed, headers=condition)
                except httpx.HTTPError as error:
                    self.mistakes.append(f"{feed}: {error!r}")
                    continue
                self.answers[said.status_code] += 1
                tags[feed] = said.headers.get("etag", "")
                if said.status_code not in {200, 304}:
                    self.mistakes.append(f"{feed}: answered {said.status_code}")


def wrong(name: str, came: list[int], told: frozenset[int], until: int) -> list[str]:
    """What was not told up to a number, told twice or made up, in words."""
    repeats = sorted(number for number, times in Counter(came).items() if times > 1)
    lost, made_up = sorted(each for each in told - set(came) if each <= until), sorted(set(came) - told)
    each = {"lost": lost, "told twice": repeats, "not in the log": made_up}
    return [f"{name}: {len(numbers)} {what}: {numbers[:20]}" for what, numbers in each.items() if numbers]
