"""Rows of subscriptions at hubs: who may change what, and when the source is polled."""

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from place import Place

from feedd.errors import StoreError
from feedd.schedule import Due
from feedd.store import subscriptions as rows
from feedd.store.passes import SourceKey
from feedd.store.subscriptions import Offer, Subscription
from feedd.store.writer import Writer

NOW = 1_800_000_000_000
HOUR = 3_600_000
URL = "https://example.org/feed"
HUB = "https://hub.example.org/"


class Held:
    """A source with a subscription."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.do(lambda writer: writer.configure([SourceKey("b", "feed", URL, "", "")], [], 0))
        place.run(
            "UPDATE sources SET hub = ?, next_check = ?, next_check_because = 'net' WHERE name = 'b'",
            HUB,
            NOW + 6 * HOUR,
        )
        self.add()

    def do(self, work: Callable[[Writer], Any]) -> Any:
        return self.place.desk.run(work)

    def add(self, token: str = "t1") -> None:
        (offer,) = self.do(rows.offers)
        self.do(lambda writer: rows.add(writer, offer, HUB, f"cb/{token}", token, "secret", NOW))

    @property
    def row(self) -> Subscription:
        row: Subscription = self.do(rows.every)[-1]
        return row

    def error(self) -> str | None:
        return self.row.error

    def failing(self) -> int | None:
        return self.row.failing_since_ms

    def ask(self, now: int = NOW) -> None:
        number = self.row.id
        self.do(lambda writer: rows.ask(writer, number, now, now + HOUR))

    def activate(self, now: int = NOW) -> None:
        self.ask(now)
        self.do(lambda writer: rows.confirm(writer, 1, now, now + 100 * HOUR))
        self.place.run("UPDATE subscriptions SET brought_at = ?", now)

    def polled(self, own: Due, now: int = NOW, *, found: bool = False) -> rows.Polled:
        polled: rows.Polled = self.do(lambda writer: rows.polled(writer, 2, own, now, found=found))
        return polled

    def stop(self, state: str, now: int = NOW) -> None:
        self.do(lambda writer: rows.stop(writer, 1, state, "why", now + HOUR, now))

    def plan(self) -> tuple[int, str]:
        (plan,) = self.place.rows("SELECT next_check, next_check_because FROM sources WHERE name = 'b'")
        return int(plan[0]), str(plan[1])


@pytest.fixture
def held(place: Place) -> Held:
    return Held(place)


def test_offers(held: Held) -> None:
    offers = [Offer(2, "b", (HUB,), URL)]
    assert held.do(rows.offers) == offers
    held.place.run("UPDATE sources SET hub = ?", f"{HUB} https://other.example.org/")
    assert held.do(rows.offers)[0].hubs == (HUB, "https://other.example.org/")
    held.place.run("UPDATE sources SET topic = 'https://example.org/self?a=1'")
    assert held.do(rows.offers)[0].topic == "https://example.org/self?a=1"
    for address in ("https://u:p@example.org/", "https://example.org/feed?key=1"):
        held.place.run("UPDATE sources SET topic = NULL, address = ?", address)
        assert held.do(rows.offers) == [], "no hub is told what may be secret"
    held.place.run("UPDATE sources SET address = NULL, paused = 'gone'")
    assert held.do(rows.offers) == []


def test_a_source_has_one_subscription_that_is_not_ending(held: Held) -> None:
    with pytest.raises(StoreError) as caught:
        held.add("t2")
    assert isinstance(caught.value.__cause__, sqlite3.IntegrityError)
    held.activate()
    held.stop("ending")
    held.add("t2")
    assert [each.state for each in held.do(rows.every)] == ["ending", "wanted"]
    assert held.do(lambda writer: rows.by_token(writer, "t1")).state == "ending"
    assert held.do(lambda writer: rows.by_token(writer, "t3")) is None


def test_what_the_hub_never_heard_of_needs_no_farewell(held: Held) -> None:
    held.stop("ending")
    assert held.do(rows.every) == []


def test_a_refusal_counts_if_nothing_has_come_since(held: Held) -> None:
    def refuse(asked: int) -> Subscription:
        held.do(lambda writer: rows.refused(writer, 1, asked, "why", NOW + HOUR))
        return held.row

    held.ask()
    assert refuse(NOW - 1).state == "asked", "of an earlier request"
    row = refuse(NOW)
    assert (row.state, row.attempts, row.error) == ("wanted", 1, "why")
    held.ask(NOW + 1)
    held.do(lambda writer: rows.confirm(writer, 1, NOW + 2, NOW + HOUR))
    assert refuse(NOW + 1).state == "active", "the hub verified before it answered"
    assert held.row.attempts == 0


def test_what_ended_stays_ended(held: Held) -> None:
    held.activate()
    held.stop("ending")
    held.do(lambda writer: rows.confirm(writer, 1, NOW, NOW + HOUR))
    held.stop("denied")
    assert held.row.state == "ending"
    held.do(lambda writer: rows.forget(writer, 1))
    assert held.do(rows.every) == []


def test_polls_come_back(held: Held) -> None:
    own = Due(NOW + HOUR, "every 1h")

    def is_pushed(now: int) -> bool:
        return held.polled(own, now).is_pushed

    assert not is_pushed(NOW)
    held.activate()
    assert is_pushed(NOW)
    assert not is_pushed(NOW + 100 * HOUR)
    held.stop("denied")
    assert held.plan() == own
    assert not is_pushed(NOW)


def test_polls_come_back_late(held: Held) -> None:
    held.activate()
    held.polled(Due(NOW + HOUR, "every 1h"))
    held.stop("denied", NOW + 2 * HOUR)
    assert held.plan() == (NOW + 2 * HOUR, "every 1h")


def test_after_a_start_polls_come_once(held: Held) -> None:
    held.activate()
    own = Due(NOW + HOUR, "every 1h")
    held.polled(own)
    assert held.do(lambda writer: rows.catch_up(writer, NOW)) == []
    assert held.plan() == own
    held.place.run("UPDATE sources SET next_check = ?", NOW + 6 * HOUR)
    held.do(lambda writer: rows.catch_up(writer, NOW))
    assert held.plan()[0] == NOW + 6 * HOUR
    held.polled(own)
    assert held.do(lambda writer: rows.catch_up(writer, NOW + 2 * HOUR)) == ["b"]


def test_a_hub_is_relied_on_while_it_brings_all(held: Held) -> None:
    own, minute = Due(NOW + HOUR, "every 1h"), 60_000
    held.activate()
    held.place.run("UPDATE subscriptions SET brought_at = NULL")
    assert held.polled(own, NOW + 10 * minute, found=True) == (False, False), "it has brought nothing yet"
    held.place.run("UPDATE subscriptions SET brought_at = ?", NOW)
    held.do(lambda writer: rows.poll_soon(writer, 2, "pushed", NOW + 11 * minute))
    assert held.polled(own, NOW + 20 * minute, found=True) == (True, False), "what it pushed was not taken"
    assert held.polled(own, NOW + 30 * minute) == (True, False)
    assert held.polled(own, NOW + 31 * minute, found=True) == (False, True)
    assert held.polled(own, NOW + 32 * minute, found=True) == (False, False), "it is said once"
    assert held.error() == rows.MISSED
    held.do(lambda writer: rows.confirm(writer, 1, NOW + HOUR, NOW + 100 * HOUR))
    assert held.error() == rows.MISSED, "a renewal mends nothing"
    held.stop("denied")
    held.place.run("UPDATE subscriptions SET state = 'asked'")
    held.do(lambda writer: rows.confirm(writer, 1, NOW + HOUR, NOW + 100 * HOUR))
    assert held.error() is None
    assert held.polled(own, NOW + 2 * HOUR) == (False, False), "nor is another subscription known to work"


def test_the_first_failure_is_remembered(held: Held) -> None:
    def refuse(now: int) -> None:
        held.ask(now)
        held.do(lambda writer: rows.refused(writer, 1, now, "why", now + HOUR))

    refuse(NOW)
    refuse(NOW + HOUR)
    assert held.failing() == NOW
    held.activate(NOW + 2 * HOUR)
    assert held.failing() is None
    held.stop("denied", NOW + 3 * HOUR)
    assert held.failing() == NOW + 3 * HOUR


def test_what_has_ended_is_not_asked_for(held: Held) -> None:
    held.activate()
    held.stop("ending")
    assert not held.do(lambda writer: rows.ask(writer, 1, NOW, NOW + HOUR))
    assert held.row.state == "ending"


def test_a_failing_source_keeps_its_pause(held: Held) -> None:
    held.activate()
    held.polled(Due(NOW + HOUR, "every 1h"))
    held.place.run("UPDATE sources SET failures = 2")
    held.stop("denied")
    assert held.plan() == (NOW + 6 * HOUR, "net")
    assert held.do(lambda writer: rows.poll_soon(writer, 2, "pushed", NOW)) == NOW + 6 * HOUR


def test_a_poll_soon_is_not_at_once_again(held: Held) -> None:
    held.place.run("UPDATE sources SET last_checked = ?", NOW - 60_000)
    assert held.do(lambda writer: rows.poll_soon(writer, 2, "pushed", NOW)) == NOW + 540_000
    assert held.plan() == (NOW + 540_000, "pushed")
    held.place.run("UPDATE sources SET next_check = ?", NOW + 1)
    assert held.do(lambda writer: rows.poll_soon(writer, 2, "pushed", NOW)) == NOW + 1


def test_the_document_of_a_source_with_articles_comes_back_too(held: Held) -> None:
    held.activate()
    own = Due(NOW + 2 * HOUR, "every 2h")
    held.polled(own)
    held.place.run("INSERT INTO meta VALUES ('document-check:2', ?)", f'[{NOW + 6 * HOUR}, "net"]')
    held.place.run("UPDATE sources SET next_check = ?, next_check_because = 'article'", NOW + HOUR)
    held.stop("denied")
    assert held.plan() == (NOW + HOUR, "article")
    assert (
        held.place.one("SELECT value FROM meta WHERE key = 'document-check:2'")
        == f'[{NOW + 2 * HOUR}, "every 2h"]'
    )


def test_secrets_are_not_shown(held: Held) -> None:
    shown = repr(held.row)
    assert shown == "Subscription(b, wanted)"
