"""What the live network costs: file size, build time, and one edit in LibreOffice and in IronCalc.

    python benchmarks/live.py RUN

LibreOffice is timed inside one session through UNO, where the system's Python has it (Debian: python3-uno; another
one is named by the environment variable UNO_PYTHON); otherwise a conversion with recalculation is timed against one
without.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from cnn.live.draw import CHOICE, PAINT
from cnn.live.geometry import address
from cnn.live.network import trained
from cnn.live.tabs import add_live_tabs
from cnn.run import read_run
from sheetgen.check.office import convert, new_profile
from sheetgen.tabs.workbook import complete
from sheetgen.xlsx.book import Book
from sheetgen.xlsx.package import save

ROUNDS = 3
CHOICE_CELL = address(CHOICE.top, CHOICE.left)
PAINTED_CELL = address(PAINT.top + 1, PAINT.left + 1)
# Runs under the Python that has UNO: prints the seconds of every edit.
SESSION = """
import sys, time, uno
from com.sun.star.beans import PropertyValue
url, pipe, choice, painted, *titles = sys.argv[1:]
local = uno.getComponentContext()
resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
for _ in range(300):
    try:
        context = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
        break
    except Exception:
        time.sleep(0.2)
desktop = context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
hidden = PropertyValue()
hidden.Name, hidden.Value = "Hidden", True
book = desktop.loadComponentFromURL(url, "_blank", 0, (hidden,))
sheet = book.Sheets.getByName("Draw")
answer = book.NamedRanges.getByName("answer").ReferredCells
book.calculateAll()
for title in titles:
    start = time.perf_counter()
    sheet.getCellRangeByName(choice).String = title
    answer.String
    print(time.perf_counter() - start)
for ink in (9, 5, 0):
    start = time.perf_counter()
    sheet.getCellRangeByName(painted).Value = ink
    answer.String
    print(time.perf_counter() - start)
book.close(True)
try:
    desktop.terminate()
except Exception:
    pass
"""


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
    python = os.environ.get("UNO_PYTHON") or "/usr/bin/python3"
    if shutil.which(python) and subprocess.run([python, "-c", "import uno"], capture_output=True).returncode == 0:
        edits = _session(path, titles, python)
        yield f"LibreOffice: one edit, median of {len(edits)}, s", median(edits)
        yield "LibreOffice: one edit, slowest, s", max(edits)
    else:
        without, recalculated = (conversion(path, mode) for mode in (False, True))
        yield "LibreOffice: load and save, s", without
        yield "LibreOffice: the same with all recalculated (no UNO here: an estimate), s", recalculated


def _session(path: Path, titles: Sequence[str], python: str) -> list[float]:
    with tempfile.TemporaryDirectory() as profile:
        pipe = f"live{os.getpid()}"
        office = subprocess.Popen(
            ["soffice", new_profile(Path(profile, "profile")), "--headless", "--norestore",
             f"--accept=pipe,name={pipe};urp;"],
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            command = [python, "-c", SESSION, path.as_uri(), pipe, CHOICE_CELL, PAINTED_CELL, *titles]
            said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600).stdout
            office.wait(60)
        finally:
            office.terminate()
    return [float(line) for line in said.split()]


def conversion(path: Path, recalculate: bool) -> float:
    """The seconds that LibreOffice takes to load and save a workbook, all recalculated or not."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        convert([path], Path(folder, "out"), recalculate=recalculate)
        return time.perf_counter() - start


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
