"""The step of the schema that brought notifications, and WebSub both ways. See `migrations`."""

NOTIFY = (
    """
    CREATE TABLE channels (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        type TEXT NOT NULL,
        location TEXT NOT NULL,            -- where messages go, as people may see it
        settings TEXT NOT NULL,            -- hash of what says where and how they go
        configured INTEGER NOT NULL,       -- 0: taken out of the configuration
        added_at INTEGER NOT NULL,
        failures INTEGER NOT NULL DEFAULT 0, -- in a row, of any messages
        failing_since INTEGER,
        resting_until INTEGER,             -- nothing is sent before, since it failed again and again …
        asked_until INTEGER,               -- … or asked for that (Retry-After)
        disabled_at INTEGER,               -- the receiver said that it is gone
        delivered_at INTEGER,              -- the last time that it took something
        error TEXT
    )""",
    """
    CREATE TABLE deliveries (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        channel_id INTEGER NOT NULL REFERENCES channels (id),
        change_id INTEGER,                 -- NULL: a message with several changes
        thread INTEGER NOT NULL,           -- in order within it: an entry, or minus a source; 0: none
        digest_id INTEGER REFERENCES deliveries (id), -- the message that the change goes with
        type TEXT NOT NULL,
        status TEXT NOT NULL,              -- pending, delivered, failed, cancelled
        created_at INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        next_attempt INTEGER,              -- NULL: none, or that of the message that it goes with
        not_before INTEGER,                -- the receiver's Retry-After
        begun_at INTEGER,                  -- it may have been sent alone: it goes with no others
        expires_at INTEGER,                -- after that moment an attempt in vain is the last one
        done_at INTEGER,
        error TEXT
    )""",
    """
    CREATE INDEX deliveries_due ON deliveries (channel_id, next_attempt)
        WHERE status = 'pending' AND digest_id IS NULL""",
    "CREATE INDEX deliveries_thread ON deliveries (channel_id, thread, id) WHERE status = 'pending'",
    "CREATE INDEX deliveries_change ON deliveries (change_id)",
    "CREATE INDEX deliveries_digest ON deliveries (digest_id) WHERE digest_id IS NOT NULL",
    "CREATE INDEX deliveries_done ON deliveries (channel_id, done_at) WHERE done_at IS NOT NULL",
    "CREATE INDEX deliveries_old ON deliveries (done_at) WHERE digest_id IS NULL AND done_at IS NOT NULL",
    # trouble of a source, or of a channel
    """
    CREATE TABLE troubles (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        source_id INTEGER REFERENCES sources (id),
        channel_id INTEGER REFERENCES channels (id),
        kind TEXT NOT NULL,                -- failing, selector, paused, silent, moved, restless; of a channel: undelivered …
        opened_at INTEGER NOT NULL,
        changed_at INTEGER NOT NULL,
        closed_at INTEGER,
        detail TEXT NOT NULL,              -- what happened, in words
        CHECK ((source_id IS NULL) != (channel_id IS NULL))
    )""",
    "INSERT INTO troubles SELECT id, source_id, NULL, kind, opened_at, changed_at, closed_at, detail FROM incidents",
    "DROP TABLE incidents",
    "ALTER TABLE troubles RENAME TO incidents",
    """
    CREATE UNIQUE INDEX incidents_open ON incidents (coalesce(source_id, 0), coalesce(channel_id, 0), kind)
        WHERE closed_at IS NULL""",
    "CREATE INDEX incidents_changed ON incidents (changed_at)",
    """
    CREATE TABLE subscribers (             -- of feeds of ours (WebSub): verified ones
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        topic TEXT NOT NULL,               -- the address of a feed
        feed TEXT NOT NULL,                -- its name …
        format TEXT NOT NULL,              -- … and format
        callback TEXT NOT NULL,
        host TEXT NOT NULL,                -- of the callback, without its port
        secret TEXT,
        confirmed_at INTEGER NOT NULL,
        lease_until INTEGER NOT NULL,
        told INTEGER NOT NULL,             -- the change up to which it was told all
        told_at INTEGER NOT NULL,          -- when the newest was recorded of what it was told
        attempts INTEGER NOT NULL DEFAULT 0, -- in vain, since it was told last
        next_attempt INTEGER,              -- NULL: as soon as there is something to tell
        failing_since INTEGER,
        error TEXT,
        most_bytes INTEGER,                -- that it takes at once; NULL: as many as anybody is sent
        UNIQUE (topic, callback)
    )""",
    "CREATE INDEX subscribers_host ON subscribers (host)",
    """
    CREATE TABLE subscriptions (           -- of our feed sources at hubs elsewhere (WebSub)
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        source_id INTEGER NOT NULL REFERENCES sources (id),
        hub TEXT NOT NULL,
        topic TEXT NOT NULL,
        callback TEXT NOT NULL,            -- its whole address: a secret, since it has the token
        token TEXT NOT NULL UNIQUE,
        secret TEXT NOT NULL,
        state TEXT NOT NULL,               -- wanted, asked, active, denied, ending
        asked_at INTEGER,
        confirmed_at INTEGER,              -- when the hub verified it last
        lease_until INTEGER,
        heard_since INTEGER,               -- since when nothing kept what the hub pushes from coming in
        polled_at INTEGER,                 -- when the source was looked at last
        pushed_at INTEGER,                 -- when the hub sent something last
        brought_at INTEGER,                -- when that was something new; NULL: not yet under this subscription
        missed_at INTEGER,                 -- when a poll found what the hub had not pushed, which brought nothing since
        bodies TEXT NOT NULL DEFAULT '[]', -- hashes of what was pushed last, a JSON list; the newest at the end
        attempts INTEGER NOT NULL DEFAULT 0, -- in vain
        failing_since INTEGER,
        next_attempt INTEGER,
        own_check INTEGER,                 -- when the source would be polled if nothing was pushed, …
        own_because TEXT,                  -- … and why
        error TEXT
    )""",
    "CREATE UNIQUE INDEX subscriptions_source ON subscriptions (source_id) WHERE state != 'ending'",
    "ALTER TABLE sources ADD COLUMN topic TEXT",  # of its document, at its hub (WebSub)
)
