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
  jetxl              formulas with values, by one thread; if it is installed, and pyarrow
  opensheet-core     formulas with values; if it is installed

All get texts and numbers that are ready: the clock stands still while a row's texts are made. `sheetgen build` gets a
spec. Seconds of the processor count every thread: sheetgen compresses in a second one.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

SIZES = (10_000, 100_000, 300_000, 1_000_000)
PACKAGES = ("openpyxl", "XlsxWriter", "ironcalc", "pandas", "python-calamine", "sympy")
# Not among the requirements of the tests: measured where they are installed.
OPTIONAL = {"jetxl": ("jetxl", "pyarrow"), "opensheet-core": ("opensheet_core",)}


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


@dataclass
class Watch:
    """The seconds, by the clock and of the processor, that the block of a `with` takes; it stands still in `rows`."""

    wall: float = 0.0
    cpu: float = 0.0

    def __enter__(self) -> Watch:
        self._add(-1)
        return self

    def __exit__(self, *_: object) -> None:
        self._add(1)

    def _add(self, sign: int) -> None:
        self.wall += sign * time.perf_counter()
        self.cpu += sign * time.process_time()

    def rows(self, sheet: Sheet) -> Iterator[tuple[list[str], tuple[Any, ...]]]:
        """The formulas and values of each row."""
        for place, values in enumerate(sheet.values):
            self._add(1)
            made = [text.format(place + 8, place + 7) for text in sheet.patterns] if place else sheet.first
            self._add(-1)
            yield made, values


def sheetgen_build(cells: int, path: Path) -> Watch:
    """The whole build, the interpreter's start included."""
    steps = make_plan(cells).spec.steps
    command = [sys.executable, "-m", "sheetgen", "build", "--steps", str(steps), "-o", str(path)]
    with Watch() as watch:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Watch(watch.wall, used.ru_utime + used.ru_stime)


def sheetgen_write(cells: int, path: Path) -> Watch:
    """Saving a book with the training tables in it, and nothing else."""
    from sheetgen.xlsx.book import Book
    from sheetgen.xlsx.cells import Block, FillDown
    from sheetgen.xlsx.package import save

    book = Book()
    for training in make_plan(cells).trainings:
        columns = tuple(FillDown(start, fill) for _, start, fill in training.table.formulas())
        book.add(training.run.label).block = Block(8, columns, training.values)
    with Watch() as watch:
        save(book, path)
    return watch


def openpyxl_cells(cells: int, path: Path) -> Watch:
    """A cell at a time, without values."""
    import openpyxl

    sheets = make_sheets(cells)
    with Watch() as watch:
        book = openpyxl.Workbook()
        for sheet in sheets:
            tab = book.create_sheet(sheet.title)
            for row, (texts, _) in enumerate(watch.rows(sheet), 8):
                for column, text in enumerate(texts, 1):
                    tab.cell(row, column).value = text
        book.save(path)
    return watch


def openpyxl_rows(cells: int, path: Path) -> Watch:
    """Whole rows, not kept in memory, without values."""
    import openpyxl

    sheets = make_sheets(cells)
    with Watch() as watch:
        book = openpyxl.Workbook(write_only=True)
        for sheet in sheets:
            tab = book.create_sheet(sheet.title)
            for _ in range(7):
                tab.append([])
            for texts, _ in watch.rows(sheet):
                tab.append(texts)
        book.save(path)
    return watch


def xlsxwriter_cells(cells: int, path: Path, **options: bool) -> Watch:
    """A cell at a time, with values."""
    import xlsxwriter

    sheets = make_sheets(cells)
    with Watch() as watch:
        book = xlsxwriter.Workbook(path, options)
        for sheet in sheets:
            tab = book.add_worksheet(sheet.title)
            for row, (texts, values) in enumerate(watch.rows(sheet), 7):
                for column, (text, value) in enumerate(zip(texts, values, strict=True)):
                    tab.write_formula(row, column, text, None, value)
        book.close()
    return watch


def xlsxwriter_rows(cells: int, path: Path) -> Watch:
    """The same in its constant_memory mode."""
    return xlsxwriter_cells(cells, path, constant_memory=True)


