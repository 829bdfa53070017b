"""What feedd published in a directory: of each file its size, its hash, and what it was made from.

`.feedd-manifest.json` is written last, in one go. Pages of entries are as many as there are entries: those of a thousand
each stand in a part of their own, `.feedd-manifest-entries-N.json`. `.feedd-journal` names what is about to be put in
place before it is, a line `sha256 state name` a file, so that after a kill, too, it is known which files are feedd's. `.feedd-owed` names what the
command of `[publish]` was not told yet: `+name` is there, `-name` no longer.
"""

import json
import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

from feedd.errors import PublishError
from feedd.store.marks import Mark

MANIFEST = ".feedd-manifest.json"
PART = re.compile(r"\.feedd-manifest-(entries-[0-9]{1,18})\.json")
WHOLE = ""  # the part that is the manifest itself
OF_ENTRY = re.compile(r"entries/([0-9]{1,18})[./]")
ENTRIES = 1000  # of a part
JOURNAL = ".feedd-journal"
OWED = ".feedd-owed"
FORMAT = 1
ABOUT = "feedd made the files that are named here, and keeps them; it touches no others."
# Nothing hidden, nothing above: what is read here is deleted when it is no longer wanted.
NAME = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*/)*[A-Za-z0-9_][A-Za-z0-9_.-]*")
HASH = re.compile(r"[0-9a-f]{64}")


def part_file(part: str) -> str:
    return f".feedd-manifest-{part}.json"


class File(NamedTuple):
    size: int
    sha256: str
    state: str  # digest of what it was made from


class Manifest(NamedTuple):
    store: str  # UUID of the database
    mark: Mark = Mark()  # up to where the pages of entries follow the store
    pages_made_by: str = ""  # digest of what changes all pages of entries: all are there as of that
    files: Mapping[str, File] = {}  # by path in the directory


def part_of(name: str) -> str:
    """Where it is noted."""
    found = OF_ENTRY.match(name)
    return f"entries-{int(found[1]) // ENTRIES}" if found else WHOLE


def encoded(manifest: Manifest) -> bytes:
    """One line a file, so that two of them can be compared."""
    head = {
        "about": ABOUT,
        "format": FORMAT,
        "store": manifest.store,
        "mark": manifest.mark,
        "pages": manifest.pages_made_by,
    }
    lines = [f"{json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    files = ",\n".join(f"{json.dumps(name)}: {json.dumps(file)}" for name, file in manifest.files.items())
    return "\n".join(["{", *lines, '"files": {', files, "}", "}", ""]).encode()


def decoded(data: bytes, where: str, part: str = WHOLE) -> Manifest:
    """Raises PublishError for what feedd did not write."""
    try:
        said = json.loads(data)
        if said["format"] > FORMAT:
            raise PublishError(f"{where} was written by a later feedd; nothing was written")
        files = {name: File(*file) for name, file in said["files"].items()}
        found = Manifest(str(said["store"]), Mark(*map(int, said["mark"])), str(said["pages"]), files)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise PublishError(
            f"{where} is damaged, so that it is not known which files there are feedd's; nothing was written:"
            " empty the directory, or name another one"
        ) from error
    if (odd := next((each for each in files.items() if not valid(*each, part)), None)) is not None:
        raise PublishError(f"{where} names {odd[0]!r}, which feedd would not; nothing was written")
    return found


def valid(name: str, file: File, part: str) -> bool:
    return (
        NAME.fullmatch(name) is not None
        and part_of(name) == part
        and isinstance(file.size, int)
        and isinstance(file.sha256, str)
        and HASH.fullmatch(file.sha256) is not None
        and isinstance(file.state, str)
    )


def journal_line(name: str, file: File) -> bytes:
    return f"{file.sha256} {file.state} {name}\n".encode()


def journalled(data: bytes) -> dict[str, dict[str, str]]:
    """By name, states by hash; a line that was torn says nothing."""
    found = dict[str, dict[str, str]]()
    for line in data.decode("utf-8", "replace").splitlines():
        match line.split(" "):
            case [sha256, state, name] if HASH.fullmatch(sha256) and NAME.fullmatch(name):
                found.setdefault(name, {})[sha256] = state
    return found


def owed_lines(written: Collection[str], removed: Collection[str]) -> bytes:
    lines = [f"+{name}\n" for name in sorted(written)] + [f"-{name}\n" for name in sorted(removed)]
    return "".join(lines).encode()


def owed(data: bytes) -> dict[str, bool]:
    """By name, whether it is there; a line that was torn says nothing."""
    lines = data.decode("utf-8", "replace").splitlines()
    return {line[1:]: line[0] == "+" for line in lines if line[:1] in {"+", "-"} and NAME.fullmatch(line[1:])}
