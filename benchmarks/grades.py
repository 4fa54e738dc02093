"""Times `sheetgen grade` on a class: `python benchmarks/grades.py [--files N] [--runs N]`.

A third of the submissions of the default exercise are right, a third have two gradients that look at the wrong
activation, and a third are empty. Beside it, the same files recalculated by IronCalc alone, one after the other.
"""

from __future__ import annotations

import argparse
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

from sheetgen.check.engines import recalculate
from sheetgen.lessons.exercise import make_exercise
from sheetgen.lessons.files import write_exercise
from sheetgen.spec import load

# The formulas of ∂E/∂w3 and ∂E/∂w4 look at a_h1, in column K, instead of a_h2, in column M.
SWAPPED = re.compile(rb"\*M(\d+)\*\(1-M\1\)\*(?=[DE]\1<)")


def states(folder: Path) -> list[Path]:
    """A submission that is right, one with a mistake, and one that is empty."""
    empty, right, wrong = (folder / f"{name}.xlsx" for name in ("empty", "right", "wrong"))
    write_exercise(make_exercise(load("erav2")), empty, right)
    with zipfile.ZipFile(right) as whole, zipfile.ZipFile(wrong, "w", zipfile.ZIP_DEFLATED) as copy:
        for entry in whole.infolist():
            copy.writestr(entry.filename, SWAPPED.sub(rb"*K\1*(1-K\1)*", whole.read(entry)))
    return [right, wrong, empty]


def main(argv: Sequence[str] | None = None) -> int:
    """Print the medians."""
    parser = argparse.ArgumentParser(description="Time the grades of a class.")
    parser.add_argument("--files", type=int, default=300, help="submissions (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="runs (default: %(default)s)")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        made, folder = states(Path(name)), Path(name) / "class"
        folder.mkdir()
        for number in range(arguments.files):
            shutil.copy(made[number % len(made)], folder / f"{number:03}.xlsx")
        command = [sys.executable, "-m", "sheetgen", "grade", str(folder), "-o", str(Path(name) / "GRADES.xlsx")]
        grades, engines = [], []
        for _ in range(arguments.runs):
            begin = time.perf_counter()
            result = subprocess.run(command, capture_output=True, text=True, check=True)
            grades.append(time.perf_counter() - begin)
            assert f"{arguments.files} submissions, 0 not graded" in result.stdout, result.stdout
            begin = time.perf_counter()
            for path in made:
                recalculate(path)
            engines.append((time.perf_counter() - begin) * arguments.files / len(made))
    median, engine = statistics.median(grades), statistics.median(engines)
    print(f"{platform.machine()}, Python {platform.python_version()}, medians of {arguments.runs}")
    print(f"grades of {arguments.files} submissions  {median:.1f} s ({min(grades):.1f} to {max(grades):.1f})")
    print(f"IronCalc alone, once each       {engine:.1f} s: {median / engine:.2f} times as long")
    return 0


if __name__ == "__main__":
    sys.exit(main())
