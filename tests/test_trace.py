"""The stored numbers: published ones, the two ways of evaluating a row, kinks, and training that leaves the floats."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
from sympy import Piecewise, Symbol, exp, log
from workbooks import ALL_OPTIMIZERS, Choice, spec_of

from sheetgen.errors import ExcelError
from sheetgen.maths.derive import derive
from sheetgen.maths.steps import _Careful, evaluate, given_values, log1p, logit_loss, setting_values, sigmoid, trace
from sheetgen.spec import Spec, load, override

Rows = list[dict[str, float | ExcelError]]


def traced(spec: Spec, run: int = 0) -> Rows:
    """The rows of one run by column name."""
    equations = derive(spec, spec.runs[run].optimizer)
    names = [column.symbol.name for column in equations.columns]
    return [dict(zip(names, row, strict=True)) for row in trace(equations, spec.runs[run])]


def test_the_seed_begins_with_the_loss_of_the_exercise() -> None:
    """0.014181377938 at step 0 for every rate, and one row more than updates."""
    spec = load("erav2")
    for run in range(len(spec.runs)):
        rows = traced(spec, run)
        assert len(rows) == 68
        assert rows[0]["E_total"] == pytest.approx(0.014181377938, abs=5e-13)


@pytest.mark.parametrize("name", ["mazur", "mazur_output_first"])
def test_published_numbers_are_reproduced(name: str) -> None:
    """To the digits that the page prints, except where the template notes that the page used the other rule."""
    spec = load(name)
    rows = traced(spec)
    for one in spec.published:
        agrees = rows[one.step][one.symbol] == pytest.approx(one.value, abs=6e-9)
        assert agrees == (not one.note), one


def test_the_two_rules_give_the_two_losses_of_the_story() -> None:
    """0.291027774 after one simultaneous update, 0.291027924 with the output layer first."""
    losses = [f"{traced(load(name))[1]['E_total']:.9f}" for name in ("mazur", "mazur_output_first")]
    assert losses == ["0.291027774", "0.291027924"]


@pytest.mark.parametrize("optimizer", ALL_OPTIMIZERS)
def test_careful_rows_equal_fast_rows(optimizer: str) -> None:
    """Column by column or all at once: the same numbers to the last bit."""
    spec = Choice("softplus", bias="trained", batch="online", optimizers=(optimizer,), steps=20).spec
    equations = derive(spec, spec.optimizers[0])
    careful = _Careful(equations, given_values(spec) | setting_values(equations, spec.runs[0]))
    row = None
    for fast in trace(equations, spec.runs[0]):
        row = careful.after(row)
        assert row == fast


def test_progress_counts_every_row() -> None:
    """The callback's numbers add up to steps + 1."""
    spec = override(load("erav2"), steps=2500)
    done: list[int] = []
    trace(derive(spec, spec.optimizers[0]), spec.runs[0], progress=done.append)
    assert sum(done) == 2501
    assert len(done) > 1


def test_online_shows_one_sample_a_row() -> None:
    """Row k has sample k mod n."""
    spec = spec_of(Choice(batch="online", steps=5), [[1, 2], [3, 4], [5, 6]], [[0, 1], [1, 0], [0.5, 0.5]])
    assert [row["i1"] for row in traced(spec)] == [1, 3, 5, 1, 3, 5]


@pytest.mark.parametrize(("activation", "slope"), [("relu", 0.0), ("leaky_relu", 0.01)])
def test_the_derivative_at_a_kink_is_that_of_its_left_side(activation: str, slope: float) -> None:
    """A net input of exactly 0: ∂a/∂h is 0 for relu and the negative slope for leaky_relu, as in PyTorch."""
    spec = spec_of(Choice(activation, "identity", bias="trained", units=(2, 2)), [[0, 0]], [[1, 0]])
    layers = tuple(replace(layer, bias=(0.0, 0.0)) for layer in spec.layers)
    row = traced(replace(spec, layers=layers))[0]
    assert row["h1"] == row["a_h1"] == row["a_o1"] == 0
    assert row["∂E/∂b1"] == pytest.approx(-float(row["w5"]) * slope, abs=1e-17)


DIVERGING = Choice("identity", "identity", "mse", units=(2, 2), rate=50.0, steps=300)


def test_diverging_training_becomes_errors_and_stays_so() -> None:
    """Once a row has an error, every later row has, and all other numbers are finite."""
    rows = traced(DIVERGING.spec)
    broken = [any(isinstance(value, ExcelError) for value in row.values()) for row in rows]
    first = broken.index(True)
    assert 0 < first < 300
    assert all(broken[first:])
    assert isinstance(rows[-1]["E_total"], ExcelError)
    assert rows[-1]["step"] == 300
    for value in itertools.chain.from_iterable(row.values() for row in rows):
        assert isinstance(value, ExcelError) or math.isfinite(value)


def test_evaluate_gives_excels_errors() -> None:
    """Overflow and a logarithm of 0 are #NUM!, a division by 0 is #DIV/0!, and an error spreads."""
    x, y = Symbol("x"), Symbol("y")
    assert evaluate(exp(x), {x: 800.0}) == ExcelError("#NUM!")
    assert evaluate(log(x), {x: 0.0}) == ExcelError("#NUM!")
    assert evaluate(x * y, {x: 1e200, y: 1e200}) == ExcelError("#NUM!")
    assert evaluate(y / x, {x: 0.0, y: 1.0}) == ExcelError("#DIV/0!")
    assert evaluate(x + y, {x: 1.0, y: ExcelError("#DIV/0!")}) == ExcelError("#DIV/0!")
    assert evaluate(Piecewise((x, x > 20), (log(1 + exp(x)), True)), {x: 800.0}) == 800.0


@pytest.mark.parametrize("x", [-800.0, -40.0, -1.0, 0.0, 1.0, 40.0, 800.0])
def test_stable_functions_are_finite_and_right(x: float) -> None:
    """Far out they are 0, 1 or x; within they are the textbook's."""
    assert sigmoid(x) == pytest.approx(1 / (1 + math.exp(-x)) if abs(x) < 700 else float(x > 0), rel=1e-15)
    assert log1p(math.exp(x)) == pytest.approx(math.log1p(math.exp(x)), rel=3e-15) if x < 700 else True
    assert logit_loss(x, 1.0) == pytest.approx(math.log1p(math.exp(-x)) if x > -700 else -x, rel=3e-15)
