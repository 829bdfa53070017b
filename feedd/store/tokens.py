"""Tokens and the sessions made with them. Functions on a connection; those that write run in a transaction of the writer's.

A token is looked up by its SHA-256, so that how long that takes says nothing of the tokens there are; see
`access.keys` for why that hash is enough.
"""

import hmac
import sqlite3
from typing import NamedTuple

from feedd.access.keys import hashed, is_session, is_token, new_session, new_token
from feedd.access.scopes import Scope
from feedd.errors import UsageError

MINUTE_MS = 60_000
DAY_MS = 86_400_000
LONGEST_SESSION_MS = 30 * DAY_MS
IDLE_SESSION_MS = 7 * DAY_MS
MOST_SESSIONS = 100  # of one token: the ones that were not used for longest end
COLUMNS = "id, name, scope, created_at, used_at, revoked_at"
WITH_TABLE = "t.id, t.name, t.scope, t.created_at, t.used_at, t.revoked_at"


class Token(NamedTuple):
    """What is known of a token: not the token itself."""

    id: int
    name: str
    scope: Scope
    created_ms: int
    used_ms: int | None = None  # the last time, to a minute
    revoked_ms: int | None = None


class Session(NamedTuple):
    token: Token
    created_ms: int
    used_ms: int

    def ends_ms(self) -> int:
        """When it ends if nobody uses it any more."""
        return min(self.created_ms + LONGEST_SESSION_MS, self.used_ms + IDLE_SESSION_MS)


def token_of(row: tuple[object, ...]) -> Token:
    made = Token(*row)  # type: ignore[arg-type]
    return made._replace(scope=Scope(made.scope))


def create(connection: sqlite3.Connection, name: str, scope: Scope, now_ms: int) -> str:
    """A new token, which can't be had again. Raises UsageError where one has the name."""
    if named(connection, name) is not None:
        raise UsageError(
            f"there is a token '{name}' already; choose another name, or: feedd token revoke {name}"
        )
    token = new_token()
    connection.execute(
        "INSERT INTO tokens (name, scope, hash, created_at) VALUES (?,?,?,?)",
        [name, scope, hashed(token), now_ms],
    )
    return token


def named(connection: sqlite3.Connection, name: str) -> Token | None:
    """The token of that name that was not revoked."""
    row = connection.execute(
        f"SELECT {COLUMNS} FROM tokens WHERE name = ? AND revoked_at IS NULL", [name]
    ).fetchone()
    return token_of(row) if row else None


def listed(connection: sqlite3.Connection, limit: int = -1, since_ms: int | None = None) -> list[Token]:
    """The tokens made since then, the newest first; those that were revoked, too."""
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM tokens WHERE created_at >= ? ORDER BY id DESC LIMIT ?", [since_ms or 0, limit]
    )
    return [token_of(row) for row in rows]


def revoke(connection: sqlite3.Connection, name: str, now_ms: int) -> Token:
    """End a token, and the sessions made with it. Raises UsageError where there is none."""
    found = named(connection, name)
    if found is None:
        raise UsageError(f"there is no token '{name}' that could be revoked; see: feedd token list")
    connection.execute("UPDATE tokens SET revoked_at = ? WHERE id = ?", [now_ms, found.id])
    connection.execute("DELETE FROM sessions WHERE token_id = ?", [found.id])
    return found._replace(revoked_ms=now_ms)


def is_any(connection: sqlite3.Connection) -> bool:
    """Whether anybody has a token."""
    return connection.execute("SELECT 1 FROM tokens WHERE revoked_at IS NULL LIMIT 1").fetchone() is not None


def find(connection: sqlite3.Connection, secret: str) -> Token | None:
    """The token, if it is one and was not revoked."""
    if not is_token(secret):
        return None
    key = hashed(secret)
    row = connection.execute(
        f"SELECT hash, {COLUMNS} FROM tokens WHERE hash = ? AND revoked_at IS NULL", [key]
    ).fetchone()
    return token_of(row[1:]) if row and hmac.compare_digest(row[0], key) else None


def is_stale(used_ms: int | None, now_ms: int) -> bool:
    """Whether the last use that is noted is more than a minute ago."""
    return used_ms is None or not 0 <= now_ms - used_ms < MINUTE_MS


def note_use(connection: sqlite3.Connection, token_id: int, now_ms: int) -> None:
    connection.execute("UPDATE tokens SET used_at = ? WHERE id = ?", [now_ms, token_id])


def begin_session(connection: sqlite3.Connection, token_id: int, now_ms: int) -> str | None:
    """The name of a new session; None if the token was revoked meanwhile. Sessions that have ended are swept out."""
    live = connection.execute(
        "SELECT 1 FROM tokens WHERE id = ? AND revoked_at IS NULL", [token_id]
    ).fetchone()
    if live is None:
        return None
    connection.execute(
        "DELETE FROM sessions WHERE created_at <= ? OR used_at <= ?",
        [now_ms - LONGEST_SESSION_MS, now_ms - IDLE_SESSION_MS],
    )
    session = new_session()
    connection.execute("INSERT INTO sessions VALUES (?,?,?,?)", [hashed(session), token_id, now_ms, now_ms])
    connection.execute(
        "DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions WHERE token_id = ?"
        " ORDER BY used_at DESC, created_at DESC LIMIT -1 OFFSET ?)",
        [token_id, MOST_SESSIONS],
    )
    note_use(connection, token_id, now_ms)
    return session


def find_session(connection: sqlite3.Connection, session: str, now_ms: int) -> Session | None:
    """The session, if it has not ended, nor its token."""
    if not is_session(session):
        return None
    key = hashed(session)
    row = connection.execute(
        f"SELECT s.hash, s.created_at, s.used_at, {WITH_TABLE} FROM sessions s JOIN tokens t ON t.id = s.token_id"
        " WHERE s.hash = ? AND t.revoked_at IS NULL",
        [key],
    ).fetchone()
    if row is None or not hmac.compare_digest(row[0], key):
        return None
    found = Session(token_of(row[3:]), row[1], row[2])
    return found if now_ms < found.ends_ms() else None


def note_session_use(connection: sqlite3.Connection, session: str, token_id: int, now_ms: int) -> None:
    connection.execute("UPDATE sessions SET used_at = ? WHERE hash = ?", [now_ms, hashed(session)])
    note_use(connection, token_id, now_ms)


def end_session(connection: sqlite3.Connection, session: str) -> None:
    connection.execute("DELETE FROM sessions WHERE hash = ?", [hashed(session)])
