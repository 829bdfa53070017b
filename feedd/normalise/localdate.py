"""Dates as pages show them to people, in their language → milliseconds since the Unix epoch, in UTC.

A date is found within other words ("Posted on 24 novembre 2026 à 10h21"), and is never completed from today:
where year, month or day is missing ("yesterday", "3 hours ago", "24 Nov") there is no date. `language` is a tag of
BCP 47; it says what month names mean, and which of 11/12/2026 is the month: without it that is no date.
"""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from feedd.normalise.dates import ZONES, parse_date
from feedd.normalise.monthnames import (
    AFTERNOON,
    BUDDHIST,
    ERAS,
    FORENOON,
    MONTH_FIRST_REGIONS,
    MONTHS,
    SAME,
    YEAR_FIRST,
)

LONGEST = 300  # characters that are looked at
INVISIBLE = dict.fromkeys(
    [0xAD, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF]
)
HALF = "|".join(
    re.escape(name) for name in sorted(f"{FORENOON},{AFTERNOON}".split(","), key=len, reverse=True)
)
NO_LETTER_BEFORE, NO_LETTER_AFTER = r"(?<![^\W\d_])", r"(?![^\W\d_])"

# what leaves nothing to be understood
PLAIN = re.compile(
    r"[0-9]{10}|[0-9]{13}|[0-9]{8}T[0-9]{4,6}(?:Z|[+\-][0-9]{2}:?[0-9]{2})?"
    r"|[12][0-9]{3}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+\-][0-9]{2}:?[0-9]{2})?)?"
)
DOTTED_HALF = re.compile(r"\b([ap])\.\s?m\.", re.IGNORECASE)  # a. m. (Spanish)
DOTTED_CLOCK = re.compile(r"\b(klo|kl\.?|pukul|ore)\s?([0-9]{1,2})\.([0-5][0-9])(?![0-9])", re.IGNORECASE)
YEAR_MONTH_DAY = re.compile(
    r"(?<![0-9])(?P<year>[12][0-9]{3})(?:(?P<mark>\s?[-/.]\s?)(?P<month>[0-9]{1,2})(?P=mark)(?P<day>[0-9]{1,2})"
    r"|\s?[年년]\s?(?P<month2>[0-9]{1,2})\s?[月월]\s?(?P<day2>[0-9]{1,2})(?:\s?[日일号號])?)(?![0-9])"
)
COMPACT = re.compile(r"^(?P<year>[12][0-9]{3})(?P<month>[01][0-9])(?P<day>[0-3][0-9])(?![0-9])")
ERA = re.compile(
    rf"(?P<era>{'|'.join(ERAS)})\s?(?P<year>[0-9]{{1,3}}|元)\s?年\s?(?P<month>[0-9]{{1,2}})\s?月"
    r"\s?(?P<day>[0-9]{1,2})\s?日?"
)
VIETNAMESE = re.compile(
    r"(?<![0-9])(?P<day>[0-9]{1,2})\s+tháng\s+(?P<month>[0-9]{1,2})(?:,|\s+năm)?\s+(?P<year>[0-9]{4})(?![0-9])",
    re.IGNORECASE,
)
FIGURES = re.compile(
    r"(?<![0-9.:])(?P<first>[0-9]{1,2})(?P<mark>\s?[-/.]\s?)(?P<second>[0-9]{1,2})(?P=mark)"
    r"(?P<third>[0-9]{4}|[0-9]{2})(?![0-9.:][0-9]|[0-9])"
)
CLOCK = re.compile(
    rf"(?:(?P<before>{HALF})\s?)?(?<![0-9:])(?P<hour>[0-9]{{1,2}})(?::(?P<minute>[0-5][0-9])"
    r"|\s?[h時时點点시](?:\s?(?P<minute2>[0-5]?[0-9])(?![0-9]))?|\.(?P<minute3>[0-5][0-9])(?=\s?Uhr)"
    rf"|(?=\s?(?:am|pm|a\.m|p\.m){NO_LETTER_AFTER}))"
    r"(?:(?::|\s?[分분]\s?)(?P<second>[0-5][0-9])(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    rf"(?:\s?(?P<after>{HALF}){NO_LETTER_AFTER})?",
    re.IGNORECASE,
)
GAP = re.compile(r"[^0-9]{0,25}")
SHORT_GAP = re.compile(r"[^0-9]{0,12}$")
ZONE = re.compile(
    r"\.?\s?\(?(?P<name>[A-Z]{1,5}(?![a-z]))?(?P<space>\s?)(?P<offset>[+\-−][0-9]{1,2}(?::?[0-9]{2})?)?(?![0-9])"
)

