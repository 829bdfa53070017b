"""The step of the schema that brought the archives of feeds (RFC 5005). See `migrations`."""

ARCHIVES = (
    """
    CREATE TABLE archives (                -- of feeds; each follows the change log
        id INTEGER PRIMARY KEY,
        feed TEXT NOT NULL UNIQUE,
        rules TEXT NOT NULL,               -- digest of what chooses its items
        change_id INTEGER NOT NULL,        -- up to where changes were followed
        revision_id INTEGER NOT NULL,      -- and versions
        items INTEGER NOT NULL,
        filled_at INTEGER NOT NULL         -- when its newest full document was filled; 0: none was
    )""",
    """
    CREATE TABLE archived (                -- what stays at its place, whatever becomes of versions and changes
        archive_id INTEGER NOT NULL REFERENCES archives (id),
        position INTEGER NOT NULL,         -- 1, 2, 3 …
        kind TEXT NOT NULL,
        at INTEGER NOT NULL,
        entry_id INTEGER NOT NULL,
        revision_id INTEGER,               -- may be pruned; NULL: of a removal
        change_id INTEGER,                 -- NULL: the entry came from another source first, and nobody was told
        PRIMARY KEY (archive_id, position)
    ) WITHOUT ROWID""",
)
