"""Layers that normalise: each number less the mean of its group, divided by the group's standard deviation.

A group is a position's features (layer_norm), or a channel of all samples of a row (batch_norm): then what goes back to
one sample comes from the others too. The variance is torch's biased one, Σ(x − mean)²/n.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

from sympy import Float, Rational, Symbol, sqrt

from sheetgen.maths.algebra import chain, total
from sheetgen.maths.building import Building, Row, Units, layer_prefix, suffix
from sheetgen.maths.graph import Equation, Place

__all__ = ["batch_norm", "layer_norm"]

Index = tuple[int, ...]
Group = tuple[Index, str, int]
"""Where a group stands in the layer, how its names end, and which weight and bias its numbers have."""
# The parts of a layer in the order of their evaluation.
MEAN, DEVIATION, RESULT = range(3)


def layer_norm(building: Building, feeds: tuple[Row, ...]) -> Units:
    """torch.nn.LayerNorm of the features: of a row, or of each position of a sequence."""
    return _normalised(building, feeds, lambda sample, index: (index[:-1], suffix(sample, len(feeds)), index[-1]))


def batch_norm(building: Building, feeds: tuple[Row, ...]) -> Units:
    """torch.nn.BatchNorm1d and 2d in training: of each channel, or feature, over all samples of the row."""
    axis = 0 if len(building.layer.taken) == 3 else -1
    return _normalised(building, feeds, lambda sample, index: ((index[axis],), "", index[axis]))


def _normalised(building: Building, feeds: tuple[Row, ...], group_of: Callable[[int, Index], Group]) -> Units:
    """The groups one after the other, and then every number's own column by its group, weight and bias."""
    weights, biases = building.tensor("weight"), building.tensor("bias")
    indexes = list(product(*map(range, building.layer.taken)))
    every = [(sample, at, group_of(sample, index)) for sample in range(len(feeds)) for at, index in enumerate(indexes)]
    spreads = {
        (where, end): _spread(
            building, where, end, [feeds[s][at] for s, at, other in every if other[:2] == (where, end)]
        )
        for where, end in dict.fromkeys(group[:2] for _, _, group in every)
    }
    units = tuple(
        tuple(building.unit(index, s, len(feeds), active=False) for index in indexes) for s in range(len(feeds))
    )
    for sample, at, (where, end, channel) in every:
        unit, number = units[sample][at], feeds[sample][at]
        mean, deviation = spreads[where, end]
        normal = Symbol(f"n_{unit.net.name}")
        building.graph.add(Equation(normal, (number - mean) / deviation, "part"), [number, mean, deviation])
        building.net(unit, sample, [chain(weights[channel,], normal), biases[channel,]], stage=RESULT)
    return units


def _spread(building: Building, where: Index, end: str, numbers: Sequence[Symbol]) -> tuple[Symbol, Symbol]:
    """The columns of the mean and of the standard deviation of a group; its samples come with its numbers."""
    graph, count = building.graph, len(numbers)
    prefix = layer_prefix(building.count, building.at)
    name = prefix + ",".join(str(one + 1) for one in where) if where else prefix.removesuffix("_")
    mean, variance, deviation = (Symbol(f"{part}_{name}{end}") for part in ("mean", "var", "std"))
    sample = int(end[1:-1]) - 1 if end else 0
    delta = Symbol(f"δ_{mean.name}"), Place(sample, building.at, MEAN)
    graph.add(Equation(mean, total(*numbers) / count, "part"), (), delta=delta)
    graph.link(mean, total(*(number / count for number in numbers)), numbers)
    squares = [(number - mean) ** 2 for number in numbers]
    # Nothing goes back through the mean in the variance: the differences from it sum to 0.
    graph.add(Equation(variance, total(*squares) / count, "part"), ())
    graph.link(variance, total(*(square / count for square in squares)), numbers)
    spread = total(variance, Float(building.layer.option("eps")))
    delta = Symbol(f"δ_{deviation.name}"), Place(sample, building.at, DEVIATION)
    known = {spread ** Rational(-1, 2): 1 / deviation}
    graph.add(Equation(deviation, sqrt(spread), "part"), [variance], delta=delta, known=known)
    return mean, deviation
