"""Times the commands a person waits for: `python benchmarks/start.py [--runs N]`; the interpreter's start is included.

Medians are printed, and what of a build is the start of Python with sympy and openpyxl alone.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

COMMANDS = {
    "sheetgen --help": ("-m", "sheetgen", "--help"),
    "sheetgen build": ("-m", "sheetgen", "build", "-o", "{folder}/backprop.xlsx"),
    "import sympy, openpyxl": ("-c", "import sympy, openpyxl"),
}


def seconds(arguments: Sequence[str]) -> float:
    """The wall time of one run of the interpreter."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def main(argv: Sequence[str] | None = None) -> int:
    """Print a line per command."""
    parser = argparse.ArgumentParser(description="Time the commands a person waits for.")
    parser.add_argument("--runs", type=int, default=9, help="runs of each (default: %(default)s)")
    runs = parser.parse_args(argv).runs
    with tempfile.TemporaryDirectory() as folder:
        commands = {name: [one.format(folder=folder) for one in command] for name, command in COMMANDS.items()}
        times: dict[str, list[float]] = {name: [] for name in commands}
        for run in range(runs + 1):  # the first is a warm-up
            for name, command in commands.items():
                taken = seconds(command)
                if run:
                    times[name].append(taken)
    print(f"Python {platform.python_version()}, median of {runs} runs, seconds (least, most)")
    for name, taken_times in times.items():
        print(f"{name:24} {statistics.median(taken_times):6.2f}  ({min(taken_times):.2f}, {max(taken_times):.2f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
