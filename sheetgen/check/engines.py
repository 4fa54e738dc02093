"""A workbook recalculated by a program that shares no code with this one: IronCalc or LibreOffice."""

from __future__ import annotations

import importlib.util
import marshal
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path
from threading import Timer
from types import MappingProxyType
from typing import Any, Literal

from sheetgen.check.office import convert
from sheetgen.errors import CheckError, ExcelError
from sheetgen.xlsx.cells import Value
from sheetgen.xlsx.files import scratch
from sheetgen.xlsx.reader import FormulaCell, open_workbook, place, read_formulas, read_typed

__all__ = ["NAMES", "Change", "Engine", "Recalculated", "recalculate", "variants"]

Engine = Literal["ironcalc", "libreoffice"]
NAMES = {"ironcalc": "IronCalc", "libreoffice": "LibreOffice"}
CellOf = tuple[str, str]
"""A tab's title and a cell's address in it."""
Change = tuple[str, int, int, float]
"""A tab, a row and a column, and the number to type there."""
Tabs = dict[str, dict[str, Value | None]]
"""Values by tab and address."""

# IronCalc takes 2 bytes and 0.1 to 1 µs for a byte of the parts, and a few hundredths of a second to start.
LEAST_MEMORY, MEMORY = 512 << 20, 10
LEAST_SECONDS, SECONDS = 6, 4e-6
BUSY = 3


class Recalculated(Mapping[CellOf, Value | None]):
    """The values of a workbook's formula cells by (tab, address), errors as ExcelError; None for an empty result.

    A cell that has no formula is no member, but has a value: what is typed, or None.
    """

    def __init__(self, path: Path, tabs: Tabs) -> None:
        self._path = path
        self._tabs = tabs
        self._typed: Tabs = {}

    def __getitem__(self, cell: CellOf) -> Value | None:
        tab, address = cell
        found = self._tabs.get(tab, {})
        if address in found:
            return found[address]
        if tab not in self._typed:
            self._typed[tab] = {one.address: one.value for one in read_typed(self._path, tab)}
        return self._typed[tab].get(address)

    def __iter__(self) -> Iterator[CellOf]:
        return ((tab, address) for tab, values in self._tabs.items() for address in values)

    def __len__(self) -> int:
        return sum(map(len, self._tabs.values()))


def recalculate(
    path: Path | str,
    engine: Engine = "ironcalc",
    progress: Callable[[int], object] = int,
    formulas: Iterable[FormulaCell] | None = None,
    given: Mapping[CellOf, float] = MappingProxyType({}),
) -> Recalculated:
    """Every formula's value as the engine computes it, the stored values set aside.

    `progress` gets the cells added; `formulas` are the workbook's, where they were read before. Formulas that have a
    `given` value are not computed: IronCalc takes it for theirs (LibreOffice computes all). CheckError if the file
    cannot be read, or the engine is missing, fails or does not answer.
    """
    with open_workbook(path) as archive:
        size = sum(part.file_size for part in archive.infolist())
    tabs: Tabs = {}
    for (tab, address), number in given.items():
        tabs.setdefault(tab, {})[address] = number
    cells = read_formulas(path) if formulas is None else formulas
    for tab, addresses, values in _ENGINES[engine](Path(path), size, cells, given):
        tabs.setdefault(tab, {}).update(zip(addresses, values, strict=True))
        progress(len(addresses))
    return Recalculated(Path(path), tabs)


def variants(
    path: Path, engine: Engine, tab: str, sets: Sequence[Sequence[Change]], *, without: str = ""
) -> list[dict[str, Value | None]]:
    """The values of a tab's formulas by address, with some numbers typed into cells: for one set after the other.

    The tab `without` is taken away before. CheckError as in `recalculate`.
    """
    with open_workbook(path) as archive:
        size = sum(part.file_size for part in archive.infolist())
    return _VARIANTS[engine](path, size, (tab, without), sets)


def _variants_of_ironcalc(
    path: Path, size: int, tabs: tuple[str, str], sets: Sequence[Sequence[Change]]
) -> list[dict[str, Value | None]]:
    found: list[dict[str, Value | None]] = [{}]
    for answer in _ironcalc(path, size, tabs, marshal.dumps([list(map(tuple, one)) for one in sets])):
        if answer is True:
            found.append({})
        else:
            _, addresses, values = answer
            found[-1].update(zip(addresses, map(_as_value, values), strict=True))
        if len(found) > len(sets):
            return found[:-1]
    raise AssertionError("unreachable")


