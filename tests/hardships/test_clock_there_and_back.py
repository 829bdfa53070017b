"""A daemon whose clock is set forward by a year and back again, while it runs."""

import os
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from net import QUICK, item, rss
from running import FEEDD, PATIENCE_S, Site, until
from webserver import Web

FEEDS = 5


def faketime() -> Path:
    """Debian's libfaketime; a thread that sleeps needs the one for threads."""
    found = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if found is None:
        pytest.skip("libfaketime is not installed")
    return found


def items(site: Site) -> list[dict[str, Any]]:
    with suppress(httpx.TransportError):
        found: list[dict[str, Any]] = httpx.get(f"{site.url}/feeds/all.json", trust_env=False).json()["items"]
        return found
    return []


def is_first(site: Site, title: str) -> Callable[[], bool]:
    return lambda: [each["title"] for each in items(site)][:1] == [title]


def test_nothing_waits_for_a_year_and_nothing_is_asked_twice(tmp_path: Path) -> None:
    library, clock = faketime(), tmp_path / "clock"
    clock.write_text("+0")
    environment = {
        **os.environ,
        "LD_PRELOAD": os.fspath(library),
        "FAKETIME_TIMESTAMP_FILE": os.fspath(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # the kernel's doesn't jump either
        "NO_FAKE_STAT": "1",
    }
    with Web() as web, (tmp_path / "log").open("wb") as log:
        sources = QUICK
        for number in range(FEEDS):
            web.page(f"/{number}.xml", rss(item(f"a{number}")), type="application/rss+xml")
            sources += f'[sources.f{number}]\ntype = "feed"\nurl = "{web.url}/{number}.xml"\nevery = "1h"\n'
        site = Site(tmp_path, source='every = "1h"\nwatch = true', more=sources)
        command = [*FEEDD, "run", "--config", os.fspath(site.config)]
        with subprocess.Popen(command, env=environment, stderr=log) as daemon:
            until(lambda: len(items(site)) == FEEDS)
            clock.write_text("+365d")
            until(lambda: len(web.requests) == 2 * FEEDS)
            site.seed("then.txt", "Then", time_ms=None)
            until(is_first(site, "Then"))
            clock.write_text("+0")
            site.seed("now.txt", "Now", time_ms=None)
            until(is_first(site, "Now"))
            until(lambda: "was set back by" in (tmp_path / "log").read_text())
            assert [each["title"] for each in items(site)][:2] == ["Now", "Then"]
            assert len(web.requests) == 2 * FEEDS, "one round, and none for the way back"
            plans = {source["next_check"][:4] for source in site.json("sources")}
            daemon.terminate()
            assert daemon.wait(PATIENCE_S) == 0
    said = (tmp_path / "log").read_text()
    assert "the clock went on by 365d at once" in said
    assert "the clock was set back by 365d" in said
    assert "Traceback" not in said
    assert plans == {plan[:4] for plan in [site.json("sources")[0]["last_checked"]]}
