"""What every kind of layer is built with: parameters, units, their names, and the steps of a unit in the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sympy import Expr, Symbol

from sheetgen.maths.algebra import total
from sheetgen.maths.graph import Equation, Graph, Place
from sheetgen.maths.rules import ACTIVATIONS
from sheetgen.spec.structure import Layer

__all__ = ["Building", "Parameter", "Row", "Unit", "Units", "layer_prefix", "next_value", "suffix", "unit_at"]


@dataclass(frozen=True)
class Parameter:
    """A weight or bias: its column, its cell on Inputs (`given`), its place in the network and its start value.

    `layer`, `unit` and `source` are zero-based; `source` is None for a bias. `gradient` is the column of ∂E/∂p. It is
    the entry `index` of the layer's tensor of this name.
    """

    symbol: Symbol
    given: Symbol
    gradient: Symbol
    layer: int
    unit: int
    source: int | None
    value: float
    trained: bool
    tensor: str = "weights"
    index: tuple[int, ...] = ()


@dataclass(frozen=True)
class Unit:
    """A unit for one sample: net input, activation and δ. `source` columns feed layer 0 in place of a unit.

    A unit without an activation has its one column as both.
    """

    net: Symbol
    out: Symbol
    delta: Symbol


Row = tuple[Symbol, ...]
Units = tuple[tuple[Unit, ...], ...]
"""By sample."""


@dataclass(frozen=True)
class Building:
    """What a layer is made of: the graph to add to, its options, its place among `count` layers, its parameters in
    their order, and the units of the layers before it."""

    graph: Graph
    layer: Layer
    at: int
    count: int
    parameters: tuple[Parameter, ...]
    before: tuple[Units, ...]

    def unit(self, index: Sequence[int], sample: int, samples: int, *, active: bool = True) -> Unit:
        """The unit at a zero-based index of the layer's shape."""
        return unit_at(self.count, self.at, index, suffix(sample, samples), active=active)

    def tensor(self, name: str) -> Mapping[tuple[int, ...], Symbol]:
        """The symbols of one of the layer's tensors by index; none if the layer has no such tensor."""
        return {parameter.index: parameter.symbol for parameter in self.parameters if parameter.tensor == name}

    def net(self, unit: Unit, sample: int, terms: Sequence[Expr], stage: int = 0) -> Equation:
        """A unit's net input: a sum of products, differentiated by all that it is made of."""
        expr = total(*terms)
        equation = Equation(unit.net, expr, "net")
        self.graph.add(equation, expr.free_symbols, delta=(unit.delta, Place(sample, self.at, stage)))
        return equation

    def activate(self, unit: Unit) -> None:
        """A unit's activation of its own net input."""
        value = ACTIVATIONS[self.layer.activation](unit.net, {"negative_slope": self.layer.negative_slope})
        self.graph.add(Equation(unit.out, value, "out"), [unit.net])


def unit_at(layers: int, layer: int, index: Sequence[int], end: str, *, active: bool = True) -> Unit:
    """The unit of a zero-based layer at a zero-based index of its shape; `end` marks its sample.

    >>> unit_at(3, 0, (0, 1), "[2]").out.name
    'a_h1_1,2[2]'
    """
    name = layer_prefix(layers, layer) + ",".join(str(one + 1) for one in index)
    net = Symbol(name + end)
    return Unit(net, Symbol(f"a_{name}{end}") if active else net, Symbol(f"δ_{name}{end}"))


def suffix(sample: int, samples: int) -> str:
    """What ends the names of a sample's columns: its number, if a row has several."""
    return f"[{sample + 1}]" if samples > 1 else ""


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
