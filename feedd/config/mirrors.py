"""`[archive.NAME]`: what is written as seed files, and where; and which of these would write over each other."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple, Self

from pydantic import BeforeValidator, Field, model_validator

from feedd.config.base import Settings
from feedd.config.sources import DirectorySource, GitSource, Source
from feedd.config.values import Folder

MOST_LISTED = 10_000  # articles of a list page: one of more is too long for who shows Markdown
AUTHOR = re.compile(
    r"\s*([^<>\x00-\x1f\x7f]*[^<>\s\x00-\x1f\x7f])\s*<([^<>\s\x00-\x1f\x7f]+@[^<>\s\x00-\x1f\x7f]+)>\s*"
)
REMOTE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,100}")
ORIGIN = "origin"


class Author(NamedTuple):
    """Who commits."""

    name: str
    address: str


def author(value: object) -> Author:
    if isinstance(value, Author):
        return value
    found = AUTHOR.fullmatch(value) if isinstance(value, str) else None
    if found is None or not any(map(str.isalnum, found[1])):  # git takes no name of signs alone
        raise ValueError(f"{value!r} is not an author; write one such as 'feedd <archive@example.org>'")
    return Author(found[1].strip(), found[2])


def remote(value: object) -> str | None:
    """The name of a remote; `true` is origin, `false` none."""
    if isinstance(value, bool) or value is None:
        return ORIGIN if value else None
    if not isinstance(value, str) or not REMOTE_NAME.fullmatch(value) or value.endswith((".", ".lock")):
        raise ValueError(
            f"{value!r} is not the name of a remote; write true, false, or a name such as origin"
        )
    return value


Committer = Annotated[Author, BeforeValidator(author)]
Remote = Annotated[str | None, BeforeValidator(remote)]


class Mirror(Settings):
    """Seed files of what sources and feeds hold. The seed format: docs/seed-files.md."""

    name: str
    directory: Folder
    git: bool = False  # one commit a pass
    push: Remote = None  # the remote that each commit is pushed to
    author: Committer = Author("feedd", "feedd@localhost")
    sources: tuple[str, ...] | None = Field(default=None, strict=False)  # names, and tag:…; None: see `takes`
    feeds: tuple[str, ...] = Field(default=(), strict=False)
    list: int = Field(default=300, ge=1, le=MOST_LISTED)  # articles of a list page

    @model_validator(mode="after")
    def is_pushed_only_if_it_is_committed(self) -> Self:
        if self.push is not None and not self.git:
            raise ValueError("push needs git = true")
        return self

    def takes(self, source: Source) -> bool:
        """Whether all that the source has is written; where nothing is said of which, that of every source is."""
        if self.sources is None:
            return not self.feeds
        return bool({source.name, *(f"tag:{tag}" for tag in source.tags)}.intersection(self.sources))


def objections(
    mirrors: Sequence[Mirror], sources: Sequence[Source], names: Collection[str], feeds: Mapping[str, bool]
) -> Iterator[tuple[str, str, str]]:
    """What is wrong with mirrors, besides each alone: its name, the key, and why.

    `names`: of all sources, also of those that have mistakes. `feeds`: whether each shows entries.
    """
    tags = {f"tag:{tag}" for source in sources for tag in source.tags}
    for mirror in mirrors:
        for each in mirror.sources or ():
            is_tag = each.startswith("tag:")
            if each not in (tags if is_tag else names) and not (is_tag and len(sources) < len(names)):
                yield mirror.name, "sources", f"{each!r} is no {'tag of any source' if is_tag else 'source'}"
        own = {source.name for source in sources if mirror.takes(source)}
        for each in mirror.feeds:
            if each in own:
                yield (
                    mirror.name,
                    "feeds",
                    f"the folder {each!r} is that of the source already; leave one of them out",
                )
            elif each not in feeds:
                yield mirror.name, "feeds", f"{each!r} is no feed"
            elif not feeds[each]:
                yield mirror.name, "feeds", f"the feed {each!r} shows no entries; name one that does"
    for mirror, why in overlaps(mirrors, sources):
        yield mirror.name, "directory", why


def overlaps(mirrors: Iterable[Mirror], sources: Iterable[Source]) -> Iterator[tuple[Mirror, str]]:
    """Mirrors that would write where another one does, or where a source reads: it would eat what it wrote."""
    read = [(f"sources.{source.name} reads", folder) for source in sources if (folder := folder_of(source))]
    written = list[tuple[str, Path]]()
    for mirror in mirrors:
        own = mirror.directory.resolve()
        for what, other in (*read, *written):
            if own.is_relative_to(other) or other.is_relative_to(own):
                yield mirror, f"{own} and {other}, which {what}, are not apart; write another folder"
                break
        written.append((f"archive.{mirror.name} writes", own))


def folder_of(source: Source) -> Path | None:
    """The folder on this machine that a source reads; None where there is none."""
    if isinstance(source, DirectorySource | GitSource) and source.path is not None:
        return source.path.resolve()
    return None


def reader_of(directory: Path, sources: Iterable[Source]) -> str | None:
    """The source that would read what is written there."""
    own = directory.resolve()
    readers = (
        source.name for source in sources if (folder := folder_of(source)) and own.is_relative_to(folder)
    )
    return next(readers, None)
