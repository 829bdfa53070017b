"""When a source is looked at next. The only module that knows APScheduler.

Due times live in the store, so that a restart forgets nothing; APScheduler gives the arithmetic of cron
expressions, and one tick asks what is due.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import tzlocal

if TYPE_CHECKING:
    from apscheduler.triggers.base import BaseTrigger
    from apscheduler.triggers.cron import CronTrigger

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
DAY_RANGE = re.compile(r"(?P<first>[0-7a-z*]+)(?:-(?P<last>[0-7a-z]+))?(?:/(?P<step>[0-9]+))?")
CLOCK_MS = 60_000  # by which a clock may be set back without a word
EARLY = 0.1  # a source counts as due when this part of its interval is still to go
log = logging.getLogger(__name__)


class Due(NamedTuple):
    at_ms: int
    because: str


class Timing(NamedTuple):
    """How often a source wants to be looked at: by `cron` where there is one."""

    every_ms: int
    cron: str | None = None
    timezone: str | None = None
    auto: bool = False  # as often as the source publishes; `every_ms` until that is known

    def due_after(self, now_ms: int, interval_ms: int | None = None) -> Due:
        """The first time after `now_ms` at which the source is to be looked at.

        `interval_ms` is how often the source publishes, where that is known.
        """
        if self.cron is None:
            every_ms = interval_ms if self.auto and interval_ms else self.every_ms
            auto = "auto: " if self.auto else ""
            return Due(now_ms + every_ms, f"{auto}every {spell_duration(every_ms)}")
        # not the time of the last firing: where clocks are put back, APScheduler would give that time again
        start = datetime.fromtimestamp((now_ms + 1) / 1000, UTC)
        fires = cron_trigger(self.cron, self.timezone).get_next_fire_time(None, start)
        if fires is None:  # a date that never comes, such as 30 February
            return Due(
                now_ms + self.every_ms, f"every {spell_duration(self.every_ms)}, as '{self.cron}' never comes"
            )
        return Due(int(fires.timestamp() * 1000), f"cron {self.cron}")

    def is_due(self, due_ms: int | None, now_ms: int, last_ms: int | None = None) -> bool:
        """`last_ms` is when it was looked at last: what counts is a tenth of the time that lies between.

        What was looked at in a future that is none by now was planned by it, too.
        """
        if due_ms is None or (last_ms or 0) > now_ms + CLOCK_MS:
            return True
        between_ms = self.every_ms if last_ms is None else max(0, due_ms - last_ms)
        return now_ms >= due_ms - (0 if self.cron else int(between_ms * EARLY))


def zone(name: str | None) -> tzinfo:
    """The time zone of that name, or the machine's. Raises ValueError."""
    if name is None:
        return tzlocal.get_localzone()
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"'{name}' is not a time zone; write one such as Europe/Paris or UTC") from error


def cron_trigger(expression: str, timezone: str | None) -> "BaseTrigger":
    """Five fields as crontab(5) reads them. Raises ValueError with words for the user.

    APScheduler counts days of the week from Monday and wants every field to match; cron counts from Sunday,
    and where both days are given either may match.
    """
    from apscheduler.triggers.combining import (
        OrTrigger,
    )  # a command without a cron expression starts the sooner
    from apscheduler.triggers.cron import CronTrigger

    fields = ALIASES.get(expression.strip().lower(), expression).split()
    if len(fields) != 5 or not expression.isascii():
        raise ValueError(f"'{expression}' is not a cron expression; write five fields, such as 0 * * * *")
    minute, hour, day, month, weekday = (field.lower() for field in fields)
    try:
        weekdays = week_days(weekday)

        def trigger(day: str, weekday: str) -> "CronTrigger":
            return CronTrigger(
                minute=minute, hour=hour, day=day, month=month, day_of_week=weekday, timezone=zone(timezone)
            )

        if day.startswith("*") or weekday.startswith("*"):
            return trigger(day, weekdays)
        return OrTrigger([trigger(day, "*"), trigger("*", weekdays)])
    except (ValueError, IndexError) as error:
        raise ValueError(f"'{expression}' is not a cron expression: {error}") from error


def week_days(field: str) -> str:
    """A day-of-week field spelled in names; 0 and 7 are Sunday."""
    if field == "*":
        return "*"
    chosen: set[int] = set()
    for part in field.split(","):
        found = DAY_RANGE.fullmatch(part)
        if found is None or (found["first"] == "*" and found["last"]):
            raise ValueError(f"'{part}' is not a day of the week")
        step = int(found["step"] or 1)
        first = 0 if found["first"] == "*" else day_number(found["first"])
        last = 6 if found["first"] == "*" or (found["step"] and not found["last"]) else first
        if found["last"]:
            last = day_number(found["last"])
        if last < first:
            last += 7
        if step < 1:
            raise ValueError(f"'{part}' has a step of 0")
        chosen.update(day % 7 for day in range(first, last + 1, step))
    return ",".join(DAYS[day] for day in sorted(chosen))


def day_number(name: str) -> int:
    if name in DAYS:
        return DAYS.index(name)
    if name.isdigit() and int(name) <= 7:
        return int(name)
    raise ValueError(f"'{name}' is not a day of the week")


def spell_duration(duration_ms: int) -> str:
    """The shortest spelling that the configuration would take for it."""
    seconds = max(1, duration_ms // 1000)
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


class Ticker:
    """Calls `tick` every `seconds`, one call at a time, on the running event loop.

    It counts seconds that have gone by, and asks no clock: one that jumps by a year makes it neither wait for the year
    nor make up for it.
    """

    def __init__(self, tick: Callable[[], Awaitable[None]], seconds: float) -> None:
        self.tick = tick
        self.seconds = seconds
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self.task = asyncio.create_task(self.run())

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self.seconds)
            try:
                await self.tick()
            except Exception:
                log.exception("a bug in feedd: what is due can't be found out")

    def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()
