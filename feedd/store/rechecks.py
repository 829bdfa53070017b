"""Which articles' own pages are to be looked at again, and when: the columns `recheck`, `recheck_at` of `locations`.

A row without an entry that has `recheck` is of an article that was removed since its page is gone.
When the document itself is to be looked at stands in `sources.next_check`; where an article is due before it, in
`meta` until then.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from feedd.decide import Pass, Removals, is_suspicious
from feedd.model import Tally
from feedd.normalise import details
from feedd.recheck import (
    APART_MS,
    DUE,
    RECENT_MS,
    Found,
    Known,
    Next,
    Outcome,
    Recheck,
    after,
    begun,
    dumped,
    is_gone,
    loaded,
    read_anew,
)
from feedd.schedule import Due
from feedd.store import conversation, notices, passes, recording
from feedd.store.database import loaded_path, placeholders, stored_path, transaction, translated
from feedd.store.passes import SourceKey
from feedd.store.snapshot import PROVISIONAL
from feedd.store.writer import Writer

ALL_STATED = Recheck(stated=("image", "authors", "language"))  # of what is not known to be the page's
GONE = "left out: its own page is gone (404 or 410)"
ARTICLES = (  # each location that has `recheck`, with its entry and that one's newest version in the source
    "FROM locations l CROSS JOIN entries e ON e.id = coalesce(l.entry_id, json_extract(l.recheck, '$.entry'))"
    # by its entry: by its source, SQLite would go through all of that one's versions for each location
    " CROSS JOIN revisions r ON r.entry_id = e.id AND +r.source_id = l.source_id AND r.newest"
    " WHERE l.source_id = ? AND l.recheck IS NOT NULL"
)
EDITED = (  # locations that hold a version of that pass which says something new
    "SELECT l.path FROM locations l JOIN revisions r ON r.id = l.revision_id WHERE l.source_id = ?1"
    " AND r.source_id = ?1 AND r.pass = ?2 AND r.change NOT IN ('duplicate', 'reverted') AND r.significance != 'none'"
)
SAVE = "UPDATE locations SET recheck = ?, recheck_at = ? WHERE source_id = ? AND path = ?"


class Remembered(NamedTuple):
    """What is known of an article whose page was read."""

    title: str
    said: str  # as the column `recheck` has it: few of many are asked for
    gone: bool  # it was removed, since its page is gone


class Plan(NamedTuple):
    """When a source is to be looked at; None: at once."""

    document_ms: int | None
    check_ms: int | None  # for whatever reason


def remembered(writer: Writer, source_id: int) -> dict[str, Remembered]:
    """Of each location whose article was read, what its page said last."""
    with translated(writer.path):
        rows = writer.connection.execute(
            f"SELECT l.path, r.title, l.recheck, l.entry_id IS NULL {ARTICLES}", [source_id]
        )
        return {loaded_path(path): Remembered(title, said, bool(gone)) for path, title, said, gone in rows}


def due(writer: Writer, source_id: int, until_ms: int, limit: int) -> tuple[Known, ...]:
    """The articles whose time comes until then, the most overdue first."""
    query = (
        "SELECT l.path, e.uid, e.url, r.title, iif(e.date_guessed, NULL, e.published),"
        " iif(l.entry_id IS NULL, r.stated, l.stated), l.seen, l.recheck, r.details, r.image"
        f" {ARTICLES} AND l.recheck_at <= ? ORDER BY l.recheck_at, l.path LIMIT ?"
    )
    with translated(writer.path), transaction(writer.connection):
        rows = writer.connection.execute(query, [source_id, until_ms, limit]).fetchall()
        if not rows:  # of what nothing is known any more
            retire(writer.connection, source_id, until_ms)
    return tuple(known_of(row) for row in rows)


def known_of(row: Sequence[Any]) -> Known:
    path, *fields, recheck, said, image = row
    return Known._make((loaded_path(path), *fields, loaded(recheck), details.read(said), image))


def retire(connection: sqlite3.Connection, source_id: int, until_ms: int) -> None:
    connection.execute(
        "UPDATE locations SET recheck_at = NULL WHERE source_id = ? AND recheck_at <= ?",
        [source_id, until_ms],
    )


def schedule(writer: Writer, look: Pass, pages: Mapping[str, Recheck], *, held: int, limit: int) -> None:
    """Note what the articles' own pages said that a look at the document read, and when they are read again.

    `held` is how many entries the source held before that look: on a first pass, articles without a date are
    followed only if it held none. What was told lately and is not followed yet is followed from now on, too, up to
    `limit` articles a look.
    """
    with translated(writer.path), transaction(writer.connection):
        edited = edited_in(writer.connection, look)
        for location, recheck in pages.items():
            row = writer.connection.execute(
                "SELECT l.recheck IS NULL, l.recheck_at, iif(e.date_guessed, NULL, e.published)"
                " FROM locations l JOIN entries e ON e.id = l.entry_id WHERE l.source_id = ? AND l.path = ?",
                [look.source_id, stored_path(location)],
            ).fetchone()
            if row is None:  # left out by a rule, or known by another name
                continue
            is_new, at_ms, published_ms = row
            if is_new:
                room = held == 0
                following = begun(recheck, published_ms, look.now_ms, first=look.first, room=room)
            else:
                is_edited = location in edited or recheck.entry is not None
                following = read_anew(recheck, at_ms, look.now_ms, edited=is_edited)
            save(writer.connection, look, location, following)
        follow_recent(writer.connection, look, limit)


def follow_recent(connection: sqlite3.Connection, look: Pass, limit: int) -> None:
    """Begin with articles that were told lately, before the source was to be rechecked."""
    rows = connection.execute(
        "SELECT l.path FROM revisions r JOIN locations l ON l.entry_id = r.entry_id AND l.source_id = r.source_id"
        " JOIN entries e ON e.id = r.entry_id WHERE r.source_id = ? AND r.newest AND r.position > ?"
        f" AND l.recheck IS NULL AND e.removed_at IS NULL AND r.extraction NOT LIKE '%{PROVISIONAL}'"
        " ORDER BY r.position DESC LIMIT ?",
        [look.source_id, look.now_ms - RECENT_MS, limit],
    ).fetchall()
    for (path,) in rows:
        following = begun(ALL_STATED, None, look.now_ms, first=False, room=True)
        save(connection, look, loaded_path(path), following)


def save(connection: sqlite3.Connection, look: Pass, location: str, following: Next) -> None:
    row = [dumped(following.recheck), following.at_ms, look.source_id, stored_path(location)]
    connection.execute(SAVE, row)


def edited_in(connection: sqlite3.Connection, look: Pass) -> set[str]:
    return {loaded_path(path) for (path,) in connection.execute(EDITED, [look.source_id, look.number])}


def record(
    writer: Writer,
    source: SourceKey,
    look: Pass,
    outcomes: Sequence[Outcome],
    holds: Iterable[tuple[str, int]],
) -> Tally:
    """Record what looking at pages again came to, in one transaction; the source's document is left as it is."""
    connection = writer.connection
    with writer.telling():
        items = [outcome.item for outcome in outcomes if outcome.item is not None]
        seeing = look._replace(present=locations_of(connection, look, [item.article.uid for item in items]))
        tally = recording.recorded(connection, seeing, source.extraction, items, ()) if items else Tally()
        edited = edited_in(connection, look)
        gone = list[tuple[Outcome, Next]]()
        for outcome in outcomes:
            following = following_of(outcome, look, edited=outcome.known.location in edited)
            if outcome.recheck.entry is None and is_gone(following.recheck):
                gone.append((outcome, following))
            else:
                save(connection, look, outcome.known.location, following)
        refused = tuple(outcome.refused for outcome in outcomes if outcome.refused is not None)
        same = sum(map(is_unchanged, outcomes))
        tally += Tally(duplicates=same, removed=remove(connection, look, gone), rejected=refused)
        notices.keep_waiting(connection, look, [item.article.uid for item in items])
        passes.note_pass(connection, look, changed=tally.changed)
        conversation.hold(connection, holds)
    return tally


