"""When an article's own page is looked at again, and what its title is then. Pure.

At growing intervals, from the reading before; after an edit was found, again at the shortest. Times and lengths of
time are integer milliseconds.
"""

import json
from enum import Enum
from typing import NamedTuple

from feedd.model import NO_DETAILS, Details, Item, Rejected
from feedd.normalise.text import fold

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
STEPS_MS = (15 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, DAY_MS, 7 * DAY_MS)
LAST = len(STEPS_MS) - 1
RECENT_MS = 8 * DAY_MS  # of what a first pass brings, what is older is not looked at again
SOON_MS = 90_000  # what is due so soon is looked at together with what is due
APART_MS = 2 * MINUTE_MS  # between two looks of one source that only recheck
MISSES_UNTIL_GONE = 2  # 404 or 410, in a row
FAILURES_UNTIL_RETIRED = 5  # in a row
MOST_RESTARTS = 200  # a page that differs at each look is an advertisement more often than news
BACK_STEP = 3  # a removed article is asked for a day later, then a week later: pages come back
LONGEST = 2_000  # characters of a text that is remembered
DUE = "an article is to be looked at again"  # why a source is looked at, in words


class Found(Enum):
    """What looking at an article's own page again came to."""

    SAME = "same"
    EDITED = "edited"
    MISSING = "missing"  # its server answered 404 or 410
    FAILED = "failed"  # anything else: nothing is known
    RESTING = "resting"  # not asked: its host is to be left alone


class Titles(NamedTuple):
    """Those of an article; "" where there is none, or it is not known."""

    stated: str = ""  # by its document
    headline: str = ""  # on its own page


class Recheck(NamedTuple):
    """Where rechecking an article stands, and what of the last reading the next one is compared with."""

    step: int = 0  # of STEPS_MS: how long the page is left alone now
    misses: int = 0  # answers in a row that there is no such page
    failures: int = 0  # other failures in a row
    restarts: int = 0  # times that an edit began it anew
    titles: Titles = Titles()
    modified_ms: int | None = None  # dateModified of the page
    stated: tuple[str, ...] = ()  # of image, authors, language: what the document states, so that it stands
    requested: str | None = None  # hash of the settings under which the validators were had
    etag: str | None = None
    last_modified: str | None = None
    answered: str | None = None  # the address that they came from
    entry: int | None = None  # that was removed, since its page is gone


class Known(NamedTuple):
    """An article whose page is to be read again, as the store knows it."""

    location: str
    uid: str
    url: str
    title: str  # of the newest version in this source
    published_ms: int | None  # None: guessed
    stated_ms: int | None  # for its newest version
    seen: bytes | None  # what its document said of it last, hashed
    recheck: Recheck
    details: Details = NO_DETAILS
    image: str | None = None


class Outcome(NamedTuple):
    """What a look at one page came to."""

    known: Known
    found: Found
    recheck: Recheck  # with what the page said now
    item: Item | None = None  # None: the page is as it was, or could not be had
    refused: Rejected | None = None
    not_before_ms: int | None = None  # its server wants to be left alone until then


class Next(NamedTuple):
    recheck: Recheck
    at_ms: int | None  # None: it retires


def begun(recheck: Recheck, time_ms: int | None, now_ms: int, *, first: bool, room: bool) -> Next:
    """An article was read for the first time. `time_ms` is when it was published, if that is stated.

    `first`: on a first pass over its source, which may bring a whole archive. `room`: few came before it.
    """
    is_news = not first or (room if time_ms is None else time_ms > now_ms - RECENT_MS)
    return Next(recheck._replace(step=0, misses=0, failures=0), now_ms + STEPS_MS[0] if is_news else None)


