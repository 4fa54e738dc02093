"""Spec -> Network: the forward pass, every local derivative, and the gradients, as ordered sympy equations.

sympy differentiates each node with respect to its immediate inputs only; the chain rule then accumulates backwards
(δ, the derivative of a sample's loss with respect to a unit's net input), so the work grows with the number of
connections and not with the number of paths.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import sympy
from sympy import Expr, Integer, Max, Symbol, exp

from sheetgen.maths.algebra import At, chain, logsumexp, sigmoid, total
from sheetgen.maths.rules import ACTIVATIONS, LOSSES, STEP, averages
from sheetgen.spec.structure import Layer, Spec

# A gradient's closed form is printed up to this many symbols; beyond it, δ has columns of its own.
READABLE_SYMBOLS = 24


@dataclass(frozen=True)
class Parameter:
    """A weight or bias: its column, its cell on Inputs (`given`), its place in the network and its start value.

    `layer`, `unit` and `source` are zero-based; `source` is None for a bias. `gradient` is the column of ∂E/∂p.
    """

    symbol: Symbol
    given: Symbol
    gradient: Symbol
    layer: int
    unit: int
    source: int | None
    value: float
    trained: bool


@dataclass(frozen=True)
class Unit:
    """A unit for one sample: net input, activation and δ. `source` columns feed layer 0 in place of a unit."""

    net: Symbol
    out: Symbol
    delta: Symbol


@dataclass(frozen=True)
class Equation:
    """One column of a row, in terms of columns of the same row or of cells on Inputs."""

    symbol: Symbol
    expr: Expr
    kind: str


@dataclass(frozen=True, eq=False)
class Network:
    """Everything about a spec that does not depend on the optimizer.

    `inputs`, `targets`, `errors` are indexed [sample][position]; `units` [sample][layer][unit]. `partials` maps
    (node, immediate input) to the local derivative; a sample's loss is the node `losses[sample]`. `delta` and
    `gradient` are in terms of δ columns, `closed` in terms of activations, targets, weights and inputs (None where
    nobody could read it). `forward` is in the order of evaluation, `samples` the number of samples in each row.
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
    units = tuple(
        tuple(_units(spec.layers, layer, sample, samples) for layer in range(len(spec.layers)))
        for sample in range(samples)
    )
    errors = _data(samples, "E", len(spec.targets[0]))
    losses = tuple(Symbol("E" + _suffix(sample, samples)) for sample in range(samples))
    partials: dict[tuple[Symbol, Symbol], Expr] = {}
    forward = [*_data_equations(spec, samples, inputs, targets)]
    terms: list[Symbol] = []
    for layer in range(len(spec.layers)):
        forward += [Equation(p.symbol, p.given, "parameter") for p in parameters if p.layer == layer]
        for sample in range(samples):
            feeds = inputs[sample] if layer == 0 else tuple(unit.out for unit in units[sample][layer - 1])
            forward += _layer_equations(spec, layer, parameters, feeds, units[sample][layer], partials)
    for sample in range(samples):
        forward += _error_equations(spec, targets[sample], units[sample][-1], errors[sample])
        terms += errors[sample]
        _loss_partials(spec, targets[sample], units[sample][-1], errors[sample], losses[sample], partials)
    e_total = Symbol("E_total")
    summed = spec.reduction == "sum"
    count = 1 if summed else samples * (len(spec.targets[0]) if averages(spec) else 1)
    forward.append(Equation(e_total, total(*terms) / count, "total"))
    delta = dict(_deltas(spec, parameters, units, losses, partials))
    over = 1 if summed else samples
    gradient = {p.symbol: _gradient(p, inputs, units, partials) / over for p in parameters if p.trained}
    readable = samples == 1 and len(spec.layers) <= 2 and _longest(gradient, delta) <= READABLE_SYMBOLS
    closed = {symbol: _expand(expr, delta) for symbol, expr in gradient.items()} if readable else None
    return Network(
        spec, samples, inputs, targets, parameters, units, errors, losses, e_total, tuple(forward), partials,
        delta, gradient, closed,
    )  # fmt: skip