DIRECTIVES = {
    "Y": r"(?P<year>[0-9]{4})", "y": r"(?P<short>[0-9]{2})", "m": r"(?P<month>[0-9]{1,2})",
    "d": r"(?P<day>[0-9]{1,2})", "e": r"(?P<day>[0-9]{1,2})", "j": r"(?P<ordinal>[0-9]{1,3})",
    "H": r"(?P<hour>[0-9]{1,2})", "k": r"(?P<hour>[0-9]{1,2})", "I": r"(?P<hour>[0-9]{1,2})",
    "l": r"(?P<hour>[0-9]{1,2})", "M": r"(?P<minute>[0-9]{1,2})", "S": r"(?P<second>[0-9]{1,2})",
    "f": r"(?P<fraction>[0-9]{1,9})", "p": rf"(?P<half>{HALF})\.?", "P": rf"(?P<half>{HALF})\.?",
    "z": r"(?P<offset>Z|(?:UTC|GMT)?[+\-−][0-9]{1,2}(?::?[0-9]{2})?)", "Z": r"(?P<zone>[A-Za-z]{1,5})",
    "a": r"[^\W\d_]+\.?(?:\s[^\W\d_]+)?", "A": r"[^\W\d_]+\.?(?:\s[^\W\d_]+)?", "s": r"(?P<unix>[0-9]{9,11})",
    "%": "%", "n": r"\s*", "t": r"\s*",
}  # fmt: skip
TOGETHER = {"T": "%H:%M:%S", "R": "%H:%M", "D": "%m/%d/%y", "F": "%Y-%m-%d"}


class Day(NamedTuple):
    year: int
    month: int
    day: int
    start: int  # where it stands in the text
    end: int


def parse_local_date(
    text: str, *, formats: tuple[str, ...] = (), language: str | None = None, timezone: str | None = None
) -> int | None:
    """The first date in `text`, or None. A clock without an offset shows the time in `timezone`, else UTC.

    `formats` are strptime's (a page has one of them): then nothing else is taken for a date. Raises ValueError for
    a format that `check_format` refuses.
    """
    text = tidy(text)
    if formats:
        moments = (by_format(text, format_, language, timezone) for format_ in formats)
        return next((moment for moment in moments if moment is not None), None)
    if PLAIN.fullmatch(text):
        return parse_date(text, timezone=timezone)
    day = earliest_day(text, language)
    return None if day is None else moment_of(text, day, timezone)


def check_format(format_: str) -> None:
    """Raises ValueError where `format_` is no strptime format of a whole date."""
    pattern_of(format_, None)


def tidy(text: str) -> str:
    """With figures of any script as ASCII, and without what can't be seen."""
    text = text[: 2 * LONGEST]
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(INVISIBLE))
        text = "".join(str(unicodedata.decimal(char, char)) for char in text)
    text = DOTTED_HALF.sub(r"\1m", " ".join(text.split())[:LONGEST])
    return DOTTED_CLOCK.sub(r"\1 \2:\3", text)


def base(language: str | None) -> str:
    tag = (language or "").replace("_", "-").split("-")[0].lower()
    return SAME.get(tag, tag)


@lru_cache(maxsize=64)
def names_of(language: str) -> dict[str, int]:
    """Month names of a language and of English; with "" those that mean one month wherever they are said."""
    if language in MONTHS:
        return rows("en") | rows(language)
    meanings: dict[str, set[int]] = {}
    for each in MONTHS:
        for name, month in rows(each).items():
            meanings.setdefault(name, set()).add(month)
    sure = {name: min(months) for name, months in meanings.items() if len(months) == 1 and len(name) > 2}
    return sure | rows("en")


def rows(language: str) -> dict[str, int]:
    months = enumerate(MONTHS[language].split("|"), 1)
    return {folded(name): month for month, names in months for name in names.split(",")}


def folded(name: str) -> str:
    """Without what expressions that ignore case take for the same, too: Turkish i's, the Greek final s."""
    return tidy(name).lower().replace("i\u0307", "i").replace("ı", "i").replace("ς", "σ")


@lru_cache(maxsize=64)
def alternatives(language: str) -> str:
    """An expression for any name of a month, the longest first."""
    names = sorted(names_of(language), key=len, reverse=True)
    return "|".join(map(re.escape, names))


