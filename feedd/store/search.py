"""Reading the search index: which entries may be what a query asks for, the newest first.

May: what the index can't tell is left to `search.matching`. A query is put together from tokens, each in quotes, so that
nothing that was typed is ever read as FTS5's own language.
"""

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from feedd.errors import StoreError, TooSlow
from feedd.search.matching import has
from feedd.search.query import Changed, Clause, Condition, OfSource, Part, Published, Query, Tagged, Words
from feedd.search.segment import fold, segmented, tokens
from feedd.store.database import placeholders, translated
from feedd.store.search_index import DAY_BITS, EPOCH_DAY, Cursor, cursor, first_of_day

OPERATIONS = 5_000  # of SQLite's machine, between two looks at the clock
WORDS = "the search takes too long; add a word, a source or a time that narrows it"
MOST_EXPANDED = 64  # terms: more cost more to ask for than FTS5 takes to gather them
TAIL = 1_000  # entries that the index has not met yet, and that are looked at without it


class Deadline(NamedTuple):
    """Until when something may take, by the monotonic clock."""

    at_s: float

    def is_over(self) -> bool:
        return time.monotonic() > self.at_s

    def require(self) -> None:
        """Raises TooSlow."""
        if self.is_over():
            raise TooSlow(WORDS)


def within(seconds: float) -> Deadline:
    return Deadline(time.monotonic() + seconds)


class Wanted(NamedTuple):
    """A query as SQLite takes it."""

    match: str | None  # in FTS5's language; None: no words
    where: str  # further conditions, each with AND before it
    values: tuple[object, ...]


class Found(NamedTuple):
    """A document that may be meant; its number tells the day of publication."""

    doc_id: int
    entry_id: int

    @property
    def day_ms(self) -> int:
        return ((self.doc_id >> DAY_BITS) - EPOCH_DAY) * 86_400_000


def wanted(query: Query, sources: Mapping[str, int], now_ms: int) -> Wanted:
    """`sources`: the number of each source that there is."""
    where, values = "", list[object]()
    for clause in query.clauses:
        if in_words(clause):
            continue
        conditions = [condition(each, sources, now_ms) for each in clause.any_of]
        if clause.negated or not all(conditions):
            continue
        where += f" AND ({' OR '.join(said for said, _ in filter(None, conditions))})"
        values += (value for _, some in filter(None, conditions) for value in some)
    return Wanted(match_of(query), where, tuple(values))


def match_of(query: Query) -> str | None:
    """What FTS5 can tell of the query, in its language; None: no words must be there."""
    spoken = [(clause.negated, said) for clause in query.clauses if (said := in_words(clause))]
    holding, lacking = ([said for negated, said in spoken if negated is side] for side in (False, True))
    if not holding:
        return None
    match = " AND ".join(holding)
    return f"({match}) NOT ({' OR '.join(lacking)})" if lacking else match


def expanded(connection: sqlite3.Connection, query: Query) -> Query:
    """The query with the terms that there are in place of beginnings, where those are few.

    FTS5 gathers all documents of all terms that begin so, however old, before it gives the newest. It reads no more
    of a whole term than it is asked for.
    """

    def of(each: Condition) -> Sequence[Condition]:
        if not isinstance(each, Words) or not each.prefix:
            return (each,)
        *before, beginning = each.tokens
        terms = terms_of(connection, beginning, MOST_EXPANDED + 1)
        if not 0 < len(terms) <= MOST_EXPANDED:
            return (each,)
        return [each._replace(tokens=(*before, term), prefix=False) for term in terms]

    clauses = (
        clause._replace(any_of=tuple(made for each in clause.any_of for made in of(each)))
        for clause in query.clauses
    )
    return query._replace(clauses=tuple(clauses))


