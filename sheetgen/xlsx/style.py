"""The one palette, the roles that a cell can play, rules that colour cells, and a sheet's furniture."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, Literal
from weakref import WeakKeyDictionary

from openpyxl.cell.cell import Cell
from openpyxl.formatting.rule import Rule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.styles.cell_style import StyleArray
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.styles.numbers import BUILTIN_FORMATS_MAX_SIZE, NumberFormat
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from sheetgen.xlsx import formats
from sheetgen.xlsx.units import SCREEN_HEIGHT, SCREEN_WIDTH

# It has ∂, δ, Σ, · and ½, and a metric twin (Carlito) where Excel is absent.
FONT = "Calibri"

# Dark text on pale fills; good and bad differ in hue, in lightness and in weight, so that they stay apart for
# readers who do not see red and green.
INK = "1F2933"
MUTED = "66727F"
NAVY = "1F3A5F"
WHITE = "FFFFFF"
RULE = "CBD5DF"
HAIR = "E4E9EF"
GROUP = "DCE6F1"
EDGE_FILL = "F1F5F9"
INPUT_FILL, INPUT_INK = "FFF7D6", "1D3FBF"
RESULT_FILL, RESULT_INK = "E3F2F4", "0B4F5C"
GOOD_FILL, GOOD_INK = "D9F0E3", "0F5132"
BAD_FILL, BAD_INK = "FBDDD3", "8A1C0A"
LINK_INK = "1A5FB4"
# Dark to bright in even steps of lightness, as the colour map viridis: readers who see no red or green can tell them.
LOW, MIDDLE, HIGH = "101B3B", "1F8A8C", "FFE27A"
# Of numbers below and above 0, under dark text.
NEGATIVE, POSITIVE = "8FB8DE", "F2B36B"

TAB_COLORS = {"start": NAVY, "inputs": "E9B44C", "explain": "4C78A8", "training": "2A9D8F", "verdict": "8E6BBF"}


@dataclass(frozen=True)
class Role:
    """What a kind of cell looks like; colours are hex, sizes points. `border` is a box, `rule` a line below."""

    size: float = 11
    color: str = INK
    fill_color: str | None = None
    border_color: str | None = None
    across: str = "left"
    bold: bool | None = False
    italic: bool = False
    underline: Literal["single"] | None = None
    rule: str | None = None
    down: str = "center"
    indent: int = 0
    wrap: bool = False
    locked: bool = True
    number_format: str = "General"

    @property
    def shows_empty(self) -> bool:
        """Whether it is seen on an empty cell too."""
        return bool(self.fill_color or self.border_color or self.rule)

    @property
    def font(self) -> Font:
        """The text's."""
        return Font(
            name=FONT, size=self.size, color=self.color, bold=self.bold, italic=self.italic, underline=self.underline
        )

    @property
    def fill(self) -> PatternFill:
        """The background."""
        color = self.fill_color
        return PatternFill("solid", start_color=color, end_color=color) if color else PatternFill()

    @property
    def border(self) -> Border:
        """The lines around it."""
        if self.rule:
            return Border(bottom=Side(style="medium", color=self.rule))
        side = Side(style="thin", color=self.border_color)
        return Border(left=side, right=side, top=side, bottom=side) if self.border_color else Border()

    @property
    def alignment(self) -> Alignment:
        """Where the text stands in it."""
        return Alignment(horizontal=self.across, vertical=self.down, indent=self.indent, wrap_text=self.wrap or None)

    @property
    def protection(self) -> Protection:
        """Whether it can be changed on a protected sheet."""
        return Protection(locked=self.locked)


