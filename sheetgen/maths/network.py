"""Spec -> Network: the forward pass, every local derivative, and the gradients, as ordered sympy equations.

Each layer adds its nodes to a graph (`maths.layers`), the loss adds the last ones, and one walk backwards accumulates
(δ, the derivative of a sample's loss with respect to a node such as a unit's net input).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import sympy
from sympy import Expr, Integer, Symbol

from sheetgen.maths.algebra import At, chain, logsumexp, sigmoid, total
from sheetgen.maths.building import Building, Parameter, Unit, layer_prefix, next_value, suffix
from sheetgen.maths.graph import Equation, Graph, Use
from sheetgen.maths.layers import KINDS, softmax_helpers
from sheetgen.maths.rules import LOSSES, STEP, averages
from sheetgen.spec.structure import Layer, Spec

__all__ = [
    "READABLE_SYMBOLS",
    "Equation",
    "Network",
    "Parameter",
    "Unit",
    "derive_network",
    "layer_prefix",
    "next_value",
]

# A gradient's closed form is printed up to this many symbols; beyond it, δ has columns of its own.
READABLE_SYMBOLS = 24


@dataclass(frozen=True, eq=False)
class Network:
    """Everything about a spec that does not depend on the optimizer.

    `inputs`, `targets`, `errors` are indexed [sample][position]; `units` [sample][layer][unit]. `partials` maps
    (node, immediate input) to the local derivative; a sample's loss is the node `losses[sample]`. `delta` and
    `gradient` are in terms of δ columns, `closed` in terms of activations, targets, weights and inputs (None where
    nobody could read it). `forward` is in the order of evaluation, `samples` the number of samples in each row. `uses`
    lists the places where a trained parameter is used: what they share in its gradient adds up.
    """

    spec: Spec
    samples: int
    inputs: tuple[tuple[Symbol, ...], ...]
    targets: tuple[tuple[Symbol, ...], ...]
    parameters: tuple[Parameter, ...]
    units: tuple[tuple[tuple[Unit, ...], ...], ...]
    errors: tuple[tuple[Symbol, ...], ...]
    losses: tuple[Symbol, ...]
    total: Symbol
    forward: tuple[Equation, ...]
    partials: Mapping[tuple[Symbol, Symbol], Expr]
    delta: Mapping[Symbol, Expr]
    gradient: Mapping[Symbol, Expr]
    closed: Mapping[Symbol, Expr] | None
    uses: Mapping[Symbol, tuple[Use, ...]]

    @property
    def trained(self) -> tuple[Parameter, ...]:
        """The parameters that have a gradient."""
        return tuple(parameter for parameter in self.parameters if parameter.trained)

    def of_layer(self, layer: int) -> tuple[Parameter, ...]:
        """The parameters of one zero-based layer."""
        return tuple(parameter for parameter in self.parameters if parameter.layer == layer)


@lru_cache(maxsize=8)
def derive_network(spec: Spec) -> Network:
    """The network's equations; the same object for an equal spec."""
    samples = spec.batch_size
    inputs = _data(samples, "i", len(spec.inputs[0]))
    targets = _data(samples, "t", len(spec.targets[0]))
    parameters = tuple(_parameters(spec.layers))
    errors = _data(samples, "E", len(spec.targets[0]))
    losses = tuple(Symbol("E" + suffix(sample, samples)) for sample in range(samples))
    graph = Graph()
    for equation in _data_equations(spec, samples, inputs, targets):
        graph.give(equation.symbol, equation.expr, equation.kind)
    units: list[tuple[tuple[Unit, ...], ...]] = []
    for at, layer in enumerate(spec.layers):
        own = tuple(parameter for parameter in parameters if parameter.layer == at)
        for parameter in own:
            graph.give(parameter.symbol, parameter.given, "parameter")
        feeds = tuple(tuple(unit.out for unit in one) for one in units[-1]) if units else inputs
        building = Building(graph, layer, at, len(spec.layers), own, tuple(units))
        units.append(KINDS[layer.kind](building, feeds))
    by_sample = tuple(zip(*units, strict=True))
    terms: list[Symbol] = []
    for sample in range(samples):
        for equation in _error_equations(spec, targets[sample], units[-1][sample], errors[sample]):
            graph.give(equation.symbol, equation.expr, equation.kind)
        terms += errors[sample]
        _loss_partials(spec, targets[sample], units[-1][sample], errors[sample], losses[sample], graph.partials)
    e_total = Symbol("E_total")
    summed = spec.reduction == "sum"
    count = 1 if summed else samples * (len(spec.targets[0]) if averages(spec) else 1)
    graph.give(e_total, total(*terms) / count, "total")
    moved = {p.symbol: next_value(p.symbol) for p in parameters if p.layer == len(spec.layers) - 1}
    trained = [p.symbol for p in parameters if p.trained]
    ends = [*(error for one in errors for error in one), *losses]
    back = graph.backward(ends, trained, moved if spec.updates == "output_first" else None)
    delta = back.delta
    over = 1 if summed else samples
    gradient = {symbol: total(*(use.share for use in back.uses[symbol])) / over for symbol in trained}
    readable = spec.dense and samples == 1 and len(spec.layers) <= 2 and _longest(gradient, delta) <= READABLE_SYMBOLS
    closed = {symbol: _expand(expr, delta) for symbol, expr in gradient.items()} if readable else None
    return Network(
        spec, samples, inputs, targets, parameters, by_sample, errors, losses, e_total, tuple(graph.equations),
        graph.partials, delta, gradient, closed, back.uses,
    )  # fmt: skip


