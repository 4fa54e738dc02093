"""`check` on sheetgen's own workbooks: what is typed over is named, in any tab; what is the user's own is not."""

from __future__ import annotations

import random
import re
import sys
import zipfile
from html import escape
from pathlib import Path
from types import ModuleType

import openpyxl
import pytest
from cnn_runs import make_confusion, make_run
from live_runs import live_run
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.workbook.defined_name import DefinedName
from portions import portions
from specs import plain
from test_check_random import random_spec

from cnn.export import add_tabs, export
from sheetgen.build import build
from sheetgen.check.office import convert
from sheetgen.check.origin import read_origin
from sheetgen.check.rebuilt import Compared, compare_rebuilt
from sheetgen.check.report import report
from sheetgen.errors import VERSION
from sheetgen.spec import template_names
from sheetgen.xlsx.archive import VERSION_NAME
from sheetgen.xlsx.reader import read_names, sheet_parts

STEPS = 4


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default workbook of two rates and few steps."""
    path = tmp_path_factory.mktemp("rebuilt") / "book.xlsx"
    build(plain("erav2", [0.5, 2.0], STEPS), path)
    return path


def compared(path: Path) -> Compared:
    """What differs from the workbook that its spec gives."""
    spec = read_origin(path).spec
    assert spec is not None
    return compare_rebuilt(path, spec)


def with_cell(source: Path, target: Path, tab: str, address: str, inside: str, kind: str = "") -> Path:
    """A copy with something else in a cell, stored value and all."""
    with zipfile.ZipFile(source) as whole, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        part = dict(sheet_parts(whole))[tab]
        for entry in whole.infolist():
            data = whole.read(entry)
            if entry.filename == part:
                pattern = rf'<c r="{address}"( s="\d+")?[^>]*>.*?</c>'
                text, count = re.subn(pattern, rf'<c r="{address}"\1{kind}>{inside}</c>', data.decode(), count=1)
                assert count == 1, address
                data = text.encode()
            copy.writestr(entry.filename, data)
    return target


def cell_that(source: Path, tab: str, words: str) -> str:
    """The address of the first formula of a tab that has these words in it."""
    return next(
        cell.coordinate
        for row in openpyxl.load_workbook(source)[tab]
        for cell in row
        if isinstance(cell.value, str) and cell.value.startswith("=") and words in cell.value
    )


@pytest.mark.parametrize(
    ("tab", "words", "inside"),
    [
        ("Derivation", "*", "<f>999</f><v>999</v>"),
        ("Compare", "!$X$", "<f>0.5</f><v>0.5</v>"),
        ("Network", "=", "<v>0.5</v>"),
        ("Gradient check", "agree with", "<v>1</v>"),
        ("lr 2", "*", "<v>0.25</v>"),
        ("Start", "!", "<v>3</v>"),
    ],
)
def test_what_is_typed_over_is_named(
    tab: str, words: str, inside: str, book: Path, tmp_path: Path, torch: ModuleType
) -> None:
    """By the whole check, with the formula that belongs there."""
    address = cell_that(book, tab, words)
    found = report(with_cell(book, tmp_path / "edited.xlsx", tab, address, inside))
    assert not found.ok
    assert f"{tab}!{address} " in found.failure
    assert re.search(r"is (=|\d).*; =.* belongs there", compared(tmp_path / "edited.xlsx").failure)


def test_a_header_typed_over_is_named(book: Path, tmp_path: Path) -> None:
    """Labels are compared as formulas are."""
    cells = openpyxl.load_workbook(book)["Compare"]
    address = next(cell.coordinate for row in cells for cell in row if cell.value == "verdict")
    path = with_cell(book, tmp_path / "edited.xlsx", "Compare", address, "<is><t>turn</t></is>", ' t="inlineStr"')
    assert compared(path).failure == f"Compare!{address} is 'turn'; 'verdict' belongs there"


def test_a_formula_with_other_spaces_and_cases_is_the_same(book: Path, tmp_path: Path) -> None:
    """What counts is what it means."""
    address = cell_that(book, "Compare", "MATCH(TRUE")
    text = str(openpyxl.load_workbook(book)["Compare"][address].value)[1:]
    spaced = text.replace(",", " , ").replace("COUNTIF", "countif").replace("<threshold", " < threshold")
    path = with_cell(book, tmp_path / "edited.xlsx", "Compare", address, f"<f>{escape(spaced)}</f><v>1</v>")
    assert compared(path).failure == ""


def test_what_is_the_users_own_is_not_compared(book: Path, tmp_path: Path) -> None:
    """Inputs, colours, widths, notes, sheets of their own, and cells where nothing stood."""
    changed = openpyxl.load_workbook(book)
    inputs = changed["Inputs"]
    for row in inputs:
        for cell in row:
            if not cell.protection.locked and isinstance(cell.value, float):
                cell.value += 0.01
    changed["Start"]["A1"].fill = PatternFill("solid", "FFFF00")
    changed["Start"]["A1"].comment = Comment("mine", "me")
    changed["lr 2"].column_dimensions["C"].width = 40
    changed["Network"]["ZZ900"] = "a remark"
    changed.create_sheet("Mine")["A1"] = "=1+1"
    changed.save(tmp_path / "mine.xlsx")
    found = compared(tmp_path / "mine.xlsx")
    assert found.failure == "" and found.cells > 1_000


def edits(book: Path, folder: Path, seeds: range) -> list[tuple[int, str, str]]:
    """Seed, place and what was found instead, of edits of one cell that were not named."""
    spec = read_origin(book).spec
    assert spec is not None
    missed = []
    for seed in seeds:
        draw = random.Random(seed)
        changed = openpyxl.load_workbook(book)
        sheet = changed[draw.choice(changed.sheetnames)]
        cells = [cell for row in sheet for cell in row if cell.value not in (None, "") and cell.protection.locked]
        author = [cell for cell in cells if sheet.title != "Inputs" or cell.column < 9]
        cell = draw.choice(author)
        value = cell.value
        ways: tuple[str | float | bool, ...]
        if isinstance(value, str) and value.startswith("="):
            ways = (f"{value}+0", draw.uniform(-2, 2), "=1/3", re.sub(r"\d", "7", value, count=1), "text", True)
        else:
            ways = (f"{value}.", 7.5, "=1+1", f"{value} ")
        new = draw.choice([one for one in ways if one != value])
        cell.value = new
        changed.save(folder / "edited.xlsx")
        where = f"{sheet.title}!{cell.coordinate} "
        found = compare_rebuilt(folder / "edited.xlsx", spec).failure
        if not found.startswith(where):
            missed.append((seed, f"{where}{value!r} -> {new!r}", found))
    return missed


@pytest.mark.parametrize("seeds", portions(12, 40, 500, 115))
def test_random_edits_are_named(seeds: range, book: Path, tmp_path: Path) -> None:
    """Formula, number, label or header, in any tab: at least 99 of 100, each with its cell."""
    missed = edits(book, tmp_path, seeds)
    assert len(missed) <= len(seeds) / 100, missed


@pytest.mark.libreoffice
@pytest.mark.parametrize("names", [("conv", "optimizers"), pytest.param(template_names(), marks=pytest.mark.slow)])
def test_what_libreoffice_saves_is_the_same(names: tuple[str, ...], tmp_path: Path, soffice: Path) -> None:
    """It writes formulas in its own way."""
    paths = [tmp_path / f"{name}.xlsx" for name in names]
    for path in paths:
        build(plain(path.stem, steps=STEPS), path)
    assert {path.stem: compared(path).failure for path in convert(paths, tmp_path / "out")} == {
        path.stem: "" for path in paths
    }


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.libreoffice
def test_a_hundred_round_trips_are_no_finding(tmp_path: Path, soffice: Path) -> None:
    """Of random networks with every legal option."""
    paths = [tmp_path / f"{seed}.xlsx" for seed in range(100)]
    for seed, path in enumerate(paths):
        build(random_spec(seed), path)
    for path in convert(paths, tmp_path / "out"):
        assert compared(path).failure == "", path.name


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small workbook with the report of a digit network."""
    folder = tmp_path_factory.mktemp("digits")
    run = make_run(folder / "run", confusion=make_confusion(10_000, 23))
    spec = plain("erav2", [0.5], STEPS)
    build(spec, folder / "book.xlsx", extra=lambda book: add_tabs(book, run))
    return folder / "book.xlsx"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network itself in cells, in a workbook of its own, which has no spec."""
    folder = tmp_path_factory.mktemp("live")
    export(live_run(folder / "run"), folder / "live.xlsx", live=True)
    return folder / "live.xlsx"


def test_the_digit_networks_tabs_are_built_again(digits: Path, live: Path) -> None:
    """Of the numbers that the cells have; every label and formula is compared."""
    assert compared(digits).failure == "" and compared(digits).cells > 1_000
    found = compare_rebuilt(live, None)
    assert found.failure == "" and found.cells > 60_000


@pytest.mark.parametrize("tab", ["CNN epochs", "CNN layers", "CNN mistakes"])
def test_random_edits_of_a_digit_networks_report_are_named(tab: str, digits: Path, tmp_path: Path) -> None:
    """A number by its row or column, the rest by the cell."""
    missed = []
    for seed in range(6):
        draw, changed = random.Random(seed), openpyxl.load_workbook(digits)
        cells = [
            cell for row in changed[tab] for cell in row if cell.value not in (None, "") and cell.protection.locked
        ]
        cell = draw.choice(cells)
        value = cell.value
        if isinstance(value, (int, float)):
            cell.value = draw.choice(("7.125", "=1+1", "text")) if seed % 2 else value + 1
        else:
            cell.value = draw.choice(("other words", "=1/3"))
        changed.save(tmp_path / "edited.xlsx")
        found = compared(tmp_path / "edited.xlsx").failure
        if not found.startswith((f"{tab}!{cell.coordinate} ", f"{tab}: a number of ")):
            missed.append((seed, cell.coordinate, value, cell.value, found))
    assert missed == []


@pytest.mark.parametrize(
    "subtitle",
    ["", "x" * 30_000, "; recipe , 1 epoch, seed 1; " * 1_000, "0 epochs", 7],
    ids=["none", "long", "like one", "no epochs", "a number"],
)
def test_a_run_that_cannot_be_is_a_line(subtitle: str | int, digits: Path, tmp_path: Path) -> None:
    """Whatever a stranger wrote where the tabs say what was trained, and however large a number is."""
    changed = openpyxl.load_workbook(digits)
    for tab in ("CNN epochs", "CNN layers", "CNN mistakes"):
        told = str(changed[tab]["A2"].value)
        changed[tab]["A2"] = told.replace("5 epochs", str(subtitle)) if subtitle == "0 epochs" else subtitle
    changed["CNN epochs"]["B31"] = 1e300
    changed.save(tmp_path / "edited.xlsx")
    assert "CNN epochs" in compared(tmp_path / "edited.xlsx").failure


def test_without_the_extra_the_rest_is_compared(
    digits: Path, live: Path, monkeypatch: pytest.MonkeyPatch, torch: ModuleType
) -> None:
    """Of a workbook with a digit network all but its tabs, which is said."""
    monkeypatch.setitem(sys.modules, "cnn.again", None)
    monkeypatch.setattr("cnn.extra.PACKAGES", ("cnn",))
    found = compared(digits)
    assert found.failure == "" and found.cells > 1_000
    assert found.note.startswith("The digit network's tabs were not compared: ")
    assert compare_rebuilt(live, None).cells == 0
    assert report(digits).ok


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tab", "address", "inside", "named"),
    [
        ("Draw", "answer", "<f>3</f><v>3</v>", "is =3; =IF(ink=0,"),
        ("Draw", "answer", "<v>3</v>", "is 3.0; =IF(ink=0,"),
        ("Layers", "H20", "<f>1/3</f><v>0.25</v>", "is =1/3; =(Draw!"),
        ("Kernels", "D9", "<v>0.125</v>", "Kernels: a number of conv 1's biases and norms"),
        ("Kernels", "H9", "<v>0.125</v>", "is 0.125; =D9/SQRT(G9+norm_epsilon)"),
        ("Kernels", "L10", "<v>0.125</v>", "Kernels: a number of conv 1's kernels"),
        ("Kernels", "L10", "<f>1/8</f><v>0.125</v>", "is =1/8; a number that the run measured or trained"),
        ("Kernels", "B9", "<v>9</v>", "is 9.0; 4 belongs"),
    ],
)
def test_what_is_typed_over_in_the_live_network_is_named(
    tab: str, address: str, inside: str, named: str, live: Path, tmp_path: Path
) -> None:
    """The formula that belongs there, or of which numbers one was changed."""
    address = read_names(live).get(address, address).rpartition("!")[2].replace("$", "")
    found = compare_rebuilt(with_cell(live, tmp_path / "edited.xlsx", tab, address, inside), None)
    assert named in found.failure
    assert tab in found.failure


@pytest.mark.parametrize(("written", "said"), [('"0.1.9"', "sheetgen 0.1.9"), (None, "a version before 0.2")])
def test_a_workbook_of_an_older_version_says_so(
    written: str | None, said: str, book: Path, tmp_path: Path, torch: ModuleType
) -> None:
    """Where it differs from what this version writes."""
    changed = openpyxl.load_workbook(book)
    del changed.defined_names[VERSION_NAME]
    if written:
        changed.defined_names[VERSION_NAME] = DefinedName(VERSION_NAME, attr_text=written)
    changed["Start"]["A1"] = "An older title"
    changed.save(tmp_path / "old.xlsx")
    found = report(tmp_path / "old.xlsx")
    assert found.failure.endswith(f"(it was written by {said}, and this is {VERSION}: build it again)")


def prefixed(path: Path, out: Path) -> Path:
    """The sheets with prefixed elements, as Hancom and the Open XML SDK write them."""
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as copy:
        for entry in whole.infolist():
            data = whole.read(entry)
            if entry.filename.startswith("xl/worksheets/sheet"):
                data = re.sub(rb"<(/?)(?=[a-zA-Z])(?![\w]+:)", rb"<\1x:", data).replace(b"xmlns=", b"xmlns:x=", 1)
            copy.writestr(entry.filename, data)
    return out


def test_a_stored_value_is_looked_at_behind_a_prefix(book: Path, tmp_path: Path) -> None:
    """Formulas that nobody sees are not compared, and a comparison of nothing is a failure."""
    address = cell_that(book, "lr 2", "*")
    text = str(openpyxl.load_workbook(book)["lr 2"][address].value)[1:]
    changed = with_cell(book, tmp_path / "a.xlsx", "lr 2", address, f"<f>{text}</f><v>0.125</v>")
    found = report(prefixed(changed, tmp_path / "b.xlsx")).comparisons[0]
    assert found.cells > 1_000
    assert f"lr 2!{address} " in found.failure


def test_a_workbook_without_formulas_fails(tmp_path: Path) -> None:
    """Nothing was compared."""
    made = openpyxl.Workbook()
    made.properties.creator = "sheetgen"
    made.save(tmp_path / "a.xlsx")
    found = report(tmp_path / "a.xlsx")
    assert not found.ok
    assert "has no formulas, so nothing was compared" in found.failure
