from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.fetch import freshness
from feedd.fetch.freshness import DAY_MS, HOUR_MS, MINUTE_MS
from feedd.schedule import Due

NOW = int(datetime(2026, 3, 4, 10, 30, tzinfo=UTC).timestamp()) * 1000  # a Wednesday
NOW_TEXT = "Wed, 04 Mar 2026 10:30:00 GMT"
IN_TWO_HOURS = "Wed, 04 Mar 2026 12:30:00 GMT"


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777_000),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777_000),
        ("Sun Nov  6 08:49:37 1994", 784_111_777_000),
        (" sun, 6 nov 1994 8:49:37 utc ", 784_111_777_000),
        ("06 Nov 1994 08:49:37", 784_111_777_000),
        ("Thu, 01 Jan 1970 00:00:00 +0000", 0),
        ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_799_000),
    ],
)
def test_http_dates(text: str, ms: int) -> None:
    assert freshness.http_date_ms(text) == ms


@pytest.mark.parametrize("text", ["", "0", "-1", "now", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT", "06 Nov 1994 25:00:00", "2026-03-04T10:30:00Z", "٠٦ Nov 1994 08:49:37"])  # fmt: skip
def test_other_texts_are_no_http_dates(text: str) -> None:
    assert freshness.http_date_ms(text) is None


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31)))  # noqa: DTZ001
def test_http_dates_are_read_as_they_are_written(moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC, microsecond=0)
    assert freshness.http_date_ms(format_datetime(moment, usegmt=True)) == int(moment.timestamp()) * 1000


@pytest.mark.parametrize(
    ("headers", "fresh_ms"),
    [
        ({}, None),
        ({"cache-control": "max-age=7200"}, 2 * HOUR_MS),
        ({"cache-control": "public, MAX-AGE = 7200 , x"}, 2 * HOUR_MS),
        ({"cache-control": 'private="set-cookie, max-age=1", max-age="7200"'}, 2 * HOUR_MS),
        ({"cache-control": "max-age=7200, max-age=1"}, 2 * HOUR_MS),
        ({"cache-control": "max-age=7200", "age": "3600"}, HOUR_MS),
        ({"cache-control": "max-age=7200", "age": "7200"}, None),
        ({"cache-control": "max-age=7200", "age": "old"}, 2 * HOUR_MS),
        ({"cache-control": "max-age=7200", "expires": "0"}, 2 * HOUR_MS),
        ({"cache-control": "max-age=0", "expires": IN_TWO_HOURS}, None),
        ({"cache-control": "max-age=soon", "expires": IN_TWO_HOURS}, None),
        ({"cache-control": "s-maxage=7200"}, None),
        ({"cache-control": "s-maxage=1", "expires": IN_TWO_HOURS}, 2 * HOUR_MS),
        ({"cache-control": "max-age=7200, no-cache"}, None),
        ({"cache-control": "max-age=7200, no-store"}, None),
        ({"cache-control": "max-age=7200, must-revalidate"}, 2 * HOUR_MS),
        ({"cache-control": "max-age=-5"}, None),
        ({"cache-control": "max-age=" + "9" * 5000}, 2**31 * 1000),
        ({"expires": IN_TWO_HOURS}, 2 * HOUR_MS),
        ({"expires": IN_TWO_HOURS, "date": "Wed, 04 Mar 2026 09:30:00 GMT"}, 3 * HOUR_MS),
        ({"expires": IN_TWO_HOURS, "date": NOW_TEXT, "age": "3600"}, HOUR_MS),
        ({"expires": "Thu, 01 Jan 1970 00:00:00 GMT", "date": NOW_TEXT}, None),
        ({"expires": "-1"}, None),
    ],
)
def test_fresh_until(headers: dict[str, str], fresh_ms: int | None) -> None:
    until = freshness.fresh_until_ms(headers, NOW)
    assert until == (None if fresh_ms is None else NOW + fresh_ms)


@pytest.mark.parametrize(
    ("text", "wait_ms"),
    [
        ("120", 120_000),
        (" 0 ", 0),
        ("1.5", 1000),
        (IN_TWO_HOURS, 2 * HOUR_MS),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("31536000", 30 * DAY_MS),
        ("9" * 1000, 30 * DAY_MS),
        ("Thu, 01 Jan 2099 00:00:00 GMT", 30 * DAY_MS),
        ("", None),
        ("-5", None),
        ("soon", None),
        ("٣", None),
    ],
)
def test_retry_after(text: str, wait_ms: int | None) -> None:
    at = freshness.retry_after_ms({"retry-after": text}, NOW)
    assert at == (None if wait_ms is None else NOW + wait_ms)


