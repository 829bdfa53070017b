"""Subscribing to feeds of ours, and what subscribers are sent, over real servers."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hubsite import PRIVATE, Caller, HubSite, titles
from lxml import etree
from running import until
from webserver import Raw, Reply, Request, Web

from feedd.store import incidents

DAY_S = 86_400


@pytest.fixture
def site(tmp_path: Path) -> Iterator[HubSite]:
    with HubSite(tmp_path) as made:
        yield made


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as made:
        yield made


def test_what_is_new_is_pushed_and_nothing_else(site: HubSite, web: Web) -> None:
    caller = Caller(web, "/callback?x=1")
    site.follow(caller, secret="hush", lease_seconds="3600")
    (asked,) = caller.asked
    assert asked["hub.mode"] == "subscribe"
    assert asked["hub.topic"] == site.topic()
    assert asked["hub.lease_seconds"] == "3600"
    assert asked["x"] == "1"
    site.add("new", "one")
    assert titles(caller.bodies(1)) == [["new one"]]
    (got,) = caller.got
    assert got.path == "/callback?x=1"
    assert got.headers["content-type"] == "application/atom+xml; charset=utf-8"
    assert got.headers["link"] == f'<{site.url}hub>; rel="hub", <{site.topic()}>; rel="self"'
    assert (
        got.headers["x-hub-signature"] == f"sha256={hmac.new(b'hush', got.body, hashlib.sha256).hexdigest()}"
    )
    assert got.headers["user-agent"] == "feedd/test"
    site.add("other", "two", source="other")
    site.add("edited", "one", "three", body="<p>Quite other words than before.</p>")
    assert titles(caller.bodies(2))[1] == ["edited three", "edited one"]
    site.remove("old-one")
    body = caller.bodies(3)[2]
    assert "<entry>" not in body
    assert "deleted-entry" in body


def test_each_format_and_no_signature_without_a_secret(site: HubSite, web: Web) -> None:
    rss, feed = Caller(web, "/rss"), Caller(web, "/json")
    site.follow(rss, topic=site.topic("all", "rss"))
    site.follow(feed, topic=site.topic("all", "json"))
    site.remove("old-one")  # neither format can say so
    site.add("new", "one", source="other")
    root = etree.fromstring(rss.bodies(1)[0].encode())
    assert root.xpath("//item/title/text()") == ["new one"]
    assert [item["title"] for item in json.loads(feed.bodies(1)[0])["items"]] == ["new one"]
    assert rss.got[0].headers["content-type"] == "application/rss+xml; charset=utf-8"
    assert feed.got[0].headers["content-type"] == "application/feed+json; charset=utf-8"
    assert "x-hub-signature" not in rss.got[0].headers


def test_the_feeds_of_changes_and_of_health(site: HubSite, web: Web) -> None:
    changes, health = Caller(web, "/changes"), Caller(web, "/health")
    site.follow(changes, topic=site.topic("changes"))
    site.follow(health, topic=site.topic("health"))
    site.add("new", "one")  # an addition is no change
    site.add("edited", "old-one", body="<p>Quite other words than before.</p>")
    assert [[title.partition(":")[0] for title in some] for some in titles(changes.bodies(1))] == [
        ["Silently edited"]
    ]
    assert health.got == []
    site.shelf.desk.run(
        lambda writer: incidents.report(writer.connection, 1, "failing", "It is away", site.now_ms() + 5)
    )
    site.later(10)
    assert titles(health.bodies(1)) == [["news is failing"]]


def test_renewal_brings_another_secret_and_lease(site: HubSite, web: Web) -> None:
    caller = Caller(web)
    site.follow(caller, secret="one", lease_seconds="600")
    site.follow(caller, secret="two", lease_seconds="9000")
    assert len(site.confirmed()) == 1
    site.add("new", "one")
    caller.bodies(1)
    (got,) = caller.got
    assert (
        got.headers["x-hub-signature"] == f"sha256={hmac.new(b'two', got.body, hashlib.sha256).hexdigest()}"
    )
    assert [asked["hub.lease_seconds"] for asked in caller.asked] == ["600", "9000"]


def test_unsubscribing_is_verified_too(site: HubSite, web: Web) -> None:
    caller = Caller(web)
    site.follow(caller)
    caller.agrees = False
    assert site.ask(caller.url, "unsubscribe").status_code == 202
    until(lambda: len(caller.asked) == 2)
    caller.agrees = True
    site.add("new", "one")
    caller.bodies(1)
    assert site.ask(caller.url, "unsubscribe", lease_seconds="nonsense").status_code == 202
    until(lambda: not site.confirmed())
    assert caller.asked[-1]["hub.mode"] == "unsubscribe"
    site.add("new", "two")
    site.later(1000)
    assert site.ask(caller.url, "unsubscribe").status_code == 202
    time.sleep(0.2)
    assert (len(caller.got), len(caller.asked)) == (1, 3)  # there was nothing to verify


def test_leases(site: HubSite, web: Web) -> None:
    usual, century, short = Caller(web, "/usual"), Caller(web, "/century"), Caller(web, "/short")
    site.follow(usual)
    site.follow(century, lease_seconds="3153600000")
    site.follow(short, lease_seconds="60")
    asked = [caller.asked[0]["hub.lease_seconds"] for caller in (usual, century, short)]
    assert asked == [str(DAY_S), str(10 * DAY_S), "60"]
    ends = [
        end_ms - at_ms
        for at_ms, end_ms in site.rows("SELECT confirmed_at, lease_until FROM subscribers ORDER BY id")
    ]
    assert ends == [DAY_S * 1000, 10 * DAY_S * 1000, 60_000]
    site.later(61_000)
    until(lambda: len(site.confirmed()) == 2)
    site.add("new", "one")
    usual.bodies(1)
    century.bodies(1)
    assert short.got == []


def test_a_callback_that_is_gone_ends_its_subscription(site: HubSite, web: Web) -> None:
    caller = Caller(web, status=410)
    site.follow(caller)
    site.add("new", "one")
    until(lambda: not site.confirmed())


def test_nothing_is_lost_while_a_callback_is_down(site: HubSite, web: Web) -> None:
    down, up = Caller(web, "/down", 500), Caller(web, "/up")
    site.follow(down)
    site.follow(up)
    site.add("new", "one")
    up.bodies(1)
    attempts = "SELECT attempts FROM subscribers WHERE callback LIKE '%/down'"
    until(lambda: site.rows(attempts) == [(1,)])
    site.add("new", "two")
    up.bodies(2)
    site.later(6_000)
    until(lambda: site.rows(attempts) == [(2,)])
    site.remove("old-two")
    down.status = 204
    site.later(20_000)
    assert titles(down.bodies(1)) == [["new two", "new one"]]
    assert "deleted-entry" in down.bodies(1)[0]
    assert titles(up.bodies(3)) == [["new one"], ["new two"], []]
    until(lambda: site.rows(attempts) == [(0,)])
    assert site.rows(
        "SELECT count(*) FROM subscribers WHERE failing_since IS NOT NULL OR error IS NOT NULL"
    ) == [(0,)]


def test_it_is_left_alone_for_as_long_as_it_asks_and_given_up_after_three_days(
    site: HubSite, web: Web
) -> None:
    caller = Caller(web)
    site.follow(caller)
    web.page("/callback", "busy", status=503, headers={"Retry-After": "7200"})
    site.add("new", "one")
    query = "SELECT next_attempt FROM subscribers WHERE attempts = 1"
    due_ms = until(lambda: site.rows(query))[0][0]
    assert 7_100_000 < due_ms - site.now_ms() <= 7_200_000
    site.run(
        "UPDATE subscribers SET lease_until = lease_until + 999999999, failing_since = failing_since - 259300000"
    )
    site.later(7_201_000)
    until(lambda: not site.confirmed())


def test_what_a_process_did_not_send_is_sent_by_the_next_one(tmp_path: Path, web: Web) -> None:
    caller = Caller(web, status=500)
    with HubSite(tmp_path) as site:
        site.follow(caller)
        site.add("new", "one")
        until(lambda: site.rows("SELECT attempts FROM subscribers") == [(1,)])
        told = site.rows("SELECT told FROM subscribers")
    caller.status = 200
    with HubSite(tmp_path, port=site.port, offset_ms=20_000) as again:
        assert titles(caller.bodies(1)) == [["new one"]]
        until(lambda: again.rows("SELECT told FROM subscribers") != told)


def test_feeds_that_left_the_configuration_end_their_subscriptions(tmp_path: Path, web: Web) -> None:
    stays, goes = Caller(web, "/stays"), Caller(web, "/goes")
    with HubSite(tmp_path) as site:
        site.follow(stays, topic=site.topic("all"))
        site.follow(goes, topic=site.topic("other"))
    with HubSite(tmp_path, names=["news"], port=site.port) as again:
        until(lambda: len(goes.asked) == 2)
        assert goes.asked[1]["hub.mode"] == "denied"
        assert goes.asked[1]["hub.topic"] == site.topic("other")
        assert [row[0] for row in again.confirmed()] == [site.topic("all")]


def test_what_the_rules_of_a_feed_leave_out_is_no_news(tmp_path: Path, web: Web) -> None:
    caller = Caller(web)
    rules = '[feeds.some]\nsources = ["news"]\nmatch = { title = "wanted" }\n'
    with HubSite(tmp_path, rules + PRIVATE) as site:
        site.follow(caller, topic=site.topic("some"))
        site.add("new", "one")
        site.later(100)
        until(lambda: site.hub.looked)
        site.add("wanted", "two")
        assert titles(caller.bodies(1)) == [["wanted two"]]


def test_a_slow_callback_holds_up_no_other(site: HubSite, web: Web) -> None:
    prompt, hanging = Caller(web, "/prompt"), list[Request]()

    def hang(request: Request) -> Reply | Raw:
        if request.method == "GET":
            return Reply(request.path.partition("challenge=")[2].partition("&")[0], type="text/plain")
        hanging.append(request)
        return lambda wire: wire.hang(60)

    for number in range(6):
        slow = Caller(web, f"/slow{number}")
        site.follow(slow)
        web.script(f"/slow{number}", hang)
    with Web(host="127.0.0.2") as elsewhere:
        prompt = Caller(elsewhere, "/prompt")
        site.follow(prompt)
        site.add("new", "one")
        prompt.bodies(1)
        until(lambda: len(hanging) == 4)  # at most so many at one host
        site.add("new", "two")
        assert titles(prompt.bodies(2)) == [["new one"], ["new two"]]
        assert len(hanging) == 4


def test_a_wrong_answer_leaves_nothing_behind(site: HubSite, web: Web) -> None:
    answers = {
        "/wrong": Reply("something else", type="text/plain"),
        "/missing": Reply("", 404),
        "/elsewhere": Reply("", 302, headers={"Location": "/right"}),
        "/long": Reply("x" * 100_000),
    }
    right = Caller(web, "/right")
    for path, reply in answers.items():
        web.script(path, lambda _, reply=reply: reply)  # type: ignore[misc]
    web.script("/more", lambda request: Reply(request.path.partition("challenge=")[2] + " "))
    web.raw("/hangs", lambda wire: wire.hang())
    for path in (*answers, "/more", "/hangs"):
        assert site.ask(web.url + path).status_code == 202
    until(lambda: len(web.requests) == len(answers) + 2)
    until(lambda: site.hub.verifier.size == 1)
    assert site.confirmed() == []
    assert right.asked == []
    assert site.hub.verifier.knows((site.topic(), f"{web.url}/hangs"))


def test_private_callbacks_are_refused_unless_they_are_allowed(tmp_path: Path, web: Web) -> None:
    with HubSite(tmp_path, "") as site:
        for host in ("127.0.0.1", "localhost", "127.1", "2130706433", "[::1]", "10.0.0.1", "app.localhost"):
            refused = site.ask(f"http://{host}:{web.port}/callback")
            assert (refused.status_code, refused.headers["content-type"]) == (
                403,
                "text/plain; charset=utf-8",
            )
        time.sleep(0.1)
    assert web.requests == []


def test_what_is_refused_at_once(site: HubSite, web: Web) -> None:
    url = f"{web.url}/callback"
    unknown = site.ask(url, topic=f"{site.url}feeds/nothing.atom")
    assert unknown.status_code == 404
    assert "hub.topic" in unknown.text
    assert site.ask(url, topic=f"{site.topic()}?limit=5").status_code == 404
    assert site.ask(url, topic="https://example.org/feed").status_code == 404
    assert site.ask(url, lease_seconds="0").status_code == 400
    assert site.ask(url, secret="x" * 200).status_code == 400
    assert site.ask(url, secret="x" * 20_000).status_code == 413
    assert httpx.post(f"{site.url}hub", json={}, trust_env=False, verify=False).status_code == 415

    def endless() -> Iterator[bytes]:
        yield from [b"x" * 5_000] * 5

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (
        httpx.post(
            f"{site.url}hub", content=endless(), headers=form, trust_env=False, verify=False
        ).status_code
        == 413
    )
    told = httpx.get(f"{site.url}hub", trust_env=False, verify=False)
    assert (told.status_code, told.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert httpx.put(f"{site.url}hub", trust_env=False, verify=False).status_code == 405
    assert web.requests == []


def test_a_topic_in_another_spelling_is_echoed_as_it_was_asked_for(site: HubSite, web: Web) -> None:
    caller = Caller(web)
    spelled = site.topic().replace("http://", "HTTP://")
    site.follow(caller, topic=spelled)
    assert caller.asked[0]["hub.topic"] == spelled
    assert site.confirmed()[0][0] == site.topic()


def test_there_are_so_many_subscriptions_and_no_more(tmp_path: Path, web: Web) -> None:
    with HubSite(tmp_path, f"{PRIVATE}max_subscriptions = 1\n") as site:
        caller = Caller(web)
        site.follow(caller)
        refused = site.ask(f"{web.url}/another")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "3600")
        site.follow(caller, lease_seconds="77")


def test_a_host_is_not_asked_too_often(site: HubSite, web: Web) -> None:
    answers = [site.ask(f"{web.url}/{number}") for number in range(12)]
    assert [answer.status_code for answer in answers] == [202] * 10 + [429] * 2
    assert 0 < int(answers[-1].headers["retry-after"]) <= 61
    until(lambda: site.hub.verifier.size == 0)
    assert len(web.requests) == 10


def test_feeds_say_where_their_hub_is(site: HubSite) -> None:
    expected = f'<{site.url}hub>; rel="hub", <{site.topic()}>; rel="self"'
    got = httpx.get(site.topic(), trust_env=False, verify=False)
    assert (got.status_code, got.headers["link"]) == (200, expected)
    assert httpx.head(site.topic(), trust_env=False, verify=False).headers["link"] == expected
    assert httpx.get(f"{site.topic()}?limit=1", trust_env=False, verify=False).headers["link"] == expected
    same = httpx.get(
        site.topic(), headers={"If-None-Match": got.headers["etag"]}, trust_env=False, verify=False
    )
    assert (same.status_code, same.headers["link"]) == (304, expected)


def test_a_feed_that_cannot_be_written_holds_up_no_other(site: HubSite, web: Web) -> None:
    broken, whole = Caller(web, "/broken"), Caller(web, "/whole")
    site.follow(broken, topic=site.topic("all"))
    site.follow(whole)
    site.run("UPDATE subscribers SET format = 'none' WHERE feed = 'all'")
    site.add("new", "one")
    whole.bodies(1)
    until(lambda: site.rows("SELECT attempts FROM subscribers WHERE feed = 'all'") == [(1,)])
    assert broken.got == []
