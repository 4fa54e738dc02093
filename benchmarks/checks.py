"""Where the processor time of `sheetgen check` goes, part by part: `python benchmarks/checks.py WORKBOOK.xlsx`.

The workbook is one of sheetgen's own, such as `sheetgen build --cnn RUN --live` writes. The sum is without the import
of PyTorch, and is printed as a multiple of what IronCalc takes, too, since machines differ.
"""

from __future__ import annotations

import argparse
import importlib
import resource
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def used() -> float:
    """Processor seconds of this process and of those that it waited for."""
    both = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    return sum(one.ru_utime + one.ru_stime for one in map(resource.getrusage, both))


class Clock:
    """The processor seconds of each part, printed as it ends."""

    def __init__(self) -> None:
        self.parts: dict[str, float] = {}

    def __call__(self, what: str, action: Callable[[], Any]) -> Any:
        """What the action gives."""
        before = used()
        result = action()
        self.parts[what] = used() - before
        print(f"{what:<48}{self.parts[what]:>8.2f}", flush=True)
        return result


def main(argv: Sequence[str] | None = None) -> int:
    """Print a line a part, the sum, and what that is beside IronCalc's part; 1 if the workbook is not confirmed."""
    parser = argparse.ArgumentParser(description="Time the parts of a check of one of sheetgen's own workbooks.")
    parser.add_argument("workbook", type=Path)
    path = parser.parse_args(argv).workbook
    print(f"{'part':<48}{'CPU, s':>8}")
    clock = Clock()
    # First, since it imports numpy and sympy, too; its optimizers import the compiler when the first of them is made.
    clock("PyTorch: import, which is not counted", lambda: importlib.import_module("torch"))
    clock("PyTorch: its compiler's import, not counted", lambda: importlib.import_module("torch._dynamo"))
    check = clock("imports", lambda: importlib.import_module("sheetgen.check.report"))
    contents = clock("reading the cells", lambda: check.read_contents(path))
    formulas = contents.formulas
    origin = clock("reading what it says of itself", lambda: check.read_origin(path, contents))
    pixels = clock("reading the digit network", lambda: check.pixels_of(path, contents))
    given = pixels.stored if pixels else {}
    recalculated = clock(
        "IronCalc, in a process of its own", lambda: check.recalculate(path, "ironcalc", int, formulas, given)
    )
    rounding = check.Rounding(path, recalculated, origin.as_built)
    asked = [cell for cell in formulas if (cell.tab, cell.address) not in given]
    stored = clock(
        "comparing stored with recalculated",
        lambda: check._compare_stored(path, origin.spec, asked, recalculated, "ironcalc", rounding, False),
    )
    rebuilt = clock("building again and comparing", lambda: check._rebuilt(path, origin, contents)[0])
    spec, runs = check.spec_now(origin, recalculated, path)
    said = [stored, rebuilt]
    if pixels:
        compare = lambda: check._compare_pixels(path, formulas, pixels, recalculated)  # noqa: E731
        said.append(clock("PyTorch: the digit network", compare))
    again = check._Retraining(path, spec, recalculated, rounding, False)
    headers = [origin.headers[run.label] for run in runs]
    said.append(clock("PyTorch: training again and comparing", lambda: again.compare(runs, headers)))
    counted = sum(seconds for what, seconds in clock.parts.items() if "not counted" not in what)
    print(f"{'together':<48}{counted:>8.2f}")
    print(f"{'the same, by IronCalc':<48}{counted / clock.parts['IronCalc, in a process of its own']:>8.2f}")
    failures = [one.failure for one in said if one.failure]
    print(*failures or ["all agree"], sep="\n")
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
