"""Formulas are read from any writer's file, recalculated by two engines, and what goes wrong is told in one line."""

from __future__ import annotations

import os
import re
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from edits import edit_and_recalculate, poison
from openpyxl import Workbook, load_workbook
from openpyxl.formatting.rule import ColorScaleRule
from openpyxl.worksheet.datavalidation import DataValidation
from referees import agree, differences, openpyxl_cells, stored

from sheetgen.check import office
from sheetgen.check.bare import without_formats
from sheetgen.check.engines import Engine, recalculate
from sheetgen.check.office import convert
from sheetgen.errors import CheckError, ExcelError
from sheetgen.xlsx.book import Book
from sheetgen.xlsx.cells import Block, FillDown, Formula, Value
from sheetgen.xlsx.package import save
from sheetgen.xlsx.reader import read_formulas

ENGINES = ["ironcalc", pytest.param("libreoffice", marks=pytest.mark.libreoffice)]


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rate, a table that follows it, and a formula of every kind."""
    book = Book()
    inputs = book.add("Inputs")
    inputs.put(1, 1, 0.25)
    inputs.put(2, 1, "a < b")
    inputs.put(3, 1, True)
    kinds: list[tuple[str, Value]] = [
        ("=A1*2", 0.5),
        ('=A2&"!"', "a < b!"),
        ("=NOT(A3)", False),
        ("=1/(A1-0.25)", ExcelError("#DIV/0!")),
        ('="#NUM!"', "#NUM!"),
        ('=""', ""),
        ("='it''s a run'!B12", 0.25 * 2**9),
    ]
    for row, (text, value) in enumerate(kinds, 1):
        inputs.put(row, 2, Formula(text, value))
    table = book.add("it's a run")
    table.block = Block(
        3, (FillDown("1", "A3+1"), FillDown("Inputs!A1", "B3*2")), [(k + 1, 0.25 * 2**k) for k in range(10)]
    )
    path = tmp_path_factory.mktemp("engines") / "book.xlsx"
    save(book, path)
    return path


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> Engine:
    """The engine's name; LibreOffice only where it is installed."""
    if request.param == "libreoffice":
        request.getfixturevalue("soffice")
    name: Engine = request.param
    return name


# Reading ---------------------------------------------------------------------------------------------------------


def test_formulas_are_read_in_order_with_their_values(workbook: Path) -> None:
    """Text, address and typed value of every formula, and of no other cell."""
    read = list(read_formulas(workbook))
    assert len(read) == 27
    assert [cell.address for cell in read[:9]] == ["B1", "B2", "B3", "B4", "B5", "B6", "B7", "A3", "B3"]
    assert read[1].formula == '=A2&"!"' and read[1].value == "a < b!"
    assert read[2].value is False
    assert isinstance(read[3].value, ExcelError) and not isinstance(read[4].value, ExcelError)
    last = read[-1]
    assert (last.tab, last.address, last.origin, last.text, last.formula) == (
        "it's a run",
        "B12",
        "B4",
        "B3*2",
        "=B11*2",
    )


def test_formulas_of_other_writers_are_read(tmp_path: Path) -> None:
    """openpyxl stores no values; XlsxWriter stores those it is given."""
    theirs = Workbook()
    sheet: Any = theirs.active
    sheet["B2"], sheet["C2"] = '=A1&"<"', "=1/3"
    theirs.save(tmp_path / "openpyxl.xlsx")
    assert [tuple(cell) for cell in read_formulas(tmp_path / "openpyxl.xlsx")] == [
        ("Sheet", "B2", 'A1&"<"', None, None),
        ("Sheet", "C2", "1/3", None, None),
    ]
    with xlsxwriter.Workbook(tmp_path / "xlsxwriter.xlsx") as book:
        page = book.add_worksheet("a & b")
        page.write_formula("A1", "=1/3", None, 1 / 3)
        page.write_formula("A2", '="x"', None, "x")
        page.write_formula("A3", "=NA()", None, "#N/A")
        page.write_formula("A4", "=TRUE", None, True)
    values = [cell.value for cell in read_formulas(tmp_path / "xlsxwriter.xlsx")]
    assert values == [0.3333333333333333, "x", "#N/A", True]
    assert isinstance(values[2], ExcelError)


