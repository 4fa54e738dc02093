"""Cells and filled-down blocks, and their text in a worksheet part (ECMA-376 part 1, 18.3.1.4 and 18.3.1.40)."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeGuard

from sheetgen.errors import ExcelError

if TYPE_CHECKING:
    import numpy as np

MAX_ROWS = 1_048_576
MAX_COLUMNS = 16_384
MAX_FORMULA = 8_192
MAX_TEXT = 32_767
MAX_SERIES = 255  # of one chart

# One compression job each: long enough to keep a thread busy, short enough to hold only a sliver of a long table.
CELLS_PER_CHUNK = 8_192

_UNSAFE = re.compile("_x(?=[0-9A-Fa-f]+_)|[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_STRING_LITERAL = re.compile('"[^"]*"')
_PLAIN_NUMBERS = frozenset((float, int))
_LARGEST_EXACT_INTEGER = 2**53


Value = float | int | bool | str
"""What a cell shows; an ExcelError is a str."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula (text begins with "=") and, where that comes from elsewhere, the value that it evaluates to.

    Without a value, the formula is computed from its text when the book is complete (`build.complete`).
    """

    text: str
    value: Value | None = None

    def __post_init__(self) -> None:
        if not self.text.startswith("=") or len(self.text) < 2:
            raise ValueError(f"a formula begins with '=': {self.text!r}")
        if len(self.text) - 1 > MAX_FORMULA:
            raise ValueError(f"a formula of {len(self.text) - 1} characters; Excel allows {MAX_FORMULA}")


@dataclass(frozen=True, slots=True)
class FillDown:
    """One column of a block: its first row's formula and the second row's, which fills the rest; both without "=".

    A formula of "" leaves its cells empty, for somebody to fill. The styles are openpyxl style ids; without a style of
    its own the first row, and the second, looks like the others.
    """

    start: str
    fill: str
    style: int = 0
    start_style: int | None = None
    second_style: int | None = None

    def __post_init__(self) -> None:
        if "!" in _STRING_LITERAL.sub("", self.fill):
            raise ValueError(f"a filled-down formula must not refer to another sheet: {self.fill}")
        if max(len(self.start), len(self.fill)) > MAX_FORMULA:
            raise ValueError(f"a formula of more than {MAX_FORMULA} characters, beginning {self.start[:40]}")


@dataclass(frozen=True)
class Block:
    """A table of formulas from column A on, filled down from its second row; top is the first row's number.

    rows holds a value for every formula: a list of rows, or a float array (rows, columns). A value that is not finite
    is written as #NUM!. With `pending`, rows are lists of None, and the values are computed when the book is complete;
    only such a block may have empty cells.
    ValueError where the table is empty or does not fit a sheet.
    """

    top: int
    columns: tuple[FillDown, ...]
    rows: Sequence[Sequence[Any]] | np.ndarray
    pending: bool = False

    def __post_init__(self) -> None:
        if not (self.columns and len(self.rows) and self.top >= 1):
            raise ValueError("a block needs a column, a row and a place")
        if self.bottom > MAX_ROWS or len(self.columns) > MAX_COLUMNS:
            raise ValueError(f"a block of {len(self.rows)} rows and {len(self.columns)} columns does not fit a sheet")

    @property
    def bottom(self) -> int:
        """The number of the last row."""
        return self.top + len(self.rows) - 1

    @property
    def cells(self) -> int:
        """How many formulas it has."""
        starts, fills = (sum(bool(text) for text in texts) for texts in self.texts)
        return starts + (len(self.rows) - 1) * fills

    @property
    def texts(self) -> tuple[list[str], list[str]]:
        """The formulas of its first row, and of its second."""
        return [column.start for column in self.columns], [column.fill for column in self.columns]


@lru_cache(MAX_COLUMNS)
def column_letters(column: int) -> str:
    """The letters of a column.

    >>> column_letters(1), column_letters(26), column_letters(27), column_letters(16384)
    ('A', 'Z', 'AA', 'XFD')
    """
    letters = ""
    while column:
        column, place = divmod(column - 1, 26)
        letters = chr(65 + place) + letters
    return letters


@lru_cache(MAX_COLUMNS)
def column_number(letters: str) -> int:
    """The number of a column, which may lie beyond the sheet; 0 for no letters.

    >>> column_number("A"), column_number("ab"), column_number("XFD")
    (1, 28, 16384)
    """
    number = 0
    for letter in letters.upper():
        number = 26 * number + ord(letter) - 64
    return number


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a cell's value is a number; a truth value is none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def escape_text(text: str) -> str:
    """The text as XML, with the characters XML forbids in Excel's own notation (ST_Xstring, 22.9.2.19).

    >>> escape_text("a < b"), escape_text("bell" + chr(7)), escape_text("_x0041_")
    ('a &lt; b', 'bell_x0007_', '_x005F_x0041_')
    """
    if _UNSAFE.search(text):
        text = _UNSAFE.sub(lambda m: "_x005F_x" if m[0] == "_x" else f"_x{ord(m[0]):04X}_", text)
    return html.escape(text, quote=False)


def number_text(value: float) -> str:
    """The shortest text that reads back as the same double.

    >>> number_text(0.1), number_text(3), number_text(2**60), number_text(1e-5)
    ('0.1', '3', '1.152921504606847e+18', '1e-05')
    """
    if isinstance(value, int) and abs(value) <= _LARGEST_EXACT_INTEGER:
        return str(int(value))
    return float.__repr__(float(value))


def value_xml(value: Value) -> tuple[str, str]:
    """The t attribute (with a space before it) and the content of <v> for a formula's value.

    >>> value_xml(0.5), value_xml(True), value_xml("a&b"), value_xml(ExcelError("#N/A")), value_xml(float("nan"))
    (('', '0.5'), (' t="b"', '1'), (' t="str"', 'a&amp;b'), (' t="e"', '#N/A'), (' t="e"', '#NUM!'))
    """
    if type(value) is float and value - value == 0.0:  # the most frequent kind first
        return "", float.__repr__(value)
    if isinstance(value, ExcelError):
        return ' t="e"', str(value)
    if isinstance(value, str):
        return ' t="str"', escape_text(value)
    if isinstance(value, bool):
        return ' t="b"', "1" if value else "0"
    if not math.isfinite(value):
        return ' t="e"', "#NUM!"
    return "", number_text(value)


def style_xml(style: int) -> str:
    """The s attribute with a space before it; none for the default style."""
    return f' s="{style}"' if style else ""


def formula_xml(text: str, attributes: str = "") -> str:
    """The <f> element; text without "="."""
    return f"<f{attributes}>{escape_text(text)}</f>" if text else f"<f{attributes}/>"


def cell_xml(address: str, style: int, formula: str, value: Value) -> str:
    """The <c> element of a formula; formula is its <f> element."""
    kind, content = value_xml(value)
    return f'<c r="{address}"{style_xml(style)}{kind}>{formula}<v>{content}</v></c>'


def block_xml(block: Block, beside: Mapping[int, tuple[str, str]]) -> Iterator[str]:
    """The <row> elements of a block, in chunks of bounded length.

    beside maps a row's number to the attributes of its <row> and the cells that stand to the right of the block's.
    """
    letters = [column_letters(column) for column in range(1, len(block.columns) + 1)]
    lines = _lines(block, letters)
    pattern = _pattern(lines[-1], letters)
    step = max(1, CELLS_PER_CHUNK // len(letters))
    for first in range(0, len(block.rows), step):
        texts = []
        for number, row in enumerate(_plain_rows(block.rows[first : first + step]), block.top + first):
            if number - block.top > 1 and number not in beside and _all_finite_numbers(row):
                texts.append(str(number).join(pattern) % tuple(row))
            else:
                attributes, tail = beside.get(number, ("", ""))
                cells = _cells_xml(lines[min(number - block.top, 2)], letters, number, row)
                texts.append(f'<row r="{number}"{attributes}>{cells}{tail}</row>')
        yield "".join(texts)


_Line = list[tuple[int, str]]


def _lines(block: Block, letters: list[str]) -> tuple[_Line, _Line, _Line]:
    """Style and <f> element of every cell in the block's first row, its second row, and each of the others."""
    first = [
        (column.style if column.start_style is None else column.start_style, column.start and formula_xml(column.start))
        for column in block.columns
    ]
    others = [
        (column.style, f'<f t="shared" si="{index}"/>' if column.fill else "")
        for index, column in enumerate(block.columns)
    ]
    masters = [
        f' t="shared" ref="{letter}{block.top + 1}:{letter}{block.bottom}" si="{index}"' if len(block.rows) > 2 else ""
        for index, letter in enumerate(letters)
    ]
    second = [
        (
            column.style if column.second_style is None else column.second_style,
            column.fill and formula_xml(column.fill, master),
        )
        for column, master in zip(block.columns, masters, strict=True)
    ]
    return first, second, others


