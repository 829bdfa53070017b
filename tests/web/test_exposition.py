"""What feedd writes is what prometheus-client would write, to the byte."""

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.openmetrics.exposition import generate_latest as generate_open
from prometheus_client.registry import Collector

from feedd.web import exposition
from feedd.web.exposition import Family, counter, gauge, info, single, summary

NUMBERS = st.one_of(st.integers(0, 10**17), st.floats(0, allow_nan=False, allow_infinity=False))
ROWS = st.lists(st.tuples(st.text(max_size=9), st.text('\\"\n\r\0é', max_size=9), NUMBERS), max_size=5)


class Theirs(Collector):
    def __init__(self, rows: list[tuple[str, str, float]]) -> None:
        self.rows = rows

    def collect(self) -> Iterator[Metric]:
        counts = CounterMetricFamily("a_things", "Things, counted.", labels=("kind", "a"))
        numbers, sums = (
            GaugeMetricFamily("b", "Now.", labels=("a",)),
            SummaryMetricFamily("c_s", "All.", labels=("a",)),
        )
        for one, other, number in self.rows:
            counts.add_metric((one, other), number)
            numbers.add_metric((other,), number)
            sums.add_metric((one,), 3, number)
        build = InfoMetricFamily("build", "What runs.", {"version": "1", "a": "2"})
        yield from (counts, numbers, sums, build, GaugeMetricFamily("d", "One.", 1_234_567))


def ours(rows: list[tuple[str, str, float]]) -> Iterator[Family]:
    yield counter("a_things", "Things, counted.", ("a", "kind"), [((b, a), n) for a, b, n in rows])
    yield gauge("b", "Now.", ("a",), [((b,), n) for _, b, n in rows])
    yield summary("c_s", "All.", "a", [(a, 3, n) for a, _, n in rows])
    yield info("build", "What runs.", {"a": "2", "version": "1"})
    yield single("d", "One.", 1_234_567)


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_what_is_written_is_what_prometheus_client_writes(rows: list[tuple[str, str, float]]) -> None:
    registry = CollectorRegistry()
    registry.register(Theirs(rows))
    for mine, theirs, end in (
        (exposition.plain, generate_latest, b""),
        (exposition.open_metrics, generate_open, b"# EOF\n"),
    ):
        assert mine(ours(rows)).encode() + end == theirs(registry)
