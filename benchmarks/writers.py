"""Times writing and opening the same table of formulas: `python benchmarks/writers.py [--cells N ...] [--runs N]`.

The table is the one of the default template, 32 columns on six tabs, filled down over as many steps as the number of
formulas asks for. Each way to write it runs in a process of its own, in turn, so that the peak memory is its own and
a slow spell of the machine hits all alike. Medians of several runs are printed, and their ratios.

  sheetgen build     the whole command: derivation, numbers, every tab, charts, saving
  sheetgen write     saving the training tables alone: streamed shared formulas with values
  openpyxl           a cell at a time, formulas without values
  openpyxl rows      write_only=True, formulas without values
  XlsxWriter         formulas with values
  XlsxWriter rows    constant_memory, formulas with values

The seconds are those of writing: making the formulas' texts and numbers is not counted, but for `sheetgen build`.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

SIZES = (10_000, 100_000, 300_000, 1_000_000)
PACKAGES = ("openpyxl", "XlsxWriter", "ironcalc", "pandas", "python-calamine", "sympy")


@dataclass(frozen=True)
class Sheet:
    """A tab's name, the formulas of row 0, patterns of the formulas below (of a row's and the last row's number),
    and the values of every row."""

    title: str
    first: list[str]
    patterns: list[str]
    values: list[tuple[Any, ...]]


def make_plan(cells: int) -> Any:
    """The default template with as many steps as give about this many formulas."""
    from sheetgen.spec import load
    from sheetgen.tabs import layout, plan

    default = load("erav2")
    columns = len(layout.plan_table(default, default.runs[0]).equations.columns)
    return plan.make_plan(replace(default, steps=max(1, round(cells / columns / len(default.runs)) - 1)))


def make_sheets(cells: int) -> list[Sheet]:
    """The same formulas and values for the writers to write."""
    from sheetgen.maths.algebra import before
    from sheetgen.maths.printer import excel

    sheets = []
    for training in make_plan(cells).trainings:
        table = training.table
        names = {symbol: letter + "{0}" for symbol, letter in table.letters.items()}
        names |= {before(symbol): letter + "{1}" for symbol, letter in table.letters.items()}
        patterns = ["=" + excel(column.fill, names | dict(table.settings)) for column in table.equations.columns]
        first = ["=" + start for _, start, _ in table.formulas()]
        sheets.append(Sheet(table.tab, first, patterns, training.values))
    return sheets


def formulas(sheet: Sheet, place: int) -> list[str]:
    """The formulas of the zero-based row."""
    if place == 0:
        return sheet.first
    return [pattern.format(place + 8, place + 7) for pattern in sheet.patterns]


def sheetgen_build(cells: int, path: Path) -> float:
    """The whole build, the interpreter's start included."""
    steps = make_plan(cells).spec.steps
    begin = time.perf_counter()
    command = [sys.executable, "-m", "sheetgen", "build", "--steps", str(steps), "-o", str(path)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def sheetgen_write(cells: int, path: Path) -> float:
    """Saving a book with the training tables in it, and nothing else."""
    from sheetgen.xlsx.book import Book
    from sheetgen.xlsx.cells import Block, FillDown
    from sheetgen.xlsx.package import save

    book = Book()
    for training in make_plan(cells).trainings:
        columns = tuple(FillDown(start, fill) for _, start, fill in training.table.formulas())
        book.add(training.run.label).block = Block(8, columns, training.values)
    begin = time.perf_counter()
    save(book, path)
    return time.perf_counter() - begin


def openpyxl_cells(cells: int, path: Path) -> float:
    """A cell at a time, without values."""
    import openpyxl

    sheets = make_sheets(cells)
    begin = time.perf_counter()
    book = openpyxl.Workbook()
    for sheet in sheets:
        tab = book.create_sheet(sheet.title)
        for place in range(len(sheet.values)):
            for column, text in enumerate(formulas(sheet, place), 1):
                tab.cell(place + 8, column).value = text
    book.save(path)
    return time.perf_counter() - begin


def openpyxl_rows(cells: int, path: Path) -> float:
    """Whole rows, not kept in memory, without values."""
    import openpyxl

    sheets = make_sheets(cells)
    begin = time.perf_counter()
    book = openpyxl.Workbook(write_only=True)
    for sheet in sheets:
        tab = book.create_sheet(sheet.title)
        for _ in range(7):
            tab.append([])
        for place in range(len(sheet.values)):
            tab.append(formulas(sheet, place))
    book.save(path)
    return time.perf_counter() - begin


def xlsxwriter_cells(cells: int, path: Path, **options: bool) -> float:
    """A cell at a time, with values."""
    import xlsxwriter

    sheets = make_sheets(cells)
    begin = time.perf_counter()
    book = xlsxwriter.Workbook(path, options)
    for sheet in sheets:
        tab = book.add_worksheet(sheet.title)
        for place, values in enumerate(sheet.values):
            for column, (text, value) in enumerate(zip(formulas(sheet, place), values, strict=True)):
                tab.write_formula(place + 7, column, text, None, value)
    book.close()
    return time.perf_counter() - begin


def xlsxwriter_rows(cells: int, path: Path) -> float:
    """The same in its constant_memory mode."""
    return xlsxwriter_cells(cells, path, constant_memory=True)


def open_in_libreoffice(path: Path) -> None:
    """Load the file headless and save it as CSV (one tab), which is a small part of the time."""
    from sheetgen.check.office import CSV, convert

    with tempfile.TemporaryDirectory() as folder:
        convert([path], Path(folder, "out"), CSV, recalculate=False)


def open_in_openpyxl(path: Path) -> None:
    """Read every value."""
    import openpyxl

    for tab in openpyxl.load_workbook(path, data_only=True, read_only=True):
        for _ in tab.iter_rows(values_only=True):
            pass


def open_in_pandas(path: Path) -> None:
    """Read every tab with the calamine engine."""
    import pandas

    pandas.read_excel(path, sheet_name=None, header=None, engine="calamine")


def open_in_ironcalc(path: Path) -> None:
    """Load and recalculate."""
    import ironcalc

    ironcalc.load_from_xlsx(str(path), "en", "UTC", "en").evaluate()


WRITERS: dict[str, Callable[[int, Path], float]] = {
    "sheetgen build": sheetgen_build,
    "sheetgen write": sheetgen_write,
    "openpyxl": openpyxl_cells,
    "openpyxl rows": openpyxl_rows,
    "XlsxWriter": xlsxwriter_cells,
    "XlsxWriter rows": xlsxwriter_rows,
}
READERS: dict[str, Callable[[Path], None]] = {
    "LibreOffice": open_in_libreoffice,
    "openpyxl": open_in_openpyxl,
    "pandas": open_in_pandas,
    "IronCalc": open_in_ironcalc,
}


@dataclass(frozen=True)
class Measured:
    """Medians: seconds to write, peak memory in MB, size in MB, and seconds to open by reader."""

    seconds: float
    memory: float
    size: float
    opened: dict[str, float]


def write_once(name: str, cells: int, path: Path) -> dict[str, float]:
    """One run in a process of its own: its seconds and peak memory (its own or, for the build, the command's)."""
    command = [sys.executable, __file__, "--only", name, "--cells", str(cells), "--path", str(path)]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    answer: dict[str, float] = json.loads(found.stdout)
    return answer


def child(name: str, cells: int, path: Path) -> int:
    """What such a process does."""
    seconds = WRITERS[name](cells, path)
    who = resource.RUSAGE_CHILDREN if name == "sheetgen build" else resource.RUSAGE_SELF
    print(json.dumps({"seconds": seconds, "memory": resource.getrusage(who).ru_maxrss / 1024}))
    return 0


def measure(cells: int, runs: int, read: bool, folder: Path) -> dict[str, Measured]:
    """Every writer in turn, several times, then every reader on each writer's file."""
    paths = {name: folder / f"{name.replace(' ', '-')}-{cells}.xlsx" for name in WRITERS}
    written: dict[str, list[dict[str, float]]] = {name: [] for name in WRITERS}
    opened: dict[str, dict[str, list[float]]] = {name: {reader: [] for reader in READERS} for name in WRITERS}
    for _ in range(runs):
        for name, path in paths.items():
            written[name].append(write_once(name, cells, path))
    for name, path in paths.items():
        for reader, open_it in READERS.items() if read else ():
            begin = time.perf_counter()
            open_it(path)
            opened[name][reader].append(time.perf_counter() - begin)
    return {
        name: Measured(
            statistics.median(one["seconds"] for one in written[name]),
            statistics.median(one["memory"] for one in written[name]),
            path.stat().st_size / 1e6,
            {reader: statistics.median(times) for reader, times in opened[name].items() if times},
        )
        for name, path in paths.items()
    }


def report(cells: int, found: dict[str, Measured], read: bool) -> None:
    """The table of one size, and the ratios that matter."""
    print(f"\n{cells:,} formulas")
    heads = [f"{reader} opens s" for reader in READERS] if read else []
    print("| | write s | × sheetgen write | memory MB | file MB | " + " | ".join(heads) + " |" * bool(heads))
    print("|---" * (5 + len(heads)) + "|")
    base = found["sheetgen write"].seconds
    for name, one in found.items():
        opened = "".join(f" {one.opened[reader]:.2f} |" for reader in READERS) if read else ""
        print(f"| {name} | {one.seconds:.2f} | {one.seconds / base:.1f} | {one.memory:.0f} | {one.size:.2f} |{opened}")
    small = found["sheetgen write"].size / found["XlsxWriter"].size
    print(f"sheetgen's file is {small:.0%} of XlsxWriter's")


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables and the ratios."""
    parser = argparse.ArgumentParser(description="Time writing and opening the same table of formulas.")
    parser.add_argument("--cells", type=int, nargs="+", default=list(SIZES), help="numbers of formulas")
    parser.add_argument("--runs", type=int, default=3, help="runs of each writer (default: %(default)s)")
    parser.add_argument("--no-readers", action="store_true", help="do not time opening the files")
    parser.add_argument("--only", choices=WRITERS, help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.only:
        return child(options.only, options.cells[0], options.path)
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    print(f"Python {platform.python_version()}, {platform.machine()}; {versions}; median of {options.runs}")
    builds = {}
    with tempfile.TemporaryDirectory() as folder:
        for cells in options.cells:
            found = measure(cells, options.runs, not options.no_readers, Path(folder))
            report(cells, found, not options.no_readers)
            builds[cells] = found["sheetgen build"].seconds
    if {100_000, 1_000_000} <= builds.keys():
        print(f"\na whole build of 1,000,000 takes {builds[1_000_000] / builds[100_000]:.1f} × that of 100,000")
    return 0


if __name__ == "__main__":
    sys.exit(main())
