"""Whether the numbers stored beside formulas are what these give for the stored numbers that they look at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sheetgen.check.foreign.book import Cell, Place
from sheetgen.check.foreign.judged import CLOSE, stored_numbers
from sheetgen.check.foreign.view import View
from sheetgen.errors import ExcelError
from sheetgen.formulas.parse import FormulaError
from sheetgen.formulas.swift import swift, together
from sheetgen.formulas.values import Failure, Scalar
from sheetgen.xlsx.cells import MAX_COLUMNS
from sheetgen.xlsx.copies import moved_text

__all__ = ["Stored"]

Quick = Callable[[int], float | None]
"""What a formula's copy in a row gives; None if that is no number, or not found in this way."""
SEVERAL = 4
"""Copies above a row, from which on a formula is worth writing as a function of Python."""


class Stored:
    """The stored numbers of a table, and what its formulas give for them."""

    def __init__(self, view: View) -> None:
        self.view = view
        self._copies: dict[tuple[str, int, int], int] = {}
        self._quick: dict[tuple[str, int, int], Quick] = {}
        self._rows: dict[int, dict[int, float]] = {}  # as many numbers as there are, however far apart they stand
        for (row, column), cell in view.book.tabs[view.table.tab].items():
            if type(cell.value) is float:
                self._rows.setdefault(row, {})[column - 1] = cell.value

    def is_right(self, place: Place, cell: Cell) -> bool:
        """Whether the number stored beside a formula is its own; what cannot be computed here is not judged."""
        if cell.value is None:
            return True
        try:
            value = self._value(place, cell)
        except FormulaError:
            return True
        if isinstance(cell.value, (bool, str)):
            # An error that comes from another cell is that cell's.
            return not isinstance(value, float)
        if not isinstance(value, float):
            return isinstance(value, ExcelError)
        near = abs(value - cell.value) <= CLOSE * max(abs(value), abs(cell.value), 1e-3)
        return near or self._rounded(place, cell, value)

    def _value(self, place: Place, cell: Cell) -> Scalar:
        assert cell.text is not None
        column = cell.text, place[0] - cell.down, place[1]
        count = self._copies[column] = self._copies.get(column, 0) + 1
        if count == SEVERAL and cell.down >= 0 <= cell.right:
            self._quick[column] = self._written(cell, place)
        value = self._quick[column](place[0]) if column in self._quick else None
        return self.view.compute(cell, place, None) if value is None else value

    def _written(self, cell: Cell, place: Place) -> Quick:
        """A formula as a function of Python, which finds its row's numbers and those of the row above."""
        cells, width = self.view.book.tabs[self.view.table.tab], MAX_COLUMNS
        written = swift(
            moved_text(cell.text or "", cell.down, cell.right), (place[0], width + 1), width,
            lambda where: there.value if (there := cells.get(where)) is not None else None,
        )  # fmt: skip
        if written is None:
            return lambda row: None
        fill: Callable[[Any, Any], None] = together({width: written})

        def value(row: int) -> float | None:
            numbers = self._rows.get(row, {})
            try:
                fill(numbers, self._rows.get(row - 1, {}))
            except (ArithmeticError, ValueError, TypeError, LookupError, Failure):  # a LookupError of what is no number
                return None
            return numbers.pop(width)

        return value

    def _rounded(self, place: Place, cell: Cell, value: float) -> bool:
        """Whether programs that store some ten digits explain a difference."""
        assert isinstance(cell.value, (int, float))
        largest = max((abs(one) for one in stored_numbers(self.view, place[0]).values()), default=1.0)
        return abs(value - cell.value) <= 1e-7 * max(abs(value), abs(cell.value)) + 1e-9 * min(largest, 1.0)
