"""A layer of attention: one head, in which every position of a sequence asks the others.

torch.nn.functional.scaled_dot_product_attention of linear queries, keys and values: softmax(Q·Kᵀ/√d_k)·V.
"""

from __future__ import annotations

from sympy import Integer, Max, Symbol, exp, sqrt

from sheetgen.maths.algebra import chain, softmax, total
from sheetgen.maths.building import Building, Row, Unit, Units, suffix, unit_at
from sheetgen.maths.graph import Equation, Place

__all__ = ["attention"]

# The parts of a layer in the order of their evaluation.
LINEAR, SCORE, SHARE, CONTEXT, RESULT = range(5)


def attention(building: Building, feeds: tuple[Row, ...]) -> Units:
    """Queries, keys, values, scores, shares, contexts; of those of all positions the mean, the last one, or all."""
    return tuple(_Sample(building, at, len(feeds)).units(feed) for at, feed in enumerate(feeds))


class _Sample:
    """What the layer makes of one sample."""

    def __init__(self, building: Building, sample: int, samples: int) -> None:
        self._building = building
        self._sample = sample
        self._samples = samples
        self._length, self._features = building.layer.taken
        self._size = building.layer.tensors[0].shape[0]

    def units(self, feed: Row) -> tuple[Unit, ...]:
        """The layer's units; of the last position alone only that one asks."""
        pooling = self._building.layer.option("pooling")
        asking = range(self._length - 1 if pooling == "last" else 0, self._length)
        queries = {at: self._linear("q", at, feed) for at in asking}
        keys = [self._linear("k", at, feed) for at in range(self._length)]
        values = [self._linear("v", at, feed) for at in range(self._length)]
        rows = [self._context(at, self._shares(at, queries[at], keys), values) for at in asking]
        if pooling != "mean":
            return tuple(unit for row in rows for unit in row)
        graph, pooled = self._building.graph, []
        for place, parts in enumerate(zip(*rows, strict=True)):
            unit = self._building.unit((place,), self._sample, self._samples, active=False)
            nets = [part.net for part in parts]
            delta = unit.delta, Place(self._sample, self._building.at, RESULT)
            graph.add(Equation(unit.net, total(*nets) / self._length, "net"), (), delta=delta)
            graph.link(unit.net, total(*(net / self._length for net in nets)), nets)
            pooled.append(unit)
        return tuple(pooled)

    def _part(self, letter: str, *index: int) -> Unit:
        """A number between the input and the units, such as q_h1,2."""
        unit = unit_at(
            self._building.count, self._building.at, index, suffix(self._sample, self._samples), active=False
        )
        name = f"{letter}_{unit.net.name}"
        return Unit(Symbol(name), Symbol(name), Symbol(f"δ_{name}"))

    def _linear(self, letter: str, at: int, feed: Row) -> list[Unit]:
        """A position's query, key or value: the same weights at every position."""
        weights = self._building.tensor(f"weights_{letter}")
        fed = feed[at * self._features : (at + 1) * self._features]
        row = [self._part(letter, at, place) for place in range(self._size)]
        for place, unit in enumerate(row):
            products = [chain(weights[place, source], number) for source, number in enumerate(fed)]
            self._building.net(unit, self._sample, products, stage=LINEAR)
        return row

    def _shares(self, at: int, query: list[Unit], keys: list[list[Unit]]) -> list[Unit]:
        """How much of each position's value a position takes: the softmax of its scores, which are products of its
        query with every key."""
        graph, place = self._building.graph, self._building.at
        scores = [self._part("s", at, other) for other in range(self._length)]
        for score, key in zip(scores, keys, strict=True):
            products = [chain(mine.net, its.net) for mine, its in zip(query, key, strict=True)]
            by = [unit.net for unit in (*query, *key)]
            delta = score.delta, Place(self._sample, place, SCORE)
            root = sqrt(Integer(self._size))
            graph.add(Equation(score.net, total(*products) / root, "part"), (), delta=delta)
            graph.link(score.net, total(*(product / root for product in products)), by)
        nets = [score.net for score in scores]
        asking = self._part("s", at).net.name
        highest, scale = Symbol(f"max_{asking}"), Symbol(f"Σexp_{asking}")
        graph.give(highest, Max(*nets, evaluate=False), "softmax")
        graph.give(scale, total(*(exp(net - highest) for net in nets)), "softmax")
        shares = [self._part("α", at, other) for other in range(self._length)]
        known = {softmax(net, *nets): share.net for net, share in zip(nets, shares, strict=True)}
        for net, share in zip(nets, shares, strict=True):
            delta = share.delta, Place(self._sample, place, SHARE)
            graph.add(Equation(share.net, exp(net - highest) / scale, "part"), (), delta=delta)
            graph.link(share.net, softmax(net, *nets), nets, known)
        return shares

    def _context(self, at: int, shares: list[Unit], values: list[list[Unit]]) -> list[Unit]:
        """The values of all positions, each by its share; with pooling they are no units of the layer."""
        pooling = self._building.layer.option("pooling")
        row = []
        for place in range(self._size):
            index = (place,) if pooling == "last" else (at, place)
            unit = self._part("c", *index)
            if pooling != "mean":
                unit = self._building.unit(index, self._sample, self._samples, active=False)
            products = [chain(share.net, value[place].net) for share, value in zip(shares, values, strict=True)]
            self._building.net(unit, self._sample, products, stage=CONTEXT)
            row.append(unit)
        return row
