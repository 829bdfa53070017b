"""feedd subscribes at a hub: asking, verification, leases, ends."""

import asyncio
import time

from hubs import DAY_MS, HOUR_MS, Hub, feedd, source_of
from net import RSS, Net, item
from running import until
from webserver import Reply


def test_a_feed_that_names_a_hub_is_subscribed_to(net: Net) -> None:
    hub = Hub(net)
    hub.serve(item("one"))
    source_of(net, 'headers = { x-key = "mine" }\nauth = { bearer = "secret" }\ncookies = { c = "d" }')

    async def work() -> None:
        async with feedd(net) as peer:
            await peer.look()
            await peer.tend()
            row = await peer.row()
            assert row.state == "active"
            assert (row.error, row.attempts) == (None, 0)
            left_ms = (row.lease_until_ms or 0) - time.time_ns() // 1_000_000
            assert abs(left_ms - 10 * DAY_MS) < 60_000
            assert "secret" not in repr(row).replace("secrets", "")
            assert row.token not in repr(row)
            await peer.tend()
            assert len(hub.forms) == 1, "it is asked for once"

    asyncio.run(work())
    form = hub.form
    assert form["hub.mode"] == "subscribe"
    assert form["hub.topic"] == hub.topic
    assert form["hub.callback"].startswith(f"{net.url}/push/")
    assert len(form["hub.callback"].rpartition("/")[2]) == 43
    assert len(form["hub.secret"]) == 64
    assert form["hub.lease_seconds"] == "864000"
    assert (hub.answers[0].status_code, hub.answers[0].text) == (200, "a challenge")
    assert hub.answers[0].headers["content-type"].startswith("text/plain")
    sent = net.web.last("/hub").headers
    assert not {"authorization", "cookie", "x-key"} & set(sent)
    assert "authorization" in net.web.last("/feed.xml").headers


def test_headers_name_the_hub_before_the_document(net: Net) -> None:
    hub = Hub(net)
    topic = f"{net.web.url}/other.xml"
    link = f'<{net.web.url}/next>; rel="next", <{hub.url}>; rel="HUB", </other.xml>; rel=self'
    document = hub.document(item("one")).replace("/hub'", "/wrong'")
    net.web.page("/feed.xml", document, type=RSS, headers={"Link": link})
    source_of(net)

    async def work() -> None:
        async with feedd(net) as peer:
            await peer.subscribed()
            row = await peer.row()
            assert (row.hub, row.topic, row.state) == (hub.url, topic, "active")

    asyncio.run(work())


def test_verification_is_answered_only_if_we_asked(net: Net) -> None:
    hub = Hub(net, verifies=False)
    hub.serve(item("one"))
    source_of(net)

    async def work() -> None:
        async with feedd(net) as peer:
            await peer.subscribed()
            assert await peer.state() == "asked"

            async def status(**changed: str) -> int:
                return (await asyncio.to_thread(lambda: hub.verify(**changed))).status_code

            assert await status(topic=hub.topic + "x") == 404
            assert await status(mode="unsubscribe") == 404
            assert await status(mode="publish") == 404
            assert await status(challenge="") == 404
            assert await status(challenge="a\nb") == 404
            assert await status(challenge="x" * 1001) == 404
            stranger = {**hub.form, "hub.callback": f"{net.url}/push/{'x' * 43}"}
            answer = await asyncio.to_thread(hub.verify, stranger)
            assert answer.status_code == 404
            stranger["hub.callback"] = f"{net.url}/push/short"
            assert (await asyncio.to_thread(hub.verify, stranger)).status_code == 404
            assert await peer.state() == "asked"
            assert await status() == 200
            assert await peer.state() == "active"

    asyncio.run(work())


def test_leases_are_bounded(net: Net) -> None:
    hub = Hub(net)
    hub.serve(item("one"))
    source_of(net)

    async def work() -> None:
        async with feedd(net) as peer:
            await peer.subscribed()
            for stated, least_ms, most_ms in (
                (10**15, 89 * DAY_MS, 90 * DAY_MS),
                (0, 240_000, 300_000),
                (None, 9 * DAY_MS, 10 * DAY_MS),
            ):
                hub.lease_s = stated
                await asyncio.to_thread(hub.verify)
                left_ms = ((await peer.row()).lease_until_ms or 0) - peer.clock()
                assert least_ms < left_ms <= most_ms

    asyncio.run(work())


