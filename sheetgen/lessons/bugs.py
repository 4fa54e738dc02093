"""Mistakes that people make in such a table, planted: each in one place, and each changes a number."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sympy import Expr, Integer, Piecewise, Symbol, exp

from sheetgen.errors import ExcelError, SpecError
from sheetgen.lessons.exercise import Exercise, with_formulas
from sheetgen.maths.algebra import Chain, Total, before, chain, sigmoid, total
from sheetgen.maths.derive import Equations
from sheetgen.maths.network import Network
from sheetgen.maths.rules import averages
from sheetgen.maths.steps import evaluate, given_values, setting_values, trace

__all__ = ["Bug", "formulas_of", "plant"]

# A planted mistake must change a number by more than what the judge's central differences leave.
CLEAR, AT_LEAST = 2e-5, 2e-8


@dataclass(frozen=True)
class Bug:
    """A mistake in words, and the formulas of the columns that have it, row 0's and those below."""

    words: str
    columns: Mapping[Symbol, tuple[Expr, Expr]]


def plant(exercise: Exercise) -> tuple[Bug, ...]:
    """The bugs of an exercise, drawn by its seed: of different kinds while there are any, in columns of their own.

    SpecError if the network has not room for as many.
    """
    if not exercise.bugs:
        return ()
    draw = random.Random(f"sheetgen bugs {exercise.seed}")
    equations = exercise.equations
    kinds = [list(kind(equations)) for kind in _KINDS]
    draw.shuffle(kinds)
    for found in kinds:
        draw.shuffle(found)
    chosen: list[Bug] = []
    taken: set[Symbol] = set()
    for depth in range(max(map(len, kinds))):
        for found in kinds:
            if len(chosen) == exercise.bugs:
                break
            if depth >= len(found) or taken & found[depth].columns.keys():
                continue
            if _all_show(exercise, [*chosen, found[depth]]):
                chosen.append(found[depth])
                taken |= found[depth].columns.keys()
    if len(chosen) < exercise.bugs:
        raise SpecError(f"--bugs: {exercise.bugs} are asked for, and this network has room for {len(chosen)}")
    order = {column.symbol: place for place, column in enumerate(equations.columns)}
    return tuple(sorted(chosen, key=lambda bug: min(order[symbol] for symbol in bug.columns)))


def formulas_of(bugs: Sequence[Bug]) -> dict[Symbol, tuple[Expr, Expr]]:
    """The formulas of every column that has a bug."""
    return {symbol: pair for bug in bugs for symbol, pair in bug.columns.items()}


def _all_show(exercise: Exercise, bugs: Sequence[Bug]) -> bool:
    """Whether each changes what its columns show after an update, by more than a trifle, and leaves numbers there."""
    equations, run = exercise.equations, exercise.spec.runs[0]
    planted = with_formulas(equations, formulas_of(bugs))
    symbols = [column.symbol for column in equations.columns]
    known = {**given_values(exercise.spec), **setting_values(equations, run)}
    first, second = trace(planted, run)[:2]
    values = {
        **known, **dict(zip(symbols, second, strict=True)), **dict(zip(map(before, symbols), first, strict=True)),
    }  # fmt: skip
    right = {column.symbol: column.fill for column in equations.columns}
    return all(_differs(right[symbol], symbol, values) for bug in bugs for symbol in bug.columns)


def _differs(right: Expr, symbol: Symbol, values: Mapping[Symbol, Any]) -> bool:
    belongs, there = evaluate(right, values), values[symbol]
    if isinstance(belongs, ExcelError) or isinstance(there, ExcelError):
        return False
    return bool(abs(belongs - there) > CLEAR * abs(belongs) + AT_LEAST)


Kind = Callable[[Equations], Iterator[Bug]]


def _gradients(equations: Equations) -> dict[Symbol, Expr]:
    """The columns that hold the chain rule: the gradients, and δ where they have columns."""
    return {column.symbol: column.fill for column in equations.columns if column.kind in ("gradient", "delta")}


def _same(words: str, columns: Mapping[Symbol, Expr]) -> Iterator[Bug]:
    """A bug of formulas that are the same in row 0 and below; none if there are none."""
    if columns:
        yield Bug(words, {symbol: (expr, expr) for symbol, expr in columns.items()})


def _swap(equations: Equations, names: Mapping[Symbol, Expr], of: list[Symbol]) -> dict[Symbol, Expr]:
    """Those of the columns that change if some symbols stand for others."""
    own = _gradients(equations)
    return {symbol: new for symbol in of if symbol in own and (new := own[symbol].xreplace(names)) != own[symbol]}


def _slope_of_another(equations: Equations) -> Iterator[Bug]:
    """The slope of one hidden unit's activation in the gradients of another's weights."""
    network = equations.network
    for layers in network.units:
        for layer, units in enumerate(layers[:-1]):
            for place, unit in enumerate(units):
                for other in units:
                    if other is unit:
                        continue
                    own = [unit.delta, *(p.gradient for p in network.of_layer(layer) if p.unit == place)]
                    names = {unit.out: other.out, unit.net: other.net}
                    words = f"the slope of {other.out.name} where that of {unit.out.name} belongs"
                    found = _swap(equations, names, own)
                    if network.closed is None:
                        found = {symbol: expr for symbol, expr in found.items() if symbol == unit.delta}
                    yield from _same(words, found)
                    for symbol, expr in found.items() if len(found) > 1 else ():
                        yield from _same(words, {symbol: expr})


