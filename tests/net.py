"""Sources of the web over a loopback server, and what looks at them come to."""

from pathlib import Path
from typing import Any

from running import Site, free_port
from webserver import Web

from feedd import shapes
from feedd.cli.listings import newest
from feedd.cli.passes import Bars, update_here
from feedd.config.load import load
from feedd.lookup import find_entry
from feedd.publish.cache import Key, feeds_of
from feedd.publish.document import Document
from feedd.store.reader import Reader

RSS = "application/rss+xml"
QUICK = '[fetch]\nallow_private = true\nhost_interval = "0s"\n'


def rss(*items: str, head: str = "") -> str:
    """An RSS 2.0 document."""
    listed = "".join(f"<item>{item}</item>" for item in items)
    return f"<?xml version='1.0'?><rss version='2.0'><channel><title>A feed</title>{head}{listed}</channel></rss>"


def item(
    name: str,
    *,
    title: str = "",
    guid: str | None = None,
    text: str = "Some words.",
    date: str = "",
    more: str = "",
) -> str:
    """An RSS item; its link follows its name."""
    dated = f"<pubDate>{date}</pubDate>" if date else ""
    known = f"<guid isPermaLink='false'>{guid}</guid>" if guid else ""
    return (
        f"<title>{title or name}</title><link>https://example.org/{name}</link>{known}{dated}"
        f"<description>{text}</description>{more}"
    )


class Net(Site):
    """A site whose sources lie on a loopback web; looks run in the test's own process."""

    def __init__(self, root: Path, web: Web) -> None:
        self.root = root
        self.web = web
        self.config = root / "config.toml"
        self.seeds = root / "seeds"
        self.database = root / "feedd.db"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def sources(self, toml: str, fetch: str = QUICK) -> None:
        """Configure; `{web}` in the text is where the web is."""
        listen = f'[server]\nlisten = "127.0.0.1:{self.port}"\n'
        self.config.write_text(f"{listen}{fetch}{toml.replace('{web}', self.web.url)}\n", encoding="utf-8")

    def feed(self, path: str = "/feed.xml", settings: str = "") -> None:
        """One source `a`, a feed at that path."""
        self.sources(f'[sources.a]\ntype = "feed"\nurl = "{{web}}{path}"\n{settings}\n')

    def update(self, *names: str) -> dict[str, Any]:
        """What an update says of the first source."""
        result: dict[str, Any] = self.all(*names)[0]
        return result

    def all(self, *names: str) -> list[dict[str, Any]]:
        result = update_here(load(self.config), names, accept_removals=False, progress=Bars())
        sources: list[dict[str, Any]] = result.shape["sources"]
        assert all((each["error"] is None) == (each["status"] != "failed") for each in sources)
        return sources

    def entries(self) -> list[dict[str, Any]]:
        return [dict(shapes.entry(each)) for each in newest(self.reader, load(self.config))]

    def titles(self) -> list[str]:
        return [each["title"] for each in self.entries()]

    def shown(self, wanted: object) -> dict[str, Any]:
        """What `show` says of an entry."""
        return dict(shapes.entry_in_full(find_entry(self.reader, load(self.config), str(wanted)), None))

    def source(self, name: str = "a") -> dict[str, Any]:
        """What `sources` says of a source."""
        return next(dict(shapes.source(row)) for row in self.reader.sources() if row.name == name)

    def document(self, feed: str) -> Document:
        """What is served as a feed."""
        return feeds_of(load(self.config), self.reader).document(feed, 1000)

    def body(self, feed: str, format_: str) -> str:
        return feeds_of(load(self.config), self.reader).render(Key(feed, format_, 100)).body.decode()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.reader.rows(query)

    def kinds(self) -> list[str]:
        return [kind for (kind,) in self.rows("SELECT kind FROM changes ORDER BY id")]

    @property
    def reader(self) -> Reader:
        """A fresh one: what is read is as it is now."""
        self.close()
        self.opened = Reader(self.database)
        return self.opened

    opened: Reader | None = None

    def close(self) -> None:
        if self.opened is not None:
            self.opened.close()
            self.opened = None
