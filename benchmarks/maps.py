"""What Map, Landscape and Try an input cost: `python benchmarks/maps.py [SPEC]`.

A build and its file with and without them, and what LibreOffice takes to load and save the workbook, as it is and with
every formula recalculated: the difference is what an edit of everything would take.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from unittest.mock import patch

from live import conversion

from sheetgen.build import build
from sheetgen.spec import load
from sheetgen.tabs import landscape, plane, try_input

ROUNDS = 5


def without(action: Callable[[], object]) -> None:
    """Do it with the three left out."""
    with (
        patch.object(landscape, "left_out", lambda plan: "left out"),
        patch.object(plane, "left_out", lambda plan: "left out"),
        patch.object(try_input, "fill", lambda *given: None),
    ):
        action()


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
            start = time.process_time()
            build(spec, whole)
            middle = time.process_time()
            without(lambda: build(spec, bare))
            times[whole].append(middle - start)
            times[bare].append(time.process_time() - middle)
        print(f"{'file, bytes: with, without':<60}{whole.stat().st_size:>10,}{bare.stat().st_size:>10,}")
        print(f"{'build, CPU s: with, without':<60}{median(times[whole]):>10.2f}{median(times[bare]):>10.2f}")
        loaded, recalculated = (conversion(whole, mode) for mode in (False, True))
        print(f"{'LibreOffice, s: load and save, the same recalculated':<60}{loaded:>10.2f}{recalculated:>10.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
