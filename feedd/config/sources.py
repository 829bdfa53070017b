"""What a configuration says of sources, as frozen values: what all of them may say, then each type's own."""

from functools import cached_property
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from feedd.config.base import Settings, digest
from feedd.config.fetching import Auth, Fetch, Fetching
from feedd.config.keeping import FOREVER, Keep
from feedd.config.secrets import Secret
from feedd.config.values import (
    DAY_MS,
    HOUR_MS,
    Arguments,
    Branch,
    Cron,
    DateFormats,
    Duration,
    Encoding,
    Every,
    Folder,
    Glob,
    Language,
    Pattern,
    Patterns,
    Repository,
    Rewrites,
    SelectorText,
    Size,
    Subfolder,
    Timezone,
    WebUrl,
)
from feedd.fetch.values import Access
from feedd.schedule import Timing
from feedd.sources.directory import Selection


class Rules(Settings):
    """Regular expressions on parts of an entry."""

    title: Pattern | None = None
    text: Pattern | None = None
    url: Pattern | None = None
    author: Pattern | None = None
    category: Pattern | None = None

    @cached_property
    def patterns(self) -> tuple[tuple[str, Pattern], ...]:
        """(part, expression) of each that is given."""
        each = ((part, getattr(self, part)) for part in Rules.model_fields)
        return tuple((part, pattern) for part, pattern in each if pattern is not None)

    @property
    def spelled(self) -> tuple[tuple[str, str], ...]:
        """The expressions in full: `repr` cuts a long one."""
        return tuple((part, pattern.pattern) for part, pattern in self.patterns)


class Common(Settings):
    """What every source may say, and `[defaults]` for all of them."""

    every: Every = HOUR_MS
    cron: Cron | None = None
    timezone: Timezone | None = None
    tags: tuple[str, ...] = Field(default=(), strict=False)
    language: Language | None = None
    priority: int = 0
    ignore_scheme: bool = False
    match: Rules = Rules()
    reject: Rules = Rules()
    rewrite: Rewrites = ()
    ignore: Patterns = ()
    keep: Keep = FOREVER
    keep_raw: bool = False
    failing_after: int = Field(default=3, ge=1, le=1000)
    expected_silence: Duration | None = None


class Defaults(Common):
    watch: bool = False
    encoding: Encoding | None = None


class Named(Common):
    """A source of any type."""

    name: str
    title: str | None = None
    identity: Literal["url", "guid"] | None = None
    paused: bool = False

    @property
    def heading(self) -> str:
        """What the source is called where people read it."""
        return self.title or self.name

    @property
    def timing(self) -> Timing:
        if self.every is None:
            return Timing(HOUR_MS, self.cron, self.timezone, auto=True)
        return Timing(self.every, self.cron, self.timezone)

    @property
    def filters(self) -> tuple[object, ...]:
        return self.match.spelled, self.reject.spelled

    @property
    def changes_content(self) -> tuple[object, ...]:
        """The settings of every type that change what is made of an item."""
        ignored = tuple(pattern.pattern for pattern in self.ignore)
        # what is not said counts not: a setting to come changes no hash
        return tuple(each for each in (self.rewrite, ignored, self.identity) if each)


class Folders(Named):
    """Folders of seed files, with the folders below them."""

    encoding: Encoding | None = None
    include: tuple[Glob, ...] = Field(default=("**/*.md", "**/*.txt", "**/*.html"), strict=False)
    exclude: tuple[Glob, ...] = Field(default=(), strict=False)

    @property
    def extraction_hash(self) -> str:
        """Changes with any setting that changes what is made of a file, or whether anything is."""
        filters = self.filters if any(self.filters) else ()
        return digest(self.encoding, self.ignore_scheme, *self.changes_content, *filters)


class DirectorySource(Folders):
    type: Literal["directory"]
    path: Folder
    watch: bool = False
    shared: bool = False  # workers of the cluster see it at the same path

    def reads(self, file: Path) -> bool:
        """Whether a file of that path, resolved, would be read as an article."""
        folder = self.path.resolve()
        return file.is_relative_to(folder) and str(file.relative_to(folder)) in Selection(
            self.include, self.exclude
        )

    @property
    def location(self) -> str:
        """Where it is, as people see it."""
        return str(self.path)

    @property
    def selection_hash(self) -> str:
        """Changes with any setting that changes which files are looked at."""
        return digest(self.path, self.include, self.exclude)


class GitSource(Folders):
    """A repository of seed files: a remote one by `url`, a local one by `path`."""

    type: Literal["git"]
    url: Repository | None = None
    path: Folder | None = None
    branch: Branch | None = None
    folder: Subfolder = ""  # of the repository, where the files are
    shared: bool = False  # workers of the cluster see where it is kept at the same path
    timeout: Duration = 10 * 60_000
    allow_private: bool = False
    auth: Auth | None = None

    @model_validator(mode="after")
    def one_place(self) -> Self:
        if (self.url is None) == (self.path is None):
            raise ValueError("write either url (a remote repository) or path (a local one)")
        return self

    @property
    def location(self) -> str:
        return self.url or str(self.path)

    @property
    def selection_hash(self) -> str:
        return digest(self.location, self.branch, self.folder, self.include, self.exclude)


