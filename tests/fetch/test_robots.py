import asyncio
import tracemalloc

import pytest
from fetching import LOOPBACK, with_fetcher
from hypothesis import given
from hypothesis import strategies as st
from webserver import Web

from feedd.errors import FetchError
from feedd.fetch import robots
from feedd.fetch.client import Fetcher
from feedd.fetch.robots import Robots

DAY_S = 86_400
RULES = """
User-agent: *
Disallow: /all/
User-agent: other
User-agent: FeedD
Disallow: /private/
Allow: /private/open
Disallow: /*.pdf$
Crawl-delay: 7
User-agent: someone
Disallow: /
"""


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


async def allows(known: Robots, fetcher: Fetcher, url: str) -> bool:
    return await known.allows(fetcher.fetch, url, LOOPBACK)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/", True), ("/private/x", False), ("/private/open/x", True), ("/a/b.pdf", False), ("/a/b.pdf?x", True), ("/all/x", True), ("/robots.txt", True)],
)  # fmt: skip
def test_rules_for_feedd(path: str, allowed: bool) -> None:
    async def work(fetcher: Fetcher) -> None:
        known = Robots()
        assert known.delay_s(web.url) is None
        assert await allows(known, fetcher, web.url + path) is allowed
        if path != "/robots.txt":
            assert known.delay_s(web.url + path) == 7

    with Web() as web:
        web.page("/robots.txt", RULES, type="text/plain")
        with_fetcher(work)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451, 204])
def test_a_site_without_rules_allows_all(status: int) -> None:
    async def work(fetcher: Fetcher) -> None:
        assert await allows(Robots(), fetcher, web.url + "/private/x")

    with Web() as web:
        web.page("/robots.txt", "User-agent: *\nDisallow: /", status=status)
        with_fetcher(work)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_rules_that_can_not_be_had_forbid_all_for_a_while(status: int) -> None:
    async def work(fetcher: Fetcher) -> None:
        clock = Clock()
        known = Robots(clock)
        for day in range(30):
            clock.now_s = 1000.0 + day * DAY_S
            assert not await allows(known, fetcher, web.url + "/x")
        assert web.count("/robots.txt") == 30
        assert not await allows(known, fetcher, web.url + "/x")
        assert web.count("/robots.txt") == 30
        clock.now_s += 2 * DAY_S
        assert await allows(known, fetcher, web.url + "/x")
        web.page("/robots.txt", RULES)
        clock.now_s += 3601
        assert not await allows(known, fetcher, web.url + "/private/x")

    with Web() as web:
        web.page("/robots.txt", RULES, status=status)
        with_fetcher(work)


def test_rules_are_asked_once_a_day_and_kept_while_the_site_is_down() -> None:
    async def work(fetcher: Fetcher) -> None:
        clock = Clock()
        known = Robots(clock)
        urls = [f"{web.url}/{number}" for number in range(10)]
        assert all(await asyncio.gather(*[allows(known, fetcher, url) for url in urls]))
        assert web.count("/robots.txt") == 1
        web.page("/robots.txt", "", status=503)
        clock.now_s += DAY_S + 1
        assert await allows(known, fetcher, web.url + "/x")
        assert not await allows(known, fetcher, web.url + "/private/x")
        assert web.count("/robots.txt") == 2

    with Web() as web:
        web.page("/robots.txt", RULES)
        with_fetcher(work)


def test_a_site_that_can_not_be_reached_allows_nothing() -> None:
    async def work(fetcher: Fetcher) -> None:
        assert not await allows(Robots(), fetcher, web.url + "/x")
        with pytest.raises(FetchError):
            await allows(Robots(), fetcher, "no address")

    with Web() as web:
        pass
    with_fetcher(work)


def test_redirects_are_followed_and_their_end_counts_as_no_rules() -> None:
    async def work(fetcher: Fetcher) -> None:
        assert not await allows(Robots(), fetcher, web.url + "/private/x")
        web.redirect("/rules", "/robots.txt")
        assert await allows(Robots(), fetcher, web.url + "/private/x")

    with Web() as web:
        web.redirect("/robots.txt", "/rules")
        web.page("/rules", RULES)
        with_fetcher(work)


def test_of_a_long_file_the_beginning_counts() -> None:
    async def work(fetcher: Fetcher) -> None:
        known = Robots()
        assert not await allows(known, fetcher, web.url + "/private/x")
        assert await allows(known, fetcher, web.url + "/late")

    with Web() as web:
        web.page("/robots.txt", RULES + "#" * 500_000 + "\nUser-agent: feedd\nDisallow: /late\n")
        with_fetcher(work)


def test_what_is_remembered_is_bounded() -> None:
    async def work(fetcher: Fetcher) -> None:
        known = Robots()
        for number in range(robots.ORIGINS + 20):
            known._known["http", str(number), 80] = robots.Rules(None, 0)
            known._asking["http", str(number), 80] = asyncio.Lock()
        await allows(known, fetcher, web.url + "/x")
        assert len(known._known) == robots.ORIGINS
        assert len(known._asking) == robots.ORIGINS

    with Web() as web:
        with_fetcher(work)


@pytest.mark.parametrize(
    "text",
    [
        "User-agent: a\n" * 20_000 + "Disallow: /x\n" * 15_000,
        "".join(f"User-agent: feedd{number}\n" for number in range(4000)) + "Disallow: /x\n" * 4000,
        "".join("User-agent: feedd\n#\nUser-agent: *\nodd\n\n" for _ in range(8000))
        + "Disallow: /x\n" * 4000,
        "User-agent: *\nDisallow: " + "*a" * 900 + "\n",
        "User-agent: *\nDisallow: " + "*" * 400_000 + "\n",
        "User-agent: *\n" + "Crawl-delay: 1e400\n" * 1000,
        "\0" * 100_000,
        "User-agent: *\nRequest-rate: 1/0\nVisit-time: 9999-9999\nCrawl-delay: nan\n",
    ],
    ids=["agents", "our agents", "we and all", "stars", "one long star", "delays", "zeros", "odd numbers"],
)
def test_hostile_files_cost_little(text: str) -> None:
    tracemalloc.start()
    rules = robots.read(text.encode()[: robots.BYTES])
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()
    assert rules.can_fetch("https://example.org/" + "a" * 5000, "feedd") in (True, False)
    rules.crawl_delay("feedd")


@given(st.binary(max_size=200) | st.lists(st.sampled_from(["User-agent: *", "User-agent: feedd", "Disallow: /", "Allow: *", "Crawl-delay: x", "Disallow: %zz", "Sitemap: x", "\x0b"])).map(lambda lines: "\r".join(lines).encode()))  # fmt: skip
def test_any_file_is_read(body: bytes) -> None:
    rules = robots.read(body)
    assert rules.can_fetch("https://example.org/a?b=%zz", "feedd") in (True, False)
