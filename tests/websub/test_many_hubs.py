"""Many subscriptions: slow hubs, second hubs, and polls after a start."""

import asyncio
import time
from itertools import pairwise

from hubs import DAY_MS, HOUR_MS, Hub, Peer, feedd, source_of
from net import RSS, Net, item
from running import until
from webserver import Reply, Web


def test_a_slow_hub_holds_up_no_other(net: Net) -> None:
    hub = Hub(net)
    link = "<a:link xmlns:a='http://www.w3.org/2005/Atom' rel='{}' href='{}'/>"

    def document(name: str, hub_url: str) -> str:
        head = link.format("hub", hub_url) + link.format("self", f"{net.web.url}/{name}")
        return hub.document(item(name)).replace("<title>A feed</title>", f"<title>A feed</title>{head}", 1)

    async def work() -> None:
        async with feedd(net) as peer:
            for source in peer.config.sources:
                looked = await peer.looker.look(source)
                assert looked.error is None
            running = asyncio.create_task(peer.subscriber.run())
            began = time.monotonic()
            states = "SELECT state FROM subscriptions u JOIN sources s ON s.id = u.source_id WHERE s.name = 'prompt'"
            await asyncio.to_thread(until, lambda: net.rows(states) == [("active",)])
            assert time.monotonic() - began < 4
            asked = net.rows("SELECT count(*) FROM subscriptions WHERE asked_at IS NOT NULL")
            assert asked == [(3,)], "what waits for its hub was not asked yet"
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    with Web(host="127.0.0.2") as slow:
        slow.raw("/hub", lambda wire: wire.hang(30))
        toml = ""
        for number in range(12):
            net.web.page(f"/s{number}", document(f"s{number}", f"{slow.url}/hub"), type=RSS)
            toml += f'[sources.s{number}]\ntype = "feed"\nurl = "{{web}}/s{number}"\nallow_private = true\n'
        net.web.page("/prompt", document("prompt", hub.url), type=RSS)
        toml += '[sources.prompt]\ntype = "feed"\nurl = "{web}/prompt"\nallow_private = true\n'
        net.sources(toml)
        asyncio.run(work())


def two_hubs(net: Net, hub: Hub, second: str) -> None:
    link = f'<{hub.url}>; rel="hub", <{second}>; rel="hub", <{hub.topic}>; rel="self"'
    net.web.page("/feed.xml", hub.document(item("one")), type=RSS, headers={"Link": link})


def test_a_second_hub_is_tried_when_the_first_fails_for_a_day(net: Net) -> None:
    hub = Hub(net)
    second = net.web.script("/second", hub.asked)
    net.web.script("/hub", lambda _: Reply("", 500))
    two_hubs(net, hub, second)
    source_of(net)

    async def work() -> None:
        async with feedd(net) as peer:
            await peer.subscribed()
            assert [(row.hub, row.state) for row in await peer.rows()] == [(hub.url, "wanted")]
            peer.clock.ahead_ms += DAY_MS - HOUR_MS
            await peer.tend()
            assert [row.hub for row in await peer.rows()] == [hub.url]
            peer.clock.ahead_ms += 2 * HOUR_MS
            await peer.tend()
            rows = [(row.hub, row.state) for row in await peer.rows() if row.state != "ending"]
            assert rows == [(second, "active")]
            await peer.look()
            await peer.tend()
            rows = [(row.hub, row.state) for row in await peer.rows() if row.state != "ending"]
            assert rows == [(second, "active")], "and stays"

    asyncio.run(work())


def test_a_second_hub_is_tried_when_the_first_never_verifies(net: Net) -> None:
    hub = Hub(net, verifies=False)
    second = net.web.script("/second", lambda request: verified(hub, request))
    two_hubs(net, hub, second)
    source_of(net)

    async def work() -> None:
        async with feedd(net) as peer:
            await peer.subscribed()
            peer.clock.ahead_ms += DAY_MS + 1000
            for _ in range(2):
                await peer.tend()
            rows = [(row.hub, row.state) for row in await peer.rows() if row.state != "ending"]
            assert rows == [(second, "active")]

    asyncio.run(work())


def verified(hub: Hub, request: object) -> Reply:
    hub.verifies = True
    reply = hub.asked(request)  # type: ignore[arg-type]
    hub.verifies = False
    return reply


def test_polls_are_spread_after_a_start(net: Net) -> None:
    toml = "".join(
        f'[sources.s{number}]\ntype = "feed"\nurl = "{{web}}/s{number}"\nallow_private = true\nevery = "10m"\n'
        for number in range(5)
    )
    net.sources(toml)

    async def work() -> None:
        async with feedd(net) as peer:
            now = peer.clock()

            def as_if_pushed(peer: Peer = peer) -> None:
                run = peer.desk.writer.connection.execute
                for number in range(1, 6):
                    run(
                        "INSERT INTO subscriptions (source_id, hub, topic, callback, token, secret, state, asked_at,"
                        " confirmed_at, lease_until, own_check, own_because)"
                        " VALUES (?, 'h', 't', 'c', ?, 's', 'active', 1, 1, ?, ?, 'every 10m')",
                        [number, str(number), now + DAY_MS, now - HOUR_MS],
                    )
                run("UPDATE sources SET next_check = ?, next_check_because = 'net'", [now + 5 * HOUR_MS])

            peer.desk.run(lambda _: as_if_pushed())
            await peer.subscriber.caught_up()
            times = sorted(at for (at,) in net.rows("SELECT next_check FROM sources"))
            apart = [later - earlier for earlier, later in pairwise(times)]
            assert apart == [5_000] * 4
            assert abs(times[0] - now) < 2_000

    asyncio.run(work())
