"""How far a hub is relied on: what it leaves out, repeats, brings late or sends in another's name."""

import asyncio

import pytest
from hubs import HOUR_MS, Hub, Peer, feedd, source_of
from net import Net, item, rss
from test_pushes import in_feedd, status

from feedd.config.sources import FeedSource
from feedd.looks import Looked
from feedd.websub.inbox import Take
from feedd.websub.incoming import Pushed

ONE, TWO, THREE = (f"Mon, 0{day} Mar 2026 10:00:00 GMT" for day in (2, 3, 4))
WORDS = (
    "The first text of the day is short.",
    "Quite another wording, which is long.",
    "A third one altogether.",
)


def plan(net: Net) -> tuple[float, str]:
    ((last, planned, because),) = net.rows("SELECT last_checked, next_check, next_check_because FROM sources")
    return (planned - last) / HOUR_MS, because


def hear_long(peer: Peer) -> None:
    """As if the subscription were an hour older."""
    peer.desk.run(
        lambda writer: writer.connection.execute(
            "UPDATE subscriptions SET heard_since = heard_since - 3600000"
        )
    )


def test_a_hub_that_pushes_not_all_is_not_relied_on(net: Net, caplog: pytest.LogCaptureFixture) -> None:
    hub = Hub(net)
    hub.serve(item("one"))
    source_of(net, 'every = "10m"')

    async def work(peer: Peer) -> None:
        await peer.look()
        assert plan(net)[0] < 0.2, "it has pushed nothing yet"
        assert await status(hub, rss(item("two"))) == 202
        await peer.look()
        assert plan(net)[0] >= 6
        hear_long(peer)
        hub.serve(item("one"), item("two"), item("three"))
        await peer.look()
        assert plan(net)[0] < 0.2
        error = (await peer.row()).error or ""
        assert error.startswith("the hub pushes not all: ")
        assert net.source()["push"]["error"] == error
        peer.desk.run(
            lambda writer: writer.connection.execute(
                "UPDATE subscriptions SET missed_at = missed_at - 3600000"
            )
        )
        assert await status(hub, rss(item("three"))) == 202
        assert (await peer.row()).error == error, "that brought nothing"
        await peer.look()
        assert plan(net)[0] < 0.2
        assert await status(hub, rss(item("four"))) == 202
        assert (await peer.row()).error is None
        await peer.look()
        assert plan(net)[0] >= 6

    in_feedd(net, work)
    said = [each.getMessage() for each in caplog.records if "pushes not all" in each.getMessage()]
    assert len(said) == 1


def test_what_a_poll_finds_just_before_its_push_is_no_fault(net: Net) -> None:
    hub = Hub(net)
    hub.serve(item("one"))
    source_of(net, 'every = "10m"')

    async def work(peer: Peer) -> None:
        assert await status(hub, rss(item("two"))) == 202
        await peer.look()
        hear_long(peer)
        hub.serve(item("two"), item("three"))
        await peer.look()
        assert await status(hub, rss(item("three"))) == 202
        assert (await peer.row()).error is None

    in_feedd(net, work)


def test_changes_from_before_are_not_held_against_a_hub(net: Net) -> None:
    """What was published before the subscription, or while nobody listened."""
    hub = Hub(net)
    hub.serve(item("one"))
    source_of(net, 'every = "10m"')

    async def work(peer: Peer) -> None:
        assert await status(hub, rss(item("two"))) == 202
        hub.serve(item("two"), item("three"))
        await peer.look()
        assert (await peer.row()).error is None
        hear_long(peer)
        await peer.subscriber.round(first=True)
        hub.serve(item("two"), item("three"), item("four"))
        await peer.look()
        assert (await peer.row()).error is None
        assert plan(net)[0] >= 6

    in_feedd(net, work)


def test_a_repeat_is_answered_without_a_look(net: Net) -> None:
    hub = Hub(net)
    hub.serve(item("one", guid="1", date=ONE, text=WORDS[0]))
    source_of(net)
    second, third = (
        rss(item("one", guid="1", date=date, text=text))
        for date, text in ((TWO, WORDS[1]), (THREE, WORDS[2]))
    )

    async def work(peer: Peer) -> None:
        assert await status(hub, second) == 202
        assert await status(hub, third) == 202
        passes = net.rows("SELECT passes FROM sources")
        for body in (third, second, third, second):
            assert await status(hub, body) == 202
        assert net.rows("SELECT passes FROM sources") == passes
        assert net.kinds() == ["added", "edited", "edited"]
        for number in range(40):
            assert await status(hub, rss(item(f"n{number}"))) == 202
        kept = net.rows("SELECT json_array_length(bodies) FROM subscriptions")
        assert kept == [(32,)]

    in_feedd(net, work)