def test_a_hub_that_is_down_is_asked_again_ever_less(net: Net) -> None:
    hub = Hub(net)
    hub.serve(item("one"))
    source_of(net)
    hub.reply = Reply("no room for http://x/push/TOKEN", 503)

    async def work() -> None:
        async with feedd(net) as peer:
            await peer.subscribed()
            row = await peer.row()
            assert (row.state, row.attempts) == ("wanted", 1)
            assert "answered 503: no room" in (row.error or "")
            pauses = []
            for _ in range(6):
                row = await peer.row()
                pauses.append((row.next_attempt_ms or 0) - peer.clock())
                await peer.tend()
                peer.clock.ahead_ms += pauses[-1] + 1000
                await peer.tend()
            assert len(hub.forms) == 7
            assert pauses == sorted(pauses)
            assert 0.8 * HOUR_MS < pauses[0] <= HOUR_MS
            assert 0.8 * DAY_MS < pauses[-1] <= DAY_MS
            hub.reply = Reply("", 202)
            peer.clock.ahead_ms += 2 * DAY_MS
            await peer.tend()
            row = await peer.row()
            assert (row.state, row.attempts, row.error) == ("active", 0, None)

    asyncio.run(work())


def test_what_a_hub_says_gives_no_secret_away(net: Net) -> None:
    hub = Hub(net)
    hub.serve(item("one"))
    source_of(net)

    async def work() -> None:
        async with feedd(net) as peer:

            def answer(_: object) -> Reply:
                row = peer.desk.run(
                    lambda writer: writer.connection.execute(
                        "SELECT token, secret FROM subscriptions"
                    ).fetchone()
                )
                return Reply(f"{row[0]} is\x00 no {row[1]}\n" + "x" * 5000, 400)

            net.web.script("/hub", answer)
            await peer.subscribed()
            row = await peer.row()
            assert row.error is not None
            assert row.token not in row.error
            assert row.secret not in row.error
            assert "… is\N{REPLACEMENT CHARACTER} no … xxx" in row.error
            assert len(row.error) < 400

    asyncio.run(work())


def test_a_hub_that_never_verifies_is_asked_again_after_a_day(net: Net) -> None:
    hub = Hub(net, verifies=False)
    hub.serve(item("one"))
    source_of(net)

    async def work() -> None:
        async with feedd(net) as peer:
            await peer.subscribed()
            peer.clock.ahead_ms += DAY_MS - HOUR_MS
            await peer.tend()
            assert await peer.state() == "asked"
            peer.clock.ahead_ms += HOUR_MS + 1000
            await peer.tend()
            row = await peer.row()
            assert (row.state, row.attempts) == ("wanted", 1)
            assert "did not verify" in (row.error or "")
            await asyncio.to_thread(hub.verify)  # late, but it is what we want
            assert await peer.state() == "active"

    asyncio.run(work())


def test_leases_are_renewed_and_run_out(net: Net) -> None:
    hub = Hub(net)
    hub.serve(item("one"))
    source_of(net)

    async def work() -> None:
        async with feedd(net) as peer:
            await peer.subscribed()
            peer.clock.ahead_ms += 9 * DAY_MS - HOUR_MS
            await peer.tend()
            assert len(hub.forms) == 1
            peer.clock.ahead_ms += 2 * HOUR_MS
            await peer.tend()
            assert len(hub.forms) == 2
            assert hub.forms[0] == hub.forms[1], "the same callback and secret: no push falls between"
            left_ms = ((await peer.row()).lease_until_ms or 0) - peer.clock()
            assert left_ms > 9 * DAY_MS
            hub.reply = Reply("busy", 500)
            peer.clock.ahead_ms += 9 * DAY_MS + HOUR_MS
            await peer.tend()
            row = await peer.row()
            assert (row.state, row.attempts) == ("active", 1), "it lasts until its end"
            peer.clock.ahead_ms += DAY_MS
            await peer.tend()
            assert await peer.state() == "wanted"
            hub.reply = Reply("", 202)
            await peer.tend()
            assert await peer.state() == "active"

    asyncio.run(work())


def test_a_hub_denies(net: Net) -> None:
    hub = Hub(net)
    hub.serve(item("one"))
    source_of(net)

    async def work() -> None:
        async with feedd(net) as peer:
            await peer.subscribed()
            denial = {"mode": "denied", "reason": f"not\nyou, {(await peer.row()).token}"}
            assert (await asyncio.to_thread(lambda: hub.verify(topic="x", **denial))).status_code == 404
            assert (await asyncio.to_thread(lambda: hub.verify(**denial))).status_code == 200
            row = await peer.row()
            assert (row.state, row.lease_until_ms) == ("denied", None)
            assert (row.error or "").endswith("denied the subscription: not you, …")
            assert (await asyncio.to_thread(hub.verify)).status_code == 404
            assert (await asyncio.to_thread(hub.push, "x")).status_code == 404
            await peer.tend()
            assert len(hub.forms) == 1
            peer.clock.ahead_ms += 7 * DAY_MS + 1000
            await peer.tend()
            assert await peer.state() == "active"

    asyncio.run(work())


