"""The comparison of two workbooks finds and names every kind of change, and nothing where only the bytes changed."""

from __future__ import annotations

import importlib.util
import io
import math
import re
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import pytest
from openpyxl import Workbook
from openpyxl.chart import LineChart, Reference
from openpyxl.comments import Comment
from openpyxl.drawing.image import Image
from openpyxl.formatting.rule import Rule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.pagebreak import Break
from PIL import Image as Picture

Change = Callable[[Workbook], object]
Edit = Callable[[str], str]

FRONT, TABLE, END = (f"xl/worksheets/sheet{number}.xml" for number in (1, 2, 3))
BOOK, DRAWING = "xl/workbook.xml", "xl/drawings/drawing1.xml"
TOTAL = r"compared \d+ tabs, \d+ cells, \d+ formulas, \d+ styles, \d+ charts, \d+ names: "


def loaded(path: Path) -> ModuleType:
    """The tool as a module; its dataclasses ask that it be known by its name."""
    spec = importlib.util.spec_from_file_location("compare_tool", path)
    assert spec is not None and spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


compare = loaded(Path(__file__).parent.parent / "tools" / "compare.py")


def dot(colour: str) -> Image:
    """A picture of one pixel."""
    data = io.BytesIO()
    Picture.new("RGB", (1, 1), colour).save(data, "png")
    return Image(data)


def above(limit: int, colour: str) -> Rule:
    look = DifferentialStyle(fill=PatternFill(bgColor=colour))
    return Rule("expression", formula=[f"A1>{limit}"], dxf=look)


def build(before: Change | None = None) -> Workbook:
    """Three tabs with something of everything that is compared, after what is done first."""
    book = Workbook()
    if before is not None:
        before(book)
    front, table, last = book.worksheets[0], book.create_sheet("lr 0.1"), book.create_sheet("Last")
    front.title = "Start"
    front["A1"], front["A1"].font = "a title", Font(bold=True, size=14)
    front["A3"], front["A3"].hyperlink = "to a page", "https://example.org/a"
    front.merge_cells("A5:C6")
    front.merge_cells("E5:F6")
    for row in range(1, 10):
        table.append([row, row / 8, f"=A{row}*$B$1"])
        table.cell(row, 3).number_format = "0.000"
    table["E1"], table["E2"], table["E3"] = "=1+1", True, 0.1
    table.column_dimensions["B"].width, table.row_dimensions[2].height = 20, 30
    table.conditional_formatting.add("A1:A9", above(3, "FFFF0000"))
    rule = DataValidation("whole", operator="between", formula1="1", formula2="9")
    rule.add("A1")
    table.add_data_validation(rule)
    table.freeze_panes = "B2"
    table.col_breaks.append(Break(3))
    chart = LineChart()
    chart.title = "Loss"
    chart.add_data(Reference(table, min_col=2, min_row=1, max_row=9))
    table.add_chart(chart, "G2")
    table.add_image(dot("red"), "G30")
    book.defined_names["rate"] = DefinedName("rate", attr_text="Start!$A$1")
    table.print_title_rows = "1:1"
    last["A1"] = "the end"
    last["A1"].comment = Comment("of a workbook", "an author")
    return book


def write(book: Workbook, path: Path, edits: Mapping[str, Edit] | None = None) -> Path:
    """The saved workbook with some parts changed; its dates are fixed, for openpyxl writes what the clock says."""
    book.save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name).decode("latin-1") for name in archive.namelist()}
    parts["docProps/core.xml"] = re.sub(r"\d{4}-\d\d-\d\dT[0-9:]+", "2024-01-01T00:00:00", parts["docProps/core.xml"])
    for name, change in (edits or {}).items():
        before = parts.get(name, "")
        parts[name] = change(before)
        assert parts[name] != before
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text.encode("latin-1"))
    return path


def swap(old: str, new: str) -> Edit:
    return lambda text: text.replace(old, new, 1)


class Found(Protocol):
    """What the tool prints but for its last line."""

    def __call__(self, left: Workbook, right: Workbook, edits: Mapping[str, Edit] | None = None) -> list[str]: ...


