"""What befalls a cluster in the middle of a play."""

import os
import signal
import time

from bench.cluster.network import let_through, pull, put_back, swallow
from bench.cluster.play import Cluster, Trouble, children

CUT_S = 30.0
AWAY_S = 5.0  # the scheduler
VICTIM = "two"


def lose_machine(made: Cluster) -> None:
    made.end(VICTIM)


def kill_worker(made: Cluster) -> None:
    """The worker's process alone: its nanny starts another one."""
    for pid in children(made.workers[VICTIM].running.pid):
        if b"spawn_main" in read(pid):
            os.kill(pid, signal.SIGKILL)
            return
    raise RuntimeError("the nanny has no worker")


def read(pid: int) -> bytes:
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read()


def unplug(_: Cluster) -> None:
    pull(VICTIM)
    time.sleep(CUT_S)
    put_back(VICTIM)


def swallow_all(_: Cluster) -> None:
    swallow(VICTIM)
    time.sleep(CUT_S)
    let_through(VICTIM)


def restart_scheduler(made: Cluster) -> None:
    made.scheduler.kill()
    time.sleep(AWAY_S)
    made.schedule()


TROUBLES: dict[str, tuple[str, Trouble]] = {
    "lost": ("a worker and its nanny killed", lose_machine),
    "killed": ("a worker's process killed, its nanny starts another", kill_worker),
    "unplugged": (f"a worker without its links for {CUT_S:.0f} s", unplug),
    "swallowed": (
        f"all between a worker and the daemon lost for {CUT_S:.0f} s, without a sign; the web still answers it",
        swallow_all,
    ),
    "scheduler": (f"the scheduler killed, another there after {AWAY_S:.0f} s", restart_scheduler),
}