def terms_of(connection: sqlite3.Connection, beginning: str, limit: int) -> list[str]:
    """Terms of the index that begin so, each found behind the one before: where they stand is not read."""
    rows = connection.execute(
        "WITH RECURSIVE terms (term) AS ("
        " SELECT (SELECT term FROM search_terms WHERE term >= :beginning LIMIT 1)"
        " UNION ALL SELECT (SELECT term FROM search_terms WHERE term >= terms.term || ' ' LIMIT 1)"
        " FROM terms WHERE substr(terms.term, 1, length(:beginning)) = :beginning)"
        " SELECT term FROM terms WHERE substr(term, 1, length(:beginning)) = :beginning LIMIT :limit",
        {"beginning": beginning, "limit": limit},
    )
    return [term for (term,) in rows]


def in_words(clause: Clause) -> str | None:
    """The clause in FTS5's language; None where that can't say it."""
    spoken = [phrase(each) for each in clause.any_of if isinstance(each, Words)]
    if not spoken and not clause.negated:
        tags = [each for each in clause.any_of if isinstance(each, Tagged) and not each.sources]
        spoken = [category for each in tags if (category := of_category(each))]
    return f"({' OR '.join(spoken)})" if len(spoken) == len(clause.any_of) else None


def phrase(words: Words) -> str:
    column = f"{words.part} : " if words.part else ""
    return f'{column}"{" ".join(words.tokens)}"{" *" if words.prefix else ""}'


def of_category(tagged: Tagged) -> str | None:
    found = tuple(tokens(tagged.tag))
    return phrase(Words(found, Part.CATEGORIES)) if found else None


def condition(
    each: Condition, sources: Mapping[str, int], now_ms: int
) -> tuple[str, tuple[object, ...]] | None:
    """What SQLite is to look for, and its values; None: it can't tell."""
    match each:
        case OfSource(name):
            return held_by([sources[name]] if name in sources else [])
        case Tagged(_, names) if names:
            held, values = held_by([sources[name] for name in names if name in sources])
            if category := of_category(each):
                inner = "d.id IN (SELECT rowid FROM search_index WHERE search_index MATCH ?)"
                return f"({held} OR {inner})", (*values, category)
            return held, values
        case Published(since_ms, until_ms):
            since = None if since_ms is None else first_of_day(since_ms)
            return between(
                "d.id", since, None if until_ms is None else first_of_day(until_ms - 1) + (1 << DAY_BITS)
            )
        case Changed(since_ms, until_ms, ago_ms):
            # an entry that was edited stands in feeds where it was: there is an index
            inner, values = between("position", since_ms if ago_ms is None else now_ms - ago_ms, until_ms)
            return f"d.entry_id IN (SELECT id FROM entries WHERE {inner})", values
        case _:
            return None


def held_by(source_ids: Sequence[int]) -> tuple[str, tuple[object, ...]]:
    some = placeholders(len(source_ids))
    return (  # by its entry: the sign keeps SQLite from going through all that the source has
        f"EXISTS (SELECT 1 FROM revisions r WHERE r.entry_id = d.entry_id AND r.newest AND +r.source_id IN ({some}))",
        tuple(source_ids),
    )


def between(column: str, since: int | None, until: int | None) -> tuple[str, tuple[object, ...]]:
    said = [f"{column} >= ?"] * (since is not None) + [f"{column} < ?"] * (until is not None)
    return " AND ".join(said), tuple(each for each in (since, until) if each is not None)


def candidates(
    connection: sqlite3.Connection, asked: Wanted, limit: int, before: int | None = None
) -> list[Found]:
    """Documents of entries, the last published first; below a document's number."""
    where, values = asked.where, asked.values
    if asked.match is None:
        source = "search_docs d WHERE d.entry_id IS NOT NULL"
    else:
        source = "search_index f CROSS JOIN search_docs d ON d.id = f.rowid WHERE search_index MATCH ? AND d.entry_id IS NOT NULL"
        # a range of rows ends FTS5's walk through what it has of a word
        where, values = (
            where.replace("d.id >=", "f.rowid >=").replace("d.id <", "f.rowid <"),
            (asked.match, *values),
        )
    order = "d.id" if asked.match is None else "f.rowid"
    if before is not None:
        where, values = f"{where} AND {order} < ?", (*values, before)
    query = f"SELECT d.id, d.entry_id FROM {source}{where} ORDER BY {order} DESC LIMIT ?"
    return [Found(*row) for row in connection.execute(query, [*values, limit])]