_PIXEL = Role(8, WHITE, LOW, across="center", number_format=formats.HIDDEN)
ROLES: Mapping[str, Role] = {
    "title": Role(20, NAVY, bold=True),
    "subtitle": Role(12, MUTED),
    "lead": Role(11, MUTED, wrap=True, down="top"),
    "heading": Role(14, NAVY, bold=True, rule=NAVY),
    "text": Role(wrap=True),
    "note": Role(10, MUTED, italic=True, wrap=True),
    "muted": Role(10, MUTED),
    "header": Role(11, WHITE, NAVY, NAVY, "center", bold=True, wrap=True),
    "group": Role(11, NAVY, GROUP, RULE, "center", bold=True),
    "group_left": Role(11, NAVY, GROUP, RULE, bold=True, indent=1),
    "label": Role(border_color=HAIR, indent=1),
    "boxed": Role(border_color=HAIR, indent=1, wrap=True),
    "symbol": Role(12, border_color=HAIR, italic=True, indent=1),
    "equation": Role(12, wrap=True),
    "expression": Role(12, border_color=HAIR, italic=True, indent=1, wrap=True),
    "numbers": Role(11, MUTED, border_color=HAIR, indent=1, wrap=True),
    "input": Role(11, INPUT_INK, INPUT_FILL, "E3D49A", "right", locked=False),
    "choice": Role(12, INPUT_INK, INPUT_FILL, "C9B458", "center", bold=True, locked=False),
    "formula": Role(border_color=HAIR, across="right"),
    "open": Role(11, INPUT_INK, "FFFDF2", HAIR, "right", locked=False),
    "result": Role(11, RESULT_INK, RESULT_FILL, "B5D8DD", "right", bold=True),
    "good": Role(11, GOOD_INK, GOOD_FILL, "A9D8BE", "center"),
    "bad": Role(11, BAD_INK, BAD_FILL, "EDB09C", "center", bold=True),
    "verdict": Role(border_color=HAIR, across="center", wrap=True),
    "node": Role(across="center"),
    "node_title": Role(10, MUTED, across="center", bold=True),
    "edge": Role(10, NAVY, EDGE_FILL, across="center"),
    "link": Role(11, LINK_INK, bold=None, underline="single"),
    # pictures made of cells, and what stands beside them
    "pixel": _PIXEL,
    "paint": replace(_PIXEL, locked=False),
    "tap": Role(8, INK, WHITE, across="center", number_format=formats.HIDDEN),
    "spot": replace(_PIXEL, size=9),
    "axis": Role(9, MUTED, across="right"),
    "axis_left": Role(9, MUTED),
    "axis_name": Role(12, NAVY, across="center", bold=True),
    "hidden": Role(8, MUTED, number_format=formats.HIDDEN),
    "picker": Role(14, INPUT_INK, INPUT_FILL, "C9B458", "center", bold=True, locked=False),
    "panel_heading": Role(13, NAVY, bold=True),
    "panel_text": Role(wrap=True, down="top"),
    "strip": Role(12, NAVY, bold=True, down="bottom"),
    "shape": Role(9, MUTED),
    "caption": Role(10, MUTED, italic=True),
    "small_number": Role(9, across="right", number_format="0.0"),
    "small_value": Role(9, INK, None, RULE, "right", number_format="0.000000"),
    "small_formula": Role(9, NAVY, "EAF3F4", RULE, "right", number_format="0.000000"),
    "small_cell": Role(9, INK, None, RULE, "center"),
    "small_header": Role(9, WHITE, NAVY, NAVY, "center", bold=True),
    "small_digit": Role(9, NAVY, across="center", bold=True),
    "answer": Role(115, HIGH, LOW, across="center", bold=True),
    "small_answer": Role(90, HIGH, LOW, across="center", bold=True),
    "sure": Role(14, HIGH, LOW, across="center", number_format='0.00%" sure";;'),
    "digit": Role(11, NAVY, across="center", bold=True),
    "logit": Role(10, MUTED, across="right", number_format="0.000"),
    "probability": Role(10, across="right", bold=True, number_format="0.00%_W"),
    "bar": Role(8, INK, "EEF2F6", number_format=formats.HIDDEN),
}

_arrays: WeakKeyDictionary[Any, dict[tuple[str, str], StyleArray]] = WeakKeyDictionary()


def style_array(ws: Worksheet, role: str, number_format: str | None = None) -> StyleArray:
    """The role's indexes into the workbook's style tables, worked out once per workbook on a cell of no sheet.

    Without a number format it is the role's own. KeyError for an unknown role.
    """
    known = _arrays.setdefault(ws.parent, {})
    key = role, number_format or ROLES[role].number_format
    if key not in known:
        look = ROLES[role]
        scratch: Any = Cell(ws, row=1, column=1)
        scratch.font, scratch.fill, scratch.border = look.font, look.fill, look.border
        scratch.alignment, scratch.protection = look.alignment, look.protection
        scratch.number_format = key[1]
        known[key] = scratch._style
    return known[key]


def apply(cell: Cell, role: str, number_format: str | None = None) -> None:
    """Give the cell the role's look and the number format. KeyError for an unknown role."""
    styled: Any = cell
    styled._style = copy(style_array(styled.parent, role, number_format))


def style_id(ws: Worksheet, role: str, number_format: str | None = None) -> int:
    """The number that `<c s="...">` needs for this look; no cell is created on the sheet."""
    book: Any = ws.parent
    return int(book._cell_styles.add(style_array(ws, role, number_format)))


def color_where(ws: Worksheet, cells: str, role: str, condition: str) -> None:
    """Give the cells of a range a role's fill and ink while a formula's text (without "=", relative to the first cell)
    is true."""
    look = ROLES[role]
    fill = PatternFill(bgColor=look.fill_color or WHITE)
    style = DifferentialStyle(font=Font(color=look.color, bold=look.bold), fill=fill)
    ws.conditional_formatting.add(cells, Rule(type="expression", dxf=style, formula=[condition]))


def verdict_rules(ws: Worksheet, cells: str, good: str, bad: str) -> None:
    """Colour the cells of the range as good or bad while a condition is true."""
    color_where(ws, cells, "good", good)
    color_where(ws, cells, "bad", bad)