def test_a_repeat_that_gave_up_waiting_is_answered_well(net: Net) -> None:
    hub = Hub(net)
    hub.serve(item("one"))
    source_of(net)
    gate = asyncio.Event()

    def slow(take: Take) -> Take:
        async def taken(source: FeedSource, pushed: Pushed) -> Looked:
            await gate.wait()
            return await take(source, pushed)

        return taken

    async def work() -> None:
        async with feedd(net, patience_s=0.2, take=slow) as peer:
            await peer.subscribed()
            assert await status(hub, rss(item("two"))) == 503
            again = asyncio.create_task(status(hub, rss(item("two"))))
            await asyncio.sleep(0.05)
            gate.set()
            assert await again == 202
            assert net.rows("SELECT passes FROM sources") == [(2,)]

    asyncio.run(work())


@pytest.mark.parametrize("known", [True, False])
def test_what_comes_late_is_told_to_nobody_and_not_shown(net: Net, *, known: bool) -> None:
    hub = Hub(net)
    hub.serve(item("one", guid="1", date=ONE, text=WORDS[0]))
    source_of(net)

    async def work(peer: Peer) -> None:
        if known:
            assert await status(hub, rss(item("one", guid="1", date=TWO, text=WORDS[1]))) == 202
        assert await status(hub, rss(item("one", guid="1", date=THREE, text=WORDS[2]))) == 202
        before = net.kinds()
        late = rss(item("one", guid="1", date=TWO, text=WORDS[1]), item("other", date=ONE))
        assert await status(hub, late) == 202
        assert net.kinds() == [*before, "added"]
        assert WORDS[2] in net.shown("https://example.org/one")["text"]
        assert net.rows("SELECT count(*) FROM revisions WHERE newest") == [(2,)]
        assert net.rows("SELECT count(*) FROM revisions WHERE entry_id = 1") == [(3,)]
        hub.serve(item("one", guid="1", date=THREE, text=WORDS[2]), item("other", date=ONE))
        looked = await peer.look()
        assert looked.tally.duplicates == 2
        final = rss(item("one", guid="1", date="Fri, 06 Mar 2026 10:00:00 GMT", text="The end of it all."))
        assert await status(hub, final) == 202
        assert net.kinds() == [*before, "added", "edited"]
        hub.serve(item("one", guid="1", date=ONE, text=WORDS[0]))
        looked = await peer.look()
        assert looked.tally.reverted == 1, "a poll sees what the publisher shows now"

    in_feedd(net, work)


def test_a_push_of_another_feed_is_refused(net: Net) -> None:
    hub = Hub(net)
    hub.serve(item("one"))
    source_of(net)

    async def work(peer: Peer) -> None:
        other = hub.document(item("of another feed")).replace("/feed.xml'", "/other.xml'")
        assert await status(hub, other) == 202
        link = {"Link": f'<{net.web.url}/other.xml>; rel="self", <{hub.url}>; rel="hub"'}
        assert await status(hub, rss(item("of a third feed")), headers=link) == 202
        assert net.titles() == ["one"]
        assert "another feed" in ((await peer.row()).error or "")
        assert await status(hub, hub.document(item("two"))) == 202
        https = {"Link": f'<{hub.topic.replace("http:", "https:")}>; rel="self"'}
        assert await status(hub, rss(item("three")), headers=https) == 202
        assert sorted(net.titles()) == ["one", "three", "two"]

    in_feedd(net, work)


def test_what_is_new_in_a_document_is_logged_in_order_of_time(net: Net) -> None:
    hub = Hub(net)
    hub.serve(item("start"))
    source_of(net)
    logged = (
        "SELECT e.title FROM changes c JOIN entries e ON e.id = c.entry_id WHERE NOT c.silent ORDER BY c.id"
    )

    async def work(peer: Peer) -> None:
        body = rss(item("a", date=THREE), item("c", date=ONE), item("b", date=TWO), item("aa", date=TWO))
        assert await status(hub, body) == 202
        assert net.rows(logged) == [("c",), ("aa",), ("b",), ("a",)]
        hub.serve(
            item("d", date="Fri, 06 Mar 2026 10:00:00 GMT"), item("e", date="Thu, 05 Mar 2026 10:00:00 GMT")
        )
        await peer.look()
        assert net.rows(logged)[4:] == [("e",), ("d",)]

    in_feedd(net, work)


def test_too_large_a_push_is_answered_before_the_connection_ends(net: Net) -> None:
    hub = Hub(net)
    hub.serve(item("one"))
    source_of(net, 'max_bytes = "100kB"')

    async def work(_: Peer) -> None:
        answer = await asyncio.to_thread(hub.push, b"x" * 5_000_000)
        assert answer.status_code == 413
        assert answer.headers["connection"] == "close"

    in_feedd(net, work)
