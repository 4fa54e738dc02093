"""The columns of a training tab: their order, what row 0 and the later rows hold, and the optimizers' states."""

from __future__ import annotations

import pytest
from sympy import Integer, Symbol
from workbooks import ALL_OPTIMIZERS, Choice

from sheetgen.maths.algebra import before
from sheetgen.maths.derive import Equations, derive
from sheetgen.maths.printer import text
from sheetgen.spec import load


def derived(choice: Choice) -> Equations:
    spec = choice.spec
    return derive(spec, spec.optimizers[0])


def fills(equations: Equations) -> dict[str, str]:
    return {column.symbol.name: text(column.fill) for column in equations.columns}


def test_the_columns_of_the_seed_are_in_the_order_people_know() -> None:
    """As in the exercise, from step to the eight gradients."""
    spec = load("erav2")
    expected = (
        "step t1 t2 i1 i2 w1 w2 w3 w4 h1 a_h1 h2 a_h2 w5 w6 w7 w8 o1 a_o1 o2 a_o2 E1 E2 E_total "
        "∂E/∂w1 ∂E/∂w2 ∂E/∂w3 ∂E/∂w4 ∂E/∂w5 ∂E/∂w6 ∂E/∂w7 ∂E/∂w8"
    )
    assert [column.symbol.name for column in derive(spec, spec.optimizers[0]).columns] == expected.split()


def test_row_0_has_the_given_weights_and_later_rows_the_update() -> None:
    """A trained parameter is one above minus the rate times its gradient there; a fixed one stays as given."""
    equations = derived(Choice(bias="fixed", samples=1))
    columns = {column.symbol.name: column for column in equations.columns}
    assert columns["w1"].start == Symbol("w_1")
    assert text(columns["w1"].fill) == "w1⁻ − η·∂E/∂w1⁻"
    assert columns["b1"].start == columns["b1"].fill == Symbol("b_1")
    assert columns["step"].start == Integer(0)


UPDATES = {
    "sgd": {"w1": "w1⁻ − η·∂E/∂w1⁻"},
    "momentum": {"w1": "w1⁻ − η·v_w1", "v_w1": "μ·v_w1⁻ + ∂E/∂w1⁻"},
    "nesterov": {"w1": "w1⁻ − η·(∂E/∂w1⁻ + μ·v_w1)", "v_w1": "μ·v_w1⁻ + ∂E/∂w1⁻"},
    "rmsprop": {"w1": "w1⁻ − η·∂E/∂w1⁻/(√(s_w1) + ε)", "s_w1": "α·s_w1⁻ + (1 − α)·∂E/∂w1⁻·∂E/∂w1⁻"},
    "adagrad": {"w1": "w1⁻ − η·∂E/∂w1⁻/(√(s_w1) + ε)", "s_w1": "s_w1⁻ + ∂E/∂w1⁻·∂E/∂w1⁻"},
    "adam": {
        "w1": "w1⁻ − η·m_w1/(1 − β1ᵗ)/(√(v_w1/(1 − β2ᵗ)) + ε)",
        "m_w1": "β1·m_w1⁻ + (1 − β1)·∂E/∂w1⁻",
        "v_w1": "β2·v_w1⁻ + (1 − β2)·∂E/∂w1⁻·∂E/∂w1⁻",
        "β1ᵗ": "β1·β1ᵗ⁻",
    },
    "adamw": {"w1": "w1⁻·(1 − η·λ) − η·m_w1/(1 − β1ᵗ)/(√(v_w1/(1 − β2ᵗ)) + ε)"},
}


@pytest.mark.parametrize("name", ALL_OPTIMIZERS)
def test_each_optimizer_has_its_update_and_states(name: str) -> None:
    """As torch.optim defines them; the states have columns of their own."""
    found = fills(derived(Choice(optimizers=(name,))))
    assert {symbol: found[symbol] for symbol in UPDATES[name]} == UPDATES[name]


@pytest.mark.parametrize("name", ALL_OPTIMIZERS)
@pytest.mark.parametrize("updates", ["simultaneous", "output_first"])
def test_each_column_needs_only_its_row_the_row_above_and_inputs(name: str, updates: str) -> None:
    """`order` is a permutation in which every column comes after the columns of its row that it needs."""
    equations = derived(Choice("tanh", bias="trained", updates=updates, optimizers=(name,), units=(2, 2, 2)))
    columns = [column.symbol for column in equations.columns]
    assert sorted(equations.order) == list(range(len(columns)))
    assert len(set(columns)) == len(columns)
    given = {p.given for p in equations.network.parameters} | {Symbol(f"{c}_{k}") for c in "it" for k in (1, 2)}
    known = given | equations.settings.keys()
    above = {before(symbol) for symbol in columns}
    done: set[Symbol] = set()
    for at in equations.order:
        column = equations.columns[at]
        assert column.start.free_symbols <= done | known, column.symbol
        assert column.fill.free_symbols <= done | known | above, column.symbol
        done.add(column.symbol)


def test_a_term_switched_off_has_no_column_and_no_setting() -> None:
    """Weight decay of 0 is left out of the formulas; of 0.1 it is there."""
    off = derived(Choice(optimizers=("sgd",)))
    on = derived(Choice(optimizers=("sgd",), options="weight_decay = 0.1"))
    assert [symbol.name for symbol in off.settings] == ["η"]
    assert [symbol.name for symbol in on.settings] == ["η", "λ"]
    assert fills(on)["w1"] == "w1⁻ − η·(∂E/∂w1⁻ + λ·w1⁻)"


def test_adagrad_shrinks_its_rate_with_the_step() -> None:
    """torch.optim.Adagrad's lr_decay: the rate of update k + 1 is divided by 1 + k·κ."""
    equations = derived(Choice(optimizers=("adagrad",), options="lr_decay = 0.1\ninitial_accumulator_value = 0.5"))
    assert fills(equations)["w1"] == "w1⁻ − η/(step⁻·κ + 1)·∂E/∂w1⁻/(√(s_w1) + ε)"
    assert {c.symbol.name: text(c.start) for c in equations.columns}["s_w1"] == "G0"


def test_online_takes_the_samples_in_turn() -> None:
    """Row k shows sample k mod n."""
    equations = derived(Choice(samples=3, batch="online"))
    assert fills(equations)["i1"] == "entry(i_1,mod(step,3) + 1)"


def test_output_first_shows_the_values_already_updated() -> None:
    """The last layer's new values stand in their own row, and the next row takes them over."""
    equations = derived(Choice(updates="output_first", optimizers=("momentum",), samples=1))
    found = fills(equations)
    assert found["w5"] == "w5′⁻"
    assert found["w5′"] == "w5 − η·v_w5′"
    assert found["v_w5′"] == "μ·v_w5 + ∂E/∂w5"
    assert found["v_w5"] == "v_w5′⁻"
    assert found["w1"] == "w1⁻ − η·v_w1"
