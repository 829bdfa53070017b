"""The directory that is published to: what is put there whole, what is ours there, and what is left alone.

Whoever publishes holds a lock on the directory. A file that is in our place and not of our making is refused, and
nothing that the manifest does not name is touched.
"""

import errno
import fcntl
import os
import stat
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from feedd import atomic
from feedd.errors import PublishError
from feedd.site import manifest as manifests
from feedd.site.coding import coded, coded_names, plain_name
from feedd.site.files import contents, hash_of, leads_here, size_of
from feedd.site.ledger import Ledger
from feedd.site.manifest import JOURNAL, MANIFEST, OWED, WHOLE, File, Manifest, part_of
from feedd.store.marks import Mark

FOLDER_MODE = 0o755
PATIENCE_S = 10.0  # for another process that publishes there
POLL_S = 0.1
CHANGED = "was changed by another program"
MADE_BY_FILE_SYSTEMS = {"lost+found"}


class Folder:
    """The directory, while it is ours alone. Usable from several threads, for different names."""

    def __init__(self, root: Path, before: Manifest, claimed: Mapping[str, Mapping[str, str]]) -> None:
        self.root = root
        self.looks = True  # at each file that is there, whether it still is as the manifest says
        self.owes = False  # a command is to be told of what changes
        self.mark = before.mark
        self.pages_made_by = before.pages_made_by
        self.ledger = Ledger(root, before)
        self.claimed = claimed  # by a publishing that was killed: by name, states by hash
        self.seen = {root}  # folders that are no links
        self.kept = set[str]()  # names that stay
        self.pages = 0  # files of pages of entries, which stay until they are removed, and are only counted
        self.written = list[str]()
        self.removed = list[str]()
        self.refused = dict[str, str]()  # why, by name

    def claim(self) -> None:
        """Take for ours what a publishing that was killed put in place. Raises OSError, PublishError."""
        for name, states in self.claimed.items():
            known = self.ledger.get(name)
            found = hash_of(self.root / name) if leads_here(self.root, name) else None
            if found is not None and found in states and (known is None or known.sha256 != found):
                self.ledger.set(name, File(size_of(self.root / name) or 0, found, states[found]))
        for name, states in self.claimed.items():
            known = self.ledger.get(name)
            if known is None or known.sha256 not in states:  # what lies beside it is to be put anew, with it
                self.distrust(plain_name(name))

    def distrust(self, name: str) -> None:
        for each in coded_names(name):
            if (file := self.ledger.get(each)) is not None:
                self.ledger.set(each, file._replace(state=""))

    def forget(self) -> None:
        """Take nothing for as it should be: all is made anew, and compared with what is there byte by byte."""
        self.ledger.forget()
        self.pages_made_by = ""

    def names(self, part: str = WHOLE) -> list[str]:
        """Raises PublishError."""
        with self.in_words():
            return list(self.ledger.of(part))

    def parts(self) -> list[str]:
        """Raises PublishError."""
        with self.in_words():
            return self.ledger.parts()

    def release(self, part: str) -> None:
        """Forget a part that is done with. Raises PublishError."""
        if part != WHOLE:
            with self.in_words():
                self.ledger.release(part)

    def has(self, name: str) -> bool:
        """Whether it is there, and stays. Raises PublishError."""
        if part_of(name) == WHOLE:
            return name in self.kept
        with self.in_words():
            return self.ledger.get(name) is not None

    def holds(self, name: str, state: str) -> bool:
        """Whether what is there was made from that; then it stays. Raises PublishError."""
        with self.in_words():
            found = {each: file for each in coded_names(name) if (file := self.ledger.get(each))}
        if name not in found or any(file.state != state for file in found.values()):
            return False
        if self.looks and not all(self.is_as_noted(*each) for each in found.items()):
            return False
        self.stay(name, found)
        return True

    def is_as_noted(self, name: str, file: File) -> bool:
        above = (self.root / name).parent
        if above not in self.seen:
            if not leads_here(self.root, name):
                return False
            self.seen.add(above)
        return size_of(f"{self.root}/{name}") == file.size

    def keep(self, name: str) -> None:
        """It stays, as it is; so does what lies compressed beside it."""
        self.stay(name, [each for each in coded_names(name) if self.ledger.get(each)])

    def stay(self, name: str, files: Collection[str]) -> None:
        if part_of(name) == WHOLE:
            self.kept.update(files)
        else:
            self.pages += len(files)

    def put(self, name: str, data: bytes, state: str) -> None:
        """Write what differs from what is there. Raises PublishError; a file that is not ours is noted as refused."""
        if not manifests.NAME.fullmatch(name):
            raise PublishError(f"{name!r} is no name of a file that feedd publishes")
        parts = {name: data, **{name + coding: part for coding, part in coded(data).items()}}
        made = {each: File(len(part), sha256(part).hexdigest(), state) for each, part in parts.items()}
        with self.in_words():
            self.make_folders(name)
            new = {each: file for each, file in made.items() if self.is_to_be_written(each, file)}
            if new:
                self.note(new)
            for each in new:
                atomic.place(self.root / each, parts[each])
                self.written.append(each)
            mine = [each for each in made if each not in self.refused]
            for each in mine:
                self.ledger.set(each, made[each])
            self.stay(name, mine)
            for each in coded_names(name):
                if each not in made and self.ledger.get(each):
                    self.remove(each)

    def is_to_be_written(self, name: str, file: File) -> bool:
        known = self.ledger.get(name)
        path = self.root / name
        if known is not None and known.sha256 == file.sha256 and size_of(path) == file.size and known.state:
            return False
        found = hash_of(path)
        if found is None:
            return True
        if found == file.sha256:
            return False
        if self.is_ours(name, found):
            return True
        self.refused[name] = "is there already, and feedd did not write it" if known is None else CHANGED
        return False

    def is_ours(self, name: str, found: str) -> bool:
        known = self.ledger.get(name)
        return known is not None and known.sha256 == found

    def make_folders(self, name: str) -> None:
        """Those above a file. Raises PublishError for a link, which may lead anywhere; OSError."""
        if leads_here(self.root, name):
            return
        for each in reversed((self.root / name).relative_to(self.root).parents[:-1]):
            folder = self.root / each
            with suppress(FileExistsError):
                os.mkdir(folder)
                os.chmod(folder, FOLDER_MODE)
                atomic.sync_folder(folder.parent)
            if not stat.S_ISDIR(os.lstat(folder).st_mode):
                raise PublishError(f"{folder} is no folder but a link or a file that feedd did not make")

    def note(self, files: Mapping[str, File]) -> None:
        """Say in the journal what is about to be put in place."""
        lines = b"".join(manifests.journal_line(name, file) for name, file in files.items())
        atomic.append(self.root / JOURNAL, lines)

    def clear(self) -> None:
        """Remove what nobody said of that it stays, of what is ours; no pages of entries. Raises PublishError."""
        for name in self.names():
            if name not in self.kept and name not in self.refused:
                self.remove(name)

    def clear_pages(self) -> None:
        """Remove all pages of entries. Raises PublishError."""
        for part in self.parts():
            for name in self.names(part):
                self.remove(name)
            self.release(part)

    def withdraw(self, name: str) -> None:
        """Remove a page, and what lies compressed beside it, if it is there. Raises PublishError."""
        for each in coded_names(name):
            if self.ledger.get(each) is not None:
                self.remove(each)

    def remove(self, name: str) -> None:
        """What somebody else put there in the place of ours is theirs, and stays. Raises PublishError."""
        with self.in_words():
            path = self.root / name
            is_behind_link = not leads_here(self.root, name) and os.path.lexists(path)
            found = "" if is_behind_link else hash_of(path)
            if found is None or self.is_ours(name, found):
                if found is not None:
                    path.unlink()
                    self.remove_folders(path)
                self.removed.append(name)
            else:
                self.refused[name] = f"{CHANGED}, so that it was not removed"
            self.ledger.remove(name)

    def remove_folders(self, path: Path) -> None:
        """Those above what was removed, as far as they hold nothing."""
        for folder in path.relative_to(self.root).parents[:-1]:
            try:
                (self.root / folder).rmdir()
            except OSError:
                break

    def settle(self) -> None:
        """Write down what is there now. Raises PublishError."""
        with self.in_words():
            for folder in {(self.root / name).parent for name in self.written}:
                atomic.sync_folder(folder)
            self.ledger.settle(self.mark, self.pages_made_by)
        self.owe()
        with self.in_words():
            (self.root / JOURNAL).unlink(missing_ok=True)

    def owe(self) -> None:
        """Note for the command what changed by now; to be told of something twice does no harm. Raises PublishError."""
        lines = manifests.owed_lines({*self.written, *self.claimed}, self.removed)
        if self.owes and lines:
            with self.in_words():
                atomic.append(self.root / OWED, lines)

    @contextmanager
    def in_words(self) -> Iterator[None]:
        """What the system says, as PublishError."""
        try:
            yield
        except OSError as error:
            raise PublishError(explain(error, self.root)) from error


