"""The tables, as numbered steps from one version of the schema to the next.

Times are integer milliseconds since the epoch, in UTC. The tables are plain: `sqlite-utils rows feedd.db entries`
or datasette shows something useful, and the views spell times and names out.
"""

import sqlite3
from uuid import uuid4

from sqlite_utils import Database, Migrations

from feedd.store.access_tables import ACCESS
from feedd.store.archive_tables import ARCHIVES
from feedd.store.growth_tables import GROWTH
from feedd.store.notify_tables import NOTIFY
from feedd.store.own_tables import OWN
from feedd.store.page_tables import PAGES
from feedd.store.search_tables import SEARCH, TERMS

migrations = Migrations("feedd")


SPINE = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """
    CREATE TABLE sources (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,         -- the identity: correcting a path or URL loses nothing
        type TEXT NOT NULL,
        location TEXT NOT NULL,
        configured INTEGER NOT NULL,       -- 0: taken out of the configuration; 2: paused in it
        extraction TEXT NOT NULL,          -- hash of the settings under which its last whole pass read
        selection TEXT NOT NULL,           -- hash of the settings that chose what was read
        passes INTEGER NOT NULL DEFAULT 0, -- completed looks
        first_pass_at INTEGER,             -- when the first whole pass was completed
        listing BLOB,                      -- digest of a folder in which nothing is left to be read
        entries INTEGER NOT NULL DEFAULT 0,
        touched INTEGER NOT NULL DEFAULT 0, -- grows whenever anything that its feed shows changes
        last_checked INTEGER,
        last_changed INTEGER,
        next_check INTEGER,
        next_check_because TEXT,
        failures INTEGER NOT NULL DEFAULT 0,
        error TEXT
    )""",
    "CREATE INDEX sources_due ON sources (next_check)",
    """
    CREATE TABLE entries (
        id INTEGER PRIMARY KEY,
        uid TEXT NOT NULL UNIQUE,          -- version-5 UUID of its identity
        url TEXT NOT NULL,
        title TEXT NOT NULL,
        published INTEGER NOT NULL,
        date_guessed INTEGER NOT NULL,     -- 1: no source stated when it was published
        updated INTEGER NOT NULL,
        revisions INTEGER NOT NULL,
        source_id INTEGER NOT NULL REFERENCES sources (id),  -- that had it first
        position INTEGER NOT NULL,         -- where it stands in feeds, newest first
        changed_at INTEGER NOT NULL,       -- of the last change that was told
        removed_at INTEGER
    )""",
    "CREATE INDEX entries_position ON entries (position, published, id)",
    """
    CREATE TABLE revisions (
        id INTEGER PRIMARY KEY,
        entry_id INTEGER NOT NULL REFERENCES entries (id),
        number INTEGER NOT NULL,           -- 1, 2, 3 … within its entry, in order of arrival
        source_id INTEGER NOT NULL REFERENCES sources (id),
        pass INTEGER NOT NULL,
        location TEXT NOT NULL,
        stated INTEGER,                    -- the time that the publisher states for it
        seen_at INTEGER NOT NULL,
        title TEXT NOT NULL,
        image TEXT,
        content_html TEXT,                 -- NULL: see packed
        packed BLOB,                       -- content_html, compressed against the revision packed_against
        packed_against INTEGER REFERENCES revisions (id),
        content_hash BLOB NOT NULL,
        fingerprint BLOB NOT NULL,
        links_hash BLOB NOT NULL,
        normaliser INTEGER NOT NULL,       -- version of the code that cleaned it
        extraction TEXT NOT NULL,          -- hash of the source's settings then
        change TEXT NOT NULL,              -- what it was to its source: added, edited, duplicate …
        significance TEXT NOT NULL,
        reasons TEXT,                      -- JSON list of words
        newest INTEGER NOT NULL,           -- 1: the one that its source shows
        position INTEGER NOT NULL
    )""",
    "CREATE UNIQUE INDEX revisions_number ON revisions (entry_id, number)",
    "CREATE INDEX revisions_newest ON revisions (source_id, position, entry_id) WHERE newest",
    """
    CREATE TABLE locations (
        source_id INTEGER NOT NULL REFERENCES sources (id),
        path TEXT NOT NULL,                -- BLOB where it is no Unicode text
        entry_id INTEGER REFERENCES entries (id),       -- what it holds; NULL: it never held an entry
        revision_id INTEGER REFERENCES revisions (id),
        stated INTEGER,
        size INTEGER,                      -- NULL: to be read again at the next look
        mtime_ns INTEGER,
        inode INTEGER,
        rejected TEXT,                     -- why it is no article now
        PRIMARY KEY (source_id, path)
    ) WITHOUT ROWID""",
    "CREATE INDEX locations_entry ON locations (entry_id)",
    "CREATE INDEX locations_rejected ON locations (source_id) WHERE rejected IS NOT NULL",
    """
    CREATE TABLE changes (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        at INTEGER NOT NULL,
        source_id INTEGER NOT NULL REFERENCES sources (id),
        entry_id INTEGER REFERENCES entries (id),
        revision_id INTEGER REFERENCES revisions (id),
        pass INTEGER NOT NULL,
        silent INTEGER NOT NULL,           -- 1: recorded before the source's first pass was complete
        detail TEXT                        -- of changes of a source: the error
    )""",
    "CREATE INDEX changes_entry ON changes (entry_id, source_id, pass)",
    "CREATE TABLE feeds (name TEXT PRIMARY KEY, settings TEXT NOT NULL, configured_at INTEGER NOT NULL)",
)


