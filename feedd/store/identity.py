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


def identify(
    connection: sqlite3.Connection, look: Pass, items: Sequence[Item], beside: Sequence[Item] = ()
) -> Identified:
    """`items` as `named` gives them; `beside`: others of the batch, which are the entries that they were."""
    held = held_by(connection, look, [item.location for item in items if item.follows])
    known = led_to(connection, {item.article.uid for item in items})
    before = titled(connection, look, [item for item in items if item.elsewhere is not None])
    taken = {held[path] for item in items if item.follows and (path := stored_path(item.location)) in held}
    taken |= {item.article.uid for item in beside if item.follows}
    own = {item.article.uid for item in (*items, *beside)}
    found, aliases, parted = [], dict[str, str](), []
    for item in items:
        apart = None
        mine, by_location = item.article.uid, held.get(stored_path(item.location)) if item.follows else None
        uid = by_location or known.get(mine) or before.get(item.location) or mine
        if by_location is None and uid in taken and item.apart is not None and item.follows:
            uid = apart = uid_of(
                item.apart[1]
            )  # another item of the document is that entry, and bears another guid
        elif by_location is None and uid != mine and mine in known and uid in own:
            parted.append(mine)  # what was a further URL of that entry is one of its own
            uid = mine
        if uid != mine and mine not in known and uid != apart:
            aliases[mine] = uid
        found.append(item if uid == mine else item._replace(article=item.article._replace(uid=uid)))
    return Identified(found, aliases, tuple(parted))


def named(connection: sqlite3.Connection, look: Pass, items: Sequence[Item]) -> list[Item]:
    """The items, those of documents by what tells them apart, as far as is known by now."""
    if look.present is None or all(item.apart is None for item in items):
        return list(items)
    shared = shared_names(connection, look, items)
    return [told_apart(item, shared) for item in items]


def shared_names(connection: sqlite3.Connection, look: Pass, items: Sequence[Item]) -> set[str | bytes]:
    """Which guids and URLs of these items several items of one document bore at some time."""
    names = {stored_path(name) for item in items for name in (item.location, item.article.url)}
    rows = connection.execute(
        f"SELECT name FROM shared_names WHERE source_id = ? AND name IN ({placeholders(len(names))})",
        [look.source_id, *names],
    )
    return {name for (name,) in rows}


def told_apart(item: Item, shared: set[str | bytes]) -> Item:
    """The item, known by something else than a guid or a URL that tells nothing apart."""
    if not shared or item.apart is None:
        return item
    url = item.article.url
    if url in shared:
        location, identity = item.apart
        if item.follows and stored_path(item.location) in shared:
            return item  # neither tells anything: what its document says of it is left
        article = item.article._replace(uid=uid_of(identity))
        return item._replace(location=location, follows=True, article=article, apart=None, elsewhere=url)
    if item.follows and stored_path(item.location) in shared:
        return item._replace(location=url, follows=False, apart=None)
    return item


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


def distrust(connection: sqlite3.Connection, source_id: int, names: Iterable[str]) -> None:
    """Several items of one document bore these guids or URLs: they tell nothing apart from now on."""
    connection.executemany(
        "INSERT OR IGNORE INTO shared_names VALUES (?, ?)", [(source_id, stored_path(name)) for name in names]
    )
