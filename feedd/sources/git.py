"""Repositories of seed files: cloned shallow, kept up to date by git itself, then read as a folder.

What a repository holds is hostile: no hook runs, no submodule is fetched, no protocol but the known ones is spoken,
nobody is asked for a password. Symbolic links are `directory`'s matter, which follows none out of the folder.
"""

import os
import shutil
import socket
import tempfile
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from feedd.errors import SourceError
from feedd.fetch.guard import reachable
from feedd.fetch.values import Basic, Bearer
from feedd.quoting import quoted
from feedd.sources.process import Program, run

SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.symlinks=true",
    "credential.helper=",
    "protocol.allow=never",
    "protocol.https.allow=always",
    "protocol.http.allow=always",
    "protocol.ssh.allow=always",
    "protocol.file.allow=always",
    "http.followRedirects=false",
    "submodule.recurse=false",
    "transfer.fsckObjects=true",
    "gc.auto=200",
)
ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "LC_ALL": "C",
}
LAST_LINES = 3
MAX_OUTPUT = 1_000_000  # bytes of what it prints


class Origin(NamedTuple):
    """Where a repository comes from."""

    address: str  # a URL, or the path of a local one
    branch: str | None
    timeout_s: float
    allow_private: bool
    auth: Basic | Bearer | None = None  # for https


def brought(origin: Origin, folder: Path, unwanted: Callable[[], bool] = bool) -> Path:
    """Bring the newest state of the origin into `folder`; returns it. Raises SourceError and its subclasses."""
    pinned = pin(origin)
    if same_origin(origin, folder):
        unlock(folder)
        branch = origin.branch or "HEAD"
        options = ("--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules")
        git(origin, folder, pinned, unwanted, "fetch", *options, "origin", branch)
        with suppress(SourceError):  # what is broken there is cloned anew
            git(origin, folder, pinned, unwanted, "reset", "--quiet", "--hard", "FETCH_HEAD")
            git(origin, folder, pinned, unwanted, "clean", "--quiet", "-ffd")
            return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".clone-") as scratch:
        chosen = ("--branch", origin.branch) if origin.branch else ()
        options = ("--quiet", "--depth=1", "--single-branch", "--no-tags", "--no-recurse-submodules", *chosen)
        clone = Path(scratch, "clone")
        git(origin, Path(scratch), pinned, unwanted, "clone", *options, "--", spelled(origin), str(clone))
        shutil.rmtree(folder, ignore_errors=True)
        clone.rename(folder)
    return folder


def below(clone: Path, folder: str) -> Path:
    """A folder of the clone. Raises SourceError where it leads out of it, as a symbolic link may."""
    found, top = (clone / folder).resolve(), clone.resolve()
    if not found.is_relative_to(top) or found.is_relative_to(top / ".git"):
        raise SourceError(f"the folder '{folder}' leads out of the repository")
    return found


def unlock(folder: Path) -> None:
    """Remove the locks that a git which was killed left: nobody but feedd works on the clone."""
    for lock in (folder / ".git").rglob("*.lock"):
        lock.unlink(missing_ok=True)


def spelled(origin: Origin) -> str:
    """A local path as a URL, since git ignores `--depth` for a plain path."""
    return Path(origin.address).absolute().as_uri() if origin.address.startswith("/") else origin.address


def same_origin(origin: Origin, folder: Path) -> bool:
    """Whether `folder` is a clone of the origin."""
    if not (folder / ".git").is_dir():
        return False
    try:
        found = git(origin, folder, Pinned(), bool, "config", "--get", "remote.origin.url")
        return found.strip() == spelled(origin)
    except SourceError:
        return False


class Pinned(NamedTuple):
    """What holds git to the addresses that were checked: its own look-up might find others."""

    settings: tuple[str, ...] = ()
    ssh: str = ""


def pin(origin: Origin) -> Pinned:
    """Raises AddressRefused, SourceError."""
    host, port, scheme = host_of(origin.address)
    if host is None or origin.allow_private:
        return Pinned()
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise SourceError(f"the name {host} is not known") from error
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    (address, *_) = reachable(host, addresses, allow_private=False)
    if scheme == "ssh":
        return Pinned(ssh=f" -oHostName={address} -oHostKeyAlias={host}")
    bracketed = f"[{address}]" if ":" in address else address
    return Pinned((f"http.curloptResolve={host}:{port}:{bracketed}",))


def host_of(address: str) -> tuple[str | None, int, str]:
    """Host, port and scheme of a repository's address; no host for a local one."""
    if address.startswith("/"):
        return None, 0, "file"
    if "://" not in address:  # user@host:path
        return address.partition("@")[2].partition(":")[0], 22, "ssh"
    parts = urlsplit(address)
    usual = {"http": 80, "https": 443, "ssh": 22}
    try:
        return parts.hostname, parts.port or usual.get(parts.scheme, 443), parts.scheme
    except ValueError as error:
        raise SourceError(f"the repository's address is not a URL: {error}") from error


def git(origin: Origin, folder: Path, pinned: Pinned, unwanted: Callable[[], bool], *words: str) -> str:
    """Run git in `folder`; returns what it printed. Raises SourceError, TimedOut."""
    trusted = (f"safe.directory={origin.address}",) if origin.address.startswith("/") else ()
    settings = [part for each in (*SETTINGS, *trusted, *pinned.settings) for part in ("-c", each)]
    # whatever else is in the environment, such as GIT_DIR, is not meant for this repository
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith("GIT_")
    } | ENVIRONMENT
    environment["GIT_SSH_COMMAND"] += pinned.ssh
    environment |= authorised(origin)
    program = Program(("git", *settings, *words), origin.timeout_s, MAX_OUTPUT, folder, environment)
    ended = run(program, unwanted)
    if ended.status:
        raise SourceError(quoted(f"git failed with exit status {ended.status}", reason(ended.errors)))
    return ended.output.decode("utf-8", "replace")


def authorised(origin: Origin) -> dict[str, str]:
    """The environment by which git learns of credentials: arguments can be seen by everybody."""
    match origin.auth:
        case Basic(user, password):
            header = f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"
        case Bearer(token):
            header = f"Bearer {token}"
        case None:
            return {}
    key, value = "http.extraHeader", f"Authorization: {header}"
    return {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": key, "GIT_CONFIG_VALUE_0": value}


def reason(errors: bytes) -> str:
    """What git says is wrong; what it advises besides is left out."""
    lines = errors.decode("utf-8", "replace").strip().splitlines()
    wrong = [line for line in lines if line.startswith(("fatal:", "error:", "ssh:"))]
    return " / ".join(wrong[:LAST_LINES] or lines[-LAST_LINES:])
