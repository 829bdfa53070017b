"""`/metrics`, for Prometheus: see docs/metrics.md. The only module that knows prometheus-client.

The numbers come from the store (`store.statistics`, at most every few seconds) and from what was counted in memory since
the start. Nothing is kept in prometheus-client's own counters: a source that leaves the configuration leaves the page.
"""

import logging
import platform
from collections.abc import Iterable, Iterator
from functools import partial

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from feedd import __version__
from feedd.errors import StoreError
from feedd.looks import now_ms
from feedd.model import Kind
from feedd.store.deliveries import STATUSES
from feedd.store.statistics import Statistician, Statistics
from feedd.threads import PATIENT
from feedd.web.counting import Counts, Meter
from feedd.web.health import Health

PLAIN_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text"
log = logging.getLogger(__name__)


class Snapshot(Collector):
    """The numbers of one moment, as prometheus-client wants them."""

    def __init__(self, statistics: Statistics, counts: Counts, ticked_at_ms: int) -> None:
        self.statistics = statistics
        self.counts = counts
        self.ticked_at_ms = ticked_at_ms

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily(
            "feedd_build", "What runs.", {"version": __version__, "python": platform.python_version()}
        )
        yield from of_looks(self.statistics)
        yield from of_sources(self.statistics)
        yield from of_deliveries(self.statistics)
        yield from of_requests(self.counts)
        yield from self.of_the_whole()

    def of_the_whole(self) -> Iterator[Metric]:
        said = self.statistics
        yield gauge("feedd_database_bytes", "Size of the database file.", said.database_bytes)
        yield gauge("feedd_wal_bytes", "Size of the write-ahead log beside it.", said.wal_bytes)
        lag = "How long the source that is most overdue has been waiting for its look."
        yield gauge("feedd_scheduler_lag_seconds", lag, said.lag_ms / 1000)
        tick = "When the scheduler asked last what is due."
        yield gauge("feedd_scheduler_last_tick_timestamp_seconds", tick, self.ticked_at_ms / 1000)


def gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value)


def labelled(
    kind: type[CounterMetricFamily | GaugeMetricFamily],
    name: str,
    words: str,
    labels: tuple[str, ...],
    rows: Iterable[tuple[tuple[str, ...], float]],
) -> Metric:
    family = kind(name, words, labels=labels)
    for values, number in rows:
        family.add_metric(values, number)
    return family


def of_looks(said: Statistics) -> Iterator[Metric]:
    looks = said.looks
    results = [((name, "failed"), each.failed) for name, each in looks.items()]
    results += [((name, "ok"), each.looks - each.failed) for name, each in looks.items()]
    words = "Looks at a source that ended, by how: ok or failed."
    yield labelled(CounterMetricFamily, "feedd_source_looks", words, ("source", "result"), results)
    seconds = SummaryMetricFamily(
        "feedd_source_look_seconds", "How long looks at a source took.", labels=("source",)
    )
    for name, each in looks.items():
        seconds.add_metric((name,), each.looks, each.seconds)
    yield seconds
    received = [((name,), each.bytes) for name, each in looks.items()]
    words = "Bytes of files and documents that were read."
    yield labelled(CounterMetricFamily, "feedd_source_received_bytes", words, ("source",), received)


def of_sources(said: Statistics) -> Iterator[Metric]:
    of, by = ("source",), GaugeMetricFamily
    each = said.sources.items()
    words = "Entries that a source holds."
    yield labelled(by, "feedd_source_entries", words, of, [((name,), one.entries) for name, one in each])
    words = "Looks at a source that failed in a row; 0: the last one succeeded."
    yield labelled(by, "feedd_source_failures", words, of, [((name,), one.failures) for name, one in each])
    words = "1: the source is paused."
    yield labelled(by, "feedd_source_paused", words, of, [((name,), one.is_paused) for name, one in each])
    checked = [((name,), one.last_checked_ms / 1000) for name, one in each if one.last_checked_ms is not None]
    words = "When a source was looked at last."
    yield labelled(by, "feedd_source_last_look_timestamp_seconds", words, of, checked)
    changes = [
        ((name, kind), said.changes.get((name, kind), 0)) for name, _ in each for kind in map(str, Kind)
    ]
    words = "Changes in the log, by kind."
    yield labelled(CounterMetricFamily, "feedd_changes", words, ("source", "kind"), changes)


def of_deliveries(said: Statistics) -> Iterator[Metric]:
    channels = sorted({name for name, _ in said.deliveries})
    rows = [
        ((name, status), said.deliveries.get((name, status), 0)) for name in channels for status in STATUSES
    ]
    words = "Deliveries that the store holds, by channel and status."
    yield labelled(GaugeMetricFamily, "feedd_deliveries", words, ("channel", "status"), rows)
    ages = []
    for name in channels:
        queued = said.oldest_pending_ms.get(name)
        ages.append(((name,), 0.0 if queued is None else max(0, said.at_ms - queued) / 1000))
    words = "How long the delivery that waits longest has been waiting; 0: none waits."
    yield labelled(GaugeMetricFamily, "feedd_deliveries_oldest_pending_seconds", words, ("channel",), ages)


def of_requests(said: Counts) -> Iterator[Metric]:
    counter = CounterMetricFamily
    feeds = [((each.feed, each.format, str(each.status)), number) for each, number in said.feeds.items()]
    words = "Requests for the documents of a feed since the start."
    yield labelled(counter, "feedd_feed_requests", words, ("feed", "format", "status"), feeds)
    asked = [((each.route, each.method, str(each.status)), number) for each, number in said.requests.items()]
    words = "HTTP requests since the start."
    yield labelled(counter, "feedd_http_requests", words, ("route", "method", "status"), asked)
    words = "How long answering took, from the request to the last byte; not of streams."
    seconds = SummaryMetricFamily("feedd_http_request_seconds", words, labels=("route",))
    for route, (number, total) in said.seconds.items():
        seconds.add_metric((route,), number, total)
    yield seconds


class Metrics:
    """Answers `/metrics`."""

    def __init__(self, statistician: Statistician, meter: Meter, health: Health) -> None:
        self.statistician = statistician
        self.meter = meter
        self.health = health

    async def answer(self, request: Request) -> Response:
        is_open = OPENMETRICS in request.headers.get("accept", "")
        work = partial(self.written, self.meter.counts(), self.health.ticked_at_ms, is_open=is_open)
        try:
            body = await PATIENT.run(work)
        except StoreError as error:
            log.error("the numbers for /metrics can't be had: %s", error)  # noqa: TRY400 (words are enough)
            words = "The database can't be read at the moment.\n"
            return Response(words, 503, {"Retry-After": "60"}, "text/plain")
        kind = openmetrics.CONTENT_TYPE_LATEST if is_open else PLAIN_TYPE
        return Response(body, headers={"Content-Type": kind, "Cache-Control": "no-store", "Vary": "Accept"})

    def written(self, counts: Counts, ticked_at_ms: int, *, is_open: bool) -> bytes:
        """Raises StoreError."""
        said = self.statistician.taken(now_ms())
        registry = CollectorRegistry()
        registry.register(Snapshot(said, counts, ticked_at_ms))
        ProcessCollector(registry=registry)
        write = openmetrics.generate_latest if is_open else generate_latest
        return bytes(write(registry))


def routes(statistician: Statistician, meter: Meter, health: Health) -> list[Route]:
    return [Route("/metrics", Metrics(statistician, meter, health).answer)]
