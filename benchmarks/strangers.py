"""Times `sheetgen check` on workbooks of another hand: `python benchmarks/strangers.py [--runs N]`.

A table of 300 rows in a process of its own, less the start of the interpreter, and 100 workbooks of 68 rows, in a
quarter of which gradients look at the wrong activation, in one call. The tables are sheetgen's own training tabs with
its mark taken off, so that they are judged as a stranger's.
"""

from __future__ import annotations

import argparse
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sheetgen.build import build
from sheetgen.spec import load, override

FILES, ROWS, LONG = 100, 68, 300
# In every fourth file ∂E/∂w3 and ∂E/∂w4 look at a_h1, in column K, instead of a_h2, in column M.
SWAPPED = re.compile(rb"\*M(\d+)\*\(1-M\1\)\*(?=[DE]\1<)")


def strange(source: Path, target: Path, wrong: bool) -> None:
    """A copy without the mark of its maker."""
    with zipfile.ZipFile(source) as whole, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as copy:
        for entry in whole.infolist():
            data = whole.read(entry)
            if entry.filename == "docProps/core.xml":
                data = data.replace(b">sheetgen<", b">somebody<")
            elif entry.filename == "xl/workbook.xml":
                data = re.sub(rb'<definedName name="spec".*?</definedName>', b"", data)
            elif wrong and "worksheets/sheet" in entry.filename:
                data = SWAPPED.sub(rb"*K\1*(1-K\1)*", data)
            copy.writestr(entry.filename, data)


def seconds(arguments: Sequence[str]) -> float:
    """The wall time of one run of the interpreter."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=False)
    return time.perf_counter() - begin


def main(argv: Sequence[str] | None = None) -> int:
    """Print a line for each."""
    parser = argparse.ArgumentParser(description="Time the check of workbooks of another hand.")
    parser.add_argument("--runs", type=int, default=7, help="runs of each (default: %(default)s)")
    runs = parser.parse_args(argv).runs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for rows in (LONG, ROWS):
            # Without Map and Landscape, which nobody has by hand and which are mostly other numbers to read.
            spec = replace(override(load("erav2"), [1.0], rows - 1), pictures=False)
            build(spec, folder / f"{rows}.xlsx")
        strange(folder / f"{LONG}.xlsx", folder / "long.xlsx", False)
        (folder / "class").mkdir()
        for number in range(FILES):
            strange(folder / f"{ROWS}.xlsx", folder / "class" / f"{number}.xlsx", number % 4 == 0)
        check = ("-m", "sheetgen", "check")
        said = subprocess.run(
            [sys.executable, *check, str(folder / "class")], capture_output=True, text=True, check=False
        )
        print(f"Python {platform.python_version()}, median of {runs} runs, seconds (least, most)")
        times = {
            f"a table of {LONG} rows": [seconds((*check, str(folder / "long.xlsx"))) for _ in range(runs)],
            "the interpreter's start": [seconds(("-c", "pass")) for _ in range(runs)],
            f"{FILES} workbooks": [seconds((*check, str(folder / "class"))) for _ in range(runs)],
        }
        for what, taken in times.items():
            print(f"{what:24} {statistics.median(taken):6.2f}  ({min(taken):.2f}, {max(taken):.2f})")
        print(said.stdout.splitlines()[-1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