@migrations(name="0001_spine")
def spine(db: Database) -> None:
    for statement in SPINE:
        db.execute(statement)
    db.execute("INSERT INTO meta VALUES ('uuid', ?)", [str(uuid4())])
    create_views(db)


WEB = (
    # the conversation with a server
    "ALTER TABLE sources ADD COLUMN requested TEXT",  # hash of the settings that what follows was had under
    "ALTER TABLE sources ADD COLUMN etag TEXT",
    "ALTER TABLE sources ADD COLUMN last_modified TEXT",
    "ALTER TABLE sources ADD COLUMN answered TEXT",  # the address that they came from
    "ALTER TABLE sources ADD COLUMN body_hash BLOB",  # of the last document that was read
    "ALTER TABLE sources ADD COLUMN address TEXT",  # where the server moved it for good
    "ALTER TABLE sources ADD COLUMN moving_to TEXT",  # where it says so
    "ALTER TABLE sources ADD COLUMN moving_times INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE sources ADD COLUMN moving_since INTEGER",
    "ALTER TABLE sources ADD COLUMN held_until INTEGER",  # the server's Retry-After
    "ALTER TABLE sources ADD COLUMN paused TEXT",  # why, where feedd paused it
    "ALTER TABLE sources ADD COLUMN note TEXT",  # a state that is no failure
    "ALTER TABLE sources ADD COLUMN interval INTEGER",  # of `every = "auto"`
    "ALTER TABLE sources ADD COLUMN freshness TEXT",  # JSON: what the last document asked for
    "ALTER TABLE sources ADD COLUMN hub TEXT",
    "ALTER TABLE sources ADD COLUMN missing INTEGER NOT NULL DEFAULT 0",  # looks that its page was not found
    "ALTER TABLE sources ADD COLUMN timing TEXT",  # how often the configuration wants it to be looked at
    "ALTER TABLE revisions ADD COLUMN details TEXT",  # JSON of authors, categories, enclosures …
    "ALTER TABLE revisions ADD COLUMN raw_id INTEGER REFERENCES raws (id)",
    "ALTER TABLE locations ADD COLUMN seen BLOB",  # hash of what the document said of it
    """
    CREATE TABLE aliases (
        uid TEXT PRIMARY KEY,              -- of a further URL of an entry
        entry_id INTEGER NOT NULL REFERENCES entries (id)
    ) WITHOUT ROWID""",
    """
    CREATE TABLE shared_names (
        source_id INTEGER NOT NULL REFERENCES sources (id),
        name TEXT NOT NULL,                -- a guid or URL that several items of one document bore
        PRIMARY KEY (source_id, name)
    ) WITHOUT ROWID""",
    """
    CREATE TABLE raws (
        id INTEGER PRIMARY KEY,
        url TEXT NOT NULL,                 -- that answered
        status INTEGER,
        headers TEXT NOT NULL,             -- JSON list of pairs
        fetched_at INTEGER NOT NULL,
        sha256 BLOB NOT NULL,              -- of the body as received
        bytes INTEGER NOT NULL,
        body BLOB NOT NULL                 -- a Zstandard frame
    )""",
    "CREATE UNIQUE INDEX raws_body ON raws (sha256, url)",
    """
    CREATE TABLE holds (
        scope TEXT PRIMARY KEY,            -- host:example.org or domain:example.org
        until INTEGER NOT NULL             -- the server's Retry-After
    ) WITHOUT ROWID""",
    """
    CREATE TABLE incidents (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        source_id INTEGER NOT NULL REFERENCES sources (id),
        kind TEXT NOT NULL,                -- failing, selector, paused, silent, moved
        opened_at INTEGER NOT NULL,
        changed_at INTEGER NOT NULL,
        closed_at INTEGER,
        detail TEXT NOT NULL               -- what happened, in words
    )""",
    "CREATE UNIQUE INDEX incidents_open ON incidents (source_id, kind) WHERE closed_at IS NULL",
    "CREATE INDEX incidents_changed ON incidents (changed_at)",
    "DROP INDEX sources_due",
    "CREATE INDEX sources_due ON sources (next_check) WHERE configured = 1 AND paused IS NULL",
)


@migrations(name="0002_web")
def web(db: Database) -> None:
    for statement in WEB:
        db.execute(statement)


