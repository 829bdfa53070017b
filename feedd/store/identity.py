"""Which stored entry an item is: by what its location held, then by its URL, or another one that led there.

A guid or a link may follow a headline; a choice once stored stays.
"""

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from feedd.decide import Pass
from feedd.model import Item
from feedd.normalise.article import uid_of
from feedd.normalise.text import fold
from feedd.store.database import loaded_path, placeholders, stored_path
from feedd.store.places import Held


class Identified(NamedTuple):
    items: list[Item]  # with the uid of the entry that each is
    aliases: dict[str, str]  # uid of a further URL → uid of its entry
    parted: tuple[str, ...] = ()  # uids that were aliases, and turned out to be entries of their own
    new: frozenset[str] = frozenset()  # uids that no entry has


def identify(
    connection: sqlite3.Connection,
    look: Pass,
    items: Sequence[Item],
    held: Mapping[str, Held],
    beside: Sequence[Item] = (),
) -> Identified:
    """`items` as `named` gives them; `beside`: others of the batch, which are the entries that they were."""
    wanted = {item.article.uid for item in items}
    known = led_to(connection, wanted)
    before = titled(connection, look, [item for item in items if item.elsewhere is not None])
    uids = {location: there.uid for location, there in held.items() if there.uid is not None}
    if not (known or before or uids):
        return Identified(list(items), {}, new=frozenset(wanted))
    taken = {uids[item.location] for item in items if item.follows and item.location in uids}
    taken |= {item.article.uid for item in beside if item.follows}
    own = wanted | {item.article.uid for item in beside}
    found, aliases, parted = [], dict[str, str](), []
    for item in items:
        apart = None
        mine, by_location = item.article.uid, uids.get(item.location) if item.follows else None
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
    return Identified(found, aliases, tuple(parted), frozenset(wanted - known.keys()))


def named(connection: sqlite3.Connection, look: Pass, items: Sequence[Item]) -> list[Item]:
    """The items, those of documents by what tells them apart, as far as is known by now."""
    if look.present is None or all(item.apart is None for item in items):
        return list(items)
    shared = shared_names(connection, look, items)
    return [told_apart(item, shared) for item in items] if shared else list(items)


def shared_names(connection: sqlite3.Connection, look: Pass, items: Sequence[Item]) -> set[str]:
    """Which guids and URLs of these items several items of one document bore at some time."""
    are_any = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM shared_names WHERE source_id = ?)", [look.source_id]
    )
    if not are_any.fetchone()[0]:
        return set()
    names = {stored_path(name) for item in items for name in (item.location, item.article.url)}
    rows = connection.execute(
        f"SELECT name FROM shared_names WHERE source_id = ? AND name IN ({placeholders(len(names))})",
        [look.source_id, *names],
    )
    return {loaded_path(name) for (name,) in rows}


def told_apart(item: Item, shared: Collection[str]) -> Item:
    """The item, known by something else than a guid or a URL that tells nothing apart."""
    if item.apart is None:
        return item
    url = item.article.url
    if url in shared:
        location, identity = item.apart
        if item.follows and item.location in shared:
            return item  # neither tells anything: what its document says of it is left
        article = item.article._replace(uid=uid_of(identity))
        return item._replace(location=location, follows=True, article=article, apart=None, elsewhere=url)
    if item.follows and item.location in shared:
        return item._replace(location=url, follows=False, apart=None)
    return item


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


def led_to(connection: sqlite3.Connection, wanted: Collection[str]) -> dict[str, str]:
    """The uid of the entry of each of these uids that is known, under its own or as another URL's."""
    if not wanted:
        return {}
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
