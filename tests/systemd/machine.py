"""A Debian with systemd and feedd in it, booted in a container; needs root, debootstrap and systemd-container.

What takes long is kept in $XDG_CACHE_HOME/feedd: the Debian, and in it what feedd is built on. A machine is a layer over
that, thrown away at its end.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).parent.parent.parent
INSIDE = Path(__file__).parent / "inside"  # programs that run in the machine
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "feedd"
SUITE = os.environ.get("SUITE", "bookworm")  # of Debian
PACKAGES = "systemd,systemd-sysv,libpam-systemd,dbus,python3,python3-venv,ca-certificates"
FEEDD = "/opt/feedd/bin/feedd"
PYTHON = "/opt/feedd/bin/python"
ENVIRONMENT = ("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8")
TOOLS = {"debootstrap": "debootstrap", "systemd-nspawn": "systemd-container", "nsenter": "util-linux"}
BOOT_S = 60.0
Found = TypeVar("Found")


def until(found: Callable[[], Found], patience_s: float) -> Found:
    """What `found` returns, as soon as it is true. Fails after a while."""
    end = time.monotonic() + patience_s
    while not (result := found()):
        assert time.monotonic() < end, f"still {result!r} after {patience_s:g} s"
        time.sleep(0.1)
    return result


def shell(*words: str | Path) -> None:
    """Runs a program on this machine. Raises SystemExit with what it said."""
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))} ended with {done.returncode}:\n{done.stdout[-3000:]}")


def built(folder: Path) -> Path:
    """feedd's wheel."""
    shell(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


def debian() -> Path:
    """The root of a Debian that has what feedd is built on in /opt/feedd."""
    missing = [package for tool, package in TOOLS.items() if shutil.which(tool) is None]
    if os.geteuid() or missing:
        sys.exit(f"it needs root{', and: apt-get install ' + ' '.join(missing) if missing else ''}")
    name = f"{SUITE}-{hashlib.sha256(PACKAGES.encode()).hexdigest()[:8]}"
    root, part = CACHE / name, CACHE / f"{name}.part"
    if not root.exists():
        print(f"making a Debian in {root}; it takes minutes, once")
        shutil.rmtree(part, ignore_errors=True)
        part.parent.mkdir(parents=True, exist_ok=True)
        shell("debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, part)
        part.rename(root)
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    digest, mark = hashlib.sha256(repr(needed).encode()).hexdigest(), root / "opt/needed"
    if not mark.exists() or mark.read_text() != digest:
        provide(root, needed)
        mark.write_text(digest)
    return root


def provide(root: Path, needed: list[str]) -> None:
    """Install what feedd is built on, for the Python of `root`. pip runs here, where the network is."""
    print("installing what feedd is built on")
    shutil.rmtree(root / "opt/feedd", ignore_errors=True)
    shell("chroot", root, "python3", "-m", "venv", "/opt/feedd")
    (library,) = (root / "opt/feedd/lib").glob("python3.*")
    ours = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if library.name != ours:  # what pip installs here would not run there
        sys.exit(
            f"Debian {SUITE} has {library.name}, and this is {ours}: make test-systemd PYTHON={library.name}"
        )
    target = library / "site-packages"
    shell(sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--target", target, *needed)


class Machine:
    """One that runs."""

    def __init__(self, root: Path, init: int) -> None:
        self.root = root
        self.init = init

    def run(self, *words: str, patience_s: float = 60) -> "subprocess.CompletedProcess[str]":
        """Runs a program in it, and waits for its end."""
        entered = ("nsenter", "-t", str(self.init), "-a", *ENVIRONMENT, *words)
        return subprocess.run(
            entered,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=patience_s,
        )

    def said(self, *words: str, patience_s: float = 60) -> str:
        """What a program says that must end well."""
        done = self.run(*words, patience_s=patience_s)
        assert done.returncode == 0, f"{' '.join(words)}: {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def show(self, name: str, unit: str = "feedd.service") -> str:
        """A property of a unit."""
        return self.said("systemctl", "show", "--value", "-p", name, unit)

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        place = self.root / path.removeprefix("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        place.chmod(mode)


@contextmanager
def layered(below: Path) -> Iterator[Path]:
    """A root over that of `below`, which stays as it is."""
    for old in CACHE.glob("run-*"):  # of those that were killed
        if not Path("/proc", old.name.removeprefix("run-")).exists():
            discard(old)
    layer = CACHE / f"run-{os.getpid()}"
    upper, work, root = layer / "upper", layer / "work", layer / "root"
    for each in (upper, work, root):
        each.mkdir(parents=True)
    try:
        options = f"lowerdir={below},upperdir={upper},workdir={work}"
        shell("mount", "-t", "overlay", "overlay", "-o", options, root)
        yield root
    finally:
        discard(layer)


def discard(layer: Path) -> None:
    root = layer / "root"
    if root.is_mount():
        shell("umount", "--lazy", root)
    if not root.is_mount():
        shutil.rmtree(layer, ignore_errors=True)


@contextmanager
def booted() -> Iterator[Machine]:
    """A machine with feedd in /opt/feedd, and `inside` in /opt/inside."""
    with layered(debian()) as root:
        wheel = built(root / "opt")
        shell(
            "chroot",
            root,
            PYTHON,
            "-m",
            "pip",
            "install",
            "-q",
            "--no-index",
            "--no-deps",
            f"/opt/{wheel.name}",
        )
        shutil.copytree(INSIDE, root / "opt/inside")
        name = f"feedd-{os.getpid()}"
        # if this process is killed, so is the machine
        words = ["setpriv", "--pdeathsig", "TERM", "systemd-nspawn", "--register=no", "--keep-unit", "--boot"]
        words += ["--private-network", "--console=passive", f"--machine={name}", "-D", os.fspath(root)]
        with (root.parent / "console").open("wb") as console:
            container = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT
            )
        try:
            machine = Machine(root, until(lambda: child_of(container.pid), BOOT_S))
            until(lambda: is_up(machine), BOOT_S)
            yield machine
        finally:
            container.terminate()
            try:
                container.wait(20)
            except subprocess.TimeoutExpired:
                container.kill()
                container.wait()


def child_of(pid: int) -> int:
    """The process that the container has as its first, once it runs systemd; else 0."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    named = [int(each) for each in children if Path(f"/proc/{each}/comm").read_text() == "systemd\n"]
    return named[0] if named else 0


def is_up(machine: Machine) -> bool:
    state = machine.run("systemctl", "is-system-running").stdout.strip()
    return state in {"running", "degraded"}
