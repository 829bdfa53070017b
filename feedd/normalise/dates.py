"""Dates as publishers write them → milliseconds since the Unix epoch, in UTC.

RFC 5322 section 3.3 and its forebears (RFC 822, 850, 1123, asctime), RFC 3339, ISO 8601 and W3CDTF, some
national forms, and Unix times of 10 (seconds) or 13 (milliseconds) digits. A date is never completed from
today: where year, month or day is missing there is no date. Two forms of W3CDTF say less on purpose and mean
their first day: ``2004-02`` and ``2004``.
"""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

LONGEST = 120  # characters of what is still taken for a date
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = date(1970, 1, 1).toordinal()

MONTHS = {
    name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)
}
# the form that most feeds are dated in
USUAL = re.compile(
    r"(?:[A-Za-z]{3}, )?([0-9]{1,2} [A-Za-z]{3} [0-9]{4}) ([01][0-9]|2[0-3]):([0-5][0-9])"
    r"(?::([0-5][0-9]))? (?:GMT|UTC|Z|([+-])([01][0-9])([0-5][0-9]))"
)
ISO_DATE = re.compile(
    r"(?P<year>[0-9]{4})"
    r"(?:-?w(?P<week>[0-9]{2})(?:-?(?P<weekday>[1-7]))?"
    r"|(?P<mark>[-/.])(?P<month>[0-9]{1,2})(?P=mark)(?P<day>[0-9]{1,2})"
    r"|(?P<month2>[0-9]{2})(?P<day2>[0-9]{2})|-?(?P<ordinal>[0-9]{3}))"
    r"(?![0-9])"
)
WEEKDAY = re.compile(r"[^\W\d_]+\.?,? (?=[0-9]{4})")
COMPACT = re.compile(r"([0-9]{8})([0-9]{4}(?:[0-9]{2})?)(?![0-9])")
W3C_MONTH = re.compile(r"([12][0-9]{3})(?:-([0-9]{2}))?")
EAST_ASIAN = re.compile(r"([0-9]{4})\s*[年년]\s*([0-9]{1,2})\s*[月월]\s*([0-9]{1,2})\s*[日일]?")
SLASHED = re.compile(r"([0-9]{1,2})([/.])([0-9]{1,2})\2([0-9]{4})(?![0-9])")
# what stands after `T`, or anywhere within the older forms
TIME = re.compile(
    r"(?<![0-9:])([0-9]{1,2}):([0-9]{2})(?::([0-9]{1,2})(?:[.,:]([0-9]+))?)?(?![0-9:])"
    r"(?:\s*([ap])\.?m\.?(?![a-z]))?"
)
COMPACT_TIME = re.compile(r"t([0-9]{2})([0-9]{2})?(?:([0-9]{2})(?:[.,]([0-9]+))?)?(?![0-9:])")
AFTERNOON = re.compile("오후|下午|午後")
FORENOON = re.compile("오전|上午|午前")
OFFSET = re.compile(r"([+\-−])([0-9]{1,2})(?::?([0-9]{2}))?(?![0-9:])")
OFFSET_AFTER = re.compile(r"(?<=[\sa-z])" + OFFSET.pattern)
WORD = re.compile(r"[^\W\d_]+")
NUMBER = re.compile(r"(?<![0-9.:+\-])[0-9]+(?![0-9:])")

