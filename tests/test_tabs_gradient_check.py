"""The Gradient check tab: what it says of right gradients, wrong ones, kinks, and training that left the numbers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from edits import edit_and_recalculate
from referees import calamine_cells, complaints, differences, stored
from specs import plain

from sheetgen.build import build
from sheetgen.check.engines import recalculate
from sheetgen.maths.network import derive_network
from sheetgen.spec import load, parse
from sheetgen.tabs import forward_passes
from sheetgen.tabs.gradient_check import KINK, NOT_A_GRADIENT, TOP
from sheetgen.tabs.plan import make_plan
from sheetgen.tabs.state import STEP_ROW
from sheetgen.tabs.workbook import complete, fill_book
from sheetgen.xlsx.page import AGREES, DIFFERS, NO_NUMBER

TAB = "Gradient check"
OVERALL, LARGEST = (TAB, "A8"), (TAB, "H8")
STEP_CELL = ("Network", f"B{STEP_ROW}")

SPEC = """
learning_rates = [{rate}]
steps = {steps}
[data]
inputs = {inputs}
targets = {targets}
[network]
loss = "{loss}"
[[network.layers]]
units = {units}
activation = "{activation}"
weights = {weights}
bias = {bias}
[training]
batch = "{batch}"
"""
DEFAULTS: dict[str, Any] = {
    "rate": 0.1, "steps": 4, "inputs": [[1.0]], "targets": [[0.5]], "loss": "half_squared_error", "units": 1,
    "activation": "sigmoid", "weights": [[0.5]], "bias": [0.0], "batch": "full",
}  # fmt: skip


def one_layer(**changes: Any) -> str:
    """A spec of one layer; without changes, one sigmoid unit of one input."""
    return SPEC.format(**DEFAULTS | changes)


@pytest.fixture
def book(tmp_path: Path) -> Callable[[str], Path]:
    """Writes the workbook of a template or of a spec's text."""

    def write(spec: str) -> Path:
        path = tmp_path / "book.xlsx"
        build(parse(spec, "test") if "\n" in spec else load(spec), path)
        return path

    return write


def column(path: Path, tab: str, letter: str, rows: range) -> list[Any]:
    """What the cells of a column hold, texts included."""
    cells = calamine_cells(path)
    return [cells.get((tab, f"{letter}{row}")) for row in rows]


def verdicts(path: Path, count: int) -> list[Any]:
    return column(path, TAB, "J", range(TOP, TOP + count))


def address(path: Path, tab: str, name: str) -> tuple[str, str]:
    """The cell to the right of the name in column A."""
    return tab, f"B{column(path, tab, 'A', range(1, 100)).index(name) + 1}"


@pytest.mark.parametrize("template", ["erav2", "mazur", "and_online"])
def test_every_gradient_of_a_smooth_template_agrees(book: Callable[[str], Path], template: str) -> None:
    """At the first step as stored, and at later ones as IronCalc computes them."""
    path = book(template)
    count = len(derive_network(load(template)).trained)
    assert verdicts(path, count) == [AGREES] * count
    assert stored(path)[OVERALL] == "all gradients agree with central differences"
    for step in (1, load(template).steps):
        cells = edit_and_recalculate(path, {STEP_CELL: step})
        assert [cells[TAB, f"J{row}"] for row in range(TOP, TOP + count)] == [AGREES] * count
        largest = cells[LARGEST]
        assert isinstance(largest, float)
        assert largest < 1e-9
        assert cells[TAB, "F6"] == 0


def test_a_wrong_gradient_differs(book: Callable[[str], Path]) -> None:
    """One that is off by a hundredth of a per cent turns its row and the verdict, and only those."""
    path = book("erav2")
    gradient = address(path, "Network", "∂E/∂w3")
    cells = edit_and_recalculate(path, {gradient: float(stored(path)[gradient] or 0) * 1.0001})
    found = [cells[TAB, f"J{row}"] for row in range(TOP, TOP + 8)]
    assert found == [AGREES, AGREES, DIFFERS, AGREES, AGREES, AGREES, AGREES, AGREES]
    assert cells[OVERALL] == "1 of 8 gradients differ from central differences"
    assert cells[address(path, "Start", "gradients")] == cells[OVERALL]


def test_h_is_an_input(book: Callable[[str], Path]) -> None:
    """A larger one gives a worse difference, within a tolerance that follows."""
    path = book("erav2")
    assert stored(path)[TAB, "C6"] == 1e-5
    cells = edit_and_recalculate(path, {address(path, "Inputs", "h_step"): 1e-2})
    assert cells[TAB, "C6"] == 1e-2
    assert 1e-9 < float(cells[LARGEST] or 0) < 1e-5
    assert cells[OVERALL] == "all gradients agree with central differences"


