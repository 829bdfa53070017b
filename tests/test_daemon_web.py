"""The daemon and sources of the web: looks by schedule, servers that harm nobody, an end in good time."""

import time

from net import RSS, Net, item, rss
from running import until
from webserver import Wire


def test_a_feed_is_looked_at_again_and_again(net: Net) -> None:
    net.web.page("/feed.xml", rss(item("one")), type=RSS, etag=True)
    net.feed(settings='every = "1s"')
    with net.running() as daemon:
        until(lambda: daemon.titles("a") == ["one"])
        net.web.page("/feed.xml", rss(item("one"), item("two")), type=RSS, etag=True)
        until(lambda: sorted(daemon.titles("a")) == ["one", "two"])
        until(lambda: any(each.headers.get("if-none-match") for each in net.web.requests))
        seen = len(net.web.requests)
        until(lambda: len(net.web.requests) > seen + 2)
    net.feed(settings='every = "1h"')
    seen = len(net.web.requests)
    with net.running() as daemon:
        assert sorted(daemon.titles("a")) == ["one", "two"]
        until(lambda: len(net.web.requests) > seen)  # another rhythm: it is looked at now, and then by that


def test_servers_that_hang_hold_up_neither_the_others_nor_the_end(net: Net) -> None:
    def hang(wire: Wire) -> None:
        wire.hang()

    names = [f"bad{number}" for number in range(10)]
    toml = "".join(f'[sources.{name}]\ntype = "feed"\nurl = "{{web}}/{name}"\n' for name in names)
    for name in names:
        net.web.raw(f"/{name}", hang)
    net.web.page("/good.xml", rss(item("one")), type=RSS)
    net.sources(
        toml + '[sources.good]\ntype = "feed"\nurl = "{web}/good.xml"\n',
        '[fetch]\nallow_private = true\nhost_interval = "0s"\nper_host = 20\n',
    )
    with net.running() as daemon:
        until(lambda: daemon.titles("good") == ["one"])
        until(lambda: sum(each.path.startswith("/bad") for each in net.web.requests) == len(names))
        begun = time.monotonic()
        assert daemon.end() == 0
        assert time.monotonic() - begun < 5


def test_first_looks_are_spread(net: Net) -> None:
    names = [f"s{number:02}" for number in range(40)]
    for name in names:
        net.web.page(f"/{name}", rss(item(name)), type=RSS)
    net.sources("".join(f'[sources.{name}]\ntype = "feed"\nurl = "{{web}}/{name}"\n' for name in names))
    with net.running() as daemon:
        until(lambda: len(daemon.titles("all")) == len(names))
    arrived = [each.at_s for each in net.web.requests]
    assert max(arrived) - min(arrived) > 0.8  # over two ticks at least


def test_work_that_is_handed_over(net: Net) -> None:
    net.web.page("/feed.xml", rss(item("one")), type=RSS)
    net.feed()
    with net.running() as daemon:
        until(lambda: daemon.titles("a") == ["one"])
        net.web.page("/feed.xml", rss(item("one", text="Other words.")), type=RSS)
        (said,) = net.json("update", "a")["sources"]
        assert said["edited"] + said["silent_edited"] == 1
        (left,) = net.json("update")["sources"]
        assert (left["status"], left["next_check"] is None) == ("unchanged", False)


def test_a_kill_loses_nothing(net: Net) -> None:
    names = [f"s{number:02}" for number in range(30)]
    for name in names:
        net.web.page(f"/{name}", rss(*(item(f"{name}-{each}") for each in range(20))), type=RSS)
    net.sources("".join(f'[sources.{name}]\ntype = "feed"\nurl = "{{web}}/{name}"\n' for name in names))
    with net.running() as daemon:
        until(lambda: len(net.web.requests) > 5)
        daemon.kill()
    result = net.all(*names)
    assert all(each["status"] != "failed" for each in result)
    assert len(net.titles()) == 600
    assert net.rows("SELECT count(*) FROM changes WHERE kind = 'added'") == [(600,)]
    assert net.rows("PRAGMA integrity_check") == [("ok",)]


def test_the_commands_of_a_person(net: Net) -> None:
    """What is printed, by processes of their own."""
    net.web.page("/feed.xml", rss(item("one"), item("two")), type=RSS)
    net.feed()
    assert "2 added" in net.feedd("update").stdout
    found = net.json("test", "a")
    assert [each["decision"] for each in found["items"]] == ["duplicate", "duplicate"]
    page = "<ul><li class=j><h3>Cook</h3><a href=/1>x</a></li></ul>"
    net.web.page("/jobs", page)
    found = net.json("test", f"{net.web.url}/jobs", "--entry", "li.j", "--title", "h3", "--allow-private")
    assert [(each["title"], each["url"]) for each in found["items"]] == [("Cook", f"{net.web.url}/1")]
    assert (
        "is not a CSS selector" in net.feedd("test", f"{net.web.url}/jobs", "--entry", "li[", status=2).stderr
    )
    assert net.feedd("test", "http://127.0.0.1:1/x", status=1).stderr
    shown = net.json("explain", "https://example.org/one")
    assert (shown["known"], shown["decision"]) == (True, "added")
    net.feed(settings='reject = { title = "three" }')
    net.web.page("/feed.xml", rss(item("three")), type=RSS)
    net.feedd("update", "a")
    left_out = net.json("explain", "https://example.org/three")
    assert left_out["decision"] == "left out"
    assert "reject.title" in left_out["because"]
