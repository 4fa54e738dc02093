"""What the cells of the live network look like: pixels, the colours of ink and of weights, headings."""

# mypy: disable-error-code="no-untyped-call"
# The published types of openpyxl leave the rules' factories out.

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from openpyxl.cell.cell import Cell
from openpyxl.formatting.rule import ColorScaleRule, FormulaRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.styles.cell_style import StyleArray
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.worksheet import Worksheet

from cnn.live.geometry import Area, address
from sheetgen.book import Book, Tab
from sheetgen.cells import Formula, column_letters
from sheetgen.style import FONT, INK, INPUT_FILL, INPUT_INK, MUTED, NAVY, RULE, WHITE

# Dark to bright in even steps of lightness, as the colour map viridis: readers who see no red or green can tell them.
LOW, MIDDLE, HIGH = "101B3B", "1F8A8C", "FFE27A"
NEGATIVE, ZERO, POSITIVE = "2B6CB0", "FFFFFF", "D1495B"
# The paint grid cannot follow another cell's value by a colour scale, so it has this many steps.
INK_STEPS = 12
HIDDEN = ";;;"

# A column of width w characters is 7 w pixels wide, a row of h points 4/3 h pixels high (96 dpi, the default font).
PIXELS_PER_CHARACTER, PIXELS_PER_POINT = 7, 4 / 3


@dataclass(frozen=True)
class Look:
    """Everything that a cell's style is made of."""

    size: float = 10
    color: str = INK
    bold: bool = False
    italic: bool = False
    fill: str | None = None
    border: str | None = None
    across: str = "left"
    down: str = "center"
    wrap: bool = False
    number_format: str = "General"
    locked: bool = True


PIXEL = Look(size=8, color=WHITE, fill=LOW, across="center", number_format=HIDDEN)
LOOKS = {
    "pixel": PIXEL,
    "paint": Look(size=8, color=WHITE, fill=LOW, across="center", number_format=HIDDEN, locked=False),
    "tap": Look(size=8, fill=ZERO, across="center", number_format=HIDDEN),
    "hidden": Look(size=8, color=MUTED, number_format=HIDDEN),
    "choice": Look(14, INPUT_INK, bold=True, fill=INPUT_FILL, border="C9B458", across="center", locked=False),
    "heading": Look(13, NAVY, bold=True),
    "strip": Look(12, NAVY, bold=True, down="bottom"),
    "shape": Look(9, MUTED),
    "caption": Look(10, MUTED, italic=True),
    "text": Look(11, INK, wrap=True, down="top"),
    "number": Look(9, INK, across="right", number_format="0.0"),
    "value": Look(9, INK, border=RULE, across="right", number_format="0.000000"),
    "live": Look(9, NAVY, fill="EAF3F4", border=RULE, across="right", number_format="0.000000"),
    "cell": Look(9, INK, border=RULE, across="center"),
    "header": Look(9, WHITE, bold=True, fill=NAVY, border=NAVY, across="center"),
    "answer": Look(115, HIGH, bold=True, fill=LOW, across="center"),
    "sure": Look(14, HIGH, fill=LOW, across="center", number_format='0.00%" sure";;'),
    "digit": Look(11, NAVY, bold=True, across="center"),
    "logit": Look(10, MUTED, across="right", number_format="0.000"),
    "probability": Look(10, INK, bold=True, across="right", number_format="0.00%_W"),
    "bar": Look(8, fill="EEF2F6", number_format=HIDDEN),
    "small_answer": Look(90, HIGH, bold=True, fill=LOW, across="center"),
    "small_digit": Look(9, NAVY, bold=True, across="center"),
}


class Painter:
    """A tab with the looks of its cells, made once; areas are merged, named and coloured through it."""

    def __init__(self, book: Book, tab: Tab) -> None:
        self.book, self.tab, self.ws = book, tab, tab.ws
        self._styles: dict[str, StyleArray] = {}

    def put(self, row: int, column: int, content: Any, look: str) -> None:
        """Fill one cell."""
        cell: Any = self.tab.put(row, column, content)
        cell._style = self._style(look)

    def style(self, area: Area, look: str) -> None:
        """Give a look to every cell of an area, empty ones included."""
        style = self._style(look)
        for row in range(area.top, area.bottom + 1):
            for column in range(area.left, area.right + 1):
                cell: Any = self.ws.cell(row, column)
                cell._style = style

    def merge(self, area: Area, content: Any, look: str) -> None:
        """One big cell."""
        self.style(area, look)
        self.put(area.top, area.left, content, look)
        self.ws.merge_cells(area.ref)

    def name(self, name: str, area: Area) -> None:
        """Define a name of the workbook; ValueError if there is one already."""
        names = self.book.wb.defined_names
        if name in names:
            raise ValueError(f"the name {name!r} is defined twice")
        names[name] = DefinedName(name, attr_text=area.absolute(self.ws.title))

    def heat(self, area: Area, *, fixed: bool = False) -> None:
        """Colour an area from its least value to its largest, or from 0 to 1."""
        kind = "num" if fixed else "min"
        rule = ColorScaleRule(
            start_type=kind, start_value=0 if fixed else None, start_color=LOW,
            mid_type="num" if fixed else "percent", mid_value=0.5 if fixed else 50, mid_color=MIDDLE,
            end_type="num" if fixed else "max", end_value=1 if fixed else None, end_color=HIGH,
        )  # fmt: skip
        self.ws.conditional_formatting.add(area.ref, rule)

    def signed_heat(self, area: Area) -> None:
        """Colour an area by sign and size, white at 0."""
        rule = ColorScaleRule(
            start_type="min", start_color=NEGATIVE,
            mid_type="num", mid_value=0, mid_color=ZERO,
            end_type="max", end_color=POSITIVE,
        )  # fmt: skip
        self.ws.conditional_formatting.add(area.ref, rule)

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

    def protect(self) -> None:
        """Keep every locked cell from being changed by accident; there is no password."""
        self.ws.protection.sheet = True
        self.ws.protection.formatColumns = self.ws.protection.formatRows = False

    def _style(self, look: str) -> StyleArray:
        if look not in self._styles:
            self._styles[look] = _style_array(self.ws, LOOKS[look])
        return self._styles[look]


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


def formula(text: str, value: float | int | str) -> Formula:
    """A formula and its value as Python's own number."""
    return Formula(text, value if isinstance(value, str) else float(value))


def _style_array(ws: Any, look: Look) -> StyleArray:
    cell: Any = Cell(ws, row=1, column=1)
    cell.font = Font(name=FONT, size=look.size, color=look.color, bold=look.bold, italic=look.italic)
    if look.fill:
        cell.fill = PatternFill("solid", start_color=look.fill, end_color=look.fill)
    if look.border:
        side = Side(style="thin", color=look.border)
        cell.border = Border(left=side, right=side, top=side, bottom=side)
    cell.alignment = Alignment(horizontal=look.across, vertical=look.down, wrap_text=look.wrap)
    cell.protection = Protection(locked=look.locked)
    cell.number_format = look.number_format
    style: StyleArray = cell._style
    return style
