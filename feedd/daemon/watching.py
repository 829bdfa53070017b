"""What file-system events say of a folder of article files. The only module that knows watchfiles."""

import os
from collections.abc import AsyncGenerator, Iterable
from pathlib import Path
from typing import NamedTuple

from watchfiles import Change, awatch

from feedd.config.sources import DirectorySource
from feedd.sources import directory

STEP_MS = 30
DEBOUNCE_MS = 300


class Meant(NamedTuple):
    """What events say of a source."""

    files: tuple[str, ...]  # to look at
    unsure: bool  # only listing the folder says what happened
    gone: tuple[str, ...]  # what went and is no article: it may have been a folder of some


def meant(changes: Iterable[tuple[Change, str]], root: Path, selection: directory.Selection) -> Meant:
    """What of the events concerns a source.

    A folder that came or went has no events for what it holds. What is no article, such as a database or
    an editor's swap file, is nothing to look for.
    """
    files, gone, unsure = set(), set(), False
    for change, path in changes:
        name = os.path.relpath(path, root)
        if any(part.startswith(".") for part in name.split("/")):
            continue
        if change is Change.deleted:
            unsure = unsure or name in selection
            gone.add(name)
        elif os.path.isdir(path):
            unsure = True
        elif name in selection:
            files.add(name)
    return Meant(tuple(sorted(files)), unsure, () if unsure else tuple(sorted(gone)))


async def watched(source: DirectorySource) -> AsyncGenerator[Meant | None, None]:
    """What happens in the folder, until it goes away or is another one; first None: from here on no event is missed.

    Raises OSError, and what watchfiles raises for names that are no text.
    """
    root = source.path.resolve(strict=True)
    identity = root.stat().st_ino
    selection = directory.Selection(source.include, source.exclude)
    events = awatch(root, watch_filter=None, step=STEP_MS, debounce=DEBOUNCE_MS)
    yield None
    async for changes in events:
        yield meant(changes, root, selection)
        left = (Change.deleted, str(root)) in changes  # another may have its inode by now
        if left or not root.exists() or root.stat().st_ino != identity:
            return