@pytest.fixture
def found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Found:
    """Two workbooks are written, the right one with edits; the exit status must be 1 just if a line is printed."""

    def run(left: Workbook, right: Workbook, edits: Mapping[str, Edit] | None = None) -> list[str]:
        paths = [write(left, tmp_path / "left.xlsx"), write(right, tmp_path / "right.xlsx", edits)]
        status = compare.main([*(str(path) for path in paths), "--limit", "1000"])
        *lines, total = capsys.readouterr().out.splitlines()
        assert re.fullmatch(rf"{TOTAL}{len(lines)} differences", total)
        assert status == (1 if lines else 0)
        return lines

    return run


def cell(tab: str, address: str, **settings: Any) -> Change:
    """A change of a cell's value or looks."""

    def change(book: Workbook) -> None:
        for name, value in settings.items():
            setattr(book[tab][address], name, value)

    return change


def test_a_workbook_agrees_with_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All of it is counted, and the exit status is 0."""
    path = str(write(build(), tmp_path / "book.xlsx"))
    assert compare.main([path, path]) == 0
    total = "compared 3 tabs, 33 cells, 10 formulas, 3 styles, 1 charts, 2 names: 0 differences\n"
    assert capsys.readouterr().out == total


GREEN = (
    'sqref="Z9" <cfRule priority="1" type="expression"><formula>A1&gt;1</></><dxf><fill><patternFill><bgColor rgb="FF0'
)


def other_styles(book: Workbook) -> None:
    """Styles that no cell has in the end, and another order of those that cells have."""
    scratch = book.worksheets[0]
    for code, font in (("0.00000", Font(size=30)), ("0.000", Font()), ("0.0", Font(bold=True, size=14))):
        scratch["A1"].font, scratch["A1"].number_format = font, code
        assert scratch["A1"].style_id  # asking makes it part of the book
    del scratch["A1"]


def test_the_numbering_of_styles_does_not_count(found: Found, tmp_path: Path) -> None:
    """Only what a style's number stands for is compared, in cells and in conditional formats."""
    right = build(other_styles)
    right["lr 0.1"].conditional_formatting = type(right["lr 0.1"].conditional_formatting)()
    right["Start"].conditional_formatting.add("Z9", above(1, "FF00FF00"))
    right["lr 0.1"].conditional_formatting.add("A1:A9", above(3, "FFFF0000"))
    lines = found(build(), right)
    assert len(lines) == 1
    assert lines[0].startswith(f"tab      Start conditional format: (none) | {GREEN}")
    with zipfile.ZipFile(tmp_path / "left.xlsx") as one, zipfile.ZipFile(tmp_path / "right.xlsx") as other:
        assert b'r="C1" s="2"' in one.read(TABLE) and b'r="C1" s="2"' not in other.read(TABLE)
        assert b'dxfId="0"' in one.read(TABLE) and b'dxfId="1"' in other.read(TABLE)


@pytest.mark.parametrize(
    "edits",
    [
        {TABLE: swap("<v>0.1</v>", "<v>1.00000000000000005e-1</v>")},
        {TABLE: swap('<c r="A1"', '<c r="D7" /><c r="A1"')},
        {TABLE: lambda text: re.sub(r"<dimension[^>]*>", "", text)},
        {FRONT: swap('<mergeCell ref="A5:C6" /><mergeCell ref="E5:F6" />',
                                          '<mergeCell ref="E5:F6" /><mergeCell ref="A5:C6" />')},
        {"xl/charts/chart1.xml": lambda text: text.replace("><", ">\n <")},
        {"xl/drawings/_rels/drawing1.xml.rels": lambda text: text.replace("rId", "link"),
         DRAWING: lambda text: text.replace("rId", "link")},
        {FRONT: swap("<t>a title</t>", '<t xml:space="preserve">a title</t>')},
    ],
    ids=["digits", "a blank cell", "dimension", "merges", "layout", "ids", "space"],
)  # fmt: skip
def test_spelling_does_not_count(found: Found, edits: Mapping[str, Edit]) -> None:
    """The same number in other digits, a cell without content, the order of merges and the like are no difference."""
    assert found(build(), build(), edits) == []


