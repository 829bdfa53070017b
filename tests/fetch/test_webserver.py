"""The server that plays the internet, seen through the fetcher."""

import time

import pytest
from fetching import fetch
from webserver import Reply, Web

from feedd.errors import FetchError, TimedOut


def test_pages_scripts_and_what_is_not_there() -> None:
    with Web() as web:
        assert web.page("/a", "plain") == web.url + "/a"
        web.page("/a?q=1", b"with a query", type=None)
        web.script("/twice", lambda _: Reply(f"seen {web.count('/twice')}"))
        assert fetch(web.url + "/a?q=2").body == b"plain"
        assert fetch(web.url + "/a?q=1").content_type is None
        assert [fetch(web.url + "/twice").body for _ in range(2)] == [b"seen 1", b"seen 2"]
        assert fetch(web.url + "/nowhere").status == 404
        web.gone("/a")
        assert fetch(web.url + "/a").status == 410
        assert web.last("/a").method == "GET"
        assert web.last("/a").at_s <= time.monotonic()


def test_a_script_that_raises_is_heard_of() -> None:
    def broken(_: object) -> Reply:
        raise KeyError("broken")

    web = Web()
    web.__enter__()
    web.script("/", broken)
    assert fetch(web.url + "/").status == 500
    with pytest.raises(KeyError, match="broken"):
        web.__exit__(None)


def test_closing_wakes_those_that_hang() -> None:
    began = time.monotonic()
    with Web() as web:
        web.raw("/", lambda wire: wire.hang())
        with pytest.raises(TimedOut):
            fetch(web.url + "/", timeout_s=0.1)
    assert time.monotonic() - began < 2
    with pytest.raises(FetchError, match="refused"):
        fetch(web.url + "/")
