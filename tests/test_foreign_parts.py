"""The parts of strangers' workbooks: those that break off, cells that say no place, and what a marked copy needs."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from handmade import Layout, write
from referees import schema_errors
from test_foreign_command import RIGHT, WRONG, parts, prefixed, rewritten
from workbooks import save_again

from sheetgen.check.foreign.book import read_book
from sheetgen.check.foreign.findings import examine
from sheetgen.cli import main
from sheetgen.errors import CheckError
from sheetgen.xlsx import reader

SHEET = "xl/worksheets/sheet1.xml"
Change = Callable[[bytes], bytes]


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """The mistake that most people make."""
    return write(tmp_path / "mine.xlsx", WRONG)


def with_parts(path: Path, out: Path, changed: Mapping[str, Change]) -> Path:
    """A copy with other bytes of some parts."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts(path).items():
            archive.writestr(name, changed.get(name, bytes)(data))
    return out


def all_prefixed(data: bytes) -> bytes:
    return prefixed(SHEET, data.decode()).encode()


def in_utf_16(data: bytes) -> bytes:
    return data.decode().replace("UTF-8", "UTF-16").encode("utf-16")


def half(data: bytes) -> bytes:
    return data[: len(data) // 4 * 2]


def without_its_root_s_end(data: bytes) -> bytes:
    return data.replace(b"</worksheet>", b"")


CUT: dict[str, Change] = {
    "in the middle": half,
    "behind a row": lambda data: data[: data.index(b"</row>", 20_000) + 6],
    "before the last end": without_its_root_s_end,
    "a comment is no end": lambda data: without_its_root_s_end(data) + b"<!-- </worksheet> -->",
    "prefixed": lambda data: half(all_prefixed(data)),
    "UTF-16": lambda data: half(in_utf_16(data)),
    "UTF-16, before the last end": lambda data: in_utf_16(without_its_root_s_end(data)),
    "nothing": lambda data: b"",
}


@pytest.mark.parametrize("name", CUT)
def test_a_sheet_that_breaks_off_is_damaged(
    name: str, wrong: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Though the archive is whole, and what is left of the sheet could be judged."""
    path = with_parts(wrong, tmp_path / "cut.xlsx", {SHEET: CUT[name]})
    assert main(("check", str(path))) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"sheetgen: {path}: is damaged: {SHEET} breaks off, or is no XML (")


def test_texts_that_break_off_are_damaged(wrong: Path, tmp_path: Path) -> None:
    """Those of all cells are a part of their own."""
    path = with_parts(wrong, tmp_path / "cut.xlsx", {"xl/sharedStrings.xml": lambda data: data.replace(b"</sst>", b"")})
    with pytest.raises(CheckError, match=r"is damaged: xl/sharedStrings\.xml breaks off"):
        examine(path)


WHOLE: dict[str, Change] = {
    "blanks": lambda data: data + b" \r\n\t" * 3,
    "many blanks": lambda data: data + b"\n" * 10_000,
    "a comment": lambda data: data + b"\n<!-- saved by a program -->\n",
    "an instruction": lambda data: data + b"\n<?program saved?>",
    "a blank in the end": lambda data: data.replace(b"</worksheet>", b"</worksheet\n>"),
    "prefixed": all_prefixed,
    "prefixed, and a comment": lambda data: all_prefixed(data) + b"<!-- end -->",
    "UTF-16": in_utf_16,
    "UTF-8 with a mark": lambda data: b"\xef\xbb\xbf" + data,
}


@pytest.mark.parametrize("name", WHOLE)
def test_what_may_follow_the_end_is_no_damage(name: str, wrong: Path, tmp_path: Path) -> None:
    """Every cell is read as before."""
    path = with_parts(wrong, tmp_path / "whole.xlsx", {SHEET: WHOLE[name]})
    assert read_book(path).tabs == read_book(wrong).tabs


def test_an_ordinary_sheet_is_not_parsed(wrong: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of it is looked at where it is read anyway."""
    parsed: list[str] = []
    plain = reader._plain

    def noted(pieces: object, part: str) -> object:
        parsed.append(part)
        return plain(pieces, part)  # type: ignore[arg-type]

    monkeypatch.setattr(reader, "_plain", noted)
    read_book(wrong)
    assert parsed == ["xl/sharedStrings.xml"]


def without_places(data: bytes) -> bytes:
    """Neither rows nor cells say where they stand."""
    return re.sub(rb'(<(?:row|c))((?: \w+="[^"]*")*?) r="\w+"', rb"\1\2", data)


def without_most_places(data: bytes) -> bytes:
    """Only the first cell of a row does, and a row behind a gap."""
    first = re.sub(rb'(?<!spans="1:31">)(?<!spans="6:7">)<c r="\w+"', b"<c", data)
    return re.sub(rb'<row r="(?!31")\w+"', b"<row", first)


PLACELESS = {"nowhere": without_places, "some": without_most_places}


@pytest.mark.parametrize("chunk", [1 << 20, 61])
@pytest.mark.parametrize("name", PLACELESS)
def test_cells_that_say_no_place_follow_each_other(
    name: str, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the standard has it, wherever the pieces end that are read at once."""
    layout = RIGHT.layout
    if name == "nowhere":
        layout = Layout(rows=20, header=2, rate_label=(1, 1), rate_at=(1, 2))
    path = write(tmp_path / "mine.xlsx", replace(WRONG, layout=layout))
    changed = with_parts(path, tmp_path / "no.xlsx", {SHEET: PLACELESS[name]})
    before, left = (parts(one)[SHEET].count(b"<c r=") for one in (path, changed))
    assert left <= before // 30
    monkeypatch.setattr(reader, "CHUNK", chunk)
    assert read_book(changed).tabs == read_book(path).tabs


def test_one_cell_without_a_place_is_seen_where_two_pieces_meet(
    wrong: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its tag may be in both."""
    path = with_parts(wrong, tmp_path / "no.xlsx", {SHEET: lambda data: data.replace(b'<c r="C40"', b"<c", 1)})
    at = parts(path)[SHEET].index(b"<c>")
    for chunk in range(at - 1, at + 5):
        monkeypatch.setattr(reader, "CHUNK", chunk)
        assert read_book(path).tabs == read_book(wrong).tabs


def test_cells_that_say_no_place_are_marked(tmp_path: Path, ooxml_validator: Path) -> None:
    """The same ones."""
    path = write(tmp_path / "mine.xlsx", WRONG)
    path = with_parts(path, tmp_path / "no.xlsx", {SHEET: without_most_places})
    filled = filled_in(marked(path, tmp_path / "copy.xlsx"))
    assert filled == {f"{column}{row}" for column in ("Z", "AA") for row in range(33, 101)}
    assert schema_errors(ooxml_validator, tmp_path / "copy.xlsx") == []


def marked(path: Path, copy: Path) -> Path:
    assert main(("check", str(path), "--marked", str(copy))) == 1
    return copy


def filled_in(path: Path) -> set[str]:
    """The cells of the first tab that are filled."""
    sheet = openpyxl.load_workbook(path).worksheets[0]
    return {cell.coordinate for row in sheet for cell in row if cell.fill.fill_type == "solid"}


def without_styles(path: Path, out: Path, more: Change = bytes) -> Path:
    """No part has styles, and nothing refers to one."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts(path).items():
            if name != "xl/styles.xml":
                data = re.sub(rb"<(?:Override|Relationship) [^<>]*styles[^<>]*>", b"", data)
                archive.writestr(name, more(data) if name == SHEET else data)
    return out


@pytest.mark.parametrize("change", [bytes, all_prefixed, lambda data: data.replace(b'<c r="Z40"', b'<c r="Z40" s="7"')])
def test_a_workbook_without_styles_gets_some_to_be_marked(
    change: Change, wrong: Path, tmp_path: Path, ooxml_validator: Path
) -> None:
    """With all that a program asks of them, and a look that is none is the first one."""
    path = without_styles(wrong, tmp_path / "plain.xlsx", change)
    copy = marked(path, tmp_path / "copy.xlsx")
    assert schema_errors(ooxml_validator, copy) == []
    assert filled_in(copy) == {f"{column}{row}" for column in ("Z", "AA") for row in range(33, 101)}
    assert read_book(copy).tabs["Sheet1"] == read_book(path).tabs["Sheet1"]


@pytest.mark.libreoffice
def test_libreoffice_opens_a_copy_that_was_given_styles(wrong: Path, tmp_path: Path, soffice: Path) -> None:
    """And saves it with them."""
    copy = marked(without_styles(wrong, tmp_path / "plain.xlsx"), tmp_path / "copy.xlsx")
    again = save_again(copy, tmp_path / "saved")
    assert {"Z33", "AA100"} <= filled_in(again)
    assert [one.cell for one in examine(again).tables[0].findings] == ["Z33", "AA33"]


def test_a_marked_copy_is_marked_again(wrong: Path, tmp_path: Path, ooxml_validator: Path) -> None:
    """With a second sheet of findings; the first one is left."""
    copy = marked(marked(wrong, tmp_path / "one.xlsx"), tmp_path / "two.xlsx")
    assert openpyxl.load_workbook(copy).sheetnames == ["Sheet1", "Findings", "Findings 2"]
    assert schema_errors(ooxml_validator, copy) == []


MAIN = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
OTHERS = {
    ".xlsm": "application/vnd.ms-excel.sheet.macroEnabled.main+xml",
    ".xltx": MAIN.replace("sheet.main", "template.main"),
    ".xltm": "application/vnd.ms-excel.template.macroEnabled.main+xml",
}


@pytest.mark.parametrize("ending", OTHERS)
def test_a_copy_ends_as_its_kind_does(
    ending: str, wrong: Path, tmp_path: Path, ooxml_validator: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Excel refuses a workbook with macros, or a template, that is called otherwise."""
    path = rewritten(wrong, tmp_path / f"mine{ending}", lambda _, text: text.replace(MAIN, OTHERS[ending]))
    for name in ("copy.xlsx", "copy", "copy.xls"):
        assert main(("check", str(path), "--marked", str(tmp_path / name))) == 1
        said = capsys.readouterr().err
        assert said.startswith(f"sheetgen: {tmp_path / name}: does not end in {ending}, as a copy of mine{ending} must")
        assert said.count("\n") == 1
        assert not (tmp_path / name).exists()
    copy = marked(path, tmp_path / f"copy{ending.upper()}")
    assert OTHERS[ending] in parts(copy)["[Content_Types].xml"].decode()
    assert schema_errors(ooxml_validator, copy.rename(tmp_path / f"copy{ending}")) == []


def test_a_copy_of_an_xlsx_ends_so(wrong: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever it is called itself."""
    path = wrong.rename(tmp_path / "mine.xlsm")
    assert main(("check", str(path), "--marked", str(tmp_path / "copy.xlsm"))) == 1
    assert "copy.xlsm: does not end in .xlsx" in capsys.readouterr().err
    marked(path, tmp_path / "copy.xlsx")
