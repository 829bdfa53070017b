"""The zone of the machine changes, or its clock goes to summer time: due times are moments, and stay."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
import tzlocal

from feedd.notify.pace import Pace
from feedd.schedule import Timing

HOUR_MS = 3_600_000


@contextmanager
def machine_in(zone: str) -> Iterator[None]:
    """As a process that is started where that is the zone."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    tzlocal.reload_localzone()
    try:
        yield
    finally:
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()
        tzlocal.reload_localzone()


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def said(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M")


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia"])
def test_what_names_its_zone_does_not_follow_the_machine(zone: str) -> None:
    with machine_in(zone):
        due = Timing(HOUR_MS, "0 6 * * *", "Europe/Paris").due_after(ms("2026-11-29T12:00"))
        assert said(due.at_ms) == "2026-11-30T05:00"
        assert Timing(HOUR_MS).due_after(ms("2026-11-29T12:00")).at_ms == ms("2026-11-29T13:00")


@pytest.mark.parametrize(
    ("zone", "expected"), [("Asia/Tokyo", "2026-11-29T21:00"), ("UTC", "2026-11-30T06:00")]
)
def test_what_names_none_follows_the_machine(zone: str, expected: str) -> None:
    with machine_in(zone):
        assert said(Timing(HOUR_MS, "0 6 * * *").due_after(ms("2026-11-29T12:00")).at_ms) == expected


def days(timing: Timing, start: str, count: int) -> list[str]:
    """When it is due, one time after the other."""
    found, at_ms = list[str](), ms(start)
    for _ in range(count):
        at_ms = timing.due_after(at_ms).at_ms
        found.append(said(at_ms))
    return found


def test_an_hour_that_is_left_out_costs_no_day() -> None:
    """02:30 is none on the 29th of March: it is half past three."""
    found = days(Timing(HOUR_MS, "30 2 * * *", "Europe/Berlin"), "2026-03-27T12:00", 3)
    assert found == ["2026-03-28T01:30", "2026-03-29T01:30", "2026-03-30T00:30"]


def test_an_hour_that_comes_twice_is_no_third_time() -> None:
    """02:30 comes twice on the 25th of October: a look more does no harm."""
    found = days(Timing(HOUR_MS, "30 2 * * *", "Europe/Berlin"), "2026-10-23T12:00", 4)
    assert found == ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-25T01:30", "2026-10-26T01:30"]


@pytest.mark.parametrize("start", ["2026-03-28T12:00", "2026-10-24T12:00"], ids=["forward", "back"])
def test_every_hour_is_every_hour(start: str) -> None:
    found = days(Timing(HOUR_MS, "0 * * * *", "Europe/Berlin"), start, 24)
    assert [ms(each) - ms(start) for each in found] == [HOUR_MS * number for number in range(1, 25)]


def test_a_digest_at_an_hour_that_is_left_out_goes_that_day() -> None:
    pace = Pace(gather_cron="30 2 * * *", timezone="Europe/Berlin")
    assert said(pace.first_attempt_ms(ms("2026-03-28T12:00"))) == "2026-03-29T01:30"
