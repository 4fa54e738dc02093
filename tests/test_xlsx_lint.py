"""Each rule of the linter fires on a file that breaks it, and none on one that breaks nothing."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from openpyxl.formatting.rule import Rule
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.hyperlink import Hyperlink
from xlsx_lint import is_legal_name, lint, main

from sheetgen.errors import ExcelError
from sheetgen.xlsx.book import Book
from sheetgen.xlsx.cells import Block, FillDown, Formula
from sheetgen.xlsx.charts import Series, place, scatter
from sheetgen.xlsx.package import save

INPUTS, TABLE = "xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"
BOOK, STRINGS, CHART = "xl/workbook.xml", "xl/sharedStrings.xml", "xl/charts/chart1.xml"

# What breaks a rule: the part, the text in it, what to put there instead, and words of the finding.
BREACHES = [
    (BOOK, 'name="w_1"', 'name="w1"', "name 'w1': is no legal name"),
    (BOOK, "<definedNames>", '<definedNames><definedName name="W_1">Inputs!$A$1</definedName>', "defined twice"),
    (BOOK, ">Inputs!$A$2<", ">$A$2<", "without a sheet"),
    (BOOK, ">Inputs!$A$2<", ">Outputs!$A$2<", "'Outputs', which is not there"),
    (BOOK, ">Inputs!$A$2<", ">Inputs!#REF!<", "something that is gone"),
    (BOOK, 'name="lr 0.1"', 'name="lr:0.1"', "'lr:0.1': is no legal name"),
    (BOOK, 'name="lr 0.1"', f'name="{"x" * 32}"', "is no legal name"),
    (BOOK, 'name="lr 0.1"', 'name="it\'"', "is no legal name"),
    (BOOK, 'name="lr 0.1"', 'name="History"', "keeps this name"),
    (BOOK, 'name="lr 0.1"', 'name="inputs"', "used twice"),
    (BOOK, 'fullCalcOnLoad="1"', 'iterate="1" fullCalcOnLoad="1"', "iteratively"),
    (BOOK, 'fullCalcOnLoad="1"', "", "recalculate on load"),
    (STRINGS, "a text", "a" * 32_768, "a text of 32768 characters"),
    (INPUTS, '<row r="2">', '<row r="1">', "row 1 follows row 1"),
    (INPUTS, 'r="B2"', 'r="A2"', "A2: comes too late in its row, or twice"),
    (INPUTS, 'r="B2"', 'r="B3"', "B3: stands in row 2"),
    (INPUTS, 'r="B2"', 'r="XFE2"', "comes too late"),
    (INPUTS, 't="s"><v>0<', 't="s"><v>9<', "shared string 9 of 3"),
    (INPUTS, 't="s"><v>0</v>', 't="inlineStr"><is><t>a</t></is>', "inline"),
    (INPUTS, "<v>0.1<", "<v>nan<", "is no number: nan"),
    (INPUTS, "<v>0.1<", "<v>-inf<", "is no number: -inf"),
    (INPUTS, "<v>0.1<", "<v>0,1<", "is no number: 0,1"),
    (INPUTS, "<v>0.1<", "<v>0.10000000000000000<", "not the shortest"),
    (INPUTS, "<v>#DIV/0!<", "<v>#DIV0<", "unknown error"),
    (INPUTS, 't="b"><f>A2&gt;0</f><v>1<', 't="b"><f>A2&gt;0</f><v>TRUE<', "neither true nor false"),
    (INPUTS, "<v>#DIV/0!</v>", "", "A4: has a formula without a stored value"),
    (INPUTS, "<v>#DIV/0!</v>", "<v/>", "A4: has a formula without a stored value"),
    (INPUTS, "<f>1/0<", "<f><", "empty formula"),
    (INPUTS, "<f>1/0<", f"<f>{'1+' * 4096}1<", "a formula of 8193 characters"),
    (INPUTS, "<f>1/0<", "<f>now()<", "volatile function now"),
    (INPUTS, "<f>1/0<", "<f>1+OFFSET(A1,1,1)<", "volatile function OFFSET"),
    (INPUTS, "<f>1/0<", "<f>LET(x,1,x)<", "lacks, LET"),
    (INPUTS, "<f>1/0<", "<f>_xlfn.STDEV.S(A1)<", "Excel 2010 lacks"),
    (INPUTS, "<f>1/0<", "<f>SUM({1,2})<", "array constant"),
    (INPUTS, "<f>1/0<", "<f>#REF!+1<", "something that is gone"),
    (INPUTS, "<f>1/0<", "<f>[1]Inputs!A1<", "another workbook"),
    (INPUTS, "<f>1/0<", "<f>'lr 0.2'!A1<", "'lr 0.2', which is not there"),
    (INPUTS, "<f>1/0<", '<f t="array" ref="A4">1/0<', "kind array"),
    (INPUTS, 'ref="C3:D4"', 'ref="D2:E4"', "overlap"),
    (INPUTS, '"one,two"', f'"{"x" * 256}"', "a list of 256 characters"),
    (INPUTS, '"one,two"', "Gone!$A$1:$A$2", "'Gone', which is not there"),
    (INPUTS, 'prompt="pick"', f'prompt="{"x" * 256}"', "prompt is longer"),
    (INPUTS, "<formula>$A$2&gt;0<", "<formula>RAND()&gt;0<", "a rule uses the volatile function RAND"),
    (INPUTS, "location=\"'lr 0.1'!A1\"", "location=\"'lr 1'!A1\"", "the link refers to sheet 'lr 1'"),
    (TABLE, ">B2/2<", ">Inputs!B2/2<", "fills down a reference to another sheet"),
    (TABLE, 'ref="B3:B5" si="1">B2/2</f>', 'si="1"/>', "which has no master"),
    (TABLE, 'ref="B3:B5"', 'ref="B3:B4"', "B5: lies outside"),
    (TABLE, '<c r="B5"><f t="shared" si="1"/>', '<c r="B5"><f t="shared" ref="B5" si="1">B4/2</f>', "second master"),
    (CHART, '<delete val="0" />', "", "without <delete>"),
    (CHART, '<delete val="0" />', '<delete val="1" />', "an axis is deleted"),
    (CHART, "'lr 0.1'!$B$2:$B$5", "'lr 1'!$B$2:$B$5", "'lr 1', which is not there"),
    (CHART, "'lr 0.1'!$B$2:$B$5", "'lr 0.1'!B2:B5", "no absolute reference"),
    (CHART, "'lr 0.1'!$B$2:$B$5", "'lr 0.1'!$B$2:$B$4", "has 3 cells and 4 cached values"),
    (CHART, "'lr 0.1'!$B$2:$B$5", "'lr 0.1'!$A$2:$A$5", "caches 0.1 for row 2"),
    (CHART, "numCache>", "gone>", "without the values"),
    (CHART, "ser>", "gone>", "draws nothing"),
]


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workbook with one of everything that the rules speak of."""
    book = Book()
    inputs = book.add("Inputs")
    inputs.put(1, 1, "a text").hyperlink = Hyperlink(ref="A1", location="'lr 0.1'!A1")
    inputs.put(2, 1, 0.1)
    inputs.put(2, 2, Formula("=A2>0", True))
    inputs.put(3, 1, Formula('="LET({1} [x] OFFSET( Gone!A1"', "LET({1} [x] OFFSET( Gone!A1"))
    inputs.put(4, 1, Formula("=1/0", ExcelError("#DIV/0!")))
    inputs.put(5, 1, Formula("='lr 0.1'!A3", 2))
    inputs.put(6, 1, "another")
    inputs.put(7, 1, "=RAND()")
    inputs.ws.merge_cells("C1:D2")
    inputs.ws.merge_cells("C3:D4")
    choice = DataValidation(type="list", formula1='"one,two"', prompt="pick")
    choice.add("A6")
    inputs.ws.add_data_validation(choice)
    inputs.ws.conditional_formatting.add("A2", Rule(type="expression", formula=["$A$2>0"]))
    book.wb.defined_names["w_1"] = DefinedName("w_1", attr_text="Inputs!$A$2")
    table = book.add("lr 0.1")
    rows = [(k + 1, 0.1 / 2**k) for k in range(4)]
    table.block = Block(2, (FillDown("1", "A2+1"), FillDown("w_1/A2", "B2/2")), rows)
    steps, losses = zip(*rows, strict=True)
    line = Series("E", "'lr 0.1'!$A$2:$A$5", "'lr 0.1'!$B$2:$B$5", steps, losses)
    place(table.ws, scatter("E", "step", "loss", [line]), "D2", "K16", "a line")
    path = tmp_path_factory.mktemp("lint") / "clean.xlsx"
    save(book, path)
    return path


