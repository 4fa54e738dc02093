"""The one palette, the roles a cell can play, the number formats, and a sheet's furniture."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any
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

FONT = "Calibri"
MATH_FONT = FONT  # it has ∂, δ, Σ, · and ½, and a metric twin (Carlito) where Excel is absent

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

TAB_COLORS = {"start": NAVY, "inputs": "E9B44C", "explain": "4C78A8", "training": "2A9D8F", "verdict": "8E6BBF"}

VALUE = "0.000000000"
# A loss is never negative, so a condition cannot lose its sign. Nine decimals between 0.0001 and 1000.
LOSS = "[>=1000]0.0000E+00;[<0.0001]0.0000E+00;0.000000000"
SHORT = "0.0000"
RATE = "General"
STEP = "0"
RATIO = "0.00%"
SCIENTIFIC = "0.0000E+00"
DIFFERENCE = "0.0E+00"
NUMBER_WIDTH = 14.5


@dataclass(frozen=True)
class Role:
    """What a kind of cell looks like."""

    font: Font
    fill: PatternFill
    border: Border
    alignment: Alignment
    protection: Protection


def _font(size: float = 11, color: str = INK, *, bold: bool = False, italic: bool = False, name: str = FONT) -> Font:
    return Font(name=name, size=size, color=color, bold=bold, italic=italic)


def _fill(color: str | None) -> PatternFill:
    return PatternFill("solid", start_color=color, end_color=color) if color else PatternFill()


def _box(color: str = HAIR) -> Border:
    side = Side(style="thin", color=color)
    return Border(left=side, right=side, top=side, bottom=side)


_BARE = Border()
_LEFT = Alignment(horizontal="left", vertical="center")
_INDENT = Alignment(horizontal="left", vertical="center", indent=1)
_RIGHT = Alignment(horizontal="right", vertical="center")
_CENTRE = Alignment(horizontal="center", vertical="center")
_CENTRE_WRAP = Alignment(horizontal="center", vertical="center", wrap_text=True)
_WRAP = Alignment(horizontal="left", vertical="center", wrap_text=True)


def _role(
    font: Font,
    fill: str | None = None,
    border: Border = _BARE,
    alignment: Alignment = _LEFT,
    *,
    locked: bool = True,
) -> Role:
    return Role(font, _fill(fill), border, alignment, Protection(locked=locked))


ROLES: Mapping[str, Role] = {
    "title": _role(_font(20, NAVY, bold=True)),
    "subtitle": _role(_font(12, MUTED)),
    "heading": _role(_font(14, NAVY, bold=True), None, Border(bottom=Side(style="medium", color=NAVY))),
    "text": _role(_font(), alignment=_WRAP),
    "note": _role(_font(10, MUTED, italic=True), alignment=_WRAP),
    "muted": _role(_font(10, MUTED)),
    "header": _role(_font(11, WHITE, bold=True), NAVY, _box(NAVY), _CENTRE_WRAP),
    "group": _role(_font(11, NAVY, bold=True), GROUP, _box(RULE), _CENTRE),
    "group_left": _role(_font(11, NAVY, bold=True), GROUP, _box(RULE), _INDENT),
    "label": _role(_font(), None, _box(), _INDENT),
    "symbol": _role(_font(12, INK, italic=True, name=MATH_FONT), None, _box(), _INDENT),
    "equation": _role(_font(12, INK, name=MATH_FONT), alignment=_WRAP),
    "input": _role(_font(11, INPUT_INK), INPUT_FILL, _box("E3D49A"), _RIGHT, locked=False),
    "choice": _role(_font(12, INPUT_INK, bold=True), INPUT_FILL, _box("C9B458"), _CENTRE, locked=False),
    "formula": _role(_font(), None, _box(), _RIGHT),
    "result": _role(_font(11, RESULT_INK, bold=True), RESULT_FILL, _box("B5D8DD"), _RIGHT),
    "good": _role(_font(11, GOOD_INK), GOOD_FILL, _box("A9D8BE"), _CENTRE),
    "bad": _role(_font(11, BAD_INK, bold=True), BAD_FILL, _box("EDB09C"), _CENTRE),
    "verdict": _role(_font(), None, _box(), _CENTRE_WRAP),
    "node": _role(_font(), alignment=_CENTRE),
    "node_title": _role(_font(10, MUTED, bold=True), alignment=_CENTRE),
    "edge": _role(_font(10, NAVY), EDGE_FILL, alignment=_CENTRE),
    "link": Role(Font(name=FONT, size=11, color=LINK_INK, underline="single"), _fill(None), _BARE, _LEFT, Protection()),
}

_arrays: WeakKeyDictionary[Any, dict[tuple[str, str], StyleArray]] = WeakKeyDictionary()


def _styled(cell: Cell) -> Any:
    """The cell as openpyxl's own code sees it: the published types leave `_style` out."""
    return cell


