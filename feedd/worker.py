"""What a worker process does first, and what ends it. It imports little: a worker is to begin at once."""

import os
import signal
import threading
import time
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait

from feedd import allocation

# for a worker to end what it does: a result that is cut off keeps the parent waiting for its rest
GRACE_S = 1.0
REQUESTS_TO_END = (signal.SIGINT, signal.SIGTERM)


def start_worker(leash: Connection, niceness: int) -> None:
    """A worker leaves Ctrl-C, and a service manager's request to all processes of a service to end, to its parent.

    It ends with it, or when the other end of its leash is let go.
    """
    for request in REQUESTS_TO_END:
        signal.signal(request, signal.SIG_IGN)
    with suppress(OSError):  # a service may be forbidden to: systemd's filters count it among resources
        os.nice(niceness)
    allocation.keep()
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=end_with, args=(parent.sentinel, leash), daemon=True).start()


def end_with(parent: int, leash: Connection) -> None:
    if parent not in wait([parent, leash]):
        time.sleep(GRACE_S)
    os._exit(1)
