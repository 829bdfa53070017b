"""When to look again: what servers and feeds ask for, failures, and how often a feed really publishes. Pure.

Times are milliseconds since the epoch (`_ms`); so are lengths of time, but for those that feeds state (`_s`).
"""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from heapq import nlargest

from feedd.schedule import Due, spell_duration

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
LONGEST_RETRY_MS = 30 * DAY_MS
LONGEST_AGE_S = 2**31  # RFC 9111 section 1.2.2

DIRECTIVE = re.compile(r'([^\s,="]+)(?:\s*=\s*(?:"([^"]*)"|([^\s,"]*)))?')
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
HTTP_DATE = re.compile(
    r"(?:[a-z]{3,9},?\s+)?(?P<day>\d{1,2})[\s-](?P<month>[a-z]{3})[\s-](?P<year>\d{4}|\d{2})\s+"
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2}):(?P<second>\d{2})(?:\s+(?:gmt|utc|z|[+-]0000))?",
    re.IGNORECASE | re.ASCII,
)
ASCTIME = re.compile(
    r"(?:[a-z]{3}\s+)?(?P<month>[a-z]{3})\s+(?P<day>\d{1,2})\s+"
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2}):(?P<second>\d{2})\s+(?P<year>\d{4})",
    re.IGNORECASE | re.ASCII,
)

NEWEST = 100  # items whose times tell how often a feed publishes
MEMORY_MS = 90 * DAY_MS
BURST_MS = 10 * MINUTE_MS  # what comes within it is one posting
FEW_POSTINGS = 3