@lru_cache(maxsize=64)
def named_days(language: str) -> tuple[re.Pattern[str], ...]:
    name = rf"(?:{NO_LETTER_BEFORE}|(?<=\sב))(?P<name>{alternatives(language)}){NO_LETTER_AFTER}"
    of = r"(?:\s?(?:de|del|of|den|d['’]|ב)(?=\W|ב)\s?|\s?d['’]|\sב)?"
    behind = rf"[\s.,/\-]{{0,3}}{of}[\s,]{{0,2}}(?P<year>[0-9]{{4}})(?![0-9])"
    return tuple(
        re.compile(pattern, re.IGNORECASE)
        for pattern in (
            rf"(?<![0-9])(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th|er|[ºª])?[\s.,/\-]{{0,3}}{of}{name}{behind}",
            rf"{name}[\s.\-/]{{0,2}}(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?[\s,.\-/]{{1,3}}(?P<year>[0-9]{{4}})(?![0-9])",
            rf"(?<![0-9])(?P<year>[0-9]{{4}})[\s.,/\-]{{0,3}}{name}[\s.\-/]{{0,2}}(?P<day>[0-9]{{1,2}})(?![0-9])",
        )
    )


def earliest_day(text: str, language: str | None) -> Day | None:
    days = [
        *figured_days(text, language),
        *(of_figures(found, language) for found in FIGURES.finditer(text)),
        *(
            day_of(found, names_of(base(language)).get(folded(found["name"]), 0), language)
            for pattern in named_days(base(language))
            for found in pattern.finditer(text)
        ),
    ]
    return min((day for day in days if day is not None), key=lambda day: day.start, default=None)


def figured_days(text: str, language: str | None) -> list[Day | None]:
    """Days whose order the text itself tells."""
    days: list[Day | None] = []
    for pattern in (YEAR_MONTH_DAY, COMPACT, VIETNAMESE):
        for found in pattern.finditer(text):
            parts = found.groupdict()
            month, day = parts["month"] or parts["month2"], parts["day"] or parts["day2"]
            days.append(valid(int(parts["year"]), int(month), int(day), found, language))
    for found in ERA.finditer(text):
        year = ERAS[found["era"]] + (1 if found["year"] == "元" else int(found["year"]))
        days.append(valid(year, int(found["month"]), int(found["day"]), found, None))
    return days


def day_of(found: re.Match[str], month: int, language: str | None) -> Day | None:
    return valid(int(found["year"]), month, int(found["day"]), found, language)


def of_figures(found: re.Match[str], language: str | None) -> Day | None:
    """11/12/2026 and 11.12.26, in the order that is usual in `language`."""
    first, second, third = (int(found[name]) for name in ("first", "second", "third"))
    if len(found["third"]) == 2:
        if not language:
            return None
        if base(language) in YEAR_FIRST:
            return valid(century(first), second, third, found, None)
        third = century(third)
    if second > 12 or (first <= 12 and month_comes_first(found["mark"], language)):
        first, second = second, first
    elif first <= 12 and first != second and not order_is_known(found["mark"], language):
        return None
    return valid(third, second, first, found, language)


def month_comes_first(mark: str, language: str | None) -> bool:
    region = (language or "").replace("_", "-").lower().split("-")[-1]
    return "." not in mark and base(language) == "en" and region in MONTH_FIRST_REGIONS


def order_is_known(mark: str, language: str | None) -> bool:
    return "." in mark or (bool(language) and (language or "").lower() != "en")


def century(year: int) -> int:
    return year + (2000 if year < 70 else 1900)


def valid(year: int, month: int, day: int, found: re.Match[str], language: str | None) -> Day | None:
    if base(language) == "th" and year > 2400:
        year -= BUDDHIST
    if not (1900 <= year < 2200 and 1 <= month <= 12 and 1 <= day <= 31):
        return None
    return Day(year, month, day, found.start(), found.end())


def moment_of(text: str, day: Day, timezone: str | None) -> int | None:
    """The day with the time that stands directly behind it, or else directly before it."""
    gap = GAP.match(text, day.end)
    clock = zone = None
    for place in range(gap.end() if gap else day.end, day.end - 1, -1):
        if clock := CLOCK.match(text, place):
            break
    if clock is not None:
        zone = ZONE.match(text, clock.end())
    else:
        before = text[: day.start]
        clock = next((each for each in CLOCK.finditer(before) if SHORT_GAP.match(before, each.end())), None)
    if clock is None:
        return parse_date(f"{day.year:04}-{day.month:02}-{day.day:02}", timezone=timezone)
    said = text[day.end : clock.start()]
    half = clock["after"] or clock["before"] or half_in(said)
    hour = hour_of(int(clock["hour"]), half)
    minute = next((clock[name] for name in ("minute", "minute2", "minute3") if clock[name]), "0")
    offset = offset_of(zone, sure=said == "T" or bool(clock["second"])) if zone else ""
    return composed(
        day[:3], (hour, int(minute), int(clock["second"] or 0)), clock["fraction"], offset, timezone
    )


