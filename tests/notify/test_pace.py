from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from feedd.notify.pace import (
    FAILURES_UNTIL_REST,
    GIVE_UP_MS,
    LONGEST_REST_MS,
    LONGEST_RETRY_MS,
    Pace,
    Quiet,
    rest_ms,
    retry_ms,
)

TIMES = st.integers(0, 4_000_000_000_000)
MINUTES = st.integers(0, 24 * 60 - 1)
QUIETS = st.tuples(MINUTES, MINUTES).filter(lambda pair: pair[0] != pair[1]).map(lambda pair: Quiet(*pair))
ZONES = st.sampled_from(["UTC", "Europe/Paris", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia"])


def at(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def test_quiet_hours_reach_over_midnight() -> None:
    pace = Pace(Quiet(22 * 60, 7 * 60), "Europe/Paris")
    assert pace.awake_ms(at("2024-02-01T23:30", "Europe/Paris")) == at("2024-02-02T07:00", "Europe/Paris")
    assert pace.awake_ms(at("2024-02-02T06:59", "Europe/Paris")) == at("2024-02-02T07:00", "Europe/Paris")
    for noon in ("2024-02-02T07:00", "2024-02-02T21:59"):
        assert pace.awake_ms(at(noon, "Europe/Paris")) == at(noon, "Europe/Paris")


def test_quiet_hours_end_when_the_clocks_are_put_forward() -> None:
    pace = Pace(Quiet(60, 2 * 60 + 30), "Europe/Paris")  # 02:30 does not exist on that day
    awake = pace.awake_ms(at("2024-03-31T01:30", "Europe/Paris"))
    assert awake in {at("2024-03-31T03:00", "Europe/Paris"), at("2024-03-31T03:30", "Europe/Paris")}


@given(quiet=QUIETS, zone=ZONES, at_ms=TIMES)
def test_who_is_woken_is_awake(quiet: Quiet, zone: str, at_ms: int) -> None:
    awake = Pace(quiet, zone).awake_ms(at_ms)
    assert at_ms <= awake <= at_ms + 2 * 86_400_000
    local = datetime.fromtimestamp(awake / 1000, UTC).astimezone(ZoneInfo(zone))
    if awake != at_ms and local.dst() == (local.replace(hour=12)).dst():  # no clocks are changed that day
        assert not quiet.holds(local.hour * 60 + local.minute)


@given(now=TIMES, gathering=st.none() | TIMES, every=st.integers(1_000, 86_400_000))
def test_what_is_gathered_goes_together(now: int, gathering: int | None, every: int) -> None:
    due = Pace(gather_ms=every).first_attempt_ms(now, gathering)
    assert now < due <= now + every
    if gathering is not None and now < gathering < now + every:
        assert due == gathering


def test_a_digest_by_cron() -> None:
    pace = Pace(timezone="UTC", gather_cron="0 8 * * *")
    assert pace.gathers
    assert pace.first_attempt_ms(at("2024-02-01T09:00")) == at("2024-02-02T08:00")


@given(attempts=st.integers(1, 10_000), chance=st.floats(0, 1))
def test_retries_take_seconds_to_a_day(attempts: int, chance: float) -> None:
    assert 1_000 <= retry_ms(attempts, chance) <= LONGEST_RETRY_MS
    assert retry_ms(attempts, 0) >= retry_ms(attempts, chance)
    assert retry_ms(attempts + 1, 0) >= retry_ms(attempts, 0)


def test_a_message_is_tried_about_ten_times_in_three_days() -> None:
    spent, attempts = 0, 1
    while spent < GIVE_UP_MS:
        spent += retry_ms(attempts, 0.5)
        attempts += 1
    assert 8 <= attempts <= 16


@given(failures=st.integers(0, 10_000), chance=st.floats(0, 1))
def test_a_receiver_that_fails_is_given_a_rest(failures: int, chance: float) -> None:
    pause = rest_ms(failures, chance)
    assert (pause == 0) == (failures < FAILURES_UNTIL_REST)
    assert pause <= LONGEST_REST_MS


def test_quiet_hours_last_while_an_hour_comes_twice() -> None:
    pace = Pace(Quiet(60, 150), "Europe/Paris")  # 01:00 to 02:30; on that day 02:15 comes twice
    second = int(datetime(2024, 10, 27, 2, 15, fold=1, tzinfo=ZoneInfo("Europe/Paris")).timestamp() * 1000)
    assert pace.awake_ms(second) == second + 15 * 60_000
