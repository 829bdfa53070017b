"""`/metrics`, for Prometheus: see docs/metrics.md.

The numbers come from the store (`store.statistics`, at most every few seconds) and from what was counted in memory since
the start; those of the process are prometheus-client's. Nothing is kept in counters of its own: a source that leaves the
configuration leaves the page.
"""

import logging
import platform
from collections.abc import Iterator
from functools import partial

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
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
from feedd.web import exposition
from feedd.web.counting import Counts, Meter
from feedd.web.exposition import Family, counter, gauge, info, single, summary
from feedd.web.health import Health

PLAIN_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text"
log = logging.getLogger(__name__)


def families(said: Statistics, counts: Counts, ticked_at_ms: int) -> Iterator[Family]:
    """The numbers of one moment."""
    versions = {"python": platform.python_version(), "version": __version__}
    yield info("feedd_build", "What runs.", versions)
    yield from of_looks(said)
    yield from of_sources(said)
    yield from of_deliveries(said)
    yield from of_requests(counts)
    yield single("feedd_database_bytes", "Size of the database file.", said.database_bytes)
    yield single("feedd_wal_bytes", "Size of the write-ahead log beside it.", said.wal_bytes)
    lag = "How long the source that is most overdue has been waiting for its look."
    yield single("feedd_scheduler_lag_seconds", lag, said.lag_ms / 1000)
    tick = "When the scheduler asked last what is due."
    yield single("feedd_scheduler_last_tick_timestamp_seconds", tick, ticked_at_ms / 1000)


def of_looks(said: Statistics) -> Iterator[Family]:
    looks = said.looks
    results = [(("failed", name), each.failed) for name, each in looks.items()]
    results += [(("ok", name), each.looks - each.failed) for name, each in looks.items()]
    words = "Looks at a source that ended, by how: ok or failed."
    yield counter("feedd_source_looks", words, ("result", "source"), results)
    seconds = ((name, each.looks, each.seconds) for name, each in looks.items())
    yield summary("feedd_source_look_seconds", "How long looks at a source took.", "source", seconds)
    received = (((name,), each.bytes) for name, each in looks.items())
    words = "Bytes of files and documents that were read."
    yield counter("feedd_source_received_bytes", words, ("source",), received)


def of_sources(said: Statistics) -> Iterator[Family]:
    of, each = ("source",), said.sources.items()
    words = "Entries that a source holds."
    yield gauge("feedd_source_entries", words, of, (((name,), one.entries) for name, one in each))
    words = "Looks at a source that failed in a row; 0: the last one succeeded."
    yield gauge("feedd_source_failures", words, of, (((name,), one.failures) for name, one in each))
    words = "1: the source is paused."
    yield gauge("feedd_source_paused", words, of, (((name,), one.is_paused) for name, one in each))
    checked = (((name,), one.last_checked_ms / 1000) for name, one in each if one.last_checked_ms is not None)
    words = "When a source was looked at last."
    yield gauge("feedd_source_last_look_timestamp_seconds", words, of, checked)
    kinds = tuple(map(str, Kind))
    changes = (((kind, name), said.changes.get((name, kind), 0)) for name in said.sources for kind in kinds)
    yield counter("feedd_changes", "Changes in the log, by kind.", ("kind", "source"), changes)


def of_deliveries(said: Statistics) -> Iterator[Family]:
    channels = sorted({name for name, _ in said.deliveries})
    rows = (
        ((name, status), said.deliveries.get((name, status), 0)) for name in channels for status in STATUSES
    )
    words = "Deliveries that the store holds, by channel and status."
    yield gauge("feedd_deliveries", words, ("channel", "status"), rows)
    queued = ((name, said.oldest_pending_ms.get(name, said.at_ms)) for name in channels)
    ages = (((name,), max(0, said.at_ms - since_ms) / 1000) for name, since_ms in queued)
    words = "How long the delivery that waits longest has been waiting; 0: none waits."
    yield gauge("feedd_deliveries_oldest_pending_seconds", words, ("channel",), ages)


def of_requests(said: Counts) -> Iterator[Family]:
    feeds = (((each.feed, each.format, str(each.status)), number) for each, number in said.feeds.items())
    words = "Requests for the documents of a feed since the start."
    yield counter("feedd_feed_requests", words, ("feed", "format", "status"), feeds)
    asked = (((each.method, each.route, str(each.status)), number) for each, number in said.requests.items())
    yield counter(
        "feedd_http_requests", "HTTP requests since the start.", ("method", "route", "status"), asked
    )
    words = "How long answering took, from the request to the last byte; not of streams."
    seconds = ((route, number, total) for route, (number, total) in said.seconds.items())
    yield summary("feedd_http_request_seconds", words, "route", seconds)


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
        ProcessCollector(registry=registry)
        own = families(said, counts, ticked_at_ms)
        write, of_the_process = (
            (exposition.open_metrics, openmetrics.generate_latest)
            if is_open
            else (exposition.plain, generate_latest)
        )
        return write(own).encode() + bytes(of_the_process(registry))


def routes(statistician: Statistician, meter: Meter, health: Health) -> list[Route]:
    return [Route("/metrics", Metrics(statistician, meter, health).answer)]
