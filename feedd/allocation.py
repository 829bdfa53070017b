"""How much memory of what it freed the process keeps: glibc's malloc, told to give it back.

By default glibc gives threads up to eight heaps a core, and keeps what large documents took for the next ones. A daemon
with thirty threads grows by that for hours, in which nothing is held.
"""

import ctypes

# numbers of mallopt(3)'s parameters, from malloc.h
TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8
HEAPS = 2
LARGE_BYTES = 128 * 1024  # what is freed beyond goes back at once: glibc's own value, which else grows
SETTINGS = ((ARENA_MAX, HEAPS), (TRIM_THRESHOLD, LARGE_BYTES), (MMAP_THRESHOLD, LARGE_BYTES))


def give_back() -> None:
    """To be called before there are threads. Where there is another malloc, nothing happens."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in SETTINGS:
            mallopt(parameter, value)
