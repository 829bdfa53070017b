"""The units of systemd for a place where feedd is installed, made from the templates in `units/`.

A template has places to fill, @name@, on lines of their own or within a line. The values are those of `filled`.
"""

import ipaddress
import os
import re
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Literal, NamedTuple

from feedd.config.channels import FileChannel
from feedd.config.settings import Config
from feedd.config.sources import DirectorySource, GitSource
from feedd.config.values import Listen
from feedd.errors import UsageError

Scope = Literal["system", "user"]  # which service manager
NAMES = ("feedd.service", "feedd.socket", "feedd-update.service", "feedd-update.timer")
STATE = Path("/var/lib")
CONFIGURATION = Path("/etc")
HIDDEN = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108 (by PrivateTmp=)
HOMES = (Path("/home"), Path("/root"), Path("/run/user"))  # what ProtectHome= hides (systemd.exec(5))
ACCOUNT = "feedd"  # of a user that systemd makes; the same in all units, since they share a database
BACKOFF_SINCE = 254  # the version that knows RestartSteps=
BACKOFF = """\
# … with longer and longer pauses, up to this one
RestartSteps=8
RestartMaxDelaySec=10min"""
PLACE = re.compile(r"@([a-z]+)@")
PLAIN = re.compile(r"[A-Za-z0-9_./:=+,~-]+")  # needs no quotes
CREDENTIAL = re.compile(r"credential:([A-Za-z0-9._@+-]{1,200})")  # one that systemd can load: no `:`
SPECIAL = re.compile(r'[\\"]')


class Place(NamedTuple):
    """Where feedd is installed, what it reads and writes, and where it is reached."""

    command: tuple[str, ...]  # feedd and its configuration; the rest of the words follow
    config: Path
    store: Path  # the database
    owner: str  # of the folder of the database
    listen: Listen
    reads: tuple[Path, ...] = ()  # besides
    writes: tuple[Path, ...] = ()  # besides
    credentials: tuple[str, ...] = ()  # that the configuration names
    systemd: int | None = None  # its version

    @property
    def state(self) -> str | None:
        """The folder of the database, if it is one that systemd can make and give to a user of its own."""
        folder = self.store.parent
        return folder.relative_to(STATE).as_posix() if STATE in folder.parents else None


def read_by(config: Config) -> tuple[Path, ...]:
    """The folders of sources on this machine."""
    sources = (source.path for source in config.sources if isinstance(source, DirectorySource | GitSource))
    return tuple(plain(path) for path in sources if path is not None)


def written_by(config: Config) -> tuple[Path, ...]:
    """Folders that feedd writes to, besides that of the database."""
    folders = [each.path.parent for each in config.channels if isinstance(each, FileChannel)]
    folders += [mirror.directory for mirror in config.mirrors]
    folders += [config.publish.directory] if config.publish is not None else []
    return tuple(map(plain, folders))


def credentials(found: object) -> Iterator[str]:
    """The names of the credentials that stand somewhere in a configuration as it was read."""
    match found:
        case str() if named := CREDENTIAL.fullmatch(found):
            yield named[1]
        case dict():
            yield from credentials(list(found.values()))
        case list():
            for each in found:
                yield from credentials(each)


def plain(path: Path) -> Path:
    """Absolute, and without `..`: systemd leaves out a path that is not."""
    return Path(os.path.normpath(path.absolute()))


def obstacles(place: Place, may_read: Callable[[Path], bool], is_folder: Callable[[Path], bool]) -> list[str]:
    """Why the service of the system could not work yet. `may_read`: whether everybody may, or it is not there."""
    found = [f"{path} is no folder yet; make it" for path in written(place) if not is_folder(path)]
    found += [
        f"{path} is hidden from a service, which has a {hidden} of its own; move it"
        for path in (*read(place), *written(place))
        for hidden in HIDDEN
        if hidden in path.parents
    ]
    if place.state is None:
        return found
    found += [
        f"{path} can't be read by the user {ACCOUNT} that systemd makes; let others read it, or move it"
        for path in read(place)
        if not may_read(path)
    ]
    return found + [
        f"{path} can't be written by the user {ACCOUNT} that systemd makes: choose a folder below"
        f" {STATE / place.state}, or a database in a folder of a user of feedd's own"
        for path in written(place)
    ]


def read(place: Place) -> tuple[Path, ...]:
    return tuple(dict.fromkeys((Path(place.command[0]), place.config, *place.reads)))


