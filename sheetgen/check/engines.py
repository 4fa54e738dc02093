"""A workbook recalculated by a program that shares no code with this one: IronCalc or LibreOffice."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from sheetgen.check.office import convert
from sheetgen.errors import ERRORS, CheckError, ExcelError
from sheetgen.xlsx.cells import Value
from sheetgen.xlsx.reader import open_workbook, place, read_formulas, sheet_parts

__all__ = ["Engine", "Recalculated", "recalculate"]

Engine = Literal["ironcalc", "libreoffice"]
CellOf = tuple[str, str]
"""A tab's title and a cell's address in it."""


class Recalculated(Mapping[CellOf, Value | None]):
    """The values of a workbook's formula cells by (tab, address), errors as ExcelError; None for an empty result.

    IronCalc's are looked up one by one, so that a million of them are not held twice.
    """

    def __init__(self, path: Path, look_up: Callable[[CellOf], Value | None]) -> None:
        self._path = path
        self._look_up = look_up

    def __getitem__(self, cell: CellOf) -> Value | None:
        return self._look_up(cell)

    def __iter__(self) -> Iterator[CellOf]:
        return ((cell.tab, cell.address) for cell in read_formulas(self._path))

    def __len__(self) -> int:
        return sum(1 for _ in read_formulas(self._path))


def recalculate(path: Path | str, engine: Engine = "ironcalc") -> Recalculated:
    """Every formula's value as the engine computes it, the stored values set aside.

    CheckError if the file cannot be read, or the engine is missing, fails or does not answer.
    """
    with open_workbook(path) as archive:
        titles = [title for title, _ in sheet_parts(archive)]
    return _ENGINES[engine](Path(path), titles)


def _with_ironcalc(path: Path, titles: list[str]) -> Recalculated:
    model = _ironcalc_model(path)
    model.evaluate()
    sheets = {title: index for index, title in enumerate(titles)}

    def look_up(where: CellOf) -> Value | None:
        cell = sheets[where[0]], *place(where[1])
        value: Value | None = model.get_cell_value(*cell)
        if isinstance(value, str) and value in ERRORS and "Error" in str(model.get_cell_type(*cell)):
            return ExcelError(value)
        return value

    return Recalculated(path, look_up)


def _ironcalc_model(path: Path) -> Any:
    try:
        import ironcalc
    except ImportError:
        raise CheckError("IronCalc is not installed; run: pip install ironcalc (or use --engine libreoffice)") from None
    try:
        return ironcalc.load_from_xlsx(str(path), "en", "UTC", "en")
    except BaseException as error:
        # A panic of IronCalc's Rust code arrives as an exception that is no Exception.
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise CheckError(f"{path}: IronCalc cannot open it: {error}; try --engine libreoffice") from error
        raise


def _with_libreoffice(path: Path, titles: list[str]) -> Recalculated:
    values: dict[str, dict[str, Value | None]] = {title: {} for title in titles}
    with tempfile.TemporaryDirectory(prefix="sheetgen-") as folder:
        # LibreOffice tells the kind of a file by its name.
        source = Path(folder, "book.xlsx")
        source.symlink_to(path.resolve())
        [result] = convert([source], Path(folder, "out"), shown=path)
        for cell in read_formulas(result):
            values[cell.tab][cell.address] = cell.value
    return Recalculated(path, lambda where: values[where[0]][where[1]])


_ENGINES: dict[str, Callable[[Path, list[str]], Recalculated]] = {
    "ironcalc": _with_ironcalc,
    "libreoffice": _with_libreoffice,
}