def half_in(text: str) -> str | None:
    found = re.search(rf"{NO_LETTER_BEFORE}(?:{HALF}){NO_LETTER_AFTER}", text, re.IGNORECASE)
    return found[0] if found else None


def hour_of(hour: int, half: str | None) -> int:
    if half is None or not 1 <= hour <= 12:
        return hour
    return hour % 12 + (12 if half.rstrip(".").lower() in AFTERNOON.split(",") else 0)


def offset_of(zone: re.Match[str], *, sure: bool) -> str:
    """What is said of a time's offset; unless `sure`, 10:00-11:00 is no offset but an end."""
    name, offset = zone["name"], zone["offset"]
    if name and name.lower() not in ZONES:
        return ""
    known = name in {"UTC", "GMT", "Z"}
    if offset and (sure or known or (zone["space"] and len(offset) >= 5 and ":" not in offset)):
        return offset.replace("−", "-")
    return f" {name}" if name else ""


def composed(
    day: tuple[int, ...], clock: tuple[int, ...], fraction: str | None, offset: str, timezone: str | None
) -> int | None:
    year, month, date = day
    hour, minute, second = clock
    millisecond = f"{fraction or 0:0<3}"[:3]
    text = f"{year:04}-{month:02}-{date:02} {hour:02}:{minute:02}:{second:02}.{millisecond}{offset}"
    return parse_date(text, timezone=timezone)


@lru_cache(maxsize=256)
def pattern_of(format_: str, language: str | None) -> re.Pattern[str]:
    """Raises ValueError."""
    for letter, meaning in TOGETHER.items():
        format_ = format_.replace(f"%{letter}", meaning)
    names = rf"(?P<name>{alternatives(base(language))})\.?"
    directives = DIRECTIVES | dict.fromkeys("bBh", names)
    parts, letters = [], set()
    for piece in re.findall(r"%-?(?:.|$)|\s+|[^%\s]", tidy(format_)):
        if not piece.startswith("%"):
            parts.append(r"\s*" if piece.isspace() else re.escape(piece))
            continue
        letter = piece[-1]
        if letter not in directives or piece in {"%", "%-"}:
            raise ValueError(f"'{format_}' has '{piece}', which strptime's formats don't know")
        letters.add(letter)
        parts.append(directives[letter])
    month = letters & set("mbBh")
    if not ("s" in letters or (letters & set("Yy") and ((month and letters & set("de")) or "j" in letters))):
        raise ValueError(
            f"'{format_}' says no whole date: a year (%Y), a month (%m, %b, %B) and a day (%d) are needed"
        )
    try:
        return re.compile(rf"(?<![0-9]){''.join(parts)}(?![0-9])", re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"'{format_}' says one thing twice: {error}") from error


def by_format(text: str, format_: str, language: str | None, timezone: str | None) -> int | None:
    found = pattern_of(format_, language).search(text)
    if found is None:
        return None
    said = {name: value for name, value in found.groupdict().items() if value}
    if "unix" in said:
        return int(said["unix"]) * 1000
    year = int(said["year"]) if "year" in said else century(int(said["short"]))
    if base(language) == "th" and year > 2400:
        year -= BUDDHIST
    hour = hour_of(int(said.get("hour", 0)), said.get("half"))
    offset = re.sub("^(?:UTC|GMT)", "", said.get("offset", ""), flags=re.IGNORECASE).replace("−", "-")
    if not offset and said.get("zone", "").lower() in ZONES:
        offset = f" {said['zone']}"
    if "ordinal" in said:
        started = composed((year, 1, 1), (hour, *rest_of(said)), said.get("fraction"), offset, timezone)
        return None if started is None else started + (int(said["ordinal"]) - 1) * 86_400_000
    month = names_of(base(language)).get(folded(said["name"]), 0) if "name" in said else int(said["month"])
    day = (year, month, int(said["day"]))
    return composed(day, (hour, *rest_of(said)), said.get("fraction"), offset, timezone)


def rest_of(said: dict[str, str]) -> tuple[int, int]:
    return int(said.get("minute", 0)), int(said.get("second", 0))
