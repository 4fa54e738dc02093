"""A workbook's formulas computed in the order in which they need each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from sheetgen.formulas.evaluate import At, Code, compiled, evaluate, meaning
from sheetgen.formulas.parse import FormulaError, parse
from sheetgen.formulas.swift import Swift, Written, swift, together
from sheetgen.formulas.values import Failure, Grid, Scalar, plain
from sheetgen.xlsx.cells import column_letters

__all__ = ["CircularError", "Copy", "Sheet", "Table", "Workbook"]

Place = tuple[int, int]
"""One-based row and column."""
# A longer circle of cells is shown by its first ones and the last.
NAMED = 20


class CircularError(ValueError):
    """Formulas that need each other's values; str() names their cells."""


class Copy(NamedTuple):
    """A formula's text, and how many rows further down and columns further right than that text it stands."""

    text: str
    down: int = 0
    right: int = 0


@dataclass
class Table:
    """Rows of values, a list or a numpy array, from a sheet's row `top` and column A on.

    `fill` has the formula of each column in the second row, which is filled down, and `start` that of the first. With
    them, None is a value still to be computed, or an empty cell where the formula is "".
    """

    top: int
    rows: Any
    start: Sequence[str] = ()
    fill: Sequence[str] = ()

    def __post_init__(self) -> None:
        self._after, self._width = self.top + len(self.rows), len(self.rows[0])

    def covers(self, row: int, column: int) -> bool:
        """Whether the cell is one of it."""
        return self.top <= row < self._after and column <= self._width

    def text(self, row: int, column: int) -> str:
        """A cell's formula, as it is in the first or in the second row; "" for an empty cell."""
        return (self.fill if row > self.top else self.start)[column - 1]


@dataclass
class Sheet:
    """The filled cells of a tab by place, and a table. A value of None is still to be computed, from `formulas`."""

    values: dict[Place, Scalar] = field(default_factory=dict)
    formulas: dict[Place, Copy] = field(default_factory=dict)
    table: Table | None = None
    _read: tuple[tuple[int, int, int, int], Grid] | None = field(default=None, init=False, repr=False)

    def __getitem__(self, place: Place) -> Scalar:
        value = self.values.get(place, _EMPTY)
        if value is _EMPTY:
            table = self.table
            if table is None or not table.covers(*place):
                return None
            found = table.rows[place[0] - table.top][place[1] - 1]
            if type(found) is float and found - found == 0.0:
                return found
            value = plain(found)
            if value is None and not table.text(*place):
                return None
        if value is None:
            raise _Needed([(self, place)])
        return value  # type: ignore[return-value]

    def rows(self, top: int, left: int, bottom: int, right: int) -> Grid:
        """The values of a rectangle; asks for all that are still to be computed at once."""
        if top == bottom and left == right:
            return [[self[top, left]]]
        table, columns = self.table, range(left, right + 1)
        if table is not None and table.top <= bottom and top < table.top + len(table.rows):
            return self._rows_of_table(table, top, left, bottom, right)
        value_of = self.values.get
        rows = [[value_of((row, column)) for column in columns] for row in range(top, bottom + 1)]
        places = (
            (number, column)
            for number, row in enumerate(rows, top)
            if None in row
            for column, value in enumerate(row, left)
            if value is None
        )
        needed = [(self, place) for place in places if place in self.values]
        if needed:
            raise _Needed(needed)
        return rows

    def _rows_of_table(self, table: Table, top: int, left: int, bottom: int, right: int) -> Grid:
        if not table.fill and table.covers(top, left) and table.covers(bottom, right):
            place = top, left, bottom, right
            if self._read is None or self._read[0] != place:  # several formulas in a row look at the same column
                inside = table.rows[top - table.top : bottom - table.top + 1]
                self._read = place, [[plain(value) for value in row[left - 1 : right]] for row in inside]
            return self._read[1]
        needed: list[tuple[Sheet, Place]] = []
        columns = range(left, right + 1)
        rows = [[self._value(row, column, needed) for column in columns] for row in range(top, bottom + 1)]
        if needed:
            raise _Needed(needed)
        return rows

    def _value(self, row: int, column: int, needed: list[tuple[Sheet, Place]]) -> Scalar:
        try:
            return self[row, column]
        except _Needed as missing:
            needed += missing.places
            return None

    @cached_property
    def size(self) -> Place:
        """The last row and column that have something in them, once and for all: formulas only fill what is there."""
        rows = [row for row, _ in self.values]
        columns = [column for _, column in self.values]
        if self.table is not None:
            rows.append(self.table.top + len(self.table.rows) - 1)
            columns.append(len(self.table.rows[0]))
        return max(rows, default=0), max(columns, default=0)

    def copy_at(self, place: Place) -> Copy:
        """The formula of a cell that is pending."""
        found = self.formulas.get(place)
        if found is not None:
            return found
        table = self.table
        assert table is not None
        return Copy(table.text(*place), max(0, place[0] - table.top - 1))

    def lacks(self, place: Place) -> bool:
        """Whether the value of a cell is still to be computed."""
        value = self.values.get(place, _EMPTY)
        if value is _EMPTY and self.table is not None and self.table.covers(*place):
            value = self.table.rows[place[0] - self.table.top][place[1] - 1]
            return value is None and bool(self.table.text(*place))
        return value is None

    def settle(self, place: Place, value: Scalar) -> None:
        """Keep a formula's value."""
        if place in self.values:
            self.values[place] = value
        else:
            assert self.table is not None
            self.table.rows[place[0] - self.table.top][place[1] - 1] = value


