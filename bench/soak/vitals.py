"""What a process holds while it runs: memory, threads, descriptors, processor time. From /proc."""

import asyncio
import os
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from bench.memory import tree

EVERY_S = 3.0
TICKS_S = os.sysconf("SC_CLK_TCK")


class Vitals(NamedTuple):
    at_s: float
    own_bytes: int  # memory that it allocated
    tree_bytes: int  # the same, with its workers
    threads: int
    descriptors: Counter[str]  # by what they are
    workers: int


def of(pid: int, at_s: float) -> Vitals:
    own, members = allocated(pid), tree(pid)
    whole = own + sum(allocated(member) for member in members if member != pid)
    return Vitals(at_s, own, whole, threads(pid), descriptors(pid), len(members) - 1)


def allocated(pid: int) -> int:
    """Bytes of memory that are no pages of a file: `Anonymous` of smaps_rollup, see proc_pid_smaps(5).

    Pages of libraries are "private" as long as no other process maps them: they come and go, several megabytes, with
    whatever else runs in the same Python.
    """
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it is gone
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Anonymous:"))


def threads(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/task"))


def descriptors(pid: int) -> Counter[str]:
    """How many there are of each: names of files, connections by where they lead, kinds of all else."""
    found, connections = Counter[str](), sockets(pid)
    folder = f"/proc/{pid}/fd"
    for number in os.listdir(folder):
        try:
            target = os.readlink(f"{folder}/{number}")
        except OSError:  # closed meanwhile
            continue
        kind, _, inode = target.partition(":[")
        if kind == "socket":
            found[connections.get(inode.rstrip("]"), LOCAL)] += 1
        else:
            found[os.path.basename(target) if target.startswith("/") else kind] += 1
    return found


LOCAL = "local sockets"
LISTENING = "listening sockets"
INCOMING = "connections of clients"
OUTGOING = "connections to servers"
HALF_CLOSED = "connections that the other side closed"


def sockets(pid: int) -> dict[str, str]:
    """What each TCP socket is for, by inode; see proc_pid_net(5). States: 0A listens, 08 waits to be closed."""
    lines = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    listening = {fields[1].partition(":")[2] for fields in lines if fields[3] == "0A"}
    found = {}
    for fields in lines:
        port, state, inode = fields[1].partition(":")[2], fields[3], fields[9]
        purpose = INCOMING if port in listening else OUTGOING
        found[inode] = {"0A": LISTENING, "08": HALF_CLOSED}.get(state, purpose)
    return found


def processor_s(pid: int) -> float:
    """Of the process and the children that it waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(each) for each in fields[11:15]) / TICKS_S


async def watch(pid: int, samples: list[Vitals]) -> None:
    """Sample until it is cancelled."""
    clock = asyncio.get_running_loop().time
    while True:
        samples.append(of(pid, clock()))
        await asyncio.sleep(EVERY_S)


def slope(samples: Sequence[tuple[float, float]]) -> float:
    """Of the straight line that fits best, by least squares."""
    mean_x = sum(x for x, _ in samples) / len(samples)
    mean_y = sum(y for _, y in samples) / len(samples)
    spread = sum((x - mean_x) ** 2 for x, _ in samples)
    return sum((x - mean_x) * (y - mean_y) for x, y in samples) / spread if spread else 0.0


def growth(samples: Sequence[Vitals]) -> float:
    """Bytes by which the process's own memory grew while these were taken, as the line has it."""
    points = [(each.at_s, float(each.own_bytes)) for each in samples]
    return slope(points) * (points[-1][0] - points[0][0]) if len(points) > 1 else 0.0


def parts(samples: Sequence[Vitals], count: int) -> list[Sequence[Vitals]]:
    """The samples in so many parts, one after the other."""
    ends = [len(samples) * place // count for place in range(count + 1)]
    return [samples[begin:end] for begin, end in pairwise(ends)]
