"""Secrets: where they come from, and a value that never shows itself.

    "hunter2"             as it stands
    "env:NAME"            an environment variable
    "file:PATH"           what a file holds, relative to the configuration's folder
    "credential:NAME"     a file in $CREDENTIALS_DIRECTORY, where systemd's LoadCredential= puts it

Messages name where a secret was looked for, and never hold what was found.
"""

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from feedd.errors import SourceError

MAX_BYTES = 64_000
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
CREDENTIAL = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._@:+-]{1,200}")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
HOW = "write it in quotes, or env:NAME, file:PATH or credential:NAME"


class Unavailable(ValueError):
    """A secret is well named, and not to be had now."""


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A text that shows itself to `reveal` alone; equal to another of the same text."""

    value: str
    warning: str | None = field(default=None, compare=False)  # what `check` says of where it is kept
    missing: bool = False  # it is not to be had now: the warning says why

    def reveal(self) -> str:
        """Raises SourceError where it is not to be had: that source alone fails."""
        if self.missing:
            raise SourceError(f"a secret of its configuration can't be had: {self.warning}")
        return self.value

    def __repr__(self) -> str:
        return "Secret('…')"


def secret(value: object, folder: Path, environment: Mapping[str, str]) -> Secret:
    """What `value` of a configuration in `folder` stands for. Raises ValueError, whose text holds no secret."""
    if not isinstance(value, str):
        raise ValueError(f"a secret is a text: {HOW}")  # noqa: TRY004 (pydantic takes ValueError)
    kind, _, rest = value.partition(":")
    match kind:
        case "env":
            return from_environment(rest, environment)
        case "file":
            return from_file(rest, folder)
        case "credential":
            return from_credential(rest, environment)
        case _:
            return Secret(usable(value, "the secret"))


def from_environment(name: str, environment: Mapping[str, str]) -> Secret:
    if VARIABLE.fullmatch(name) is None:  # it may be a secret that begins with "env:": not repeated here
        raise ValueError("what follows env: is not the name of an environment variable; write env:NAME")
    if name not in environment:
        raise Unavailable(f"the environment variable {name} is not set")
    return Secret(usable(environment[name], f"the environment variable {name}"))


def from_file(name: str, folder: Path) -> Secret:
    if not name or CONTROL.search(name):
        raise ValueError("what follows file: is not a path; write file:PATH")
    try:
        path = Path(folder, Path(name).expanduser())
    except RuntimeError as error:
        raise ValueError(f"'file:{name}' is not a path: there is no user of that name") from error
    text, mode = read(path)
    warning = None
    if mode & stat.S_IROTH:
        warning = f"{path} can be read by every user of this machine; chmod o-r makes it private"
    return Secret(usable(text, str(path)), warning)


def from_credential(name: str, environment: Mapping[str, str]) -> Secret:
    if CREDENTIAL.fullmatch(name) is None:
        raise ValueError("what follows credential: is not the name of a credential; write credential:NAME")
    folder = environment.get("CREDENTIALS_DIRECTORY")
    if not folder:
        why = "CREDENTIALS_DIRECTORY is not set; systemd sets it where a unit says LoadCredential="
        raise Unavailable(f"the credential {name} can't be found: {why}")
    try:
        text, _ = read(Path(folder, name))
    except Unavailable as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise
        why = "systemd has none of that name; put it into /etc/credstore, or see LoadCredential= in the unit"
        raise Unavailable(f"the credential {name} can't be found: {why}") from error
    return Secret(usable(text, f"the credential {name}"))


def first_bytes(path: Path, limit: int) -> tuple[bytes, int] | None:
    """The beginning of a file, and its mode; None where it is no ordinary file. Raises OSError."""
    # a FIFO that nobody writes to would keep us waiting
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        mode = os.fstat(descriptor).st_mode
        return (os.read(descriptor, limit), mode) if stat.S_ISREG(mode) else None
    finally:
        os.close(descriptor)


def read(path: Path) -> tuple[str, int]:
    """The text of a file, and its mode. Raises ValueError, Unavailable."""
    try:
        found = first_bytes(path, MAX_BYTES + 1)
    except OSError as error:
        raise Unavailable(f"{path} can't be read: {os.strerror(error.errno or 0)}") from error
    if found is None:
        raise Unavailable(f"{path} is not an ordinary file")
    data, mode = found
    if len(data) > MAX_BYTES:
        raise ValueError(f"{path} is too large for a secret: more than {MAX_BYTES // 1000} kB")
    try:
        return data.decode("utf-8-sig"), mode
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text") from None  # the error would hold the bytes


def usable(text: str, where: str) -> str:
    """`text` without line ends after it. Raises ValueError where nothing is left, or no header could hold it."""
    text = text.rstrip("\r\n")
    if not text:
        raise ValueError(f"{where} is empty")
    if CONTROL.search(text):
        raise ValueError(f"{where} holds more than one line, or a control character")
    return text