def is_unchanged(outcome: Outcome) -> bool:
    """Whether the server said that the page is as it was."""
    return outcome.found is Found.SAME and outcome.item is None and outcome.refused is None


def following_of(outcome: Outcome, look: Pass, *, edited: bool) -> Next:
    is_back = outcome.item is not None and outcome.recheck.entry is not None
    found = Found.EDITED if edited or is_back else outcome.found
    return after(outcome.recheck, found, look.now_ms, outcome.not_before_ms)


def locations_of(connection: sqlite3.Connection, look: Pass, uids: Sequence[str]) -> frozenset[str]:
    """All places of these entries in the source: none of them scrolled off, as far as this look can tell."""
    rows = connection.execute(
        "SELECT l.path FROM locations l JOIN entries e ON e.id = l.entry_id"
        f" WHERE l.source_id = ? AND e.uid IN ({placeholders(len(uids))})",
        [look.source_id, *uids],
    )
    return frozenset(loaded_path(path) for (path,) in rows)


def remove(connection: sqlite3.Connection, look: Pass, gone: Sequence[tuple[Outcome, Next]]) -> int:
    """Let go of articles whose pages are gone; returns how many entries nothing holds any more.

    So many at once are a fault more often than a decision: they are asked for again.
    """
    paths = [outcome.known.location for outcome, _ in gone]
    doomed = recording.only_held_by(connection, look.source_id, paths)
    (held,) = connection.execute("SELECT entries FROM sources WHERE id = ?", [look.source_id]).fetchone()
    if is_suspicious(Removals(len(doomed), held)):
        for outcome, _ in gone:
            save(connection, look, outcome.known.location, after(outcome.recheck, Found.FAILED, look.now_ms))
        return 0
    rows = [gone_row(connection, look, outcome.known, following) for outcome, following in gone]
    recording.removed(connection, look, paths, doomed)
    connection.executemany(
        "INSERT INTO locations (source_id, path, rejected, seen, recheck, recheck_at) VALUES (?,?,?,?,?,?)",
        rows,
    )
    return len(doomed)


