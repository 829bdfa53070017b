"""What the store does when the clock jumps.

Times that were noted by a clock that was wrong are told from others by that they lie in the future: what was planned
then is planned as far from now as it was from that time, and what arrives stands after what arrived before.
"""

import logging
import sqlite3

from feedd.schedule import CLOCK_MS, spell_duration
from feedd.store.database import transaction

ARRIVED_KEY = "arrived_at"  # in meta: where the newest of what arrived stands in feeds
LONG_LOOK_MS = 10 * 60_000  # looks overlap: what arrives is placed by when its look began
DAY_MS = 86_400_000
LONG_GAP_MS = 3_600_000  # between two ticks: more than a machine that is busy needs
# what is to come …
PLANS = (
    ("sources", "next_check"),
    ("sources", "held_until"),
    ("holds", "until"),
    ("locations", "recheck_at"),
    ("subscriptions", "next_attempt"),
    ("subscriptions", "lease_until"),
    ("subscriptions", "own_check"),
    ("subscribers", "next_attempt"),
    ("subscribers", "lease_until"),
)
# … and what is past
NOTES = (
    ("sources", "last_checked"),
    ("sources", "last_changed"),
    ("subscriptions", "confirmed_at"),
    ("subscriptions", "heard_since"),
    ("subscriptions", "polled_at"),
    ("subscriptions", "pushed_at"),
    ("subscriptions", "brought_at"),
    ("subscriptions", "missed_at"),
    ("subscriptions", "failing_since"),
    ("subscribers", "confirmed_at"),
    ("subscribers", "failing_since"),
    ("sessions", "created_at"),
    ("sessions", "used_at"),
)
# when a document is due, where an article is due before it: see `rechecks`
DOCUMENTS = (
    "UPDATE meta SET value = json_set(value, '$[0]', json_extract(value, '$[0]') - :by)"
    " WHERE key LIKE 'document-check:%' AND json_extract(value, '$[0]') - :by > :now"
)
log = logging.getLogger(__name__)


def follow(connection: sqlite3.Connection, before_ms: int, now_ms: int) -> None:
    """Plan anew what was planned by a clock that has jumped since it showed `before_ms`, seconds ago.

    0: it was not asked yet; then it can be told only that it went back since the last look.
    """
    latest = before_ms or latest_ms(connection)
    if went_back(latest, now_ms):
        with transaction(connection):
            set_back(connection, latest, now_ms)
    elif before_ms and went_on(latest, now_ms):
        with transaction(connection):
            set_forward(connection, latest, now_ms)


def latest_ms(connection: sqlite3.Connection) -> int:
    """The latest moment at which a source was looked at; 0: none was."""
    (latest,) = connection.execute("SELECT max(last_checked) FROM sources").fetchone()
    return int(latest or 0)


def went_back(latest: int, now_ms: int) -> bool:
    return latest > now_ms + CLOCK_MS


def went_on(latest: int, now_ms: int) -> bool:
    """Far more than from one tick to the next: it was set, or the machine slept."""
    return now_ms > latest + LONG_GAP_MS


def set_back(connection: sqlite3.Connection, latest: int, now_ms: int) -> None:
    """The clock showed `latest` before it showed `now_ms`, which is earlier."""
    values = {"by": latest - now_ms, "now": now_ms}
    for table, column in PLANS:
        connection.execute(
            f"UPDATE {table} SET {column} = {column} - :by WHERE {column} - :by > :now", values
        )
    for table, column in NOTES:
        connection.execute(
            f"UPDATE {table} SET {column} = min({column} - :by, :now) WHERE {column} > :now", values
        )
    connection.execute(DOCUMENTS, values)
    log.warning(
        "the clock was set back by %s: what was planned by it is planned anew, and what is new stands first in"
        " feeds all the same",
        roughly(latest - now_ms),
    )


def set_forward(connection: sqlite3.Connection, latest: int, now_ms: int) -> None:
    """As `set_back`, where `now_ms` is later by more than has gone by. No source was silent in what was left out."""
    gap_ms = now_ms - latest
    if gap_ms >= DAY_MS:
        connection.execute("UPDATE sources SET last_changed = last_changed + ?", [gap_ms])
    log.warning(
        "the clock went on by %s at once, or the machine slept: what is due by now is looked at, each source once",
        roughly(gap_ms),
    )


def roughly(duration_ms: int) -> str:
    """In days, hours or minutes, whichever says most in round numbers."""
    for unit_ms in (DAY_MS, 3_600_000, 60_000):
        if duration_ms >= 2 * unit_ms:
            return spell_duration((duration_ms + unit_ms // 2) // unit_ms * unit_ms)
    return spell_duration(duration_ms)


def arrived(connection: sqlite3.Connection, now_ms: int) -> int:
    """Where what arrives in a look that began now stands in feeds: after all that arrived by a clock that was ahead.

    Within a transaction of the writer's.
    """
    found = connection.execute("SELECT value FROM meta WHERE key = ?", [ARRIVED_KEY]).fetchone()
    last = int(found[0]) if found else 0
    at_ms = last + 1 if last > now_ms + LONG_LOOK_MS else now_ms
    if at_ms > last:
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", [ARRIVED_KEY, str(at_ms)])
    return at_ms
