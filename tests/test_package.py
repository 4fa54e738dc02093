"""What is put into a book comes out of the file: for Excel's schema, other readers, other engines, byte for byte."""

from __future__ import annotations

import errno
import io
import math
import os
import random
import re
import time
import tracemalloc
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy
import pytest
from edits import poison
from hypothesis import given
from hypothesis import strategies as some
from openpyxl import load_workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.comments import Comment
from openpyxl.drawing.image import Image
from openpyxl.styles import Color, Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation
from referees import calamine_cells, complaints, differences, misread, openpyxl_cells, stored
from xlsx_lint import lint

from sheetgen.check.engines import recalculate
from sheetgen.errors import ERRORS, ExcelError, OutputError
from sheetgen.xlsx import cells
from sheetgen.xlsx.book import Book, Tab
from sheetgen.xlsx.cells import Block, FillDown, Formula, Value, escape_text, number_text, value_xml
from sheetgen.xlsx.charts import Series, place, scatter
from sheetgen.xlsx.package import save
from sheetgen.xlsx.reader import read_formulas
from sheetgen.xlsx.shapes import Canvas, Stroke

TEXTS = ["", " ", "=1+1", "  led by blanks", "two\nlines\n", "tab\tbed", 'a & b < c > "d"', "bell\x07", "\r"]
TEXTS += ["_x0041_", "∂E/∂w1 δ", "𝛿 beyond 16 bits", "#NUM!", "TRUE", "0.1", "%d %s %%", "\\0#", "'quoted"]
OLD = b"PK what is left of a workbook"
NUMBERS = [0, -0.0, 1, -1, 0.1, 1 / 3, 5e-324, 1.7976931348623157e308, 2**53, 2**53 + 2, 1e22, 123456789.123456789]


def table(rows: Sequence[Sequence[Value]], top: int = 3) -> Block:
    """A block whose formulas give 1, 2, 3, ... and halves of them; rows must be of that kind to be right."""
    above = top
    return Block(top, (FillDown("1", f"A{above}+1"), FillDown(f"A{above}/2", f"A{above + 1}/2")), rows)


def counted(count: int) -> list[tuple[int, float]]:
    return [(k, k / 2) for k in range(1, count + 1)]


def saved(path: Path, *blocks: Block) -> Path:
    book = Book()
    for number, block in enumerate(blocks, 1):
        book.add(f"tab {number}").block = block
    save(book, path)
    return path


def part(path: Path, name: str) -> str:
    with zipfile.ZipFile(path) as archive:
        return archive.read(name).decode()


@pytest.fixture
def tab() -> tuple[Book, Tab]:
    book = Book()
    return book, book.add("Inputs")


# Cells -----------------------------------------------------------------------------------------------------------


def test_every_kind_of_value_comes_back(tab: tuple[Book, Tab], tmp_path: Path, ooxml_validator: Path) -> None:
    """Numbers to the last bit, texts to the last character, as typed values and as results of formulas."""
    book, sheet = tab
    values: list[Value] = [*NUMBERS, *TEXTS, True, False]
    for row, value in enumerate(values, 1):
        sheet.put(row, 1, value)
        sheet.put(row, 2, Formula(f"=A{row}", value))
    save(book, path := tmp_path / "values.xlsx")
    assert complaints(ooxml_validator, path) == []
    assert misread(path) == []
    expected = {("Inputs", f"{letter}{row}"): value for letter in "AB" for row, value in enumerate(values, 1)}
    assert differences(expected, calamine_cells(path), relative=0) == []
    assert differences({k: v for k, v in expected.items() if k[1] > "B"}, stored(path), relative=0) == []
    assert math.copysign(1, calamine_cells(path)["Inputs", "A2"]) == -1


def test_an_engine_reads_the_same(tab: tuple[Book, Tab], tmp_path: Path) -> None:
    """IronCalc, given only the typed values, finds them in the formulas that point to them."""
    book, sheet = tab
    values: list[Value] = [*NUMBERS, *(text for text in TEXTS if text), True, False]
    for row, value in enumerate(values, 1):
        sheet.put(row, 1, value)
        sheet.put(row, 2, Formula(f"=A{row}", value))
    save(book, tmp_path / "values.xlsx")
    assert poison(tmp_path / "values.xlsx", tmp_path / "poisoned.xlsx") == len(values)
    expected = {("Inputs", f"B{row}"): value for row, value in enumerate(values, 1)}
    assert differences(expected, recalculate(tmp_path / "poisoned.xlsx"), relative=0) == []


