"""`sheetgen check` on strangers' workbooks: what is printed, written and refused; other writers' and hostile files."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from handmade import GRADIENTS, Handmade, Layout, write
from referees import schema_errors
from specs import plain
from workbooks import save_again

from sheetgen.build import build
from sheetgen.check.foreign.book import read_book
from sheetgen.check.foreign.findings import examine
from sheetgen.check.foreign.labels import symbol_of
from sheetgen.cli import main

RIGHT = Handmade(layout=Layout(rows=68, rate_at=(31, 7), rate_label=(31, 6)))
WRONG = RIGHT.changed(**{f"g{k}": GRADIENTS[f"∂E/∂w{k}"].replace("a_h2", "a_h1") for k in (3, 4)})
SIDE = "((R33-A33)*R33*(1-R33)*N33+(T33-B33)*T33*(1-T33)*P33)"


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """The mistake that most people make."""
    return write(tmp_path / "mine.xlsx", WRONG)


def test_what_a_user_gets(wrong: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The network, the first numbers, each mistake with its reason, and the loss as it is and as it should be."""
    assert main(("check", str(wrong))) == 1
    out, err = capsys.readouterr()
    assert err == ""
    assert out.splitlines() == [
        "mine.xlsx   Sheet1   rows 33 to 100: a 2-2-2 network, sigmoid, half squared error, rate 1 (G31)",
        "starts  t1 0.5, t2 0.5, i1 0.05, i2 0.1, w1 0.15, w2 0.2, w3 0.25, w4 0.3, w5 0.4, w6 0.45, w7 0.5, w8 0.55",
        f"wrong   Z33 ∂E/∂w3, 68 rows: ={SIDE}*J33*(1-J33)*C33",
        f"        J33 (a_h1) stands where L33 (a_h2) belongs, twice: ={SIDE}*L33*(1-L33)*C33; "
        "0.000351869 instead of 0.000351776",
        f"wrong   AA33 ∂E/∂w4, 68 rows: the same; ={SIDE}*L33*(1-L33)*D33 belongs there",
        "right   25 of 27 columns, 2,100 cells compared; the loss after 67 updates is 0.000196837612 instead of "
        "0.000196837526",
    ]


def test_json(wrong: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For programs."""
    assert main(("check", str(wrong), "--json")) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["file"], found["written_by_sheetgen"], found["ok"]) == (str(wrong), False, False)
    [table] = found["tables"]
    assert [table[key] for key in ("sheet", "header_row", "first_row", "last_row", "network", "rate", "verdict")] == [
        "Sheet1", 32, 33, 100, [2, 2, 2], 1.0, "wrong",
    ]  # fmt: skip
    first = table["findings"][0]
    assert first.keys() == {"cell", "column", "rows", "found", "expected", "value", "should_be", "why"}
    assert (first["cell"], first["column"], first["rows"]) == ("Z33", "∂E/∂w3", [33, 100])
    assert first["expected"] == f"={SIDE}*L33*(1-L33)*C33"
    assert (first["value"], first["should_be"]) == (
        pytest.approx(3.51868665e-4, rel=1e-8),
        pytest.approx(3.51776322e-4, rel=1e-8),
    )


def test_a_folder_is_a_line_each_and_a_summary(wrong: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that cannot be read is a line, not the end; what Excel keeps beside an open file is none."""
    write(tmp_path / "good.xlsx", RIGHT)
    build(plain("erav2", steps=3), tmp_path / "own.xlsx")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "damaged.xlsx").write_bytes(b"PK\3\4 cut")
    (tmp_path / "~$mine.xlsx").write_bytes(b"lock")
    (tmp_path / "notes.txt").write_text("none")
    assert main(("check", str(tmp_path))) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["right", "wrong", "right", "not", "4"]
    assert lines[1].endswith("Sheet1!Z33 (∂E/∂w3): J33 (a_h1) stands where L33 (a_h2) belongs, twice (2 findings)")
    assert lines[-1] == "4 files: 2 right, 1 wrong, 1 not read"
    assert main(("check", "--json", str(tmp_path))) == 1
    found = json.loads(capsys.readouterr().out)
    assert [one["ok"] for one in found] == [True, False, True, False]
    assert [one.get("written_by_sheetgen") for one in found] == [False, False, True, None]


