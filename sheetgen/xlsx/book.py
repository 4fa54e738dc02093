"""What a workbook holds before it is written: openpyxl's sheets, and beside them stored values, a block and shapes."""

from __future__ import annotations

import gc
import math
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.cell.rich_text import CellRichText
from openpyxl.styles.cell_style import StyleArray
from openpyxl.utils import quote_sheetname
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from sheetgen.errors import ExcelError
from sheetgen.xlsx.cells import MAX_TEXT, Block, Formula, Value, column_letters
from sheetgen.xlsx.copies import to_the_right
from sheetgen.xlsx.style import ROLES, style_array

Content = Formula | Value | CellRichText | None


class Shape(Protocol):
    """An anchor of a drawing, such as openpyxl's TwoCellAnchor with a shape in it."""

    def to_tree(self) -> Any:
        """Its XML element, a new one each time."""


@dataclass
class Tab:
    """A worksheet, the values of its formulas by (row, column), at most one block, and shapes drawn over the cells.

    A value of None is still to be computed. `copies` has, for formulas that were filled to the right, the first one's
    text and how far on its right they stand; `shared`, for each formula of an area that is filled with its first one,
    the area: top, left, bottom, right. `vouched` says of which numbers each checksum is; see `vouch`.
    """

    ws: Worksheet
    stored: dict[tuple[int, int], Value | None] = field(default_factory=dict)
    block: Block | None = None
    shapes: list[Shape] = field(default_factory=list)
    vouched: dict[str, str] = field(default_factory=dict)
    copies: dict[tuple[int, int], tuple[str, int]] = field(default_factory=dict)
    shared: dict[tuple[int, int], tuple[int, int, int, int]] = field(default_factory=dict)
    _looks: dict[tuple[str, str | None], StyleArray] = field(default_factory=dict)

    def put(
        self, row: int, column: int, content: Content = None, role: str | None = None, number_format: str | None = None
    ) -> Cell:
        """The cell at the one-based place, filled; text stays text even if it begins with "=".

        With a role, it gets that look (see `style.ROLES`) and number format.
        ValueError for text beyond 32,767 characters and for a cell hidden by a merge.
        """
        cell: Any = self.ws.cell(row, column)
        if not isinstance(cell, Cell):
            raise ValueError(f"{self.ws.title}!{column_letters(column)}{row} is hidden by a merged cell")
        if isinstance(content, str) and len(content) > MAX_TEXT:
            where = f"{self.ws.title}!{column_letters(column)}{row}"
            raise ValueError(f"{where}: {len(content)} characters; a cell holds {MAX_TEXT}")
        place = row, column
        self.copies.pop(place, None)
        if isinstance(content, Formula):
            self.stored[place] = content.value
        else:
            self.stored.pop(place, None)
        writable: Any = cell
        writable.data_type, writable._value = _typed(content)
        if role is not None:
            key = role, number_format
            look = self._looks.get(key)
            if look is None:
                look = self._looks[key] = style_array(self.ws, role, number_format)
            writable._style = look
        return cell

    def fill_right(self, row: int, column: int, count: int, formula: Formula, role: str) -> None:
        """A formula without a value and its copies, in as many cells from a column on."""
        for right, text in enumerate(to_the_right(formula.text, count)):
            self.put(row, column + right, Formula(text), role)
            self.copies[row, column + right] = formula.text, right

    def share(self, top: int, left: int, bottom: int, right: int) -> None:
        """Let the file store the formulas of an area, all copies of its first, once; none may name another tab.

        A shared formula that looks at another sheet is read in different ways ([MS-XLSB] 2.5.98.98).
        """
        area = top, left, bottom, right
        self.shared |= {(row, column): area for row in range(top, bottom + 1) for column in range(left, right + 1)}

    def put_row(self, row: int, column: int, *contents: tuple[Content, str, str | None]) -> None:
        """Neighbouring cells from a column on, each a content, a role and a number format (None: the role's)."""
        for place, (content, role, number_format) in enumerate(contents, column):
            self.put(row, place, content, role, number_format)

    def header(self, row: int, column: int, labels: Iterable[Content], height: float | None = None) -> None:
        """The heads of a table's columns, from a column on."""
        for place, label in enumerate(labels, column):
            self.put(row, place, label, "header")
        if height is not None:
            self.ws.row_dimensions[row].height = height

    def merge(
        self, row: int, first: int, last: int, content: Content = None, role: str = "text", *,
        number_format: str | None = None, bottom: int | None = None,
    ) -> None:  # fmt: skip
        """One large cell, from the row to `bottom` (or that row alone) and from the first column to the last.

        This is the one way to merge. openpyxl's own gives all the cells the outer border anew, which takes longer than
        everything else about a small sheet.
        """
        if ROLES[role].shows_empty:
            for place in ((y, x) for y in range(row, (bottom or row) + 1) for x in range(first, last + 1)):
                self.put(*place, None, role, number_format)
        self.put(row, first, content, role, number_format)
        if (bottom or row, last) != (row, first):
            self.ws.merged_cells.add(f"{column_letters(first)}{row}:{column_letters(last)}{bottom or row}")

    def define(self, name: str, cells: str) -> None:
        """Name cells of the tab, such as $B$4:$B$9, in the workbook; ValueError if there is such a name already."""
        title, names = self.ws.title, self.ws.parent.defined_names  # type: ignore[union-attr]
        if name in names:
            raise ValueError(f"the name {name!r} is defined twice")
        names[name] = DefinedName(
            name, attr_text=f"{title if title.isidentifier() else quote_sheetname(title)}!{cells}"
        )

    def vouch(self, what: str, numbers: Iterable[float]) -> None:
        """Note a checksum of typed numbers, by which `check` finds that one of them was typed over.

        It is of 7 digits of each, which another program's saving keeps, and stands in a hidden name of the workbook.
        """
        name = re.sub("[^0-9A-Za-z]+", "_", f"sum_of_{self.ws.title}_{what}")
        found = zlib.crc32(" ".join(f"{number:.7g}" for number in numbers).encode())
        record(self.ws.parent, name, f"{found:08x}")
        self.vouched[name] = what

    def allow(
        self, cells: str, error: str, *, title: str = "Not allowed here", blank: bool = False, **rule: Any
    ) -> None:
        """Refuse, with a message, what is typed into cells unless it meets a rule (see openpyxl's DataValidation)."""
        allowed = DataValidation(showErrorMessage=True, errorTitle=title, error=error, allow_blank=blank, **rule)
        allowed.add(cells)
        self.ws.add_data_validation(allowed)

    def offer(self, cell: str, source: str, *, blank: bool = False) -> None:
        """A dropdown of what stands in cells or behind a name."""
        message, title = "Choose one of the list.", "Not in the list"
        self.allow(cell, message, title=title, blank=blank, type="list", formula1=source)

    def value(self, row: int, column: int) -> Any:
        """What the cell shows: a formula's value, or what was put there."""
        block = self.block
        if block and block.top <= row <= block.bottom and column <= len(block.columns):
            return block.rows[row - block.top][column - 1]
        return self.stored[row, column] if (row, column) in self.stored else self.ws.cell(row, column).value


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


def record(wb: Any, name: str, text: str) -> None:
    """Note a text in a hidden name of openpyxl's workbook, which other programs keep when they save it."""
    wb.defined_names[name] = DefinedName(name, attr_text=f'"{text}"', hidden=True)


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


@contextmanager
def uncollected() -> Iterator[None]:
    """Without looking for garbage: what a book is made of it needs to its end, and the search takes a tenth of it."""
    searched = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searched:
            gc.enable()
