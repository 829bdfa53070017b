"""A database that can't be written for a while is no reason to ask servers more often."""

import asyncio
from pathlib import Path

import pytest
from net import RSS, rss
from webserver import Web

from feedd.config.load import load
from feedd.daemon.attending import Attendant
from feedd.looks import Request
from feedd.pipeline import looker
from feedd.store.desk import Desk
from feedd.wiring import prepare

FEED = '\ntype = "feed"\nurl = "{url}/feed"'
READER = """
type = "feed"
url = "{url}/feed"
content = "auto"
recheck = true
"""
FETCH = '[fetch]\nallow_private = true\nhost_interval = "0s"\n'


@pytest.mark.parametrize("source", [FEED, READER], ids=["feed", "rechecked"])
def test_what_can_not_be_recorded_is_not_fetched_again_at_once(tmp_path: Path, source: str) -> None:
    async def ticks(attendant: Attendant) -> None:
        for _ in range(5):
            await attendant.tick()
            await asyncio.gather(*attendant.tasks.running)

    async def play(desk: Desk, attendant: Attendant, web: Web) -> None:
        desk.run(lambda writer: writer.connection.execute("PRAGMA query_only = ON"))
        await ticks(attendant)
        assert web.count("/feed") == 1
        desk.run(lambda writer: writer.connection.execute("PRAGMA query_only = OFF"))
        await ticks(attendant)
        assert web.count("/feed") == 1, "nor when it can be written again, before its time"
        looked = await attendant.looked_at("news", Request(asked=True))
        assert (looked.status, looked.tally.added, web.count("/feed")) == ("ok", 1, 2)
        assert not attendant.resting_until

    async def whole(web: Web) -> None:
        config = load(tmp_path / "config.toml")
        with Desk(config.store.path) as desk:
            prepare(desk, config)
            attendant = Attendant(config, desk)
            async with looker(config, desk, attendant.stop) as attendant.looker, asyncio.timeout(10):
                await play(desk, attendant, web)
                await attendant.end()

    with Web() as web:
        web.page("/feed", rss(f"<title>One</title><link>{web.url}/one</link>"), type=RSS)
        web.page("/one", "<article><p>Some words, and a few more of them.</p></article>")
        (tmp_path / "config.toml").write_text(f"[sources.news]{source.format(url=web.url)}\n{FETCH}")
        asyncio.run(whole(web))
