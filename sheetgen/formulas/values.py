"""Excel's values: numbers, texts, truth values, errors, nothing, and ranges of them; how each is taken for another."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import chain
from typing import Any, NamedTuple, Protocol

from sheetgen.errors import ExcelError
from sheetgen.formulas.parse import FormulaError
from sheetgen.xlsx.cells import MAX_COLUMNS, MAX_ROWS

__all__ = [
    "DIV0",
    "NA",
    "NAME",
    "NUM",
    "REF",
    "VALUE",
    "Area",
    "Cells",
    "Failure",
    "Grid",
    "Scalar",
    "Whole",
    "compare",
    "filled",
    "finite",
    "flat",
    "grid",
    "number",
    "number_text",
    "order",
    "ordered",
    "plain",
    "spread",
    "text",
    "truth",
]

Scalar = float | str | bool | None
"""One cell's value; an ExcelError is a str, and None is an empty cell."""
Grid = list[list[Scalar]]
"""The rows of an array."""

DIV0, NA, NAME, NUM, REF, VALUE = map(ExcelError, ("#DIV/0!", "#N/A", "#NAME?", "#NUM!", "#REF!", "#VALUE!"))
_NUMERIC = re.compile(r" *([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(%?) *")
# What Excel may take for a date, a time, a fraction, an amount of money or a number with separators.
_DATED = re.compile(
    r"(?=[^0-9]*[0-9])(?:[\s0-9.,:/()%$€£¥+-]|[ap]m?\b|(?<=[0-9.])e|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*)+",
    re.IGNORECASE,
)


class Failure(Exception):  # noqa: N818 - what it carries is Excel's error
    """An error value on its way to the formula that it is the result of."""

    def __init__(self, error: ExcelError) -> None:
        super().__init__(error)
        self.error = error


class Cells(Protocol):
    """The cells of one tab."""

    @property
    def size(self) -> tuple[int, int]:
        """The last row and column that have something in them."""

    def rows(self, top: int, left: int, bottom: int, right: int) -> Grid:
        """The values of a rectangle, row by row; rows and columns are one-based."""


class Area(NamedTuple):
    """A rectangle of cells, which are looked at only when they are needed."""

    cells: Cells
    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        """How many rows."""
        return self.bottom - self.top + 1

    @property
    def width(self) -> int:
        """How many columns."""
        return self.right - self.left + 1

    @property
    def endless(self) -> bool:
        """Whether it has whole columns or rows."""
        return self.height == MAX_ROWS or self.width == MAX_COLUMNS

    def rows(self) -> Grid:
        """The values, row by row."""
        if self.endless:
            raise FormulaError("each cell of a whole column or row in turn is not known here; name the cells")
        return self.cells.rows(self.top, self.left, self.bottom, self.right)

    def filled(self) -> Grid:
        """The values as far as the tab has any."""
        if not self.endless:
            return self.rows()
        bottom, right = (max(1, last) for last in self.cells.size)
        return self.cells.rows(
            self.top, self.left, max(self.top, min(self.bottom, bottom)), max(self.left, min(self.right, right))
        )

    def at(self, row: int, column: int) -> Scalar:
        """The value in a one-based row and column of the area."""
        top, left = self.top + row - 1, self.left + column - 1
        return self.cells.rows(top, left, top, left)[0][0]

    def part(self, row: int, column: int) -> Area:
        """One row or column of it, or (with both 0) all; both one-based, 0 for every one."""
        top, bottom = (self.top + row - 1,) * 2 if row else (self.top, self.bottom)
        left, right = (self.left + column - 1,) * 2 if column else (self.left, self.right)
        return Area(self.cells, top, left, bottom, right)

    def crossing(self, row: int, column: int) -> Scalar:
        """What a formula in that cell sees of it: the one cell, or the one in its own row or column."""
        if self.width == 1 and (self.height == 1 or self.top <= row <= self.bottom):
            return self.at(1 if self.height == 1 else row - self.top + 1, 1)
        if self.height == 1 and self.left <= column <= self.right:
            return self.at(1, column - self.left + 1)
        raise Failure(VALUE)


Whole = Scalar | Grid | Area
"""What a part of a formula may give: one value, an array, or cells."""


def finite(value: float) -> float:
    """The number, if Excel could show it."""
    if value - value == 0.0:
        return value
    raise Failure(NUM)


def number(value: Scalar) -> float:
    """The value as a number: an empty cell is 0, TRUE is 1, and a text may be the text of a number."""
    if type(value) is float:
        return value
    if value is None:
        return 0.0
    if isinstance(value, ExcelError):
        raise Failure(value)
    return _number_of_text(value) if isinstance(value, str) else float(value)


def _number_of_text(value: str) -> float:
    match = _NUMERIC.fullmatch(value)
    if match is None and _DATED.fullmatch(value):
        raise FormulaError(f"the text {value!r} as a number is not known here")
    found = float(match[1]) if match else math.inf
    if match is None or abs(found) == math.inf:
        raise Failure(VALUE)
    return found / 100 if match[2] else found


