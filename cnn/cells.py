"""What is typed into a workbook's cells, read back as the numbers of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sheetgen.xlsx.cells import is_number

__all__ = ["CellError", "Cells", "Typed"]

Cells = Mapping[str, Mapping[tuple[int, int], Any]]
"""What is typed, by tab, and row and column."""


class CellError(Exception):
    """A cell does not hold what a run has there: its tab, its row and column, and what belongs there."""

    def __init__(self, tab: str, place: tuple[int, int], belongs: str) -> None:
        super().__init__(f"{tab}: {belongs}")
        self.tab, self.place, self.belongs = tab, place, belongs


@dataclass(frozen=True)
class Typed:
    """A tab's typed cells; CellError where another kind of content stands than is asked for."""

    tab: str
    cells: Mapping[tuple[int, int], Any]

    def number(self, row: int, column: int) -> float:
        """The number in a cell."""
        found = self.cells.get((row, column))
        if not is_number(found):
            raise CellError(self.tab, (row, column), "a number that the run measured or trained")
        return float(found)

    def whole(self, row: int, column: int, most: int = 2**40) -> int:
        """The whole number from 0 to `most` in a cell."""
        found = self.number(row, column)
        if not (found == int(found) and 0 <= found <= most):
            raise CellError(self.tab, (row, column), f"a whole number from 0 to {most:,}")
        return int(found)

    def area(self, top: int, left: int, rows: int, columns: int) -> list[list[float]]:
        """The numbers of an area, row by row."""
        return [[self.number(top + y, left + x) for x in range(columns)] for y in range(rows)]
