"""Formula text that is moved with its cell, as when somebody fills it down, without reading it as a tree."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sheetgen.xlsx.cells import column_letters, column_number

__all__ = ["moved_text", "relative", "to_the_right"]

# A text or a quoted tab, which are left alone, or a reference to a cell.
_REFERENCE = re.compile(r""""[^"]*"|'(?:[^']|'')*'!|(\$?)\b([A-Za-z]{1,3})(\$?)([1-9][0-9]{0,6})\b(?![(.!\w])""")


def moved_text(text: str, down: int, right: int) -> str:
    """The formula as it is further down and to the right.

    >>> moved_text("A1+$B$2", 1, 2)
    'C2+$B$2'
    """

    def moved(found: re.Match[str]) -> str:
        column_fixed, letters, row_fixed, digits = found.groups()
        if letters is None:
            return found[0]
        column = letters if column_fixed else column_letters(max(1, column_number(letters) + right))
        return f"{column_fixed}{column}{row_fixed}{digits if row_fixed else max(1, int(digits) + down)}"

    return _REFERENCE.sub(moved, text)


def to_the_right(text: str, count: int) -> Iterator[str]:
    """The formula, and what it is in the cells on its right.

    >>> list(to_the_right("$A1+B$2+C3", 2))
    ['$A1+B$2+C3', '$A1+C$2+D3']
    """
    pieces, columns, end = [], [], 0
    for found in _REFERENCE.finditer(text):
        if found[2] is not None and not found[1]:
            pieces.append(text[end : found.start()])
            columns.append(column_number(found[2]))
            end = found.end(2)
    for right in range(count):
        moved = (piece + column_letters(column + right) for piece, column in zip(pieces, columns, strict=True))
        yield "".join(moved) + text[end:]


def relative(text: str, row: int, column: int) -> str:
    """The formula of a cell with its references as distances, unless they are absolute: copies have it in common.

    >>> relative("A1+$B$2", 2, 1), relative("A2+$B$2", 3, 1)
    ('R[-1]C[0]+$B$2', 'R[-1]C[0]+$B$2')
    """

    def distance(found: re.Match[str]) -> str:
        column_fixed, letters, row_fixed, digits = found.groups()
        if letters is None or (column_fixed and row_fixed):
            return found[0]
        number = column_number(letters)
        down = f"R{digits}" if row_fixed else f"R[{int(digits) - row}]"
        return f"{down}C{number}" if column_fixed else f"{down}C[{number - column}]"

    return _REFERENCE.sub(distance, text)
