"""What Map, Landscape and Try an input cost: `python benchmarks/maps.py [SPEC]`.

A build and its file with and without them; what LibreOffice takes to load and save the workbook, as it is and with
every formula recalculated; and what it takes to compute all that follows an edit (session.py says what that needs).
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from unittest.mock import patch

import openpyxl
from session import Edit, conversion, edit_seconds

from sheetgen.build import build
from sheetgen.spec import Spec, load
from sheetgen.tabs import landscape, plane, try_input
from sheetgen.tabs.inputs import TAB
from sheetgen.tabs.state import STEP_ROW

ROUNDS = 5
# What is typed, one after the other, into the first weight, the first rate, and the step on Network.
TYPED = (0.2, 0.3, 0.25)


def build_without(spec: Spec, path: Path) -> None:
    """A build with the three left out."""
    with (
        patch.object(landscape, "left_out", lambda plan: "left out"),
        patch.object(plane, "left_out", lambda plan: "left out"),
        patch.object(try_input, "fill", lambda *given: None),
    ):
        build(spec, path)


def edits(path: Path) -> list[Edit]:
    """An edit of each kind, in turns."""
    names = openpyxl.load_workbook(path).defined_names
    weight, rate = (names[name].attr_text.split("!")[1].replace("$", "") for name in ("w_1", "rate_1"))
    return [
        edit
        for turn, number in enumerate(TYPED, 1)
        for edit in ((TAB, weight, number), (TAB, rate, number), ("Network", f"B{STEP_ROW}", float(turn)))
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Print a line per figure."""
    parser = argparse.ArgumentParser(description="Measure what the pictures made of cells cost.")
    parser.add_argument("spec", nargs="?", default="erav2")
    spec = load(parser.parse_args(argv).spec)
    with tempfile.TemporaryDirectory() as folder:
        whole, bare = Path(folder, "whole.xlsx"), Path(folder, "bare.xlsx")
        times: dict[Path, list[float]] = {whole: [], bare: []}
        build(spec, whole)  # a warm-up
        for _ in range(ROUNDS):
            for path, kind in ((whole, build), (bare, build_without)):
                gc.collect()  # what the build before left is not this one's
                start = time.process_time()
                kind(spec, path)
                times[path].append(time.process_time() - start)
        print(f"{'file, bytes: with, without':<60}{whole.stat().st_size:>10,}{bare.stat().st_size:>10,}")
        print(f"{'build, CPU s: with, without':<60}{median(times[whole]):>10.2f}{median(times[bare]):>10.2f}")
        loaded, recalculated = (conversion(whole, mode) for mode in (False, True))
        print(f"{'LibreOffice, s: load and save, the same recalculated':<60}{loaded:>10.2f}{recalculated:>10.2f}")
        for what, seconds in zip(("s", "CPU s"), edit_seconds(whole, edits(whole)) or (), strict=False):
            title = f"LibreOffice, {what}: one edit, median and slowest of {len(seconds)}"
            print(f"{title:<60}{median(seconds):>10.2f}{max(seconds):>10.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
