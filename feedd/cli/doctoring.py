"""The command that looks whether all is well: doctor."""

import os
import resource
import shutil
import socket
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import click

from feedd import doctor as rules
from feedd.cautions import warnings_of
from feedd.cli.common import config_option, configuration, json_option, print_json
from feedd.config.settings import Config
from feedd.config.sources import CommandSource, DirectorySource
from feedd.config.values import WILDCARD, Listen
from feedd.daemon import control
from feedd.doctor import Disk, Finding, Process
from feedd.errors import ConfigError, NewerStore, StoreError
from feedd.looks import now_ms
from feedd.store import checkup, schema
from feedd.store.backup import damage
from feedd.store.database import connect_to_read, translated
from feedd.store.lock import holder, lock_path

PATIENCE_S = 2.0
ANSWER_BYTES = 4_000
NO_LIMIT = 1_000_000


@click.command()
@json_option
@config_option
def doctor(config_path: Path | None, *, as_json: bool) -> None:
    """Say what is well, what is not, and what to do about it. Changes nothing; 1 where anything is bad."""
    found = list(findings(config_path))
    if as_json:
        print_json([each._asdict() for each in found])
    else:
        for each in found:
            advice = f"; {each.advice}" if each.advice else ""
            click.echo(f"{each.state}: {each.check}: {each.detail}{advice}")
    if any(each.state == "bad" for each in found):
        sys.exit(1)


def findings(config_path: Path | None) -> Iterator[Finding]:
    try:
        config = configuration(config_path, thorough=True)
    except ConfigError as error:
        yield from rules.of_configuration(error.mistakes, ())
        return
    yield from rules.of_configuration((), warnings_of(config))
    process = running(config)
    yield from of_store(config, process)
    yield rules.of_network(allowed(config))
    yield from rules.of_process(process)
    yield from rules.of_files(process)


def of_store(config: Config, process: Process) -> Iterator[Finding]:
    path = config.store.path
    try:
        if not path.exists():
            yield Finding(
                "database", "warning", f"{path}: there is none yet", "feedd run or feedd update makes it"
            )
            return
        with closing(connect_to_read(path)) as connection:
            schema.check(connection, path)
            if sys.stderr.isatty():
                click.echo("the database is being checked …", err=True)
            with translated(path):
                wrong, lost = damage(connection), checkup.orphans(connection)
            yield from rules.of_damage(wrong, lost)
            if schema.is_behind(connection, path):
                words = "an earlier feedd made it: the next start brings it up to date, and keeps a copy"
                yield Finding("schema", "warning", words, "feedd backup FILE, then start feedd")
                return
            yield Finding("schema", "ok", schema.STEPS[-1])
            if wrong:
                return
            with translated(path):
                vitals = checkup.vitals(connection)
        yield from rules.of_file(vitals, disk_of(path))
        yield rules.of_clock(vitals.newest_ms, now_ms())
        yield rules.of_search(vitals, is_running=process.listens)
        limits = {source.name: source.failing_after for source in config.sources}
        yield from rules.of_sources(vitals.sources, limits)
        yield from rules.of_channels(vitals.channels)
    except NewerStore as error:
        yield Finding("schema", "bad", str(error))
    except (StoreError, OSError) as error:
        what = f"{path}: {error.strerror}" if isinstance(error, OSError) else str(error)
        yield Finding("database", "bad", what)
        with suppress(OSError):  # what is there says more than that it failed
            yield rules.of_disk(disk_of(path), path.stat().st_size)


def allowed(config: Config) -> list[str]:
    """What may reach private addresses. Channels are not among it: they are meant for one's own machines."""
    sources = (each for each in config.sources if not isinstance(each, DirectorySource | CommandSource))
    names = [f"sources.{source.name}" for source in sources if source.allow_private]
    return [*names, *(["websub"] if config.websub.allow_private else [])]


def disk_of(path: Path) -> Disk:
    log = path.with_name(f"{path.name}-wal")
    copies = [each.stat().st_size for each in path.parent.glob(f"{path.name}.before-*")]
    return Disk(
        shutil.disk_usage(path.absolute().parent).free,
        stat.S_IMODE(path.stat().st_mode),
        log.stat().st_size if log.exists() else 0,
        len(copies),
        sum(copies),
    )


def running(config: Config) -> Process:
    path = config.store.path
    listens = is_listening(path)
    pid = holder(path) if listens or is_held(path) else None
    trouble = trouble_of(config.server.listen) if listens else ""
    return Process(pid, listens, trouble, files_of(pid))


def is_held(database: Path) -> bool:
    """Whether a living process holds the lock, by the kernel's list (proc_locks(5)): asking for it might be in the way
    of a feedd that starts.
    """
    try:
        inode = lock_path(database).stat().st_ino
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return False
    return any("FLOCK" in line and f":{inode} " in line and "->" not in line for line in lines)


def is_listening(database: Path) -> bool:
    path = control.socket_path(database)
    with suppress(OSError), socket.socket(socket.AF_UNIX) as probe, control.short_path(path) as address:
        probe.settimeout(PATIENCE_S)
        return probe.connect_ex(address) == 0
    return False


def trouble_of(listen: Listen) -> str:
    """What is wrong with the answer to `/healthz`; nothing where it is alive."""
    where = listen.socket or f"{listen.host}:{listen.port}"
    try:
        with closing(connected(listen)) as connection:
            connection.settimeout(PATIENCE_S)
            connection.sendall(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
            answer = all_of(connection)
    except OSError as error:
        return f"{where} gives no answer: {error.strerror or error}"
    head, _, body = answer.partition(b"\r\n\r\n")
    if head.split(b" ", 2)[1:2] == [b"200"]:
        return ""
    return body.decode("utf-8", "replace").strip() or f"{where} answers something else than feedd does"


def connected(listen: Listen) -> socket.socket:
    if listen.socket is None:
        host = "localhost" if WILDCARD.fullmatch(listen.host) else listen.host
        return socket.create_connection((host, listen.port), PATIENCE_S)
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(PATIENCE_S)
        connection.connect(os.fspath(listen.socket))
    except OSError:
        connection.close()
        raise
    return connection


def all_of(connection: socket.socket) -> bytes:
    answer, end = b"", time.monotonic() + PATIENCE_S
    while len(answer) < ANSWER_BYTES and time.monotonic() < end:
        if not (piece := connection.recv(ANSWER_BYTES)):
            break
        answer += piece
    return answer


def files_of(pid: int | None) -> int | None:
    """How many files a process may have open (proc_pid_limits(5)); None: of this one."""
    if pid is None:
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return NO_LIMIT if soft == resource.RLIM_INFINITY else soft
    with suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/limits").read_text().splitlines():
            if line.startswith("Max open files"):
                soft_limit = line.split()[3]
                return NO_LIMIT if soft_limit == "unlimited" else int(soft_limit)
    return None
