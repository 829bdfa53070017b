"""An archive as a git repository: one commit a pass, of what feedd wrote and nothing else.

Whatever others do in the repository stays: what they changed and staged is not committed, their locks are waited for and
never removed, and what they are in the middle of (a merge, a rebase, another commit checked out) is theirs to end. No hook
runs, nothing asks, and no configuration counts but the repository's own.

A commit is put together beside the index of the repository, from the bytes that stand in the files: neither attributes
(line ends, `ident`, filters, which are programs) nor what of the folder is checked out or ignored changes what is committed.
"""

import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from feedd.errors import FeeddError, MirrorError
from feedd.mirror.folder import MARK, in_words
from feedd.normalise.text import FORBIDDEN
from feedd.sources.process import Ended, Program, run

SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "i18n.commitEncoding=UTF-8",
    "push.gpgSign=false",
    "init.defaultBranch=main",
    "gc.autoDetach=false",  # nothing goes on in the background
)
ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS_REQUIRE": "never",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "LC_ALL": "C",
}
TIMEOUT_S = 1_800.0  # a first commit of some hundred thousand files takes minutes
PUSH_TIMEOUT_S = 600.0
MAX_OUTPUT = 256_000_000
LOCK_WAIT_S = 10.0
POLL_S = 0.1
TRIES = 3  # while others commit
# what is begun and not ended, by a file of git's
UNDER_WAY = {
    "MERGE_HEAD": "a merge",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "BISECT_LOG": "a bisection",
}
LINES = 3  # of what git says
CREDENTIALS = re.compile(r"//[^/\s]+@")
LONGEST_SUBJECT = 72
MOST_LINES = 500  # of a message
PLAIN_FILE = "100644"


class Repository(NamedTuple):
    folder: Path
    author: str
    address: str  # of the author
    remote: str | None = None
    lock_wait_s: float = LOCK_WAIT_S
    own_index: Path | None = None  # to be used in place of the repository's

    def told(self, *words: str, given: bytes = b"", unwanted: Callable[[], bool] = bool) -> bytes:
        """What git prints. Raises MirrorError where it fails."""
        return self.printed(self.asked(*words, given=given, unwanted=unwanted))

    def line(self, *words: str, given: bytes = b"") -> str:
        """The line that git prints, such as a path. Raises MirrorError where it fails."""
        return os.fsdecode(self.told(*words, given=given).removesuffix(b"\n"))

    def printed(self, ended: Ended) -> bytes:
        if ended.status:
            raise MirrorError(
                f"{self.folder}: {reason(ended.errors) or f'git ended with status {ended.status}'}"
            )
        return ended.output

    def asked(
        self,
        *words: str,
        given: bytes = b"",
        timeout_s: float = TIMEOUT_S,
        unwanted: Callable[[], bool] = bool,
    ) -> Ended:
        """Run git to its end, whatever it says. Raises MirrorError."""
        settings = [part for each in SETTINGS for part in ("-c", each)]
        # whatever else is in the environment, such as GIT_DIR, is not meant for this repository
        kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        who = {
            f"GIT_{role}_{part}": value
            for role in ("AUTHOR", "COMMITTER")
            for part, value in (("NAME", self.author), ("EMAIL", self.address))
        }
        around = {"GIT_CEILING_DIRECTORIES": str(self.folder.resolve().parent)}
        if self.own_index is not None:
            around["GIT_INDEX_FILE"] = str(self.own_index)
        environment = kept | ENVIRONMENT | who | around
        program = Program(("git", *settings, *words), timeout_s, MAX_OUTPUT, self.folder, environment, given)
        try:
            return run(program, unwanted)
        except FeeddError as error:
            if shutil.which("git") is None:
                why = (
                    "git is not installed, so that nothing can be committed; install it, or write git = false"
                )
                raise MirrorError(f"{self.folder}: {why}") from error
            raise MirrorError(f"{self.folder}: {error}") from error


