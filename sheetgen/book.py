"""What a workbook holds before it is written: openpyxl's sheets, and beside them stored values, a block and shapes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Protocol

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.cell.rich_text import CellRichText
from openpyxl.worksheet.worksheet import Worksheet

from sheetgen.cells import MAX_TEXT, Block, ExcelError, Formula, Value, column_letters

Content = Formula | Value | CellRichText | None


class Shape(Protocol):
    """An anchor of a drawing, such as openpyxl's TwoCellAnchor with a shape in it."""

    def to_tree(self) -> Any:
        """Its XML element, a new one each time."""


@dataclass
class Tab:
    """A worksheet, the values of its formulas by (row, column), at most one block, and shapes drawn over the cells."""

    ws: Worksheet
    stored: dict[tuple[int, int], Value] = field(default_factory=dict)
    block: Block | None = None
    shapes: list[Shape] = field(default_factory=list)

    def put(self, row: int, column: int, content: Content = None) -> Cell:
        """The cell at the one-based place, filled; text stays text even if it begins with "=".

        ValueError for text beyond 32,767 characters and for a cell hidden by a merge.
        """
        cell: Any = self.ws.cell(row, column)
        place = f"{self.ws.title}!{column_letters(column)}{row}"
        if not isinstance(cell, Cell):
            raise ValueError(f"{place} is hidden by a merged cell")
        if isinstance(content, str) and len(content) > MAX_TEXT:
            raise ValueError(f"{place}: {len(content)} characters; a cell holds {MAX_TEXT}")
        self.stored.pop((row, column), None)
        if isinstance(content, Formula):
            self.stored[row, column] = content.value
        writable: Any = cell
        writable.data_type, writable._value = _typed(content)
        return cell

    def merge(self, row: int, first: int, last: int) -> None:
        """Merge the row's cells from the first to the last column.

        The cells keep what they look like; openpyxl's merge_cells would give all of them the outer border anew, which
        takes longer than everything else about a small sheet.
        """
        self.ws.merged_cells.add(f"{column_letters(first)}{row}:{column_letters(last)}{row}")


@dataclass
class Book:
    """A workbook of tabs, in their order; empty at first."""

    wb: Workbook = field(default_factory=Workbook)
    tabs: list[Tab] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.tabs:
            for sheet in self.wb.worksheets:
                self.wb.remove(sheet)

    def add(self, title: str) -> Tab:
        """A new last tab. openpyxl would silently rename a second tab of the same title: ValueError."""
        if title.casefold() in (tab.ws.title.casefold() for tab in self.tabs):
            raise ValueError(f"there is a tab {title!r} already")
        tab = Tab(self.wb.create_sheet(title))
        self.tabs.append(tab)
        return tab

    @property
    def formulas(self) -> int:
        """How many formulas all the tabs have together."""
        return sum(len(tab.stored) + (tab.block.cells if tab.block else 0) for tab in self.tabs)


def _typed(content: Content) -> tuple[str, Any]:
    """openpyxl's data type and the value to go with it."""
    if isinstance(content, Formula):
        return "f", content.text
    if isinstance(content, ExcelError):
        return "e", content
    if isinstance(content, (str, CellRichText)):
        return "s", content
    if isinstance(content, bool):
        return "b", content
    if content is not None and not math.isfinite(content):
        return "e", ExcelError("#NUM!")
    return "n", content
