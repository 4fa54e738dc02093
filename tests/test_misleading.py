"""What was shown as right although it was wrong, stale or not compared; each with its siblings in the other tabs."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from edits import edit_and_recalculate
from gnumeric import recalculate_in_gnumeric
from referees import agree, stored
from specs import plain

from sheetgen.build import build
from sheetgen.check.engines import recalculate
from sheetgen.spec import load, override, parse, template_names
from sheetgen.tabs.gradient_check import NO_CHOICE
from sheetgen.tabs.state import CHOICE_ROW, NO_RUN, NO_STEP, RUN_ROW, STEP_ROW
from sheetgen.xlsx import formats
from sheetgen.xlsx.reader import read_names

CHOICE, STEP = ("Network", f"B{CHOICE_ROW}"), ("Network", f"B{STEP_ROW}")
VERDICT = ("Gradient check", "A8")


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default workbook without its pictures, a few steps long."""
    path = tmp_path_factory.mktemp("misleading") / "seed.xlsx"
    build(plain("erav2", steps=9), path)
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The default workbook with its pictures, read by openpyxl."""
    path = tmp_path_factory.mktemp("misleading") / "whole.xlsx"
    build(override(load("erav2"), steps=9), path)
    return openpyxl.load_workbook(path)


def named(path: Path, name: str) -> tuple[str, str]:
    """The tab and the address of a name's cell."""
    tab, address = read_names(path)[name].replace("$", "").split("!")
    return tab.strip("'"), address


def test_a_chosen_run_is_shown_with_the_rate_it_has_now(seed: Path) -> None:
    """The run is chosen by its tab: another rate typed for it changes the rate that is shown, and nothing else."""
    cells = edit_and_recalculate(seed, {CHOICE: "lr 2", named(seed, "rate_6"): 3.5, STEP: 1})
    assert cells[named(seed, "chosen_rate")] == 3.5
    assert cells["Gradient check", "A6"] == 3.5
    assert cells["Network", f"B{RUN_ROW}"] == 6
    assert cells["Gradient check", "E6"] == cells["lr 2", "X9"]
    assert "agree" in str(cells[VERDICT])


@pytest.mark.parametrize(("place", "typed", "said"), [(CHOICE, "lr 7", NO_RUN), (STEP, 99, NO_STEP)])
def test_a_choice_that_is_no_more_says_so_and_nothing_is_right(
    seed: Path, place: tuple[str, str], typed: str | int, said: str
) -> None:
    """On Network, and as the verdicts of Gradient check and Start; no number is shown instead."""
    cells = edit_and_recalculate(seed, {place: typed})
    assert said in (cells["Network", f"B{RUN_ROW}"], cells["Network", f"B{RUN_ROW + 1}"])
    assert cells[VERDICT] == NO_CHOICE
    start = [value for (tab, _), value in cells.items() if tab == "Start"]
    assert NO_CHOICE in start
    assert not any("agree" in str(value) for value in start)
    every = (place for place in cells if place[0] == "Derivation" and place[1][0] == "C")
    derived = [cells[place] for place in every]
    assert derived and all(isinstance(value, str) for value in derived)


def zeros(book: Any) -> Mapping[tuple[str, str], Any]:
    """The cells whose number format is that of a number that should be 0."""
    return {
        (sheet.title, cell.coordinate): cell
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if cell.number_format == formats.ZERO
    }


def test_a_number_that_should_be_0_never_looks_like_0_when_it_is_not(whole: Any) -> None:
    """Its format has a 0 for zero alone, and its colour follows the number, on every tab that has one."""
    shown = zeros(whole)
    assert {tab for tab, _ in shown} == {"Derivation", "Gradient check", "Landscape"}
    assert len(shown) == 8 + 1 + 1
    for tab, address in shown:
        rules = [
            rule for found in whole[tab].conditional_formatting if address in str(found.sqref) for rule in found.rules
        ]
        assert len(rules) == 2
    assert formats.ZERO.split(";") == ["0.0E+00", "-0.0E+00", "0"]


def test_a_difference_shows_when_a_factor_is_typed_over(seed: Path) -> None:
    """2 for a factor: the difference is no 0, and the cell's rule for bad holds."""
    shown = zeros(openpyxl.load_workbook(seed))
    first = min((address for tab, address in shown if tab == "Derivation"), key=lambda a: int(a[1:]))
    cells = edit_and_recalculate(seed, {("Derivation", f"C{int(first[1:]) - 4}"): 2.0})
    assert abs(float(cells["Derivation", first] or 0)) > 0.01


def test_formulas_are_protected_and_inputs_are_not(whole: Any) -> None:
    """On every tab, without a password, and Start says how to open one."""
    for sheet in whole:
        assert sheet.protection.sheet and sheet.protection.password is None
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    assert cell.protection.locked, f"{sheet.title}!{cell.coordinate}"
    for name in ("rate_1", "w_1", "i_1", "t_2", "threshold", "h_step", "chosen_run", "chosen_step"):
        [(tab, address)] = whole.defined_names[name].destinations
        assert not whole[tab][address.replace("$", "")].protection.locked, name
    assert any("Unprotect Sheet" in str(cell.value) for cell in whole["Start"]["A"])


