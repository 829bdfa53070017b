"""TOML → Config. Every mistake in every file is found in one go, and named by file and key path."""

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from feedd.config.base import Settings
from feedd.config.channels import CHANNEL_TYPES, Channel, EmailChannel, FileChannel
from feedd.config.cluster import Cluster
from feedd.config.fetching import Fetch, Fetching
from feedd.config.files import included
from feedd.config.mirrors import Mirror, objections, reader_of
from feedd.config.publishing import Publish
from feedd.config.settings import BUILT_IN_FEEDS, Config, Feed, Server, Store
from feedd.config.sources import TYPES, Defaults, DirectorySource, Source, Web
from feedd.config.values import name as valid_name
from feedd.config.websub import WebSub
from feedd.config.words import in_words, known_at, suggestion, unknown
from feedd.errors import ConfigError

SECTIONS = (
    "include",
    "server",
    "store",
    "defaults",
    "fetch",
    "websub",
    "publish",
    "cluster",
    "sources",
    "feeds",
    "notify",
    "archive",
)
NOT_INHERITED = Fetching.model_fields.keys() - {"allow_private"}  # by what is no source of the web
SECRET_KEYS = frozenset(
    {"auth", "proxy", "headers", "cookies", "secret", "password"}
)  # whose values no message repeats
INCLUDED_SECTIONS = ("sources", "feeds", "notify", "archive")
OF_THE_STORE = ("", "-wal", "-shm", "-journal", ".lock", ".sock")  # what the names of its files end in
Model = TypeVar("Model", bound=Settings)


def find(path: Path | None, environment: dict[str, str]) -> Path:
    """The configuration file to use. Raises ConfigError."""
    if path is not None:
        return path
    home = Path(environment.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser())
    places = (Path("config.toml"), home / "feedd/config.toml", Path("/etc/feedd/config.toml"))
    for place in places:
        if place.is_file():
            return place
    looked = ", ".join(map(str, places))
    raise ConfigError((f"no configuration file found (looked for {looked}); name one with --config PATH",))


def load(path: Path, *, thorough: bool = True) -> Config:
    """Read the configuration. Raises ConfigError that holds all mistakes.

    `thorough`: with those that take a quarter of a second to find, which only matter to who sends messages.
    """
    return Loader(path, thorough=thorough).load()


