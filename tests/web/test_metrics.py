"""Numbers for machines: /metrics, /healthz, /readyz."""

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from gated import Gated
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from shelf import BORN_MS, Piece

from feedd.web.counting import PATTERNS, PLAIN, PRIVATE, Meter, route_of

DOCUMENTED = (Path(__file__).parents[2] / "docs/metrics.md").read_text(encoding="utf-8")
Samples = dict[str, dict[tuple[str, ...], float]]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Gated]:
    with Gated(tmp_path) as gated:
        yield gated


def samples(site: Gated, accept: str = "text/plain") -> Samples:
    """By name, then by the values of the labels, which stand in the order of their names."""
    site.now_s += 100
    answer = site.get("/metrics", Accept=accept)
    assert answer.status_code == 200
    is_open = "openmetrics" in accept
    assert answer.headers["content-type"].startswith(
        "application/openmetrics-text" if is_open else "text/plain"
    )
    families = list((parse_openmetrics if is_open else parse_text)(answer.text))
    found = Samples()
    for family in families:
        assert family.documentation, family.name
        for sample in family.samples:
            assert tuple(sample.labels.values()) not in found.get(sample.name, {})
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def test_what_the_store_says(site: Gated) -> None:
    site.shelf.look("a", BORN_MS + 1, [Piece("one", body="<p>Other words entirely, here.</p>")])
    found = samples(site)
    assert found["feedd_source_looks_total"] == {("failed", "a"): 0, ("ok", "a"): 2}
    assert found["feedd_source_entries"] == {("a",): 2, ("b",): 0}
    assert found["feedd_source_failures"][("a",)] == 0
    assert found["feedd_source_look_seconds_count"] == {("a",): 2}
    assert found["feedd_source_received_bytes_total"] == {("a",): 3}
    changes = found["feedd_changes_total"]
    assert changes[("added", "a")] == 2
    assert changes[("added", "b")] == 0
    assert sum(changes.values()) == 3
    assert found["feedd_database_bytes"][()] > 1_000
    assert found["feedd_wal_bytes"][()] > 10_000
    assert found["feedd_scheduler_lag_seconds"][()] > 1_000
    assert abs(found["feedd_scheduler_last_tick_timestamp_seconds"][()] - time.time()) < 60
    assert found["feedd_build_info"].popitem()[1] == 1
    assert found["process_resident_memory_bytes"][()] > 0
    site.shelf.look("a", BORN_MS + 2, gone=["two"])
    again = samples(site)
    assert again["feedd_changes_total"][("removed", "a")] == 1
    assert again["feedd_changes_total"][("added", "a")] == 2


def test_deliveries(site: Gated) -> None:
    def queue(connection: sqlite3.Connection) -> None:
        connection.execute(
            "INSERT INTO channels (id, name, type, location, settings, configured, added_at) VALUES"
            " (1, 'desk', 'webhook', '', '', 1, 0), (2, 'gone', 'webhook', '', '', 0, 0)"
        )
        now = time.time_ns() // 1_000_000
        for channel, status, age_s in (
            (1, "pending", 100),
            (1, "pending", 10),
            (1, "delivered", 500),
            (2, "pending", 1),
        ):
            connection.execute(
                "INSERT INTO deliveries (channel_id, thread, type, status, created_at) VALUES (?,0,'x',?,?)",
                [channel, status, now - age_s * 1_000],
            )

    site.shelf.desk.run(lambda writer: writer.within(queue))
    found = samples(site)
    assert found["feedd_deliveries"] == {
        ("desk", "pending"): 2,
        ("desk", "delivered"): 1,
        ("desk", "failed"): 0,
        ("desk", "cancelled"): 0,
    }
    assert 100 <= found["feedd_deliveries_oldest_pending_seconds"][("desk",)] < 130


def test_requests(site: Gated) -> None:
    for path in (
        "/feeds/all.atom",
        "/feeds/all.atom",
        "/feeds/secret.rss",
        "/feeds/nobody.atom",
        "/entries/1",
        "/x/y",
    ):
        site.get(path)
    site.post("/api/v1/things")
    found = samples(site)
    assert found["feedd_feed_requests_total"] == {("all", "atom", "200"): 2, (PRIVATE, "rss", "401"): 1}
    asked = found["feedd_http_requests_total"]
    assert asked[("GET", "/feeds/{name}.{format}", "200")] == 2
    assert asked[("GET", "/feeds/{name}.{format}", "404")] == 1
    assert asked[("GET", "/entries/{id}", "200")] == 1
    assert asked[("GET", "other", "404")] == 1
    assert asked[("POST", "other", "403")] == 1
    assert found["feedd_http_request_seconds_count"][("/entries/{id}",)] == 1


