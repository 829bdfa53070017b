"""The step of the schema that brought indexes by which nothing costs more the more there is. See `migrations`."""

GROWTH = (
    # what the archive of a source's feed follows: its own changes, those that come with other sources, and arrivals
    "CREATE INDEX changes_source ON changes (source_id)",
    "CREATE INDEX changes_gone ON changes (id) WHERE kind IN ('removed', 'restored')",
    "CREATE INDEX revisions_later ON revisions (source_id) WHERE number > 1",
    "CREATE INDEX entries_several ON entries (id) WHERE revisions > 1",
    "CREATE INDEX search_docs_dead ON search_docs (id) WHERE entry_id IS NULL",
    "CREATE INDEX sources_touched ON sources (touched)",
    # what pages show of sources without reading all: those that changed last, those that fail, those that are paused
    "CREATE INDEX sources_changed ON sources (last_changed DESC, name, configured) WHERE configured",
    "CREATE INDEX sources_failing ON sources (last_changed DESC, name) WHERE configured AND error IS NOT NULL",
    """
    CREATE INDEX sources_paused ON sources (name)
        WHERE configured AND (configured = 2 OR coalesce(paused_by, paused) IS NOT NULL)""",
    "CREATE INDEX sources_pushed ON sources (id) WHERE hub IS NOT NULL",
    "CREATE INDEX held_notices_live ON held_notices (due_at) WHERE why = 'live'",
    "CREATE INDEX holds_until ON holds (until)",
)
