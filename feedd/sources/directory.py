"""Folders of seed files: which files there are, which changed, and what stands in them.

A look at an unchanged folder costs little more than listing it: a file is read only when its size, mtime or
inode changed. Names are hostile: no symbolic link leads out of the folder, and nothing but regular files is
opened.
"""

import marshal
import os
import re
import stat
import time
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from feedd.errors import OutOfFiles, SourceError
from feedd.limits import in_words, ran_out
from feedd.model import Item, Rejected, Stamp
from feedd.rules import Filter

STILL_NS = 100_000_000  # a file that stood still for so long is not being written
FRESH_NS = 2_000_000_000  # the granularity of time stamps may hide a change to a younger file
COARSE_NS = 10_000_000
LARGEST = (1 << 63) - 1
SETTLE_ROUNDS = 3
SUFFIX_PATTERN = re.compile(r"\*\*/\*(\.[A-Za-z0-9]+)")
GLOB_PART = re.compile(r"\*\*/|\*\*|\*|\?|\[!?\]?[^\]/]*\]|.", re.DOTALL)
GLOB_SPELLED = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}

Known = dict[str, tuple[int | None, int | None, int | None]]


class Found(NamedTuple):
    """A file that is new, or whose stamp is another than when it was read last."""

    path: str  # below the folder
    stamp: Stamp


class Survey(NamedTuple):
    """What a folder holds."""

    files: list[tuple[str, int, int, int]]  # path and stamp of each that include and exclude choose
    rejected: list[Rejected]
    unreadable: list[str]  # folders that can't be listed

    @property
    def digest(self) -> bytes:
        """The same if nothing in the folder changed; 16 bytes."""
        refused = [(each.where, each.reason) for each in self.rejected]
        # version 2: from 3 on, equal values may be written in different bytes
        return blake2b(marshal.dumps((self.files, refused), 2), digest_size=16).digest()


class Listing(NamedTuple):
    """What a folder holds, set against what is known of it."""

    present: int  # files that were chosen by include and exclude
    changed: list[Found]
    gone: list[str]
    rejected: list[Rejected]
    digest: bytes | None = None  # of the survey, where the whole folder was listed


class Waiting(NamedTuple):
    """A file that is being written: it counts as present and is read at the next look."""

    path: str


Outcome = Item | Rejected | Waiting  # what a file comes to


class Reading(NamedTuple):
    """How the files of a source are read."""

    root: str
    encoding: str | None
    ignore_scheme: bool
    rewrite: tuple[tuple[str, str, str], ...] = ()  # part, expression, replacement
    ignore: tuple[re.Pattern[str], ...] = ()
    filter: Filter = Filter()
    keep_raw: bool = False