def test_openmetrics(site: Gated) -> None:
    accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3"
    assert samples(site, accept).keys() - samples(site).keys() <= {"feedd_build_info"}
    assert site.get("/metrics", Accept="application/openmetrics-text;version=x;escaping=?").status_code == 200
    assert site.get("/metrics").text.startswith("# HELP")


def test_it_is_counted_seldom(site: Gated) -> None:
    before = samples(site)["feedd_source_entries"]
    site.shelf.look("b", BORN_MS + 1, [Piece("three")])
    answer = site.get("/metrics")
    assert f'feedd_source_entries{{source="b"}} {before[("b",)]}' in answer.text
    assert samples(site)["feedd_source_entries"][("b",)] == 1


def test_what_is_shown_is_documented(site: Gated) -> None:
    site.get("/feeds/all.atom")
    shown = {name for name in samples(site) if name.startswith("feedd_")}
    plain = {name.removesuffix("_count").removesuffix("_sum") for name in shown}
    assert {name for name in plain if f"`{name}`" not in DOCUMENTED} == set()


def test_what_is_done_to_a_source_counts_as_its_page() -> None:
    for what in ("check", "pause", "resume"):
        assert route_of(f"/sources/news/{what}") == "/sources/{name}"


@given(st.text(max_size=200))
def test_labels_are_bounded(path: str) -> None:
    labels = {label for _, label in PATTERNS} | PLAIN | {"other"}
    assert route_of("/" + path) in labels or route_of("/" + path).startswith("/api/v1/")
    assert route_of("/zzz/" + path) == "other"
    assert route_of("/api/v1/zzz/" + path) == "other"
    meter = Meter(["all"])
    meter.count(path, f"/feeds/{path}.atom", 200, 0.1)
    assert set(meter.counts().feeds) == set() or path == "all"


def test_alive(site: Gated) -> None:
    answer = site.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "feedd is alive.\n")
    site.now_s += 31
    answer = site.get("/healthz")
    assert (answer.status_code, "for 31 s" in answer.text) == (503, True)
    said = site.get("/healthz", Accept="application/json").json()
    assert (said["status"], said["checks"]) == ("failed", {"scheduler": False})
    site.health.tick()
    assert site.get("/healthz", Accept="application/json").json()["status"] == "ok"
    assert site.get("/healthz").headers["cache-control"] == "no-store"


def test_ready(site: Gated) -> None:
    answer = site.get("/readyz")
    assert (answer.status_code, answer.text) == (503, "The first looks are not planned yet.\n")
    site.health.scheduled()
    assert site.get("/readyz").text == "feedd is ready.\n"
    said = site.get("/readyz", Accept="application/json").json()
    assert said == {
        "status": "ok",
        "detail": "feedd is ready.",
        "checks": {"database": True, "schedule": True},
    }


def test_the_database_is_asked_seldom(site: Gated) -> None:
    site.health.scheduled()
    written = "SELECT value FROM meta WHERE key = 'probed_at'"
    site.get("/readyz")
    first = site.shelf.reader.rows(written)
    for _ in range(5):
        site.get("/readyz")
    assert site.shelf.reader.rows(written) == first
    site.now_s += 5
    site.get("/readyz")
    assert site.shelf.reader.rows(written) != first


def test_a_database_that_cant_be_written(site: Gated) -> None:
    site.health.scheduled()
    assert site.get("/readyz").status_code == 200
    site.shelf.desk.run(lambda writer: writer.connection.execute("PRAGMA query_only = ON"))
    site.now_s += 5
    answer = site.get("/readyz")
    assert (answer.status_code, "can't be written" in answer.text) == (503, True)
    site.shelf.desk.run(lambda writer: writer.connection.execute("PRAGMA query_only = OFF"))
    site.now_s += 5
    assert site.get("/readyz").status_code == 200


def test_a_writer_that_is_busy_is_ready_for_a_while(site: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feedd.web.health.PATIENCE_S", 0.05)
    site.health.scheduled()
    assert site.get("/readyz").status_code == 200
    with closing(sqlite3.connect(site.shelf.desk.writer.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        site.now_s += 5
        assert site.get("/readyz").status_code == 200
        site.now_s += 61
        assert site.get("/readyz").status_code == 503
        other.execute("ROLLBACK")


def test_numbers_of_a_store_that_is_gone(tmp_path: Path) -> None:
    with Gated(tmp_path) as site:
        site.get("/metrics")
        copy = tmp_path / "copy.db"
        shutil.copy(site.shelf.desk.writer.path, copy)
        site.shelf.desk.run(lambda writer: writer.connection.execute("ALTER TABLE look_totals RENAME TO x"))
        site.now_s += 100
        answer = site.get("/metrics")
        site.shelf.desk.run(lambda writer: writer.connection.execute("ALTER TABLE x RENAME TO look_totals"))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
        assert "Traceback" not in answer.text