CHANGES = (
    "ALTER TABLE changes ADD COLUMN previous_id INTEGER REFERENCES revisions (id)",  # that was told before
    "ALTER TABLE changes ADD COLUMN significance TEXT",
    "ALTER TABLE changes ADD COLUMN reasons TEXT",  # JSON list of words
    "ALTER TABLE revisions ADD COLUMN adds_only INTEGER NOT NULL DEFAULT 0",  # it touched nothing of what was said
    "ALTER TABLE locations ADD COLUMN recheck TEXT",  # JSON: where rechecking its article stands
    "ALTER TABLE locations ADD COLUMN recheck_at INTEGER",  # when its article is looked at again; NULL: never
    "CREATE INDEX locations_recheck ON locations (source_id, recheck_at) WHERE recheck_at IS NOT NULL",
    """
    CREATE INDEX changes_told ON changes (id)
        WHERE kind IN ('edited', 'silent-edit', 'reverted', 'removed', 'restored') AND NOT silent""",
    "CREATE INDEX revisions_raw ON revisions (raw_id) WHERE raw_id IS NOT NULL",
    """
    CREATE TABLE held_notices (            -- of revisions that are kept, and told later or never
        entry_id INTEGER NOT NULL REFERENCES entries (id),
        source_id INTEGER NOT NULL REFERENCES sources (id),
        told_id INTEGER NOT NULL REFERENCES revisions (id),     -- the version that was told last
        revision_id INTEGER NOT NULL REFERENCES revisions (id), -- the newest
        why TEXT NOT NULL,                 -- flip-flop, live
        flips INTEGER NOT NULL,            -- how often its versions took turns meanwhile
        due_at INTEGER,                    -- when it is told
        due_pass INTEGER,                  -- of its source, after which it is told if it still stands
        PRIMARY KEY (entry_id, source_id)
    ) WITHOUT ROWID""",
    "CREATE INDEX held_notices_source ON held_notices (source_id)",
    "CREATE INDEX held_notices_due ON held_notices (due_at) WHERE due_at IS NOT NULL",
    """
    CREATE TABLE proposals (               -- of lines for a source's `ignore`
        source_id INTEGER NOT NULL REFERENCES sources (id),
        pattern TEXT NOT NULL,
        entry_id INTEGER NOT NULL REFERENCES entries (id),      -- where it was seen last
        example TEXT NOT NULL,             -- what it takes out there
        at INTEGER NOT NULL,
        PRIMARY KEY (source_id, pattern)
    ) WITHOUT ROWID""",
)


@migrations(name="0003_changes")
def changes(db: Database) -> None:
    for statement in CHANGES:
        db.execute(statement)


@migrations(name="0004_notify")
def notify(db: Database) -> None:
    for statement in NOTIFY:
        db.execute(statement)


@migrations(name="0005_search")
def search(db: Database) -> None:
    for statement in SEARCH:
        db.execute(statement)


@migrations(name="0006_access")
def access(db: Database) -> None:
    for statement in ACCESS:
        db.execute(statement)


@migrations(name="0007_pages")
def pages(db: Database) -> None:
    for statement in PAGES:
        db.execute(statement)


@migrations(name="0008_archives")
def archives(db: Database) -> None:
    for statement in ARCHIVES:
        db.execute(statement)


@migrations(name="0009_own_incidents")
def own_incidents(db: Database) -> None:
    for statement in OWN:
        db.execute(statement)


@migrations(name="0010_growth")
def growth(db: Database) -> None:
    for statement in GROWTH:
        db.execute(statement)


@migrations(name="0011_terms")
def terms(db: Database) -> None:
    for statement in TERMS:
        db.execute(statement)


def create_views(db: Database) -> None:
    time = "strftime('%Y-%m-%dT%H:%M:%SZ', {} / 1000, 'unixepoch')"
    db.create_view(
        "articles",
        f"""
        SELECT e.id, e.url, r.title, {time.format("e.published")} AS published, {time.format("e.updated")} AS updated,
               s.name AS source, r.number AS revision, r.image, r.content_html
        FROM entries e JOIN revisions r ON r.entry_id = e.id AND r.newest JOIN sources s ON s.id = r.source_id
        WHERE e.removed_at IS NULL""",
    )
    db.create_view(
        "history",
        f"""
        SELECT r.entry_id, r.number AS revision, s.name AS source, r.location, {time.format("r.stated")} AS stated,
               {time.format("r.seen_at")} AS seen_at, r.title, r.change, r.significance, r.reasons, e.url
        FROM revisions r JOIN sources s ON s.id = r.source_id JOIN entries e ON e.id = r.entry_id""",
    )
    db.create_view(
        "change_log",
        f"""
        SELECT c.id, {time.format("c.at")} AS at, c.kind, s.name AS source, e.title, e.url, c.detail
        FROM changes c JOIN sources s ON s.id = c.source_id LEFT JOIN entries e ON e.id = c.entry_id""",
    )


def apply(connection: sqlite3.Connection) -> None:
    """Take all steps that were not taken yet."""
    migrations.apply(Database(connection, execute_plugins=False))