@given(
    st.dictionaries(
        st.sampled_from(["cache-control", "expires", "date", "age", "retry-after"]), st.text(max_size=40)
    )
)
def test_any_headers_are_taken(headers: dict[str, str]) -> None:
    until = freshness.fresh_until_ms(headers, NOW)
    assert until is None or until > NOW
    at = freshness.retry_after_ms(headers, NOW)
    assert at is None or NOW <= at <= NOW + 30 * DAY_MS


HOURLY = Due(NOW + HOUR_MS, "every 1h")
WEEKLY = Due(NOW + 7 * DAY_MS, "every 7d")


@pytest.mark.parametrize(
    ("own", "asked", "wait_ms", "because"),
    [
        (HOURLY, {}, HOUR_MS, "every 1h"),
        (HOURLY, {"fresh_until_ms": NOW + 2 * HOUR_MS}, 2 * HOUR_MS, "the server asks for 2h (Cache-Control or Expires)"),
        (HOURLY, {"fresh_until_ms": NOW + HOUR_MS}, HOUR_MS, "every 1h"),
        (HOURLY, {"fresh_until_ms": NOW - 1}, HOUR_MS, "every 1h"),
        (HOURLY, {"ttl_s": 4 * 3600}, 4 * HOUR_MS, "the feed asks for 4h (ttl)"),
        (HOURLY, {"ttl_s": 60}, HOUR_MS, "every 1h"),
        (HOURLY, {"ttl_s": -5}, HOUR_MS, "every 1h"),
        (HOURLY, {"update_period_s": 5400}, 90 * MINUTE_MS, "the feed asks for 90m (updatePeriod)"),
        (HOURLY, {"ttl_s": 7200, "update_period_s": 10800, "fresh_until_ms": NOW + 5}, 3 * HOUR_MS, "the feed asks for 3h (updatePeriod)"),
        (HOURLY, {"ttl_s": 9 * 86400}, DAY_MS, "the feed asks for 9d (ttl); 1d is the most"),
        (HOURLY, {"ttl_s": 7200, "cap_ms": MINUTE_MS}, HOUR_MS, "every 1h"),
        (WEEKLY, {"ttl_s": 9 * 86400}, 7 * DAY_MS, "every 7d"),
        (HOURLY, {"skip_hours": [11]}, 2 * HOUR_MS, "every 1h; the feed skips the hours before"),
        (HOURLY, {"skip_hours": [10]}, HOUR_MS, "every 1h"),
        (HOURLY, {"skip_hours": [*range(11, 24), 24]}, 15 * HOUR_MS, "every 1h; the feed skips the hours before"),
        (HOURLY, {"skip_hours": range(24)}, HOUR_MS, "every 1h"),
        (HOURLY, {"skip_hours": [-1, 25, 999]}, HOUR_MS, "every 1h"),
        (HOURLY, {"skip_days": [2]}, 14 * HOUR_MS, "every 1h; the feed skips the hours before"),
        (HOURLY, {"skip_days": [2, 3, 9]}, DAY_MS, "every 1h; the feed skips the hours before"),
        (HOURLY, {"skip_days": [0]}, HOUR_MS, "every 1h"),
        (HOURLY, {"skip_days": [2, 3], "cap_ms": 3 * DAY_MS}, 38 * HOUR_MS, "every 1h; the feed skips the hours before"),
        (HOURLY, {"skip_days": range(7)}, HOUR_MS, "every 1h"),
        (WEEKLY, {"skip_days": [2]}, 7 * DAY_MS, "every 7d"),
    ],
)  # fmt: skip
def test_next_look(own: Due, asked: dict[str, object], wait_ms: int, because: str) -> None:
    due = freshness.next_look(own, NOW, **asked)  # type: ignore[arg-type]
    assert due == Due(NOW + wait_ms, because)


@given(
    st.integers(0, 10 * DAY_MS),
    st.none() | st.integers(-DAY_MS, 400 * DAY_MS),
    st.none() | st.integers(-10, 10**9),
    st.sets(st.integers(0, 24)),
    st.sets(st.integers(-1, 8)),
    st.integers(0, 3 * DAY_MS),
)
def test_a_look_is_never_before_its_own_time_nor_beyond_the_cap(
    own_ms: int, fresh_ms: int | None, ttl_s: int | None, hours: set[int], days: set[int], cap_ms: int
) -> None:
    own = Due(NOW + own_ms, "own")
    fresh_until = None if fresh_ms is None else NOW + fresh_ms
    due = freshness.next_look(
        own, NOW, fresh_until_ms=fresh_until, ttl_s=ttl_s, skip_hours=hours, skip_days=days, cap_ms=cap_ms
    )
    assert own.at_ms <= due.at_ms <= max(own.at_ms, NOW + cap_ms)


