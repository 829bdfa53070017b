"""The step of the schema that brought tokens, sessions, and the history of looks. See `migrations`."""

ACCESS = (
    """
    CREATE TABLE tokens (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        scope TEXT NOT NULL,               -- read, write, admin
        hash BLOB NOT NULL UNIQUE,         -- SHA-256 of the token, which is kept nowhere
        created_at INTEGER NOT NULL,
        used_at INTEGER,                   -- the last time, to a minute
        revoked_at INTEGER                 -- the row stays: who asks what a token was finds it
    )""",
    "CREATE UNIQUE INDEX tokens_name ON tokens (name) WHERE revoked_at IS NULL",
    """
    CREATE TABLE sessions (                -- of people who logged in with a token
        hash BLOB PRIMARY KEY,             -- SHA-256 of its name, which a cookie holds
        token_id INTEGER NOT NULL REFERENCES tokens (id),
        created_at INTEGER NOT NULL,
        used_at INTEGER NOT NULL           -- the last time, to a minute
    ) WITHOUT ROWID""",
    "CREATE INDEX sessions_token ON sessions (token_id)",
    """
    CREATE TABLE looks (                   -- at sources; the newest of each
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        source_id INTEGER NOT NULL REFERENCES sources (id),
        at INTEGER NOT NULL,               -- when it began
        status TEXT NOT NULL,              -- ok, unchanged, failed
        seconds REAL NOT NULL,
        added INTEGER NOT NULL,
        edited INTEGER NOT NULL,
        silent_edited INTEGER NOT NULL,
        reverted INTEGER NOT NULL,
        removed INTEGER NOT NULL,
        restored INTEGER NOT NULL,
        duplicates INTEGER NOT NULL,
        rejected INTEGER NOT NULL,
        bytes INTEGER,                     -- that were read; NULL: nobody counted them
        error TEXT
    )""",
    "CREATE INDEX looks_source ON looks (source_id, id)",
    """
    CREATE TABLE look_totals (             -- of all looks there ever were
        source_id INTEGER PRIMARY KEY REFERENCES sources (id),
        looks INTEGER NOT NULL,            -- the failed among them
        failed INTEGER NOT NULL,
        seconds REAL NOT NULL,
        bytes INTEGER NOT NULL
    )""",
)