def reason(errors: bytes) -> str:
    """What git says is wrong, without credentials. Part of it is said by the remote: nothing in it acts."""
    text = FORBIDDEN.sub("", errors.decode("utf-8", "replace"))
    if "dubious ownership" in text:
        return (
            "the repository belongs to another user than the one that feedd runs as; let feedd's user own it"
        )
    lines = text.strip().splitlines()
    wrong = [line for line in lines if line.startswith(("fatal:", "error:", "ssh:", " ! "))]
    said = " / ".join(each.strip() for each in (wrong or lines)[-LINES:])
    return f"git says: {CREDENTIALS.sub('//', said)}" if said else ""


def begun(repository: Repository) -> None:
    """There is a repository. Raises MirrorError."""
    if not (repository.folder / ".git").exists():
        repository.told("init", "--quiet")


def committed(repository: Repository, path: str) -> bytes | None:
    """A file as the newest commit has it; None where it has none. Raises MirrorError."""
    if head(repository) is None:
        return None
    ended = repository.asked("cat-file", "blob", f"HEAD:{path}")
    return ended.output if ended.status == 0 else None


def head(repository: Repository) -> str | None:
    """The newest commit; None: there is none yet. Raises MirrorError."""
    return revision(repository, "HEAD")


def revision(repository: Repository, name: str) -> str | None:
    ended = repository.asked("rev-parse", "--quiet", "--verify", f"{name}^{{commit}}")
    if ended.status and ended.errors.strip():
        repository.printed(ended)
    return ended.output.decode().strip() or None


class Change(NamedTuple):
    status: str  # A: added, M: modified; as git says it
    path: str


def commit(repository: Repository, paths: Iterable[str], unwanted: Callable[[], bool] = bool) -> bool:
    """Commit these files, as far as they differ from the newest commit; whether any of them, but the mark, does.

    Raises MirrorError: then what was written is there, and another try commits it.
    """
    unhindered(repository)
    unlocked(repository, unwanted)
    entries = as_entries(repository, sorted(set(paths)), unwanted)
    for _ in range(TRIES):
        base = head(repository)
        prepared = prepare(repository, base, entries)
        if prepared is None:
            return False
        # before the branch moves: else who commits in between takes back what feedd wrote
        staged(repository, entries)
        words = ("update-ref", "-m", f"commit: {prepared.subject}", "HEAD", prepared.name, base or "")
        moved = repository.asked(*words)
        if moved.status == 0 or head(repository) == base:
            break  # else somebody else committed meanwhile
    repository.printed(moved)
    repository.asked("gc", "--auto", "--quiet", unwanted=unwanted)
    return True


class Prepared(NamedTuple):
    """A commit that no branch has yet."""

    name: str
    subject: str


def prepare(repository: Repository, base: str | None, entries: bytes) -> Prepared | None:
    """Make a commit of these entries upon `base`; None where none of them, but the mark, differs from that."""
    with in_words(Path(tempfile.gettempdir())), tempfile.TemporaryDirectory(prefix="feedd-") as beside:
        apart = repository._replace(own_index=Path(beside, "index"))
        apart.told("read-tree", base or "--empty")
        staged(apart, entries)
        changes = changed(apart, base or apart.line("hash-object", "-t", "tree", os.devnull))
        if not any(change.path != MARK for change in changes):
            return None
        tree = apart.line("write-tree")
    message = message_of(changes)
    parents = ("-p", base) if base else ()
    name = repository.line("commit-tree", tree, *parents, given=message.encode())
    return Prepared(name, message.splitlines()[0])


def as_entries(repository: Repository, paths: Sequence[str], unwanted: Callable[[], bool]) -> bytes:
    """These files, stored as they stand in the folder, as entries of an index."""
    listed = "".join(f"{path}\n" for path in paths).encode()
    words = ("hash-object", "-w", "--no-filters", "--stdin-paths")
    names = repository.told(*words, given=listed, unwanted=unwanted).decode().split()
    return "".join(f"{PLAIN_FILE} {name}\t{path}\0" for name, path in zip(names, paths, strict=True)).encode()