@pytest.mark.parametrize(
    ("failures", "every_ms", "jitter", "wait_ms"),
    [
        (1, HOUR_MS, 0.0, HOUR_MS),
        (1, HOUR_MS, 0.99, HOUR_MS),
        (2, HOUR_MS, 0.0, 2 * HOUR_MS),
        (2, HOUR_MS, 0.5, 105 * MINUTE_MS),
        (5, HOUR_MS, 0.0, 16 * HOUR_MS),
        (6, HOUR_MS, 0.0, DAY_MS),
        (1000, HOUR_MS, 0.0, DAY_MS),
        (1000, HOUR_MS, 0.5, 21 * HOUR_MS),
        (1, 1000, 0.0, MINUTE_MS),
        (4, 1000, 0.0, 8 * MINUTE_MS),
        (1, 7 * DAY_MS, 0.0, DAY_MS),
        (3, 7 * DAY_MS, 0.5, 21 * HOUR_MS),
        (0, HOUR_MS, 0.0, HOUR_MS),
    ],
)
def test_backoff(failures: int, every_ms: int, jitter: float, wait_ms: int) -> None:
    assert freshness.backoff(failures, every_ms, jitter) == wait_ms


@given(st.integers(1, 10**6), st.integers(0, 400 * DAY_MS), st.floats(0, 1, exclude_max=True))
def test_backoff_is_within_bounds(failures: int, every_ms: int, jitter: float) -> None:
    assert MINUTE_MS <= freshness.backoff(failures, every_ms, jitter) <= DAY_MS


def ago(*hours: float) -> list[int]:
    return [NOW - int(hour * HOUR_MS) for hour in hours]


@pytest.mark.parametrize(
    ("name", "times", "interval_ms"),
    [
        ("nothing known", [], DAY_MS),
        ("one an hour", ago(*range(40)), 29 * MINUTE_MS + 15_000),
        ("one a day", ago(*range(5, 24 * 30, 24)), 11 * HOUR_MS + 41 * MINUTE_MS),
        ("one a week", ago(*range(0, 24 * 80, 24 * 7)), DAY_MS),
        ("ten at once each morning", ago(*(day * 24 + item / 100 for day in range(9) for item in range(10))), 10 * HOUR_MS + 40 * MINUTE_MS),
        ("one a minute", ago(*(item / 60 for item in range(200))), 5 * MINUTE_MS),
        ("all dated now", ago(*[0] * 30), HOUR_MS),
        ("two postings", ago(0, 0.5), HOUR_MS),
        ("silent for a month", ago(*(24 * 30 + item for item in range(20))), 18 * HOUR_MS),
        ("silent for half a year", ago(*(24 * 180 + item for item in range(20))), DAY_MS),
        ("dated in the future alone", ago(-24, -48), DAY_MS),
        ("future dates do not count", ago(-24, *range(40)), 29 * MINUTE_MS + 15_000),
        ("absurd dates", [-(10**18), 0, 10**18], DAY_MS),
    ],
)  # fmt: skip
def test_auto_interval(name: str, times: list[int], interval_ms: int) -> None:
    found = freshness.auto_interval(times, NOW)
    assert found == pytest.approx(interval_ms, rel=0.1), name
    assert freshness.auto_interval(times[::-1], NOW) == found
    assert freshness.auto_interval(times, NOW, shortest_ms=2 * HOUR_MS, longest_ms=3 * HOUR_MS) in range(
        2 * HOUR_MS, 3 * HOUR_MS + 1
    )


@given(st.lists(st.integers(-(10**15), 10**15), max_size=300))
def test_auto_interval_is_within_bounds(times: list[int]) -> None:
    assert 5 * MINUTE_MS <= freshness.auto_interval(times, NOW) <= DAY_MS


def test_spread() -> None:
    starts = [freshness.spread(position, 500, HOUR_MS) for position in range(500)]
    assert starts[:2] == [0, 7200]
    assert len(set(starts)) == 500
    assert max(starts) < HOUR_MS
    assert freshness.spread(3, 0, HOUR_MS) == 0
    assert freshness.spread(7, 5, HOUR_MS) == freshness.spread(2, 5, HOUR_MS)