def _data(samples: int, letter: str, count: int) -> tuple[tuple[Symbol, ...], ...]:
    return tuple(
        tuple(Symbol(f"{letter}{place + 1}{suffix(sample, samples)}") for place in range(count))
        for sample in range(samples)
    )


def _parameters(layers: tuple[Layer, ...]) -> Iterator[Parameter]:
    numbers = {"w": 0, "b": 0}
    for place, layer in enumerate(layers):
        for tensor in layer.parameters:
            for at, value in enumerate(tensor.values):
                numbers[tensor.letter] += 1
                name = f"{tensor.letter}{numbers[tensor.letter]}"
                index = _unravelled(at, tensor.shape)
                source = index[-1] if tensor.letter == "w" else None
                given, gradient = Symbol(f"{tensor.letter}_{numbers[tensor.letter]}"), Symbol(f"∂E/∂{name}")
                yield Parameter(
                    Symbol(name), given, gradient, place, index[0], source, value, tensor.trained, tensor.name, index
                )


def _unravelled(at: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    index: list[int] = []
    for size in reversed(shape):
        index.insert(0, at % size)
        at //= size
    return tuple(index)


def _data_equations(
    spec: Spec, samples: int, inputs: tuple[tuple[Symbol, ...], ...], targets: tuple[tuple[Symbol, ...], ...]
) -> Iterator[Equation]:
    several = len(spec.inputs) > 1
    for sample in range(samples):
        at = sympy.Mod(STEP, len(spec.inputs)) + 1 if spec.batch == "online" else Integer(sample + 1)
        if isinstance(spec.batch, int) or spec.shuffle is not None:
            at = Symbol("s" + suffix(sample, samples))
            yield Equation(at, _turn(spec, sample), "data")
        for letter, symbols in (("t", targets[sample]), ("i", inputs[sample])):
            for number, symbol in enumerate(symbols, 1):
                name = Symbol(f"{letter}_{number}")
                yield Equation(symbol, At(name, at) if several else name, "data")


def _turn(spec: Spec, place: int) -> Expr:
    """The number of the sample in a zero-based place of a row's batch."""
    now = total(chain(Integer(spec.batch_size), sympy.Mod(STEP, spec.turns)), Integer(place + 1))
    return now if spec.shuffle is None else At(Symbol("order"), now, sympy.floor(STEP / spec.turns) + 1)


def _error_equations(
    spec: Spec, targets: tuple[Symbol, ...], units: tuple[Unit, ...], errors: tuple[Symbol, ...]
) -> Iterator[Equation]:
    nets = tuple(unit.net for unit in units)
    for place, (target, unit, error) in enumerate(zip(targets, units, errors, strict=True)):
        expr = _error(spec, target, unit, nets, place)
        if spec.layers[-1].activation == "softmax":
            highest, scale = softmax_helpers(units)
            expr = expr.xreplace({logsumexp(*nets) - unit.net: total(sympy.log(scale), -total(unit.net, -highest))})
        yield Equation(error, expr, "error")


def _error(spec: Spec, target: Symbol, unit: Unit, nets: tuple[Symbol, ...], place: int) -> Expr:
    loss = LOSSES[spec.loss]
    if loss.of_nets:
        return loss.of_nets(target, nets, place)
    assert loss.of_activation
    return loss.of_activation(target, unit.out)


def _loss_partials(
    spec: Spec,
    targets: tuple[Symbol, ...],
    units: tuple[Unit, ...],
    errors: tuple[Symbol, ...],
    loss_node: Symbol,
    partials: dict[tuple[Symbol, Symbol], Expr],
) -> None:
    """Notes ∂E/∂a of each output, or ∂E/∂o where the loss is computed from the logits.

    The key is the sample's own loss E, or the output's part Ek where E is simply their sum.
    """
    loss = LOSSES[spec.loss]
    nets = tuple(unit.net for unit in units)
    parts = [_error(spec, t, unit, nets, place) for place, (t, unit) in enumerate(zip(targets, units, strict=True))]
    count = len(units) if averages(spec) else 1
    # What the parts have in common is a node of its own, so that each is differentiated by its own output alone.
    shared, common = Symbol("L"), logsumexp(*nets)
    parts = [part.xreplace({common: shared}).doit() for part in parts]
    from_shared = total(*(part.diff(shared) for part in parts))
    for unit, part, error in zip(units, parts, errors, strict=True):
        by = unit.out if loss.of_activation else unit.net
        own = part.diff(by).doit().xreplace({sigmoid(unit.net): unit.out})
        if from_shared == 0:
            slope = sympy.factor_terms(own / count)
        else:
            slope = sympy.Mul(unit.out, from_shared, evaluate=False) + own  # ∂L/∂ok is the softmax
        partials[error if loss.of_activation and not averages(spec) else loss_node, by] = slope


def _expand(expr: Expr, delta: Mapping[Symbol, Expr]) -> Expr:
    """The expression with every δ replaced by its own, down to activations, targets, weights and inputs."""
    while used := expr.free_symbols & delta.keys():
        expr = expr.xreplace({symbol: delta[symbol] for symbol in used})
    return expr


def _longest(gradient: Mapping[Symbol, Expr], delta: Mapping[Symbol, Expr]) -> int:
    """How many symbols the longest closed form would have, counted without writing any of them out.

    `delta` runs backwards through the layers, so a δ comes after those that it is made of.
    """
    counts: dict[Symbol, int] = {}

    def count(expr: Expr) -> int:
        return sum(counts.get(node, 1) for node in sympy.preorder_traversal(expr) if node.is_Symbol)

    for symbol, expr in delta.items():
        counts[symbol] = count(expr)
    return max(map(count, gradient.values()), default=0)