def next_value(symbol: Symbol) -> Symbol:
    """The column of a parameter (or state) already updated within the row, used by updates = "output_first"."""
    return Symbol(symbol.name + "′")


def layer_prefix(layers: int, layer: int) -> str:
    """The letter(s) of a layer's units: h and o as in the exercise; with several hidden layers h1_, h2_, …, o.

    >>> layer_prefix(2, 0), layer_prefix(2, 1), layer_prefix(4, 1)
    ('h', 'o', 'h2_')
    """
    if layer == layers - 1:
        return "o"
    return "h" if layers == 2 else f"h{layer + 1}_"


def _suffix(sample: int, samples: int) -> str:
    return f"[{sample + 1}]" if samples > 1 else ""


def _data(samples: int, letter: str, count: int) -> tuple[tuple[Symbol, ...], ...]:
    return tuple(
        tuple(Symbol(f"{letter}{place + 1}{_suffix(sample, samples)}") for place in range(count))
        for sample in range(samples)
    )


def _parameters(layers: tuple[Layer, ...]) -> Iterator[Parameter]:
    weights = biases = 0
    for place, layer in enumerate(layers):
        for unit, row in enumerate(layer.weights):
            for source, value in enumerate(row):
                weights += 1
                yield _parameter("w", weights, place, unit, source, value, True)
        for unit, value in enumerate(layer.bias or ()):
            biases += 1
            yield _parameter("b", biases, place, unit, None, value, layer.train_bias)


def _parameter(
    letter: str, number: int, layer: int, unit: int, source: int | None, value: float, trained: bool
) -> Parameter:
    name = f"{letter}{number}"
    gradient = Symbol(f"∂E/∂{name}")
    return Parameter(Symbol(name), Symbol(f"{letter}_{number}"), gradient, layer, unit, source, value, trained)


def _units(layers: tuple[Layer, ...], layer: int, sample: int, samples: int) -> tuple[Unit, ...]:
    names = [f"{layer_prefix(len(layers), layer)}{unit + 1}" for unit in range(layers[layer].units)]
    end = _suffix(sample, samples)
    return tuple(Unit(Symbol(n + end), Symbol(f"a_{n}{end}"), Symbol(f"δ_{n}{end}")) for n in names)


def _data_equations(
    spec: Spec, samples: int, inputs: tuple[tuple[Symbol, ...], ...], targets: tuple[tuple[Symbol, ...], ...]
) -> Iterator[Equation]:
    several = len(spec.inputs) > 1
    for sample in range(samples):
        at = sympy.Mod(STEP, len(spec.inputs)) + 1 if spec.batch == "online" else Integer(sample + 1)
        if isinstance(spec.batch, int) or spec.shuffle is not None:
            at = Symbol("s" + _suffix(sample, samples))
            yield Equation(at, _turn(spec, sample), "data")
        for letter, symbols in (("t", targets[sample]), ("i", inputs[sample])):
            for number, symbol in enumerate(symbols, 1):
                name = Symbol(f"{letter}_{number}")
                yield Equation(symbol, At(name, at) if several else name, "data")


def _turn(spec: Spec, place: int) -> Expr:
    """The number of the sample in a zero-based place of a row's batch."""
    now = total(chain(Integer(spec.batch_size), sympy.Mod(STEP, spec.turns)), Integer(place + 1))
    return now if spec.shuffle is None else At(Symbol("order"), now, sympy.floor(STEP / spec.turns) + 1)


