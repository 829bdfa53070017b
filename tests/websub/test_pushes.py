"""What hubs push: taken as if it had been fetched, and nothing of it lost."""

import asyncio
import gzip
import hmac
import json
import socket
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from hubs import HOUR_MS, Hub, Peer, feedd, source_of
from hypothesis import given
from hypothesis import strategies as st
from net import Net, item, rss
from running import until

from feedd.config.sources import FeedSource
from feedd.errors import StoreFull
from feedd.looks import Looked
from feedd.store import pausing
from feedd.websub.inbox import Take
from feedd.websub.incoming import Pushed, is_signed, signature_of

DATE = "Mon, 02 Mar 2026 10:00:00 GMT"


async def status(hub: Hub, body: str | bytes, **how: object) -> int:
    answer = await asyncio.to_thread(lambda: hub.push(body, **how))  # type: ignore[arg-type]
    return answer.status_code


def in_feedd(net: Net, work: Callable[[Peer], Awaitable[None]], **how: object) -> None:
    """Do it at a feedd that has subscribed."""

    async def all_of_it() -> None:
        async with feedd(net, **how) as peer:  # type: ignore[arg-type]
            await peer.subscribed()
            assert await peer.state() == "active"
            await work(peer)

    asyncio.run(all_of_it())


def conversation(net: Net) -> list[tuple[object, ...]]:
    return net.rows(
        "SELECT etag, last_modified, answered, body_hash, address, held_until, requested, hub, topic, interval,"
        " last_checked, next_check, next_check_because, first_pass_at, failures, error FROM sources"
    )


def test_a_push_is_taken_as_if_it_had_been_fetched(net: Net) -> None:
    hub = Hub(net)
    hub.serve(item("one", date=DATE), item("two", date=DATE), etag=True)
    source_of(net)

    async def work(peer: Peer) -> None:
        before = conversation(net)
        assert await status(hub, rss(item("three", date=DATE))) == 202
        assert sorted(net.titles()) == ["one", "three", "two"], "what a push leaves out has only scrolled off"
        assert await status(hub, rss(item("one", date=DATE, text="Other words are here."))) == 202
        assert net.kinds() == ["added", "added", "added", "silent-edit"]
        assert net.rows("SELECT silent FROM changes") == [(1,), (1,), (0,), (0,)]
        assert await status(hub, rss(item("one", date=DATE, text="Other words are here."))) == 202
        assert len(net.kinds()) == 4, "a replay changes nothing"
        assert conversation(net) == before
        assert (await peer.row()).pushed_ms is not None
        hub.serve(
            item("three", date=DATE),
            item("one", date=DATE, text="Other words are here."),
            item("two", date=DATE),
        )
        looked = await peer.look()
        assert looked.tally.duplicates == 3, "a poll tells nothing again"
        assert len(net.kinds()) == 4

    in_feedd(net, work)


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_signatures(net: Net, method: str) -> None:
    hub = Hub(net)
    hub.serve(item("one"))
    source_of(net)

    async def work(peer: Peer) -> None:
        assert await status(hub, rss(item("two")), method=method) == 202
        assert sorted(net.titles()) == ["one", "two"]

    in_feedd(net, work)


def test_a_push_that_nobody_vouches_for_is_ignored(net: Net, caplog: pytest.LogCaptureFixture) -> None:
    hub = Hub(net)
    hub.serve(item("one"))
    source_of(net)

    async def work(peer: Peer) -> None:
        bad = rss(item("bad"))
        assert await status(hub, bad, secret="guessed") == 202
        assert await status(hub, bad, headers={"X-Hub-Signature": ""}) == 202
        assert (
            await status(hub, bad, headers={"X-Hub-Signature": "md5=d41d8cd98f00b204e9800998ecf8427e"}) == 202
        )
        assert await status(hub, bad, headers={"X-Hub-Signature": "sha256=" + "f" * 64}) == 202
        assert net.titles() == ["one"]
        assert (await peer.row()).pushed_ms is None

    in_feedd(net, work)
    said = [each.getMessage() for each in caplog.records if "signature" in each.getMessage()]
    assert said == ["a: a push without the right signature came in and did nothing"]


def test_what_is_no_feed_is_polled_in_its_place(net: Net) -> None:
    hub = Hub(net)
    hub.serve(item("one"))
    source_of(net)

    async def work(peer: Peer) -> None:
        ((last, planned),) = net.rows("SELECT last_checked, next_check FROM sources")
        for body in ("", "thin", b"\x00\xff" * 100):
            assert await status(hub, body) == 202
        assert "polled in its place" in ((await peer.row()).error or "")
        ((soon, because),) = net.rows("SELECT next_check, next_check_because FROM sources")
        assert last < soon < planned
        assert soon <= last + 600_000, "and no more often than every ten minutes"
        assert because == "what the hub pushed can't be read"
        assert net.source()["failures"] == 0
        assert await status(hub, rss(item("two"))) == 202
        assert (await peer.row()).error is None

    in_feedd(net, work)


