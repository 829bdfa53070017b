"""What a process can do in the sandbox of feedd's units. Prints JSON: by name, "yes", or the error."""

import json
import mmap
import os
import resource
import socket
from collections.abc import Callable
from pathlib import Path


def memory_that_can_be_written_and_run() -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def write(folder: str) -> None:
    place = Path(folder, "probe")
    place.write_text("was here")
    place.unlink()


def limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))


TRIED: dict[str, Callable[[], object]] = {
    "read /home": lambda: os.listdir("/home/alice"),
    "read /root": lambda: os.listdir("/root"),
    "see other processes": lambda: Path("/proc/1/status").read_text(),
    "write /etc": lambda: write("/etc/feedd"),
    "write /usr": lambda: write("/usr/local"),
    "write /srv": lambda: write("/srv/open"),
    "memory that can be written and run": memory_that_can_be_written_and_run,
    "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close(),
    "raw packets": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close(),
    "be nice": lambda: os.nice(1),
    "chroot": lambda: os.chroot("/"),
    "write its state": lambda: write("/var/lib/feedd"),
    "write /tmp": lambda: write("/tmp"),
    "read sources": lambda: os.listdir("/srv/notes"),
    "tcp": lambda: socket.socket(socket.AF_INET6).close(),
    "limit memory": limit_memory,
}


def outcome(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except OSError as error:
        return os.strerror(error.errno or 0)
    return "yes"


print(json.dumps({name: outcome(attempt) for name, attempt in TRIED.items()}))
