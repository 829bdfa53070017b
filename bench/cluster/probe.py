"""How long the daemon's event loop lets others wait: `python -m bench.cluster.probe SOCKET PID` until its input ends.

A hundred times a second, by a fixed schedule, it asks for the cheapest page there is, before all other processes of
the machine. Prints pairs, as JSON: ms from when the question was due to the answer, and ms of these that the loop's
thread was ready to go on and had no core (/proc/PID/task/PID/schedstat, the second figure).
"""

import json
import os
import socket
import sys
import threading
import time
from math import ceil
from pathlib import Path

EVERY_S = 0.01
QUESTION = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
LARGEST = 65_536


def waited_ms(pid: int) -> float:
    """For a core, since the thread began."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[1]) / 1e6


def until_told(over: threading.Event) -> None:
    sys.stdin.read()
    over.set()


def main(path: str, pid: int) -> None:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    over = threading.Event()
    threading.Thread(target=until_told, args=(over,), daemon=True).start()
    found = list[tuple[float, float]]()
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
            before_ms = waited_ms(pid)
            line.sendall(QUESTION)
            if not line.recv(LARGEST):
                break
            found.append(((time.monotonic() - due_s) * 1000, waited_ms(pid) - before_ms))
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
