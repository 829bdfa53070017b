from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from feedd.schedule import Due, Timing, cron_trigger, spell_duration

PARIS = "Europe/Paris"
HOUR = 3_600_000


def ms(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def fires(cron: str, start: str, count: int, zone: str = "UTC") -> list[str]:
    """The next times, in that zone, after `start` there."""
    timing, now, found = Timing(HOUR, cron, zone), ms(start, zone), []
    for _ in range(count):
        now = timing.due_after(now).at_ms
        found.append(datetime.fromtimestamp(now / 1000, ZoneInfo(zone)).strftime("%a %d %b %H:%M"))
    return found


def test_an_interval() -> None:
    assert Timing(HOUR).due_after(5) == Due(HOUR + 5, "every 1h")


@pytest.mark.parametrize(
    ("duration_ms", "spelled"),
    [(1_000, "1s"), (90_000, "90s"), (120_000, "2m"), (HOUR, "1h"), (36 * HOUR, "36h"), (48 * HOUR, "2d")],
)
def test_durations_are_spelled_as_they_are_written(duration_ms: int, spelled: str) -> None:
    assert spell_duration(duration_ms) == spelled


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("0 * * * *", ["Fri 02 Feb 11:00", "Fri 02 Feb 12:00"]),
        ("*/15 * * * *", ["Fri 02 Feb 10:30", "Fri 02 Feb 10:45"]),
        ("15 4 * * *", ["Sat 03 Feb 04:15", "Sun 04 Feb 04:15"]),
        ("0 0 * * 0", ["Sun 04 Feb 00:00", "Sun 11 Feb 00:00"]),
        ("0 0 * * 7", ["Sun 04 Feb 00:00", "Sun 11 Feb 00:00"]),
        ("0 0 * * 1", ["Mon 05 Feb 00:00", "Mon 12 Feb 00:00"]),
        ("0 0 * * sun", ["Sun 04 Feb 00:00", "Sun 11 Feb 00:00"]),
        ("0 0 * * MON-tue", ["Mon 05 Feb 00:00", "Tue 06 Feb 00:00", "Mon 12 Feb 00:00"]),
        ("0 0 * * 5-7", ["Sat 03 Feb 00:00", "Sun 04 Feb 00:00", "Fri 09 Feb 00:00"]),
        ("0 0 * * 6-1", ["Sat 03 Feb 00:00", "Sun 04 Feb 00:00", "Mon 05 Feb 00:00", "Sat 10 Feb 00:00"]),
        ("0 0 * * sat-mon", ["Sat 03 Feb 00:00", "Sun 04 Feb 00:00", "Mon 05 Feb 00:00", "Sat 10 Feb 00:00"]),
        ("0 0 * * 0-7", ["Sat 03 Feb 00:00", "Sun 04 Feb 00:00", "Mon 05 Feb 00:00"]),
        ("0 0 * * 1-5", ["Mon 05 Feb 00:00", "Tue 06 Feb 00:00", "Wed 07 Feb 00:00"]),
        ("0 0 * * */2", ["Sat 03 Feb 00:00", "Sun 04 Feb 00:00", "Tue 06 Feb 00:00"]),
        ("0 0 * * 1,3", ["Mon 05 Feb 00:00", "Wed 07 Feb 00:00"]),
        ("0 0 * * 0,7", ["Sun 04 Feb 00:00", "Sun 11 Feb 00:00"]),
        ("0 0 15 * *", ["Thu 15 Feb 00:00", "Fri 15 Mar 00:00"]),
        ("0 0 5 * 3", ["Mon 05 Feb 00:00", "Wed 07 Feb 00:00", "Wed 14 Feb 00:00"]),
        ("0 0 */2 * 1", ["Mon 05 Feb 00:00", "Mon 19 Feb 00:00", "Mon 11 Mar 00:00"]),
        ("0 0 29 feb *", ["Thu 29 Feb 00:00", "Tue 29 Feb 00:00"]),
        ("@daily", ["Sat 03 Feb 00:00"]),
        ("@weekly", ["Sun 04 Feb 00:00"]),
        ("@Monthly", ["Fri 01 Mar 00:00"]),
        ("@yearly", ["Wed 01 Jan 00:00"]),
    ],
)
def test_cron_as_crontab_reads_it(cron: str, expected: list[str]) -> None:
    assert fires(cron, "2024-02-02T10:20:00", len(expected)) == expected


