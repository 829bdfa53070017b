"""The rules of a subscriber, as values: headers, leases, pauses, what is due."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.collect import hubs_of, is_of
from feedd.config.settings import Server
from feedd.config.sources import FeedSource
from feedd.schedule import Due, Timing
from feedd.sources.documents import Reading
from feedd.store.subscriptions import Offer, Subscription
from feedd.websub.duties import Duty, Wish, callbacks_at, duty_of, missing, next_hub
from feedd.websub.incoming import (
    DAY_MS,
    HOUR_MS,
    Intent,
    intent_of,
    is_public,
    lease_of,
    pause_ms,
    rarer,
    renew_at,
    told,
)
from feedd.websub.links import MOST_HUBS, MOST_LINKS, Announced, announced, links, web_address

NOW = 1_800_000_000_000
BASE = "https://example.org/a/feed"


@pytest.mark.parametrize(
    ("header", "hub", "topic"),
    [
        ("", None, None),
        ('<https://hub.example/>; rel="hub"', "https://hub.example/", None),
        (
            '<https://hub.example/>; rel="hub", <x>; rel="self"',
            "https://hub.example/",
            "https://example.org/a/x",
        ),
        (
            "<https://hub.example/> ; rel = hub ,</x>;rel=self",
            "https://hub.example/",
            "https://example.org/x",
        ),
        ('<https://one/>; rel="hub", <https://two/>; rel="hub"', "https://one/", None),
        ('<https://h/?a=1,2;b>; title="a, <b>; \\"rel=x\\""; rel="Next HUB"', "https://h/?a=1,2;b", None),
        ("<https://h/>; rel=next; rel=hub", None, None),
        ('<https://h/>; rel=hub; anchor="https://other/"', None, None),
        ("<ftp://h/>; rel=hub, <javascript:x>; rel=self", None, None),
        ("<https://h/ x>; rel=hub", None, None),
        ("<https://h/; rel=hub", None, None),
        (", ,<https://h/>; rel=hub", "https://h/", None),
        ("<https://h/>; crossorigin; rel=hub", "https://h/", None),
        ("<https://[h/>; rel=hub", None, None),
        ("<https://h/" + "x" * 3000 + ">; rel=hub", None, None),
        ("junk <https://h/>; rel=hub", None, None),
    ],
    ids=range(16),
)
def test_link_headers(header: str, hub: str | None, topic: str | None) -> None:
    said = announced(header, BASE)
    assert (said.hub, said.topic) == (hub, topic)


@given(st.text('<>;,="\\ rel hubsf/:tp\t\n\x00é', max_size=400) | st.text(max_size=200))
def test_any_link_header(header: str) -> None:
    assert len(links(header)) <= MOST_LINKS
    said = announced(header, BASE)
    assert len(said.hubs) <= MOST_HUBS
    for each in (*said.hubs, said.topic):
        assert each is None or each == web_address(each)


@given(
    st.lists(
        st.tuples(
            st.text("abc/?=&;,", min_size=1, max_size=20),
            st.lists(st.sampled_from(["hub", "self", "next"]), min_size=1, max_size=3),
        ),
        max_size=10,
    )
)
def test_link_headers_that_are_well_spelled(pairs: list[tuple[str, list[str]]]) -> None:
    header = ", ".join(
        f'<https://h/{path}>; title="x, <y>"; rel="{" ".join(names)}"' for path, names in pairs
    )
    assert links(header) == [(f"https://h/{path}", frozenset(names)) for path, names in pairs]


def test_long_headers_take_no_time() -> None:
    for header in ('<a>; rel="' + '\\"' * 100_000, "<" * 100_000, "<a>" + ";" * 100_000, ", " * 100_000):
        assert announced(header, BASE).hub is None


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://feeds.example.org/", True),
        ("https://feeds.example.org.:8443/x/", True),
        ("http://8.8.8.8/", True),
        ("http://[2606:4700::1111]/", True),
        ("http://127.0.0.1:8080/", False),
        ("http://127.1/", False),
        ("http://2130706433/", False),
        ("http://10.1.2.3/", False),
        ("http://[::1]/", False),
        ("http://[fd00::1]/", False),
        ("http://localhost/", False),
        ("http://LOCALHOST./", False),
        ("http://feeds/", False),
        ("http://nas.local/", False),
        ("http://x.internal/", False),
        ("http://x.localhost/", False),
        ("http://router.home.arpa/", False),
        ("http://1.2.3.999/", False),
        ("", False),
    ],
)
def test_what_hubs_can_reach(url: str, *, public: bool) -> None:
    assert is_public(url) is public


@pytest.mark.parametrize(
    ("server", "private", "base"),
    [
        ({"base_url": "https://f.example.org/x/"}, False, "https://f.example.org/x/push/"),
        ({"base_url": "http://127.0.0.1/"}, False, None),
        ({"base_url": "http://127.0.0.1/"}, True, "http://127.0.0.1/push/"),
        ({}, False, None),
        ({}, True, "http://127.0.0.1:8080/push/"),
        ({"listen": "unix:/run/x"}, True, None),
    ],
    ids=range(6),
)
def test_where_callbacks_are(server: dict[str, str], private: bool, base: str | None) -> None:
    values = {"name": "a", "type": "feed", "url": BASE, "allow_private": private}
    assert callbacks_at(Server.model_validate(server), FeedSource.model_validate(values)) == base


def test_intents() -> None:
    asked = {"hub.mode": "subscribe", "hub.topic": "t", "hub.challenge": "c"}
    assert intent_of(asked) == Intent("subscribe", "t", "c")
    assert intent_of({**asked, "hub.lease_seconds": "600"}) == Intent("subscribe", "t", "c", 600_000)
    assert intent_of({"hub.mode": "denied", "hub.topic": "t"}) == Intent("denied", "t")
    for name in asked:
        assert intent_of({key: value for key, value in asked.items() if key != name}) is None
    for challenge in ("a\r\nb", "\x00", "é" * 501, "\ud800" * 1001):
        assert intent_of({**asked, "hub.challenge": challenge}) is None


@given(st.text(max_size=30) | st.integers().map(str))
def test_any_lease(seconds: str) -> None:
    assert 300_000 <= lease_of(seconds) <= 90 * DAY_MS


@given(st.integers(300_000, 90 * DAY_MS))
def test_a_lease_is_renewed_before_its_end(lease_ms: int) -> None:
    at_ms = renew_at(NOW, NOW + lease_ms)
    assert NOW + lease_ms * 0.79 <= at_ms < NOW + lease_ms
    assert at_ms >= NOW + lease_ms - DAY_MS


@given(st.integers(1, 10**6), st.floats(0, 1))
def test_pauses_grow_from_an_hour_to_a_day(attempts: int, chance: float) -> None:
    assert 0.9 * HOUR_MS <= pause_ms(attempts, chance) <= DAY_MS
    assert pause_ms(attempts, 1) <= pause_ms(attempts + 1, 0)


@given(st.text(), st.text(min_size=8))
def test_what_hubs_say(text: str, secret: str) -> None:
    said = told(f"{text}{secret}{text}", secret)
    assert said.isprintable()
    assert len(said) <= 201


def test_rarer_polls() -> None:
    every = Timing(600_000)
    own = every.due_after(NOW)
    assert rarer(own, every, NOW, DAY_MS) == (
        NOW + 6 * HOUR_MS,
        "the hub pushes; polled every 6h as a safety net",
    )
    assert rarer(own, every, NOW, HOUR_MS).at_ms == NOW + HOUR_MS
    later = Due(NOW + 7 * HOUR_MS, "every 7h")
    assert rarer(later, every, NOW, DAY_MS) == later
    nightly = Timing(HOUR_MS, "0 * * * *", "UTC")
    due = rarer(nightly.due_after(NOW), nightly, NOW, DAY_MS)
    assert due.at_ms >= NOW + 6 * HOUR_MS
    assert due.at_ms % HOUR_MS == 0, "cron stays cron"


def row(state: str, **more: object) -> Subscription:
    made = Subscription(1, 1, "a", "https://h/", "t", "https://f/push/k", "k", "s", state)
    return made._replace(**more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("held", "duty"),
    [
        (row("wanted", next_attempt_ms=NOW), Duty.SUBSCRIBE),
        (row("wanted", next_attempt_ms=NOW + 1), None),
        (row("asked", next_attempt_ms=NOW + 1), None),
        (row("asked", next_attempt_ms=NOW), Duty.GIVE_UP),
        (row("active", confirmed_ms=NOW - DAY_MS, lease_until_ms=NOW + DAY_MS), None),
        (row("active", confirmed_ms=NOW - 9 * DAY_MS, lease_until_ms=NOW + DAY_MS), Duty.SUBSCRIBE),
        (
            row(
                "active", confirmed_ms=NOW - 9 * DAY_MS, lease_until_ms=NOW + DAY_MS, next_attempt_ms=NOW + 1
            ),
            None,
        ),
        (row("active", confirmed_ms=NOW - 9 * DAY_MS, lease_until_ms=NOW), Duty.LAPSE),
        (row("wanted", next_attempt_ms=NOW + 1, failing_since_ms=NOW - DAY_MS), Duty.TURN),
        (row("wanted", next_attempt_ms=NOW + 1, failing_since_ms=NOW - DAY_MS + 1), None),
        (row("denied", next_attempt_ms=NOW + 1, failing_since_ms=NOW - DAY_MS), Duty.TURN),
        (row("asked", next_attempt_ms=NOW + 1, failing_since_ms=NOW - DAY_MS), None),
        (row("denied", next_attempt_ms=NOW), Duty.SUBSCRIBE),
        (row("denied", next_attempt_ms=NOW + 1), None),
        (row("active", hub="https://other/", lease_until_ms=NOW + DAY_MS), Duty.END),
        (row("asked", topic="other", next_attempt_ms=NOW + 1), Duty.END),
        (row("asked", callback="https://old/push/k", next_attempt_ms=NOW + 1), Duty.END),
        (row("ending", next_attempt_ms=NOW), Duty.UNSUBSCRIBE),
        (row("ending", next_attempt_ms=NOW + 1), None),
        (row("ending", attempts=3, next_attempt_ms=NOW), Duty.FORGET),
    ],
    ids=range(20),
)
def test_what_is_due(held: Subscription, duty: Duty | None) -> None:
    wish = Wish(Offer(1, "a", ("https://h/", "https://h2/"), "t"), "https://f/push/")
    assert duty_of(held, wish, NOW) is duty
    if held.state != "ending":
        assert duty_of(held, None, NOW) is Duty.END
    assert missing({1: wish}, [held]) == ([wish] if held.state == "ending" else [])


@pytest.mark.parametrize(
    ("said", "subscribed", "same"),
    [
        (None, "https://a.example/feed", True),
        ("https://a.example/feed", None, True),
        ("HTTPS://A.example:443/feed", "https://a.example/feed", True),
        ("http://a.example/feed/", "https://a.example/feed", True),
        ("https://a.example/feed?page=2", "https://a.example/feed", False),
        ("https://a.example/comments", "https://a.example/feed", False),
        ("https://b.example/feed", "https://a.example/feed", False),
        ("https://[b/feed", "https://a.example/feed", False),
    ],
    ids=range(8),
)
def test_whether_a_push_is_of_its_feed(said: str | None, subscribed: str | None, *, same: bool) -> None:
    assert is_of(said, subscribed) is same


def test_hubs_in_turn() -> None:
    wish = Wish(Offer(1, "a", ("https://h/", "https://h2/"), "t"), "https://f/push/")
    assert [next_hub(wish, hub) for hub in (None, "https://h/", "https://h2/", "https://gone/")] == [
        "https://h/",
        "https://h2/",
        "https://h/",
        "https://h/",
    ]
    assert announced('<https://one/>; rel="hub", <https://two/>; rel="hub"', BASE).hubs == (
        "https://one/",
        "https://two/",
    )


def test_hubs_are_those_of_headers_else_of_the_document() -> None:
    several = Reading((), hub="https://one/ javascript:x https://two/ https://three/ https://four/")
    assert hubs_of(Announced(), several) == "https://one/ https://two/ https://three/"
    assert hubs_of(Announced(("https://h/",)), several) == "https://h/"
    assert hubs_of(Announced(), Reading(())) is None