def test_a_solution_is_what_build_writes(wrong: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For the network that was found; its own check confirms it, and its loss is the one that should be."""
    solution = tmp_path / "solution.xlsx"
    assert main(("check", str(wrong), "--solution", str(solution))) == 1
    assert main(("check", str(solution))) == 0
    spec_loss = openpyxl.load_workbook(solution, data_only=True)["lr 1"]
    last = [cell.value for cell in spec_loss["X"] if isinstance(cell.value, float)][-1]
    assert last == pytest.approx(1.96837526123e-4, rel=1e-9)


def parts(path: Path) -> dict[str, bytes]:
    """Every part of a workbook."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_marked_copy_has_the_wrong_cells_filled(wrong: Path, tmp_path: Path, ooxml_validator: Path) -> None:
    """And a sheet of findings with links; every other part is as it was, byte for byte."""
    before, copy = wrong.read_bytes(), tmp_path / "marked.xlsx"
    assert main(("check", str(wrong), "--marked", str(copy))) == 1
    assert wrong.read_bytes() == before
    old, new = parts(wrong), parts(copy)
    changed = {name for name in new if old.get(name) != new[name]}
    assert changed == {
        "xl/worksheets/sheet1.xml", "xl/styles.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels",
        "[Content_Types].xml", "xl/worksheets/sheetgen-findings.xml",
    }  # fmt: skip
    book = openpyxl.load_workbook(copy)
    filled = {cell.coordinate for row in book["Sheet1"] for cell in row if cell.fill.fill_type == "solid"}
    assert filled == {f"{column}{row}" for column in ("Z", "AA") for row in range(33, 101)}
    sheet = book["Findings"]
    assert [cell.value for cell in sheet["A"]] == ["cell", "Sheet1!Z33", "Sheet1!AA33"]
    assert [cell.hyperlink.location for cell in sheet["A"][1:]] == ["'Sheet1'!Z33", "'Sheet1'!AA33"]
    assert sheet["E2"].value == f"={SIDE}*L33*(1-L33)*C33" and sheet["E2"].data_type == "s"
    one, other = read_book(wrong), read_book(copy)
    assert one.tabs["Sheet1"] == other.tabs["Sheet1"]
    assert schema_errors(ooxml_validator, copy) == []


def test_a_marked_copy_is_not_written_over_anything(
    wrong: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither the workbook itself nor what is none."""
    before = wrong.read_bytes()
    (tmp_path / "notes.xlsx").write_text("precious")
    for place in (wrong, tmp_path / "notes.xlsx", tmp_path / "notes.csv", tmp_path / "no" / "a.xlsx"):
        assert main(("check", str(wrong), "--marked", str(place))) == 1
        assert capsys.readouterr().err.startswith(f"sheetgen: {place}: ")
    assert wrong.read_bytes() == before
    assert (tmp_path / "notes.xlsx").read_text() == "precious"


def test_a_spec_says_what_labels_cannot(wrong: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The network, its activations and its loss; the rate is still the table's."""
    assert main(("check", str(write(tmp_path / "right.xlsx", RIGHT)), "--spec", "erav2")) == 0
    assert "rate 1 (G31)" in capsys.readouterr().out
    assert main(("check", str(wrong), "--spec", "erav2")) == 1
    assert main(("check", str(wrong), "--spec", "optimizers")) == 1
    assert "--spec: it trains with" in capsys.readouterr().err


@pytest.mark.parametrize("engine", ["ironcalc", pytest.param("libreoffice", marks=pytest.mark.libreoffice)])
def test_an_engine_recalculates_beside_it(
    engine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    """A rate within the table: circular, so that the engine gives errors where values are stored."""
    if engine == "libreoffice":
        request.getfixturevalue("soffice")
    cells: dict[tuple[str, int], str | float | bool] = {
        (f"w{k}", row): f"={{w{k}<}}-{RIGHT.place('w1', 2)}*{{∂E/∂w{k}<}}" for k in range(1, 9) for row in range(1, 68)
    }
    path = write(tmp_path / "circular.xlsx", replace(RIGHT, cells=cells, stored=RIGHT))
    assert main(("check", str(path), "--engine", engine)) == 1
    out = capsys.readouterr().out
    assert "stands where the rate belongs, 1: it needs this cell first, in a circle" in out
    assert re.search(
        r"2,096 formulas recalculated: [12],\d{3} differ from what is stored \([12],\d{3} are errors\)", out
    )


@pytest.mark.libreoffice
def test_what_libreoffice_saves_is_judged_alike(wrong: Path, tmp_path: Path, soffice: Path) -> None:
    """Its formulas, shared or not, and its styles."""
    again = examine(save_again(wrong, tmp_path / "saved"))
    assert [one.cell for one in again.tables[0].findings] == ["Z33", "AA33"]


def rewritten(path: Path, out: Path, change: Callable[[str, str], str]) -> Path:
    """A copy with other texts of its parts."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts(path).items():
            archive.writestr(name, change(name, data.decode()) if name.endswith((".xml", ".rels")) else data)
    return out


def prefixed(name: str, text: str) -> str:
    """A sheet whose elements have a prefix, as Hancom and the Open XML SDK write it."""
    if not name.startswith("xl/") or name.endswith(".rels") or "theme" in name:
        return text
    return re.sub(r"<(/?)(?=[a-zA-Z])", r"<\1x:", text).replace("xmlns=", "xmlns:x=")


def test_prefixes_are_read_and_marked(wrong: Path, tmp_path: Path) -> None:
    """Every element of them."""
    path = rewritten(wrong, tmp_path / "prefixed.xlsx", prefixed)
    assert b"<x:c " in parts(path)["xl/worksheets/sheet1.xml"]
    assert [one.cell for one in examine(path).tables[0].findings] == ["Z33", "AA33"]
    marked = tmp_path / "marked.xlsx"
    assert main(("check", str(path), "--marked", str(marked))) == 1
    assert [one.cell for one in examine(marked).tables[0].findings] == ["Z33", "AA33"]
    looks = parts(marked)["xl/worksheets/sheet1.xml"].decode()
    assert len(re.findall(r'<x:c r="(?:Z|AA)\d+" s="\d+"', looks)) == 2 * 68


def test_a_copy_without_values_says_so(wrong: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As openpyxl saves it; its formulas are judged nevertheless."""
    path = tmp_path / "again.xlsx"
    openpyxl.load_workbook(wrong).save(path)
    assert main(("check", str(path))) == 1
    out = capsys.readouterr().out
    assert "stored  no value is stored beside any formula" in out
    assert "Z33" in out


def test_what_is_not_found_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was looked for, what comes nearest, and what to do."""
    book = openpyxl.Workbook()
    book.active.append(["peso 1", "peso 2", "entrada", "E_total", "w1"])  # type: ignore[union-attr]
    book.save(tmp_path / "other.xlsx")
    assert main(("check", str(tmp_path / "other.xlsx"))) == 1
    said = capsys.readouterr().err
    assert "no training table was found: it is looked for by labels such as w1, a_h1 (or out_h1)" in said
    assert "nearest comes row 1 of Sheet: 'peso 1', 'peso 2', 'entrada', 'E_total', 'w1'" in said
    names = [name for name in RIGHT.layout.order if name not in ("w8", "∂E/∂w8")]
    made = Handmade(layout=replace(RIGHT.layout, order=tuple(names)))
    formulas = {name: text for name, text in made.formulas.items() if "w8" not in text}
    fewer = replace(made, formulas={**formulas, "o2": "{w7}*{a_h1}", **{f"∂E/∂w{k}": "{w7}" for k in (3, 4)}})
    assert main(("check", str(write(tmp_path / "fewer.xlsx", fewer)))) == 1
    assert "its labels give a 2-2-2 network, which has 8 weights, and it has w1 to w7" in capsys.readouterr().out


KINDS: dict[str, tuple[Callable[[Path], object], str]] = {
    "ods": (
        lambda path: zipfile.ZipFile(path, "w").writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        "is an OpenDocument file, such as .ods; open it in LibreOffice and save it as .xlsx",
    ),
    "xls": (lambda path: path.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600)), "is an old .xls workbook; open it"),
    "password": (
        lambda path: path.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600) + "EncryptedPackage".encode("utf-16-le")),
        "is protected by a password; open it",
    ),
    "text": (lambda path: path.write_text("w1,w2"), "is no .xlsx workbook; name one"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_files_of_other_kinds_are_named(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With what to do."""
    make, said = KINDS[kind]
    make(tmp_path / "file.xlsx")
    assert main(("check", str(tmp_path / "file.xlsx"))) == 1
    assert said in capsys.readouterr().err


def test_strict_open_xml_is_named(wrong: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its namespaces are other ones, so that no cell would be found in it."""
    transitional, strict_ = "http://schemas.openxmlformats.org/", "http://purl.oclc.org/ooxml/"

    def strict(name: str, text: str) -> str:
        text = text.replace(f"{transitional}spreadsheetml/2006/main", f"{strict_}spreadsheetml/main")
        return text.replace(f"{transitional}officeDocument/2006/", f"{strict_}officeDocument/")

    assert main(("check", str(rewritten(wrong, tmp_path / "strict.xlsx", strict)))) == 1
    assert "is a Strict Open XML workbook; save it in Excel" in capsys.readouterr().err


HOSTILE: dict[str, dict[tuple[str, int], str | float | bool]] = {
    "nested": {("h1", 5): "=" + "(" * 10_000 + "1" + ")" * 10_000},
    "long": {("h1", 5): "=" + "+".join(["1"] * 500_000)},
    "huge ranges": {(name, row): "=SUMPRODUCT($A$1:$ZZ$100000)" for name in ("h1", "h2") for row in range(60)},
    "many ranges": {(name, row): "=SUM($A$1:$CV$100)" for name in RIGHT.layout.order[8:] for row in range(1, 60)},
    "in circles": {(name, row): "={E_total<}+{∂E/∂w8}" for name in ("h1", "h2", "o1") for row in range(1, 60)},
    "other files": {("h1", 5): "='[1]Sheet1'!A1+WEBSERVICE(\"http://127.0.0.1/\")"},
    "unknown": {("h1", 5): "=HYPERLINK(\"file:///etc/passwd\")+LAMBDA(x,x)(1)"},
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_formulas_are_judged_in_time(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback, no hang: each is a finding or a note, or the line says what is too much."""
    path = write(tmp_path / "hostile.xlsx", replace(RIGHT, cells=HOSTILE[name], stored=RIGHT))
    started = time.monotonic()
    main(("check", str(path)))
    assert time.monotonic() - started < 10
    out, err = capsys.readouterr()
    assert re.search(r"^wrong .* h1,|^note .*cannot be read \(first I3\d|at most as many", out + err, re.MULTILINE)


def test_a_million_empty_cells_are_nothing(wrong: Path, tmp_path: Path) -> None:
    """They are read past."""
    cells = "".join(f'<c r="{column}{row}" s="0"/>' for row in range(200, 210) for column in ("A", "B"))
    filler = "".join(f'<row r="{row}">{cells}</row>' for row in range(200, 50_200))

    def more(name: str, text: str) -> str:
        return text.replace("</sheetData>", f"{filler}</sheetData>") if name.endswith("sheet1.xml") else text

    started = time.monotonic()
    found = examine(rewritten(wrong, tmp_path / "empty.xlsx", more))
    assert time.monotonic() - started < 10
    assert [one.cell for one in found.tables[0].findings] == ["Z33", "AA33"]


GRADIENT_LABELS = ("∂E/∂", "∂E_total/∂", "dE/d", "dE_total / d", "E∂", "Ed", "δE_tot/δ", "ӘE/Ә", "d")


@pytest.mark.parametrize(
    ("label", "symbol"),
    [
        *((one, "E_total") for one in ["E_tot", "E_total", "E_Total", "E_TOTAL", "Etotal", "E_T", "E", "Loss"]),
        *((one, "a_h1") for one in ("a_h1", "ah1", "out_h1", "Out h1", "a_H₁", "σ(h1)")),
        *((f"{one}w5", "∂E/∂w5") for one in GRADIENT_LABELS),
        ("∂E_total/∂W5", "∂E/∂w5"), ("∂E∂W5", "∂E/∂w5"), ("∂E_T/∂w5", "∂E/∂w5"), ("T1", "t1"), ("I 2", "i2"),
        ("w₃", "w3"), ("net_h2", "h2"), ("Total error", "E_total"),
        ("h2_1[3]", "h2_1[3]"), ("Δw1", ""), ("total", ""), ("w", ""), ("Step", "step"), ("∂E1/∂w5", ""),
    ],
)  # fmt: skip
def test_labels(label: str, symbol: str) -> None:
    """As people write them."""
    assert symbol_of(label) == symbol


def test_judging_needs_neither_torch_nor_sympy_nor_an_engine(wrong: Path) -> None:
    """Nothing of them is imported."""
    code = (
        "import sys; from sheetgen.cli import main; main(['check', sys.argv[1]]);"
        "assert not {'torch', 'sympy', 'ironcalc', 'openpyxl'} & sys.modules.keys(), sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", code, str(wrong)], capture_output=True, text=True, check=False)
    assert done.stderr == ""