@pytest.mark.parametrize(
    "cron",
    ["", "*", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *"]
    + ["* * * * 8", "* * * * 1-8", "* * * * mo", "* * * * 1/0", "* * * * */0", "*/0 * * * *", "a * * * *"]
    + ["* * * * -1", "* * * * 1-", "* * * * ,", "@often", "5-1 * * * *", "* * * * ²", "½ * * * *"],
)
def test_what_is_no_cron_expression(cron: str) -> None:
    with pytest.raises(ValueError, match="is not a cron expression"):
        cron_trigger(cron, "UTC")


def test_a_time_zone() -> None:
    assert Timing(HOUR, "0 8 * * *", PARIS).due_after(ms("2024-02-02T00:00:00")).at_ms == ms(
        "2024-02-02T07:00:00"
    )
    assert Timing(HOUR, "0 8 * * *", PARIS).due_after(ms("2024-07-02T00:00:00")).at_ms == ms(
        "2024-07-02T06:00:00"
    )


def test_an_hour_that_the_clocks_leave_out() -> None:
    assert fires("30 1 * * *", "2024-03-30T12:00:00", 2, PARIS) == ["Sun 31 Mar 01:30", "Mon 01 Apr 01:30"]
    assert fires("0 * * * *", "2024-03-31T00:30:00", 3, PARIS) == [
        "Sun 31 Mar 01:00",
        "Sun 31 Mar 03:00",
        "Sun 31 Mar 04:00",
    ]
    found = fires("30 2 * * *", "2024-03-30T12:00:00", 2, PARIS)
    assert found[-1] in {"Mon 01 Apr 02:30", "Tue 02 Apr 02:30"}


def test_an_hour_that_comes_twice() -> None:
    found = fires("0 * * * *", "2024-10-27T01:30:00", 4, PARIS)
    assert found == ["Sun 27 Oct 02:00", "Sun 27 Oct 02:00", "Sun 27 Oct 03:00", "Sun 27 Oct 04:00"]


@pytest.mark.parametrize("cron", ["0 0 30 2 *", "0 0 31 4,6 *"])
def test_a_date_that_never_comes(cron: str) -> None:
    due = Timing(HOUR, cron, "UTC").due_after(0)
    assert due == Due(HOUR, f"every 1h, as '{cron}' never comes")


def test_what_is_due() -> None:
    assert Timing(HOUR).is_due(None, 0)
    assert not Timing(HOUR).is_due(HOUR, int(HOUR * 0.89))
    assert Timing(HOUR).is_due(HOUR, int(HOUR * 0.9))
    assert not Timing(HOUR, "0 * * * *").is_due(HOUR, HOUR - 1)
    assert Timing(HOUR, "0 * * * *").is_due(HOUR, HOUR)


field = st.sampled_from(["*", "0", "1", "2", "*/2", "1-3", "1,3", "1-6/2"])
crons = st.builds(
    "{} {} {} {} {}".format,
    field,
    field,
    field.map(lambda day: day.replace("0", "31")),
    field.map(lambda month: month.replace("0", "2")),
    field,
)
zones = st.sampled_from(
    ["UTC", PARIS, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Santiago"]
)
# near the changes of clocks, to the millisecond, and anywhere
moments = st.one_of(
    st.integers(ms("2020-01-01"), ms("2040-01-01")),
    st.builds(
        lambda start, offset: start + offset,
        st.sampled_from([ms("2024-03-31T01:00:00"), ms("2024-10-27T01:00:00"), ms("2024-11-03T06:00:00")]),
        st.integers(-2 * HOUR, 2 * HOUR),
    ),
)


@settings(deadline=None, max_examples=80)
@given(cron=crons, zone=zones, now=moments)
@example(cron="0 2 * * *", zone=PARIS, now=ms("2024-10-27T00:00:00"))
@example(cron="*/2 * * * *", zone=PARIS, now=ms("2024-10-27T00:59:59") + 999)
def test_the_next_time_is_yet_to_come(cron: str, zone: str, now: int) -> None:
    due = Timing(HOUR, cron, zone).due_after(now)
    assert due.at_ms > now
    assert due.because
    if due.because.startswith("cron"):
        assert due.at_ms % 60_000 == 0


@given(every=st.integers(1, 10**15), now=st.integers(0, 4_000_000_000_000))
def test_the_next_time_of_an_interval_is_yet_to_come(every: int, now: int) -> None:
    assert Timing(every).due_after(now).at_ms > now


@settings(deadline=None, max_examples=60)
@given(weekday=st.integers(0, 7), start=st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)))  # noqa: DTZ001
def test_days_of_the_week_count_from_sunday(weekday: int, start: datetime) -> None:
    now = start.replace(tzinfo=UTC)
    due = Timing(HOUR, f"0 0 * * {weekday}", "UTC").due_after(int(now.timestamp() * 1000))
    at = datetime.fromtimestamp(due.at_ms / 1000, UTC)
    assert at.isoweekday() % 7 == weekday % 7
    assert timedelta() < at - now.replace(microsecond=0) <= timedelta(days=7)
