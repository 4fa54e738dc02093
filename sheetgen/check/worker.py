"""IronCalc in a process of its own, with limits, since what it is given may be made to exhaust or crash it.

As a program: the path of a workbook, and the most bytes and seconds that it may take. stdin holds, marshalled, tabs
with the addresses of their formula cells, and (tab, row, column, number) of those whose values it shall take as they
are. It writes to stdout, marshalled, tab, addresses and values, many at a time, an error as a tuple of its name; then
True. A text in place of any of these says why the workbook cannot be opened.

With a tab as well, it is that tab's formulas alone, several times: for the numbers that stdin then holds, a list of
sets of (tab, row, column, number) that are typed in, one set after the other; each ends with True. A second tab is
taken away before.
"""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from sheetgen.check.bare import without_formats
from sheetgen.errors import ERRORS, CheckError
from sheetgen.xlsx.reader import place, read_formulas

CELLS = 8_192
Numbers = list[tuple[str, int, int, float]]
"""Tab, row, column and what is to stand there."""


def main(path: str, memory: int, seconds: int, tab: str | None = None, without: str = "") -> None:
    """Recalculate the workbook, and write the values."""
    _limit(memory, seconds)
    asked: list[Any] = marshal.load(sys.stdin.buffer)
    with os.fdopen(os.dup(1), "wb") as out, Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)  # IronCalc prints what it wonders about
        try:
            for batch in _batches(path, *asked) if tab is None else _variants(path, tab, without, asked):
                marshal.dump(batch, out)
            if tab is None:
                marshal.dump(True, out)
        except CheckError as error:
            marshal.dump(str(error), out)


def _limit(memory: int, seconds: int) -> None:
    with suppress(ImportError, OSError, ValueError):  # not every system has these limits
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))


def _batches(
    path: str, asked: list[tuple[str, list[str]]], given: Numbers
) -> Iterator[tuple[str, list[str], list[Any]]]:
    model, sheets = _opened(path, given)
    for tab, cells in asked:
        if tab not in sheets:
            raise CheckError(f"{path}: IronCalc does not see the tab {tab!r}; try --engine libreoffice")
        for start in range(0, len(cells), CELLS):
            addresses = cells[start : start + CELLS]
            yield tab, addresses, [_value(model, (sheets[tab], *place(address))) for address in addresses]


def _variants(path: str, tab: str, without: str, sets: list[Numbers]) -> Iterator[Any]:
    model, sheets = _opened(path)
    if without in sheets:
        model.delete_sheet(sheets[without])
        sheets = _numbers(model)
    if tab not in sheets:
        raise CheckError(f"{path}: IronCalc does not see the tab {tab!r}; try --engine libreoffice")
    addresses = [cell.address for cell in read_formulas(path, tab)]
    places = [(sheets[tab], *place(address)) for address in addresses]
    for changes in sets:
        try:
            for title, row, column, number in changes:
                model.update_cell_with_number(sheets[title], row, column, number)
            model.evaluate()
        except BaseException as error:
            raise CheckError(f"{path}: IronCalc cannot compute it: {error}; try --engine libreoffice") from None
        yield tab, addresses, [_value(model, cell) for cell in places]
        yield True


def _opened(path: str, given: Numbers | None = None) -> tuple[Any, dict[str, int]]:
    """The model, computed with some numbers in place of the formulas there, and the number of each tab."""
    import ironcalc

    try:
        with without_formats(Path(path)) as bare:
            model = ironcalc.load_from_xlsx(str(bare), "en", "UTC", "en")
        sheets = _numbers(model)
        for title, row, column, number in given or ():
            model.update_cell_with_number(sheets[title], row, column, number)
        model.evaluate()
        return model, sheets
    except CheckError:
        raise
    except BaseException as error:
        # A panic of IronCalc's Rust code arrives as an exception that is no Exception.
        raise CheckError(f"{path}: IronCalc cannot open it: {error}; try --engine libreoffice") from None


def _numbers(model: Any) -> dict[str, int]:
    return {sheet["name"]: at for at, sheet in enumerate(model.get_worksheets_properties())}


def _value(model: Any, cell: tuple[int, int, int]) -> Any:
    value = model.get_cell_value(*cell)
    if isinstance(value, str) and value in ERRORS and "Error" in str(model.get_cell_type(*cell)):
        return (value,)
    return value


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
