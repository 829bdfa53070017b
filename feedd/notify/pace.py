"""When messages go: quiet hours, digests, retries, and the rest that a failing receiver is given. Pure."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from feedd.schedule import Timing, zone

FIRST_RETRY_MS = 5_000
RETRY_FACTOR = 3
LONGEST_RETRY_MS = 86_400_000
GIVE_UP_MS = 3 * 86_400_000  # after it was due first, a message that was tried in vain has failed
JITTER = 0.3  # of a pause, at most, that it is shorter: what failed together is not tried again together
FAILURES_UNTIL_REST = 5  # in a row, of any messages: then one at a time asks whether the receiver is back
FIRST_REST_MS = 15_000
LONGEST_REST_MS = 15 * 60_000
HOUR_MS = 3_600_000


class Quiet(NamedTuple):
    """Minutes of the day between which nothing is sent, by the clock of a time zone; it may reach over midnight."""

    start: int
    end: int

    def holds(self, minute: int) -> bool:
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


class Pace(NamedTuple):
    """When messages of a channel may go."""

    quiet: Quiet | None = None
    timezone: str | None = None
    gather_ms: int | None = None  # digest: how long changes are gathered for one message …
    gather_cron: str | None = None  # … or until when
    max_per_hour: int | None = None

    @property
    def gathers(self) -> bool:
        return (self.gather_ms, self.gather_cron) != (None, None)

    def first_attempt_ms(self, now_ms: int, gathering_ms: int | None = None) -> int:
        """When a change of now is told. `gathering_ms`: when what is gathered already goes."""
        due_ms = now_ms
        if self.gather_cron is not None:
            due_ms = Timing(HOUR_MS, self.gather_cron, self.timezone).due_after(now_ms).at_ms
        elif self.gather_ms is not None:
            due_ms = now_ms + self.gather_ms
            if gathering_ms is not None and now_ms < gathering_ms < due_ms:
                due_ms = gathering_ms
        return self.awake_ms(due_ms)

    def awake_ms(self, at_ms: int) -> int:
        """`at_ms`, or when the quiet hours end that it falls into."""
        if self.quiet is None:
            return at_ms
        local = datetime.fromtimestamp(at_ms / 1000, zone(self.timezone))
        minute = local.hour * 60 + local.minute
        if not self.quiet.holds(minute):
            return at_ms
        day = local.date() + timedelta(days=1 if minute >= self.quiet.end else 0)
        hour, rest = divmod(self.quiet.end, 60)
        # where clocks are put back, an hour comes twice: the same one as now, if that is today
        fold = local.fold if day == local.date() else 0
        end = datetime(day.year, day.month, day.day, hour, rest, tzinfo=local.tzinfo, fold=fold)
        return max(at_ms, int(end.astimezone(UTC).timestamp() * 1000))


def retry_ms(attempts: int, chance: float) -> int:
    """The pause after so many attempts in vain. `chance` is a random number from 0 to 1."""
    pause_ms = min(FIRST_RETRY_MS * RETRY_FACTOR ** min(attempts - 1, 20), LONGEST_RETRY_MS)
    return int(pause_ms * (1 - JITTER * chance))


def rest_ms(failures: int, chance: float) -> int:
    """How long a receiver is left alone after so many failures in a row; 0: not at all."""
    if failures < FAILURES_UNTIL_REST:
        return 0
    pause_ms = min(FIRST_REST_MS * 2 ** min(failures - FAILURES_UNTIL_REST, 20), LONGEST_REST_MS)
    return int(pause_ms * (1 - JITTER * chance))