def test_bounds(net: Net) -> None:
    hub = Hub(net)
    hub.serve(item("one"))
    source_of(net, 'max_bytes = "2kB"')

    async def work(peer: Peer) -> None:
        large = rss(*(item(f"n{number}") for number in range(100)))
        assert await status(hub, large) == 413
        assert "more than max_bytes" in ((await peer.row()).error or "")
        assert net.source()["next_check_because"] == "the hub pushed more than max_bytes"
        packed = gzip.compress(rss(item("two")).encode())
        assert await status(hub, packed, headers={"Content-Encoding": "gzip"}) == 415
        chunked = await asyncio.to_thread(endless, net.port, hub.form["hub.callback"])
        assert b" 413 " in chunked.partition(b"\r\n")[0]
        assert net.titles() == ["one"]

    in_feedd(net, work)


def endless(port: int, callback: str) -> bytes:
    """A body that doesn't say how long it is, and is longer than allowed."""
    path = callback.partition(f":{port}")[2]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as wire:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        wire.sendall(head.encode() + b"400\r\n" + b"x" * 1024 + b"\r\n" + b"800\r\n" + b"x" * 2048 + b"\r\n")
        return wire.recv(1000)


def test_a_push_that_can_not_be_recorded_comes_again(net: Net) -> None:
    hub = Hub(net)
    hub.serve(item("one"))
    source_of(net)
    full = [True]

    def failing(take: Take) -> Take:
        async def taken(source: FeedSource, pushed: Pushed) -> Looked:
            if full[0]:
                raise StoreFull("the disk is full")
            return await take(source, pushed)

        return taken

    async def work(_: Peer) -> None:
        answer = await asyncio.to_thread(hub.push, rss(item("two")))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
        full[0] = False
        assert await status(hub, rss(item("two"))) == 202
        assert sorted(net.titles()) == ["one", "two"]

    in_feedd(net, work, take=failing)


def test_pushes_of_one_source_come_one_by_one_and_few_wait(net: Net) -> None:
    hub = Hub(net)
    hub.serve(item("one"))
    source_of(net)
    at_once, most, gate = [0], [0], asyncio.Event()

    def slow(take: Take) -> Take:
        async def taken(source: FeedSource, pushed: Pushed) -> Looked:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
            await gate.wait()
            looked = await take(source, pushed)
            at_once[0] -= 1
            return looked

        return taken

    async def work(_: Peer) -> None:
        sent = [asyncio.create_task(status(hub, rss(item(f"n{number}")))) for number in range(4)]
        await asyncio.sleep(0.4)
        assert await status(hub, rss(item("late"))) == 503
        assert {await each for each in sent} == {503}, "it took longer than a hub waits"
        gate.set()
        await asyncio.sleep(0.1)
        await asyncio.to_thread(until, lambda: len(net.rows("SELECT 1 FROM entries")) == 5)
        assert most == [1]

    in_feedd(net, work, take=slow, patience_s=1.0)


def test_polls_are_rare_while_a_hub_pushes(net: Net) -> None:
    hub = Hub(net)
    hub.serve(item("one"))
    source_of(net, 'every = "10m"')

    def plan() -> tuple[float, str]:
        ((last, planned, because),) = net.rows(
            "SELECT last_checked, next_check, next_check_because FROM sources"
        )
        return (planned - last) / HOUR_MS, because

    async def work(peer: Peer) -> None:
        assert plan()[0] < 0.2
        assert await status(hub, rss(item("two"))) == 202
        await peer.look()
        hours, because = plan()
        assert 6 <= hours < 6.1
        assert because == "the hub pushes; polled every 6h as a safety net"
        await peer.subscriber.round(first=True)
        hours, because = plan()
        assert (hours < 0.2, because) == (True, "every 10m"), (
            "after a start, once: pushes may have been missed"
        )
        await peer.look()
        hub.verifies = False
        await asyncio.to_thread(lambda: hub.verify(mode="denied"))
        hours, because = plan()
        assert (hours < 0.2, because) == (True, "every 10m")
        await peer.look()
        assert plan()[0] < 0.2

    in_feedd(net, work)


def test_polls_are_as_they_were_when_a_lease_is_over(net: Net) -> None:
    hub = Hub(net)
    hub.serve(item("one"))
    source_of(net, 'every = "10m"\nmax_interval = "2h"')
    hub.lease_s = 3600

    async def work(peer: Peer) -> None:
        assert await status(hub, rss(item("two"))) == 202
        await peer.look()
        ((last, planned, because),) = net.rows(
            "SELECT last_checked, next_check, next_check_because FROM sources"
        )
        assert 2 * HOUR_MS <= planned - last < 2.1 * HOUR_MS
        assert because == "the hub pushes; polled every 2h as a safety net"
        peer.clock.ahead_ms += HOUR_MS + 60_000
        hub.verifies = False
        await peer.tend()
        assert await peer.state() == "wanted"
        assert net.source()["next_check_because"] == "every 10m"

    in_feedd(net, work)


