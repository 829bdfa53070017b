"""How long the daemon's event loop lets others wait: `python -m bench.cluster.probe SOCKET PID` until its input ends.

A hundred times a second, by a fixed schedule, it asks for the cheapest page there is, before all other processes of
the machine. Prints a list of `Late`, as JSON. (To be asked so often takes about a tenth of a core of the daemon.)
"""

import json
import os
import socket
import sys
import threading
import time
from math import ceil
from pathlib import Path
from typing import NamedTuple

EVERY_S = 0.01
QUESTION = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
LARGEST = 65_536


class Late(NamedTuple):
    """An answer; all in ms."""

    late: float  # from when the question was due
    waited: float  # of these, the loop's thread could go on and had no core
    used: float  # processor time that the daemon had meanwhile, all its threads

    @property
    def own(self) -> float:
        """For how long the daemon's own work may have held up the loop: on a busy machine, others hold it up too.

        A thread that holds the interpreter's lock and has no core does so as well; then the daemon uses little.
        """
        return max(0.0, min(self.late - self.waited, self.used))


def waited_ms(pid: int) -> float:
    """Since the thread began (/proc/PID/task/TID/schedstat, the second figure)."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[1]) / 1e6


def used_ms(pid: int) -> float:
    """By the clock of another process: clock_getcpuclockid(3)."""
    return time.clock_gettime_ns(~pid << 3 | 2) / 1e6


def until_told(over: threading.Event) -> None:
    sys.stdin.read()
    over.set()


def main(path: str, pid: int) -> None:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    over = threading.Event()
    threading.Thread(target=until_told, args=(over,), daemon=True).start()
    found = list[Late]()
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(30)
        line.connect(path)
        due_s = time.monotonic()
        while not over.is_set():
            now_s = time.monotonic()
            due_s += EVERY_S * max(
                1, ceil((now_s - due_s) / EVERY_S)
            )  # what held up one is not counted again
            time.sleep(max(0.0, due_s - now_s))
            waited, used = waited_ms(pid), used_ms(pid)
            line.sendall(QUESTION)
            if not line.recv(LARGEST):
                break
            late = (time.monotonic() - due_s) * 1000
            found.append(Late(late, waited_ms(pid) - waited, used_ms(pid) - used))
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
