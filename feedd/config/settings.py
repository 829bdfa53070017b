"""What a configuration says, as frozen values. `load` makes them from TOML."""

from hashlib import sha256
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from feedd.config.values import (
    BaseUrl,
    Cron,
    Duration,
    Encoding,
    Folder,
    Glob,
    Language,
    Listen,
    ListenAddress,
    Pattern,
    Timezone,
)
from feedd.schedule import Timing

HOUR_MS = 3_600_000
BUILT_IN_FEEDS = frozenset({"all", "changes", "health"})


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True)


class Server(Settings):
    listen: ListenAddress = Listen("127.0.0.1", 8080)
    base_url: BaseUrl | None = None

    @property
    def public_url(self) -> str:
        """Where the world reaches this server, with a slash at the end."""
        return self.base_url or self.listen.public_url or ""


class Store(Settings):
    path: Folder = Path("feedd.db")


class Defaults(Settings):
    """What every source may say, and `[defaults]` for all of them."""

    every: Duration = HOUR_MS
    cron: Cron | None = None
    timezone: Timezone | None = None
    tags: tuple[str, ...] = Field(default=(), strict=False)
    language: Language | None = None
    priority: int = 0
    watch: bool = False
    encoding: Encoding | None = None
    ignore_scheme: bool = False


class DirectorySource(Defaults):
    """A folder of seed files, with the folders below it."""

    name: str
    type: Literal["directory"]
    path: Folder
    title: str | None = None
    include: tuple[Glob, ...] = Field(default=("**/*.md", "**/*.txt", "**/*.html"), strict=False)
    exclude: tuple[Glob, ...] = Field(default=(), strict=False)
    paused: bool = False

    @property
    def location(self) -> str:
        return str(self.path)

    @property
    def timing(self) -> Timing:
        return Timing(self.every, self.cron, self.timezone)

    @property
    def extraction_hash(self) -> str:
        """Changes with any setting that changes what is made of a file."""
        return digest(self.encoding, self.ignore_scheme)

    @property
    def selection_hash(self) -> str:
        """Changes with any setting that changes which files are looked at."""
        return digest(self.path, self.include, self.exclude)


Source = DirectorySource


class Rules(Settings):
    """Regular expressions on parts of an entry."""

    title: Pattern | None = None
    text: Pattern | None = None
    url: Pattern | None = None
    author: Pattern | None = None
    category: Pattern | None = None


class Feed(Settings):
    """A feed of `[feeds]`, or the settings of one that is always there."""

    name: str
    sources: tuple[str, ...] | None = Field(default=None, strict=False)
    match: Rules = Rules()
    reject: Rules = Rules()
    limit: int = Field(default=100, ge=1, le=1000)
    content: Literal["full", "summary"] = "full"
    title: str | None = None


class Config(Settings):
    path: Path
    server: Server
    store: Store
    sources: tuple[Source, ...]
    feeds: tuple[Feed, ...]

    def source(self, name: str) -> Source | None:
        return next((source for source in self.sources if source.name == name), None)


def digest(*values: object) -> str:
    return sha256(repr(values).encode("utf-8", "surrogatepass")).hexdigest()[:16]