@pytest.mark.parametrize(
    ("item", "lines"),
    [
        ("<t>a title</t>", []),
        (
            "<r><t>a </t></r><r><rPr><b/></rPr><t>title</t></r>",
            ["value    Start!A1: a title | <si><r><t>a </></><r><rPr><b></></><t>title</></></>"],
        ),
    ],
)
def test_a_shared_string_is_its_text(found: Found, item: str, lines: list[str]) -> None:
    """Its runs of their own format count."""
    main, office = (
        f"http://schemas.openxmlformats.org/{name}" for name in ("spreadsheetml/2006/main", "officeDocument")
    )
    link = f'<Relationship Id="t" Type="{office}/2006/relationships/sharedStrings" Target="sharedStrings.xml"/>'
    edits = {
        FRONT: swap('t="inlineStr"><is><t>a title</t></is>', 't="s"><v>1</v>'),
        "xl/_rels/workbook.xml.rels": swap("</Relationships>", f"{link}</Relationships>"),
        "xl/sharedStrings.xml": lambda _: f'<sst xmlns="{main}"><si><t>unused</t></si><si>{item}</si></sst>',
    }
    assert found(build(), build(), edits) == lines


def test_a_shared_formula_is_what_it_stands_for(found: Found) -> None:
    """Relative references move with the cell, but not absolute ones, names, functions and what is quoted."""
    left, right = build(), build()
    base = """LOG10(A1)&"A1"&'A1'!B$1&$A1&rate_1&SUM(A:A)&SUM($1:1)&Last!A1"""
    left["Last"]["D5"] = f"={base}"
    left["Last"]["E7"] = """=LOG10(B3)&"A1"&'A1'!C$1&$A3&rate_1&SUM(B:B)&SUM($1:3)&Last!B3"""
    right["Last"]["D5"], right["Last"]["E7"] = "=1", "=2"
    shared = {
        "<f>1</f>": f'<f t="shared" ref="D5:E7" si="0">{base.replace("&", "&amp;")}</f>',
        "<f>2</f>": '<f t="shared" si="0"/>',
    }
    assert found(left, right, {END: lambda text: re.sub(r"<f>\d</f>", lambda old: shared[old[0]], text)}) == []
    other = build()
    other["Last"]["D5"], other["Last"]["E7"] = f"={base}", "=LOG10(B4)"
    right = build()
    right["Last"]["D5"], right["Last"]["E7"] = "=1", "=2"
    lines = found(other, right, {END: lambda text: re.sub(r"<f>\d</f>", lambda old: shared[old[0]], text)})
    assert len(lines) == 1 and lines[0].startswith("formula  Last!E7: =LOG10(B4) | =LOG10(B3)&")


SIDE = Border(left=Side("thin"))
CELLS = {
    "value    Start!A1: a title | a tittle": cell("Start", "A1", value="a tittle"),
    "value    lr 0.1!E2: 1 (type b) | 1 (type n)": cell("lr 0.1", "E2", value=1),
    "value    Last!B2: (none) | 7": cell("Last", "B2", value=7),
    "formula  lr 0.1!C4: =A4*$B$1 | =A4*$B$2": cell("lr 0.1", "C4", value="=A4*$B$2"),
    "formula  lr 0.1!E1: =1+1 | (none)": cell("lr 0.1", "E1", value=None),
    "style    lr 0.1!A1 number format: General | 0.0": cell("lr 0.1", "A1", number_format="0.0"),
    "style    Start!A1 font: ": cell("Start", "A1", font=Font(bold=True, size=15)),
    "style    Last!C9 fill: ": cell("Last", "C9", fill=PatternFill("solid", "FF00FF00")),
    "style    Last!A1 border: ": cell("Last", "A1", border=SIDE),
    'style    Last!A1 alignment: "" | <alignment ': cell("Last", "A1", alignment=Alignment("right")),
    "style    Last!A1 protection: ": cell("Last", "A1", protection=Protection(locked=False)),
    "style    Start!A5 border: ": cell("Start", "A5", border=SIDE),
    "style under a merge Start!B6 border: ": cell("Start", "B6", border=SIDE),
    "tab      Start hyperlinks/hyperlink id: https://example.org/a | https://example.org/b": cell(
        "Start", "A3", hyperlink="https://example.org/b"
    ),
    "part     xl/comments/comment1.xml commentList/comment/text/t: of a workbook | of a book": cell(
        "Last", "A1", comment=Comment("of a book", "an author")
    ),
}


