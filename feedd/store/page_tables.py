"""The step of the schema that brought what pages and the API need: pausing by a person, and two orders. See `migrations`."""

PAGES = (
    "ALTER TABLE sources ADD COLUMN paused_by TEXT",  # which person paused it, and since when, in words
    "DROP INDEX sources_due",
    """
    CREATE INDEX sources_due ON sources (next_check)
        WHERE configured = 1 AND paused IS NULL AND paused_by IS NULL""",
    "CREATE INDEX entries_published ON entries (published, id)",
    "CREATE INDEX deliveries_failed ON deliveries (channel_id) WHERE status = 'failed'",
)
