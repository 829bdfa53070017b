"""A store that is filled by hand, at chosen times, and the feeds over it."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from stores import new_store

from feedd.config.load import load
from feedd.config.settings import Config
from feedd.decide import Pass
from feedd.looks import key_of
from feedd.model import NO_DETAILS, Details, Item, Stamp
from feedd.normalise.article import derive
from feedd.normalise.html import clean
from feedd.normalise.url import canonical
from feedd.publish.cache import FORMATS, Feeds, Key, feeds_of
from feedd.publish.plan import settings
from feedd.schedule import Due
from feedd.store.desk import Desk
from feedd.store.reader import Reader

BORN_MS = 1_750_000_000_000
CONFIGURED_MS = BORN_MS - 1000
STAMP = Stamp(1, 1, 1)


class Piece(NamedTuple):
    """An article at a location of a source."""

    name: str
    title: str = "A title"
    body: str = "<p>Some words.</p>"
    time_ms: int | None = BORN_MS - 1_000_000
    details: Details = NO_DETAILS

    def item(self) -> Item:
        url = canonical(f"https://example.org/{self.name}")
        article = derive(url, self.title, clean(self.body, url), self.details)
        return Item(f"{self.name}.txt", self.time_ms, BORN_MS, article, STAMP, settled=True)


class Shelf:
    """Passes over sources without folders: what a look brought is given."""

    def __init__(self, root: Path, toml: str) -> None:
        self.path = root / "config.toml"
        self.desk = Desk(new_store(root / "feedd.db"))
        self.reader = Reader(root / "feedd.db")
        self.now_ms = CONFIGURED_MS
        self.configure(toml)

    def configure(self, toml: str) -> None:
        self.path.write_text(toml, encoding="utf-8")
        self.config: Config = load(self.path)
        self.feeds: Feeds = feeds_of(self.config, self.reader)
        keys = [key_of(source) for source in self.config.sources]
        self.desk.run(lambda writer: writer.configure(keys, settings(self.config), self.now_ms))
        self.now_ms += 1

    def look(self, source: str, now_ms: int, pieces: Iterable[Piece] = (), gone: Iterable[str] = ()) -> Pass:
        """A whole pass over a source."""
        named = self.config.source(source)
        assert named is not None
        key = key_of(named)
        started = self.desk.run(lambda writer: writer.begin(key, now_ms))
        items = [piece.item() for piece in pieces]
        paths = [f"{name}.txt" for name in gone]
        self.desk.run(lambda writer: writer.record(started.look, key.extraction, items, []))
        self.desk.run(
            lambda writer: writer.remove(
                started.look, paths, accept=True, reselected=False, holds=started.entries
            )
        )
        due = Due(now_ms + 3_600_000, "every 1h")
        self.desk.run(lambda writer: writer.finish(key, started.look, due, changed=bool(items), listing=None))
        return started.look

    def names(self, feed: str = "all", limit: int = 100) -> list[str]:
        """The entries of a feed, in order, by the ends of their URLs."""
        return [entry.url.rpartition("/")[2] for entry in self.feeds.document(feed, limit).entries]

    def updated(self, feed: str = "all", limit: int = 100) -> int:
        return self.feeds.document(feed, limit).updated_ms

    def body(self, feed: str, format_: str, limit: int = 100) -> bytes:
        assert format_ in FORMATS
        return self.feeds.render(Key(feed, format_, limit)).body

    def close(self) -> None:
        self.reader.close()
        self.desk.close()