@contextmanager
def opened(root: Path, store: str, *, adopt: bool = False) -> Iterator[Folder]:
    """The directory, made if it is not there, for us alone; what was put there is written down at the end.

    `adopt`: also one that was published from another database. Raises PublishError.
    """
    try:
        if not root.exists():
            os.mkdir(root)
            os.chmod(root, FOLDER_MODE)
    except OSError as error:
        raise PublishError(explain(error, root)) from error
    with holding(root):
        folder = found(root, store, adopt=adopt)
        try:
            yield folder
        finally:
            folder.settle()


@contextmanager
def holding(root: Path) -> Iterator[None]:
    """The directory, for us alone. Raises PublishError."""
    try:
        descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise PublishError(explain(error, root)) from error
    try:
        locked(descriptor, root)
        yield
    finally:
        os.close(descriptor)


def locked(descriptor: int, root: Path) -> None:
    """Raises PublishError where another process publishes there for long."""
    end_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end_s:
                raise PublishError(f"{root}: another feedd is publishing there at this moment") from None
            time.sleep(POLL_S)
        except OSError as error:
            raise PublishError(explain(error, root)) from error
        else:
            return


def found(root: Path, store: str, *, adopt: bool) -> Folder:
    """What is there, and ours. Raises PublishError."""
    try:
        data = contents(root / MANIFEST)
        if data is None:
            if others := sorted(set(os.listdir(root)) - MADE_BY_FILE_SYSTEMS - {JOURNAL}):
                raise PublishError(
                    f"{root} is not empty (it holds {others[0]}), and feedd did not publish there before, so that"
                    " nothing was written; name an empty directory in publish.directory, or one that is not there yet"
                )
            data = manifests.encoded(Manifest(store))
            atomic.write(root / MANIFEST, data)
        before = manifests.decoded(data, str(root / MANIFEST))
        if before.store != store and not adopt:
            raise PublishError(
                f"{root} holds what was published from another database, so that nothing was written; name another"
                " directory, or let this database take its place with `feedd publish --adopt`"
            )
        claimed = manifests.journalled(contents(root / JOURNAL) or b"")
        for name in {f"{os.path.dirname(name)}/x" for name in claimed} | {MANIFEST}:
            if leads_here(root, name):
                atomic.sweep((root / name).parent)
        folder = Folder(root, before._replace(store=store), claimed)
        folder.claim()
    except OSError as error:
        raise PublishError(explain(error, root)) from error
    if before.store != store:
        folder.mark = Mark()
        folder.forget()
    return folder


def explain(error: OSError, root: Path) -> str:
    kept = "what was published before stays as it was"
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return f"{root} can't be written: the disk is full; {kept}"
        case errno.EROFS | errno.EACCES | errno.EPERM:
            return (
                f"{root} can't be written: {os.strerror(error.errno)}; let feedd's user write there; {kept}"
            )
        case errno.ENOENT:
            return f"{root} is not there, or was taken away meanwhile; the folder above it must be there"
        case errno.ENOTDIR:
            return f"{root} is no directory, or something in it that should be one is none"
        case _:
            return f"{root} can't be written: {os.strerror(error.errno or 0)}; {kept}"