def test_output_first_has_no_verdict_on_the_hidden_layer(book: Callable[[str], Path]) -> None:
    path = book("mazur_output_first")
    assert verdicts(path, 8) == [NOT_A_GRADIENT] * 4 + [AGREES] * 4
    assert "last layer agree" in str(stored(path)[OVERALL])
    assert float(stored(path)[LARGEST] or 0) < 1e-9


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_a_net_input_of_0_is_a_kink_and_no_error(book: Callable[[str], Path], activation: str) -> None:
    """The bias's slope on the right and on the left differ; the weight, whose input is 0, has slope 0."""
    path = book(one_layer(activation=activation, inputs=[[0.0]]))
    assert verdicts(path, 2) == [AGREES, KINK]
    assert stored(path)[OVERALL] == "all gradients agree with central differences; at a kink: 1"
    assert float(stored(path)[LARGEST] or 0) < 1e-9
    assert differences(stored(path), recalculate(path)) == []


def test_a_wrong_gradient_is_no_kink(book: Callable[[str], Path]) -> None:
    """Away from 0, a relu's wrong gradient differs."""
    path = book(one_layer(activation="relu"))
    cells = edit_and_recalculate(path, {address(path, "Network", "∂E/∂w1"): 0.25})
    assert [cells[TAB, f"J{row}"] for row in (TOP, TOP + 1)] == [DIFFERS, AGREES]


@pytest.mark.parametrize("weight", [1e200, 1e155])
def test_numbers_out_of_range_give_no_verdict(book: Callable[[str], Path], weight: float) -> None:
    """Neither a crash nor red or green."""
    path = book(one_layer(activation="identity", weights=[[weight]], rate=1.0))
    assert verdicts(path, 2) == [NO_NUMBER] * 2
    assert str(stored(path)[OVERALL]).startswith(NO_NUMBER)
    assert stored(path)[LARGEST] == NO_NUMBER
    assert differences(stored(path), recalculate(path)) == []


def test_online_takes_the_sample_of_the_chosen_step(book: Callable[[str], Path]) -> None:
    """Step 1 of two samples uses the second one."""
    path = book(one_layer(inputs=[[1.0], [3.0]], targets=[[0.5], [0.25]], batch="online"))
    top = TOP + column(path, TAB, "B", range(TOP, 60)).index("none")
    for step, sample in ((0, [0.5, 1.0]), (1, [0.25, 3.0]), (2, [0.5, 1.0])):
        cells = edit_and_recalculate(path, {STEP_CELL: step})
        assert [cells[TAB, f"{letter}{top + 3}"] for letter in "DE"] == sample
        assert cells[OVERALL] == "all gradients agree with central differences"


def test_a_large_network_is_sampled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Within the limit of cells, evenly to the last parameter; the tab says so."""
    spec = plain("deep", steps=2)
    plan = make_plan(spec)
    monkeypatch.setattr(forward_passes, "MAX_CELLS", 2 * 5 * (3 + len(plan.network.forward)))
    path = tmp_path / "book.xlsx"
    build(spec, path)
    texts = column(path, TAB, "A", range(TOP, TOP + 20))
    trained = [parameter.symbol.name for parameter in plan.network.trained]
    places = [trained.index(name) for name in texts[:5]]
    assert texts[5] is None
    assert places[-1] == len(trained) - 1
    assert {b - a for a, b in pairwise(places)} <= {7, 8}
    assert stored(path)[OVERALL] == "all gradients that are checked agree with central differences"
    assert any("5 of 37 parameters" in str(text) for text in texts)


def test_each_pass_moves_one_parameter() -> None:
    """By +h and −h in turn; the rest keeps the chosen value, and pass 0 is the training table's own row."""
    plan = make_plan(load("erav2"))
    book = fill_book(plan)
    complete(book)
    [block] = [tab.block for tab in book.tabs if tab.ws.title == TAB]
    assert block is not None and block.pending
    base, *moves = block.rows
    assert base[-1] == plan.first.value(plan.network.total, 0)
    kinds = ["lead"] * 3 + [equation.kind for equation in plan.network.forward]
    assert len(moves) == 2 * len(plan.network.trained)
    for number, row in enumerate(moves):
        moved = [
            (float(new) - float(old))
            for old, new, kind in zip(base, row, kinds, strict=True)
            if kind == "parameter" and new != old
        ]
        assert moved == [pytest.approx(-1e-5 if number % 2 else 1e-5, rel=1e-9)]


@pytest.mark.parametrize("template", ["mazur_output_first"])
def test_the_workbook_is_valid_and_equals_ironcalc(
    book: Callable[[str], Path], ooxml_validator: Path, template: str
) -> None:
    path = book(template)
    assert complaints(ooxml_validator, path) == []
    assert differences(stored(path), recalculate(path)) == []


@pytest.mark.libreoffice
def test_libreoffice_agrees(book: Callable[[str], Path], soffice: Path) -> None:
    path = book(one_layer(activation="relu", inputs=[[0.0]]))
    assert differences(stored(path), recalculate(path, "libreoffice")) == []
