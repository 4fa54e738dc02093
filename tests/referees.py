"""Programs that share no code with this one, asked about a finished workbook."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas
from openpyxl import load_workbook
from python_calamine import CalamineWorkbook
from xlsx_lint import lint

from sheetgen.check.engines import Engine
from sheetgen.check.report import Report, report
from sheetgen.errors import ExcelError
from sheetgen.xlsx.cells import Value, column_letters
from sheetgen.xlsx.reader import read_formulas

Place = tuple[str, str]
Cells = Mapping[Place, Any]


def schema_errors(validator: Path, path: Path) -> list[str]:
    """What the Open XML SDK finds wrong."""
    said = subprocess.run([validator, path], capture_output=True, text=True, check=False, timeout=120).stdout
    answer = json.loads(said)
    return [json.dumps(error) for error in answer["errors"]] or ([] if answer["ok"] else [said])


def asked(path: Path, engine: Engine = "ironcalc", *, progress: bool = False) -> Report:
    """What an engine and PyTorch say of a workbook, without the comparison with one that is built again."""
    return replace(report(path, engine, progress), rebuilt=None)


def complaints(validator: Path, path: Path) -> list[str]:
    """What the Open XML SDK and the linter find wrong together."""
    return schema_errors(validator, path) + lint(path)


def pandas_cells(path: Path) -> dict[Place, Any]:
    """Every filled cell as pandas reads it; it has no errors, only blanks."""
    frames = pandas.read_excel(path, sheet_name=None, header=None, engine="calamine", keep_default_na=False)
    return _filled({str(title): frame.values.tolist() for title, frame in frames.items()})


def calamine_cells(path: Path) -> dict[Place, Any]:
    """Every filled cell as calamine reads it; it has no errors, only blanks."""
    book = CalamineWorkbook.from_path(str(path))
    titles = book.sheet_names
    return _filled({title: book.get_sheet_by_name(title).to_python(skip_empty_area=False) for title in titles})


def openpyxl_cells(path: Path) -> dict[Place, Any]:
    """Every filled cell as openpyxl reads it."""
    book: Any = load_workbook(path, data_only=True, read_only=True)
    try:
        return _filled({sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book})
    finally:
        book.close()


READERS: dict[str, Callable[[Path], dict[Place, Any]]] = {
    "pandas": pandas_cells,
    "calamine": calamine_cells,
    "openpyxl": openpyxl_cells,
}


def stored(path: Path) -> dict[Place, Value | None]:
    """The stored value of every formula."""
    return {(cell.tab, cell.address): cell.value for cell in read_formulas(path)}


def misread(path: Path) -> list[str]:
    """Formulas' numbers that pandas, calamine or openpyxl read otherwise than they are stored; every bit counts."""
    numbers = {place: value for place, value in stored(path).items() if is_number(value)}
    found = []
    for name, read in READERS.items():
        cells = read(path)
        found += [f"{name}: {line}" for line in differences(numbers, cells, relative=0, absolute=0)]
    return found


def differences(
    expected: Cells, found: Cells, *, relative: float = 1e-12, absolute: float = 1e-300, limit: int = 10
) -> list[str]:
    """The first cells whose values differ: numbers beyond the tolerances, anything else at all."""
    lines = []
    for (tab, address), value in expected.items():
        other = found.get((tab, address))
        if not agree(value, other, relative, absolute):
            lines.append(f"{tab}!{address}: {value!r} expected, {other!r} found")
            if len(lines) == limit:
                break
    return lines


def agree(one: Any, other: Any, relative: float, absolute: float) -> bool:
    """Whether two cell values are the same; an empty text is an empty cell to some readers."""
    if is_number(one) and is_number(other):
        return one == other or math.isclose(one, other, rel_tol=relative, abs_tol=absolute)
    blank = (None, "")
    return (one in blank and other in blank) or (one == other and isinstance(one, bool) == isinstance(other, bool))


def is_number(value: Any) -> bool:
    """Whether a cell's value is a number: errors and texts are strings, and a bool is not one."""
    return isinstance(value, (int, float)) and not isinstance(value, (bool, ExcelError))


def _filled(sheets: Mapping[str, list[Any]]) -> dict[Place, Any]:
    return {
        (title, f"{column_letters(column)}{row}"): value
        for title, rows in sheets.items()
        for row, values in enumerate(rows, 1)
        for column, value in enumerate(values, 1)
        if not (value is None or value == "" or value != value)
    }