def truth(value: Scalar) -> bool:
    """The value as a truth value: every number but 0 is true."""
    if isinstance(value, str) and not isinstance(value, ExcelError):
        if value.upper() in ("TRUE", "FALSE"):
            return value.upper() == "TRUE"
        raise Failure(VALUE)
    return number(value) != 0


def text(value: Scalar) -> str:
    """The value as `&` joins it."""
    if isinstance(value, ExcelError):
        raise Failure(value)
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).upper()
    return "" if value is None else number_text(value)


def number_text(value: float) -> str:
    """A number as a formula joins it to a text: 15 digits, and no exponent between 1e-15 and 1e15.

    >>> number_text(2.0), number_text(0.1), number_text(3e-05), number_text(0.1 + 0.2)
    ('2', '0.1', '0.00003', '0.3')
    """
    return format(Decimal(f"{value + 0.0:.15g}"), "f")  # Excel has no -0


def compare(left: Scalar, right: Scalar) -> int:
    """Below, at or above 0 as the left value is less than, equal to or more than the right one, as = and < see it.

    Numbers are less than texts, texts less than truth values; an empty cell is 0, "" or FALSE; case does not count,
    nor what two numbers differ by beyond their 15th digit.

    >>> compare(0.1 + 0.2, 0.3), compare(1e-300, 0.0), compare("A", "a"), compare(True, "z")
    (0, 1, 0, 1)
    """
    if type(left) is not float or type(right) is not float:
        for value in (left, right):
            if isinstance(value, ExcelError):
                raise Failure(value)
        if left is None:
            left = _empty_like(right)
        if right is None:
            right = _empty_like(left)
        if type(left) is not float or type(right) is not float:
            return order(left, right)
    if left == right or (abs(left - right) <= 1e-14 * abs(left) and f"{left:.15g}" == f"{right:.15g}"):
        return 0
    return 1 if left > right else -1


def ordered(left: Scalar, right: Scalar) -> int:
    """As compare; FormulaError where it depends on how a language sorts its letters and signs."""
    result = compare(left, right)
    if result and type(left) is str and type(right) is str:
        pair = next((a + b for a, b in zip(left.casefold(), right.casefold(), strict=False) if a != b), "")
        if pair and not (pair.isascii() and pair.isalnum()):
            raise FormulaError(f"which of the texts {left!r} and {right!r} is less is not known here")
    return result


def order(left: Scalar, right: Scalar) -> int:
    """The same for values that are there, numbers to their last bit."""
    if (rank := _rank(left)) != (other := _rank(right)):
        return rank - other
    if isinstance(left, str) and isinstance(right, str):
        left, right = left.casefold(), right.casefold()
    return (left > right) - (left < right)  # type: ignore[operator]


def _rank(value: Scalar) -> int:
    return 2 if isinstance(value, bool) else 1 if isinstance(value, str) else 0


def _empty_like(value: Scalar) -> Scalar:
    return False if isinstance(value, bool) else "" if isinstance(value, str) else 0.0


def grid(value: Whole) -> Grid:
    """The value as rows; one value is an array of one."""
    if isinstance(value, Area):
        return value.rows()
    return value if isinstance(value, list) else [[value]]


def spread(function: Callable[..., Scalar], *operands: Whole) -> Whole:
    """The function of each set of values that stand in the same place; a single row, column or value is repeated."""
    if not any(isinstance(operand, (list, Area)) for operand in operands):
        return function(*operands)
    if len(operands) == 2 and isinstance(operands[0], (list, Area)) and not isinstance(operands[1], (list, Area)):
        single = operands[1]
        return [[_guarded(function, [value, single]) for value in row] for row in grid(operands[0])]
    grids = [grid(operand) for operand in operands]
    height, width = max(map(len, grids)), max(len(one[0]) for one in grids)
    return [[_guarded(function, [_pick(g, r, c) for g in grids]) for c in range(width)] for r in range(height)]


def _pick(cells: Grid, row: int, column: int) -> Scalar:
    height, width = len(cells), len(cells[0])
    row, column = 0 if height == 1 else row, 0 if width == 1 else column
    return cells[row][column] if row < height and column < width else NA


def _guarded(function: Callable[..., Scalar], values: list[Scalar]) -> Scalar:
    try:
        return function(*values)
    except Failure as failure:
        return failure.error


def filled(value: Whole) -> Grid:
    """As grid, but of whole columns and rows only what is filled."""
    return value.filled() if isinstance(value, Area) else grid(value)


def flat(value: Whole) -> Iterator[Scalar]:
    """Every value of an array, row by row; of whole columns and rows only what is filled."""
    return chain.from_iterable(filled(value))


def plain(value: Any) -> Scalar:
    """A cell's content as a value of Excel: a whole number is a float, what is not finite #NUM!, rich text a text."""
    kind = type(value)
    if kind is float:
        return value if value - value == 0.0 else NUM
    if kind is int:
        return float(value)
    if value is None or isinstance(value, (str, bool)):
        return value
    return str(value) if isinstance(value, list) else plain(float(value))
