import asyncio
from typing import Any
from urllib.parse import parse_qs, parse_qsl

from hypothesis import given
from hypothesis import strategies as st
from webserver import Reply, Request, Web

from feedd.config.channels import WebSubChannel
from feedd.fetch.client import Fetcher
from feedd.notify import ping
from feedd.notify.values import Delivered, Failed, Outcome

NOW_MS = 1_767_225_600_000
FEED = "https://feeds.example.org/feeds/all.atom"


def send(url: str, topics: list[str], **settings: Any) -> Outcome:
    hub = WebSubChannel.model_validate({"name": "hub", "type": "websub", "url": url, **settings})

    async def main() -> Outcome:
        async with Fetcher() as fetcher:
            return await ping.send(hub, topics, fetcher, "feedd/1", NOW_MS)

    return asyncio.run(main())


def test_a_ping() -> None:
    topics = [FEED, "https://feeds.example.org/feeds/日本.atom?a=b&hub.mode=x"]
    with Web() as web:
        assert isinstance(send(web.page("/", status=204), [*topics, FEED]), Delivered)
    (request,) = web.requests
    assert request.method == "POST"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["user-agent"] == "feedd/1"
    assert parse_qs(request.body.decode(), strict_parsing=True) == {
        "hub.mode": ["publish"],
        "hub.url": topics,
        "hub.topic": topics,
    }
    assert request.body.startswith(
        b"hub.mode=publish&hub.url=https%3A%2F%2Ffeeds.example.org%2Ffeeds%2Fall.atom&"
    )


def test_many_feeds_take_several_requests() -> None:
    topics = [f"{FEED}?{number}" for number in range(250)]
    with Web() as web:
        assert isinstance(send(web.page("/", status=202), topics), Delivered)
    named = [
        [topic for name, topic in parse_qsl(each.body.decode()) if name == "hub.url"] for each in web.requests
    ]
    assert [len(each) for each in named] == [100, 100, 50]
    assert sum(named, []) == topics  # noqa: RUF017


def test_the_first_request_that_fails_ends_it() -> None:
    def answer(request: Request) -> Reply:
        return Reply("busy", 503, headers={"Retry-After": "60"}) if web.count("/") == 2 else Reply(status=204)

    with Web() as web:
        found = send(web.script("/", answer), [f"{FEED}?{number}" for number in range(250)])
        assert len(web.requests) == 2
    assert isinstance(found, Failed)
    assert (found.retry_after_ms, found.rests) == (NOW_MS + 60_000, True)


def test_nothing_to_tell() -> None:
    with Web() as web:
        assert isinstance(send(web.page("/"), []), Delivered)
        assert not web.requests


def test_hubs_that_fail() -> None:
    with Web() as web, Web() as dead:
        dead.__exit__(None)
        web.redirect("/moved", "/hub", 301)
        web.page("/no", "hub.url is not known here", status=400)
        redirected, refused = send(f"{web.url}/moved", [FEED]), send(f"{web.url}/no", [FEED])
        assert isinstance(redirected, Failed)
        assert "redirects are not followed" in redirected.why
        assert web.count("/hub") == 0
        assert isinstance(refused, Failed)
        assert refused.why.endswith("answered 400 Bad Request; it says: hub.url is not known here")
        for url, settings in ((f"{dead.url}/", {}), (f"{web.url}/", {"allow_private": False})):
            assert isinstance(send(url, [FEED], **settings), Failed)
        assert isinstance(send("env:FEEDD_ABSENT", [FEED]), Failed)


@given(st.lists(st.text(max_size=30), max_size=5))
def test_no_topic_adds_a_field(topics: list[str]) -> None:
    for form in ping.forms(topics):
        pairs = parse_qsl(form.decode("ascii"), keep_blank_values=True)
        assert [name for name, _ in pairs[1:]] == ["hub.url", "hub.topic"] * (len(pairs) // 2)
        assert [value for name, value in pairs if name == "hub.url"] == list(dict.fromkeys(topics))