@pytest.mark.libreoffice
def test_a_workbook_saved_again_is_read(workbook: Path, tmp_path: Path, soffice: Path) -> None:
    """What LibreOffice makes of the file has the same formulas, each on its own; a typed TRUE has become one."""
    convert([workbook], tmp_path / "out")
    ours = {(cell.tab, cell.address): cell.formula for cell in read_formulas(workbook)}
    theirs = {(cell.tab, cell.address): cell.formula for cell in read_formulas(tmp_path / "out" / "book.xlsx")}
    assert theirs.pop(("Inputs", "A3")) == "=TRUE()"
    assert theirs == ours


def test_rows_longer_than_a_piece_are_read_whole(workbook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the part is cut, no cell is lost or read twice."""
    whole = list(read_formulas(workbook))
    for size in (1, 7, 100, 1000):
        monkeypatch.setattr("sheetgen.xlsx.reader.CHUNK", size)
        assert list(read_formulas(workbook)) == whole


# Recalculating ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
def test_an_engine_gives_back_what_was_poisoned(workbook: Path, tmp_path: Path, engine: Engine) -> None:
    """A copy in which every stored value is 999 has its own values again, of the right kind, after recalculation."""
    poisoned = tmp_path / "poisoned.xlsx"
    assert poison(workbook, poisoned) == 27
    assert set(stored(poisoned).values()) == {999}
    read = openpyxl_cells(poisoned)
    assert read["Inputs", "B2"] == 999 and read["Inputs", "A2"] == "a < b"
    found = recalculate(poisoned, engine)
    assert differences(stored(workbook), found, relative=1e-14) == []
    assert len(found) == len(list(found)) == 27
    assert isinstance(found["Inputs", "B4"], ExcelError)
    assert found["Inputs", "B5"] == "#NUM!" and not isinstance(found["Inputs", "B5"], ExcelError)


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
def test_a_changed_input_changes_the_results(workbook: Path, engine: Engine) -> None:
    """A number, a text and a truth value typed into the Inputs tab; the file is left alone."""
    before = workbook.read_bytes()
    edits: dict[tuple[str, str], Value] = {("Inputs", "A1"): 0.3, ("Inputs", "A2"): "=c & d", ("Inputs", "A3"): False}
    found = edit_and_recalculate(workbook, edits, engine)
    expected = {("Inputs", "B1"): 0.6, ("Inputs", "B2"): "=c & d!", ("Inputs", "B3"): True}
    expected |= {("Inputs", "B4"): 1 / (0.3 - 0.25), ("it's a run", "B12"): 0.3 * 2**9}
    assert differences(expected, found, relative=1e-13) == []
    assert workbook.read_bytes() == before


def test_values_of_an_engine_are_close_or_not() -> None:
    """The comparison itself: numbers by tolerance, an error is not its text's number, True is not 1."""
    assert agree(1.0, 1 + 1e-13, 1e-12, 0) and not agree(1.0, 1 + 1e-11, 1e-12, 0)
    assert not agree(True, 1, 1, 1) and not agree("1", 1, 1, 1) and not agree(0.0, None, 0, 0)
    assert agree("", None, 0, 0) and not agree(ExcelError("#NUM!"), 999, 1, 1)


# What goes wrong -------------------------------------------------------------------------------------------------


def test_files_that_are_no_workbooks_are_told(workbook: Path, tmp_path: Path) -> None:
    """Missing, empty, text, a folder, an old or locked workbook, cut short, another archive: one line each."""
    whole = workbook.read_bytes()
    with zipfile.ZipFile(workbook) as archive:
        sheet = archive.getinfo("xl/worksheets/sheet2.xml").header_offset + 80
    contents = {
        "empty.xlsx": (b"", "is no .xlsx workbook"),
        "text.xlsx": (b"title = 'x'", "is no .xlsx workbook"),
        "old.xlsx": (b"\xd0\xcf\x11\xe0" + bytes(600), "is an old .xls workbook; open it"),
        "cut.xlsx": (whole[: len(whole) // 2], "is damaged or truncated"),
        "scratched.xlsx": (whole[:sheet] + bytes(40) + whole[sheet + 40 :], "is damaged or truncated"),
    }
    for name, (data, words) in contents.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(CheckError, match=f"^.*{name}: {words}[^\n]*$"):
            list(read_formulas(tmp_path / name))
        with pytest.raises(CheckError, match=f"^.*{name}: [^\n]*$"):
            recalculate(tmp_path / name)
    with pytest.raises(CheckError, match="there is no such file"):
        list(read_formulas(tmp_path / "missing.xlsx"))
    with pytest.raises(CheckError, match="cannot be read"):
        list(read_formulas(tmp_path))


@pytest.mark.parametrize("kept", ["", "_rels/.rels", "_rels/.rels xl/workbook.xml xl/_rels/workbook.xml.rels"])
def test_archives_without_the_parts_of_a_workbook_are_told(workbook: Path, tmp_path: Path, kept: str) -> None:
    """A zip archive that lacks what a workbook has."""
    broken = tmp_path / "broken.xlsx"
    with zipfile.ZipFile(workbook) as source, zipfile.ZipFile(broken, "w") as copy:
        for name in kept.split():
            copy.writestr(name, source.read(name))
    with pytest.raises(CheckError, match="damaged or truncated, or is no"):
        list(read_formulas(broken))


def test_a_workbook_that_ironcalc_refuses_is_told(workbook: Path, tmp_path: Path) -> None:
    """The part that only IronCalc reads is broken: its reason, and the other engine's name."""
    broken = tmp_path / "broken.xlsx"
    with zipfile.ZipFile(workbook) as source, zipfile.ZipFile(broken, "w") as copy:
        for name in source.namelist():
            copy.writestr(name, b"<broken" if name == "xl/styles.xml" else source.read(name))
    assert len(list(read_formulas(broken))) == 27
    with pytest.raises(CheckError, match=r"broken\.xlsx: IronCalc cannot open it: .*--engine libreoffice"):
        recalculate(broken)


def test_a_missing_engine_is_told(workbook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to install and what to use instead."""
    monkeypatch.setitem(sys.modules, "ironcalc", None)
    with pytest.raises(CheckError, match="pip install ironcalc"):
        recalculate(workbook)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(office, "PROGRAMS", ("soffice",))
    with pytest.raises(CheckError, match="LibreOffice is not installed"):
        recalculate(workbook, "libreoffice")


def stand_in(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program in place of LibreOffice."""
    program = folder / "soffice"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(office, "PROGRAMS", (str(program),))


def test_an_engine_that_fails_is_told(workbook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LibreOffice's last word is passed on."""
    stand_in(tmp_path, "echo 'Warning: failed to launch javaldx'; echo 'Error: out of luck'; exit 1", monkeypatch)
    with pytest.raises(CheckError, match=r"book\.xlsx: LibreOffice did not open it: Error: out of luck$"):
        recalculate(workbook, "libreoffice")


def test_an_engine_that_hangs_is_ended(workbook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither LibreOffice nor the process that it starts outlives the limit."""
    monkeypatch.setattr(office, "LEAST_SECONDS", 0.5)
    stand_in(tmp_path, f"sleep 60 & echo $! > {tmp_path}/pid; wait", monkeypatch)
    with pytest.raises(CheckError, match=r"did not finish within 1 s; use --engine ironcalc"):
        recalculate(workbook, "libreoffice")
    child = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 5
    while is_running(child):
        assert time.monotonic() < deadline, "the child is still running"
        time.sleep(0.05)


def test_libreoffice_has_limits(workbook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of memory, by the size of the file; at its end it says so in a line."""
    stand_in(tmp_path, 'echo "Error: $(ulimit -d)"', monkeypatch)
    with pytest.raises(CheckError, match=r"Error: 10\d{5}$"):
        recalculate(workbook, "libreoffice")


@pytest.mark.libreoffice
@pytest.mark.parametrize("memory", [64 << 20, 150 << 20])
def test_libreoffice_without_memory_is_a_line(
    workbook: Path, memory: int, soffice: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it cannot start, or dies at work."""
    monkeypatch.setattr(office, "LEAST_MEMORY", memory)
    with pytest.raises(CheckError, match=r"book\.xlsx: LibreOffice did not open it: "):
        recalculate(workbook, "libreoffice")


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")


def test_a_copy_keeps_everything_else(workbook: Path, tmp_path: Path) -> None:
    """Poisoning changes stored values and nothing else: no typed cell, no formula, no other part."""
    poison(workbook, tmp_path / "poisoned.xlsx")
    with zipfile.ZipFile(workbook) as one, zipfile.ZipFile(tmp_path / "poisoned.xlsx") as other:
        changed = [name for name in one.namelist() if one.read(name) != other.read(name)]
    assert changed == ["xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"]
    before, after = (load_workbook(path)["Inputs"] for path in (workbook, tmp_path / "poisoned.xlsx"))
    assert [[cell.value for cell in row] for row in before] == [[cell.value for cell in row] for row in after]


@pytest.mark.parametrize("prefix", ["", "x:"])
def test_conditional_formats_are_kept_from_ironcalc_and_nothing_else(prefix: str, tmp_path: Path) -> None:
    """It would evaluate the workbook once more for them; rows, and what stands behind them, come to it as they are."""
    path = tmp_path / "book.xlsx"
    book = Workbook()
    sheet: Any = book.active
    for row in range(1, 9):
        sheet[f"A{row}"] = "<conditionalFormatting>" if row == 1 else row
        sheet[f"B{row}"] = f"=A{row}*2"
    for cells in ("A1:A8", "B1:B8"):
        scale = ColorScaleRule(start_type="min", start_color="FFFFFF", end_type="max", end_color="FF0000")  # type: ignore[no-untyped-call]
        sheet.conditional_formatting.add(cells, scale)
    sheet.add_data_validation(DataValidation(type="whole", sqref="C1"))
    book.create_sheet("plain")["A1"] = 1
    book.save(path)
    if prefix:
        _rewrite(path, "xl/worksheets/sheet1.xml", _prefixed)
    with without_formats(path) as bare:
        assert bare != path
        with zipfile.ZipFile(path) as before, zipfile.ZipFile(bare) as after:
            assert before.namelist() == after.namelist()
            for name in before.namelist():
                kept = re.sub(rb"<(x:)?conditionalFormatting .*</(x:)?conditionalFormatting>", b"", before.read(name))
                assert after.read(name) == kept
                assert (len(kept) < len(before.read(name))) == (name == "xl/worksheets/sheet1.xml")
    assert not bare.exists()
    _rewrite(path, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"</sheetData>", b"</sheetData><!-- -->"))
    _rewrite(path, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"</x:sheetData>", b"</x:sheetData><!-- -->"))
    with without_formats(path) as bare, zipfile.ZipFile(path) as before, zipfile.ZipFile(bare) as after:
        assert all(before.read(name) == after.read(name) for name in before.namelist())


def test_a_workbook_without_conditional_formats_is_given_to_ironcalc_itself(workbook: Path) -> None:
    """There is nothing to leave out."""
    with without_formats(workbook) as bare:
        assert bare == workbook


def _prefixed(xml: bytes) -> bytes:
    return re.sub(rb"<(/?)(?=\w)", rb"<\1x:", xml).replace(b" xmlns=", b" xmlns:x=")


def _rewrite(path: Path, part: str, change: Callable[[bytes], bytes]) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, change(data) if name == part else data)
