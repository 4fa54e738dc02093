"""Memory that is freed is used again rather than given back to the system."""

import subprocess
import sys
from pathlib import Path

import pytest

from cnn.memory import keep_freed_memory

COUNT = """
import resource
import sys
import numpy as np
from cnn.memory import keep_freed_memory

kept = sys.argv[1] == "kept" and keep_freed_memory()
maps = [np.ones(800_000) for _ in range(4)]
del maps
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    maps = [np.ones(800_000) for _ in range(4)]
    del maps
print(kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(way: str) -> tuple[str, int]:
    """What keep_freed_memory() said, and how many pages the system had to give for 80 maps of 6.4 MB."""
    root = Path(__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", COUNT, way], cwd=root, capture_output=True, text=True, check=True)
    said, count = done.stdout.split()
    return said, int(count)


def test_freed_memory_is_used_again() -> None:
    """The system gives hardly a page for maps of a size that was freed before; left alone, it gives most anew."""
    said, few = faults("kept")
    if said == "False":
        pytest.skip("this machine's C library is not glibc, which is left as it is")
    assert few < 100 < faults("left alone")[1]


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has other numbers for its options, or none."""
    monkeypatch.setattr("platform.libc_ver", lambda: ("", ""))
    assert not keep_freed_memory()
