"""What network a table trains: its sizes from the labels, and everything else from what most of its formulas do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import pairwise, product

from sheetgen.check.foreign.network import ACTIVATIONS, LOSSES, Network
from sheetgen.check.foreign.tables import Table
from sheetgen.errors import CheckError

__all__ = ["infer", "infer_order", "sizes_of", "textbook"]

Offset = Callable[[Network, str], float | None]
"""What a symbol's cell has more than the network says, if that is one number."""
Score = Callable[[Network, Iterable[str], int], tuple[int, int]]
"""How many of some symbols' cells are as the network says, if they are more than that, and how many there are."""

_UNIT = re.compile(r"(?:a_|δ_)?([ho])(?:(\d+)_)?(\d+)(?:\[(\d+)\])?")
_NUMBERED = re.compile(r"([iteEwb])(\d+)(?:\[(\d+)\])?")
TRIED = 2
"""Layers whose weights' order is tried in both ways; of more, all in one way."""


def sizes_of(table: Table) -> Network:
    """The network that the labels count; CheckError, which names no file, if its numbers do not fit together."""
    most: Counter[str] = Counter()
    for symbol in (name.rstrip("⁺") for name in table.columns):
        if found := _UNIT.fullmatch(symbol):
            key = "o" if found[1] == "o" else f"h{int(found[2] or 1)}"
            most[key] = max(most[key], int(found[3]))
            most["sample"] = max(most["sample"], int(found[4] or 1))
        elif found := _NUMBERED.fullmatch(symbol):
            most[found[1]] = max(most[found[1]], int(found[2]))
            most["sample"] = max(most["sample"], int(found[3] or 1))
    hidden = [most[f"h{layer}"] for layer in range(1, 1 + sum(key[0] == "h" for key in most))]
    outputs = most["o"] or most["t"] or most["E"]
    inputs = most["i"] or _inputs(most["w"], [*hidden, outputs])
    units = (inputs, *hidden, outputs)
    weights = sum(a * b for a, b in pairwise(units))
    shown = "-".join(map(str, units))
    if not all(units) or weights != most["w"]:
        names = f"w1 to w{most['w']}"
        raise CheckError(f"its labels give a {shown} network, which has {weights} weights, and it has {names}")
    return Network(units, _biases(most["b"], units)[0], max(1, most["sample"]))


def _inputs(weights: int, units: list[int]) -> int:
    """How many inputs there are if no column has them."""
    rest = weights - sum(a * b for a, b in pairwise(units))
    return rest // units[0] if units[0] and rest > 0 and rest % units[0] == 0 else 0


def _biases(count: int, units: tuple[int, ...]) -> list[tuple[str, ...]]:
    """Which layers may have how many biases, if there are so many; one for each layer first."""
    layers = units[1:]
    found = [
        kinds
        for kinds in product(("shared", "own", ""), repeat=len(layers))
        if sum(size if kind == "own" else kind == "shared" for kind, size in zip(kinds, layers, strict=True)) == count
    ]
    if found:
        return found
    names = f"b1 to b{count}"
    raise CheckError(f"its labels give a {'-'.join(map(str, units))} network, and it has {names}, which fit no layers")


def textbook(start: Network) -> Network:
    """The network of these sizes as a textbook has it: sigmoid units, weights numbered by unit."""
    return replace(start, by_input=(False,) * start.depth, activations=("sigmoid",) * start.depth)


def infer(start: Network, score: Score, has: Callable[[str], bool], offset: Offset) -> Network:
    """The network of these sizes under which most cells are right; what nothing tells is as in the textbook."""
    network = textbook(start)
    count = sum(name.startswith("b") for name in network.weights)
    ways = [replace(network, biases=kinds) for kinds in _biases(count, network.units)]
    for turn in range(2):  # without net inputs, one tells nothing before the other is known
        network = _best(network, ways, score, _nets(network))
        network = _best(network, _orders(network), score, _nets(network))
        network = _with_activations(network, score)
        if not turn:
            network = _with_offsets(network, offset)
        ways = [replace(network, biases=one.biases) for one in ways]
    return _with_gradients(_with_loss(network, score, has), score, (False,))