def matching(connection: sqlite3.Connection, asked: Wanted, entry_ids: Sequence[int]) -> set[int]:
    """Which of these entries are candidates."""
    ids = placeholders(len(entry_ids))
    rows = connection.execute(f"SELECT id, entry_id FROM search_docs WHERE entry_id IN ({ids})", entry_ids)
    docs = dict(rows.fetchall())
    some = placeholders(len(docs))
    if asked.match is None:
        query = f"SELECT d.id FROM search_docs d WHERE d.id IN ({some}){asked.where}"
        values: list[object] = [*docs, *asked.values]
    else:
        query = (
            "SELECT d.id FROM search_index f CROSS JOIN search_docs d ON d.id = f.rowid WHERE search_index MATCH ?"
            f" AND f.rowid IN ({some}){asked.where}"
        )
        values = [asked.match, *docs, *asked.values]
    return {docs[doc_id] for (doc_id,) in connection.execute(query, values)}


def with_titles(connection: sqlite3.Connection, words: Sequence[Words], found: Sequence[Found]) -> set[int]:
    """Which of these documents have one of the words in their titles, wherever else they may be looked for."""
    sought = [each for each in words if each.part in {None, Part.TITLE}]
    docs, titled = {each.entry_id: each.doc_id for each in found}, set[int]()
    ids = list(docs) if sought else []
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        query = f"SELECT id, title FROM entries WHERE id IN ({placeholders(len(some))})"
        for entry_id, title in connection.execute(query, some):
            folded = fold(title)
            near = [each for each in sought if each.tokens[0] in folded]  # quicker than cutting all titles
            segments = segmented(folded) if near else ""
            if any(has(segments, each) for each in near):
                titled.add(docs[entry_id])
    return titled


def unmet(connection: sqlite3.Connection) -> list[int]:
    """Entries that the index has not met yet as they are, the last of them first; at most `TAIL`."""
    at = cursor(connection) or Cursor()
    rows = connection.execute(
        "SELECT entry_id FROM (SELECT entry_id FROM revisions WHERE id > ? ORDER BY id DESC LIMIT ?) UNION ALL"
        " SELECT entry_id FROM (SELECT entry_id FROM changes WHERE id > ? AND entry_id IS NOT NULL"
        " ORDER BY id DESC LIMIT ?)",
        [at.revision_id, TAIL, at.change_id, TAIL],
    )
    return list(dict.fromkeys(entry_id for (entry_id,) in rows))[:TAIL]


def by_position(connection: sqlite3.Connection, entry_ids: Sequence[int]) -> list[int]:
    """These entries in the order of feeds, the newest first."""
    found = list[tuple[int, int, int]]()
    for start in range(0, len(entry_ids), 500):
        some = entry_ids[start : start + 500]
        query = f"SELECT position, published, id FROM entries WHERE id IN ({placeholders(len(some))})"
        found += connection.execute(query, some)
    return [entry_id for _, _, entry_id in sorted(found, reverse=True)]


def followed(connection: sqlite3.Connection) -> tuple[int, int]:
    """Up to where the index has followed the log and the versions."""
    at = cursor(connection)
    return (-1, -1) if at is None else (at.change_id, at.revision_id)


def newest_change_ms(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT at FROM changes ORDER BY id DESC LIMIT 1").fetchone()
    return int(row[0]) if row else 0


@contextmanager
def patience(connection: sqlite3.Connection, path: Path, until: Deadline) -> Iterator[None]:
    """Stop what takes too long. Raises TooSlow then, StoreError otherwise."""
    until.require()
    late = False

    def is_late() -> bool:
        nonlocal late
        late = until.is_over()
        return late

    connection.set_progress_handler(is_late, OPERATIONS)
    try:
        with translated(path):
            yield
    except StoreError as error:
        if late:
            raise TooSlow(WORDS) from error
        raise
    finally:
        connection.set_progress_handler(None, OPERATIONS)
