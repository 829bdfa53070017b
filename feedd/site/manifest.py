"""What feedd published in a directory: of each file its size, its hash, and what it was made from.

`.feedd-manifest.json` is written last, in one go. `.feedd-journal` names what is about to be put in place before it is,
a line `sha256 name` a file, so that after a kill, too, it is known which files are feedd's.
"""

import json
import re
from collections.abc import Mapping
from typing import NamedTuple

from feedd.errors import PublishError
from feedd.store.marks import Mark

MANIFEST = ".feedd-manifest.json"
JOURNAL = ".feedd-journal"
FORMAT = 1
ABOUT = "feedd made the files that are named here, and keeps them; it touches no others."
# Nothing hidden, nothing above: what is read here is deleted when it is no longer wanted.
NAME = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*/)*[A-Za-z0-9_][A-Za-z0-9_.-]*")
HASH = re.compile(r"[0-9a-f]{64}")


class File(NamedTuple):
    size: int
    sha256: str
    state: str  # digest of what it was made from


class Manifest(NamedTuple):
    store: str  # UUID of the database
    mark: Mark = Mark()  # up to where the pages of entries follow the store
    files: Mapping[str, File] = {}  # by path in the directory


def encoded(manifest: Manifest) -> bytes:
    """One line a file, so that two of them can be compared."""
    head = {
        "about": ABOUT,
        "format": FORMAT,
        "store": manifest.store,
        "change": manifest.mark.change_id,
        "revision": manifest.mark.revision_id,
    }
    lines = [f"{json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    files = ",\n".join(f"{json.dumps(name)}: {json.dumps(file)}" for name, file in manifest.files.items())
    return "\n".join(["{", *lines, '"files": {', files, "}", "}", ""]).encode()


def decoded(data: bytes, where: str) -> Manifest:
    """Raises PublishError for what feedd did not write."""
    try:
        said = json.loads(data)
        if said["format"] > FORMAT:
            raise PublishError(f"{where} was written by a later feedd; nothing was written")
        files = {name: File(*file) for name, file in said["files"].items()}
        found = Manifest(str(said["store"]), Mark(int(said["change"]), int(said["revision"])), files)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise PublishError(
            f"{where} is damaged, so that it is not known which files there are feedd's; nothing was written:"
            " empty the directory, or name another one"
        ) from error
    if (odd := next((each for each in files.items() if not valid(*each)), None)) is not None:
        raise PublishError(f"{where} names {odd[0]!r}, which feedd would not; nothing was written")
    return found


def valid(name: str, file: File) -> bool:
    return (
        NAME.fullmatch(name) is not None
        and isinstance(file.size, int)
        and isinstance(file.sha256, str)
        and HASH.fullmatch(file.sha256) is not None
        and isinstance(file.state, str)
    )


def journal_line(name: str, sha256: str) -> bytes:
    return f"{sha256} {name}\n".encode()


def journalled(data: bytes) -> dict[str, set[str]]:
    """Hashes by name; a line that was torn says nothing."""
    found = dict[str, set[str]]()
    for line in data.decode("utf-8", "replace").splitlines():
        sha256, _, name = line.partition(" ")
        if HASH.fullmatch(sha256) and NAME.fullmatch(name):
            found.setdefault(name, set()).add(sha256)
    return found
