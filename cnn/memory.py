"""How the C library hands out memory to training on a CPU."""

from __future__ import annotations

import ctypes
import platform

__all__ = ["keep_freed_memory"]

# glibc's malloc.h; the largest threshold for memory maps that it takes on 64 bits is half a heap, 32 MiB.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST_MMAP_THRESHOLD = 32 << 20
NEVER = 2**31 - 1


def keep_freed_memory() -> bool:
    """Let glibc keep the memory that is freed, for the next update; whether this machine's C library is glibc.

    An update frees maps of some megabytes and asks for them again. By itself, glibc gives them back to the system in
    between, which clears each page anew: on two cores an update of 128 images takes 27 ms so, and 23 ms with them kept
    (benchmarks/memory.py). No number of the training depends on it.
    """
    if platform.system() != "Linux" or platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(M_MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD) and mallopt(M_TRIM_THRESHOLD, NEVER))
