"""Archives in folders: what was written, and what others do there."""

import os
import subprocess
from pathlib import Path

from running import Site
from shelf import Shelf

from feedd.config.load import load
from feedd.mirror.folder import MARK
from feedd.mirror.mirrors import Mirrors, mirrored
from feedd.normalise.article import normalise
from feedd.store.desk import Desk

SOURCES = '[sources.a]\ntype = "directory"\npath = "a"\n[sources.b]\ntype = "directory"\npath = "b"\n'
OUT = '[archive.out]\ndirectory = "out"\n'
GIT = f'{OUT}git = true\nauthor = "Jo Doe <jo@example.org>"\n'


def passed(site: Site) -> None:
    """Look at the sources, and bring all up to date."""
    site.feedd("update")
    followed(site)


def followed(site: Site) -> None:
    config = load(site.config)
    with Desk(config.store.path) as desk:
        assert mirrored(config, desk)


def over(shelf: Shelf) -> Mirrors:
    return Mirrors(shelf.config, shelf.desk, shelf.reader)


def name_of(piece: str) -> str:
    """The file of a piece."""
    return f"{normalise(f'https://example.org/{piece}', '', '').uid}.md"


def files(folder: Path) -> dict[str, bytes]:
    """All that is in the folder, by path; but for git's own, and the mark, which says how far that folder is."""
    return {
        os.fspath(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.parts and path.name != MARK
    }


def seeds(folder: Path) -> dict[str, bytes]:
    return {path: data for path, data in files(folder).items() if "/" in path}


def git(folder: Path, *words: str, status: int = 0) -> str:
    """What others do, and what it prints."""
    settings = ("user.name=Other", "user.email=other@example.org", "commit.gpgSign=false")
    command = ["git", *(part for each in settings for part in ("-c", each)), *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == status, done.stderr
    return done.stdout.strip()
