"""The tables of activations, losses and optimizers: complete, and each derivative as PyTorch has it."""

from __future__ import annotations

from types import ModuleType

import pytest
from sympy import Symbol

from sheetgen.errors import ExcelError
from sheetgen.maths import rules
from sheetgen.maths.steps import evaluate
from sheetgen.spec import catalog

POINTS = [-800.0, -30.0, -1.5, -1e-9, -0.0, 0.0, 1e-9, 0.7, 19.999, 20.0, 20.001, 30.0, 800.0]
SLOPE = 0.03


def test_the_tables_have_what_a_spec_may_name() -> None:
    """Every name of the catalog has its mathematics, and the other way round."""
    assert {*rules.ACTIVATIONS, "softmax"} == set(catalog.ACTIVATIONS)
    assert rules.LOSSES.keys() == catalog.LOSSES.keys()
    assert rules.OPTIMIZERS.keys() == catalog.OPTIMIZERS.keys()
    options = {name for table in catalog.OPTIMIZERS.values() for name in table}
    assert options == rules.SETTINGS.keys()


@pytest.mark.parametrize("x", POINTS)
@pytest.mark.parametrize("name", rules.ACTIVATIONS)
def test_each_activation_and_its_derivative_are_pytorchs(name: str, x: float, torch: ModuleType) -> None:
    """At the kinks, where softplus becomes linear, and far out."""
    symbol = Symbol("x")
    ours = rules.ACTIVATIONS[name](symbol, {"negative_slope": SLOPE})
    functions = torch.nn.functional
    theirs = {
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": functions.relu,
        "leaky_relu": lambda tensor: functions.leaky_relu(tensor, SLOPE),
        "softplus": functions.softplus,
        "identity": lambda tensor: tensor * 1,
    }[name]
    tensor = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    value = theirs(tensor)
    value.backward()
    assert evaluate(ours, {symbol: x}) == pytest.approx(value.item(), rel=1e-12, abs=1e-15)
    slope = evaluate(ours.diff(symbol), {symbol: x})
    assert not isinstance(slope, ExcelError)
    assert slope == pytest.approx(tensor.grad.item(), rel=1e-12, abs=1e-15)


def test_options_of_0_that_add_nothing_are_left_out() -> None:
    """A decay of 0 is no term; an eps or alpha of 0 still is one."""
    options = [("alpha", 0.0), ("eps", 0.0), ("weight_decay", 0.0), ("lr_decay", 0.5)]
    assert rules.used_settings(options) == ("alpha", "eps", "lr_decay")
