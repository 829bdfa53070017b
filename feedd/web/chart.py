"""Numbers as a picture: bars as SVG, drawn on the server. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from markupsafe import Markup, escape

DAY_MS = 86_400_000
HEIGHT = 100.0  # of the box, in units of its own: the style sheet says how tall it is shown
STEP = 10.0  # the width that a day has
BAR = 8.0  # of that
LEAST = 2.0  # a day on which something happened is seen, however much happened on another


class Day(NamedTuple):
    """A day of a chart."""

    name: str  # 2026-11-29
    number: int


class Words(NamedTuple):
    """What the chart says to who does not see it, and to who points at a bar."""

    title: str
    description: str
    days: Sequence[str]  # one a day


def days(counts: Mapping[int, int], until_ms: int, number: int) -> list[Day]:
    """That many days up to the one of `until_ms`, in UTC; `counts` are by the time at which a day begins."""
    last = until_ms // DAY_MS
    return [
        Day(name_of(day), max(0, counts.get(day * DAY_MS, 0))) for day in range(last - number + 1, last + 1)
    ]


def name_of(day: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)).strftime("%Y-%m-%d")


def heights(counts: Sequence[int]) -> list[float]:
    """Of the bars: the most fills the box, nothing is none."""
    most = max(counts, default=0)
    return [0.0 if not count else max(LEAST, HEIGHT * (count / most)) for count in counts]


def bars(shown: Sequence[Day], words: Words) -> Markup:
    """The chart: as wide as its place (`preserveAspectRatio`), its colours by class (`chart`, `column`, `bar`, `month`)."""
    width = STEP * max(1, len(shown))
    box = f'viewBox="0 0 {width:g} {HEIGHT:g}" preserveAspectRatio="none" xmlns="http://www.w3.org/2000/svg"'
    parts = [
        f'<svg class="chart" role="img" aria-labelledby="chart-title chart-words" {box}>',
        f'<title id="chart-title">{escape(words.title)}</title>',
        f'<desc id="chart-words">{escape(words.description)}</desc>',
    ]
    parts += [
        f'<line class="month" x1="{place * STEP:g}" y1="0" x2="{place * STEP:g}" y2="{HEIGHT:g}"/>'
        for place, (before, day) in enumerate(pairwise(shown), 1)
        if before.name[:7] != day.name[:7]
    ]
    tall = heights([day.number for day in shown])
    for place, (height, label) in enumerate(zip(tall, words.days, strict=True)):
        left = place * STEP
        parts.append(f'<g class="day"><title>{escape(label)}</title>')  # the whole column is pointed at
        parts.append(f'<rect class="column" x="{left:g}" y="0" width="{STEP:g}" height="{HEIGHT:g}"/>')
        if height:
            top = f'y="{HEIGHT - height:.2f}" width="{BAR:g}" height="{height:.2f}"'
            parts.append(f'<rect class="bar" x="{left + (STEP - BAR) / 2:g}" {top}/>')
        parts.append("</g>")
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704 - all words are escaped above
