"""How long this checkout builds a workbook, beside another revision: `python benchmarks/builds.py --against REV`.

Both build the same specs as whole processes, in turn, so that a change of the machine's speed meets both alike. Printed
are the median seconds of each and the median of the ratios, pair by pair.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
# What is built, by the arguments of `sheetgen build`; 5,000 steps of the default template are a million formulas.
BUILDS = {"default": ("erav2",), "deep": ("deep",), "xor": ("xor",), "a million formulas": ("erav2", "--steps", "5000")}


@contextmanager
def checkout(revision: str) -> Iterator[Path]:
    """A working tree of another revision, removed at the end."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder, "tree")
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(tree), revision], check=True)
        try:
            yield tree
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)


def seconds(tree: Path, arguments: Sequence[str], out: Path) -> float:
    """One build by the code of a working tree, as a whole process."""
    command = [sys.executable, "-m", "sheetgen", "build", *arguments, "-o", str(out)]
    start = time.perf_counter()
    subprocess.run(command, cwd=tree, env={**os.environ, "PYTHONPATH": str(tree)}, check=True, capture_output=True)
    return time.perf_counter() - start


def main(argv: Sequence[str] | None = None) -> int:
    """Print a line per build."""
    parser = argparse.ArgumentParser(description="Time builds of this checkout and of another revision, in turn.")
    parser.add_argument("--against", metavar="REV", default="HEAD~1", help="(default: %(default)s)")
    parser.add_argument("--rounds", metavar="N", type=int, default=7, help="(default: %(default)s)")
    parser.add_argument("--only", metavar="NAME", nargs="+", choices=list(BUILDS), help=f"of: {', '.join(BUILDS)}")
    options = parser.parse_args(argv)
    with checkout(options.against) as other, tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "book.xlsx")
        titles = f"median of {options.rounds} rounds", "here, s", f"{options.against[:12]}, s", "ratio"
        print("{:<24}{:>10}{:>16}{:>8}".format(*titles))
        for name in options.only or BUILDS:
            seconds(ROOT, BUILDS[name], out), seconds(other, BUILDS[name], out)
            pairs = [tuple(seconds(tree, BUILDS[name], out) for tree in (ROOT, other)) for _ in range(options.rounds)]
            here, there = zip(*pairs, strict=True)
            ratio = median(a / b for a, b in pairs)
            print(f"{name:<24}{median(here):>10.2f}{median(there):>16.2f}{ratio:>8.2f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