def gone_row(connection: sqlite3.Connection, look: Pass, known: Known, following: Next) -> tuple[object, ...]:
    """What stays of a location, so that its article can be told to be back."""
    (entry_id,) = connection.execute("SELECT id FROM entries WHERE uid = ?", [known.uid]).fetchone()
    recheck = dumped(following.recheck._replace(entry=entry_id))
    row = (look.source_id, stored_path(known.location), GONE, known.seen or b"", recheck)
    return (*row, following.at_ms)


def plan_of(writer: Writer, name: str) -> Plan:
    with translated(writer.path):
        source_id, check_ms = writer.connection.execute(
            "SELECT id, next_check FROM sources WHERE name = ?", [name]
        ).fetchone()
        own = document_due(writer.connection, source_id)
    if check_ms is None:
        return Plan(None, None)
    return Plan(own.at_ms if own else check_ms, check_ms)


def document_due(connection: sqlite3.Connection, source_id: int) -> Due | None:
    """When the document is to be looked at, where an article is due before it."""
    key = [document_key(source_id)]
    found = connection.execute("SELECT value FROM meta WHERE key = ?", key).fetchone()
    return Due(*json.loads(found[0])) if found else None


def document_key(source_id: int) -> str:
    return f"document-check:{source_id}"


def settle(writer: Writer, name: str, now_ms: int, *, looked: bool) -> Due | None:
    """Set when a source is looked at next: for its document, or for an article that is due before.

    `looked`: its document was looked at, so that `next_check` is of the document.
    """
    connection = writer.connection
    with translated(writer.path), transaction(connection):
        source_id, at_ms, because = connection.execute(
            "SELECT id, next_check, next_check_because FROM sources WHERE name = ?", [name]
        ).fetchone()
        own = None if looked else document_due(connection, source_id)
        own = own or (None if at_ms is None else Due(at_ms, because or ""))
        connection.execute("DELETE FROM meta WHERE key = ?", [document_key(source_id)])
        (first,) = connection.execute(
            "SELECT min(recheck_at) FROM locations WHERE source_id = ? AND recheck_at IS NOT NULL",
            [source_id],
        ).fetchone()
        chosen = own
        if own is not None and first is not None and (first_ms := max(first, now_ms + APART_MS)) < own.at_ms:
            chosen = Due(first_ms, DUE)
            row = [document_key(source_id), json.dumps(own)]
            connection.execute("INSERT INTO meta VALUES (?, ?)", row)
        if chosen is not None:
            connection.execute(
                "UPDATE sources SET next_check = ?, next_check_because = ? WHERE id = ?", [*chosen, source_id]
            )
    return chosen
