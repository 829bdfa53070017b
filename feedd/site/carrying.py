"""What runs after publishing: the command of `[publish]`, told of all that changed since it went well last."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from feedd import atomic
from feedd.config.publishing import Publish
from feedd.config.settings import Config
from feedd.errors import PublishError, SourceError
from feedd.quoting import quoted
from feedd.site.files import contents
from feedd.site.folder import explain, holding
from feedd.site.manifest import OWED, owed
from feedd.sources.process import Ended, Program, run

INHERITED = ("PATH", "HOME", "LANG", "SSH_AUTH_SOCK")
KEPT_BYTES = 8_000  # of what the command prints
LINES = 3  # of that, in a message


def carry_on(config: Config, unwanted: Callable[[], bool] = bool) -> None:
    """Run the command of `[publish]`, if it is owed something. Raises PublishError if it fails, Stopped.

    It runs without a shell in the folder of the configuration. In its environment: PATH, HOME, LANG, SSH_AUTH_SOCK, and
    FEEDD_PUBLISH_DIRECTORY, FEEDD_PUBLISH_WRITTEN, FEEDD_PUBLISH_REMOVED (how many files); on standard input the names
    of these files in the directory, a line each.
    """
    wish = config.publish
    if wish is None or wish.command is None:
        return
    try:
        data = contents(wish.directory / OWED) or b""
        if data:
            told(wish, wish.command, config.path.absolute().parent, owed(data), unwanted)
            forgive(wish.directory, data)
    except OSError as error:
        raise PublishError(explain(error, wish.directory)) from error


def told(
    wish: Publish,
    command: tuple[str, ...],
    cwd: Path,
    names: Mapping[str, bool],
    unwanted: Callable[[], bool],
) -> None:
    """Raises PublishError, Stopped."""
    written = sum(names.values())
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ} | {
        "FEEDD_PUBLISH_DIRECTORY": os.fspath(wish.directory),
        "FEEDD_PUBLISH_WRITTEN": str(written),
        "FEEDD_PUBLISH_REMOVED": str(len(names) - written),
    }
    listed = "".join(f"{name}\n" for name in sorted(names)).encode()
    program = Program(command, wish.timeout / 1000, KEPT_BYTES, cwd, environment, listed, surplus=True)
    try:
        ended = run(program, unwanted)
    except SourceError as error:
        raise PublishError(f"the command after publishing failed: {error}") from error
    if ended.status:
        raise PublishError(failure(command[0], ended))


def failure(program: str, ended: Ended) -> str:
    how = f"exit status {ended.status}" if ended.status > 0 else f"signal {-ended.status}"
    said = " / ".join(ended.errors.decode("utf-8", "replace").strip().splitlines()[-LINES:])
    return quoted(f"the command after publishing failed: {os.path.basename(program)} ended with {how}", said)


def forgive(directory: Path, data: bytes) -> None:
    """Take what the command was told out of the note; what was added meanwhile stays. Raises OSError, PublishError."""
    with holding(directory):
        noted = contents(directory / OWED) or b""
        rest = noted.removeprefix(data)
        if not rest:
            (directory / OWED).unlink(missing_ok=True)
        elif rest != noted:
            atomic.write(directory / OWED, rest)