_EMPTY = object()


class _Needed(Exception):  # noqa: N818 - it is no error
    """Cells whose values are needed first."""

    def __init__(self, places: list[tuple[Sheet, Place]]) -> None:
        super().__init__()
        self.places = places


class Workbook:
    """Sheets by title, and what the defined names mean, each a text such as Inputs!$B$7.

    FormulaError for a name whose meaning is not known here.
    """

    def __init__(self, sheets: Mapping[str, Sheet], names: Mapping[str, str]) -> None:
        self.sheets = sheets
        self._titles = {id(sheet): title for title, sheet in sheets.items()}
        self._names: dict[str, Code] = {name.casefold(): _meaning(name, text) for name, text in names.items()}

    def compute(self) -> None:
        """Give every formula its value. CircularError if formulas need each other, FormulaError for what is not known.

        Both name the cell.
        """
        later = []
        for title, sheet in self.sheets.items():
            at = At(self.sheets, self._names, title, 0, 0)
            if sheet.table is not None and sheet.table.fill:
                self._compute_table(sheet, sheet.table, at)
            for place in sheet.formulas:
                copy = sheet.copy_at(place)
                (at.row, at.column), at.down, at.right = place, copy.down, copy.right
                try:
                    sheet.settle(place, evaluate(compiled(copy.text), at))
                except _Needed as needed:
                    if len(needed.places) == 1:  # its neighbours need it too
                        self._compute(sheet, place)
                    else:
                        later.append((sheet, place))
                except FormulaError as error:
                    raise self._unknown(sheet, place, copy.text, error) from None
        for sheet, place in later:
            self._compute(sheet, place)

    def _compute_table(self, sheet: Sheet, table: Table, at: At) -> None:
        """Row by row, each column's formula read once; what a cell needs is computed at once, since the rest of the
        row, and the rows below, need it too."""
        at.right = 0
        swifts: dict[int, Swift] = {}
        plain_above = False
        for number, row in enumerate(table.rows):
            at.row, at.down = table.top + number, max(0, number - 1)
            if number < 2:
                texts = table.fill if number else table.start
                codes = [(place, self._code(sheet, table, place, text)) for place, text in enumerate(texts) if text]
            elif number == 2:
                swifts = self._swifts(sheet, table)
            plain_row = plain_above and number > 1
            for place, code in codes:
                if row[place] is not None:
                    continue
                if plain_row and place in swifts:
                    try:
                        swifts[place](row, table.rows[number - 1])
                        continue
                    except (ArithmeticError, ValueError, TypeError, Failure):  # a TypeError of what is no number
                        if row[place] is not None:
                            continue
                at.column = place + 1
                try:
                    row[place] = evaluate(code, at)
                except _Needed:
                    self._compute(sheet, (at.row, at.column))
                except FormulaError as error:
                    raise self._unknown(sheet, (at.row, at.column), texts[place], error) from None
                plain_row = plain_row and type(row[place]) is float
            plain_above = all(type(value) is float for value in row)

    def _swifts(self, sheet: Sheet, table: Table) -> dict[int, Swift]:
        """What is quick from the third row on: neighbouring columns as one function, by the place of the first."""
        found: dict[int, dict[int, Written]] = {}
        first = 0
        for place, text in enumerate(table.fill):
            written = self._written(sheet, table, place, text) if text else None
            if written is None:
                first = place + 1
            else:
                found.setdefault(first, {})[place] = written
        return {place: together(formulas) for place, formulas in found.items()}

    def _written(self, sheet: Sheet, table: Table, place: int, text: str) -> Written | None:
        try:
            return swift(text, (table.top + 1, place + 1), len(table.fill), sheet.__getitem__)
        except _Needed as needed:
            for other, cell in needed.places:
                self._compute(other, cell)
            return self._written(sheet, table, place, text)

    def _code(self, sheet: Sheet, table: Table, place: int, text: str) -> Code:
        try:
            return compiled(text)
        except FormulaError as error:
            raise self._unknown(sheet, (table.top, place + 1), text, error) from None

    def _unknown(self, sheet: Sheet, place: Place, text: str, error: FormulaError) -> FormulaError:
        return FormulaError(f"{self._name(sheet, place)} ({text}): {error}")

    def evaluate(self, title: str, place: Place, copy: Copy) -> Scalar:
        """What a formula shows in that cell. FormulaError names what it does not know, and the cell."""
        try:
            return evaluate(compiled(copy.text), At(self.sheets, self._names, title, *place, copy.down, copy.right))
        except FormulaError as error:
            raise self._unknown(self.sheets[title], place, copy.text, error) from None

    def _compute(self, sheet: Sheet, place: Place) -> None:
        """One formula, after those that it needs; a stack of our own, since chains may be as long as a sheet."""
        stack, waiting = [(sheet, place)], dict[tuple[int, Place], tuple[Sheet, Place]]()
        while stack:
            here, cell = stack[-1]
            if not here.lacks(cell):
                stack.pop()
                continue
            key = id(here), cell
            try:
                here.settle(cell, self.evaluate(self._titles[id(here)], cell, here.copy_at(cell)))
            except _Needed as needed:
                waiting[key] = here, cell
                for other, spot in needed.places:
                    if (id(other), spot) in waiting:
                        raise self._circular(list(waiting.values()), other, spot) from None
                stack += needed.places
                continue
            waiting.pop(key, None)
            stack.pop()

    def _circular(self, waiting: list[tuple[Sheet, Place]], sheet: Sheet, place: Place) -> CircularError:
        """The error for a chain of formulas whose last needs that cell, one of them."""
        names = [self._name(*one) for one in waiting]
        names = names[names.index(self._name(sheet, place)) :]
        shown = names if len(names) <= NAMED else [*names[: NAMED - 1], f"{len(names) - NAMED} more", names[-1]]
        return CircularError(f"circular: {', '.join(shown)}")

    def _name(self, sheet: Sheet, place: Place) -> str:
        return f"{self._titles[id(sheet)]}!{column_letters(place[1])}{place[0]}"


def _meaning(name: str, text: str) -> Code:
    try:
        return meaning(parse(text))
    except FormulaError as error:
        raise FormulaError(f"the name {name} ({text}): {error}") from None
