"""Tokens, sessions, and the history of looks, in real databases."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from place import Place, seed

from feedd.access.keys import new_token
from feedd.access.scopes import Scope
from feedd.errors import UsageError
from feedd.store import looks, tokens
from feedd.store.looks import KEPT, Totals
from feedd.store.tokens import DAY_MS, IDLE_SESSION_MS, LONGEST_SESSION_MS, MOST_SESSIONS
from feedd.store.writer import Writer

T = 1_706_867_102_000


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(Writer(tmp_path / "feedd.db")) as writer:
        yield writer.connection


def test_a_token_is_found_until_it_is_revoked(db: sqlite3.Connection) -> None:
    assert not tokens.is_any(db)
    token = tokens.create(db, "reader", Scope.READ, T)
    found = tokens.find(db, token)
    assert found is not None
    assert (found.name, found.scope, found.created_ms, found.used_ms) == ("reader", Scope.READ, T, None)
    assert tokens.is_any(db)
    assert tokens.find(db, new_token()) is None
    assert tokens.find(db, "feedd_" + "x" * 10_000) is None
    assert tokens.revoke(db, "reader", T + 1).revoked_ms == T + 1
    assert tokens.find(db, token) is None
    assert not tokens.is_any(db)
    assert [(each.name, each.revoked_ms) for each in tokens.listed(db)] == [("reader", T + 1)]


def test_a_token_stands_nowhere_in_the_database(tmp_path: Path) -> None:
    with closing(Writer(tmp_path / "feedd.db")) as writer:
        token = writer.within(lambda connection: tokens.create(connection, "a", Scope.WRITE, T))
        session = writer.within(lambda connection: tokens.begin_session(connection, 1, T))
    assert session is not None
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert token.removeprefix("feedd_").encode() not in stored
    assert session.encode() not in stored


def test_names_are_used_once_at_a_time(db: sqlite3.Connection) -> None:
    first = tokens.create(db, "a", Scope.READ, T)
    with pytest.raises(UsageError, match="there is a token 'a' already"):
        tokens.create(db, "a", Scope.READ, T)
    tokens.revoke(db, "a", T)
    second = tokens.create(db, "a", Scope.WRITE, T)
    assert tokens.find(db, first) is None
    assert tokens.find(db, second) is not None
    with pytest.raises(UsageError, match="no token 'b'"):
        tokens.revoke(db, "b", T)
    assert [each.scope for each in tokens.listed(db)] == [Scope.WRITE, Scope.READ]
    assert len(tokens.listed(db, limit=1)) == 1
    assert tokens.listed(db, since_ms=T + 1) == []


def test_use_is_noted_once_a_minute(db: sqlite3.Connection) -> None:
    token = tokens.create(db, "a", Scope.READ, T)
    assert tokens.is_stale(None, T)
    tokens.note_use(db, 1, T)
    found = tokens.find(db, token)
    assert found is not None
    assert found.used_ms == T
    assert not tokens.is_stale(T, T + 59_999)
    assert tokens.is_stale(T, T + 60_000)
    assert tokens.is_stale(T, T - 1)  # a clock that was put back


def test_a_session_ends(db: sqlite3.Connection) -> None:
    tokens.create(db, "a", Scope.WRITE, T)
    session = tokens.begin_session(db, 1, T)
    assert session is not None
    assert tokens.find_session(db, session, T + IDLE_SESSION_MS - 1) is not None
    assert tokens.find_session(db, session, T + IDLE_SESSION_MS) is None
    for day in range(6, 30, 6):
        at = T + day * DAY_MS
        assert tokens.find_session(db, session, at) is not None
        tokens.note_session_use(db, session, 1, at)
    found = tokens.find_session(db, session, T + LONGEST_SESSION_MS - 1)
    assert found is not None
    assert (found.token.name, found.token.scope, found.created_ms) == ("a", Scope.WRITE, T)
    assert tokens.find_session(db, session, T + LONGEST_SESSION_MS) is None
    tokens.end_session(db, session)
    assert tokens.find_session(db, session, T + 1) is None
    assert tokens.find_session(db, "x", T) is None


def test_sessions_end_with_their_token(db: sqlite3.Connection) -> None:
    tokens.create(db, "a", Scope.READ, T)
    session = tokens.begin_session(db, 1, T)
    assert session is not None
    tokens.revoke(db, "a", T)
    assert tokens.find_session(db, session, T) is None
    assert tokens.begin_session(db, 1, T) is None
    assert tokens.begin_session(db, 99, T) is None
    assert db.execute("SELECT count(*) FROM sessions").fetchone() == (0,)


def test_sessions_are_bounded(db: sqlite3.Connection) -> None:
    tokens.create(db, "a", Scope.READ, T)
    made = [tokens.begin_session(db, 1, T + number) for number in range(MOST_SESSIONS + 5)]
    assert db.execute("SELECT count(*) FROM sessions").fetchone() == (MOST_SESSIONS,)
    assert tokens.find_session(db, made[-1] or "", T + 200) is not None
    assert tokens.find_session(db, made[0] or "", T + 200) is None
    tokens.begin_session(db, 1, T + 60 * DAY_MS)
    assert db.execute("SELECT count(*) FROM sessions").fetchone() == (1,)


def test_looks_are_kept(place: Place) -> None:
    place.write("a.md", seed("a"))
    place.write("b.md", seed("b"))
    place.write("c.md", "no seed")
    place.look()
    place.look()
    place.write("a.md", seed("a", body="<p>Other words</p>", stated="2024-02-03"))
    place.look()
    place.folder.rename(place.root / "away")
    place.look()
    (place.root / "away").rename(place.folder)
    kept = looks.history(place.reader.connection, 1)
    assert [each.status for each in kept] == ["failed", "ok", "unchanged", "ok"]
    failed, edited, _, first = kept
    assert (first.added, first.rejected, first.changed) == (2, 1, 2)
    assert (edited.changed, edited.added) == (1, 0)
    assert failed.error
    assert "seeds" in failed.error
    assert first.bytes is not None
    assert first.bytes > 50
    assert all(0 <= each.seconds < 60 for each in kept)
    assert [each.id for each in looks.history(place.reader.connection, 1, limit=1)] == [kept[0].id]
    assert looks.history(place.reader.connection, 1, before=kept[2].id) == kept[3:]
    totals = looks.totals(place.reader.connection)["a"]
    assert (totals.looks, totals.failed) == (4, 1)
    assert totals.bytes >= first.bytes
    assert totals.seconds == pytest.approx(sum(each.seconds for each in kept))


def test_old_looks_go(place: Place) -> None:
    values = [1, T, "unchanged", 0.5, 0, 0, 0, 0, 0, 0, 0, 0, None, None]

    def fill(writer: Writer) -> None:
        for _ in range(KEPT + 20):
            looks.note(writer.connection, 1, list(values))

    place.desk.run(fill)
    kept = looks.history(place.reader.connection, 1, limit=KEPT * 2)
    assert len(kept) == KEPT
    assert kept[0].id - kept[-1].id == KEPT - 1
    assert looks.totals(place.reader.connection)["a"] == Totals(KEPT + 20, 0, (KEPT + 20) * 0.5, 0)
