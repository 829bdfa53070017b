"""Nobody takes all of the hub: large pings, slow callbacks, floods of requests."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hubsite import PRIVATE, Caller, HubSite, titles
from hypothesis import given
from hypothesis import strategies as st
from running import Site, until
from shelf import Piece
from webserver import Raw, Reply, Request, Web

from feedd.websub.pings import AT_ONCE, Pace, is_room

WORDS = "<p>" + "Some words of it. " * 1_000 + "</p>"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[HubSite]:
    with HubSite(tmp_path) as made:
        yield made


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as made:
        yield made


class Bounded(Caller):
    """Takes so many bytes at once."""

    most = 0

    def answer(self, request: Request) -> Reply:
        if request.method == "POST" and len(request.body) > self.most:
            return Reply("", 413)
        return super().answer(request)


def add(site: HubSite, *pieces: tuple[str, str]) -> None:
    site.shelf.look("news", site.now_ms(), [Piece(name, name, body) for name, body in pieces])


def test_a_ping_is_bounded(site: HubSite, web: Web, caplog: pytest.LogCaptureFixture) -> None:
    caller = Caller(web)
    site.follow(caller)
    add(site, *((f"n{number:02}", WORDS.replace("Some", f"{number}")) for number in range(60)))
    (body,) = caller.bodies(1)
    assert 300_000 < len(body.encode()) < 600_000
    shown = titles([body])[0]
    assert shown == [f"n{number:02}" for number in range(59, 59 - len(shown), -1)], "the newest first"
    assert any("left out" in each.getMessage() for each in caplog.records)
    add(site, ("more", WORDS))
    assert titles(caller.bodies(2))[1] == ["more"]


def test_a_callback_that_takes_less_is_sent_less(
    site: HubSite, web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    caller = Bounded(web)
    caller.most = 100_000
    site.follow(caller)
    add(site, *((f"n{number:02}", WORDS.replace("Some", f"{number}")) for number in range(20)))
    (body,) = caller.bodies(1)
    assert len(body.encode()) <= 100_000
    assert 2 <= len(titles([body])[0]) < 20
    assert site.rows("SELECT attempts FROM subscribers") == [(0,)]
    add(site, ("large", WORDS * 10))
    until(lambda: any("passed over" in each.getMessage() for each in caplog.records))
    add(site, ("small", "<p>Words.</p>"))
    assert titles(caller.bodies(2))[1] == ["small"]
    assert site.rows("SELECT error, failing_since FROM subscribers") == [(None, None)]


def test_a_thousand_and_more_are_said(site: HubSite, web: Web, caplog: pytest.LogCaptureFixture) -> None:
    caller = Caller(web)
    site.follow(caller)
    add(site, *((f"n{number}", "") for number in range(1_010)))
    (body,) = caller.bodies(1)
    assert len(titles([body])[0]) <= 1_000
    assert any("left out" in each.getMessage() for each in caplog.records)


def test_places_for_slow_prompt_and_unknown_callbacks() -> None:
    begun: dict[Pace, int] = dict.fromkeys(Pace, 0)
    for pace in (Pace.SLOW, Pace.UNKNOWN, Pace.PROMPT):
        while is_room(pace, begun):
            begun[pace] += 1
    assert begun == {Pace.SLOW: AT_ONCE // 2, Pace.UNKNOWN: AT_ONCE // 4, Pace.PROMPT: AT_ONCE // 4}
    alone: dict[Pace, int] = dict.fromkeys(Pace, 0)
    while is_room(Pace.PROMPT, alone):
        alone[Pace.PROMPT] += 1
    assert alone[Pace.PROMPT] == AT_ONCE


@given(st.lists(st.sampled_from(Pace)))
def test_prompt_callbacks_always_have_places_of_their_own(coming: list[Pace]) -> None:
    begun: dict[Pace, int] = dict.fromkeys(Pace, 0)
    for pace in coming:
        begun[pace] += is_room(pace, begun)
    assert begun[Pace.SLOW] <= AT_ONCE // 2
    assert sum(begun.values()) <= AT_ONCE
    if begun[Pace.PROMPT] < AT_ONCE // 4:
        assert is_room(Pace.PROMPT, begun)


def test_slow_hosts_never_hold_up_a_prompt_one(site: HubSite, web: Web) -> None:
    prompt, hanging = Caller(web, "/prompt"), list[Request]()
    site.follow(prompt)
    site.add("new", "zero")
    prompt.bodies(1)

    def hang(request: Request) -> Reply | Raw:
        if request.method == "GET":
            return Reply(request.path.partition("challenge=")[2].partition("&")[0], type="text/plain")
        hanging.append(request)
        return lambda wire: wire.hang(60)

    with Web(host="0.0.0.0") as elsewhere:
        elsewhere.script("/slow", hang)
        for number in range(2, 22):
            slow = f"http://127.0.1.{number}:{elsewhere.port}/slow"
            assert site.ask(slow).status_code == 202
        until(lambda: len(site.confirmed()) == 21)
        site.add("new", "one")
        prompt.bodies(2)
        until(lambda: len(hanging) == 12)
        site.add("new", "two")
        assert titles(prompt.bodies(3))[1:] == [["new one"], ["new two"]]


def test_one_host_on_many_ports_is_one_host(site: HubSite) -> None:
    begun = list[Request]()

    def hang(request: Request) -> Reply | Raw:
        if request.method == "GET":
            return Reply(request.path.partition("challenge=")[2].partition("&")[0], type="text/plain")
        begun.append(request)
        return lambda wire: wire.hang(60)

    webs = [Web() for _ in range(6)]
    try:
        for each in webs:
            each.__enter__()
            each.script("/slow", hang)
            assert site.ask(f"{each.url}/slow").status_code == 202
        until(lambda: len(site.confirmed()) == 6)
        site.add("new", "one")
        until(lambda: len(begun) == 4)
        site.add("new", "two")
        assert len(begun) == 4
    finally:
        for each in webs:
            each.__exit__(None, None, None)


def test_a_renewal_is_not_held_up_by_strangers(site: HubSite, web: Web) -> None:
    caller = Caller(web)
    site.follow(caller)
    strangers = [site.ask(f"{web.url}/{number}").status_code for number in range(12)]
    assert strangers == [202] * 9 + [429] * 3
    site.follow(caller, lease_seconds="77")
    renewals = [site.ask(caller.url).status_code for _ in range(10)]
    assert renewals[0] == 202
    assert renewals[-1] == 429, "but nobody is pestered in its name"


def test_a_host_has_a_tenth_of_the_subscriptions(tmp_path: Path, web: Web) -> None:
    with HubSite(tmp_path, f"{PRIVATE}max_subscriptions = 40\n") as site:
        callers = [Caller(web, f"/{number}") for number in range(4)]
        for each in callers:
            site.follow(each)
        refused = site.ask(f"{web.url}/another")
        assert refused.status_code == 503
        assert "host" in refused.text
        site.follow(callers[0], lease_seconds="77")
        with Web(host="127.0.0.2") as elsewhere:
            site.follow(Caller(elsewhere))


def test_a_feedd_that_is_no_hub_has_no_address_for_it(tmp_path: Path) -> None:
    site = Site(tmp_path, more="[websub]\nhub = false\n")
    with site.running() as daemon:
        assert daemon.get("/hub").status_code == 404
        assert httpx.post(f"{site.url}/hub", trust_env=False, verify=False).status_code == 404


def test_what_is_empty_is_absent(site: HubSite, web: Web) -> None:
    caller = Caller(web)
    site.follow(caller, lease_seconds="", secret="")
    assert caller.asked[0]["hub.lease_seconds"] == "86400"
    assert site.rows("SELECT secret FROM subscribers") == [(None,)]
