"""Grids of cells as pictures: their colours follow their numbers, and some of them carry a mark."""

from __future__ import annotations

from openpyxl.formatting.rule import ColorScaleRule, Rule
from openpyxl.styles import Border, Font, Side
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from sheetgen.xlsx.style import HIGH, INK, LOW, MIDDLE, WHITE, differential_format

__all__ = ["Stop", "format_where", "grid_size", "mark_where", "outline_where", "scale"]

# Seen on every colour of a scale.
LINE = "FF4D2E"

Stop = tuple[str, object]
"""Where a colour stands, as Excel says it: ("min", None), ("max", None), ("percentile", 50) or ("num", 0.5)."""


def grid_size(ws: Worksheet, top: int, left: int, rows: int, columns: int, cell: tuple[float, float]) -> str:
    """Give a grid of cells their width (in characters) and height (in points); its range, such as F4:AJ34."""
    for column in range(left, left + columns):
        ws.column_dimensions[get_column_letter(column)].width = cell[0]
    for row in range(top, top + rows):
        ws.row_dimensions[row].height = cell[1]
    last = get_column_letter(left + columns - 1)
    return f"{get_column_letter(left)}{top}:{last}{top + rows - 1}"


def scale(
    ws: Worksheet, cells: str, stops: tuple[Stop, Stop, Stop], colors: tuple[str, str, str] = (LOW, MIDDLE, HIGH)
) -> None:
    """Colour cells by their numbers, between three stops."""
    start, mid, end = (
        {f"{name}_type": kind, f"{name}_value": value, f"{name}_color": color}
        for name, (kind, value), color in zip(("start", "mid", "end"), stops, colors, strict=True)
    )
    rule = ColorScaleRule(**start, **mid, **end)  # type: ignore[no-untyped-call]
    ws.conditional_formatting.add(cells, rule)


def mark_where(ws: Worksheet, cells: str, mark: str, where: str, dark: str) -> None:
    """Show a mark in place of the number where a formula's text (relative to the first cell) is true, white while
    `dark` is true too; else it is dark itself. Rules that are given first win."""
    shown = differential_format(ws, f'"{mark}";"{mark}";"{mark}"')
    for color, condition in ((WHITE, f"AND({where},{dark})"), (INK, where)):
        style = DifferentialStyle(font=Font(color=color, bold=True), numFmt=shown)
        ws.conditional_formatting.add(cells, Rule(type="expression", dxf=style, formula=[condition]))


def format_where(ws: Worksheet, cells: str, number_format: str, where: str) -> None:
    """Show the numbers of a range in a format while a formula's text is true."""
    style = DifferentialStyle(numFmt=differential_format(ws, number_format))
    ws.conditional_formatting.add(cells, Rule(type="expression", dxf=style, formula=[where]))


def outline_where(ws: Worksheet, cells: str, right: str, bottom: str, color: str = LINE) -> None:
    """Draw a cell's right side, its lower side, or both, where two formulas' texts are true."""
    side = Side(style="thin", color=color)
    for condition, border in (
        (f"AND({right},{bottom})", Border(right=side, bottom=side)),
        (right, Border(right=side)),
        (bottom, Border(bottom=side)),
    ):
        rule = Rule(type="expression", dxf=DifferentialStyle(border=border), formula=[condition])
        ws.conditional_formatting.add(cells, rule)
