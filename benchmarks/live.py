"""What the live network costs: file size, build time, and one edit in LibreOffice and in IronCalc.

    python benchmarks/live.py RUN

LibreOffice is timed inside one session where it can be (session.py says when); otherwise a conversion with
recalculation is timed against one without.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from session import Edit, conversion, edit_seconds

from cnn.live.draw import CHOICE, PAINT
from cnn.live.geometry import address
from cnn.live.network import trained
from cnn.live.tabs import add_live_tabs
from cnn.run import read_run
from sheetgen.tabs.workbook import complete
from sheetgen.xlsx.book import Book
from sheetgen.xlsx.package import save

ROUNDS = 3
CHOICE_CELL = address(CHOICE.top, CHOICE.left)
PAINTED_CELL = address(PAINT.top + 1, PAINT.left + 1)


def build(run: Path, path: Path) -> None:
    """Write a workbook of the live tabs alone."""
    book = Book()
    add_live_tabs(book, read_run(run))
    complete(book)
    save(book, path)


def timed(action: Callable[[], object]) -> float:
    """The median of a few rounds, in seconds."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return median(times)


def ironcalc_seconds(path: Path) -> Iterator[tuple[str, float]]:
    """Loading, and one evaluation of every cell, which is what an edit costs there."""
    import ironcalc

    start = time.perf_counter()
    model: Any = ironcalc.load_from_xlsx(str(path), "en", "UTC", "en")
    yield "IronCalc: load, s", time.perf_counter() - start
    start = time.perf_counter()
    model.evaluate()
    yield "IronCalc: evaluate, s", time.perf_counter() - start


def libreoffice_seconds(path: Path, titles: Sequence[str]) -> Iterator[tuple[str, float]]:
    """One edit in a session, or what recalculation adds to a conversion."""
    if shutil.which("soffice") is None:
        return
    edits: list[Edit] = [("Draw", CHOICE_CELL, title) for title in titles]
    edits += [("Draw", PAINTED_CELL, ink) for ink in (9.0, 5.0, 0.0)]
    seconds = edit_seconds(path, edits)
    if seconds is not None:
        clock, processor = seconds
        yield f"LibreOffice: one edit, median of {len(edits)}, s", median(clock)
        yield "LibreOffice: one edit, slowest, s", max(clock)
        yield "LibreOffice: one edit, median, processor s", median(processor)
    else:
        without, recalculated = (conversion(path, mode) for mode in (False, True))
        yield "LibreOffice: load and save, s", without
        yield "LibreOffice: the same with all recalculated (no UNO here: an estimate), s", recalculated


def main(argv: Sequence[str] | None = None) -> int:
    """Print a line per figure."""
    parser = argparse.ArgumentParser(description="Measure the live network of a run.")
    parser.add_argument("run", type=Path)
    run = parser.parse_args(argv).run
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "live.xlsx"
        cpu = time.process_time()
        wall = timed(lambda: build(run, path))
        cpu = (time.process_time() - cpu) / ROUNDS
        print(f"{'file, bytes':<60}{path.stat().st_size:>12,}")
        figures = [("build: wall, s", wall), ("build: this process, s", cpu)]
        figures += libreoffice_seconds(path, trained(read_run(run)).samples.titles[1:8:2])
        figures += ironcalc_seconds(path)
        for what, seconds in figures:
            print(f"{what:<60}{seconds:>12.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
