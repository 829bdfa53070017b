"""Verification of intent: what waits, what runs, and what is asked of nobody."""

import asyncio
from collections.abc import Sequence

import pytest
from webserver import Reply, Web

from feedd.fetch.client import Fetcher
from feedd.fetch.values import Access
from feedd.websub.requests import Refusal, Wanted, callback_of
from feedd.websub.topics import Topic
from feedd.websub.verify import (
    A_MINUTE_OF_ONE,
    A_MINUTE_OF_PROXIES,
    AT_ONCE,
    MOST_OF_ONE,
    MOST_OF_PROXIES,
    MOST_WAITING,
    PER_HOST,
    STRANGERS_AT_ONCE,
    Request,
    Verifier,
)

TOPIC = Topic("https://feeds.example.org/feeds/all.atom", "all", "atom")


def request(
    callback: str, lease_s: int = 60, *, known: bool = False, requester: str | None = None
) -> Request:
    address = callback_of(callback)
    assert not isinstance(address, Refusal)
    return Request(Wanted("subscribe", TOPIC.url, address), TOPIC, lease_s, 0, known, requester)


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
                one = request(f"https://h{number}.example.org/", requester=str(number // 10))
                assert verifier.offer(one) is None
            refused = verifier.offer(request("https://late.example.org/", requester="late"))
            assert refused is not None
            assert (refused.status, refused.retry_after_s) == (503, 30)
            again = request("https://h7.example.org/", 77, requester="0")
            assert verifier.offer(again) is None  # it replaces the one that waits
            assert verifier.size == MOST_WAITING
            assert verifier.offer(request("https://h7.example.org/renewed", known=True)) is None
            assert verifier.waiting[again.key].lease_s == 77

    asyncio.run(fill())


@pytest.mark.parametrize(
    ("requester", "most", "a_minute"),
    [("192.0.2.1", MOST_OF_ONE, A_MINUTE_OF_ONE), (None, MOST_OF_PROXIES, A_MINUTE_OF_PROXIES)],
    ids=["one", "proxies"],
)
def test_one_address_takes_not_all(requester: str | None, most: int, a_minute: int) -> None:
    async def fill() -> None:
        async with Fetcher() as fetcher:
            verifier = Verifier(fetcher, Access(), Confirmed())
            verifier.stopped = True
            for number in range(most):
                one = request(f"https://h{number}.example.org/", requester=requester)
                assert verifier.offer(one) is None
            refused = verifier.offer(request("https://late.example.org/", requester=requester))
            assert refused is not None
            assert refused.status == 503
            assert verifier.offer(request("https://other.example.org/", requester="192.0.2.2")) is None
            for number in range(a_minute - most):
                one = request(f"https://h{number % most}.example.org/", requester=requester)
                verifier.offer(one)
            refused = verifier.offer(request("https://h0.example.org/", requester=requester))
            assert refused is not None
            assert (refused.status, str(a_minute) in refused.words) == (429, True)

    asyncio.run(fill())


def test_renewals_go_before_strangers() -> None:
    async def try_it(port: int) -> None:
        async with Fetcher(resolve=at_home) as fetcher:
            confirmed = Confirmed()
            verifier = Verifier(fetcher, Access(allow_private=True), confirmed)
            for number in range(20):
                verifier.offer(request(f"http://s{number}.example.org:{port}/hangs"))
            assert len(verifier.running) == STRANGERS_AT_ONCE
            for path in ("/hangs", "/hangs?2", "/prompt"):  # strangers name this host, too
                verifier.offer(request(f"http://mine.example.org:{port}{path}"))
            verifier.offer(request(f"http://mine.example.org:{port}/prompt?mine", known=True))
            while not confirmed.requests:  # noqa: ASYNC110 (nothing else tells)
                await asyncio.sleep(0.01)
            await verifier.stop()

    with Web() as web:
        web.raw("/hangs", lambda wire: wire.hang())
        web.script("/prompt", lambda asked: Reply(challenge_of(asked.path), type="text/plain"))
        asyncio.run(asyncio.wait_for(try_it(web.port), 10))


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