def test_a_source_that_is_paused_unsubscribes(net: Net) -> None:
    hub = Hub(net)
    hub.serve(item("one"))
    source_of(net)

    async def subscribe() -> None:
        async with feedd(net) as peer:
            await peer.subscribed()

    async def leave() -> None:
        async with feedd(net) as peer:
            hub.verifies = False
            await peer.tend()
            assert await peer.state() == "ending"
            assert hub.form["hub.mode"] == "unsubscribe"
            assert hub.form["hub.callback"] == hub.forms[0]["hub.callback"]
            assert (await asyncio.to_thread(hub.push, "x", form=hub.forms[0])).status_code == 404
            assert (await asyncio.to_thread(lambda: hub.verify(mode="subscribe"))).status_code == 404
            assert (await asyncio.to_thread(hub.verify)).status_code == 200
            assert await peer.rows() == []
            assert (await asyncio.to_thread(hub.verify)).status_code == 404

    asyncio.run(subscribe())
    source_of(net, "paused = true")
    asyncio.run(leave())


def test_a_hub_that_is_gone_is_told_farewell_three_times(net: Net) -> None:
    hub = Hub(net)
    hub.serve(item("one"))
    source_of(net)

    async def subscribe() -> None:
        async with feedd(net) as peer:
            await peer.subscribed()

    async def leave() -> None:
        async with feedd(net) as peer:
            hub.reply = Reply("", 500)
            for _ in range(4):
                await peer.tend()
                peer.clock.ahead_ms += DAY_MS + 1000
            assert [form["hub.mode"] for form in hub.forms] == ["subscribe"] + ["unsubscribe"] * 3
            assert await peer.rows() == []

    asyncio.run(subscribe())
    net.sources('[sources.other]\ntype = "feed"\nurl = "{web}/feed.xml"\npaused = true\n')  # `a` is no more
    asyncio.run(leave())


def test_another_hub_takes_the_place_of_the_first(net: Net) -> None:
    hub = Hub(net)
    hub.serve(item("one"))
    second = net.web.script("/second", hub.asked)
    source_of(net)

    async def work() -> None:
        async with feedd(net) as peer:
            await peer.subscribed()
            net.web.page("/feed.xml", hub.document(item("one")).replace(hub.url, second), type=RSS)
            await peer.look()
            await peer.tend()
            assert [(row.hub, row.state) for row in await peer.rows()] == [(second, "active")]
            assert sorted(form["hub.mode"] for form in hub.forms) == ["subscribe", "subscribe", "unsubscribe"]
            callbacks = {form["hub.callback"] for form in hub.forms}
            assert len(callbacks) == 2

    asyncio.run(work())


def test_a_hub_sends_us_on(net: Net) -> None:
    hub = Hub(net)
    net.web.redirect("/old-hub", "/hub", status=307)
    hub.serve(item("one"))
    net.web.page("/feed.xml", hub.document(item("one")).replace("/hub'", "/old-hub'"), type=RSS)
    source_of(net)

    async def work() -> None:
        async with feedd(net) as peer:
            await peer.subscribed()
            assert await peer.state() == "active"

    asyncio.run(work())


def test_who_is_not_subscribed_to(net: Net) -> None:
    hub = Hub(net)
    hub.serve(item("one"))
    source_of(net)

    async def work(*, looks: bool = False) -> None:
        async with feedd(net) as peer:
            if looks:
                await peer.look()
            else:
                await peer.tend()
            assert await peer.rows() == []

    asyncio.run(work(looks=True))
    text = net.config.read_text()
    # from the internet, our loopback address can't be reached
    net.config.write_text(text.replace("allow_private = true", "allow_private = false"))
    asyncio.run(work())
    net.config.write_text(text + "[websub]\nsubscribe = false\n")
    asyncio.run(work())
    assert hub.forms == []


def test_a_hub_on_a_private_address_is_not_asked(net: Net) -> None:
    hub = Hub(net)
    hub.serve(item("one"))
    source_of(net, server_toml='base_url = "https://feeds.example.org/"')

    async def look() -> None:
        async with feedd(net) as peer:
            await peer.look()

    async def work() -> None:
        async with feedd(net) as peer:
            await peer.tend()
            row = await peer.row()
            assert row.callback.startswith("https://feeds.example.org/push/")
            assert row.state == "wanted"
            assert "127.0.0.1 is a loopback address" in (row.error or "")

    asyncio.run(look())
    source_of(net, server_toml='base_url = "https://feeds.example.org/"')
    net.config.write_text(net.config.read_text().replace("allow_private = true", "allow_private = false"))
    asyncio.run(work())
    assert hub.forms == []


def test_it_runs_by_itself(net: Net) -> None:
    hub = Hub(net)
    hub.serve(item("one"))
    source_of(net)

    async def work() -> None:
        async with feedd(net) as peer:
            await peer.look()
            running = asyncio.create_task(peer.subscriber.run())
            states = "SELECT 1 FROM subscriptions WHERE state = 'active'"
            await asyncio.to_thread(until, lambda: net.rows(states))
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(work())
