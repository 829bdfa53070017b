"""Fetches, as tests want them: on an event loop of their own, from loopback, without waiting between requests."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import uvloop
from webserver import trusting

from feedd.errors import FetchError
from feedd.fetch.client import Fetcher
from feedd.fetch.network import Resolve
from feedd.fetch.values import Access, Answer, Ask

LOOPBACK = Access(allow_private=True, host_interval_s=0, per_host=32, timeout_s=5)
T = TypeVar("T")


def names(**known: Sequence[str]) -> Resolve:
    """A resolver that knows these names; `_` stands for a dot. Others lead to 127.0.0.1."""
    table = {name.replace("_", "."): addresses for name, addresses in known.items()}

    async def resolve(host: str, port: int) -> Sequence[str]:
        return table.get(host, ["127.0.0.1"])

    return resolve


def with_fetcher(work: Callable[[Fetcher], Awaitable[T]], **settings: Any) -> T:
    async def main() -> T:
        async with Fetcher(**settings) as fetcher:
            return await work(fetcher)

    return uvloop.run(main())


async def outcome(fetcher: Fetcher, url: str, **access: Any) -> Answer | FetchError:
    try:
        return await fetcher.fetch(Ask(url, LOOPBACK._replace(**access)))
    except FetchError as error:
        return error


def fetch(url: str, *, resolve: Resolve | None = None, **access: Any) -> Answer:
    """One fetch. Names lead to 127.0.0.1, and the certificate of tests is believed."""
    ask = Ask(url, LOOPBACK._replace(**access))
    return with_fetcher(lambda fetcher: fetcher.fetch(ask), resolve=resolve or names(), tls=trusting())
