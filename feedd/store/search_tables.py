"""The steps of the schema that brought the search index. See `migrations`."""

SEARCH = (
    """
    CREATE TABLE search_docs (
        id INTEGER PRIMARY KEY,            -- row of search_index: day of publication and a number within it
        entry_id INTEGER,                  -- NULL: of none any more; what was indexed could not be taken out
        revision_id INTEGER NOT NULL,      -- the version that was indexed; it may have been pruned since
        digest BLOB NOT NULL               -- of the tokens that were indexed
    )""",
    "CREATE UNIQUE INDEX search_docs_entry ON search_docs (entry_id) WHERE entry_id IS NOT NULL",
    # tokens are made by search.segment, apart by spaces: all that the tokenizer has to know. The text stands first,
    # since only a first column costs nothing a token. Nothing is stored but the index.
    """
    CREATE VIRTUAL TABLE search_index USING fts5 (
        text, title, authors, categories, content = '', columnsize = 0, tokenize = 'ascii'
    )""",
)

# where each term of the index stands; it holds nothing of its own
TERMS = ("CREATE VIRTUAL TABLE search_terms USING fts5vocab (search_index, instance)",)