def _variants_of_libreoffice(
    path: Path, size: int, tabs: tuple[str, str], sets: Sequence[Sequence[Change]]
) -> list[dict[str, Value | None]]:
    """A copy of the workbook for each set, made by openpyxl, which keeps what is computed."""
    from openpyxl import load_workbook

    tab, without = tabs
    with scratch("sheetgen-libreoffice-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it does not keep
        sources = []
        for number, changes in enumerate(sets):
            try:
                book = load_workbook(path)
                if without in book.sheetnames:
                    del book[without]
                for title, row, column, value in changes:
                    book[title].cell(row, column).value = value
                book.save(folder / f"{number}.xlsx")
            except Exception as error:  # openpyxl raises whatever comes up in files of other programs
                raise CheckError(f"{path}: openpyxl cannot copy it: {error}; try --engine ironcalc") from None
            sources.append(folder / f"{number}.xlsx")
        results = convert(sources, folder / "out", shown=path, size=size * len(sets))
        return [{cell.address: cell.value for cell in read_formulas(one, tab)} for one in results]


_VARIANTS: dict[
    str, Callable[[Path, int, tuple[str, str], Sequence[Sequence[Change]]], list[dict[str, Value | None]]]
] = {"ironcalc": _variants_of_ironcalc, "libreoffice": _variants_of_libreoffice}


Batches = Iterator[tuple[str, list[str], list[Value | None]]]


def _with_ironcalc(path: Path, size: int, cells: Iterable[FormulaCell], given: Mapping[CellOf, float]) -> Batches:
    asked = [
        (tab, [cell.address for cell in here if (tab, cell.address) not in given])
        for tab, here in groupby(cells, key=lambda cell: cell.tab)
    ]
    numbers = [(tab, *place(address), number) for (tab, address), number in given.items()]
    for answer in _ironcalc(path, size, given=marshal.dumps((asked, numbers))):
        if answer is True:
            return
        tab, addresses, values = answer
        yield tab, addresses, list(map(_as_value, values))


def _as_value(value: Any) -> Value | None:
    return ExcelError(value[0]) if isinstance(value, tuple) else value


def _ironcalc(path: Path, size: int, more: Sequence[str] = (), given: bytes = b"") -> Iterator[Any]:
    """What the worker answers, to the last; CheckError for a text, and where it breaks off."""
    if importlib.util.find_spec("ironcalc") is None:
        raise CheckError("IronCalc is not installed; run: pip install ironcalc (or use --engine libreoffice)")
    seconds = LEAST_SECONDS + int(SECONDS * size)
    command = [
        sys.executable,
        "-m",
        "sheetgen.check.worker",
        str(path),
        str(LEAST_MEMORY + MEMORY * size),
        str(seconds),
        *more,
    ]
    with _answers(command, given, seconds) as answers:
        for answer in answers:
            if isinstance(answer, str):
                raise CheckError(answer)
            yield answer
    limits = f"{seconds} s and {LEAST_MEMORY + MEMORY * size >> 20:,} MB"
    raise CheckError(
        f"{path}: IronCalc did not finish within its limits, {limits}, or broke off; try --engine libreoffice"
    )


@contextmanager
def _answers(command: list[str], given: bytes, seconds: int) -> Iterator[Iterator[Any]]:
    """What the program writes, an object at a time, until it has finished, is over its time or breaks off."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        with suppress(BrokenPipeError), process.stdin:
            process.stdin.write(given)
        # Its own limit is of processor time, which a busy machine gives slowly; where there is none, this one holds.
        over = Timer(LEAST_SECONDS + BUSY * (seconds - LEAST_SECONDS), process.kill)
        over.start()
        try:
            yield iter(lambda: _answer(process.stdout), None)
        finally:
            over.cancel()
            process.kill()


def _answer(pipe: Any) -> Any:
    try:
        return marshal.load(pipe)
    except (EOFError, ValueError, TypeError):  # cut short
        return None


def _with_libreoffice(path: Path, size: int, cells: Iterable[FormulaCell], given: Mapping[CellOf, float]) -> Batches:
    with scratch("sheetgen-libreoffice-") as folder:
        # LibreOffice tells the kind of a file by its name.
        source = folder / "book.xlsx"
        source.symlink_to(path.resolve())
        [result] = convert([source], folder / "out", shown=path, size=size)
        found = {(cell.tab, cell.address): cell.value for cell in read_formulas(result)}
    # It writes a typed TRUE as a formula, and a data table as none.
    for cell in cells:
        if (cell.tab, cell.address) in found:
            yield cell.tab, [cell.address], [found[cell.tab, cell.address]]


_ENGINES: dict[str, Callable[[Path, int, Iterable[FormulaCell], Mapping[CellOf, float]], Batches]] = {
    "ironcalc": _with_ironcalc,
    "libreoffice": _with_libreoffice,
}