def shorten_large(ws: Worksheet, cells: str, limit: int = 1000) -> None:
    """Show numbers of the range beyond ±limit in scientific notation, so that a diverging run never shows ####."""
    rule = Rule(type="cellIs", operator="notBetween", formula=[str(-limit), str(limit)])
    rule.dxf = DifferentialStyle(numFmt=differential_format(ws, formats.SCIENTIFIC))
    ws.conditional_formatting.add(cells, rule)


def shorten_extreme(ws: Worksheet, cell: str, number_format: str, *, small: float = 0.001, large: float = 1000) -> None:
    """Show the cell's number in this format while it is not 0 but below small, or at least large, in size."""
    condition = f"IF(ISNUMBER({cell}),AND({cell}<>0,OR(ABS({cell})<{small!r},ABS({cell})>={large!r})),FALSE)"
    rule = Rule(type="expression", formula=[condition])
    rule.dxf = DifferentialStyle(numFmt=differential_format(ws, number_format))
    ws.conditional_formatting.add(cell, rule)


def differential_format(ws: Any, code: str) -> NumberFormat:
    """The format under the number that cells of the workbook use for it: Excel takes one number for one format."""
    return NumberFormat(numFmtId=BUILTIN_FORMATS_MAX_SIZE + ws.parent._number_formats.add(code), formatCode=code)


def furnish(
    ws: Worksheet,
    *,
    title: str | None = None,
    subtitle: str | None = None,
    widths: Sequence[float] = (),
    landscape: bool = True,
    fit_width: bool = True,
    fit_height: bool = False,
    freeze: str | None = None,
    repeat_rows: str | None = None,
    repeat_first: bool = False,
    tab_color: str | None = None,
    zoom: int = 100,
) -> None:
    """Give the sheet its title (A1), subtitle (below it), view and print setup, and protect what is not an input.

    There is no password: typing over a formula by accident is refused, and "Unprotect Sheet" opens it.

    freeze is the first cell that scrolls ("C8"); repeat_rows are printed on every page ("6:7"), and with repeat_first
    column A, where a subtitle would be cut, so that it stands in B; tab_color is a key of TAB_COLORS or a hex colour.
    """
    below = "B2" if repeat_first else "A2"
    for address, text, role, height in (("A1", title, "title", 30.0), (below, subtitle, "subtitle", 18.0)):
        if text is not None:
            cell: Any = ws[address]
            cell.value, cell.data_type = text, "s"
            apply(cell, role)
            ws.row_dimensions[int(address[1:])].height = height
    for column, width in enumerate(widths, 1):
        ws.column_dimensions[get_column_letter(column)].width = width
    ws.sheet_view.showGridLines = False
    ws.sheet_view.zoomScale = zoom
    ws.sheet_view.zoomScaleNormal = zoom
    if freeze is not None:
        ws.freeze_panes = freeze
    if tab_color is not None:
        ws.sheet_properties.tabColor = TAB_COLORS.get(tab_color, tab_color)
    ws.protection.sheet = True
    ws.protection.formatColumns = ws.protection.formatRows = False
    _set_up_print(ws, landscape=landscape, fit_width=fit_width, fit_height=fit_height, repeat_rows=repeat_rows)
    if repeat_first:
        ws.print_title_cols = "A:A"


def fit_screen(ws: Worksheet, width: float, height: float = 0) -> None:
    """Zoom out, to half the size at most, until so many pixels fit on a small screen."""
    part = min(1.0, SCREEN_WIDTH / width, SCREEN_HEIGHT / height if height else 1.0)
    ws.sheet_view.zoomScale = ws.sheet_view.zoomScaleNormal = max(50, math.floor(part * 100))


def leave_unprinted(ws: Worksheet, row: int) -> None:
    """Print nothing of the sheet: an empty row below all else is hidden, and it is the print area."""
    ws.row_dimensions[row].hidden = True
    ws.print_area = f"A{row}"


def _set_up_print(
    ws: Worksheet, *, landscape: bool, fit_width: bool, fit_height: bool, repeat_rows: str | None
) -> None:
    ws.page_setup.orientation = "landscape" if landscape else "portrait"
    ws.page_setup.paperSize = 9  # A4
    if fit_width or fit_height:
        ws.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        ws.page_setup.fitToWidth = int(fit_width)
        ws.page_setup.fitToHeight = int(fit_height)
    ws.print_options.horizontalCentered = True
    margins = ws.page_margins
    margins.left = margins.right = 0.4
    margins.top, margins.bottom, margins.header, margins.footer = 0.5, 0.6, 0.25, 0.3
    footer = ws.oddFooter
    assert footer is not None
    footer.left.text, footer.right.text = "&A", "&P / &N"
    for part in (footer.left, footer.right):
        part.font, part.size, part.color = f"{FONT},Regular", 9, MUTED
    if repeat_rows is not None:
        if not re.fullmatch(r"[1-9]\d*:[1-9]\d*", repeat_rows):
            raise ValueError(f"repeat_rows is {repeat_rows!r}; give it as '6:7'")
        ws.print_title_rows = repeat_rows
