"""Machines that are network namespaces, on two switches: one for orders, one to the web.

    daemon + scheduler ──┐ orders ┌── one, two: the workers
                         └────────┘
    web ── 10.50.0.0/16: an address for each host ── the other switch ── daemon, one, two

The switches have a namespace of their own too, so that the machine's own network is not touched.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PREFIX = "feedd-"
HUB = "hub"
WEB, DAEMON, WORKERS = "web", "daemon", ("one", "two")
NUMBERS = {WEB: 1, DAEMON: 2, "one": 11, "two": 12}
ORDERS = "orders"  # the switches
HOSTS = "10.50.0.0/16"
BEFORE = -5  # other programs of this machine, which would take from a worker what it is to have
PATIENCE_S = 10.0


class CanNot(Exception):
    """Why this machine can't play it."""


def address(machine: str, switch: str = ORDERS) -> str:
    return f"10.{60 if switch == WEB else 61}.0.{NUMBERS[machine]}"


def machine_of(peer: str) -> str:
    """Who has that address on the web's switch."""
    return next((name for name in NUMBERS if address(name, WEB) == peer), peer)


def check() -> None:
    """Raises CanNot."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("ip") is None:
        raise CanNot("it makes network namespaces: it needs Linux, root, and iproute2's `ip`")
    taken = [name for name in all_names() if Path(f"/run/netns/{name}").exists()]
    if taken:
        raise CanNot(
            f"there are network namespaces named {', '.join(taken)}: another run is under way; or one was killed, and they"
            f" are to be deleted, each by its name: ip netns delete {taken[0]}"
        )


def all_names() -> list[str]:
    return [PREFIX + name for name in (HUB, *NUMBERS)]


def ip(*words: str) -> None:
    """Raises CanNot."""
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise CanNot(f"ip {' '.join(words)}: {done.stderr.strip()}")


def within(machine: str, command: Sequence[str]) -> list[str]:
    return ["nice", "-n", str(BEFORE), "ip", "netns", "exec", PREFIX + machine, *command]


@contextmanager
def network() -> Iterator[None]:
    """Raises CanNot. What still runs in the namespaces at the end is killed: nobody else starts anything there."""
    check()
    try:
        for name in all_names():
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        for switch in (ORDERS, WEB):
            ip("-n", PREFIX + HUB, "link", "add", switch, "type", "bridge", "forward_delay", "0")
            ip("-n", PREFIX + HUB, "link", "set", switch, "up")
        for machine in NUMBERS:
            for switch in (WEB,) if machine == WEB else (ORDERS, WEB):
                plug(machine, switch)
            if machine != WEB:
                ip("-n", PREFIX + machine, "route", "add", HOSTS, "via", address(WEB, WEB))
        ip("-n", PREFIX + WEB, "route", "add", "local", HOSTS, "dev", "lo")
        yield
    finally:
        for name in all_names():
            clear(name)


def plug(machine: str, switch: str) -> None:
    """A cable from a machine to a switch; at the switch it has the machine's name and the switch's."""
    port = port_of(machine, switch)
    ip(
        "-n",
        PREFIX + HUB,
        "link",
        "add",
        port,
        "type",
        "veth",
        "peer",
        "name",
        switch,
        "netns",
        PREFIX + machine,
    )
    ip("-n", PREFIX + HUB, "link", "set", port, "master", switch, "up")
    ip("-n", PREFIX + machine, "address", "add", f"{address(machine, switch)}/24", "dev", switch)
    ip("-n", PREFIX + machine, "link", "set", switch, "up")


def port_of(machine: str, switch: str) -> str:
    return f"{machine}-{switch}"


def pull(machine: str) -> None:
    """Take a machine's cables out of both switches."""
    for switch in (ORDERS, WEB):
        ip("-n", PREFIX + HUB, "link", "set", port_of(machine, switch), "down")


def put_back(machine: str) -> None:
    for switch in (ORDERS, WEB):
        ip("-n", PREFIX + HUB, "link", "set", port_of(machine, switch), "up")


def swallow(machine: str) -> None:
    """Lose all between a machine and the daemon without a sign of it. The web still answers the machine."""
    ip("-n", PREFIX + HUB, "link", "set", port_of(machine, ORDERS), "nomaster")


def let_through(machine: str) -> None:
    ip("-n", PREFIX + HUB, "link", "set", port_of(machine, ORDERS), "master", ORDERS)


def clear(name: str) -> None:
    """End what runs in a namespace, and delete it."""
    if not Path(f"/run/netns/{name}").exists():
        return
    end = time.monotonic() + PATIENCE_S
    while (pids := pids_in(name)) and time.monotonic() < end:
        for pid in pids:
            kill(pid)
        time.sleep(0.1)
    subprocess.run(["ip", "netns", "delete", name], check=False)


def pids_in(name: str) -> list[int]:
    done = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, check=False)
    return [int(pid) for pid in done.stdout.split()]


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


class Process(NamedTuple):
    """Something that runs on a machine; what it says is in `log`."""

    running: "subprocess.Popen[bytes]"
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        self.running.kill()
        self.running.wait()


def start(
    machine: str, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Process:
    """Its pid is the command's own: `nice` and `ip` become it."""
    settings = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}
    settings.pop("PYTHONDONTWRITEBYTECODE", None)
    with log.open("ab") as said:
        running = subprocess.Popen(
            within(machine, command),
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=subprocess.STDOUT,
            env=settings,
            cwd=log.parent,
            start_new_session=True,  # Ctrl-C is for who started it all
        )
    return Process(running, log)
