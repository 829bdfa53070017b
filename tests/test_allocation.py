"""What threads freed goes back to the system; and what values take."""

import subprocess
import sys
import tracemalloc

import pytest

from feedd.allocation import held_bytes
from feedd.changes.values import Content
from feedd.changes.verdict import compared_and_judged

PROGRAM = """
import ctypes, sys, threading
from pathlib import Path
from feedd.allocation import give_back

def unshared():
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))

if sys.argv[1] == "given back":
    give_back()
begun, libc, together = threading.Barrier(17), ctypes.CDLL(None), threading.Event()
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]

def take():
    taken = [libc.malloc(60_000) for _ in range(60)]
    for each in taken:
        ctypes.memset(each, 1, 60_000)
    held = libc.malloc(100)  # on top of what is freed
    for each in taken:
        libc.free(each)
    begun.wait()
    together.wait()

threads = [threading.Thread(target=take) for _ in range(16)]
before = unshared()
for thread in threads:
    thread.start()
begun.wait()
print(unshared() - before)
together.set()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's malloc and /proc")
def test_threads_share_what_they_freed() -> None:
    kept = {
        how: int(subprocess.run([sys.executable, "-c", PROGRAM, how], check=True, capture_output=True).stdout)
        for how in ("as it was", "given back")
    }
    assert kept["given back"] < kept["as it was"] / 2, kept


def article(number: int) -> Content:
    return Content("Fire", "".join(f"<p>{number + k} people fled. Nobody knows why.</p>" for k in range(10)))


def test_what_a_comparison_takes() -> None:
    """Many times its characters; counted too high rather than too low, since parts of it share what they hold."""
    compared_and_judged(article(0), article(1))  # what is made once for all
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    made = [compared_and_judged(article(number), article(number + 1)) for number in range(1000, 1030)]
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    counted = sum(map(held_bytes, made))
    assert taken * 0.9 < counted < taken * 2, (taken, counted)