def _net_for_activation(equations: Equations) -> Iterator[Bug]:
    """The net input of a unit where its activation belongs, in the gradient of a weight that it feeds."""
    network = equations.network
    for parameter in network.trained:
        if parameter.source is None or parameter.layer == 0:
            continue
        feeds = [layers[parameter.layer - 1][parameter.source] for layers in network.units]
        found = _swap(equations, {unit.out: unit.net for unit in feeds}, [parameter.gradient])
        yield from _same(f"{feeds[0].net.name} where {feeds[0].out.name} belongs", found)


def _another_output(equations: Equations) -> Iterator[Bug]:
    """The activation, or the target, of another output."""
    network = equations.network
    last = len(network.spec.layers) - 1
    for sample, layers in enumerate(network.units):
        for place, unit in enumerate(layers[last]):
            for other_place, other in enumerate(layers[last]):
                if other is unit:
                    continue
                own = [unit.delta, *(p.gradient for p in network.of_layer(last) if p.unit == place)]
                targets = network.targets[sample]
                for there, belongs in ((other.out, unit.out), (targets[other_place], targets[place])):
                    for symbol, expr in _swap(equations, {belongs: there}, own).items():
                        yield from _same(f"{there.name} where {belongs.name} belongs", {symbol: expr})


def _transposed(equations: Equations) -> Iterator[Bug]:
    """Weights taken along the row of the matrix where its column belongs."""
    network = equations.network
    for layer in range(1, len(network.spec.layers)):
        weights = {(p.unit, p.source): p.symbol for p in network.of_layer(layer) if p.source is not None}
        if len({unit for unit, _ in weights}) != len({source for _, source in weights}) or len(weights) < 4:
            continue
        names = {symbol: weights[source, unit] for (unit, source), symbol in weights.items()}
        own = [p.gradient for p in network.of_layer(layer - 1)]
        own += [unit.delta for layers in network.units for unit in layers[layer - 1]]
        yield from _same("the weights of the next layer the other way round", _swap(equations, names, own))


def _no_brackets(equations: Equations) -> Iterator[Bug]:
    """No brackets around the paths: what follows multiplies the last of them alone."""
    for symbol, expr in _gradients(equations).items():
        if isinstance(expr, Chain) and isinstance(expr.args[0], Total):
            *first, last = expr.args[0].args
            yield from _same("no brackets around the sum of the paths", {
                symbol: total(*first, chain(last, *expr.args[1:]))
            })  # fmt: skip


def _product_for_difference(equations: Equations) -> Iterator[Bug]:
    """The output times its target where their difference belongs."""
    network = equations.network
    pairs = [
        (unit.out, target)
        for layers, targets in zip(network.units, network.targets, strict=True)
        for unit, target in zip(layers[-1], targets, strict=True)
    ]
    names = {out - target: chain(out, target) for out, target in pairs}
    for symbol, expr in _gradients(equations).items():
        changed = expr.xreplace(names)
        if changed != expr:
            yield from _same("a product where a difference belongs", {symbol: changed})


def _copied(equations: Equations) -> Iterator[Bug]:
    """One gradient is a copy of another."""
    trained = equations.network.trained
    own = _gradients(equations)
    for one in trained:
        for other in trained:
            if one is not other and one.layer == other.layer:
                words = f"a copy of {other.gradient.name}"
                yield from _same(words, {one.gradient: own[other.gradient]})


def _sideways(equations: Equations) -> Iterator[Bug]:
    """An update takes the gradient of the weight beside it."""
    columns = {column.symbol: column for column in equations.columns}
    trained = equations.network.trained
    for one, other in zip(trained[1:], trained, strict=False):
        column = columns[one.symbol]
        fill = column.fill.xreplace({before(one.gradient): before(other.gradient)})
        if fill != column.fill:
            words = f"{other.gradient.name} in the update of {one.symbol.name}"
            yield Bug(words, {one.symbol: (column.start, fill)})


def _one_part(equations: Equations) -> Iterator[Bug]:
    """The loss is one of its parts."""
    network = equations.network
    if network.samples == 1 and len(network.errors[0]) > 1 and not averages(network.spec):
        for part in network.errors[0]:
            yield from _same(f"E_total is {part.name} alone", {network.total: part})


def _no_minus(equations: Equations) -> Iterator[Bug]:
    """No minus in EXP."""
    for column in equations.columns:
        if column.kind == "out" and isinstance(column.fill, sigmoid):
            yield from _same("no minus in EXP", {column.symbol: 1 / (1 + exp(column.fill.args[0]))})


def _nets_in_sum(equations: Equations) -> Iterator[Bug]:
    """A net input adds up net inputs where activations belong."""
    network: Network = equations.network
    columns = {column.symbol: column for column in equations.columns}
    for layers in network.units:
        for before_, units in pairwise(layers):
            names = {unit.out: unit.net for unit in before_}
            for unit in units:
                yield from _same("net inputs where activations belong", {
                    unit.net: columns[unit.net].fill.xreplace(names)
                })  # fmt: skip


def _no_mask(equations: Equations) -> Iterator[Bug]:
    """The slope of relu is left out."""
    for symbol, expr in _gradients(equations).items():
        if isinstance(expr, Chain):
            kept = [one for one in expr.args if not isinstance(one, Piecewise)]
            if len(kept) < len(expr.args):
                yield from _same("the slope of the activation is left out", {symbol: chain(*kept, Integer(1))})


_KINDS: tuple[Kind, ...] = (
    _slope_of_another, _net_for_activation, _another_output, _transposed, _no_brackets, _product_for_difference,
    _copied, _sideways, _one_part, _no_minus, _nets_in_sum, _no_mask,
)  # fmt: skip
