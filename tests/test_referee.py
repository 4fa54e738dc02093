"""The referee: complete, independent of what it judges, and right where other sources can tell."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace
from types import ModuleType

import pytest
from workbooks import ALL_OPTIMIZERS, Choice

from sheetgen.check.referee import one_thread, retrain
from sheetgen.errors import ExcelError
from sheetgen.maths.derive import derive
from sheetgen.maths.steps import trace
from sheetgen.spec import load, template_names
from sheetgen.spec.structure import Layer, Spec

COMPARED = ("w", "b", "E", "∂")


def test_it_shares_no_code_with_what_it_judges_and_imports_torch_late() -> None:
    """Neither the derivation nor the numbers beside the formulas, and torch only once a training starts."""
    program = "import sys, sheetgen.check.referee; print(*(name for name in sys.modules if name.split('.')[0] in "
    program += "('sheetgen', 'torch', 'sympy', 'numpy')))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = {".".join(name.split(".")[:2]) for name in done.stdout.split()}
    assert loaded == {"sheetgen", "sheetgen.build", "sheetgen.check", "sheetgen.errors", "sheetgen.spec"}


@pytest.mark.parametrize("name", template_names())
def test_every_number_of_every_template_is_retrained(name: str, torch: ModuleType) -> None:
    """Every column of every run, within 1e-10 of the largest number that it has had so far."""
    spec = load(name)
    for run in spec.runs:
        equations = derive(spec, run.optimizer)
        scale = [1e-4] * len(equations.columns)
        for row, retrained in zip(trace(equations, run), retrain(spec, run), strict=True):
            for place, (column, value) in enumerate(zip(equations.columns, row, strict=True)):
                assert not isinstance(value, ExcelError)
                expected = retrained[column.symbol.name]
                scale[place] = max(scale[place], abs(expected))
                assert abs(value - expected) <= 1e-10 * scale[place], (run.label, column.symbol.name)


def test_the_seed_equals_pytorch_cell_by_cell(torch: ModuleType) -> None:
    """Every weight, loss and gradient of every row of all six rates to 1e-12 of itself."""
    spec = load("erav2")
    compared = 0
    for run in spec.runs:
        equations = derive(spec, run.optimizer)
        for row, retrained in zip(trace(equations, run), retrain(spec, run), strict=True):
            for column, value in zip(equations.columns, row, strict=True):
                if column.symbol.name.startswith(COMPARED):
                    assert math.isclose(float(value), retrained[column.symbol.name], rel_tol=1e-12), column.symbol
                    compared += 1
    assert compared == 6 * 68 * (8 + 3 + 8)


def loss_at(spec: Spec, layers: tuple[Layer, ...]) -> float:
    moved = replace(spec, layers=layers)
    return next(iter(retrain(moved, moved.runs[0])))["E_total"]


def test_its_gradients_are_slopes_of_its_loss(torch: ModuleType) -> None:
    """Central differences, for the sake of the wiring: the names belong to the right entries."""
    spec = Choice("tanh", "softmax", "cross_entropy", "trained", units=(3, 2), samples=3).spec
    row = next(iter(retrain(spec, spec.runs[0])))
    number, step = 0, 1e-6
    for at, layer in enumerate(spec.layers):
        for unit, weights in enumerate(layer.weights):
            for source in range(len(weights)):
                number += 1
                losses = []
                for change in (step, -step):
                    rows = [list(one) for one in layer.weights]
                    rows[unit][source] += change
                    moved = replace(layer, weights=tuple(map(tuple, rows)))
                    losses.append(loss_at(spec, (*spec.layers[:at], moved, *spec.layers[at + 1 :])))
                assert row[f"∂E/∂w{number}"] == pytest.approx((losses[0] - losses[1]) / (2 * step), abs=1e-8)


def test_the_two_rules_give_the_published_losses(torch: ModuleType) -> None:
    """0.291027774 and 0.291027924 after one update."""
    losses = []
    for name in ("mazur", "mazur_output_first"):
        spec = load(name)
        rows = retrain(spec, spec.runs[0])
        next(rows)
        losses.append(f"{next(rows)['E_total']:.9f}")
    assert losses == ["0.291027774", "0.291027924"]


@pytest.mark.parametrize("optimizer", ALL_OPTIMIZERS)
def test_a_fixed_bias_stays_and_has_no_gradient(optimizer: str, torch: ModuleType) -> None:
    """Whatever the optimizer; a trained one moves."""
    for bias, moves in (("fixed", False), ("trained", True)):
        spec = Choice(bias=bias, optimizers=(optimizer,), steps=2).spec
        rows = list(retrain(spec, spec.runs[0]))
        assert (rows[0]["b1"] != rows[2]["b1"]) == moves
        assert ("∂E/∂b1" in rows[0]) == moves


def test_one_thread_gives_the_threads_back(torch: ModuleType) -> None:
    """The caller's number of threads is as it was."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)
