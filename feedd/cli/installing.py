"""install-service: units of systemd for the place where feedd is installed."""

import difflib
import os
import pwd
import re
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import click

from feedd import atomic
from feedd.cli.common import config_option, configuration, read_unchecked
from feedd.config.settings import Config
from feedd.errors import UsageError
from feedd.service.units import Place, Scope, credentials, made, obstacles, plain, read_by, written_by

SYSTEM = Path("/etc/systemd/system")
ASK_S = 10.0


@click.command("install-service")
@click.option(
    "--user", is_flag=True, help="For your own service manager: feedd runs as you, when you are there."
)
@click.option(
    "--into", type=click.Path(path_type=Path), help="The folder of the units, if it is another one."
)
@click.option("--show", is_flag=True, help="Only print the units.")
@click.option("--yes", is_flag=True, help="Write without asking.")
@config_option
def install_service(
    config_path: Path | None, into: Path | None, *, user: bool, show: bool, yes: bool
) -> None:
    """Write units of systemd that run feedd as it is installed here. Shows them, and asks first."""
    config = configuration(config_path)
    scope: Scope = "user" if user else "system"
    folder = into or (user_folder() if user else SYSTEM)
    place = place_of(config)
    units = made(place, scope)
    there = {name: present(folder / name) for name in units}
    new = {name: text for name, text in units.items() if there[name] != text}
    for name, text in units.items():
        tell(folder / name, there[name], text)
    if show:
        return
    if not new:
        click.echo(f"{folder}: all units are there as they should be")
    elif yes or click.confirm(f"Write {', '.join(new)} into {folder}?"):
        write(folder, new)
    else:
        click.echo("nothing was written")
        return
    for each in obstacles(place, may_read, Path.is_dir) if scope == "system" else ():
        click.echo(f"Before it can start: {each}")
    tell_next(scope, elsewhere=into is not None)


def user_folder() -> Path:
    """Where a service manager of a user looks (systemd.unit(5))."""
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser())
    return home / "systemd/user"


def place_of(config: Config) -> Place:
    """What the units have to say of this feedd and this configuration."""
    path, store = plain(config.path), plain(config.store.path)
    return Place(
        (*program(), "--config", str(path)),
        path,
        store,
        owner(store.parent),
        config.server.listen,
        (Path(sys.prefix), Path(sys.base_prefix), *read_by(config)),
        written_by(config),
        tuple(dict.fromkeys(credentials(read_unchecked(config.path)))),
        systemd_version(),
    )


def program() -> tuple[str, ...]:
    """What runs the feedd that runs now."""
    script = Path(sys.executable).with_name("feedd")
    return (str(script),) if os.access(script, os.X_OK) else (sys.executable, "-m", "feedd")


def owner(folder: Path) -> str:
    """Whose the folder is, or will be: the nearest one that is there."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    number = there.stat().st_uid
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def systemd_version() -> int | None:
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            ["systemctl", "--version"],  # noqa: S607 (the one that the user would run)
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=ASK_S,
            check=True,
        )
        if found := re.match(r"systemd (\d+)", done.stdout):
            return int(found[1])
    return None


def may_read(path: Path) -> bool:
    """Whether every user may read the file, or enter and list the folder. What is not there is left to others."""
    try:
        wanted = stat.S_IROTH | (stat.S_IXOTH if path.is_dir() else 0)
        return path.stat().st_mode & wanted == wanted and all(
            each.stat().st_mode & stat.S_IXOTH for each in path.parents
        )
    except FileNotFoundError:
        return True
    except OSError:
        return False


def present(path: Path) -> str | None:
    """The text of a unit that is there. Raises UsageError."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{path}: can't be read: {os.strerror(error.errno or 0)}") from error


def tell(path: Path, before: str | None, text: str) -> None:
    """The unit; what would change where there is one by that name."""
    if before is None:
        click.echo(f"# {path}\n{text}")
    elif before == text:
        click.echo(f"# {path}: as it should be\n")
    else:
        click.echo(f"# {path}: is there, and DIFFERS; what would be taken out (-) and put in (+):")
        lines = difflib.unified_diff(before.splitlines(), text.splitlines(), lineterm="", n=1)
        click.echo("\n".join(list(lines)[2:]) + "\n")


def write(folder: Path, units: dict[str, str]) -> None:
    """Raises UsageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in units.items():
            atomic.write(folder / name, text.encode())
            click.echo(f"wrote {folder / name}")
    except OSError as error:
        hint = "; run it as root, or for yourself with --user" if isinstance(error, PermissionError) else ""
        raise UsageError(f"{folder}: can't be written: {os.strerror(error.errno or 0)}{hint}") from error


def tell_next(scope: Scope, *, elsewhere: bool) -> None:
    manager = "systemctl --user" if scope == "user" else "systemctl"
    click.echo("Next:" if not elsewhere else "Next, once they are where systemd looks for units:")
    click.echo(f"  {manager} daemon-reload")
    click.echo(f"  {manager} enable --now feedd.socket feedd.service")
    click.echo(
        f"or, for a look every hour in the place of a daemon: {manager} enable --now feedd-update.timer"
    )
    if scope == "user":
        click.echo("and, for it to go on when you are not there: loginctl enable-linger")
