"""The derivation: its closed forms as text, against brute-force differentiation, and how it grows."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

import mpmath
import pytest
import sympy
from sympy import Expr, Symbol, exp
from workbooks import Choice, spec_of

from sheetgen.maths.derive import derive
from sheetgen.maths.network import READABLE_SYMBOLS, Network, derive_network, layer_prefix
from sheetgen.maths.printer import text
from sheetgen.spec import load
from sheetgen.spec.catalog import ACTIVATIONS, LOSSES
from sheetgen.tabs.layout import plan_table

O1, O2 = "(a_o1 − t1)·a_o1·(1 − a_o1)", "(a_o2 − t2)·a_o2·(1 − a_o2)"
CLOSED_FORMS = {
    "w1": f"({O1}·w5 + {O2}·w7)·a_h1·(1 − a_h1)·i1",
    "w2": f"({O1}·w5 + {O2}·w7)·a_h1·(1 − a_h1)·i2",
    "w3": f"({O1}·w6 + {O2}·w8)·a_h2·(1 − a_h2)·i1",
    "w4": f"({O1}·w6 + {O2}·w8)·a_h2·(1 − a_h2)·i2",
    "w5": f"{O1}·a_h1",
    "w6": f"{O1}·a_h2",
    "w7": f"{O2}·a_h1",
    "w8": f"{O2}·a_h2",
}


def closed(network: Network) -> Mapping[Symbol, Expr]:
    assert network.closed is not None
    return network.closed


def test_the_closed_forms_of_the_seed_are_those_of_the_textbook() -> None:
    """Letter by letter, in the order in which the exercise writes the factors."""
    forms = closed(derive_network(load("erav2")))
    assert {symbol.name: text(expr) for symbol, expr in forms.items()} == CLOSED_FORMS


def test_the_closed_forms_of_the_seed_equal_brute_force() -> None:
    """sympy.diff of the whole loss, every symbol replaced by what it is made of, equals the closed form."""
    network = derive_network(load("erav2"))
    loss = whole(network.total, network)
    for weight, form in closed(network).items():
        assert abs(at_random(loss.diff(weight) - whole(form, network), weight.name)) < 1e-30


def at_random(expr: Expr, seed: str) -> Any:
    """The value with 40 digits at a point that is the same for the same symbols and seed."""
    draw = random.Random(seed)
    symbols = sorted(expr.free_symbols, key=str)
    with mpmath.workdps(40):
        point = [mpmath.mpf(draw.randint(-90, 90)) / 64 for _ in symbols]
        return sympy.lambdify(symbols, expr, "mpmath", cse=True)(*point)


def whole(expr: Expr, network: Network) -> Expr:
    """The expression in terms of inputs, targets and parameters only, with sympy's own functions."""
    made_of = {e.symbol: e.expr for e in network.forward if e.kind not in ("parameter", "data")} | dict(network.delta)
    while used := expr.free_symbols & made_of.keys():
        expr = expr.xreplace({symbol: made_of[symbol] for symbol in used})
    return expr.doit().rewrite(exp)


HIDDEN = [name for name in ACTIVATIONS if name != "softmax"]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_every_gradient_equals_brute_force(hidden: str, loss: str) -> None:
    """At a random point, to 30 digits, for weights and biases of both layers: what the chain rule accumulates."""
    last = LOSSES[loss].activation or hidden
    network = derive_network(Choice(hidden, last, loss, "trained", samples=1).spec)
    total = whole(network.total, network)
    for parameter in network.trained[::2]:
        ours = whole(network.gradient[parameter.symbol], network)
        difference = total.diff(parameter.symbol) - ours
        assert abs(at_random(difference, f"{hidden} {loss}")) < 1e-30, parameter.symbol


def test_an_output_does_not_depend_on_the_weights_of_another() -> None:
    """E2 has no local derivative that leads to w5: the argument in words of the seed exercise."""
    network = derive_network(load("erav2"))
    assert reached_from("E1", network) == {f"w{k}" for k in (1, 2, 3, 4, 5, 6)}
    assert reached_from("E2", network) == {f"w{k}" for k in (1, 2, 3, 4, 7, 8)}


def reached_from(node: str, network: Network) -> set[str]:
    """The weights that the chain of local derivatives leads to."""
    found, stack = set(), [Symbol(node)]
    while stack:
        here = stack.pop()
        found.add(here.name)
        stack += [source for target, source in network.partials if target == here]
    return {name for name in found if name.startswith("w")}


def test_each_local_derivative_is_that_of_its_equation() -> None:
    """Each factor on the Derivation tab is the derivative of the equation that the training tab shows."""
    network = derive_network(Choice("tanh", "sigmoid", "half_squared_error", "trained").spec)
    equations = {equation.symbol: equation.expr for equation in network.forward}
    for (node, by), slope in network.partials.items():
        own = slope.xreplace({node: equations[node]})
        assert sympy.simplify(equations[node].diff(by).doit() - own.doit()) == 0, (node, by)


