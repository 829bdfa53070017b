"""A secret that can't be had is named when feedd starts, by the key that wants it; the rest goes on."""

from pathlib import Path

import httpx
from running import Site, until


def test_it_is_told_at_the_start_and_costs_nothing_else(tmp_path: Path) -> None:
    more = (
        '[notify.desk]\ntype = "webhook"\nurl = "http://127.0.0.1:9/"\nsecret = "env:FEEDD_TEST_NOWHERE"\n'
        '[sources.far]\ntype = "feed"\nurl = "http://127.0.0.1:9/"\nallow_private = true\n'
        'auth = { bearer = "credential:nowhere" }\n'
    )
    site = Site(tmp_path, more=more)
    site.seed("1.md", "The first")
    with site.running() as daemon:
        until(lambda: httpx.get(f"{site.url}/feeds/news.json", trust_env=False).json()["items"])
        log = daemon.log()
        assert "WARNING notify.desk.secret: " in log
        assert "FEEDD_TEST_NOWHERE" in log
        assert "WARNING sources.far: " in log
        assert "nowhere" in log
