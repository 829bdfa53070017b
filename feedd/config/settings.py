"""What a configuration says, as frozen values. `load` makes them from TOML."""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from feedd.config.base import Settings
from feedd.config.channels import Channel
from feedd.config.cluster import Cluster
from feedd.config.fetching import Fetch
from feedd.config.mirrors import Mirror
from feedd.config.publishing import Publish
from feedd.config.sources import Rules, Source
from feedd.config.values import BaseUrl, Folder, Listen, ListenAddress
from feedd.config.websub import WebSub
from feedd.errors import UsageError
from feedd.search.query import InFeed, parse

BUILT_IN_FEEDS = frozenset({"all", "changes", "health"})
Access = Literal["public", "token"]


def asked(text: str) -> str:
    """A search as it may stand in a feed."""
    try:
        query = parse(text)
    except UsageError as error:
        raise ValueError(f"{text[:80]!r} is no search: {error}") from error
    if any(isinstance(each, InFeed) for each in query.conditions()):
        raise ValueError("feed: can't stand in the query of a feed; name what that feed asks for")
    return text


Asked = Annotated[str, AfterValidator(asked)]


class Server(Settings):
    listen: ListenAddress = Listen("127.0.0.1", 8080)
    base_url: BaseUrl | None = None
    access: Access = "public"  # token: nothing is readable without one
    reload_on_change: bool = True  # of the configuration's files

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
    query: Asked | None = None  # a search that its entries must match
    title: str | None = None
    access: Access = "public"  # token: the feed is for those who have one

    @model_validator(mode="after")
    def shows_what_is_asked_for(self) -> Self:
        if self.query is not None and (self.changes is not None or self.name in {"changes", "health"}):
            raise ValueError("'query' asks for entries, and this feed shows none; use 'match' and 'reject'")
        return self


class Config(Settings):
    path: Path
    include: tuple[str, ...] = ()
    server: Server
    store: Store
    fetch: Fetch
    sources: tuple[Source, ...]
    feeds: tuple[Feed, ...]
    channels: tuple[Channel, ...] = ()
    mirrors: tuple[Mirror, ...] = ()
    websub: WebSub = WebSub()
    publish: Publish | None = None
    cluster: Cluster | None = None

    @cached_property
    def by_name(self) -> dict[str, Source]:
        return {source.name: source for source in self.sources}

    @cached_property
    def paused(self) -> frozenset[str]:
        """Sources that the configuration pauses."""
        return frozenset(source.name for source in self.sources if source.paused)

    @cached_property
    def private_feeds(self) -> frozenset[str]:
        """Feeds that are for those who have a token. Where the server is closed, all are: see `is_private`."""
        return frozenset(feed.name for feed in self.feeds if feed.access == "token")

    def is_private(self, feed: str) -> bool:
        return self.server.access == "token" or feed in self.private_feeds

    def source(self, name: str) -> Source | None:
        return self.by_name.get(name)