class Loader:
    """Collects mistakes over the files of one configuration."""

    def __init__(self, path: Path, *, thorough: bool = True) -> None:
        self.path = path
        self.folder = path.absolute().parent
        self.context = {"folder": self.folder, "thorough": thorough}
        self.mistakes: list[str] = []
        self.places: dict[tuple[str, str], Path] = {}  # where each source and feed was first seen
        self.wanted: dict[str, list[str]] = {}  # what each feed names as its sources
        self.told: dict[str, dict[str, list[str]]] = {}  # what each channel names as its feeds and sources

    def load(self) -> Config:
        main = self.read(self.path)
        self.refuse_unknown(self.path, main, SECTIONS)
        files = [(self.path, main), *self.included(main)]
        server = self.validated(Server, self.path, "server", self.table(self.path, "server", main))
        if server is not None and not server.public_url:
            why = "is required for a unix socket or a wildcard address: feeds name themselves by it"
            self.mistake(self.path, "server.base_url", why)
        store = self.validated(
            Store, self.path, "store", self.table(self.path, "store", main) or {"path": "feedd.db"}
        )
        defaults = self.table(self.path, "defaults", main)
        self.validated(Defaults, self.path, "defaults", defaults)
        fetching = self.table(self.path, "fetch", main)
        fetch = self.validated(Fetch, self.path, "fetch", fetching)
        shared = defaults | {key: fetching[key] for key in fetching.keys() & Fetching.model_fields.keys()}
        sources = [source for file, data in files for source in self.sources(file, data, shared)]
        feeds = [feed for file, data in files for feed in self.feeds(file, data)]
        channels = [channel for file, data in files for channel in self.channels(file, data)]
        websub = self.validated(WebSub, self.path, "websub", self.table(self.path, "websub", main))
        publish = self.publishing(main, server, sources)
        mirrors = self.mirrors(files, sources, feeds)
        cluster = None
        if "cluster" in main:
            cluster = self.validated(Cluster, self.path, "cluster", self.table(self.path, "cluster", main))
        self.check_references(sources)
        self.check_channels(sources)
        self.check_files(channels, sources, store, [file for file, _ in files])
        if self.mistakes or server is None or store is None or fetch is None or websub is None:
            raise ConfigError(tuple(self.mistakes))
        return Config.model_construct(
            path=self.path,
            include=tuple(main.get("include", ())),
            server=server,
            store=store,
            fetch=fetch,
            sources=tuple(sources),
            feeds=tuple(feeds),
            channels=tuple(channels),
            mirrors=mirrors,
            websub=websub,
            publish=publish,
            cluster=cluster,
        )

    def mistake(self, file: Path, key: str, text: str) -> None:
        key = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in key)
        self.mistakes.append(f"{file}: {key}: {text}" if key else f"{file}: {text}")

    def read(self, file: Path) -> dict[str, Any]:
        try:
            return tomllib.loads(file.read_bytes().decode("utf-8-sig"))
        except OSError as error:
            self.mistake(file, "", f"can't be read: {os.strerror(error.errno or 0)}")
        except UnicodeDecodeError:
            self.mistake(file, "", "is not UTF-8 text")
        except (
            ValueError,
            RecursionError,
        ) as error:  # also what Python can't hold: too deep, too many digits
            self.mistake(file, "", f"is not valid TOML: {error}")
        raise ConfigError(tuple(self.mistakes))

    def included(self, main: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
        patterns = main.get("include", [])
        if not isinstance(patterns, list) or not all(isinstance(each, str) and each for each in patterns):
            self.mistake(self.path, "include", f"{patterns!r} is not a list of paths")
            return
        files: dict[Path, None] = {}  # each once, in order
        for pattern in patterns:
            try:
                found = included(self.folder, pattern)
            except (ValueError, NotImplementedError):
                self.mistake(self.path, "include", f"{pattern!r} is not a path relative to this file")
                continue
            if not found and not set(pattern) & set("*?["):
                self.mistake(self.path, "include", f"there is no file {pattern!r}")
            files |= dict.fromkeys(found)
        for file in files:
            try:
                data = self.read(file)
            except ConfigError:
                continue
            self.refuse_unknown(file, data, INCLUDED_SECTIONS)
            yield file, data

    def refuse_unknown(self, file: Path, data: dict[str, Any], known: tuple[str, ...]) -> None:
        for key in data:
            if key not in known:
                why = "may stand in the main file only" if key in SECTIONS else unknown(key, known)
                self.mistake(file, key, why)

    def table(self, file: Path, section: str, data: dict[str, Any]) -> dict[str, Any]:
        found = data.get(section, {})
        if isinstance(found, dict):
            return found
        self.mistake(file, section, f"{found!r} is not a table; write [{section}]")
        return {}

    def named_tables(
        self, file: Path, section: str, data: dict[str, Any]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, table in self.table(file, section, data).items():
            key = f"{section}.{name}"
            if not isinstance(table, dict):
                self.mistake(file, key, f"{table!r} is not a table; write [{section}.NAME]")
                continue
            try:
                valid_name(name)
            except ValueError as error:
                self.mistake(file, key, str(error))
                continue
            first = self.places.setdefault((section, name), file)
            if first != file:
                self.mistake(file, key, f"the name is taken already in {first}")
                continue
            yield name, table

    def sources(self, file: Path, data: dict[str, Any], shared: dict[str, Any]) -> Iterator[Source]:
        for name, table in self.named_tables(file, "sources", data):
            key = f"sources.{name}"
            if name in BUILT_IN_FEEDS:
                self.mistake(
                    file, key, f"'{name}' is the name of a feed that is always there; choose another"
                )
            if "name" in table:
                self.mistake(file, f"{key}.name", "unknown key; the name stands in the table's heading")
                continue
            kind = TYPES.get(table["type"]) if isinstance(table.get("type"), str) else None
            if kind is None:
                wrong = f"{table['type']!r} is not a type of source" if "type" in table else "is missing"
                self.mistake(file, f"{key}.type", f"{wrong}; write {', '.join(TYPES)}")
                continue
            theirs = kind.model_fields.keys() - (set() if issubclass(kind, Web) else NOT_INHERITED)
            inherited = {k: v for k, v in shared.items() if k in theirs}
            if "every" in table:
                inherited.pop("cron", None)
            source: Source | None = self.validated(
                kind, file, key, {**inherited, **table, "name": name}, set(table)
            )
            if source is not None:
                yield source

    def feeds(self, file: Path, data: dict[str, Any]) -> Iterator[Feed]:
        for name, table in self.named_tables(file, "feeds", data):
            if "name" in table:
                self.mistake(
                    file, f"feeds.{name}.name", "unknown key; the name stands in the table's heading"
                )
                continue
            if name == "health" and "changes" in table:
                why = "the feed 'health' shows trouble with sources, no changes; choose another name"
                self.mistake(file, "feeds.health.changes", why)
                continue
            wanted = table.get("sources")
            if isinstance(wanted, list) and all(isinstance(each, str) for each in wanted):
                self.wanted[name] = wanted
            feed = self.validated(Feed, file, f"feeds.{name}", {**table, "name": name})
            if feed is not None:
                yield feed

    def channels(self, file: Path, data: dict[str, Any]) -> Iterator[Channel]:
        for name, table in self.named_tables(file, "notify", data):
            key = f"notify.{name}"
            if "name" in table:
                self.mistake(file, f"{key}.name", "unknown key; the name stands in the table's heading")
                continue
            kind = CHANNEL_TYPES.get(table["type"]) if isinstance(table.get("type"), str) else None
            if kind is None:
                wrong = f"{table['type']!r} is not a type of channel" if "type" in table else "is missing"
                self.mistake(file, f"{key}.type", f"{wrong}; write {', '.join(CHANNEL_TYPES)}")
                continue
            named = {part: table.get(part) for part in ("feeds", "sources")}
            self.told[name] = {
                part: some
                for part, some in named.items()
                if isinstance(some, list) and all(isinstance(each, str) for each in some)
            }
            if kind is EmailChannel and ("user" in table) != ("password" in table):
                self.mistake(file, key, "write both user and password, or neither")
            channel: Channel | None = self.validated(kind, file, key, {**table, "name": name})
            if channel is not None:
                yield channel

    def mirrors(
        self, files: list[tuple[Path, dict[str, Any]]], sources: list[Source], feeds: list[Feed]
    ) -> tuple[Mirror, ...]:
        found = list[Mirror]()
        for file, data in files:
            for name, table in self.named_tables(file, "archive", data):
                if "name" in table:
                    why = "unknown key; the name stands in the table's heading"
                    self.mistake(file, f"archive.{name}.name", why)
                    continue
                mirror = self.validated(Mirror, file, f"archive.{name}", {**table, "name": name})
                found += [mirror] if mirror is not None else []
        names = {name for section, name in self.places if section == "sources"}
        shown = {"changes": False, "health": False, "all": True} | dict.fromkeys(names, True)
        shown |= {name: True for section, name in self.places if section == "feeds" and name not in shown}
        shown |= {feed.name: feed.changes is None for feed in feeds if feed.name not in BUILT_IN_FEEDS}
        for name, key, why in objections(found, sources, names, shown):
            self.mistake(self.places["archive", name], f"archive.{name}.{key}", why)
        return tuple(found)

    def validated(
        self, model: type[Model], file: Path, key: str, table: dict[str, Any], own: set[str] | None = None
    ) -> Model | None:
        """The table as `model`; mistakes in keys outside `own` were reported where they stand."""
        try:
            return model.model_validate(table, context=self.context)
        except ValidationError as error:
            for detail in error.errors():
                if own is None or not detail["loc"] or detail["loc"][0] in own or detail["type"] == "missing":
                    path = ".".join([key, *map(str, detail["loc"])])
                    secret = bool(SECRET_KEYS.intersection(map(str, detail["loc"])))
                    self.mistake(file, path, in_words(detail, known_at(model, detail["loc"]), secret=secret))
            return None

    def publishing(
        self, main: dict[str, Any], server: Server | None, sources: list[Source]
    ) -> Publish | None:
        if "publish" not in main:
            return None
        if server is not None and server.access == "token":
            why = 'server.access is "token": nothing is for everybody, so that nothing can be published'
            self.mistake(self.path, "publish", why)
        publish = self.validated(Publish, self.path, "publish", self.table(self.path, "publish", main))
        if publish is not None and (reader := reader_of(publish.directory, sources)) is not None:
            why = f"lies in what sources.{reader} reads, which would take what is published for articles; name another one"
            self.mistake(self.path, "publish.directory", why)
        return publish

    def check_references(self, sources: list[Source]) -> None:
        """Feeds may only name sources and tags that are there."""
        names = {name for section, name in self.places if section == "sources"}
        tags = {f"tag:{tag}" for source in sources for tag in source.tags}
        for name, wanted in self.wanted.items():
            file, key = self.places["feeds", name], f"feeds.{name}.sources"
            if name in names and wanted != [name]:
                why = f"the feed of a source shows that source; write ['{name}'] or leave it out"
                self.mistake(file, key, why)
                continue
            if name in BUILT_IN_FEEDS and wanted != [name]:
                self.mistake(file, key, f"the feed '{name}' is over all sources; choose another name")
                continue
            for each in wanted:
                is_tag = each.startswith("tag:")
                if is_tag and len(sources) < len(names):  # a source that has mistakes may bear it
                    continue
                if each not in names | tags and each != name:
                    kind = "tag of any source" if is_tag else "source"
                    self.mistake(file, key, f"{each!r} is no {kind}{suggestion(each, [*names, *tags])}")

    def check_channels(self, sources: list[Source]) -> None:
        """Channels may only name feeds, sources and tags that are there."""
        names = {name for section, name in self.places if section == "sources"}
        feeds = names | BUILT_IN_FEEDS | {name for section, name in self.places if section == "feeds"}
        tags = {f"tag:{tag}" for source in sources for tag in source.tags}
        some_failed = len(sources) < len(names)  # one that has mistakes may bear a tag
        for name, told in self.told.items():
            for part, known in (("feeds", feeds), ("sources", names | tags)):
                for each in told.get(part, ()):
                    is_tag = part == "sources" and each.startswith("tag:")
                    if each not in known and not (is_tag and some_failed):
                        kind = "feed" if part == "feeds" else "tag of any source" if is_tag else "source"
                        why = f"{each!r} is no {kind}{suggestion(each, list(known))}"
                        self.mistake(self.places["notify", name], f"notify.{name}.{part}", why)

    def check_files(
        self, channels: list[Channel], sources: list[Source], store: Store | None, read: list[Path]
    ) -> None:
        """What a channel appends to, and moves it to, must be its own: it would destroy anything else."""
        taken = {file.resolve(): "is the configuration" for file in read}
        folders = [source for source in sources if isinstance(source, DirectorySource)]
        if store is not None:
            path = store.path.resolve()
            taken |= {path.with_name(path.name + end): "is the database" for end in OF_THE_STORE}
        for channel in channels:
            if not isinstance(channel, FileChannel):
                continue
            path = channel.path.resolve()
            own = [path, *(path.with_name(f"{path.name}.{n}") for n in range(1, channel.keep + 1))]
            if (name := next((each.name for each in folders if any(map(each.reads, own))), None)) is not None:
                why = f"lies in the folder of sources.{name}, which would read it; write another path"
                self.mistake(self.places["notify", channel.name], f"notify.{channel.name}.path", why)
                continue
            if (clash := next((each for each in own if each in taken), None)) is not None:
                why = f"{clash} {taken[clash]}; write another path"
                self.mistake(self.places["notify", channel.name], f"notify.{channel.name}.path", why)
                continue
            taken |= dict.fromkeys(
                own, f"is that of the channel '{channel.name}', or one that it moves its to"
            )