def _style_array(ws: Any, role: str, number_format: str | None) -> StyleArray:
    """The role's indexes into the workbook's style tables, worked out once per workbook on a cell of no sheet."""
    known = _arrays.setdefault(ws.parent, {})
    key = (role, number_format or "General")
    if key not in known:
        look, scratch = ROLES[role], Cell(ws, row=1, column=1)
        scratch.font, scratch.fill, scratch.border = look.font, look.fill, look.border
        scratch.alignment, scratch.protection = look.alignment, look.protection
        scratch.number_format = key[1]
        known[key] = _styled(scratch)._style
    return known[key]


def apply(cell: Cell, role: str, number_format: str | None = None) -> None:
    """Give the cell the role's look and the number format (General if none). KeyError for an unknown role."""
    _styled(cell)._style = copy(_style_array(cell.parent, role, number_format))


def style_id(ws: Worksheet, role: str, number_format: str | None = None) -> int:
    """The number that `<c s="...">` needs for this look; no cell is created on the sheet."""
    book: Any = ws.parent
    return int(book._cell_styles.add(_style_array(ws, role, number_format)))


def verdict_rules(ws: Worksheet, cells: str, good: str, bad: str) -> None:
    """Colour the cells of the range as good or bad while the formula text (without '=', relative to the first cell)
    is true."""
    for role, condition in (("good", good), ("bad", bad)):
        look = ROLES[role]
        assert look.fill.fgColor is not None
        fill = PatternFill(bgColor=look.fill.fgColor.rgb)
        font = Font(color=look.font.color, bold=look.font.b)
        ws.conditional_formatting.add(
            cells, Rule(type="expression", dxf=DifferentialStyle(font=font, fill=fill), formula=[condition])
        )


def shorten_large(ws: Worksheet, cells: str, limit: int = 1000) -> None:
    """Show numbers of the range beyond ±limit in scientific notation, so that a diverging run never shows ####."""
    rule = Rule(type="cellIs", operator="notBetween", formula=[str(-limit), str(limit)])
    rule.dxf = DifferentialStyle(numFmt=_number_format(ws, SCIENTIFIC))
    ws.conditional_formatting.add(cells, rule)


def shorten_extreme(ws: Worksheet, cell: str, number_format: str, *, small: float = 0.001, large: float = 1000) -> None:
    """Show the cell's number in this format while it is not 0 but below small, or at least large, in size."""
    condition = f"IF(ISNUMBER({cell}),AND({cell}<>0,OR(ABS({cell})<{small!r},ABS({cell})>={large!r})),FALSE)"
    rule = Rule(type="expression", formula=[condition])
    rule.dxf = DifferentialStyle(numFmt=_number_format(ws, number_format))
    ws.conditional_formatting.add(cell, rule)


def _number_format(ws: Any, code: str) -> NumberFormat:
    """The format under the number that cells of the workbook use for it: Excel takes one number for one format."""
    return NumberFormat(numFmtId=BUILTIN_FORMATS_MAX_SIZE + ws.parent._number_formats.add(code), formatCode=code)


def set_widths(ws: Worksheet, widths: Mapping[str, float] | Sequence[float]) -> None:
    """Set column widths in characters, by letter or from column A on."""
    named = widths if isinstance(widths, Mapping) else {get_column_letter(i): w for i, w in enumerate(widths, 1)}
    for letter, width in named.items():
        ws.column_dimensions[letter].width = width


def _write(ws: Worksheet, address: str, text: str, role: str) -> None:
    cell = ws[address]
    cell.value = text
    cell.data_type = "s"
    apply(cell, role)


def furnish(
    ws: Worksheet,
    *,
    title: str | None = None,
    subtitle: str | None = None,
    widths: Mapping[str, float] | Sequence[float] = (),
    landscape: bool = True,
    fit_width: bool = True,
    fit_height: bool = False,
    freeze: str | None = None,
    repeat_rows: str | None = None,
    tab_color: str | None = None,
    zoom: int = 100,
) -> None:
    """Give the sheet its title (A1), subtitle (A2), view and print setup.

    freeze is the first cell that scrolls ("C8"); repeat_rows are printed on every page ("6:7"); tab_color is a
    key of TAB_COLORS or a hex colour.
    """
    for address, text, role, height in (("A1", title, "title", 30.0), ("A2", subtitle, "subtitle", 18.0)):
        if text is not None:
            _write(ws, address, text, role)
            ws.row_dimensions[int(address[1:])].height = height
    set_widths(ws, widths)
    ws.sheet_view.showGridLines = False
    ws.sheet_view.zoomScale = zoom
    ws.sheet_view.zoomScaleNormal = zoom
    if freeze is not None:
        ws.freeze_panes = freeze
    if tab_color is not None:
        ws.sheet_properties.tabColor = TAB_COLORS.get(tab_color, tab_color)
    _set_up_print(ws, landscape=landscape, fit_width=fit_width, fit_height=fit_height, repeat_rows=repeat_rows)


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
