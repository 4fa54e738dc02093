"""Cells as pixels: areas painted, merged, named, and coloured by ink or by weight."""

# mypy: disable-error-code="no-untyped-call"
# The published types of openpyxl leave the rules' factories out.

from __future__ import annotations

from typing import Any

from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import PatternFill
from openpyxl.worksheet.worksheet import Worksheet

from cnn.live.geometry import Area, address
from sheetgen.xlsx.book import Tab
from sheetgen.xlsx.cells import column_letters
from sheetgen.xlsx.heat import Stop, scale
from sheetgen.xlsx.style import HIGH, LOW, MIDDLE, WHITE
from sheetgen.xlsx.units import PIXELS_PER_CHARACTER, PIXELS_PER_POINT

NEGATIVE, ZERO, POSITIVE = "2B6CB0", WHITE, "D1495B"
UNIT: tuple[Stop, Stop, Stop] = (("num", 0), ("num", 0.5), ("num", 1))
WHOLE: tuple[Stop, Stop, Stop] = (("min", None), ("percent", 50), ("max", None))
# The paint grid cannot follow another cell's value by a colour scale, so it has this many steps.
INK_STEPS = 12


class Painter:
    """A tab whose cells are painted area by area."""

    def __init__(self, tab: Tab) -> None:
        self.tab, self.ws, self.put = tab, tab.ws, tab.put

    def style(self, area: Area, role: str) -> None:
        """Give a look to every cell of an area, empty ones included."""
        for row in range(area.top, area.bottom + 1):
            for column in range(area.left, area.right + 1):
                self.put(row, column, None, role)

    def merge(self, area: Area, content: Any, role: str) -> None:
        """One big cell."""
        self.tab.merge(area.top, area.left, area.right, content, role, bottom=area.bottom)

    def name(self, name: str, area: Area) -> None:
        """Define a name of the workbook; ValueError if there is one already."""
        self.tab.define(name, area.absolute)

    def heat(self, area: Area, *, fixed: bool = False) -> None:
        """Colour an area from its least value to its largest, or from 0 to 1."""
        scale(self.ws, area.ref, UNIT if fixed else WHOLE)

    def signed_heat(self, area: Area) -> None:
        """Colour an area by sign and size, white at 0."""
        scale(self.ws, area.ref, (("min", None), ("num", 0), ("max", None)), (NEGATIVE, ZERO, POSITIVE))

    def mirror(self, area: Area, top: int, left: int) -> None:
        """Colour an area in steps by the ink, 0 to 1, of cells that begin elsewhere on the tab."""
        cell = address(top, left)
        for step in range(INK_STEPS, 0, -1):
            fill = PatternFill(bgColor=ink_color(step / INK_STEPS))
            rule = FormulaRule(formula=[f"{cell}>={(step - 0.5) / INK_STEPS!r}"], fill=fill, stopIfTrue=True)
            self.ws.conditional_formatting.add(area.ref, rule)

    def light(self, area: Area, condition: str, color: str) -> None:
        """Colour the cells of an area where a condition, relative to its first cell, is true."""
        self.ws.conditional_formatting.add(area.ref, FormulaRule(formula=[condition], fill=PatternFill(bgColor=color)))

    def squares(self, first_column: int, columns: int, first_row: int, rows: int, pixels: int) -> None:
        """Make cells square."""
        set_columns(self.ws, first_column, columns, pixels)
        set_rows(self.ws, first_row, rows, pixels)


def ink_color(ink: float) -> str:
    """The colour of ink from 0 to 1.

    >>> ink_color(0), ink_color(0.5), ink_color(1)
    ('101B3B', '1F8A8C', 'FFE27A')
    """
    low, high, part = (LOW, MIDDLE, ink * 2) if ink < 0.5 else (MIDDLE, HIGH, ink * 2 - 1)
    channels = (
        round(int(low[i : i + 2], 16) + part * (int(high[i : i + 2], 16) - int(low[i : i + 2], 16))) for i in (0, 2, 4)
    )
    return "".join(f"{channel:02X}" for channel in channels)


def set_columns(ws: Worksheet, first: int, count: int, pixels: float) -> None:
    """Set the width of neighbouring columns."""
    for column in range(first, first + count):
        ws.column_dimensions[column_letters(column)].width = pixels / PIXELS_PER_CHARACTER


def set_rows(ws: Worksheet, first: int, count: int, pixels: float) -> None:
    """Set the height of neighbouring rows."""
    for row in range(first, first + count):
        ws.row_dimensions[row].height = pixels / PIXELS_PER_POINT
