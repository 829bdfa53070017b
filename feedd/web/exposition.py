"""Numbers in the text formats of Prometheus: the plain one (0.0.4), and OpenMetrics 1.0. Pure.

prometheus-client writes them, too, but looks at each name and label of each line anew, and there are some twenty lines for
every source. What a line says is the same in both formats; they differ in what stands above a family.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

Row = tuple[tuple[str, ...], float]  # the values of the labels, and the number


class Kind(StrEnum):
    """What the numbers of a family are."""

    COUNTER = "counter"
    GAUGE = "gauge"
    SUMMARY = "summary"
    INFO = "info"


SUFFIXES = {Kind.COUNTER: "_total", Kind.INFO: "_info"}


class Family(NamedTuple):
    """Numbers of one name."""

    name: str  # without what its kind puts behind it
    kind: Kind
    words: str
    lines: Iterable[str]


def counter(name: str, words: str, labels: tuple[str, ...], rows: Iterable[Row]) -> Family:
    return Family(name, Kind.COUNTER, words, lines(name + SUFFIXES[Kind.COUNTER], labels, rows))


def gauge(name: str, words: str, labels: tuple[str, ...], rows: Iterable[Row]) -> Family:
    return Family(name, Kind.GAUGE, words, lines(name, labels, rows))


def single(name: str, words: str, value: float) -> Family:
    return gauge(name, words, (), [((), value)])


def summary(name: str, words: str, label: str, rows: Iterable[tuple[str, int, float]]) -> Family:
    """`rows`: the value of the label, how many there were, and what they came to."""
    labels = (label,)
    made = (
        line
        for value, count, total in rows
        for suffix, number in (("_count", count), ("_sum", total))
        for line in lines(name + suffix, labels, [((value,), number)])
    )
    return Family(name, Kind.SUMMARY, words, made)


def info(name: str, words: str, values: Mapping[str, str]) -> Family:
    rows = [(tuple(values.values()), 1.0)]
    return Family(name, Kind.INFO, words, lines(name + SUFFIXES[Kind.INFO], tuple(values), rows))


def lines(name: str, labels: tuple[str, ...], rows: Iterable[Row]) -> Iterator[str]:
    """A line a row; labels stand in the order of their names."""
    inner = ",".join(f'{label}="%s"' for label in labels)
    template = f"{name}{{{inner}}} %s\n" if labels else f"{name} %s\n"
    for values, number in rows:
        yield template % (*map(escaped, values), written(number))


def escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


@lru_cache(1_000)  # most are 0, or small
def written(number: float) -> str:
    """As Go writes it: with an exponent from a million on."""
    said = repr(float(number))
    point = said.find(".")
    if number <= 0 or point <= 6:
        return said
    digits = f"{said[0]}.{said[1:point]}{said[point + 1 :]}".rstrip("0.")
    return f"{digits}e+{point - 1:02}"


def plain(families: Iterable[Family]) -> str:
    """As format 0.0.4 has it, which knows no kind `info`."""

    def pieces() -> Iterator[str]:
        for family in families:
            name = family.name + SUFFIXES.get(family.kind, "")
            kind = Kind.GAUGE if family.kind is Kind.INFO else family.kind
            yield f"# HELP {name} {family.words}\n# TYPE {name} {kind}\n"
            yield from family.lines

    return "".join(pieces())


def open_metrics(families: Iterable[Family]) -> str:
    """As OpenMetrics has it, without the end."""

    def pieces() -> Iterator[str]:
        for family in families:
            yield f"# HELP {family.name} {family.words}\n# TYPE {family.name} {family.kind}\n"
            yield from family.lines

    return "".join(pieces())