def altered(path: Path, out: Path, part: str, old: str, new: str) -> Path:
    """A copy with one text of one part replaced."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(out, "w") as copy:
        for entry in source.infolist():
            data = source.read(entry).decode()
            if entry.filename == part:
                assert old in data, f"{old} is not in {part}: {data}"
                data = data.replace(old, new)
            copy.writestr(zipfile.ZipInfo(entry.filename), data)
    return out


def test_a_clean_file_is_clean(clean: Path) -> None:
    """Nothing is said of what only looks like a breach, such as a volatile function's name within a text."""
    assert lint(clean) == []
    assert main([str(clean)]) == 0


@pytest.mark.parametrize(("part", "old", "new", "words"), BREACHES, ids=[breach[3] for breach in BREACHES])
def test_a_breach_is_found(clean: Path, tmp_path: Path, part: str, old: str, new: str, words: str) -> None:
    """Every rule speaks when it is broken."""
    broken = altered(clean, tmp_path / "broken.xlsx", part, old, new)
    assert words in "\n".join(lint(broken))


@pytest.mark.parametrize(
    ("name", "words"),
    [("xl/vbaProject.bin", "macro"), ("xl/externalLinks/externalLink1.xml", "another workbook"), (BOOK, "twice")],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_parts_that_must_not_be_there(clean: Path, tmp_path: Path, name: str, words: str) -> None:
    """Macros, links to other workbooks and doubled parts are found."""
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(clean.read_bytes())
    with zipfile.ZipFile(broken, "a") as archive:
        archive.writestr(zipfile.ZipInfo(name), zipfile.ZipFile(clean).read(BOOK))
    assert words in "\n".join(lint(broken))


def test_dates_of_the_day_are_found(clean: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An entry with a date of its own makes two builds differ; the script says so and fails."""
    broken = tmp_path / "broken.xlsx"
    with zipfile.ZipFile(clean) as source, zipfile.ZipFile(broken, "w") as copy:
        for name in source.namelist():
            copy.writestr(name, source.read(name))
    assert main([str(clean), str(broken)]) == 1
    assert "so that two builds differ" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["w_1", "rate_6", "chosen_rate", "i_1", "_x", "ABCD1", "XFE1", "A1048577", "δ", "a.b"])
def test_legal_names(name: str) -> None:
    """What cannot be taken for a cell is a name."""
    assert is_legal_name(name)


@pytest.mark.parametrize(
    "name",
    ["w1", "E1", "t1", "LR1", "LOG10", "XFD1048576", "R", "c", "r1c1", "R1", "RC", "true", "1a", "a b", "", "x" * 256],
)
def test_illegal_names(name: str) -> None:
    """Cells in either notation, logical values and broken words are no names."""
    assert not is_legal_name(name)
