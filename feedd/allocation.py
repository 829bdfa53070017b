"""Memory: what values take, and how much of what was freed the process keeps.

By default glibc gives threads up to eight heaps a core, and keeps what large documents took for the next ones. A daemon
with thirty threads grows by that for hours, in which nothing is held. So malloc is told to give it back.

A worker process lives for seconds, and takes and frees the memory of a tree for each article. Where that goes back to
the kernel each time, getting it anew, page by page, takes a sixth of the worker's time. So malloc is told to keep it.
"""

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# numbers of mallopt(3)'s parameters, from malloc.h
TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD, ARENA_MAX = -1, -2, -3, -8
HEAPS = 2
LARGE_BYTES = 128 * 1024  # what is freed beyond goes back at once: glibc's own value, which else grows
TUNABLES, LITTLE_ASIDE = "GLIBC_TUNABLES", "glibc.malloc.tcache_count=1"
ONCE_MORE = "-Xonce-more"  # an option without a meaning for Python
GIVING_BACK = ((ARENA_MAX, HEAPS), (TRIM_THRESHOLD, LARGE_BYTES), (MMAP_THRESHOLD, LARGE_BYTES))
STEP_BYTES = 4 * 1024 * 1024  # that are asked of the kernel at once
MOST_KEPT_BYTES = 32 * 1024 * 1024  # freed
SELDOM = 10_000  # objects that came since the last search for garbage; Python's own is 700
KEEPING = ((TOP_PAD, STEP_BYTES), (TRIM_THRESHOLD, MOST_KEPT_BYTES), (MMAP_THRESHOLD, MOST_KEPT_BYTES))


def begin_anew() -> None:
    """For a process that lives long, first of all: the program begins once more, in the same process, unless it did.

    glibc lays aside for each thread up to seven pieces of each size that it freed, 200 kB and more: they stay between
    what is given back, and no call reaches them. One of each is as quick, where none takes half as long again. How many is
    read from the environment, before a program begins. Whether it did is read from its options: the environment may lose
    this on the way, as where Python's file has capabilities.
    """
    if ONCE_MORE in sys.orig_argv or TUNABLES in os.environ:
        return
    if hasattr(ctypes.CDLL(None), "gnu_get_libc_version"):
        program, told = (
            [sys.executable, ONCE_MORE, *sys.orig_argv[1:]],
            {**os.environ, TUNABLES: LITTLE_ASIDE},
        )
        with suppress(OSError):  # then all stays as it is
            os.execve(sys.executable, program, told)  # noqa: S606 (itself)


def give_back() -> None:
    """For a process that lives long. To be called before there are threads.

    Programs that are started from here are not told to begin as this one did.
    """
    if os.environ.get(TUNABLES) == LITTLE_ASIDE:
        del os.environ[TUNABLES]
    tell_malloc(GIVING_BACK)


def keep() -> None:
    """For a worker process."""
    tell_malloc(KEEPING)


@contextmanager
def staying() -> Iterator[None]:
    """What is made within stays, as modules and the configuration do: it is not searched for garbage, now or later.

    A command else spends a tenth of a second on that, most of it at its end.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def search_seldom() -> None:
    """For a process that ends soon, and makes much that goes without a search: that stops all threads."""
    gc.set_threshold(SELDOM)


def settle() -> None:
    """What is there now stays: it is not searched for garbage any more. What is garbage now is let go first.

    To search the configuration and all modules stops all threads, and those that serve, for 50 ms and more. What is freed
    otherwise, as nearly all is, goes as ever; cycles that are alive now stay in memory when they die.
    """
    gc.collect()
    gc.freeze()


def settle_anew() -> None:
    """As `settle`, but all is searched: cycles that stayed, and have died since, go with what they hold.

    What served a configuration that is in force no more is one, and holds the feeds that it rendered.
    """
    gc.unfreeze()
    settle()


def trim() -> None:
    """Give back what was freed between what is held: a heap that once was full else stays as large as it was.

    Takes some milliseconds. Where there is another malloc than glibc's, nothing happens.
    """
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim is not None:
        malloc_trim(0)


def tell_malloc(settings: tuple[tuple[int, int], ...]) -> None:
    """Where there is another malloc than glibc's, nothing happens."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in settings:
            mallopt(parameter, value)


def held_bytes(value: object) -> int:
    """What a value of tuples, texts and numbers takes in memory; what it holds twice counts twice.

    That is several times its characters where texts are short: each is an object of 50 bytes and more.
    """
    own = sys.getsizeof(value)
    return own + sum(map(held_bytes, value)) if isinstance(value, tuple) else own
