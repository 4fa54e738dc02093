"""The numbers that a formula of a table sees: drawn at random for each step's symbols, or those stored in the file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple

from sheetgen.check.foreign.book import Book, Cell, Place
from sheetgen.check.foreign.draws import Draw
from sheetgen.check.foreign.labels import RATE, STEP
from sheetgen.check.foreign.meant import is_e, meant_code, stored_code
from sheetgen.check.foreign.tables import Table
from sheetgen.errors import CheckError, ExcelError
from sheetgen.formulas.evaluate import At, Code, evaluate, meaning
from sheetgen.formulas.parse import FormulaError, parse
from sheetgen.formulas.values import Grid, Scalar
from sheetgen.xlsx.cells import is_number

__all__ = ["Effort", "View"]

DEEPEST = 60
"""Cells outside the table that need each other; beyond it they are taken for a circle."""
MOST_CELLS = 10_000
"""Cells of a range that are looked at."""
MOST_LOOKS = 4_000_000
"""Cells that the formulas of a workbook look at in all, which takes some seconds."""
CIRCULAR = ExcelError("#REF!")


@dataclass
class Effort:
    """What judging a workbook has cost so far."""

    looks: int = 0
    tries: int = 0

    def look(self, cells: int = 1) -> None:
        """Count cells; CheckError beyond what is allowed."""
        self.looks += cells
        if self.looks > MOST_LOOKS:
            raise CheckError(f"its formulas look at more than {MOST_LOOKS:,} cells; at most as many are looked at")


class _Circular(Exception):  # noqa: N818 - an outcome
    pass


class _Tab:
    def __init__(self, view: View, title: str) -> None:
        self._view, self._title = view, title

    @property
    def size(self) -> tuple[int, int]:
        cells = self._view.book.tabs.get(self._title, {})
        return max((row for row, _ in cells), default=1), max((column for _, column in cells), default=1)

    def __getitem__(self, place: Place) -> Scalar:
        return self._view.value(self._title, place)

    def rows(self, top: int, left: int, bottom: int, right: int) -> Grid:
        count = (bottom - top + 1) * (right - left + 1)
        if count > MOST_CELLS:
            raise FormulaError(f"a range of more than {MOST_CELLS:,} cells is not looked at")
        return [[self[row, column] for column in range(left, right + 1)] for row in range(top, bottom + 1)]


@dataclass
class _Sight:
    """What a formula looked at: rows of symbols, as so many further down, and other cells."""

    offsets: set[int] = field(default_factory=set)
    outside: list[tuple[str, Place]] = field(default_factory=list)

    def fits(self, table: Table, row: int) -> bool:
        """Whether a copy in that row finds rows of symbols there too."""
        if not self.offsets:
            return True
        top = table.first_row - table.lagged
        return top <= row + min(self.offsets) and row + max(self.offsets) <= table.last_row


class _Shown(NamedTuple):
    """What a formula showed in a row with a draw, which is kept so that no other takes its id; `twice`: as above it."""

    draw: Draw
    row: int
    value: Scalar
    sight: _Sight
    twice: bool


class View:
    """The cells of a book as a formula of a table's row sees them.

    Cells of symbols have the numbers of a draw, or (without one) those that are stored; any other cell has what is
    typed into it, and a formula there is computed with what it sees in its turn. `outside` tells whether the last
    formula looked at such a cell, and its copies in other rows may look at others. `instead` has formulas that are
    tried in place of a cell's own.
    """

    def __init__(self, book: Book, table: Table, effort: Effort | None = None) -> None:
        self.book, self.table, self.effort = book, table, effort or Effort()
        self.symbols = {column: symbol for symbol, column in table.columns.items() if symbol not in (RATE, STEP)}
        self.draw: Draw | None = None
        self.row = table.first_row
        self.outside = False
        self.instead: dict[tuple[str, Place], Code] = {}
        self._depth = self._drawn = 0
        self._constant: dict[tuple[str, Place], Scalar] = {}
        self._sight = _Sight()
        self._shown: dict[tuple[object, ...], _Shown] = {}
        self._top = table.first_row - table.lagged
        self.blank = _blank(book.tabs[table.tab], table)
        self._tabs = {title: _Tab(self, title) for title in book.tabs}
        self._names: dict[str, Mapping[str, Code]] = {}

    def compute(self, cell: Cell, place: Place, draw: Draw | None) -> Scalar:
        """What a formula of the table shows in that place; FormulaError for what is not known here.

        Copies in a column that look at the same cells outside show the same in a draw: two of them are computed.
        """
        self.draw, self.row, self.outside = draw, place[0], False
        assert cell.text is not None
        alike = (cell.text, place[0] - cell.down, place[1], cell.right, id(draw))
        shown = None if draw is None or self.instead else self._shown.get(alike)
        if shown is not None and shown.twice and shown.sight.fits(self.table, place[0]):
            return shown.value
        self._sight = sight = _Sight()
        value = self._run(self._code(cell.text), self.table.tab, place, cell.down, cell.right)
        if "ROW" in cell.text.upper():
            self.outside = True
        elif draw is not None and not self.instead:
            twice = shown is not None and (shown.row, shown.value, shown.sight) == (place[0] - 1, value, sight)
            self._shown[alike] = _Shown(draw, place[0], value, sight, twice)
        return value

    def try_code(self, code: Code, place: Place, draw: Draw | None) -> Scalar:
        """The same for a formula that stands there in thought."""
        self.draw, self.row = draw, place[0]
        return self._run(code, self.table.tab, place, 0, 0)

    def _code(self, text: str) -> Code:
        return stored_code(text) if self.draw is None else meant_code(text)

    def _run(self, code: Code, tab: str, place: Place, down: int, right: int) -> Scalar:
        self._depth += 1
        try:
            if self._depth > DEEPEST:
                raise _Circular
            return evaluate(code, At(self._tabs, self._names_of(tab), tab, *place, down, right))
        except _Circular:
            if self._depth > 1:
                raise
            return CIRCULAR
        finally:
            self._depth -= 1

    def _names_of(self, tab: str) -> Mapping[str, Code]:
        found = self._names.get(tab)
        if found is None:
            found = self._names[tab] = dict(_names(self.book.meanings(tab)))
        return found

    def value(self, tab: str, place: Place) -> Scalar:
        """What stands in a cell."""
        self.effort.look()
        cell = self.book.tabs.get(tab, {}).get(place)
        table = self.table
        if tab == table.tab and self._top <= place[0] <= table.last_row:
            symbol = self.symbols.get(place[1])
            blank = place in self.blank and self.draw is not None
            if symbol is not None and not blank:
                if self.draw is None:
                    return None if cell is None else _as_scalar(cell.value)
                offset = place[0] - self.row
                found = self.draw.state(offset).get(symbol)
                if found is not None:
                    self._drawn += 1
                    self._sight.offsets.add(offset)
                    return found
        self.outside = True
        self._sight.outside.append((tab, place))
        if cell is None:
            return None
        code = self.instead.get((tab, place)) if self.instead else None
        if code is not None:
            return self._run(code, tab, place, 0, 0)
        if cell.text is None or self.draw is None:
            value = _as_scalar(cell.value)
            return math.e if self.draw is not None and isinstance(value, float) and is_e(value) else value
        if not self.instead and (tab, place) in self._constant:
            return self._constant[tab, place]
        before = self._drawn
        computed = self._run(self._code(cell.text), tab, place, cell.down, cell.right)
        if self._drawn == before and not self.instead:
            self._constant[tab, place] = computed
        return computed


def _blank(cells: Mapping[Place, Cell], table: Table) -> set[Place]:
    """Where rows have no number of an input or target that the first row has."""
    columns = [column for symbol, column in table.columns.items() if symbol[0] in "it"]
    columns = [column for column in columns if (table.first_row, column) in cells]
    return {place for place in product(table.rows, columns) if place not in cells}


def _as_scalar(value: object) -> Scalar:
    return float(value) if is_number(value) else value  # type: ignore[return-value]


def _names(names: Mapping[str, str]) -> Iterator[tuple[str, Code]]:
    for name, text in names.items():
        try:
            yield name, meaning(parse(text))
        except FormulaError:  # a formula that uses it is told
            continue
