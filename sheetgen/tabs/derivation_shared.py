"""The gradients of a network whose layers share weights, on the Derivation tab: δ, the sums over places, the paths."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Protocol

from sympy import Expr, Symbol

from sheetgen.maths.algebra import chain
from sheetgen.maths.building import Parameter, suffix, unit_at
from sheetgen.maths.printer import text
from sheetgen.tabs.kind_words import SENTENCES, layer_words, parameter_words
from sheetgen.tabs.plan import Plan
from sheetgen.xlsx.cells import Formula

__all__ = ["fill"]

# A gradient is told place by place up to so many places, a δ path by path up to so many paths.
MOST_PLACES, MOST_PATHS = 40, 12
LABELS = ("symbol", "formula", "value", "in the table", "difference")


class Lines(Protocol):
    """What the tab is written with."""

    def heading(self, content: str) -> None: ...
    def text(self, content: str, role: str = "text") -> None: ...
    def header(self, *labels: str) -> None: ...
    def group(self, content: str, columns: int) -> None: ...
    def line(self, name: str, shown: str, value: Formula | None, role: str = "formula") -> int: ...
    def value(self, expr: Expr) -> Formula | None: ...
    def compared(self, symbol: Symbol, expr: Expr) -> None: ...


def fill(lines: Lines, plan: Plan) -> None:
    """What each layer does on the way back, δ of every node, and every gradient."""
    network = plan.network
    lines.heading("Backwards: what each layer does")
    for at, layer in enumerate(plan.spec.layers):
        sentence = SENTENCES.get(
            layer.kind, "A weight enters one unit: its gradient is δ of the unit times what it multiplies."
        )
        lines.text(f"Layer {at + 1}, {layer_words(layer)}. {sentence}")
    lines.heading("Backwards: δ of every node")
    first = "Sample 1" if plan.spec.turns == 1 else "The first sample of a row"
    sample = "" if network.samples == 1 else f" {first} is shown; the other samples have the same formulas."
    coupled = any(layer.kind == "batch_norm" for layer in plan.spec.layers)
    whose = "the sum of the losses of a row's samples" if coupled else "the loss of one sample"
    lines.text(
        f"δ of a node is ∂E/∂(the node), E being {whose}: the sum over all that use the node, of their δ "
        f"times the local derivative.{sample}"
    )
    lines.header(*LABELS)
    for symbol, expr in network.delta.items():
        if symbol.name.endswith("[1]") or "[" not in symbol.name:
            lines.compared(symbol, expr)
    for at, layer in enumerate(plan.spec.layers):
        if layer.kind == "rnn" and layer.taken[0] > 1:
            _through_time(lines, plan, at)
    _gradients(lines, plan)


def _gradients(lines: Lines, plan: Plan) -> None:
    """Layer by layer from the last: the first entry of each tensor place by place, the others in one line each."""
    network = plan.network
    for at in range(len(plan.spec.layers) - 1, -1, -1):
        own = [parameter for parameter in network.of_layer(at) if parameter.trained]
        if own:
            lines.heading(f"Gradients of layer {at + 1}: {layer_words(plan.spec.layers[at])}")
        for _, group in groupby(own, key=lambda parameter: parameter.tensor):
            first, *others = group
            if 1 < len(network.uses[first.symbol]) <= MOST_PLACES:
                _by_place(lines, plan, first)
            else:
                lines.header(*LABELS)
                others = [first, *others]
            for parameter in others:
                lines.compared(parameter.gradient, network.gradient[parameter.symbol])


def _by_place(lines: Lines, plan: Plan, parameter: Parameter) -> None:
    """One parameter's gradient as the sum over the places where it is used."""
    network, name = plan.network, parameter.symbol.name
    uses = network.uses[parameter.symbol]
    over = 1 if plan.spec.reduction == "sum" else network.samples
    mean = f", divided by the {over} samples" if over > 1 else ""
    lines.text(
        f"{name} ({parameter_words(plan.spec, parameter)}) is used in {len(uses)} places; their shares add up{mean}."
    )
    lines.header("enters", f"its share of ∂E/∂{name}", "value")
    rows = [lines.line(use.by.name, text(use.share), lines.value(use.share)) for use in uses]
    total = f"SUM(C{rows[0]}:C{rows[-1]})" + (f"/{over}" if over > 1 else "")
    lines.line("sum of the places", f"∂E/∂{name}", Formula(f"={total}"), "result")
    lines.header(*LABELS)
    lines.compared(parameter.gradient, network.gradient[parameter.symbol])


def _through_time(lines: Lines, plan: Plan, at: int) -> None:
    """δ of the first step's first unit as a sum of paths through the later steps."""
    network = plan.network
    layer = plan.spec.layers[at]
    ends = {unit.net: unit.delta for unit in network.units[0][at][-layer.tensors[0].shape[0] :]}
    start = unit_at(len(plan.spec.layers), at, (0, 0), suffix(0, network.samples)).net
    paths = list(_paths(plan, start, ends))
    if layer.option("return_sequences") or len(paths) > MOST_PATHS:
        return
    lines.heading(f"The paths through time from {start.name}")
    lines.text(
        f"{start.name} reaches the loss only through the later steps: {len(paths)} paths, each the last step's δ times "
        "the local derivatives on the way. They add up to its δ."
    )
    lines.header("path", "product", "value")
    rows = []
    for way, product in paths:
        lines.group(" → ".join(node.name for node in way), 3)
        rows.append(lines.line("share of this path", text(product), lines.value(product)))
    lines.line("sum of the paths", f"δ_{start.name}", Formula("=" + "+".join(f"C{row}" for row in rows)), "result")


def _paths(plan: Plan, start: Symbol, ends: dict[Symbol, Symbol]) -> Iterator[tuple[tuple[Symbol, ...], Expr]]:
    """Every way from a node to the ends, and its product from the end backwards."""
    if start in ends:
        yield (start,), ends[start]
        return
    for (node, by), slope in plan.network.partials.items():
        if by == start:
            for way, product in _paths(plan, node, ends):
                yield (start, *way), chain(product, slope)
