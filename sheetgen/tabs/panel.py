"""What stands around a picture made of cells: the panel with its choices, and what the sides stand for."""

from __future__ import annotations

from sheetgen.xlsx import formats
from sheetgen.xlsx.book import Content, Tab
from sheetgen.xlsx.cells import Formula

__all__ = ["MAX_FUSED", "OFF_MIDDLE", "Cell", "edges", "line"]

Cell = tuple[Content, str, str | None]
"""A content, its role and its number format."""
MAX_FUSED = 9
"""In the passes behind a picture, a net input or an error of more symbols has a column of its own."""
OFF_MIDDLE = 1e-4
"""How far from the middle between two cells of a picture the next one begins: in the middle, rounding would decide."""


def line(tab: Tab, top: int, bottom: int, label: str, contents: tuple[Cell, ...]) -> None:
    """A label in column A and what belongs to it in B and C, over some of the picture's low rows.

    A single content takes both columns.
    """
    if label:
        tab.merge(top, 1, 1, label, "label", bottom=bottom)
    for column, (content, role, look) in enumerate(contents, 2):
        last = 3 if len(contents) == 1 else column
        tab.merge(top, column, last, content, role, number_format=look, bottom=bottom)


def edges(tab: Tab, top: int, left: int, side: int, names: tuple[str, str], ranges: tuple[str, str, str, str]) -> None:
    """Beside and below a square of cells, what its directions are called and where they begin and end.

    `names` and `ranges` are references, the horizontal direction first, its low end before its high one.
    """
    x_name, y_name = (Formula(f"={name}") for name in names)
    x_low, x_high, y_low, y_high = (Formula(f"={end}") for end in ranges)
    bottom, right = top + side - 1, left + side - 1
    few = max(1, 3 * side // 31)  # rows that a line of text takes
    middle = top + (side - few) // 2
    for row, content, role in ((top, y_high, "axis"), (middle, y_name, "axis_name"), (bottom - few + 1, y_low, "axis")):
        tab.merge(row, left - 1, left - 1, content, role, number_format=formats.SHORT, bottom=row + few - 1)
    part, below = side // 3, bottom + 1
    tab.ws.row_dimensions[below].height = 18
    tab.merge(below, left, left + part - 1, x_low, "axis_left", number_format=formats.SHORT)
    tab.merge(below, left + part, right - part, x_name, "axis_name")
    tab.merge(below, right - part + 1, right, x_high, "axis", number_format=formats.SHORT)