def jetxl_cells(cells: int, path: Path) -> Watch:
    """Empty columns of Arrow, and over them a list of formulas; it takes their values as text."""
    jetxl, pyarrow = import_module("jetxl"), import_module("pyarrow")
    sheets = make_sheets(cells)
    with Watch() as watch:
        tabs = []
        for sheet in sheets:
            empty = pyarrow.nulls(len(sheet.values), pyarrow.float64())
            found = [
                (row, column, text, repr(value))
                for row, (texts, values) in enumerate(watch.rows(sheet), 8)
                for column, (text, value) in enumerate(zip(texts, values, strict=True))
            ]
            data = pyarrow.table({str(column): empty for column in range(len(sheet.first))})
            tabs.append(
                {"data": data, "name": sheet.title, "formulas": found, "write_header_row": False, "data_start_row": 8}
            )
        jetxl.write_sheets_arrow(tabs, str(path), 1)
    return watch


def opensheet_rows(cells: int, path: Path) -> Watch:
    """Row by row, with values."""
    opensheet = import_module("opensheet_core")
    sheets = make_sheets(cells)
    with Watch() as watch:
        book = opensheet.XlsxWriter(str(path))
        for sheet in sheets:
            book.add_sheet(sheet.title)
            book.write_rows([[]] * 7)
            for texts, values in watch.rows(sheet):
                pairs = zip(texts, values, strict=True)
                book.write_row([opensheet.Formula(text[1:], value) for text, value in pairs])
        book.close()
    return watch


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


WRITERS: dict[str, Callable[[int, Path], Watch]] = {
    "sheetgen build": sheetgen_build,
    "sheetgen write": sheetgen_write,
    "openpyxl": openpyxl_cells,
    "openpyxl rows": openpyxl_rows,
    "XlsxWriter": xlsxwriter_cells,
    "XlsxWriter rows": xlsxwriter_rows,
    "jetxl": jetxl_cells,
    "opensheet-core": opensheet_rows,
}
for _name, _modules in OPTIONAL.items():
    if not all(map(importlib.util.find_spec, _modules)):
        del WRITERS[_name]
READERS: dict[str, Callable[[Path], None]] = {
    "LibreOffice": open_in_libreoffice,
    "openpyxl": open_in_openpyxl,
    "pandas": open_in_pandas,
    "IronCalc": open_in_ironcalc,
}


@dataclass(frozen=True)
class Measured:
    """Medians: seconds to write, those of the processor, peak memory in MB, size in MB, seconds to open by reader."""

    seconds: float
    cpu: float
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
    watch = WRITERS[name](cells, path)
    who = resource.RUSAGE_CHILDREN if name == "sheetgen build" else resource.RUSAGE_SELF
    print(json.dumps({"seconds": watch.wall, "cpu": watch.cpu, "memory": resource.getrusage(who).ru_maxrss / 1024}))
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
            try:
                open_it(path)
            except BaseException as error:  # IronCalc panics at a file without styles, and that is no Exception
                if isinstance(error, KeyboardInterrupt):
                    raise
                print(f"{reader} cannot open the file of {name}: {error}", file=sys.stderr)
            else:
                opened[name][reader].append(time.perf_counter() - begin)
    return {
        name: Measured(
            statistics.median(one["seconds"] for one in written[name]),
            statistics.median(one["cpu"] for one in written[name]),
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
    print("| | write s | ratio | CPU s | ratio | memory MB | file MB | " + " | ".join(heads) + " |" * bool(heads))
    print("|---" * (7 + len(heads)) + "|")
    base = found["sheetgen write"]
    for name, one in found.items():
        opened = "".join(
            f" {one.opened[reader]:.2f} |" if reader in one.opened else " – |" for reader in READERS if read
        )
        times = f"{one.seconds:.2f} | {one.seconds / base.seconds:.1f} | {one.cpu:.2f} | {one.cpu / base.cpu:.1f}"
        print(f"| {name} | {times} | {one.memory:.0f} | {one.size:.2f} |{opened}")
    small = base.size / found["XlsxWriter"].size
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
    packages = (*PACKAGES, *(name for name in OPTIONAL if name in WRITERS))
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
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