@pytest.mark.parametrize("line", CELLS)
def test_a_changed_cell_is_found_and_named(found: Found, line: str) -> None:
    """One line has its kind, its place and both sides, and nothing else is said to differ."""
    right = build()
    CELLS[line](right)
    lines = found(build(), right)
    assert len(lines) == 1
    assert lines[0].startswith(line)


EDITS = [
    ("value    lr 0.1!E3: 0.1 | 0.10000000000000002", TABLE, "<v>0.1</v>", f"<v>{math.nextafter(0.1, 1)!r}</v>"),
    ("tab      Start merged cells: E5:F6 | E5:F7", FRONT, "E5:F6", "E5:F7"),
    ('tab      lr 0.1 column B: customWidth="1" width="20" | customWidth="1" width="21"', TABLE, '"20"', '"21"'),
    ('tab      lr 0.1 row 2: customHeight="1" ht="30" | customHeight="1" ht="31"', TABLE, 'ht="30"', 'ht="31"'),
    ("tab      lr 0.1 conditional format: …", TABLE, "A1&gt;3", "A1&gt;4"),
    ("tab      lr 0.1 conditional format: …", "xl/styles.xml", "FFFF0000", "FFFF0001"),
    ("tab      lr 0.1 dataValidations/dataValidation/formula2: 9 | 8", TABLE, "<formula2>9", "<formula2>8"),
    ("tab      lr 0.1 sheetViews/sheetView/pane topLeftCell: B2 | B3", TABLE, 'Cell="B2"', 'Cell="B3"'),
    ("tab      lr 0.1 sheetFormatPr defaultRowHeight: 15 | 16", TABLE, 'Height="15"', 'Height="16"'),
    ("tab      lr 0.1 sheetPr/outlinePr summaryBelow: 1 | 0", TABLE, 'Below="1"', 'Below="0"'),
    ("tab      lr 0.1 pageMargins left: 0.75 | 0.7", TABLE, 'left="0.75"', 'left="0.7"'),
    ("tab      lr 0.1 colBreaks/brk id: 3 | 4", TABLE, 'brk id="3"', 'brk id="4"'),
    ("tab      lr 0.1 headerFooter: (none) | ", TABLE, "<drawing", "<headerFooter><oddFooter/></headerFooter><drawing"),
    ("tab      lr 0.1 sheetProtection: (none) | ", TABLE, "<conditional", '<sheetProtection sheet="1"/><conditional'),
    ("tab      Last state: visible | hidden", BOOK, 'sheetId="3" state="visible"', 'sheetId="3" state="hidden"'),
    ("chart    lr 0.1 chart 1 chart/title/tx/rich/p/r/t: Loss | Cost", "xl/charts/chart1.xml", "Loss", "Cost"),
    ("drawing  lr 0.1 oneCellAnchor/from/row: 1 | 2", DRAWING, "row>1<", "row>2<"),
    ("drawing  lr 0.1 oneCellAnchor[2]/pic/blipFill/blip embed: image ", "xl/media/image1.png", "IDAT", "IDAX"),
    ("name     rate: Start!$A$1 | Start!$A$2", BOOK, "Start!$A$1", "Start!$A$2"),
    ("name     _xlnm.Print_Titles of lr 0.1: 'lr 0.1'!$1:$1 | 'lr 0.1'!$1:$2", BOOK, "$1:$1", "$1:$2"),
    ("setup    calcPr calcId: 124519 | 1", BOOK, "124519", "1"),
    ("setup    creator: openpyxl | somebody", "docProps/core.xml", "openpyxl", "somebody"),
    ("setup    created: 2024-01-01T00:00:00Z | 2025-01-01T00:00:00Z", "docProps/core.xml", "2024", "2025"),
    ("setup    default style font: ", "xl/styles.xml", 'name val="Calibri"', 'name val="Arial"'),
    ("part     xl/theme/theme1.xml name: Office Theme | Mine", "xl/theme/theme1.xml", "Office Theme", "Mine"),
    ("part     custom/item.bin: (none) | a part", "custom/item.bin", "", "new"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "part", "old", "new"), EDITS)
