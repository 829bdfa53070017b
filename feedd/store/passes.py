"""A pass over a source: how it begins, and how it ends, well or not. Functions within a transaction of the writer's."""

import sqlite3
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from feedd.decide import Pass
from feedd.model import Conversation, Item, Kind, Rejected
from feedd.schedule import Due
from feedd.store import incidents, notices, proposals


class SourceKey(NamedTuple):
    """What the store needs to know of a source of the configuration."""

    name: str
    type: str
    location: str
    extraction: str
    selection: str
    timing: str = ""
    configured: int = 1  # 2: paused in the configuration
    failing_after: int = 3  # failures in a row are told
    expected_silence_ms: int | None = None


class Started(NamedTuple):
    """A pass that was begun."""

    look: Pass
    reselected: bool  # another set of files was chosen than last time
    entries: int  # that the source held
    listing: bytes | None  # digest of the folder when nothing in it was left to be read
    failures: int = 0
    conversation: Conversation = Conversation()
    holds: tuple[tuple[str, int], ...] = ()  # hosts and domains to leave alone, and until when


class Check(NamedTuple):
    """When a source is to be looked at."""

    at_ms: int | None
    paused: str | None  # why, where a person or feedd paused it
    last_ms: int | None = None  # when it was looked at last


class Window(NamedTuple):
    """What a look at a part of a source found, and how it goes on."""

    items: Sequence[Item]
    rejected: Sequence[Rejected] | None  # None: the document is the one that was read before
    due: Due
    conversation: Conversation
    holds: Sequence[tuple[str, int]] = ()  # hosts and domains to leave alone, and until when
    moved: bool = False  # the conversation's address is new
    shared: Collection[str] = ()  # guids and URLs that tell nothing apart
    unfinished: bool = False  # there is more that the document names
    partial: bool = False  # the other articles were not looked at
    received: int | None = None  # bytes


class Failure(NamedTuple):
    """Why a look failed, and how it goes on."""

    error: str
    due: Due
    kind: str = "failing"  # or selector, or paused: told at once
    conversation: Conversation | None = None
    holds: Sequence[tuple[str, int]] = ()
    gone: bool = False  # its own page is: what it holds is removed
    received: int | None = None  # bytes


# Of sources that the configuration has as before, nothing is written: there may be ten thousand. What comes back is not
# paused by anybody.
TAKE_OUT_SOURCES = (
    "UPDATE sources SET configured = 0, paused_by = NULL WHERE configured AND name NOT IN"
    " (SELECT value FROM json_each(?))"
)
CONFIGURE_SOURCE = (
    "INSERT INTO sources (name, type, location, extraction, selection, timing, configured) VALUES (?,?,?,?,?,?,?)"
    " ON CONFLICT (name) DO UPDATE SET type = excluded.type, configured = excluded.configured,"
    # another address or another rhythm makes an earlier plan void
    " next_check = iif(location = excluded.location AND timing IS excluded.timing, next_check, NULL),"
    " paused = iif(location = excluded.location, paused, NULL),"
    " held_until = iif(location = excluded.location, held_until, NULL),"
    " missing = iif(location = excluded.location, missing, 0), address = iif(location = excluded.location, address, NULL),"
    " moving_to = iif(location = excluded.location, moving_to, NULL),"
    " location = excluded.location, timing = excluded.timing"
    " WHERE (type, configured, location, timing) IS NOT"
    " (excluded.type, excluded.configured, excluded.location, excluded.timing)"
)
FINISH = (
    "UPDATE sources SET passes = ?, last_changed = iif(?, ?, last_changed), last_checked = ?, next_check = ?,"
    " next_check_because = ?, failures = 0, error = NULL, listing = ?, extraction = iif(?, extraction, ?),"
    " selection = iif(?, selection, ?), first_pass_at = iif(?, first_pass_at, coalesce(first_pass_at, ?))"
    " WHERE id = ?"
)


def finished(
    connection: sqlite3.Connection,
    source: SourceKey,
    look: Pass,
    due: Due,
    *,
    changed: bool,
    listing: bytes | None,
    unfinished: bool = False,
) -> None:
    """`unfinished`: what the source holds was not all read yet, so that it goes on being silent."""
    connection.execute(
        FINISH,
        [look.number, changed, look.now_ms, look.now_ms, due.at_ms, due.because, listing]
        + [unfinished, source.extraction, unfinished, source.selection, unfinished, look.now_ms]
        + [look.source_id],
    )
    if incidents.close(connection, look.source_id, ("failing", "selector", "paused"), look.now_ms):
        log_source(connection, Kind.SOURCE_RECOVERED, look, None)
    notices.release_settled(connection, look)
    if look.rebase:
        proposals.forget(connection, look)
    note_silence(connection, source, look, changed=changed)


def note_silence(connection: sqlite3.Connection, source: SourceKey, look: Pass, *, changed: bool) -> None:
    """Tell of a source that brings nothing any more, and that it does again."""
    run, source_id = connection, look.source_id
    since = (
        None if changed else incidents.silent_since(run, source_id, look.now_ms, source.expected_silence_ms)
    )
    if since is None:
        incidents.close(run, source_id, ("silent",), look.now_ms)
        return
    last = datetime.fromtimestamp(since / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    usual = "longer than expected" if source.expected_silence_ms else "longer than ever"
    detail = f"nothing new since {last}: it is silent for {usual}"
    if incidents.report(run, source_id, "silent", detail, look.now_ms):
        log_source(connection, Kind.SOURCE_SILENT, look, detail)


def note_pass(connection: sqlite3.Connection, look: Pass, *, changed: bool) -> None:
    connection.execute(
        "UPDATE sources SET passes = ?, last_changed = iif(?, ?, last_changed) WHERE id = ?",
        [look.number, changed, look.now_ms, look.source_id],
    )


def tell_failure(connection: sqlite3.Connection, look: Pass, failure: Failure) -> None:
    """Open an incident, or go on with it; what begins is logged."""
    if incidents.report(connection, look.source_id, failure.kind, failure.error, look.now_ms):
        kind = Kind.SOURCE_PAUSED if failure.kind == "paused" else Kind.SOURCE_FAILING
        log_source(connection, kind, look, failure.error)


def log_source(connection: sqlite3.Connection, kind: Kind, look: Pass, detail: str | None) -> None:
    connection.execute(
        "INSERT INTO changes (kind, at, source_id, pass, silent, detail) VALUES (?,?,?,?,?,?)",
        [kind, look.now_ms, look.source_id, look.number, look.first, detail],
    )