def test_articles_behind_a_push_are_read(net: Net) -> None:
    hub = Hub(net)
    page = (
        "<html><head><title>{0}</title></head><body><article><h1>{0}</h1>" + "<p>{0} says a lot here.</p>" * 8
    )
    for name in ("one", "two"):
        net.web.page(f"/{name}", page.format(name))

    def local(name: str) -> str:
        return item(name).replace("https://example.org", net.web.url)

    hub.serve(local("one"))
    source_of(net, "full_text = true\nrecheck = true\nrobots = false")

    async def work(_: Peer) -> None:
        assert await status(hub, rss(local("two"))) == 202
        assert sorted(net.titles()) == ["one", "two"]
        (two,) = [each for each in net.entries() if each["title"] == "two"]
        assert "says a lot here" in net.shown(two["id"])["text"]
        assert net.rows("SELECT count(*) FROM locations WHERE recheck_at IS NOT NULL") == [(2,)]

    in_feedd(net, work)


def test_changed_settings_wait_for_a_look_at_all(net: Net) -> None:
    hub = Hub(net)
    hub.serve(item("one"))
    source_of(net)

    async def nothing(_: Peer) -> None:
        return

    async def work() -> None:
        async with feedd(net) as peer:
            assert await status(hub, rss(item("two"))) == 202
            assert net.titles() == ["one"]
            assert "today's settings" in net.source()["next_check_because"]
            hub.serve(item("one"), item("two"))
            await peer.look()
            assert len(net.titles()) == 2

    in_feedd(net, nothing)
    source_of(net, 'rewrite = { title = "one", to = "1" }')
    asyncio.run(work())


def test_json_feeds_are_pushed(net: Net) -> None:
    hub = Hub(net)
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "A feed",
        "feed_url": hub.topic,
        "hubs": [{"type": "WebSub", "url": hub.url}],
        "items": [{"id": "1", "url": "https://example.org/1", "title": "one", "content_text": "Words."}],
    }
    net.web.page("/feed.xml", json.dumps(feed), type="application/feed+json")
    source_of(net)

    async def work(_: Peer) -> None:
        feed["items"] = [
            {"id": "2", "url": "https://example.org/2", "title": "two", "content_text": "Words."}
        ]
        headers = {"Content-Type": "application/feed+json"}
        assert await status(hub, json.dumps(feed), headers=headers) == 202
        assert sorted(net.titles()) == ["one", "two"]

    in_feedd(net, work)


def test_a_failing_source_does_not_recover_by_a_push(net: Net) -> None:
    hub = Hub(net)
    hub.serve(item("one"))
    source_of(net, "failing_after = 1")

    async def work(peer: Peer) -> None:
        net.web.page("/feed.xml", status=500)
        assert (await peer.looker.look(peer.source)).error is not None
        assert await status(hub, rss(item("two"))) == 202
        assert sorted(net.titles()) == ["one", "two"]
        assert net.source()["failures"] == 1
        assert net.kinds() == ["added", "source-failing", "added"]

    in_feedd(net, work)


@given(
    st.text(max_size=300)
    | st.builds("{}={}".format, st.sampled_from(["sha1", "SHA256", "md5"]), st.text("0123456789abcdefG="))
)
def test_any_signature_header(header: str) -> None:
    found = signature_of(header)
    if found is not None:
        assert found.method in {"sha1", "sha256", "sha384", "sha512"}
        assert set(found.digest) <= set("0123456789abcdef")
    assert not is_signed(header, "secret", b"body") or header.lower().strip().endswith(
        found.digest if found else ""
    )


@given(
    st.binary(max_size=200),
    st.text(min_size=1, max_size=50),
    st.sampled_from(["sha1", "sha256", "sha384", "sha512"]),
)
def test_a_signature_holds_for_its_body_and_secret_alone(body: bytes, secret: str, method: str) -> None:
    key = secret.encode("utf-8", "replace").decode()
    header = f"{method}={hmac.new(key.encode(), body, method).hexdigest()}"
    assert is_signed(header, key, body)
    assert is_signed(header.upper(), key, body)
    assert not is_signed(header, key, body + b"x")
    assert not is_signed(header, key + "x", body)
    assert not is_signed(header[:-1], key, body)
    assert not is_signed(None, key, body)


def test_a_source_that_a_person_paused_takes_no_push(net: Net) -> None:
    hub = Hub(net)
    hub.serve(item("one", date=DATE))
    source_of(net)

    async def work(peer: Peer) -> None:
        paused = partial(pausing.pause, name="a", words="paused by me")
        assert await peer.desk.do(lambda writer: writer.within(paused))
        # though it is subscribed to for a while yet
        assert await status(hub, rss(item("two", date=DATE))) == 404
        assert net.titles() == ["one"]
        await peer.tend()
        assert hub.form["hub.mode"] == "unsubscribe"

    in_feedd(net, work)
