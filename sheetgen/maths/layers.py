"""The kinds of layers: each a function that adds a layer's nodes to the graph, and a row of `KINDS`.

A layer is given the numbers that feed it, sample by sample and flattened as torch does, and gives its units likewise.
Each is torch.nn's of the same name: its formula, and the shapes of its weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product

from sympy import Expr, Max, Symbol, exp

from sheetgen.maths.algebra import Greatest, Which, chain, total
from sheetgen.maths.attention import attention
from sheetgen.maths.building import Building, Parameter, Row, Unit, Units
from sheetgen.maths.graph import Equation, Graph, Place
from sheetgen.maths.norms import batch_norm, layer_norm

__all__ = ["KINDS", "softmax_helpers", "windows"]

Index = tuple[int, ...]


def _linear(building: Building, feeds: tuple[Row, ...]) -> Units:
    """torch.nn.Linear, with an activation."""
    own: list[list[Parameter]] = [[] for _ in range(building.layer.units)]
    for parameter in building.parameters:
        own[parameter.unit].append(parameter)
    units = []
    for sample, feed in enumerate(feeds):
        row = tuple(building.unit([place], sample, len(feeds)) for place in range(len(own)))
        softmax = building.layer.activation == "softmax"
        for unit, mine in zip(row, own, strict=True):
            building.net(
                unit, sample, [p.symbol if p.source is None else chain(p.symbol, feed[p.source]) for p in mine]
            )
            if not softmax:
                building.activate(unit)
        if softmax:
            _softmax(building.graph, row)
        units.append(row)
    return tuple(units)


def _softmax(graph: Graph, units: tuple[Unit, ...]) -> None:
    """The activations of the last layer; what goes back comes from the loss, straight to the net inputs."""
    highest, scale = softmax_helpers(units)
    graph.give(highest, Max(*(unit.net for unit in units), evaluate=False), "softmax")
    graph.give(scale, total(*(exp(unit.net - highest) for unit in units)), "softmax")
    for unit in units:
        graph.give(unit.out, exp(unit.net - highest) / scale, "out")


def softmax_helpers(units: tuple[Unit, ...]) -> tuple[Symbol, Symbol]:
    """The columns of max(o) and Σ exp(o − max), which keep the exponentials in range."""
    end = units[0].net.name.removeprefix("o1")
    return Symbol(f"max_o{end}"), Symbol(f"Σexp{end}")


def windows(
    sides: Index, kernel: Index, stride: Index, padding: Index
) -> Iterator[tuple[Index, list[tuple[Index, Index]]]]:
    """Each place of a window that slides over sides, and what it covers there: places in the window and in the sides.

    >>> list(windows((3,), (2,), (1,), (0,)))
    [((0,), [((0,), (0,)), ((1,), (1,))]), ((1,), [((0,), (1,)), ((1,), (2,))])]
    """
    axes = list(zip(sides, kernel, stride, padding, strict=True))
    for place in product(*(range((side + 2 * pad - size) // step + 1) for side, size, step, pad in axes)):
        starts = [at * step - pad for at, (_, _, step, pad) in zip(place, axes, strict=True)]
        covered = []
        for inside in product(*map(range, kernel)):
            spot = tuple(start + one for start, one in zip(starts, inside, strict=True))
            if all(0 <= one < side for one, side in zip(spot, sides, strict=True)):
                covered.append((inside, spot))
        yield place, covered


def _conv(building: Building, feeds: tuple[Row, ...]) -> Units:
    """torch.nn.Conv1d and Conv2d: the same weights at every place of the window, so their gradients add up over places.

    A sequence is [length, features]; its features are the channels.
    """
    layer = building.layer
    flat = layer.kind == "conv1d"
    channels, sides = (layer.taken[-1], layer.taken[:-1]) if flat else (layer.taken[0], layer.taken[1:])
    weights, bias = building.tensor("weights"), building.tensor("bias")
    slides = list(windows(sides, *(layer.sizes(name) for name in ("kernel_size", "stride", "padding"))))
    number = _numbering(layer.taken)
    units = []
    for sample, feed in enumerate(feeds):
        row: dict[Index, Unit] = {}
        for out, (place, covered) in product(range(layer.tensors[0].shape[0]), slides):
            index = (*place, out) if flat else (out, *place)
            row[index] = unit = building.unit(index, sample, len(feeds))
            terms: list[Expr] = [
                chain(weights[out, channel, *inside], feed[number[(*spot, channel) if flat else (channel, *spot)]])
                for channel in range(channels)
                for inside, spot in covered
            ]
            building.net(unit, sample, [*terms, *([bias[out,]] if bias else [])])
            building.activate(unit)
        units.append(tuple(row[index] for index in sorted(row)))
    return tuple(units)


def _numbering(shape: Index) -> dict[Index, int]:
    """Where the number at an index stands in the flattened row."""
    return {index: at for at, index in enumerate(product(*map(range, shape)))}


def _max_pool(building: Building, feeds: tuple[Row, ...]) -> Units:
    """torch.nn.MaxPool2d; the derivative goes to the largest number, and of several to the first, as in PyTorch."""

    def pooled(unit: Unit, covered: Row, delta: tuple[Symbol, Place]) -> None:
        expr, which = Greatest(*covered), Symbol(f"which_{unit.net.name}")
        known = {Which(unit.net, *covered): which}
        building.graph.add(Equation(unit.net, expr, "net"), covered, delta=delta, known=known)
        building.graph.give(which, Which(unit.net, *covered), "part")

    return _pools(building, feeds, pooled)


def _avg_pool(building: Building, feeds: tuple[Row, ...]) -> Units:
    """torch.nn.AvgPool2d."""

    def pooled(unit: Unit, covered: Row, delta: tuple[Symbol, Place]) -> None:
        expr = total(*(one / len(covered) for one in covered))
        building.graph.add(Equation(unit.net, total(*covered) / len(covered), "net"), (), delta=delta)
        building.graph.link(unit.net, expr, covered)

    return _pools(building, feeds, pooled)


def _pools(
    building: Building, feeds: tuple[Row, ...], pooled: Callable[[Unit, Row, tuple[Symbol, Place]], None]
) -> Units:
    layer = building.layer
    slides = list(windows(layer.taken[1:], layer.sizes("kernel_size"), layer.sizes("stride"), (0, 0)))
    number = _numbering(layer.taken)
    units = []
    for sample, feed in enumerate(feeds):
        row = []
        for channel, (place, covered) in product(range(layer.taken[0]), slides):
            unit = building.unit((channel, *place), sample, len(feeds), active=False)
            window = tuple(feed[number[channel, *spot]] for _, spot in covered)
            pooled(unit, window, (unit.delta, Place(sample, building.at)))
            row.append(unit)
        units.append(tuple(row))
    return tuple(units)


def _flatten(building: Building, feeds: tuple[Row, ...]) -> Units:
    """torch.nn.Flatten: the numbers stand in a row already, so nothing is added."""
    return building.before[-1] if building.before else tuple(tuple(Unit(one, one, one) for one in row) for row in feeds)


def _rnn(building: Building, feeds: tuple[Row, ...]) -> Units:
    """torch.nn.RNN, unrolled: the same weights at every step of the sequence, and the first step has no past."""
    layer = building.layer
    length, features = layer.taken
    size = layer.tensors[0].shape[0]
    ih, hh, bias_ih, bias_hh = map(building.tensor, ("weights_ih", "weights_hh", "bias_ih", "bias_hh"))
    units = []
    for sample, feed in enumerate(feeds):
        states: list[list[Unit]] = []
        for step in range(length):
            past = states[-1] if states else []
            states.append([building.unit((step, place), sample, len(feeds)) for place in range(size)])
            for place, unit in enumerate(states[-1]):
                terms: list[Expr] = [
                    chain(ih[place, source], feed[step * features + source]) for source in range(features)
                ]
                terms += [chain(hh[place, source], before.out) for source, before in enumerate(past)]
                terms += [bias[place,] for bias in (bias_ih, bias_hh) if bias]
                building.net(unit, sample, terms, stage=step)
                building.activate(unit)
        kept = states if layer.option("return_sequences") else states[-1:]
        units.append(tuple(unit for state in kept for unit in state))
    return tuple(units)


def _residual(building: Building, feeds: tuple[Row, ...]) -> Units:
    """The layer before it plus an earlier one, number by number."""
    earlier = building.before[int(str(building.layer.option("from")))]
    units = []
    for sample, (feed, passed) in enumerate(zip(feeds, earlier, strict=True)):
        places = product(*map(range, building.layer.taken))
        row = tuple(building.unit(index, sample, len(feeds), active=False) for index in places)
        for unit, number, other in zip(row, feed, passed, strict=True):
            building.net(unit, sample, [number, other.out])
        units.append(row)
    return tuple(units)


# kind -> the function that adds a layer of it
KINDS: Mapping[str, Callable[[Building, tuple[Row, ...]], Units]] = {
    "linear": _linear,
    "conv1d": _conv,
    "conv2d": _conv,
    "max_pool2d": _max_pool,
    "avg_pool2d": _avg_pool,
    "flatten": _flatten,
    "rnn": _rnn,
    "attention": attention,
    "layer_norm": layer_norm,
    "batch_norm": batch_norm,
    "residual": _residual,
}
