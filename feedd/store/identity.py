"""Which stored entry an item is: by what its location held, then by its URL, or another one that led there.

A guid or a link may follow a headline; a choice once stored stays.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from feedd.decide import Pass
from feedd.model import Item
from feedd.store.database import placeholders, stored_path


class Identified(NamedTuple):
    items: list[Item]  # with the uid of the entry that each is
    aliases: dict[str, str]  # uid of a further URL → uid of its entry


def identify(connection: sqlite3.Connection, look: Pass, items: Sequence[Item]) -> Identified:
    held = held_by(connection, look, [item.location for item in items if item.follows])
    known = led_to(connection, {item.article.uid for item in items})
    found, aliases = [], dict[str, str]()
    for item in items:
        own = item.article.uid
        uid = (held.get(stored_path(item.location)) if item.follows else None) or known.get(own, own)
        if uid != own:
            if own not in known:
                aliases[own] = uid
            item = item._replace(article=item.article._replace(uid=uid))  # noqa: PLW2901 (the same item)
        found.append(item)
    return Identified(found, aliases)


def held_by(connection: sqlite3.Connection, look: Pass, locations: Sequence[str]) -> dict[str | bytes, str]:
    """The uid of the entry that each of these locations held last."""
    if not locations:
        return {}
    rows = connection.execute(
        "SELECT l.path, e.uid FROM locations l JOIN entries e ON e.id = l.entry_id"
        f" WHERE l.source_id = ? AND l.path IN ({placeholders(len(locations))})",
        [look.source_id, *map(stored_path, locations)],
    )
    return dict(rows)


def led_to(connection: sqlite3.Connection, uids: Iterable[str]) -> dict[str, str]:
    """The uid of the entry of each of these uids that is known, under its own or as another URL's."""
    wanted = list(uids)
    rows = connection.execute(
        f"SELECT uid, uid FROM entries WHERE uid IN ({placeholders(len(wanted))}) UNION ALL"
        " SELECT a.uid, e.uid FROM aliases a JOIN entries e ON e.id = a.entry_id"
        f" WHERE a.uid IN ({placeholders(len(wanted))})",
        [*wanted, *wanted],
    )
    return dict(rows)


def note_aliases(connection: sqlite3.Connection, aliases: dict[str, str]) -> None:
    connection.executemany(
        "INSERT OR IGNORE INTO aliases (uid, entry_id) SELECT ?, id FROM entries WHERE uid = ?",
        aliases.items(),
    )
