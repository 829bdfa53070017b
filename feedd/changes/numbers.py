"""A number as its reader sees it: with sign, currency, unit and percent."""

from collections.abc import Sequence

from feedd.changes.lexicon import (
    CURRENCIES,
    DATE_CHARACTERS,
    MONTH_WORDS,
    PERCENT,
    SIGNS,
    UNIT_CHARACTERS,
    UNITS,
    is_numeric,
)

NOT_ONE = frozenset("定些样樣般直起旦切致")
WEEK = {"周": "周", "週": "週", "期": "星期", "拜": "礼拜"}
HAN_WEEKDAYS = frozenset("一二三四五六日天")
KANJI_WEEKDAYS = frozenset("月火水木金土日")
CURRENCY_BEHIND = frozenset("元圆圓")
FARTHEST = 6  # tokens on either side that are read along
CURRENCY_CODES = frozenset("us us$ hk$ a$ c$ eur usd gbp jpy cny chf rmb".split())


def tells_number(tokens: Sequence[str]) -> bool:
    """Whether a number, a sign or a unit of measure is among the tokens."""
    return any(part in SIGNS or is_number(tokens, at) for at, part in enumerate(tokens))


def counted(tokens: Sequence[str]) -> bool:
    """Whether a number is among the tokens: a sign alone is none."""
    return any(is_number(tokens, at) for at in range(len(tokens)))


def is_number(tokens: Sequence[str], at: int) -> bool:
    """Whether a token is a number, as far as its reader is told: "UN" is no French one, and 一定 is "surely"."""
    part = tokens[at]
    if part == "UN" or (part == "一" and at + 1 < len(tokens) and tokens[at + 1] in NOT_ONE):
        return False
    return is_numeric(part.casefold())


def narrowed(tokens: Sequence[str], start: int, end: int) -> tuple[int, int]:
    """The part of `tokens[start:end]` that holds its numbers; where there is none, all of it if it is a word at most."""
    found = [at for at in range(start, end) if tokens[at] in SIGNS or is_number(tokens, at)]
    if found:
        return found[0], found[-1] + 1
    return (start, end) if end - start <= 1 else (start, start)


def weekday(left: str, gone: Sequence[str], come: Sequence[str], right: str) -> tuple[str, str] | None:
    """The two days of a week, if it is them that differ: 周一, 月曜."""
    if len(gone) != 1 or len(come) != 1:
        return None
    if left in WEEK and {gone[0], come[0]} <= HAN_WEEKDAYS:
        return WEEK[left] + gone[0], WEEK[left] + come[0]
    if right == "曜" and {gone[0], come[0]} <= KANJI_WEEKDAYS:
        return gone[0] + right, come[0] + right
    return None


def reading(tokens: Sequence[str], start: int, end: int) -> tuple[int, int]:
    """Where the number that stands in `tokens[start:end]`, or is touched by it, begins and ends."""
    first = start
    while first > max(0, start - FARTHEST) and joins_left(tokens, first):
        first -= 1
    last = end
    while last < min(len(tokens), end + FARTHEST) and joins_right(tokens, last):
        last += 1
    while first < last and tokens[first].isspace():
        first += 1
    while first < last and tokens[last - 1].isspace():
        last -= 1
    return first, last


def joins_left(tokens: Sequence[str], at: int) -> bool:
    """Whether the part before `at` is read together with the number that begins there."""
    part = tokens[at - 1]
    if part.isspace():
        return at >= 2 and (tokens[at - 2] in CURRENCIES or is_measure(tokens[at - 2].casefold()))
    folded = part.casefold()
    return (
        part in SIGNS
        or is_numeric(folded)
        or folded in MONTH_WORDS
        or folded in CURRENCY_CODES
        or folded in DATE_CHARACTERS
    )


def joins_right(tokens: Sequence[str], at: int) -> bool:
    """Whether the part at `at` is read together with the number that ends before it."""
    part = tokens[at]
    if part.isspace():
        return at + 1 < len(tokens) and is_measure(tokens[at + 1].casefold())
    folded = part.casefold()
    if part == "公":
        return at + 1 < len(tokens) and tokens[at + 1] in "里斤顷頃尺"
    return part in CURRENCIES or part in PERCENT or part in UNIT_CHARACTERS or is_measure(folded)


def is_measure(part: str) -> bool:
    return (
        part in UNITS
        or part in PERCENT
        or part in CURRENCIES
        or part == "°"
        or is_numeric(part)
        or part in MONTH_WORDS
    )


def is_date(tokens: Sequence[str]) -> bool:
    """Whether a reading is that of a date; 日元 is a currency."""
    return any(
        part.casefold() in MONTH_WORDS
        or (part in DATE_CHARACTERS and not CURRENCY_BEHIND.intersection(tokens[at + 1 : at + 2]))
        for at, part in enumerate(tokens)
    )
