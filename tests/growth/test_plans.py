"""No statement of a daemon goes through all entries, versions, changes, locations or sources, but for those named here."""

import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pytest
from running import PATIENCE_S, Site, until
from webserver import Web

GROWING = ("entries", "revisions", "changes", "locations", "sources", "looks", "deliveries", "search_docs")
NAMED = re.compile(rf"\b(?:FROM|JOIN|UPDATE|,)\s+({'|'.join(GROWING)})\b(?:\s+(?:AS\s+)?([a-z]{{1,2}})\b)?")
LIMIT = re.compile(r"\bLIMIT (-?[0-9]+)")
SCAN = re.compile(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?")
ITEM = "<item><title>News {0}</title><link>https://blog.example/{0}</link><description>Water {0}.</description></item>"
FEED = f"<rss version='2.0'><channel><title>Blog</title>{''.join(map(ITEM.format, range(3)))}</channel></rss>"

# Where a configuration is taken up, once a start and once a reload, each of its sources is looked at.
TAKEN_UP = (
    "UPDATE sources SET configured = 0, paused_by = NULL WHERE configured AND name NOT IN",
    "UPDATE incidents SET closed_at",
    "SELECT name, next_check, coalesce(paused_by, paused), last_checked FROM sources WHERE configured",
    "SELECT name FROM sources WHERE configured ORDER BY name",
)
# Indexes that hold what is asked for and nothing else, or that are read in their order no further than is asked for.
FOLLOWED = {
    "changes_told": "the newest changes that were told",
    "entries_position": "the newest entries",
    "sources_pushed": "the feeds that name a hub",
    "sources_changed": "those that changed last, and how many there are",
    "sources_failing": "those that fail",
    "sources_paused": "those that are paused",
    "sources_touched": "added up once a write, 10 bytes a source: one number for the state of all",
    "search_docs_dead": "documents of no entry",
    "locations_rejected": "what can't be read now, for the first page",
    "deliveries_thread": "what waits to be delivered",
}
# Pages that show all sources, or let one choose among them.
LISTED = ("SELECT s.id, name, type, location, configured, entries, touched",)

PAGES = (
    "/",
    "/feeds/all.atom",
    "/feeds/news.json",
    "/feeds/changes.rss",
    "/feeds/health.atom",
    "/feeds/water.atom",
    "/feeds/news",
    "/sources/news",
    "/entries/2",
    "/changes",
    "/search?q=water",
    "/api/v1/entries",
    "/api/v1/entries?source=news",
    "/api/v1/changes",
    "/api/v1/sources/blog/looks",
    "/healthz",
    "/readyz",
)


@pytest.fixture(scope="module")
def statements(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A database, and what a daemon asked of it: at rest, in looks that find something and nothing, and for pages."""
    root = tmp_path_factory.mktemp("traced")
    with Web() as web:
        web.page("/feed.xml", FEED, type="application/rss+xml", etag=True)
        source = f'[sources.blog]\ntype = "feed"\nurl = "{web.url}/feed.xml"\nallow_private = true'
        channel = '[notify.file]\ntype = "file"\npath = "told.jsonl"\n[feeds.water]\nquery = "water"'
        site = Site(root, "watch = true", f"{source}\n{channel}")
        for name in "abc":
            site.seed(f"{name}.md", f"Title {name}", "<p>Some words on water, which flows by.</p>")
        asked = root / "statements.sql"
        command = [sys.executable, str(Path(__file__).with_name("traced.py")), str(asked), "run", "--config"]
        with (root / "log").open("wb") as log:
            process = subprocess.Popen([*command, os.fspath(site.config)], cwd=root, stdout=log, stderr=log)
        try:
            drive(site)
        finally:
            process.terminate()
            assert process.wait(PATIENCE_S) == 0, (root / "log").read_text()
    return site.database, asked.read_text(encoding="utf-8").splitlines()


def drive(site: Site) -> None:
    def titles() -> str:
        with suppress(httpx.TransportError):
            return httpx.get(f"{site.url}/feeds/all.json", trust_env=False).text
        return ""

    until(lambda: "Title a" in titles() and "News 2" in titles(), 2 * PATIENCE_S)
    site.seed("a.md", "Title a", "<p>Other words on the dam, which was built in vain.</p>")
    (site.seeds / "b.md").unlink()
    site.seed("d.md", "Title d", "<p>New words on water.</p>")
    until(lambda: "in vain" in titles() and "Title d" in titles(), 2 * PATIENCE_S)
    site.feedd("update", "blog")
    for page in PAGES:
        assert httpx.get(f"{site.url}{page}", trust_env=False).status_code == 200, page


def test_nothing_goes_through_all_there_is(statements: tuple[Path, list[str]]) -> None:
    database, asked = statements
    assert len(asked) > 100, "the daemon was listened to"
    with closing(sqlite3.connect(database)) as connection:
        found = {each: scanned(connection, each) for each in asked if is_looked_at(each)}
    assert not {each: scans for each, scans in found.items() if scans}


def is_looked_at(statement: str) -> bool:
    """Lists that are empty make SQLite plan what it doesn't do."""
    is_plain = statement.startswith(("SELECT", "UPDATE", "DELETE", "INSERT")) and "IN ()" not in statement
    return is_plain and not statement.startswith((*TAKEN_UP, *LISTED)) and " troubles " not in statement


def scanned(connection: sqlite3.Connection, statement: str) -> list[str]:
    tables = {alias or table: table for table, alias in NAMED.findall(statement)}
    tables |= {table: table for table in GROWING}
    # as the program says it: where the limit is not known, SQLite may choose another way
    limits = LIMIT.findall(statement)
    explained = connection.execute(f"EXPLAIN QUERY PLAN {LIMIT.sub('LIMIT ?', statement)}", limits)
    plan = [row[3] for row in explained]
    scans = [match for line in plan if (match := SCAN.match(line))]
    return [match[0] for match in scans if match[1] in tables and match[2] not in FOLLOWED]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT id FROM entries WHERE title = 'x'",
        "SELECT e.id FROM sources s JOIN entries e ON e.source_id = s.id WHERE s.id = 1",
        "SELECT name FROM sources WHERE next_check IS NULL OR next_check <= 5 ORDER BY next_check",
        (
            "SELECT s.name FROM locations l JOIN sources s ON s.id = l.source_id WHERE l.rejected IS NOT NULL"
            " ORDER BY s.name, l.path LIMIT 9"
        ),
    ],
    ids=["table", "alias", "index", "limit"],
)
def test_what_goes_through_all_is_found(statement: str, statements: tuple[Path, list[str]]) -> None:
    with closing(sqlite3.connect(statements[0])) as connection:
        assert scanned(connection, statement)