def _pattern(line: _Line, letters: list[str]) -> list[str]:
    """A %-template of one row, cut where the row's number goes: joining the pieces is faster than replacing a mark."""
    cells = (
        f'<c r="{letter}\0"{style_xml(style)}>{formula}<v>%r</v></c>'
        for letter, (style, formula) in zip(letters, line, strict=True)
    )
    return f'<row r="\0">{"".join(cells)}</row>'.split("\0")


def _cells_xml(line: _Line, letters: list[str], number: int, row: Sequence[Value]) -> str:
    cells = zip(letters, line, row, strict=True)
    return "".join(
        cell_xml(f"{letter}{number}", style, formula, value)
        if formula
        else f'<c r="{letter}{number}"{style_xml(style)}/>'
        for letter, (style, formula), value in cells
    )


def _plain_rows(chunk: Any) -> Sequence[Sequence[Value]]:
    """The rows as Python's own numbers: %r of a numpy scalar is not a number's text."""
    rows: Sequence[Sequence[Value]] = chunk.tolist() if hasattr(chunk, "tolist") else chunk
    return rows


def _all_finite_numbers(row: Sequence[Any]) -> bool:
    """Whether every value can go into the pattern; a sum is finite only if all of its terms are."""
    return _PLAIN_NUMBERS.issuperset(map(type, row)) and math.isfinite(sum(row))