def http_date_ms(text: str) -> int | None:
    """A date as HTTP spells it, in any of its three forms (RFC 9110 section 5.6.7); None for anything else."""
    found = HTTP_DATE.fullmatch(text.strip()) or ASCTIME.fullmatch(text.strip())
    if found is None or found["month"].lower() not in MONTHS:
        return None
    year = int(found["year"])
    if len(found["year"]) == 2:
        year += 1900 if year >= 70 else 2000
    clock = (int(found[part]) for part in ("hour", "minute", "second"))
    hour, minute, second = clock
    month = MONTHS.index(found["month"].lower()) + 1
    try:
        moment = datetime(year, month, int(found["day"]), hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None
    return int(moment.timestamp()) * 1000


def fresh_until_ms(headers: Mapping[str, str], now_ms: int) -> int | None:
    """Until when an answer is fresh (RFC 9111 section 4.2); None if it says nothing, or is to be asked for anew.

    `max-age` counts before `Expires`; `s-maxage` is for shared caches. Malformed values count as none.
    A server that wants every use revalidated gives no time at which a new look is worth while; `must-revalidate`
    speaks of answers that are no longer fresh (section 5.2.2.2), and changes nothing.
    """
    directives = cache_control(headers.get("cache-control", ""))
    if directives.keys() & {"no-cache", "no-store"}:
        return None
    age_s = seconds_of(headers.get("age", "")) or 0
    if "max-age" in directives:
        lifetime_s = seconds_of(directives["max-age"])
        until_ms = None if lifetime_s is None else now_ms + (lifetime_s - age_s) * 1000
    else:
        expires_ms = http_date_ms(headers.get("expires", ""))
        sent_ms = http_date_ms(headers.get("date", ""))
        until_ms = None if expires_ms is None else now_ms + expires_ms - (sent_ms or now_ms) - age_s * 1000
    return until_ms if until_ms is not None and until_ms > now_ms else None


def cache_control(text: str) -> dict[str, str]:
    """The directives of `Cache-Control` (RFC 9111 section 5.2), the first of each name."""
    found: dict[str, str] = {}
    for match in DIRECTIVE.finditer(text):
        found.setdefault(match[1].lower(), match[2] or match[3] or "")
    return found


def seconds_of(text: str) -> int | None:
    """delta-seconds (RFC 9111 section 1.2.2)."""
    digits = text.strip()
    if not digits.isascii() or not digits.isdecimal():
        return None
    return min(int(digits), LONGEST_AGE_S) if len(digits) < 20 else LONGEST_AGE_S


def retry_after_ms(headers: Mapping[str, str], now_ms: int) -> int | None:
    """From when on a server wants to be asked again (RFC 9110 section 10.2.3), within 30 days from now."""
    text = headers.get("retry-after", "").strip()
    seconds = seconds_of(text.partition(".")[0])
    at_ms = http_date_ms(text) if seconds is None else now_ms + seconds * 1000
    return None if at_ms is None else min(max(at_ms, now_ms), now_ms + LONGEST_RETRY_MS)


def next_look(
    own: Due,
    now_ms: int,
    *,
    fresh_until_ms: int | None = None,
    ttl_s: int | None = None,
    update_period_s: int | None = None,
    skip_hours: Collection[int] = (),
    skip_days: Collection[int] = (),
    cap_ms: int = DAY_MS,
) -> Due:
    """The latest of what the source's own timing, the server and the feed ask for, and why.

    What server and feed ask for counts for at most `cap_ms` from now; the source's own timing always counts.
    `skip_hours`: 0 to 23, GMT; `skip_days`: 0 for Monday to 6, GMT.
    """
    asked = [
        (fresh_until_ms, "the server asks for {} (Cache-Control or Expires)"),
        (after(now_ms, ttl_s), "the feed asks for {} (ttl)"),
        (after(now_ms, update_period_s), "the feed asks for {} (updatePeriod)"),
    ]
    limit_ms = now_ms + cap_ms
    best = own
    for at_ms, words in asked:
        if at_ms is not None and min(at_ms, limit_ms) > best.at_ms:
            best = Due(min(at_ms, limit_ms), words.format(spell_duration(at_ms - now_ms)))
            if at_ms > limit_ms:
                best = best._replace(because=f"{best.because}; {spell_duration(cap_ms)} is the most")
    return out_of_skipped(best, limit_ms, hours_of(skip_hours), days_of(skip_days))


def after(now_ms: int, seconds: int | None) -> int | None:
    return now_ms + seconds * 1000 if seconds and seconds > 0 else None


def hours_of(stated: Collection[int]) -> frozenset[int]:
    """Hours to skip; none if all are, which can't be meant. Some feeds count from 1 to 24."""
    hours = frozenset(hour % 24 for hour in stated if 0 <= hour <= 24)
    return hours if len(hours) < 24 else frozenset()


def days_of(stated: Collection[int]) -> frozenset[int]:
    """Days to skip, from Monday as 0; none if all are."""
    days = frozenset(day for day in stated if 0 <= day < 7)
    return days if len(days) < 7 else frozenset()


def out_of_skipped(due: Due, limit_ms: int, hours: frozenset[int], days: frozenset[int]) -> Due:
    """Moved on by whole hours, which keeps feeds apart that skip the same ones, but not beyond the limit."""
    at_ms = due.at_ms
    for _ in range(8 * 24):
        hour = at_ms // HOUR_MS
        if hour % 24 not in hours and (hour // 24 + 3) % 7 not in days:  # the epoch began on a Thursday
            break
        at_ms += HOUR_MS
    at_ms = min(at_ms, max(limit_ms, due.at_ms))
    return due if at_ms == due.at_ms else Due(at_ms, f"{due.because}; the feed skips the hours before")


def backoff(failures: int, every_ms: int, jitter: float) -> int:
    """How long to wait after so many failures in a row: the source's interval, doubled with each further one.

    At least a minute, at most a day. `jitter`, from 0 up to 1, takes up to a quarter off what was doubled, so that
    sources that failed together do not come back together.
    """
    shortest_ms = min(max(every_ms, MINUTE_MS), DAY_MS)
    doubled_ms = min(shortest_ms << min(max(failures - 1, 0), 20), DAY_MS)
    return max(doubled_ms - int(doubled_ms * jitter / 4), min(shortest_ms, DAY_MS * 3 // 4))


def auto_interval(
    times_ms: Sequence[int],
    now_ms: int,
    *,
    shortest_ms: int = 5 * MINUTE_MS,
    longest_ms: int = DAY_MS,
) -> int:
    """How often to look at a feed whose newest items have these times: twice for each posting to be expected.

    Items within ten minutes are one posting. The time since the newest one counts, so that a feed that falls silent
    is looked at less and less; after 90 days once a day. Fewer than three postings say too little for more than
    one look an hour: among others those of a feed that dates all its items anew at each look.
    """
    known = [time for time in times_ms if now_ms - MEMORY_MS < time <= now_ms]
    first_of_posting = postings(sorted(nlargest(NEWEST, known)))
    if not first_of_posting:
        return longest_ms
    between_ms = (now_ms - first_of_posting[0]) // len(first_of_posting)
    floor_ms = shortest_ms if len(first_of_posting) >= FEW_POSTINGS else max(shortest_ms, HOUR_MS)
    return min(max(between_ms // 2, floor_ms), longest_ms)


def postings(times_ms: Sequence[int]) -> list[int]:
    """The first time of each posting; `times_ms` in order."""
    found: list[int] = []
    for time in times_ms:
        if not found or time - found[-1] > BURST_MS:
            found.append(time)
    return found


def spread(position: int, count: int, every_ms: int) -> int:
    """How long after the start the source at that position, of so many, is first looked at: evenly over `every_ms`."""
    return every_ms * (position % count) // count if count > 0 else 0
