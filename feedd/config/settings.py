"""What a configuration says, as frozen values. `load` makes them from TOML."""

from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field

from feedd.config.base import Settings
from feedd.config.channels import Channel
from feedd.config.fetching import Fetch
from feedd.config.sources import Rules, Source
from feedd.config.values import BaseUrl, Folder, Listen, ListenAddress
from feedd.config.websub import WebSub

BUILT_IN_FEEDS = frozenset({"all", "changes", "health"})


class Server(Settings):
    listen: ListenAddress = Listen("127.0.0.1", 8080)
    base_url: BaseUrl | None = None

    @property
    def public_url(self) -> str:
        """Where the world reaches this server, with a slash at the end."""
        return self.base_url or self.listen.public_url or ""


class Store(Settings):
    path: Folder = Path("feedd.db")


class Feed(Settings):
    """A feed of `[feeds]`, or the settings of one that is always there."""

    name: str
    sources: tuple[str, ...] | None = Field(default=None, strict=False)
    match: Rules = Rules()
    reject: Rules = Rules()
    limit: int = Field(default=100, ge=1, le=1000)
    content: Literal["full", "summary"] = "full"
    changes: Literal["all", "substantial"] | None = None  # None: it shows entries
    title: str | None = None


class Config(Settings):
    path: Path
    server: Server
    store: Store
    fetch: Fetch
    sources: tuple[Source, ...]
    feeds: tuple[Feed, ...]
    channels: tuple[Channel, ...] = ()
    websub: WebSub = WebSub()

    @cached_property
    def by_name(self) -> dict[str, Source]:
        return {source.name: source for source in self.sources}

    def source(self, name: str) -> Source | None:
        return self.by_name.get(name)