def test_axes_of_the_losses_follow_other_inputs(seed: Path) -> None:
    """No logarithmic axis has an end of its own, and the linear one starts at 0 and has none where nothing is cut."""
    with zipfile.ZipFile(seed) as archive:
        charts = [archive.read(name).decode() for name in archive.namelist() if name.startswith("xl/charts/chart")]
    compared = [chart for chart in charts if "every learning rate" in chart]
    assert len(compared) == 2
    for chart in compared:
        y_axis = chart.split("<valAx>")[2]
        assert "<max val" not in y_axis
        assert ("<min val" in y_axis) == ("logBase" not in y_axis)


DIVERGING = """
learning_rates = [0.1, 30.0]
steps = 30
[data]
inputs = [[1.0]]
targets = [[2.0]]
[network]
loss = "half_squared_error"
[[network.layers]]
units = 1
activation = "identity"
weights = [[0.5]]
"""


def test_a_chart_that_is_cut_says_what_it_leaves_out(tmp_path: Path) -> None:
    """The note follows the numbers: with other targets every run begins above the end of the chart."""
    path = tmp_path / "cut.xlsx"
    build(parse(DIVERGING, "test"), path)
    [note] = [place for place, value in stored(path).items() if "linear chart ends at" in str(value)]
    assert "begin above" not in str(stored(path)[note])
    assert "Runs that begin above it: 2." in str(edit_and_recalculate(path, {named(path, "t_1"): 90.0})[note])


@pytest.fixture(scope="module")
def one_rate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workbook with one rate."""
    path = tmp_path_factory.mktemp("misleading") / "one.xlsx"
    build(plain("erav2", [0.5], 2), path)
    return path


@pytest.mark.parametrize("rate", [1e-300, 3e-8, 0.0001, 0.1 + 0.2, 1 / 3, 2.0, 123456.0, 98765432.1, 1e250])
def test_rates_are_written_alike_by_every_program(rate: float, one_rate: Path) -> None:
    """In at most 12 characters, and as a number that is theirs to 6 digits."""
    cells = edit_and_recalculate(one_rate, {named(one_rate, "rate_1"): rate})
    label = str(cells["Compare", "A7"])
    assert label.startswith("lr ") and len(label) <= 15
    assert float(label[3:]) == pytest.approx(rate, rel=1e-5)
    assert label[3:] in str(cells["lr 0.5", "B1"])


def alike(place: tuple[str, str], one: Any, other: Any) -> bool:
    """Whether two values are the same; in a text the sizes of its numbers, whose digits Derivation lists beside it."""
    if isinstance(one, str) and isinstance(other, str):
        ours, theirs = (re.split(r"(\d+(?:\.\d+)?(?:E-?\d+)?)", re.sub("[()−]", "", text)) for text in (one, other))
        pairs = list(zip(ours[1::2], theirs[1::2], strict=False))
        return ours[::2] == theirs[::2] and all(agree(float(a), float(b), 1e-3, 3e-11) for a, b in pairs)
    return (place[0] == "Derivation" and place[1][0] in "HIJ") or agree(one, other, 1e-9, 3e-11)


QUICK = ("conv", "erav2", "optimizers", "rnn")


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[pytest.mark.slow] * (one not in QUICK)) for one in template_names()]
)
def test_gnumeric_agrees_on_every_template(name: str, tmp_path: Path, ssconvert: Path) -> None:
    """It keeps more digits while it computes: the difference of two nearly equal numbers is compared absolutely."""
    spec = load(name)
    path = tmp_path / "book.xlsx"
    build(replace(override(spec, steps=min(spec.steps, 20)), pictures=name in ("erav2", "relu_regression")), path)
    theirs = recalculate_in_gnumeric(path)
    values = stored(path)
    wrong = [
        f"{place}: {value!r} {theirs.get(place)!r}"
        for place, value in values.items()
        if not alike(place, value, theirs.get(place))
    ]
    assert len(values) > 1000
    assert wrong == []


def test_labels_have_room_in_every_picture(tmp_path: Path) -> None:
    """A node's column is as wide as its symbol with the longest number, in networks deep and wide."""
    for name in ("deep", "erav2"):
        path = tmp_path / f"{name}.xlsx"
        build(plain(name, steps=2), path)
        sheet: Any = openpyxl.load_workbook(path)["Network"]
        found = 0
        for row in sheet.iter_rows(min_col=4):
            for cell in row:
                symbol = re.match(r'"(.*?) = "', cell.number_format)
                if symbol:
                    found += 1
                    letters = len(symbol[1]) + len(" = -1.2E-05")
                    # The text of an edge is a tenth smaller than that of a node, which widths are counted in.
                    width = sheet.column_dimensions[cell.column_letter].width * (1 if cell.font.sz > 10 else 1.1)
                    assert width >= letters, (cell.coordinate, symbol[1])
        assert found > 20


def test_ironcalc_agrees_after_every_change_here(seed: Path) -> None:
    """What is stored is what an engine computes."""
    values = recalculate(seed)
    assert all(agree(value, values[place], 1e-12, 1e-15) for place, value in stored(seed).items())
