"""Network -> the story of each gradient: the paths from the loss back to a parameter, factor by factor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sympy import Expr, Symbol

from sheetgen.maths.algebra import chain, total
from sheetgen.maths.network import Network, Parameter, next_value
from sheetgen.maths.rules import LOSSES, averages

__all__ = ["Factor", "Path", "Story", "tell"]


@dataclass(frozen=True)
class Factor:
    """One link of the chain: ∂of/∂by, and what it is."""

    of: Symbol
    by: Symbol
    expr: Expr

    @property
    def name(self) -> str:
        """The link as a fraction.

        >>> Factor(Symbol("o1"), Symbol("w5"), Symbol("a_h1")).name
        '∂o1/∂w5'
        """
        return f"∂{self.of.name}/∂{self.by.name}"


@dataclass(frozen=True)
class Path:
    """A way from the loss to a parameter; the product of its factors is this path's share of the gradient."""

    factors: tuple[Factor, ...]

    @property
    def loss(self) -> Symbol:
        """The part of the loss at which the path begins."""
        return self.factors[0].of

    @property
    def product(self) -> Expr:
        """The product of the factors, in their order."""
        return chain(*(factor.expr for factor in self.factors))


@dataclass(frozen=True)
class Story:
    """How one parameter reaches the loss, and which parts of the loss it does not reach."""

    parameter: Parameter
    paths: tuple[Path, ...]
    unreached: tuple[Symbol, ...]

    @property
    def sum(self) -> Expr:
        """The gradient as the sum over paths."""
        return total(*(path.product for path in self.paths))


def tell(network: Network) -> tuple[Story, ...]:
    """The stories of a network whose closed forms are readable, last layer first, as one would work them out."""
    stories = []
    for layer in range(len(network.spec.layers) - 1, -1, -1):
        for parameter in network.of_layer(layer):
            if parameter.trained:
                paths = tuple(_paths(network, parameter))
                reached = {path.loss for path in paths}
                parts = network.errors[0] if _separate(network) else ()
                unreached = tuple(part for part in parts if part not in reached)
                stories.append(Story(parameter, paths, unreached))
    return tuple(stories)


def _separate(network: Network) -> bool:
    """Whether the loss is a plain sum of one part per output, so that a path begins at its own part."""
    return LOSSES[network.spec.loss].of_activation is not None and not averages(network.spec)


def _paths(network: Network, parameter: Parameter) -> Iterator[Path]:
    """Every path from the loss to a parameter, for the one sample of a row."""
    units = network.units[0]
    unit = units[parameter.layer][parameter.unit]
    last = Factor(unit.net, parameter.symbol, network.partials[unit.net, parameter.symbol])
    for factors in _from_loss(network, parameter.layer, parameter.unit):
        yield Path((*factors, last))


def _from_loss(network: Network, layer: int, place: int) -> Iterator[tuple[Factor, ...]]:
    """The factors of ∂E/∂net of a unit, one tuple per path."""
    unit = network.units[0][layer][place]
    if layer == len(network.units[0]) - 1:
        yield tuple(_output_factors(network, place))
        return
    early = network.spec.updates == "output_first" and layer == len(network.units[0]) - 2
    slope = Factor(unit.out, unit.net, network.partials[unit.out, unit.net])
    for parameter in network.of_layer(layer + 1):
        if parameter.source != place:
            continue
        after = network.units[0][layer + 1][parameter.unit]
        weight = network.partials[after.net, unit.out]
        used = weight.xreplace({parameter.symbol: next_value(parameter.symbol)}) if early else weight
        for factors in _from_loss(network, layer + 1, parameter.unit):
            yield (*factors, Factor(after.net, unit.out, used), slope)


def _output_factors(network: Network, place: int) -> Iterator[Factor]:
    unit = network.units[0][-1][place]
    node = network.errors[0][place] if _separate(network) else network.losses[0]
    if (node, unit.net) in network.partials:
        yield Factor(node, unit.net, network.partials[node, unit.net])
        return
    yield Factor(node, unit.out, network.partials[node, unit.out])
    yield Factor(unit.out, unit.net, network.partials[unit.out, unit.net])
