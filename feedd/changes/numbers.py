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

FARTHEST = 6  # tokens on either side that are read along
CURRENCY_CODES = frozenset("us us$ hk$ a$ c$ eur usd gbp jpy cny chf rmb".split())


def tells_number(tokens: Sequence[str]) -> bool:
    """Whether a number, a sign or a unit of measure is among the tokens."""
    return any(part in SIGNS or is_numeric(part.casefold()) for part in tokens)


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
    """Whether a reading is that of a date."""
    return any(part.casefold() in MONTH_WORDS or part in DATE_CHARACTERS for part in tokens)
