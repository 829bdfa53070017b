"""Times as the formats spell them."""

from datetime import UTC, datetime
from email.utils import format_datetime

LATEST_MS = 253_402_300_799_000  # the end of the year 9999


def moment(time_ms: int) -> datetime:
    return datetime.fromtimestamp(min(max(time_ms, 0), LATEST_MS) // 1000, UTC)


def rfc3339(time_ms: int) -> str:
    """RFC 3339, in UTC, to the second."""
    return moment(time_ms).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339_or_none(time_ms: int | None) -> str | None:
    return None if time_ms is None else rfc3339(time_ms)


def http_date(time_ms: int) -> str:
    """RFC 9110 section 5.6.7."""
    return format_datetime(moment(time_ms), usegmt=True)


def rfc822(time_ms: int) -> str:
    """As RSS 2.0 spells times: RFC 822 with four digits for the year."""
    return format_datetime(moment(time_ms))
