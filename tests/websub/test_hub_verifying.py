"""Verification of intent: what waits, what runs, and what is asked of nobody."""

import asyncio
from collections.abc import Sequence

from webserver import Reply, Web

from feedd.fetch.client import Fetcher
from feedd.fetch.values import Access
from feedd.websub.requests import Refusal, Wanted, callback_of
from feedd.websub.topics import Topic
from feedd.websub.verify import AT_ONCE, MOST_WAITING, PER_HOST, Request, Verifier

TOPIC = Topic("https://feeds.example.org/feeds/all.atom", "all", "atom")


def request(callback: str, lease_s: int = 60) -> Request:
    address = callback_of(callback)
    assert not isinstance(address, Refusal)
    return Request(Wanted("subscribe", TOPIC.url, address), TOPIC, lease_s, 0)


class Confirmed:
    """What was verified."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    async def __call__(self, request: Request) -> None:
        self.requests.append(request)


async def at_home(host: str, port: int) -> Sequence[str]:
    """Every name is at 127.0.0.1."""
    return ["127.0.0.1"]


def test_a_name_at_a_private_address_gets_no_request() -> None:
    async def offer(url: str) -> list[Request]:
        async with Fetcher(resolve=at_home) as fetcher:
            confirmed = Confirmed()
            verifier = Verifier(fetcher, Access(), confirmed)
            assert verifier.offer(request(url)) is None
            await asyncio.gather(*verifier.running.values())
            return confirmed.requests

    with Web() as web:
        assert asyncio.run(offer(f"http://inside.example.org:{web.port}/x")) == []
        assert web.requests == []


def test_so_many_wait_and_no_more() -> None:
    async def fill() -> None:
        async with Fetcher() as fetcher:
            verifier = Verifier(fetcher, Access(), Confirmed())
            verifier.stopped = True
            for number in range(MOST_WAITING):
                assert verifier.offer(request(f"https://h{number}.example.org/")) is None
            refused = verifier.offer(request("https://late.example.org/"))
            assert refused is not None
            assert (refused.status, refused.retry_after_s) == (503, 30)
            again = request("https://h7.example.org/", 77)
            assert verifier.offer(again) is None  # it replaces the one that waits
            assert verifier.size == MOST_WAITING
            assert verifier.waiting[again.key].lease_s == 77

    asyncio.run(fill())


def test_hosts_that_hang_hold_up_no_other() -> None:
    async def try_it(port: int) -> None:
        async with Fetcher(resolve=at_home) as fetcher:
            confirmed = Confirmed()
            verifier = Verifier(fetcher, Access(allow_private=True), confirmed)
            for number in range(5):
                verifier.offer(request(f"http://slow.example.org:{port}/hangs?{number}"))
            assert len(verifier.running) == PER_HOST < AT_ONCE
            verifier.offer(request(f"http://prompt.example.org:{port}/prompt"))
            while not confirmed.requests:  # noqa: ASYNC110 (nothing else tells)
                await asyncio.sleep(0.01)
            assert verifier.size == 5
            await verifier.stop()
            assert verifier.size == 0

    with Web() as web:
        web.raw("/hangs", lambda wire: wire.hang())
        web.script("/prompt", lambda asked: Reply(challenge_of(asked.path), type="text/plain"))
        asyncio.run(asyncio.wait_for(try_it(web.port), 10))


def test_what_comes_while_the_same_is_verified_follows_it() -> None:
    async def try_it(port: int) -> list[int]:
        async with Fetcher() as fetcher:
            confirmed = Confirmed()
            verifier = Verifier(fetcher, Access(allow_private=True), confirmed)
            for lease_s in (1, 2, 3):
                verifier.offer(request(f"http://127.0.0.1:{port}/prompt", lease_s))
            assert verifier.size == 2
            while verifier.size:  # noqa: ASYNC110 (nothing else tells)
                await asyncio.sleep(0.01)
            return [each.lease_s for each in confirmed.requests]

    with Web() as web:
        web.script("/prompt", lambda asked: Reply(challenge_of(asked.path), type="text/plain"))
        assert asyncio.run(asyncio.wait_for(try_it(web.port), 10)) == [1, 3]


def challenge_of(path: str) -> str:
    return path.partition("challenge=")[2].partition("&")[0]