def _layer_equations(
    spec: Spec,
    layer: int,
    parameters: tuple[Parameter, ...],
    feeds: tuple[Symbol, ...],
    units: tuple[Unit, ...],
    partials: dict[tuple[Symbol, Symbol], Expr],
) -> Iterator[Equation]:
    """Net inputs and activations of one layer for one sample; notes the local derivatives on the way."""
    shape = spec.layers[layer]
    own: list[list[Parameter]] = [[] for _ in units]
    for parameter in parameters:
        if parameter.layer == layer:
            own[parameter.unit].append(parameter)
    nets = []
    for unit, mine in zip(units, own, strict=True):
        terms = [p.symbol if p.source is None else chain(p.symbol, feeds[p.source]) for p in mine]
        for parameter, term in zip(mine, terms, strict=True):
            partials[unit.net, parameter.symbol] = term.diff(parameter.symbol)
            if parameter.source is not None:
                partials[unit.net, feeds[parameter.source]] = term.diff(feeds[parameter.source])
        nets.append(Equation(unit.net, total(*terms), "net"))
    if shape.activation == "softmax":
        yield from nets
        yield from _softmax_equations(units)
        return
    x, a = Symbol("x"), Symbol("a")
    value = ACTIVATIONS[shape.activation](x, {"negative_slope": shape.negative_slope})
    slope = value.diff(x).xreplace({value: a})
    for unit, net in zip(units, nets, strict=True):
        partials[unit.out, unit.net] = slope.xreplace({x: unit.net, a: unit.out})
        yield net
        yield Equation(unit.out, value.xreplace({x: unit.net}), "out")


def _softmax_equations(units: tuple[Unit, ...]) -> Iterator[Equation]:
    highest, scale = _softmax_helpers(units)
    yield Equation(highest, Max(*(unit.net for unit in units), evaluate=False), "softmax")
    yield Equation(scale, total(*(exp(unit.net - highest) for unit in units)), "softmax")
    for unit in units:
        yield Equation(unit.out, exp(unit.net - highest) / scale, "out")


def _softmax_helpers(units: tuple[Unit, ...]) -> tuple[Symbol, Symbol]:
    """The columns of max(o) and Σ exp(o − max), which keep the exponentials in range."""
    end = units[0].net.name.removeprefix("o1")
    return Symbol(f"max_o{end}"), Symbol(f"Σexp{end}")


def _error_equations(
    spec: Spec, targets: tuple[Symbol, ...], units: tuple[Unit, ...], errors: tuple[Symbol, ...]
) -> Iterator[Equation]:
    nets = tuple(unit.net for unit in units)
    for place, (target, unit, error) in enumerate(zip(targets, units, errors, strict=True)):
        expr = _error(spec, target, unit, nets, place)
        if spec.layers[-1].activation == "softmax":
            highest, scale = _softmax_helpers(units)
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


def _deltas(
    spec: Spec,
    parameters: tuple[Parameter, ...],
    units: tuple[tuple[tuple[Unit, ...], ...], ...],
    losses: tuple[Symbol, ...],
    partials: Mapping[tuple[Symbol, Symbol], Expr],
) -> Iterator[tuple[Symbol, Expr]]:
    """δ of every unit: backwards, each from the layer after it."""
    last = len(spec.layers) - 1
    from_loss = {by: slope for (node, by), slope in partials.items() if node.name.startswith("E")}
    outgoing: dict[tuple[int, int], list[Parameter]] = {}
    for parameter in parameters:
        if parameter.source is not None:
            outgoing.setdefault((parameter.layer, parameter.source), []).append(parameter)
    early = {p.symbol: next_value(p.symbol) for p in parameters if p.layer == last}
    renamed = early if spec.updates == "output_first" else {}
    for layers in units:
        for layer in range(last, -1, -1):
            for place, unit in enumerate(layers[layer]):
                if layer == last:
                    direct = from_loss.get(unit.net)
                    yield unit.delta, direct or chain(from_loss[unit.out], partials[unit.out, unit.net])
                    continue
                after = layers[layer + 1]
                paths = (
                    chain(after[p.unit].delta, partials[after[p.unit].net, unit.out].xreplace(renamed))
                    for p in outgoing[layer + 1, place]
                )
                yield unit.delta, chain(total(*paths), partials[unit.out, unit.net])


def _gradient(
    parameter: Parameter,
    inputs: tuple[tuple[Symbol, ...], ...],
    units: tuple[tuple[tuple[Unit, ...], ...], ...],
    partials: Mapping[tuple[Symbol, Symbol], Expr],
) -> Expr:
    """The sum over samples of δ times the local derivative of the net input; ∂E_total/∂p is it or its mean."""
    own = [layers[parameter.layer][parameter.unit] for layers in units]
    return total(*(chain(unit.delta, partials[unit.net, parameter.symbol]) for unit in own))


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