def test_a_changed_setting_is_found_and_named(found: Found, line: str, part: str, old: str, new: str) -> None:
    """The same for what belongs to a tab, a drawing, a chart or the workbook."""
    lines = found(build(), build(), {part: swap(old, new)})
    assert lines[0].startswith(line) or lines[-1].startswith(line)
    assert len(lines) == 1 or "default style" in line


def test_tabs_in_another_order(found: Found) -> None:
    """The order is named, and tabs are compared with those of their title, whatever their parts are called."""
    right = build()
    right.move_sheet("Last", -1)
    assert found(build(), right) == ["tab      order: Start, lr 0.1, Last | Start, Last, lr 0.1"]


def test_a_tab_of_one_side(found: Found) -> None:
    """It is named; its charts do not show up as parts of their own."""
    right = build()
    right["lr 0.1"].title = "lr 0.2"
    lines = found(build(), right)
    assert "tab      lr 0.1: a tab | (none)" in lines and "tab      lr 0.2: (none) | a tab" in lines
    assert not [line for line in lines if line.startswith("part")]


def test_the_sign_of_zero_counts(found: Found) -> None:
    """Minus zero is another double than zero."""
    left, right = build(), build()
    left["Last"]["B1"] = right["Last"]["B1"] = 0
    lines = found(left, right, {END: swap("<v>0</v></c></row>", "<v>-0</v></c></row>")})
    assert lines == ["value    Last!B1: 0 | -0"]


def test_long_lists_are_cut(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As many lines of each kind as were asked for, then how many there are."""
    left, right = build(), build()
    for row in range(1, 10):
        right["lr 0.1"].cell(row, 1, 100 + row)
    right["Start"]["A1"] = "two\nlines"
    paths = [str(write(left, tmp_path / "left.xlsx")), str(write(right, tmp_path / "right.xlsx"))]
    assert compare.main([*paths, "--limit", "2"]) == 1
    *lines, total = capsys.readouterr().out.splitlines()
    assert lines == [
        r"value    Start!A1: a title | two\nlines",
        "value    lr 0.1!A1: 1 | 101",
        "value    8 more, 10 in all",
    ]
    assert total.endswith(": 10 differences")


def test_two_books_without_tabs_are_not_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A comparison that compared nothing fails."""
    path = write(Workbook(), tmp_path / "a.xlsx", {BOOK: lambda text: re.sub("<sheet .*?/>", "", text)})
    assert compare.main([str(path), str(path)]) == 1
    assert capsys.readouterr().out.endswith(": nothing to compare\n")


@pytest.mark.parametrize("arguments", [[], ["a.xlsx"], ["a.xlsx", "b.xlsx", "c.xlsx"], ["a.xlsx", "b.xlsx", "--limit"]])
def test_wrong_usage(arguments: list[str]) -> None:
    """The exit status is 2."""
    with pytest.raises(SystemExit) as stopped:
        compare.main(arguments)
    assert stopped.value.code == 2


def test_what_is_no_workbook(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is missing, no archive or an archive of something else gives exit status 2 and no traceback."""
    good, bad, other = write(build(), tmp_path / "good.xlsx"), tmp_path / "bad.xlsx", tmp_path / "other.xlsx"
    bad.write_text("no archive")
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("a.txt", "a")
    for path in (bad, other, tmp_path / "missing.xlsx"):
        with pytest.raises(SystemExit) as stopped:
            compare.main([str(good), str(path)])
        assert stopped.value.code == 2
        assert "not two workbooks" in capsys.readouterr().err
