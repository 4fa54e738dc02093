"""Roles, number formats and a sheet's furniture, as they reach the file."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from sheetgen.xlsx import formats, style


@pytest.fixture
def ws() -> Worksheet:
    """A sheet whose name holds what a header must not take for a code."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "R & D"
    return sheet


def saved(ws: Worksheet) -> bytes:
    stream = BytesIO()
    assert ws.parent is not None
    ws.parent.save(stream)
    return stream.getvalue()


def loaded(raw: bytes) -> Any:
    return load_workbook(BytesIO(raw)).worksheets[0]


def luminance(color: str) -> float:
    """Relative luminance (WCAG 2.1)."""
    parts = [int(color[-6:][i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("role", style.ROLES)
def test_text_of_every_role_can_be_read_on_its_fill(role: str) -> None:
    """The contrast is at least 4.5, which WCAG 2.1 asks of text."""
    look: Any = style.ROLES[role]
    fill = look.fill.fgColor.rgb if look.fill.fill_type else "FFFFFF"
    lights = sorted((luminance(str(look.font.color.rgb)), luminance(str(fill))), reverse=True)
    assert (lights[0] + 0.05) / (lights[1] + 0.05) >= 4.5


def test_kinds_of_cells_differ_by_fill_and_ink() -> None:
    """Input, formula, result, good and bad are told apart, and only what a user types is unlocked."""
    kinds = ("input", "formula", "result", "good", "bad")
    roles: Any = style.ROLES
    looks = {(roles[k].fill.fgColor.rgb, roles[k].font.color.rgb) for k in kinds}
    assert len(looks) == len(kinds)
    unlocked = {name for name, role in style.ROLES.items() if not role.protection.locked}
    assert unlocked == {"input", "choice", "open", "paint", "picker"}


def test_apply_survives_saving(ws: Worksheet) -> None:
    """Fill, font and number format come back; a neighbour is left alone."""
    ws["B2"] = 0.5
    ws["B3"] = 0.5
    style.apply(ws["B2"], "input", formats.VALUE)
    back = loaded(saved(ws))
    assert back["B2"].fill.fgColor.rgb[-6:] == style.INPUT_FILL
    assert back["B2"].font.color.rgb[-6:] == style.INPUT_INK
    assert back["B2"].number_format == formats.VALUE
    assert not back["B3"].has_style


def test_two_books_do_not_share_style_numbers(ws: Worksheet) -> None:
    """The same look is right in a second workbook that met other looks first."""
    other = Workbook().worksheets[0]
    style.apply(other["A1"], "bad")
    sheets: tuple[Any, ...] = (ws, other)
    for sheet in sheets:
        style.apply(sheet["A2"], "good", "0.0")
        assert sheet["A2"].fill.fgColor.rgb[-6:] == style.GOOD_FILL
        assert sheet["A2"].number_format == "0.0"


def test_changing_one_cell_leaves_others_of_the_role_alone(ws: Worksheet) -> None:
    style.apply(ws["A1"], "formula")
    ws["A1"].number_format = "0%"
    style.apply(ws["A2"], "formula")
    assert ws["A2"].number_format == "General"


def test_style_id_is_the_one_of_a_styled_cell_and_leaves_no_cell(ws: Worksheet) -> None:
    number = style.style_id(ws, "result", formats.LOSS)
    assert not ws._cells
    style.apply(ws["C3"], "result", formats.LOSS)
    assert ws["C3"].style_id == number != style.style_id(ws, "formula", formats.LOSS)


def test_unknown_role_is_refused(ws: Worksheet) -> None:
    with pytest.raises(KeyError):
        style.apply(ws["A1"], "reslut")


def test_furnish_sets_view_and_print(ws: Worksheet) -> None:
    """Title, grid, panes, paper, repeated rows and footer are in the file; text that begins with = stays text."""
    style.furnish(
        ws, title="=1+1", subtitle="s", widths=[8, 8, 30], freeze="B4", repeat_rows="1:3", tab_color="training"
    )
    raw = saved(ws)
    back = loaded(raw)
    assert (back["A1"].value, back["A1"].data_type) == ("=1+1", "s")
    assert back.sheet_view.showGridLines is False
    assert back.freeze_panes == "B4"
    assert (back.page_setup.orientation, back.page_setup.paperSize) == ("landscape", 9)
    assert (back.sheet_properties.pageSetUpPr.fitToPage, back.page_setup.fitToHeight) == (True, 0)
    assert back.print_title_rows == "$1:$3"
    assert back.column_dimensions["C"].width == 30
    assert back.sheet_properties.tabColor.rgb[-6:] == style.TAB_COLORS["training"]
    xml = zipfile.ZipFile(BytesIO(raw)).read("xl/worksheets/sheet1.xml").decode()
    assert re.search(r"<oddFooter>&amp;L.*&amp;A&amp;R.*&amp;P / &amp;N</oddFooter>", xml)


def test_furnish_refuses_what_excel_would_repair(ws: Worksheet) -> None:
    with pytest.raises(ValueError, match="repeat_rows"):
        style.furnish(ws, repeat_rows="A:B")


def test_formats_of_conditions_have_numbers_of_their_own(ws: Worksheet) -> None:
    """Excel takes one number for one format: the conditions' and the cells' formats never share one."""
    style.apply(ws["A1"], "formula", formats.VALUE)
    style.shorten_large(ws, "A1:A9")
    style.shorten_extreme(ws, "B1", '"w1 = "0.0E+00')
    style.shorten_extreme(ws, "B2", '"w2 = "0.0E+00')
    xml = zipfile.ZipFile(BytesIO(saved(ws))).read("xl/styles.xml").decode()
    found = [dict(re.findall(r'(\w+)="([^"]*)"', attributes)) for attributes in re.findall(r"<numFmt (.*?)/>", xml)]
    pairs = {(one["numFmtId"], one["formatCode"]) for one in found}
    assert len(pairs) >= 4
    assert len({number for number, _ in pairs}) == len(pairs)


def test_verdict_rules_follow_their_conditions(ws: Worksheet) -> None:
    style.verdict_rules(ws, "B2:B9", 'B2="ok"', 'B2<>"ok"')
    back = loaded(saved(ws))
    rules = [rule for found in back.conditional_formatting for rule in found.rules]
    assert [(rule.formula, rule.dxf.fill.bgColor.rgb[-6:]) for rule in rules] == [
        (['B2="ok"'], style.GOOD_FILL),
        (['B2<>"ok"'], style.BAD_FILL),
    ]
