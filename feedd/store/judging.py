"""What of stored versions is compared, and the judge of their changes."""

import sqlite3
from contextlib import suppress
from typing import NamedTuple

from feedd.changes.values import Content, Judged
from feedd.changes.verdict import judged
from feedd.errors import NoLongerKept
from feedd.model import Article, Details, Item, Version
from feedd.normalise import details
from feedd.normalise.html import VERSION, TooMuchHtml, clean
from feedd.normalise.text import lead_image
from feedd.store.snapshot import content

UNPACKED_CHARACTERS = 32_000_000


class StoredJudge(NamedTuple):
    """Judges changes from stored versions; both texts are read only where something differs."""

    connection: sqlite3.Connection

    def __call__(self, before: Version, item: Item, *, live: bool) -> Judged:
        old = stored_content(self.connection, before.revision_id)
        return judged(old, content_of(item.article), live=live)


def judged_between(connection: sqlite3.Connection, old_id: int, new_id: int, *, live: bool = False) -> Judged:
    """How much differs between two stored versions."""
    old, new = stored_content(connection, old_id), stored_content(connection, new_id)
    return judged(old, new, live=live)


def content_of(article: Article) -> Content:
    return compared(article.title, article.content_html, article.image, article.details)


def compared(title: str, html: str, image: str | None, said: Details) -> Content:
    return Content(title, html, image, said.authors, tuple(each.url for each in said.enclosures))


class Unpacked(dict[int, str]):
    """Contents of earlier versions by revision, so many that a walk back through an entry unpacks each once."""

    def __init__(self) -> None:
        super().__init__()
        self.characters = 0

    def __setitem__(self, revision_id: int, html: str) -> None:
        if revision_id in self:
            self.characters -= len(self[revision_id])
        super().__setitem__(revision_id, html)
        self.characters += len(html)
        while self.characters > UNPACKED_CHARACTERS and len(self) > 1:  # those furthest back are wanted next
            self.characters -= len(self.pop(next(iter(self))))


def stored_content(
    connection: sqlite3.Connection, revision_id: int, unpacked: Unpacked | None = None
) -> Content:
    """What is compared of a stored version, as today's normaliser would have made it. Raises NoLongerKept."""
    html = content(connection, revision_id, unpacked)
    row = connection.execute(
        "SELECT r.title, r.image, r.details, r.normaliser, e.url FROM revisions r JOIN entries e ON e.id = r.entry_id"
        " WHERE r.id = ?",
        [revision_id],
    ).fetchone()
    if row is None:
        raise NoLongerKept("the version is no longer kept")
    title, image, said, normaliser, url = row
    if normaliser != VERSION:
        with suppress(TooMuchHtml):  # what it was made into at its time is safe, too
            html = clean(html, url)
    return compared(title, html, image or lead_image(html), details.read(said))