class Selection:
    """Which files of a folder are meant, by glob patterns on the path below it."""

    def __init__(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        suffixes = [SUFFIX_PATTERN.fullmatch(pattern) for pattern in include]
        self.suffixes = tuple(found[1] for found in suffixes if found)
        self.include = any_of(
            [pattern for pattern, found in zip(include, suffixes, strict=True) if not found]
        )
        self.exclude = any_of(exclude)

    def __contains__(self, path: str) -> bool:
        if not path.endswith(self.suffixes) and not (self.include and self.include.fullmatch(path)):
            return False
        return not (self.exclude and self.exclude.fullmatch(path))


def any_of(patterns: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(map(translate, patterns)), re.DOTALL) if patterns else None


def translate(pattern: str) -> str:
    """A glob as a regular expression: ``**/`` is any folders, ``*`` and ``?`` stay within one name."""
    return "".join(map(spell, GLOB_PART.findall(pattern)))


def spell(part: str) -> str:
    if part in GLOB_SPELLED:
        return GLOB_SPELLED[part]
    if len(part) > 2 and part[0] == "[":
        inside = part[1:-1].replace("\\", r"\\")
        return f"[^{inside[1:]}]" if inside[0] == "!" else f"[{inside}]"
    return re.escape(part)


def scan(root: Path, selection: Selection, known: Known) -> Listing:
    """List the folder, set against what is known of it. Raises SourceError where it can't be listed."""
    return compare(survey(root, selection), known)


def survey(root: Path, selection: Selection) -> Survey:
    """List the folder. Raises SourceError where the folder itself can't be listed."""
    walk = Walk(os.fspath(root), selection)
    try:
        walk.folder("")
    except OSError as error:
        why = in_words() if ran_out(error) else os.strerror(error.errno or 0)
        raise SourceError(f"the folder {root} can't be listed: {why}") from error
    while walk.pending:
        prefix = walk.pending.pop()
        try:
            walk.folder(prefix)
        except FileNotFoundError:  # went away since it was listed
            continue
        except OSError as error:
            if ran_out(error):
                raise OutOfFiles(in_words()) from error
            walk.unreadable.append(prefix)
            walk.refuse(prefix, f"the folder can't be listed: {os.strerror(error.errno or 0)}")
    return Survey(walk.files, walk.rejected, walk.unreadable)


def compare(survey: Survey, known: Known) -> Listing:
    """Which files changed and which are gone. What can't be looked at counts as present."""
    changed = [Found(path, Stamp(*stamp)) for path, *stamp in survey.files if known.get(path) != tuple(stamp)]
    changed.sort()
    gone = known.keys() - {file[0] for file in survey.files} - {each.where for each in survey.rejected}
    if survey.unreadable:
        gone = {path for path in gone if not path.startswith(tuple(survey.unreadable))}
    return Listing(len(survey.files), changed, sorted(gone), survey.rejected)


class Walk:
    """One walk over a folder; folders and files whose names begin with a dot are no articles."""

    def __init__(self, root: str, selection: Selection) -> None:
        self.root = root
        self.real_root = os.path.realpath(root)
        self.selection = selection
        self.files: list[tuple[str, int, int, int]] = []
        self.rejected: list[Rejected] = []
        self.unreadable: list[str] = []
        self.pending: list[str] = []

    def folder(self, prefix: str) -> None:
        selection, add = self.selection, self.files.append
        with os.scandir(os.path.join(self.root, prefix)) as entries:
            for entry in entries:
                name = entry.name
                if name[0] == ".":
                    continue
                path = prefix + name
                if entry.is_dir(follow_symlinks=False):
                    self.pending.append(path + "/")
                elif path in selection:
                    try:
                        info = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:  # went away since it was listed
                        continue
                    except OSError as error:
                        self.refuse(path, f"can't be read: {os.strerror(error.errno or 0)}")
                        continue
                    if stat.S_ISREG(info.st_mode):
                        mtime_ns, inode = info.st_mtime_ns, info.st_ino
                        if inode <= LARGEST and -LARGEST <= mtime_ns <= LARGEST:  # as good as always
                            add((path, info.st_size, mtime_ns, inode))
                        else:
                            add((path, *stamp_of(info)))
                    else:
                        self.irregular(path, info.st_mode)
                elif entry.is_symlink() and os.path.isdir(entry.path):
                    why = "a symbolic link to a folder is not followed; make that folder a source of its own"
                    self.refuse(path, why)

    def is_linked(self, folder: str) -> bool:
        """Whether a symbolic link leads to a folder below this one."""
        real = os.path.realpath(os.path.join(self.root, folder))
        return real != os.path.normpath(os.path.join(self.real_root, folder))

    def refuse(self, path: str, reason: str) -> None:
        self.rejected.append(Rejected(path, reason))

    def irregular(self, path: str, mode: int) -> None:
        """A symbolic link counts as the file that it leads to, if that lies in the folder; nothing else counts."""
        if not stat.S_ISLNK(mode):
            self.refuse(path, f"is {kind_of_file(mode)}, no regular file")
            return
        try:
            target = os.path.realpath(os.path.join(self.root, path), strict=True)
            info = os.stat(target)
        except OSError as error:
            self.refuse(path, f"is a broken symbolic link: {os.strerror(error.errno or 0)}")
            return
        if os.path.commonpath([target, self.real_root]) != self.real_root:
            self.refuse(path, "is a symbolic link that leads out of the folder")
        elif stat.S_ISREG(info.st_mode):
            self.files.append((path, *stamp_of(info)))
        else:
            self.refuse(path, "is a symbolic link to something that is no regular file")


def stamp_of(info: os.stat_result) -> Stamp:
    """The stamp, each number of it in 64 bits with a sign: some file systems count beyond, SQLite doesn't."""
    mtime_ns, inode = info.st_mtime_ns, info.st_ino
    if inode > LARGEST:
        inode -= 1 << 64
    return Stamp(info.st_size, min(max(mtime_ns, -LARGEST), LARGEST), inode)


def kind_of_file(mode: int) -> str:
    kinds = (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a FIFO"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISBLK, "a block device"),
        (stat.S_ISCHR, "a character device"),
    )
    return next((words for test, words in kinds if test(mode)), "something else")


def pick(root: Path, selection: Selection, paths: Iterable[str], known: Known) -> Listing:
    """As `scan`, but looks at these paths alone: what a file-system event named."""
    walk, gone = Walk(os.fspath(root), selection), []
    for path in sorted(set(paths)):
        if path not in selection or any(part.startswith(".") for part in path.split("/")):
            continue
        if walk.is_linked(os.path.dirname(path)):
            continue
        try:
            info = os.lstat(os.path.join(walk.root, path))
        except OSError:
            gone.append(path)
            continue
        if stat.S_ISREG(info.st_mode):
            walk.files.append((path, *stamp_of(info)))
        elif not stat.S_ISDIR(info.st_mode):
            walk.irregular(path, info.st_mode)
    return compare(Survey(walk.files, walk.rejected, []), known)._replace(gone=gone)


def standing(files: Sequence[Found], now_ns: int) -> tuple[list[Found], list[Found]]:
    """Part the files that stood still for 100 ms from those that may be being written."""
    still = [found for found in files if now_ns - found.stamp.mtime_ns >= STILL_NS]
    return still, [found for found in files if now_ns - found.stamp.mtime_ns < STILL_NS]


def settle(root: Path, moving: Sequence[Found]) -> tuple[list[Found], list[Waiting]]:
    """Wait a little for files to stand still; returns those that do, and those that are still being written."""
    still: list[Found] = []
    for _ in range(SETTLE_ROUNDS):
        if not moving:
            break
        time.sleep(STILL_NS / 1e9)
        again = [(found, restat(root, found.path)) for found in moving]
        still += [found for found, stamp in again if stamp == found.stamp]
        moving = [Found(found.path, stamp) for found, stamp in again if stamp and stamp != found.stamp]
    still.sort()
    return still, [Waiting(found.path) for found in moving]


def restat(root: Path, path: str) -> Stamp | None:
    try:
        info = os.stat(os.path.join(root, path))
    except OSError:
        return None
    return stamp_of(info)


def is_fresh(stamp: Stamp, now_ns: int) -> bool:
    """Whether the file is so young that it is looked at once more."""
    return -FRESH_NS < now_ns - stamp.mtime_ns < FRESH_NS


def is_trusted(stamp: Stamp, now_ns: int) -> bool:
    """Whether any later change must show in the stamp: some file systems count time in steps of up to 2 s."""
    return not is_fresh(stamp, now_ns) or stamp.mtime_ns % COARSE_NS != 0