def written(place: Place) -> tuple[Path, ...]:
    """Folders that the sandbox has to leave open: those outside of the one that systemd makes."""
    if place.state is None:
        return tuple(dict.fromkeys((place.store.parent, *place.writes)))
    own = STATE / place.state
    return tuple(dict.fromkeys(path for path in place.writes if own not in (path, *path.parents)))


def made(place: Place, scope: Scope) -> dict[str, str]:
    """The text of each unit, by its name. Raises UsageError."""
    values = filled(place, scope)
    return {name: rendered(template(scope, name), values) for name in NAMES}


def template(scope: Scope, name: str) -> str:
    return (files("feedd.service") / "units" / scope / name).read_text(encoding="utf-8")


def rendered(text: str, values: dict[str, str]) -> str:
    """`text` with its places filled; a line that was nothing but a place and stays empty is left out."""
    lines = []
    for line in text.splitlines():
        done = PLACE.sub(lambda found: values[found[1]], line)
        if done or not line:
            lines.append(done)
    return "\n".join(lines) + "\n"


def filled(place: Place, scope: Scope) -> dict[str, str]:
    """What the places of the templates say. Raises UsageError."""
    at_home = any(home in path.parents for home in HOMES for path in (*read(place), *written(place)))
    program, *words = place.command
    if "$" in program:
        raise UsageError(
            f"{program!r} can't stand in a unit of systemd; install feedd where no $ is in the path"
        )
    return {
        "feedd": " ".join((quoted(program), *map(quoted, words))),
        "listen": address(place.listen),
        "backoff": BACKOFF if place.systemd is not None and place.systemd >= BACKOFF_SINCE else "",
        "account": account(place) if scope == "system" else "",
        "credentials": "\n".join(f"LoadCredential={name}" for name in place.credentials),
        "paths": "\n".join(f"ReadWritePaths={quoted(str(path), argument=False)}" for path in written(place)),
        "home": "read-only" if at_home else "yes",
    }


def account(place: Place) -> str:
    """Who feedd runs as: a user that systemd makes, or, where the database lies elsewhere, the one it belongs to."""
    folder = place.config.parent
    lines = []
    if place.state is None and place.owner == "root":
        raise UsageError(
            f"the database is to lie in {place.store.parent}, which belongs to root, and feedd should not run as root:"
            f' write store.path = "{STATE}/feedd/feedd.db", for which systemd makes a user,'
            " or give the folder to a user of feedd's own with chown"
        )
    if place.state is None:
        lines.append(f"User={place.owner}")
    else:
        state = quoted(place.state, argument=False)
        lines += ["DynamicUser=yes", f"User={ACCOUNT}", f"StateDirectory={state}", "StateDirectoryMode=0700"]
    if CONFIGURATION in folder.parents:
        name = folder.relative_to(CONFIGURATION).as_posix()
        lines.append(f"ConfigurationDirectory={quoted(name, argument=False)}")
    return "\n".join(lines)


def address(listen: Listen) -> str:
    """As ListenStream= takes it (systemd.socket(5)). Raises UsageError."""
    if listen.socket is not None:
        return whole(str(listen.socket))
    host = {"localhost": "127.0.0.1", "": "0.0.0.0"}.get(listen.host, listen.host)  # noqa: S104 (compared alone)
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        raise UsageError(
            f"server.listen names the host {listen.host!r}, and systemd takes addresses alone;"
            " write one such as 127.0.0.1:8080 there"
        ) from None
    return whole(f"[{host}]:{listen.port}" if version == 6 else f"{host}:{listen.port}")


def whole(text: str) -> str:
    """A value that is a line to its end (systemd.syntax(7)). Raises UsageError."""
    if not text.isprintable() or text != text.strip() or text.endswith("\\"):
        raise UsageError(f"{text!r} can't stand in a unit of systemd; choose a path of ordinary characters")
    return text.replace("%", "%%")


def quoted(word: str, *, argument: bool = True) -> str:
    """One of several words on a line; `argument`: of a command, where $ begins a variable (systemd.service(5)).

    Raises UsageError.
    """
    if not word.isprintable():
        raise UsageError(f"{word!r} can't stand in a unit of systemd; choose a path of ordinary characters")
    escaped = SPECIAL.sub(r"\\\g<0>", word).replace("%", "%%")
    if argument:
        escaped = escaped.replace("$", "$$")
    return escaped if PLAIN.fullmatch(escaped.replace("%%", "")) else f'"{escaped}"'