# month names by their beginnings, in the languages of feeds seen; English ones need three letters
MONTH_NAMES = {
    1: "jan januar janvier enero ene gennaio gen januari janv janeiro styczeń stycznia января янв január jaan"
    " ιαν ιανουαρίου leden ledna ocak",
    2: "feb februar février févr fév fevr febrero febbraio februari fevereiro fev luty lutego февраля фев február"
    " φεβ φεβρουαρίου únor února şubat",
    3: "mar märz mrz mars marzo maart mrt março marzec marca марта мар március μάρ μαρ μαρτίου březen března mart",
    4: "apr april avril avr abril abr aprile kwiecień kwietnia апреля апр április απρ απριλίου duben dubna nisan",
    5: "may mai mayo maggio mag mei maio maj maja мая май május μάι μαϊ μαι μαΐου květen května mayıs",
    6: "jun juni juin junio giugno giu junho czerwiec czerwca июня июн június ιούν ιον ιουνίου červen června haziran",
    7: "jul juli juillet juil julio luglio lug julho lipiec lipca июля июл július ιούλ ιολ ιουλίου červenec"
    " července temmuz",
    8: "aug august août aout agosto ago augustus sierpień sierpnia августа авг augusztus αύγ αυγ αυγούστου srpen"
    " srpna ağustos",
    9: "sep sept september septembre septiembre settembre set setembro wrzesień września сентября сен сент"
    " szeptember σεπ σεπτεμβρίου září eylül",
    10: "oct okt oktober octobre octubre ottobre ott outubro out październik października октября окт október οκτ"
    " οκτωβρίου říjen října ekim",
    11: "nov november novembre noviembre novembro listopad listopada ноября ноя νοέ νοε νοεμβρίου listopadu kasım",
    12: "dec dez december dezember décembre déc diciembre dic dicembre dezembro grudzień grudnia декабря дек"
    " δεκ δεκεμβρίου prosinec prosince aralık",
}
MONTH_OF = {name: number for number, names in MONTH_NAMES.items() for name in names.split()}
ENGLISH_MONTH = re.compile(
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
# minutes east of Greenwich; RFC 5322 section 4.3 takes single letters but Z for nothing known
ZONES = {
    "gmt": 0, "utc": 0, "ut": 0, "z": 0, "wet": 0, "west": 60, "bst": 60, "cet": 60, "cest": 120, "met": 60,
    "mest": 120, "mez": 60, "mesz": 120, "eet": 120, "eest": 180, "sast": 120, "msk": 180, "msd": 240, "trt": 180,
    "gst": 240, "pkt": 300, "ist": 330, "npt": 345, "ict": 420, "wib": 420, "sgt": 480, "hkt": 480, "awst": 480,
    "pht": 480, "jst": 540, "kst": 540, "acst": 570, "acdt": 630, "aest": 600, "aedt": 660, "nzst": 720, "nzdt": 780,
    "nst": -210, "ndt": -150, "ast": -240, "adt": -180, "at": -240, "brt": -180, "art": -180,
    "est": -300, "edt": -240, "et": -300, "cst": -360, "cdt": -300, "ct": -360,
    "mst": -420, "mdt": -360, "mt": -420, "pst": -480, "pdt": -420, "pt": -480,
    "akst": -540, "akdt": -480, "hst": -600, "hast": -600,
}  # fmt: skip


class Clock(NamedTuple):
    """A time of day; seconds may be 60, hours 24 at midnight."""

    hour: int = 0
    minute: int = 0
    second: int = 0
    millisecond: int = 0


def parse_date(text: str, *, timezone: str | None = None) -> int | None:
    """The moment in milliseconds UTC, or None where `text` is no full date. Raises nothing.

    A date without a time is midnight; one without an offset is in `timezone` (an IANA name), else in UTC.
    """
    if not text or len(text) > 4 * LONGEST:
        return None
    text = text.strip()
    if (usual := USUAL.fullmatch(text)) is not None:
        found = of_usual(usual)
        if found is not None:
            return found
    if text.isdigit() and len(text) != 8:
        return of_digits(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return of_unusual(text, timezone)
    if moment.tzinfo is None:
        return in_zone(moment, timezone)
    return milliseconds(moment - EPOCH)


def milliseconds(past: timedelta) -> int:
    """Whole ones; in half the time that a division of intervals takes."""
    return past.days * 86_400_000 + past.seconds * 1000 + past.microseconds // 1000


def of_usual(found: re.Match[str]) -> int | None:
    day, hour, minute, second, sign, hours, minutes = found.groups()
    days = day_number(day)
    if days is None:
        return None
    seconds = int(hour) * 3600 + int(minute) * 60 + (int(second) if second else 0)
    if sign:
        offset = int(hours) * 3600 + int(minutes) * 60
        seconds -= offset if sign == "+" else -offset
    return (days * 86_400 + seconds) * 1000


@lru_cache(2000)  # most items of most feeds are of a few days
def day_number(text: str) -> int | None:
    """Days since the epoch, of `01 Oct 2024`."""
    day, month_name, year = text.split(" ")
    month = MONTHS.get(month_name.lower())
    if month is None:
        return None
    try:
        return date(int(year), month, int(day)).toordinal() - EPOCH_DAY
    except ValueError:
        return None


def of_digits(text: str) -> int | None:
    """A Unix time; a compact time; or a year."""
    if not text.isascii():
        return None
    match len(text):
        case 10:
            return int(text) * 1000
        case 13:
            return int(text)
        case _:
            return of_unusual(text, None)


def in_zone(moment: datetime, timezone: str | None) -> int | None:
    """The moment that a clock in `timezone` shows as `moment`."""
    try:
        return milliseconds(moment.replace(tzinfo=zone(timezone)) - EPOCH)
    except (ValueError, OverflowError):  # at the ends of the calendar
        return None


def zone(name: str | None) -> tzinfo:
    if name is None:
        return UTC
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # KeyError is the parent of ZoneInfoNotFoundError
        return UTC


def of_unusual(text: str, timezone: str | None) -> int | None:
    """The forms that are rare: told by what is found in them, in any order."""
    text = " ".join(text[:LONGEST].lower().split())
    if (short := W3C_MONTH.fullmatch(text)) is not None:
        return assemble((int(short[1]), int(short[2] or 1), 1), Clock(), None, timezone)
    if (digits := COMPACT.match(text)) is not None:
        text = f"{digits[1]}t{digits[2]}{text[digits.end() :]}"
    day, rest = numeric_date(text)
    if day is None:
        day, rest = named_date(text)
    if day is None:
        return None
    clock, rest = time_of_day(rest)
    if clock is None:
        return None
    offset = offset_of(rest)
    if offset is None and "년" in text:
        offset = 540  # those who write so know no other
    return assemble(day, clock, offset, timezone)


def numeric_date(text: str) -> tuple[tuple[int, int, int] | None, str]:
    """(year, month, day) where it is written in figures, and what follows."""
    if (east := EAST_ASIAN.search(text)) is not None:
        return (int(east[1]), int(east[2]), int(east[3])), text[east.end() :]
    if (found := ISO_DATE.match(WEEKDAY.sub("", text))) is not None:
        return of_iso(found), found.string[found.end() :]
    if (found := SLASHED.search(text)) is not None:
        first, second, year = int(found[1]), int(found[3]), int(found[4])
        rest = text[: found.start()] + " " + text[found.end() :]
        if found[2] == "." or first > 12:
            return (year, second, first), rest
        if second > 12:
            return (year, first, second), rest  # either order is possible otherwise
    return None, text


def of_iso(found: re.Match[str]) -> tuple[int, int, int] | None:
    year = int(found["year"])
    try:
        if found["week"]:
            day = date.fromisocalendar(year, int(found["week"]), int(found["weekday"] or 1))
        elif found["ordinal"]:
            ordinal = int(found["ordinal"])
            day = date.fromordinal(date(year, 1, 1).toordinal() + ordinal - 1)
            if day.year != year:
                return None
        else:
            return year, int(found["month"] or found["month2"]), int(found["day"] or found["day2"])
    except (ValueError, OverflowError):
        return None
    return day.year, day.month, day.day


def named_date(text: str) -> tuple[tuple[int, int, int] | None, str]:
    """(year, month, day) around the name of a month, and the text without that name."""
    names = [word for word in WORD.finditer(text) if month_of(word[0])]
    if not names:
        return None, text
    # "mar" is a Tuesday to some, who name the month behind it
    name = names[1] if names[0][0] == "mar" and len(names) > 1 else names[0]
    rest = f"{text[: name.start()].rstrip('-/. ')} {text[name.end() :].lstrip('-/.,')}"
    numbers = NUMBER.findall(OFFSET_AFTER.sub(" ", TIME.sub(" ", rest)))
    picked = day_and_year([number for number in numbers if len(number) in {1, 2, 4}])
    if picked is None:
        return None, text
    day, year = picked
    return (year, month_of(name[0]), day), rest


def month_of(word: str) -> int:
    """1…12, or 0 where `word` names no month."""
    if ENGLISH_MONTH.fullmatch(word):
        return MONTHS[word[:3]]
    return MONTH_OF.get(word, 0)


def day_and_year(numbers: list[str]) -> tuple[int, int] | None:
    """Of the first two figures one is the day and one the year: that of four digits, else the second."""
    if len(numbers) < 2:
        return None
    day, year = numbers[:2]
    if len(day) == 4:
        day, year = year, day
    if len(day) > 2 or len(year) == 1:
        return None
    century = 0 if len(year) == 4 else 2000 if year < "70" else 1900  # RFC 6265 section 5.1.1
    return int(day), century + int(year)


def time_of_day(text: str) -> tuple[Clock | None, str]:
    """The time in `text` (midnight where it has none, None where it is impossible) and what follows."""
    found = TIME.search(text)
    half = None
    if found is not None:
        half = found[5]
        if AFTERNOON.search(text[: found.start()]):
            half = "p"
        elif FORENOON.search(text[: found.start()]):
            half = "a"
    else:
        found = COMPACT_TIME.match(text)
    if found is None:
        return Clock(), text
    hour, minute, second = int(found[1]), int(found[2] or 0), int(found[3] or 0)
    if half and 1 <= hour <= 12:
        hour = hour % 12 + (12 if half == "p" else 0)
    clock = Clock(hour, minute, second, int(f"{found[4] or 0:0<3}"[:3]))
    impossible = hour > 24 or minute > 59 or second > 60 or (hour == 24 and (minute or second))
    return None if impossible else clock, text[found.end() :]


def offset_of(text: str) -> int | None:
    """Minutes east of Greenwich, or None where none is stated."""
    if (found := OFFSET.search(text)) is not None:
        hours, minutes = int(found[2]), int(found[3] or 0)
        if hours <= 15 and minutes <= 59:
            return (hours * 60 + minutes) * (1 if found[1] == "+" else -1)
    for word in WORD.finditer(text):
        if (minutes_east := ZONES.get(word[0])) is not None:
            return minutes_east
    return None


def assemble(day: tuple[int, int, int], clock: Clock, offset: int | None, timezone: str | None) -> int | None:
    seconds = clock.hour * 3600 + clock.minute * 60 + clock.second
    try:
        if offset is None and timezone is not None:
            moment = datetime(*day) + timedelta(seconds=seconds, milliseconds=clock.millisecond)  # noqa: DTZ001 - in_zone says
            return in_zone(moment, timezone)
        days = date(*day).toordinal() - EPOCH_DAY
    except (ValueError, OverflowError):
        return None
    return (days * 86_400 + seconds - (offset or 0) * 60) * 1000 + clock.millisecond