@given(some.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_written_in_full(value: float) -> None:
    """The text reads back as the same double."""
    assert float(number_text(value)).hex() == value.hex()
    assert value_xml(numpy.float64(value)) == ("", number_text(value))


@given(some.text())
def test_a_text_is_written_so_that_xml_allows_it(text: str) -> None:
    """Excel's own escapes, undone, give the text again."""
    read = ElementTree.fromstring(f"<t>{escape_text(text)}</t>").text or ""
    assert re.sub("_x([0-9A-F]{4})_", lambda code: chr(int(code[1], 16)), read) == text


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_errors(tab: tuple[Book, Tab], tmp_path: Path, name: str) -> None:
    """Typed or computed, an error is stored as one and not as a text."""
    book, sheet = tab
    sheet.put(1, 1, ExcelError(name))
    sheet.put(2, 1, Formula("=A1", ExcelError(name)))
    save(book, path := tmp_path / "errors.xlsx")
    assert part(path, "xl/worksheets/sheet1.xml").count(' t="e"') == 2
    assert isinstance(stored(path)["Inputs", "A2"], ExcelError)
    assert isinstance(recalculate(path)["Inputs", "A2"], ExcelError)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_an_error(tab: tuple[Book, Tab], tmp_path: Path, value: float) -> None:
    """NaN and infinity, for which a cell has no number, become #NUM!."""
    book, sheet = tab
    sheet.put(1, 1, value)
    sheet.put(2, 1, Formula("=A1", value))
    save(book, path := tmp_path / "errors.xlsx")
    assert openpyxl_cells(path) == {("Inputs", "A1"): "#NUM!", ("Inputs", "A2"): "#NUM!"}
    assert lint(path) == []


def test_an_unknown_error_is_refused() -> None:
    """Only Excel's own errors are errors."""
    with pytest.raises(ValueError, match="is no error value"):
        ExcelError("#OOPS!")


def test_texts_are_shared(tab: tuple[Book, Tab], tmp_path: Path) -> None:
    """A text that stands in many cells is in the file once; an emptied cell is not there."""
    book, sheet = tab
    for row in range(1, 10):
        sheet.put(row, 1, "again")
    sheet.put(10, 1, "once")
    sheet.put(11, 1, "gone")
    sheet.put(11, 1, None)
    save(book, path := tmp_path / "texts.xlsx")
    assert 'count="10" uniqueCount="2"' in part(path, "xl/sharedStrings.xml")
    assert "A11" not in part(path, "xl/worksheets/sheet1.xml")


def test_rich_text_keeps_its_runs(tab: tuple[Book, Tab], tmp_path: Path, ooxml_validator: Path) -> None:
    """A partly bold text is shared like any other, and read as one text where fonts do not matter."""
    book, sheet = tab
    bold = TextBlock(
        InlineFont(b=True, i=True, sz=14, color=Color("FF0000"), rFont="Calibri", vertAlign="subscript"), " w1"
    )
    sheet.put(1, 1, CellRichText("the weight", bold, " & \x07 bell"))
    save(book, path := tmp_path / "rich.xlsx")
    assert complaints(ooxml_validator, path) == []
    assert calamine_cells(path)["Inputs", "A1"] == "the weight w1 & \x07 bell"
    rich: Any = load_workbook(path, rich_text=True)["Inputs"]["A1"].value
    assert rich[1].font.b is True


def test_what_cannot_be_stored_is_refused(tab: tuple[Book, Tab], tmp_path: Path) -> None:
    """Too long, hidden, or a formula without its value: a mistake of the caller, told before it is a damaged file."""
    book, sheet = tab
    sheet.put(1, 1, "x" * 32_767)
    with pytest.raises(ValueError, match=r"Inputs!B2: 32768 characters"):
        sheet.put(2, 2, "x" * 32_768)
    assert Formula("=" + "1" * 8192, 1).text
    with pytest.raises(ValueError, match="8193 characters"):
        Formula("=" + "1" * 8193, 1)
    with pytest.raises(ValueError, match="begins with '='"):
        Formula("1+1", 2)
    sheet.ws.merge_cells("C1:D1")
    with pytest.raises(ValueError, match=r"Inputs!D1 is hidden"):
        sheet.put(1, 4, 1)
    sheet.ws["E1"] = "=1+1"
    with pytest.raises(ValueError, match=r"Inputs!E1 has a formula without a value"):
        save(book, tmp_path / "none.xlsx")
    assert not list(tmp_path.iterdir())


def test_two_tabs_of_one_name_are_refused(tab: tuple[Book, Tab]) -> None:
    """Excel compares names without regard to case."""
    with pytest.raises(ValueError, match="there is a tab"):
        tab[0].add("INPUTS")


# Blocks ----------------------------------------------------------------------------------------------------------


def test_blocks_of_every_size(tmp_path: Path, ooxml_validator: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the rows fall into chunks (of four rows here), every cell is there and right."""
    monkeypatch.setattr(cells, "CELLS_PER_CHUNK", 8)
    sizes = [1, 2, 3, 4, 5, 7, 8, 9, 100]
    path = saved(tmp_path / "block.xlsx", *(table(counted(size), top=1 + size % 3) for size in sizes))
    assert complaints(ooxml_validator, path) == []
    assert misread(path) == []
    assert len(stored(path)) == 2 * sum(sizes)
    assert poison(path, poisoned := tmp_path / "poisoned.xlsx") == 2 * sum(sizes)
    assert set(stored(poisoned).values()) == {999}
    assert differences(stored(path), recalculate(poisoned), relative=0) == []
    filled = {cell.tab for cell in read_formulas(path) if cell.origin}
    assert filled == {f"tab {number}" for number, size in enumerate(sizes, 1) if size > 2}


def test_the_same_formulas_as_written_one_by_one(tmp_path: Path) -> None:
    """Filling down gives each row the formula that a person would see in it."""
    path = saved(tmp_path / "block.xlsx", table(counted(5)))
    ours = [(cell.address, cell.formula) for cell in read_formulas(path)]
    assert ours == [
        pair
        for row in range(3, 8)
        for pair in ((f"A{row}", f"=A{row - 1}+1" if row > 3 else "=1"), (f"B{row}", f"=A{row}/2"))
    ]
    theirs: Any = load_workbook(path)["tab 1"]
    assert [(address, theirs[address].value) for address, _ in ours] == ours


def test_rows_of_mixed_values(tmp_path: Path, ooxml_validator: Path) -> None:
    """Errors, texts, truth values and numbers without end among ordinary numbers."""
    chance = random.Random(1)
    kinds: list[Value] = [*NUMBERS, *TEXTS, True, False, *map(ExcelError, ERRORS), math.nan, -math.inf, 10**17]
    tables: list[list[list[Value]]] = []
    for _ in range(12):
        height, width = chance.randrange(1, 40), chance.randrange(1, 60)
        tables.append(
            [
                [chance.choice(kinds) if chance.random() < 0.1 else chance.gauss(0, 1) for _ in range(width)]
                for _ in range(height)
            ]
        )
    blocks = [Block(2, tuple(FillDown("1", "A1") for _ in lines[0]), lines) for lines in tables]
    path = saved(tmp_path / "mixed.xlsx", *blocks)
    assert complaints(ooxml_validator, path) == []
    assert misread(path) == []
    expected = {
        (f"tab {number}", f"{cells.column_letters(column)}{row}"): finite(value)
        for number, lines in enumerate(tables, 1)
        for row, line in enumerate(lines, 2)
        for column, value in enumerate(line, 1)
    }
    assert differences(expected, stored(path), relative=0) == []
    assert stored(path).keys() == expected.keys()


def finite(value: Value) -> Value:
    return value if isinstance(value, str) or math.isfinite(value) else ExcelError("#NUM!")


def test_an_array_is_written_like_its_rows(tmp_path: Path) -> None:
    """A numpy array, its scalars, and lists give the same bytes; its NaN becomes an error."""
    array = numpy.array([[1.0, 0.1], [math.nan, 1 / 3], [3.0, 1e-300]])
    columns = FillDown("1", "A1"), FillDown("2", "B1")
    files = [
        saved(tmp_path / f"{number}.xlsx", Block(1, columns, rows)).read_bytes()
        for number, rows in enumerate((array, array.tolist(), list(array)))
    ]
    assert files[0] == files[1] == files[2]
    assert openpyxl_cells(tmp_path / "0.xlsx")["tab 1", "A2"] == "#NUM!"


def test_styles_and_neighbours_of_a_block(tab: tuple[Book, Tab], tmp_path: Path, ooxml_validator: Path) -> None:
    """A block keeps its styles, the heights of its rows and the cells beside, above and below it."""
    book, sheet = tab
    style: Any = sheet.ws["Z1"]
    style.font = Font(bold=True)
    sheet.block = Block(
        3, (FillDown("1", "A3+1", style.style_id, 0), FillDown("2", "A4", 0)), [(k, k) for k in range(1, 6)]
    )
    for row, text in ((1, "above"), (4, "beside"), (9, "below")):
        sheet.put(row, 5, text)
    sheet.ws.row_dimensions[5].height = 40
    save(book, path := tmp_path / "beside.xlsx")
    assert complaints(ooxml_validator, path) == []
    read: Any = load_workbook(path)["Inputs"]
    assert [read.cell(row, 1).font.b for row in range(3, 8)] == [False, True, True, True, True]
    assert [read.cell(row, 5).value for row in (1, 4, 9)] == ["above", "beside", "below"]
    assert read.row_dimensions[5].height == 40
    assert read.dimensions == "A1:Z9"


def test_blocks_that_cannot_be(tab: tuple[Book, Tab], tmp_path: Path) -> None:
    """Other sheets in a filled formula, rows of the wrong width, cells under a block, and tables beyond the sheet."""
    assert FillDown("Inputs!A1", 'A1&"!"').start == "Inputs!A1"
    with pytest.raises(ValueError, match="must not refer to another sheet"):
        FillDown("1", "Inputs!A1")
    with pytest.raises(ValueError, match="more than 8192"):
        FillDown("1", "1" * 8193)
    with pytest.raises(ValueError, match="needs a column, a row"):
        table([])
    assert table(counted(2), top=1_048_575).bottom == 1_048_576
    with pytest.raises(ValueError, match="does not fit a sheet"):
        table(counted(2), top=1_048_576)
    for rows in ([(1, 2), (1, 2), (1, 2, 3)], [(1, 2), (1, 2), (1,)], [(1,)]):
        with pytest.raises((ValueError, TypeError)):
            saved(tmp_path / "none.xlsx", table(rows))
    book, sheet = tab
    sheet.block = table(counted(3))
    sheet.put(4, 2, 1)
    with pytest.raises(ValueError, match="Inputs!B4 lies in the sheet's block"):
        save(book, tmp_path / "none.xlsx")
    assert not list(tmp_path.iterdir())


def test_rows_are_streamed(tmp_path: Path) -> None:
    """Memory does not grow with the table: 200,000 formulas take no more than a few chunks of text."""

    class Rows(Sequence[Any]):
        def __len__(self) -> int:
            return 25_000

        def __getitem__(self, place: Any) -> Any:
            return [tuple([k + 0.1] * 8) for k in range(*place.indices(len(self)))]

    block = Block(1, tuple(FillDown("1", "A1") for _ in range(8)), Rows())
    tracemalloc.start()
    path = saved(tmp_path / "long.xlsx", block)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert zipfile.ZipFile(path).getinfo("xl/worksheets/sheet1.xml").file_size > 10e6
    assert peak < 8e6


def test_progress_counts_formulas(tmp_path: Path) -> None:
    """The numbers reported add up to the number of formulas."""
    book = Book()
    book.add("a").block = table(counted(9000))
    book.add("b").put(1, 1, Formula("=1", 1))
    done: list[int] = []
    save(book, tmp_path / "book.xlsx", done.append)
    assert sum(done) == book.formulas == 18_001
    assert len(done) > 3


# Everything else in a workbook -----------------------------------------------------------------------------------


def furnished() -> Book:
    """A book with one of everything that openpyxl writes for us."""
    book = Book()
    sheet = book.add("Inputs")
    first: Any = sheet.put(1, 1, "a link")
    first.hyperlink = "https://example.org/"
    first.font = Font(name="Calibri", size=14, bold=True, italic=True, underline="single", strike=True, color="FF0000")
    first.fill = PatternFill("solid", start_color="FFEECC")
    sheet.put(2, 1, 0.1).comment = Comment("the rate", "sheetgen")
    sheet.ws.merge_cells("A3:C3")
    limits = DataValidation(type="decimal", operator="greaterThan", formula1="0")
    limits.add("A2")
    sheet.ws.add_data_validation(limits)
    sheet.ws.freeze_panes = "B2"
    sheet.ws.print_area = "A1:H20"
    sheet.ws.print_title_rows = "1:1"
    from PIL import Image as Picture

    data = io.BytesIO()
    Picture.new("RGB", (8, 8), "navy").save(data, "PNG")
    sheet.ws.add_image(Image(data), "E5")
    other = book.add("it's a run")
    other.block = table(counted(4))
    ref = "'it''s a run'!$A$3:$A$6"
    chart = scatter("n", "n", "n", [Series("n", ref, ref, [1, 2, 3, 4], [1, 2, 3, 4])])
    place(other.ws, chart, "D2", "K16", "a line")
    for drawn in (sheet, other, book.add("only shapes")):
        canvas = Canvas(drawn.ws, drawn.shapes)
        canvas.ellipse((2, 2, 0, 0), (4, 6, 0, 0), Stroke(), "a circle")
        canvas.arrow((0, 0), (1e6, 1e6), Stroke(), "an arrow")
    return book


def test_a_furnished_workbook_is_valid(tmp_path: Path, ooxml_validator: Path) -> None:
    """Links, comments, pictures, charts, shapes, rules and print settings pass the validator, and engines open it."""
    save(furnished(), path := tmp_path / "book.xlsx")
    assert complaints(ooxml_validator, path) == []
    assert recalculate(path)["it's a run", "B6"] == 2
    read: Any = load_workbook(path)
    assert read["Inputs"]["A1"].hyperlink.target == "https://example.org/"
    assert read["Inputs"]["A2"].comment.text == "the rate"
    assert len(read["it's a run"]._charts) == 1


def test_shapes_stand_in_front_with_ids_of_their_own(tmp_path: Path) -> None:
    """In a drawing of charts, pictures and shapes, the shapes come last, in their order, and no id is used twice."""
    save(furnished(), path := tmp_path / "book.xlsx")
    namespace = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}"
    kinds, ids = [], []
    for number in (1, 2, 3):
        root = ElementTree.fromstring(part(path, f"xl/drawings/drawing{number}.xml"))
        kinds.append([anchor[2].tag.replace(namespace, "") for anchor in root])
        ids.append([element.attrib["id"] for element in root.iter(f"{namespace}cNvPr")])
    assert kinds == [["pic", "sp", "cxnSp"], ["graphicFrame", "sp", "cxnSp"], ["sp", "cxnSp"]]
    assert ids == [["1", "2", "3"], ["1", "2", "3"], ["1", "2"]]


def test_excel_is_asked_to_recalculate(tmp_path: Path) -> None:
    """Stored values are for those who cannot calculate."""
    assert 'fullCalcOnLoad="1"' in part(saved(tmp_path / "book.xlsx", table(counted(1))), "xl/workbook.xml")


@pytest.mark.libreoffice
def test_libreoffice_finds_the_same_values(tmp_path: Path, soffice: Path) -> None:
    """Poisoned, a workbook of blocks and single formulas gets its values back, within LibreOffice's 15 digits."""
    book = furnished()
    sheet = book.tabs[0]
    sheet.put(10, 1, Formula("=A2*3", 0.1 * 3))
    sheet.put(11, 1, Formula('="a"&A1', "aa link"))
    sheet.put(12, 1, Formula("=1/0", ExcelError("#DIV/0!")))
    sheet.put(13, 1, Formula("=A2>1", False))
    save(book, path := tmp_path / "book.xlsx")
    poison(path, tmp_path / "poisoned.xlsx")
    assert differences(stored(path), recalculate(tmp_path / "poisoned.xlsx", "libreoffice"), relative=1e-14) == []


# The file --------------------------------------------------------------------------------------------------------


def test_same_book_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the day nor an earlier save shows in the file."""
    book: Any = furnished()
    save(book, tmp_path / "1.xlsx")
    monkeypatch.setattr(time, "time", lambda: 2e9)
    save(furnished(), tmp_path / "2.xlsx")
    # openpyxl closes a picture once it is written.
    del book.tabs[0].ws._images[:]
    save(book, tmp_path / "3.xlsx")
    save(book, tmp_path / "4.xlsx")
    first, second, third, fourth = ((tmp_path / f"{number}.xlsx").read_bytes() for number in (1, 2, 3, 4))
    assert first == second and third == fourth
    with zipfile.ZipFile(tmp_path / "1.xlsx") as archive:
        marks = {(entry.date_time, entry.create_system, entry.external_attr) for entry in archive.infolist()}
    assert marks == {((1980, 1, 1, 0, 0, 0), 3, 0o600 << 16)}


def test_an_existing_file_is_replaced(tmp_path: Path) -> None:
    """Nothing but the new file is left; a link to a file stays a link."""
    path, link = tmp_path / "book.xlsx", tmp_path / "link.xlsx"
    path.write_bytes(OLD)
    link.symlink_to(path)
    saved(link, table(counted(3)))
    assert link.is_symlink() and zipfile.is_zipfile(path)
    assert sorted(tmp_path.iterdir()) == [path, link]
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask()


def mask() -> int:
    os.umask(now := os.umask(0))
    return now


@pytest.mark.parametrize("trouble", [KeyboardInterrupt, RuntimeError, MemoryError])
def test_a_failed_save_leaves_the_old_file(trouble: type[BaseException], tmp_path: Path) -> None:
    """Interrupted in the middle of the rows, the old file is as it was and no draft is left."""
    path = tmp_path / "book.xlsx"
    path.write_bytes(OLD)
    book = Book()
    book.add("long").block = table(counted(20_000))

    def stop(_: int) -> None:
        assert len(list(tmp_path.iterdir())) == 2
        raise trouble

    with pytest.raises(trouble):
        save(book, path, stop)
    assert path.read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "quota"),
        (errno.EACCES, "no permission"),
        (errno.EROFS, "read-only"),
        (errno.EIO, os.strerror(errno.EIO)),
    ],
)
def test_trouble_with_the_disk_is_told(
    number: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line with the path and what to do, and the old file as it was."""
    path = tmp_path / "book.xlsx"
    path.write_bytes(OLD)

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match=f"^{re.escape(str(path))}: cannot be written: .*{words}[^\n]*$"):
        saved(path, table(counted(3)))
    assert path.read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_in_the_middle(tmp_path: Path) -> None:
    """A real limit on the size of files, met while rows are being written."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    block = Block(1, (FillDown("1", "A1"),), numpy.random.default_rng(1).random((50_000, 1)))
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(OutputError, match="larger than this disk"):
            saved(tmp_path / "book.xlsx", block)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.iterdir())


def test_bad_places_are_told(tmp_path: Path) -> None:
    """A folder, a folder that is not there, a file in place of a folder, a device, a name too long."""
    (tmp_path / "file").write_text("old")
    places = {
        tmp_path: "is a folder",
        tmp_path / "no" / "book.xlsx": "there is no folder .*no; create it",
        tmp_path / "file" / "book.xlsx": "there is no folder",
        Path(os.devnull): "is not an ordinary file",
        tmp_path / ("x" * 300 + ".xlsx"): "the name is too long",
    }
    for target, words in places.items():
        with pytest.raises(OutputError, match=words):
            saved(target, table(counted(1)))
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