def staged(repository: Repository, entries: bytes) -> None:
    """Put these into the index, whatever else is in it."""
    repository.told("update-index", "--add", "--replace", "-z", "--index-info", given=entries)


def changed(repository: Repository, base: str) -> list[Change]:
    """What the index holds that differs from a commit or tree."""
    words = ("diff-index", "--cached", "--name-status", "--no-renames", "-z", base, "--")
    parts = os.fsdecode(repository.told(*words)).split("\0")
    return [Change(*each) for each in zip(parts[::2], parts[1::2], strict=False)]


def unhindered(repository: Repository) -> None:
    """Raises MirrorError where others are in the middle of something."""
    folder = repository.folder
    own = Path(folder, repository.line("rev-parse", "--git-dir"))
    for name, what in UNDER_WAY.items():
        if (own / name).exists():
            raise MirrorError(f"{folder}: {what} is under way; end it, then what feedd wrote is committed")
    branch(repository)


def branch(repository: Repository) -> str:
    """The branch that is checked out. Raises MirrorError where none is."""
    ended = repository.asked("symbolic-ref", "--quiet", "HEAD")
    if ended.status:
        raise MirrorError(
            f"{repository.folder}: HEAD is detached; check out a branch (git switch NAME), then what feedd wrote is"
            " committed"
        )
    return os.fsdecode(ended.output.removesuffix(b"\n"))


def unlocked(repository: Repository, unwanted: Callable[[], bool]) -> None:
    """Wait for others who work on the index. Raises MirrorError where they go on."""
    lock = Path(repository.folder, repository.line("rev-parse", "--git-path", "index.lock"))
    until = time.monotonic() + repository.lock_wait_s
    while lock.exists():
        if time.monotonic() >= until or unwanted():
            raise MirrorError(
                f"{repository.folder}: {lock} is there: a git is at work, or was killed; if none is, remove that file."
                " What feedd wrote is committed then"
            )
        time.sleep(POLL_S)


def pushed(repository: Repository, unwanted: Callable[[], bool]) -> None:
    """Push the branch to the remote, if that has not all of it. Raises MirrorError."""
    remote, ours = repository.remote, head(repository)
    if remote is None or ours is None:
        return
    name = branch(repository)
    short = name.removeprefix("refs/heads/")
    if revision(repository, f"refs/remotes/{remote}/{short}") == ours:
        return
    words = ("push", "--quiet", "--no-verify", "--no-recurse-submodules", "--", remote, f"{name}:{name}")
    try:
        repository.printed(repository.asked(*words, timeout_s=PUSH_TIMEOUT_S, unwanted=unwanted))
    except MirrorError as error:
        raise MirrorError(f"{error}; it is committed, and pushed later to '{remote}'") from error


def message_of(changes: Iterable[Change]) -> str:
    """What a commit holds, counted by folder: `rfi: 3 added, 1 edited; blog: 1 added`."""
    added, edited = dict[str, int](), dict[str, int]()
    for status, path in changes:
        folder, slash, _ = path.partition("/")
        if slash:
            counts = added if status == "A" else edited
            counts[folder] = counts.get(folder, 0) + 1
    lines = [
        f"{folder}: {counted(added.get(folder, 0), edited.get(folder, 0))}"
        for folder in sorted({*added, *edited})
    ]
    subject = "; ".join(lines) or "lists"
    if len(lines) < 2 or len(subject) <= LONGEST_SUBJECT:
        return f"{subject}\n"
    total = counted(sum(added.values()), sum(edited.values()))
    more = [f"… and {len(lines) - MOST_LINES:,} more"] if len(lines) > MOST_LINES else []
    return "\n".join([f"{len(lines):,} folders: {total}", "", *lines[:MOST_LINES], *more, ""])


def counted(added: int, edited: int) -> str:
    said = [f"{count:,} {what}" for count, what in ((added, "added"), (edited, "edited")) if count]
    return ", ".join(said)
