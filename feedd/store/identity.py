"""Which stored entry an item is: by what its location held, then by its URL, or another one that led there.

A guid or a link may follow a headline; a choice once stored stays.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from feedd.decide import Pass
from feedd.model import Item
from feedd.normalise.article import uid_of
from feedd.normalise.text import fold
from feedd.store.database import placeholders, stored_path


class Identified(NamedTuple):
    items: list[Item]  # with the uid of the entry that each is
    aliases: dict[str, str]  # uid of a further URL → uid of its entry
    parted: tuple[str, ...] = ()  # uids that were aliases, and turned out to be entries of their own


class Held(NamedTuple):
    """What locations held last."""

    uids: dict[str | bytes, str]
    distrusted: set[str | bytes]  # guids that several items bore at once


def identify(connection: sqlite3.Connection, look: Pass, items: Sequence[Item]) -> Identified:
    held = held_by(connection, look, [item.location for item in items if item.follows])
    items = [by_url(item) if stored_path(item.location) in held.distrusted else item for item in items]
    known = led_to(connection, {item.article.uid for item in items})
    before = titled(connection, look, [item for item in items if item.elsewhere is not None])
    uids = [uid_for(item, held, known, before) for item in items]
    own = {item.article.uid for item in items}
    parted = {
        item.article.uid
        for item, uid in zip(items, uids, strict=True)
        if uid in own and uid == known.get(item.article.uid) != item.article.uid
    }
    found, aliases = [], dict[str, str]()
    for item, uid in zip(items, uids, strict=True):
        mine = item.article.uid
        if mine in parted or uid == mine:
            found.append(item)
            continue
        if mine not in known:
            aliases[mine] = uid
        found.append(item._replace(article=item.article._replace(uid=uid)))
    return Identified(found, aliases, tuple(parted))


def by_url(item: Item) -> Item:
    """The item, known by its URL in place of a guid that tells nothing apart."""
    url = item.article.url
    return item._replace(location=url, follows=False) if item.article.uid == uid_of(url) else item


def uid_for(item: Item, held: Held, known: dict[str, str], before: dict[str, str]) -> str:
    mine = item.article.uid
    by_location = held.uids.get(stored_path(item.location)) if item.follows else None
    return by_location or known.get(mine) or before.get(item.location) or mine


def held_by(connection: sqlite3.Connection, look: Pass, locations: Sequence[str]) -> Held:
    """The uid of the entry that each of these locations held last."""
    if not locations:
        return Held({}, set())
    rows = connection.execute(
        "SELECT l.path, e.uid, l.rejected FROM locations l LEFT JOIN entries e ON e.id = l.entry_id"
        f" WHERE l.source_id = ? AND l.path IN ({placeholders(len(locations))})",
        [look.source_id, *map(stored_path, locations)],
    ).fetchall()
    uids = {path: uid for path, uid, _ in rows if uid is not None}
    return Held(uids, {path for path, uid, rejected in rows if uid is None and rejected is None})


def titled(connection: sqlite3.Connection, look: Pass, items: Sequence[Item]) -> dict[str, str]:
    """The uid of the entry that each of these was under another name, by its title; by location."""
    if not items:
        return {}
    rows = connection.execute(
        "SELECT l.path, e.uid, r.title FROM locations l JOIN entries e ON e.id = l.entry_id"
        " JOIN revisions r ON r.entry_id = e.id AND r.source_id = l.source_id AND r.newest"
        f" WHERE l.source_id = ? AND l.path IN ({placeholders(len(items))})",
        [look.source_id, *(item.elsewhere for item in items)],
    )
    there = {path: (uid, fold(title)) for path, uid, title in rows}
    found = {}
    for item in items:
        uid, title = there.get(item.elsewhere or "", ("", ""))
        if uid and title == fold(item.article.title):
            found[item.location] = uid
    return found


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


def note_aliases(connection: sqlite3.Connection, identified: Identified) -> None:
    aliases = identified.aliases
    connection.executemany(
        "INSERT OR IGNORE INTO aliases (uid, entry_id) SELECT ?, id FROM entries WHERE uid = ?",
        aliases.items(),
    )


def part(connection: sqlite3.Connection, identified: Identified) -> None:
    """What was taken for further URLs of entries is so no longer."""
    connection.executemany("DELETE FROM aliases WHERE uid = ?", [(uid,) for uid in identified.parted])


def distrust(connection: sqlite3.Connection, source_id: int, guids: Iterable[str]) -> None:
    """Several items of one document bore these guids: what they hold says nothing from now on."""
    connection.executemany(
        "INSERT INTO locations (source_id, path) VALUES (?, ?)"
        " ON CONFLICT DO UPDATE SET entry_id = NULL, revision_id = NULL, rejected = NULL",
        [(source_id, stored_path(guid)) for guid in guids],
    )
