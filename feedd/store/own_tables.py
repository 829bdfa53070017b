"""The step of the schema that brought incidents of feedd itself, of no source and no channel. See `migrations`."""

OWN = (
    """
    CREATE TABLE troubles (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        source_id INTEGER REFERENCES sources (id),
        channel_id INTEGER REFERENCES channels (id),
        kind TEXT NOT NULL,                -- see `incidents.Incident`
        opened_at INTEGER NOT NULL,
        changed_at INTEGER NOT NULL,
        closed_at INTEGER,
        detail TEXT NOT NULL,              -- what happened, in words
        CHECK (source_id IS NULL OR channel_id IS NULL)  -- neither: feedd's own
    )""",
    "INSERT INTO troubles SELECT id, source_id, channel_id, kind, opened_at, changed_at, closed_at, detail FROM incidents",
    "DROP TABLE incidents",
    "ALTER TABLE troubles RENAME TO incidents",
    """
    CREATE UNIQUE INDEX incidents_open ON incidents (coalesce(source_id, 0), coalesce(channel_id, 0), kind)
        WHERE closed_at IS NULL""",
    "CREATE INDEX incidents_changed ON incidents (changed_at)",
)