def test_parameters_are_numbered_through_the_network() -> None:
    """Layer by layer, unit by unit, input by input; biases apart."""
    network = derive_network(Choice("tanh", units=(3, 2), bias="fixed").spec)
    assert [p.symbol.name for p in network.parameters if p.source is not None] == [f"w{k}" for k in range(1, 13)]
    assert [(p.symbol.name, p.layer, p.unit) for p in network.parameters if p.source is None] == [
        ("b1", 0, 0), ("b2", 0, 1), ("b3", 0, 2), ("b4", 1, 0), ("b5", 1, 1)
    ]  # fmt: skip
    assert not any(p.symbol.name.startswith("b") for p in network.trained)
    w8 = network.parameters[10]
    assert (w8.symbol.name, w8.layer, w8.unit, w8.source, w8.given.name) == ("w8", 1, 0, 1, "w_8")


def test_units_are_named_as_in_the_exercise() -> None:
    """h and o; with several hidden layers each has its number."""
    assert [layer_prefix(1, 0), *(layer_prefix(3, at) for at in range(3))] == ["o", "h1_", "h2_", "o"]


def test_a_full_batch_has_columns_for_every_sample() -> None:
    """Each sample's columns end in its number; the gradient is their mean."""
    network = derive_network(Choice(samples=3, units=(1,), batch="full").spec)
    names = [equation.symbol.name for equation in network.forward]
    assert "a_o1[3]" in names
    assert text(network.gradient[Symbol("w1")]) == "(δ_o1[1]·i1[1] + δ_o1[2]·i1[2] + δ_o1[3]·i1[3])/3"
    online = derive_network(Choice(samples=3, units=(1,), batch="online").spec)
    assert (online.samples, online.inputs[0][0].name) == (1, "i1")


def wide(sizes: tuple[int, ...], samples: int = 1) -> Network:
    """A network of these sizes, inputs first."""
    row = [0.1] * sizes[0]
    choice = Choice(units=sizes[1:], samples=samples, steps=1)
    return derive_network(spec_of(choice, [row] * samples, [[0.5] * sizes[-1]] * samples))


def expressions(network: Network) -> Iterator[Expr]:
    yield from (equation.expr for equation in network.forward)
    yield from network.partials.values()
    yield from network.delta.values()
    yield from network.gradient.values()


def size(network: Network) -> int:
    """All the sympy nodes that the derivation made."""
    return sum(1 for expr in expressions(network) for _ in sympy.preorder_traversal(expr))


def test_the_derivation_grows_with_connections_not_paths() -> None:
    """Six layers of 6 have 7,776 paths from a first weight and five times the connections of two: about five times."""
    two, six = wide((6, 6)), wide((6,) * 6)
    assert len(six.parameters) == 5 * len(two.parameters)
    assert size(six) < 8 * size(two)


def test_a_network_of_10_10_10_10_has_formulas_of_bounded_length() -> None:
    """δ has columns of its own, and no formula is longer than a sum over one layer's units."""
    spec = wide((10, 10, 10, 10)).spec
    columns = derive(spec, spec.optimizers[0]).columns
    assert len([column for column in columns if column.kind == "delta"]) == 30
    assert max(len(fill) for _, _, fill in plan_table(spec, spec.runs[0]).formulas()) < 120


@pytest.mark.parametrize(
    ("sizes", "samples", "printed"),
    [((2, 2, 2), 1, True), ((2, 6, 6), 1, False), ((2, 2, 2, 2), 1, False), ((2, 2), 2, False)],
)
def test_closed_forms_are_printed_while_a_person_can_read_them(
    sizes: tuple[int, ...], samples: int, printed: bool
) -> None:
    """One sample, at most two layers, and not too many symbols; else the δ form."""
    network = wide(sizes, samples)
    assert (network.closed is not None) == printed
    for form in (network.closed or {}).values():
        assert sum(node.is_Symbol for node in sympy.preorder_traversal(form)) <= READABLE_SYMBOLS


def test_output_first_takes_hidden_gradients_through_the_new_weights() -> None:
    """∂E/∂w1 reads w5′ and w7′ where the simultaneous rule reads w5 and w7; the last layer's gradients are the same."""
    one, other = (derive_network(load(name)) for name in ("mazur", "mazur_output_first"))
    primed = CLOSED_FORMS["w1"].replace("w5", "w5′").replace("w7", "w7′")
    assert text(closed(other)[Symbol("w1")]) == primed
    assert closed(one)[Symbol("w5")] == closed(other)[Symbol("w5")]
