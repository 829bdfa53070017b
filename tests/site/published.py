"""A store that is filled by hand, and published."""

import json
import os
import threading
from pathlib import Path

from shelf import BORN_MS, Piece, Shelf

from feedd.comparison import Comparisons
from feedd.site.publishing import Published, Round, publish

TOML = """
[server]
base_url = "{base_url}"
[sources.a]
type = "directory"
path = "a"
title = "Source A"
[sources.b]
type = "directory"
path = "b"
[feeds.secret]
sources = ["b"]
access = "token"
{more}
[publish]
directory = "public"
{publish}
"""


class Desktop:
    """Feeds `a`, `b`, `all`, `changes`, `health`, and `secret`, which is private."""

    def __init__(self, root: Path, base_url: str = "https://feeds.example/", **parts: str) -> None:
        self.root = root
        self.public = root / "public"
        self.shelf = Shelf(root, toml(base_url, **parts))
        self.shelf.look("a", BORN_MS, [Piece("one", "First"), Piece("two", "Second", LONG)])
        self.shelf.look("b", BORN_MS + 1, [Piece("three", "Third")])
        self.comparisons = Comparisons(self.shelf.reader)
        self.now_ms = BORN_MS + 10
        self.first: Published | None = None

    def configure(self, base_url: str = "https://feeds.example/", **parts: str) -> None:
        self.shelf.configure(toml(base_url, **parts))

    def look(self, source: str, *pieces: Piece, gone: tuple[str, ...] = ()) -> None:
        self.now_ms += 1_000
        self.shelf.look(source, self.now_ms, pieces, gone)

    def reopen(self) -> None:
        """The database as it is by now: it must be closed."""
        self.shelf = Shelf(self.root, self.shelf.path.read_text())
        self.comparisons = Comparisons(self.shelf.reader)

    def publish(self, *, anew: bool = False, adopt: bool = False, looks: bool = True) -> Published:
        how = Round(threading.Event(), anew=anew, looks=looks, adopt=adopt)
        return publish(self.shelf.config, self.shelf.feeds, self.comparisons, how)

    def text(self, name: str) -> str:
        return (self.public / name).read_text(encoding="utf-8")

    def files(self) -> dict[str, bytes]:
        return files_of(self.public)

    def noted(self) -> set[str]:
        """What the manifest names, in all of its parts."""
        parts = self.public.glob(".feedd-manifest*.json")
        return {name for part in parts for name in json.loads(part.read_bytes())["files"]}


LONG = "<p>Words that are many. </p>" * 100


def toml(base_url: str, more: str = "", publish: str = "") -> str:
    return TOML.format(base_url=base_url, more=more, publish=publish)


def files_of(root: Path) -> dict[str, bytes]:
    """All but what feedd notes for itself."""
    found = (Path(folder) / name for folder, _, names in os.walk(root) for name in names)
    return {
        os.fspath(each.relative_to(root)): each.read_bytes()
        for each in found
        if not each.relative_to(root).parts[0].startswith(".feedd-")
    }


def plain(names: tuple[str, ...]) -> list[str]:
    """Without what lies compressed beside."""
    return [name for name in names if not name.endswith((".gz", ".br"))]
