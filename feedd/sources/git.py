"""Repositories of seed files: cloned shallow, kept up to date by git itself, then read as a folder.

What a repository holds is hostile: no hook runs, no submodule is fetched, no protocol but the known ones is spoken,
nobody is asked for a password. Symbolic links are `directory`'s matter, which follows none out of the folder.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from feedd.errors import SourceError, TimedOut
from feedd.fetch.guard import reachable

SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.symlinks=true",
    "credential.helper=",
    "protocol.allow=never",
    "protocol.https.allow=always",
    "protocol.http.allow=always",
    "protocol.ssh.allow=always",
    "protocol.git.allow=always",
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


class Origin(NamedTuple):
    """Where a repository comes from."""

    address: str  # a URL, or the path of a local one
    branch: str | None
    timeout_s: float
    allow_private: bool


def brought(origin: Origin, folder: Path) -> Path:
    """Bring the newest state of the origin into `folder`; returns it. Raises SourceError and its subclasses."""
    pinned = pin(origin)
    if same_origin(origin, folder):
        branch = origin.branch or "HEAD"
        git(origin, folder, *pinned, "fetch", "--quiet", "--depth=1", "--no-tags", "origin", branch)
        git(origin, folder, "reset", "--quiet", "--hard", "FETCH_HEAD")
        git(origin, folder, "clean", "--quiet", "-ffd")
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".clone-") as scratch:
        chosen = ("--branch", origin.branch) if origin.branch else ()
        options = ("--quiet", "--depth=1", "--single-branch", "--no-tags", "--no-recurse-submodules", *chosen)
        clone = Path(scratch, "clone")
        git(origin, Path(scratch), *pinned, "clone", *options, "--", spelled(origin), str(clone))
        shutil.rmtree(folder, ignore_errors=True)
        clone.rename(folder)
    return folder


def spelled(origin: Origin) -> str:
    """A local path as a URL, since git ignores `--depth` for a plain path."""
    return Path(origin.address).absolute().as_uri() if origin.address.startswith("/") else origin.address


def same_origin(origin: Origin, folder: Path) -> bool:
    """Whether `folder` is a clone of the origin."""
    if not (folder / ".git").is_dir():
        return False
    try:
        return git(origin, folder, "config", "--get", "remote.origin.url").strip() == spelled(origin)
    except SourceError:
        return False


def pin(origin: Origin) -> tuple[str, ...]:
    """Settings that hold git to the addresses that were checked: its own look-up might find others.

    Raises AddressRefused, SourceError.
    """
    host, port, scheme = host_of(origin.address)
    if host is None or origin.allow_private:
        return ()
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise SourceError(f"the name {host} is not known") from error
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    (address, *_) = reachable(host, addresses, allow_private=False)
    if scheme not in {"http", "https"}:
        return ()
    bracketed = f"[{address}]" if ":" in address else address
    return ("-c", f"http.curloptResolve={host}:{port}:{bracketed}")


def host_of(address: str) -> tuple[str | None, int, str]:
    """Host, port and scheme of a repository's address; no host for a local one."""
    if address.startswith("/"):
        return None, 0, "file"
    if "://" not in address:  # user@host:path
        return address.partition("@")[2].partition(":")[0], 22, "ssh"
    parts = urlsplit(address)
    usual = {"http": 80, "https": 443, "ssh": 22, "git": 9418}
    try:
        return parts.hostname, parts.port or usual.get(parts.scheme, 443), parts.scheme
    except ValueError as error:
        raise SourceError(f"the repository's address is not a URL: {error}") from error


def git(origin: Origin, folder: Path, *words: str) -> str:
    """Run git in `folder`; returns what it printed. Raises SourceError, TimedOut."""
    settings = [part for setting in SETTINGS for part in ("-c", setting)]
    # whatever else is in the environment, such as GIT_DIR, is not meant for this repository
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith("GIT_")
    } | ENVIRONMENT
    try:
        process = subprocess.Popen(  # noqa: S603 (no shell; what is hostile comes behind "--", or was checked)
            ["git", *settings, *words],  # noqa: S607 (git as the operator has it)
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise SourceError(f"git can't be run: {os.strerror(error.errno or 0)}; install git") from error
    with process:
        try:
            output, errors = process.communicate(timeout=origin.timeout_s)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)
            raise TimedOut(f"git took longer than {origin.timeout_s:g} s (timeout)") from error
    if process.returncode:
        said = errors.decode("utf-8", "replace").strip().splitlines()[-LAST_LINES:]
        raise SourceError(f"git failed: {' / '.join(said) or f'exit status {process.returncode}'}")
    return output.decode("utf-8", "replace")
