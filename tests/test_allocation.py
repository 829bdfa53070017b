"""What threads freed goes back to the system; and what values take."""

import subprocess
import sys
import tracemalloc
from pathlib import Path

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
begun, libc, together, turn = threading.Barrier(17), ctypes.CDLL(None), threading.Event(), threading.Lock()
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]

def take():
    with turn:  # how many take memory at once is not left to chance
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

TREES = """
import ctypes, resource, sys
from feedd.allocation import keep

if sys.argv[1] == "kept":
    keep()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
for _ in range(100):
    taken = [libc.malloc(60_000) for _ in range(20)]
    for each in taken:
        ctypes.memset(each, 1, 60_000)
    for each in taken:
        libc.free(each)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""
HOLES = """
import ctypes
from pathlib import Path
from feedd.allocation import trim

def held():
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Anonymous:"))

libc, before = ctypes.CDLL(None), held()
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
taken = []
for _ in range(200):
    each = libc.malloc(60_000)
    ctypes.memset(each, 1, 60_000)
    taken.append(each)
    libc.malloc(3_000)  # is held: what is freed around it grows into no larger piece
for each in taken:
    libc.free(each)
full = held() - before
trim()
print(full, held() - before)
"""
ASIDE = """
import ctypes, os, sys
from feedd.allocation import begin_anew, give_back

class Info(ctypes.Structure):  # see mallinfo2(3)
    _fields_ = [(str(place), ctypes.c_size_t) for place in range(10)]

def used():
    return getattr(libc.mallinfo2(), "7")

if sys.argv[1] == "given back":
    begin_anew()
    give_back()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes, libc.mallinfo2.restype = ctypes.c_void_p, [ctypes.c_void_p], Info
before = used()
for each in [libc.malloc(size) for size in range(600, 1_000, 16) for _ in range(20)]:
    libc.free(each)
print(used() - before, os.environ.get("GLIBC_TUNABLES", "none"))
"""
ONCE = """
import sys
from feedd.allocation import begin_anew

print("begun", flush=True)
sys.executable = sys.argv[1]
begin_anew()
"""
CYCLES = """
import gc, weakref
from feedd.allocation import settle, settle_anew

class Served:
    def __init__(self):
        self.routes = [self]

served = Served()
there = weakref.ref(served)
settle()
del served
settle_anew()
print(there())
"""
STAYING = """
import gc, weakref
from feedd.allocation import staying

class Module:
    def __init__(self):
        self.functions = [self]

with staying():
    made = Module()
    within = gc.isenabled()
there = weakref.ref(made)
come = Module()
gone = weakref.ref(come)
del made, come
gc.collect()
try:
    with staying():
        raise OSError
except OSError:
    print(within, gc.isenabled(), there() is not None, gone() is not None)
"""
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's malloc and /proc")


def test_what_stays_is_not_searched_for_garbage() -> None:
    said = subprocess.run([sys.executable, "-c", STAYING], check=True, capture_output=True, text=True)
    assert said.stdout.split() == ["False", "True", "True", "False"]


@linux
def test_threads_share_what_they_freed() -> None:
    kept = {
        how: int(subprocess.run([sys.executable, "-c", PROGRAM, how], check=True, capture_output=True).stdout)
        for how in ("as it was", "given back")
    }
    assert kept["given back"] < kept["as it was"] / 2, kept


@linux
def test_a_thread_lays_little_aside() -> None:
    """And what is started from there is not told to do so."""
    left, told = dict[str, int](), dict[str, str]()
    for how in ("as it was", "given back"):
        said = subprocess.run([sys.executable, "-c", ASIDE, how], check=True, capture_output=True, text=True)
        number, told[how] = said.stdout.split()
        left[how] = int(number)
    assert left["given back"] < left["as it was"] / 4, left
    assert told["given back"] == told["as it was"]


@linux
def test_a_program_begins_anew_once(tmp_path: Path) -> None:
    """Also where what begins it lets nothing of the environment through, as glibc does where a file has capabilities."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nunset GLIBC_TUNABLES\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    said = subprocess.run([sys.executable, "-c", ONCE, python], check=True, capture_output=True, timeout=10)
    assert said.stdout.split() == [b"begun", b"begun"]


@linux
def test_a_worker_keeps_what_it_freed() -> None:
    """Each page that comes anew from the kernel is a fault."""
    faults = {
        how: int(subprocess.run([sys.executable, "-c", TREES, how], check=True, capture_output=True).stdout)
        for how in ("as it was", "kept")
    }
    assert faults["kept"] < faults["as it was"] / 4, faults


@linux
def test_what_was_freed_between_what_is_held_goes_back() -> None:
    said = subprocess.run([sys.executable, "-c", HOLES], check=True, capture_output=True, text=True).stdout
    full, left = map(int, said.split())
    assert full > 11_000
    assert left < full / 4, said


def test_what_was_set_aside_goes_when_it_has_died() -> None:
    """A configuration that is not in force any more, with all feeds that were rendered."""
    said = subprocess.run([sys.executable, "-c", CYCLES], check=True, capture_output=True, text=True).stdout
    assert said.strip() == "None"


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