def _with_offsets(network: Network, offset: Offset) -> Network:
    """With the numbers that the nets of a layer have more than their sums, if each of them has one."""
    found: list[tuple[float, ...]] = []
    for layer in range(1, network.depth + 1):
        size = network.units[layer]
        known = replace(network, offsets=(*found, *((0.0,) * units for units in network.units[layer:])))
        mark = network.sample_marks()[0]
        more = [offset(known, network.net(layer, unit, mark)) for unit in range(size)]
        elsewhere = {one for row in found for one in row}
        if len(set(more)) > 1 and elsewhere:
            # A layer that takes another layer's bias in one place has its own in the others.
            own = {one for one in more if one not in elsewhere and one is not None}
            more = [*own] * size if len(own) == 1 else [None if one in elsewhere else one for one in more]
        found.append(tuple(0.0 if None in more else one or 0.0 for one in more))
    return replace(network, offsets=tuple(found)) if any(map(any, found)) else network


def infer_order(network: Network, score: Score) -> Network:
    """The same, or with gradients that look at updated weights, for which `score` must know the rate."""
    return _with_gradients(network, score, (True,))


def _with_activations(network: Network, score: Score) -> Network:
    for layer in range(1, network.depth + 1):
        outs = [
            network.out(layer, unit, mark) for mark in network.sample_marks() for unit in range(network.units[layer])
        ]
        allowed = [
            name for name in ACTIVATIONS if name != "softmax" or (layer == network.depth and network.units[-1] > 1)
        ]
        options = [
            replace(network, activations=(*network.activations[: layer - 1], name, *network.activations[layer:]))
            for name in allowed
        ]
        network = _best(network, options, score, outs)
    return network


def _with_loss(network: Network, score: Score, has: Callable[[str], bool]) -> Network:
    parts = [f"E{k + 1}{mark}" for mark in network.sample_marks() for k in range(network.units[-1])]
    parts = [one for one in parts if has(one)]
    if parts:
        network = _best(network, [replace(network, loss=name) for name in LOSSES], score, parts)
        losses = [network.loss]
    else:
        losses = list(LOSSES)
    totals = [replace(network, loss=name, factor=factor) for name, factor in product(losses, _factors(network))]
    network = _best(network, totals, score, ["E_total"])
    return replace(network, gradient_loss=network.loss, gradient_factor=network.factor)


def _with_gradients(network: Network, score: Score, orders: tuple[bool, ...]) -> Network:
    gradients = [f"∂E/∂{name}" for name in network.weights]
    others = (
        replace(network, gradient_loss=name, gradient_factor=factor, output_first=first)
        for first, name, factor in product(orders, LOSSES, _signed(network))
    )
    network = _best(network, others, score, gradients)
    deltas = [name for name in network.equations if name.startswith("δ")]
    # Gradients that are made of δ are right with either sign of it.
    turned = replace(network, gradient_factor=-network.gradient_factor)
    right = score(network, gradients, -1)[0]
    alike = (one for one in (turned,) if score(one, gradients, right - 1)[0] == right)
    return _best(network, [replace(network, factor_in_delta=False), *alike], score, deltas)


def _nets(network: Network) -> list[str]:
    marks = network.sample_marks()
    layers = range(1, network.depth + 1)
    return [f(layer, unit, mark) for layer in layers for unit in range(network.units[layer]) for mark in marks
            for f in (network.net, network.out)]  # fmt: skip


def _orders(network: Network) -> Iterator[Network]:
    ways = product((False, True), repeat=network.depth)
    for way in ways if network.depth <= TRIED else ((False,) * network.depth, (True,) * network.depth):
        yield replace(network, by_input=way)


def _factors(network: Network) -> list[float]:
    outputs, samples = network.units[-1], network.samples
    return list(dict.fromkeys([1.0, 1 / outputs, 1 / samples, 1 / (outputs * samples), 0.5, 2.0]))


def _signed(network: Network) -> list[float]:
    """Those of gradients, which some hold the other way round, to be added."""
    return [sign * factor for sign in (1, -1) for factor in _factors(network)]


def _best(start: Network, options: Iterable[Network], score: Score, symbols: list[str]) -> Network:
    """The first of the options that is right most often, looking no further where all is right."""
    best, (most, there) = start, score(start, symbols, -1)
    for option in options:
        if most == there:
            return best
        if (right := score(option, symbols, most)[0]) > most:
            best, most = option, right
    return best