def after(recheck: Recheck, found: Found, now_ms: int, not_before_ms: int | None = None) -> Next:
    """How it goes on after a look at the page. `not_before_ms`: its server wants to be left alone until then."""
    match found:
        case Found.RESTING:
            following, wait_ms = recheck, STEPS_MS[0]
        case Found.EDITED if recheck.restarts < MOST_RESTARTS:
            restarts = recheck.restarts + 1
            following = recheck._replace(step=0, misses=0, failures=0, restarts=restarts, entry=None)
            wait_ms = STEPS_MS[0]
        case Found.MISSING:
            return missing(recheck, now_ms)
        case Found.FAILED:
            failures, step = recheck.failures + 1, min(recheck.step + 1, LAST)
            if failures >= FAILURES_UNTIL_RETIRED:
                return Next(recheck._replace(failures=failures), None)
            following = recheck._replace(failures=failures, step=step)
            wait_ms = min(STEPS_MS[step], DAY_MS)
        case _:
            following = recheck._replace(step=min(recheck.step + 1, LAST), misses=0, failures=0)
            if recheck.step >= LAST:
                return Next(following, None)
            wait_ms = STEPS_MS[following.step]
    return Next(following, max(now_ms + wait_ms, not_before_ms or 0))


def missing(recheck: Recheck, now_ms: int) -> Next:
    """There is no such page: once more soon, to be sure; after that seldom, since it may be back."""
    misses = recheck.misses + 1
    if misses < MISSES_UNTIL_GONE:
        step = min(recheck.step + 1, LAST)
        following = recheck._replace(misses=misses, failures=0, step=step)
        return Next(following, now_ms + min(STEPS_MS[step], DAY_MS))
    step = BACK_STEP + misses - MISSES_UNTIL_GONE
    following = recheck._replace(misses=misses, failures=0, step=min(step, LAST))
    return Next(following, now_ms + STEPS_MS[step] if step <= LAST else None)


def read_anew(recheck: Recheck, at_ms: int | None, now_ms: int, *, edited: bool) -> Next:
    """How it goes on after the article was read because its document said something else of it."""
    if edited or (at_ms is not None and at_ms <= now_ms + SOON_MS):  # that was the look that was due
        return after(recheck, Found.EDITED if edited else Found.SAME, now_ms)
    return Next(recheck._replace(misses=0, failures=0, entry=None), at_ms)


def is_gone(recheck: Recheck) -> bool:
    return recheck.misses >= MISSES_UNTIL_GONE


def title_of(held: str, before: Titles, now: Titles) -> str:
    """The title of an article that was read before, then called `held`.

    Document and page may call it differently for ever: the one that changed last counts. Where both did, it is the
    document's, which is what readers see.
    """
    if now.stated and fold(now.stated) != fold(before.stated):
        return now.stated
    if before.headline and now.headline and fold(now.headline) != fold(before.headline):
        return unframed(held, before.headline, now.headline)
    return now.stated if now.stated and held == before.stated else held


def unframed(held: str, before: str, now: str) -> str:
    """The headline without what the page has always put around it, such as the name of the site."""
    head, found, tail = before.partition(held) if held else ("", "", "")
    inner = now[len(head) : len(now) - len(tail)].strip()
    framed = bool(found) and len(head) + len(tail) < len(now) and now.startswith(head) and now.endswith(tail)
    return inner if framed and inner else now


def stated_time(known: Known, modified_ms: int | None) -> int | None:
    """The time that is stated for what the page holds now: its own where that moved, else what was stated before."""
    if modified_ms is None or modified_ms == known.recheck.modified_ms:
        return known.stated_ms
    return modified_ms


def dumped(recheck: Recheck) -> str:
    """JSON of what is not as it is by default."""
    said = {
        name: value for name, value in recheck._asdict().items() if value != Recheck._field_defaults[name]
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def loaded(text: str | None) -> Recheck:
    """What `dumped` wrote; what a later feedd added is left out."""
    said = {name: value for name, value in json.loads(text or "{}").items() if name in Recheck._fields}
    if "titles" in said:
        said["titles"] = Titles(*said["titles"])
    said["stated"] = tuple(said.get("stated", ()))
    return Recheck(**said)


def remembered(text: str) -> str:
    return text[:LONGEST]


def validator(text: str | None) -> str | None:
    """An ETag or Last-Modified that is worth to be kept."""
    return text if text and len(text) <= LONGEST else None
