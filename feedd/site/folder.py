"""The directory that is published to: what is put there whole, what is ours there, and what is left alone.

Whoever publishes holds a lock on the directory. A file that is in our place and not of our making is refused, and
nothing that the manifest does not name is touched.
"""

import errno
import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from feedd import atomic
from feedd.errors import PublishError
from feedd.site import manifest as manifests
from feedd.site.coding import CODINGS, coded
from feedd.site.manifest import JOURNAL, MANIFEST, File, Manifest
from feedd.store.marks import Mark

FOLDER_MODE = 0o755
PATIENCE_S = 10.0  # for another process that publishes there
POLL_S = 0.1
MADE_BY_FILE_SYSTEMS = {"lost+found"}


class Folder:
    """The directory, while it is ours alone. Usable from several threads, for different names."""

    def __init__(self, root: Path, before: Manifest, claimed: Mapping[str, set[str]]) -> None:
        self.root = root
        self.looks = (
            True  # whether what is there is still as the manifest says is looked at, a file at a time
        )
        self.before = before
        self.mark = before.mark
        self.files = dict(before.files)
        self.claimed = claimed  # by a publishing that was killed: by name, hashes
        self.sound = {root}  # folders that are no links
        self.kept = set[str]()  # names that stay
        self.written = list[str]()
        self.removed = list[str]()
        self.refused = dict[str, str]()  # why, by name

    def forget(self) -> None:
        """Take nothing for as it should be: all is made anew, and compared with what is there byte by byte."""
        self.files = {name: file._replace(state="") for name, file in self.files.items()}

    def holds(self, name: str, state: str) -> bool:
        """Whether what is there was made from that; then it stays."""
        for each in (name, *(name + coding for coding in CODINGS)):
            file = self.files.get(each)
            if file is None and each != name:
                continue
            if file is None or file.state != state:
                return False
            if self.looks and size_of(f"{self.root}/{each}") != file.size:
                return False
        self.keep(name)
        return True

    def keep(self, name: str) -> None:
        """It stays, as it is; so does what lies compressed beside it."""
        self.kept.update(
            each for each in (name, *(name + coding for coding in CODINGS)) if each in self.files
        )

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
                self.files[each] = made[each]
                self.written.append(each)
        mine = {each: file for each, file in made.items() if each not in self.refused}
        self.files.update(mine)
        self.kept.update(mine)

    def is_to_be_written(self, name: str, file: File) -> bool:
        known = self.files.get(name)
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
        self.refused[name] = (
            "is there already, and feedd did not write it"
            if known is None
            else "was changed by another program"
        )
        return False

    def is_ours(self, name: str, found: str) -> bool:
        known = self.files.get(name)
        return (known is not None and known.sha256 == found) or found in self.claimed.get(name, ())

    def make_folders(self, name: str) -> None:
        """Those above a file. Raises PublishError for a link, which may lead anywhere; OSError."""
        missing = list[Path]()
        folder = (self.root / name).parent
        while folder not in self.sound:
            missing.append(folder)
            folder = folder.parent
        for each in reversed(missing):
            with suppress(FileExistsError):
                os.mkdir(each)
                os.chmod(each, FOLDER_MODE)
                atomic.sync_folder(each.parent)
            if not stat.S_ISDIR(os.lstat(each).st_mode):
                raise PublishError(f"{each} is no folder but a link or a file that feedd did not make")
            self.sound.add(each)

    def note(self, files: Mapping[str, File]) -> None:
        """Say in the journal what is about to be put in place."""
        lines = b"".join(manifests.journal_line(name, file.sha256) for name, file in files.items())
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self.root / JOURNAL, flags, atomic.MODE)
        try:
            os.write(descriptor, lines)
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    def clear(self) -> None:
        """Remove what is no longer wanted, of what is ours. Raises PublishError."""
        with self.in_words():
            for name in [each for each in self.files if each not in self.kept and each not in self.refused]:
                self.remove(name)

    def remove(self, name: str) -> None:
        """What somebody else put there in the place of ours is theirs, and stays."""
        path = self.root / name
        found = hash_of(path) if self.leads_here(name) else None
        if found is not None and self.is_ours(name, found):
            path.unlink()
            self.removed.append(name)
            for folder in path.relative_to(self.root).parents[:-1]:
                try:
                    (self.root / folder).rmdir()
                except OSError:
                    break  # it holds something
        del self.files[name]

    def leads_here(self, name: str) -> bool:
        """Whether no folder above the file is a link."""
        return all(
            size_of(self.root / each, stat.S_ISDIR) is not None for each in Path(name).parents if each.name
        )

    def settle(self) -> None:
        """Write down what is there now. Raises PublishError."""
        known = Manifest(self.before.store, self.mark, self.files)
        with self.in_words():
            for folder in {(self.root / name).parent for name in self.written}:
                atomic.sync_folder(folder)
            if known.files != self.before.files:
                atomic.write(self.root / MANIFEST, manifests.encoded(known))
            (self.root / JOURNAL).unlink(missing_ok=True)

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
        descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise PublishError(explain(error, root)) from error
    try:
        locked(descriptor, root)
        folder = found(root, store, adopt=adopt)
        try:
            yield folder
        finally:
            folder.settle()
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
        for above in {(root / name).parent for name in claimed} | {root}:
            if above.is_dir():
                atomic.sweep(above)
    except OSError as error:
        raise PublishError(explain(error, root)) from error
    folder = Folder(root, before._replace(store=store), claimed)
    if before.store != store:
        folder.mark = Mark()
        folder.forget()
    return folder


def contents(path: Path) -> bytes | None:
    """Of an ordinary file, not of what a link leads to; None where there is none. Raises OSError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise IsADirectoryError(errno.EISDIR, "is no ordinary file")
    with open(descriptor, "rb") as file:
        return file.read()


def hash_of(path: Path) -> str | None:
    """Of what is in that place: "" of what is no ordinary file; None where there is nothing. Raises OSError."""
    try:
        data = contents(path)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO, errno.EISDIR}:
            return ""
        raise
    return None if data is None else sha256(data).hexdigest()


def size_of(path: Path | str, is_kind: Callable[[int], bool] = stat.S_ISREG) -> int | None:
    """Of an ordinary file; None of anything else."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return status.st_size if is_kind(status.st_mode) else None


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