class Web(Named, Fetching):
    """A source that is fetched."""

    url: WebUrl

    @property
    def location(self) -> str:
        return self.url

    @property
    def selection_hash(self) -> str:
        return digest(self.url)

    @property
    def request_hash(self) -> str:
        """Changes with any setting that may change what a server answers, or what is made of it."""
        spoken = [(name, secret.reveal()) for name, secret in (*self.headers, *self.cookies)]
        return digest(self.url, spoken, self.auth and self.auth.value[:], self.extraction_hash, self.filters)

    @property
    def extraction_hash(self) -> str:
        return digest(self.type_of_content, self.ignore_scheme, *self.changes_content)

    @property
    def type_of_content(self) -> tuple[object, ...]:
        """What of this type of source changes what is made of an item."""
        return ()

    @property
    def secrets(self) -> tuple[Secret, ...]:
        named = [secret for _, secret in (*self.headers, *self.cookies)]
        single = (self.proxy, self.auth and self.auth.password, self.auth and self.auth.bearer)
        return (*named, *(secret for secret in single if secret))

    def access(self, fetch: Fetch, user_agent: str) -> Access:
        return Access(
            headers=tuple((name, secret.reveal()) for name, secret in self.headers),
            cookies=tuple((name, secret.reveal()) for name, secret in self.cookies),
            auth=self.auth.value if self.auth else None,
            proxy=self.proxy.reveal() if self.proxy else None,
            user_agent=user_agent,
            timeout_s=self.timeout / 1000,
            connect_timeout_s=self.connect_timeout / 1000,
            max_bytes=self.max_bytes,
            max_redirects=self.max_redirects,
            allow_private=self.allow_private,
            host_interval_s=self.host_interval / 1000,
            per_host=fetch.per_host,
        )


class FeedSource(Web):
    """A feed: RSS, Atom, CDF or JSON Feed."""

    type: Literal["feed"]
    full_text: bool = False
    content: SelectorText = "auto"  # where the article is on its own page, with full_text
    recheck: bool = False  # look at articles' own pages again; that reads them
    max_articles: int = Field(default=50, ge=1, le=1000)

    @property
    def article(self) -> str | None:
        """Where the article is on its own page; None: the item is all that is read."""
        return self.content if self.full_text or self.recheck else None

    @property
    def type_of_content(self) -> tuple[object, ...]:
        return () if self.article is None else (True, self.article)


class Selected(Settings):
    """Where on a page things stand."""

    entry: SelectorText | None = None
    title: SelectorText | None = None
    link: SelectorText | None = None
    date: SelectorText | None = None
    date_format: DateFormats = ()
    summary: SelectorText | None = None
    image: SelectorText | None = None
    author: SelectorText | None = None
    next_page: SelectorText | None = None
    max_pages: int = Field(default=5, ge=1, le=100)

    @property
    def places(self) -> tuple[object, ...]:
        where = (self.entry, self.title, self.link, self.date, self.summary, self.image, self.author)
        return (*where, self.date_format)


class PageSource(Selected, Web):
    """A page that lists articles."""

    type: Literal["page"]
    entry: SelectorText
    content: SelectorText | None = None
    recheck: bool = False
    max_articles: int = Field(default=50, ge=1, le=1000)

    @property
    def heading(self) -> str:
        return self.name  # `title` is where an entry's title stands

    @property
    def article(self) -> str | None:
        """Where the article is on its own page; None: the list is all that is read."""
        return self.content or ("auto" if self.recheck else None)

    @property
    def type_of_content(self) -> tuple[object, ...]:
        return (*self.places, self.article, self.timezone, self.language)


class WatchSource(Web):
    """One page, or a part of it, whose edits matter."""

    type: Literal["watch"]
    select: SelectorText | None = None
    remove: tuple[SelectorText, ...] = Field(default=(), strict=False)
    text_only: bool = False

    @property
    def type_of_content(self) -> tuple[object, ...]:
        return (self.select, self.remove, self.text_only)


class SitemapSource(Web):
    """A sitemap, or an index of them."""

    type: Literal["sitemap"]
    content: SelectorText | None = None
    recheck: bool = False
    max_articles: int = Field(default=50, ge=1, le=1000)
    max_urls: int = Field(default=10_000, ge=1, le=50_000)

    @property
    def article(self) -> str | None:
        """Where the article is on its own page; None: the sitemap is all that is read."""
        return self.content or ("auto" if self.recheck else None)

    @property
    def type_of_content(self) -> tuple[object, ...]:
        return (self.article,)


class CommandSource(Selected, Named):
    """A program whose standard output is a feed, HTML for the keys of a page, seed files, or JSON Lines."""

    type: Literal["command"]
    command: Arguments
    output: Literal["auto", "feed", "page", "seeds", "jsonl"] = "auto"
    url: WebUrl | None = None  # what relative addresses in its output are relative to
    timeout: Duration = 60_000
    max_bytes: Size = 15_000_000
    max_interval: Duration = DAY_MS
    encoding: Encoding | None = None

    @property
    def heading(self) -> str:
        return (None if self.entry else self.title) or self.name

    @property
    def location(self) -> str:
        return self.command[0]  # what it is called with may be secret

    @property
    def selection_hash(self) -> str:
        return digest(self.command)

    @property
    def extraction_hash(self) -> str:
        made = (self.output, self.url, self.encoding, *self.places, self.timezone, self.language)
        return digest(*made, self.ignore_scheme, *self.changes_content)

    @property
    def request_hash(self) -> str:
        return digest(self.command, self.extraction_hash, self.filters)


FolderSource = DirectorySource | GitSource
ArticleSource = FeedSource | PageSource | SitemapSource  # that may read articles from their own pages
WebSource = ArticleSource | WatchSource
WindowSource = WebSource | CommandSource  # of which a look sees a part
Source = FolderSource | WindowSource
TYPES: dict[str, type[Source]] = {
    "directory": DirectorySource,
    "git": GitSource,
    "feed": FeedSource,
    "page": PageSource,
    "watch": WatchSource,
    "sitemap": SitemapSource,
    "command": CommandSource,
}
