"""What helps with each blank, a little at a time: in words, then the chain in symbols, then its factors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sympy import Symbol

from sheetgen.lessons.exercise import Exercise
from sheetgen.maths.derive import Column
from sheetgen.maths.network import Network, Parameter, Unit
from sheetgen.maths.printer import text
from sheetgen.maths.rules import LOSSES, RATE, averages
from sheetgen.maths.story import Story, tell
from sheetgen.tabs.layout import Table
from sheetgen.tabs.words import ACTIVATION_WORDS, parameter_path, update_words

__all__ = ["LEVELS", "hints_of"]

LEVELS = 3
Hints = tuple[str, ...]


def hints_of(exercise: Exercise, table: Table) -> Iterator[tuple[Symbol, Hints]]:
    """The three hints of each blank, in the table's order."""
    network = exercise.equations.network
    stories = {one.parameter.gradient: one for one in tell(network)} if network.closed is not None else {}
    units = {
        symbol: (layer, place, unit)
        for layers in network.units
        for layer, row in enumerate(layers)
        for place, unit in enumerate(row)
        for symbol in (unit.net, unit.out, unit.delta)
    }
    parameters = {one.gradient: one for one in network.trained}

    def of(column: Column) -> Hints:
        symbol = column.symbol
        if symbol in stories:
            return _of_story(network, stories[symbol])
        if symbol in parameters:
            return _of_gradient(network, parameters[symbol])
        if column.kind == "delta":
            return _of_delta(network, *units[symbol])
        if column.kind in ("net", "out") and symbol in units:
            return _of_unit(network, column, *units[symbol])
        if column.kind == "softmax":
            return _of_softmax(column)
        if column.kind in ("error", "total"):
            return _of_loss(network, column)
        return _of_update(exercise, table, column)

    answers = [text(column.fill) for column in exercise.counted if column.fill.args]
    for column in exercise.counted:
        yield column.symbol, tuple(_without(hint, answers) for hint in of(column))


def _without(hint: str, answers: Sequence[str]) -> str:
    """The hint with "?" where it would be an answer: a factor can be the whole of a gradient."""
    for answer in answers:
        hint = hint.replace(answer, "?")
    return hint


def _of_story(network: Network, story: Story) -> Hints:
    parameter = story.parameter
    name, where = parameter.symbol.name, parameter_path(network.spec, parameter)
    ends = list(dict.fromkeys(path.loss.name for path in story.paths))
    words = (
        f"{name} ({where}) changes the loss only through what it feeds. Follow it from {where.split()[-1]} to "
        f"{' and '.join(ends)}"
        + (f": {len(story.paths)} ways, and what comes along them adds up." if len(story.paths) > 1 else ": one way.")
    )
    chains = "  +  ".join(" · ".join(factor.name for factor in path.factors) for path in story.paths)
    factors = dict.fromkeys(f"{one.name} = {text(one.expr)}" for path in story.paths for one in path.factors)
    return words, f"∂E_total/∂{name} = {chains}", ";   ".join(factors)


def _of_gradient(network: Network, parameter: Parameter) -> Hints:
    unit = network.units[0][parameter.layer][parameter.unit]
    source = text(network.partials[unit.net, parameter.symbol])
    own = unit.net.name.partition("[")[0]
    several = network.samples > 1
    words = f"{parameter.symbol.name} enters the net input {own} and nothing else: how does the loss change with {own}?"
    if several:
        words += f" Each of the {network.samples} samples has its part, and the loss is their {_mean(network)}."
    of = "of a sample" if several else ""
    chains = f"∂E/∂{parameter.symbol.name} {of} = ∂E/∂{own} · ∂{own}/∂{parameter.symbol.name}"
    factors = f"∂E/∂{own} is the column {unit.delta.name};   ∂{own}/∂{parameter.symbol.name} = {source}"
    return (
        words,
        chains.replace("  ", " "),
        factors + (f";   the {_mean(network)} over {network.samples} samples" if several else ""),
    )


def _mean(network: Network) -> str:
    """What the loss is of its samples' parts."""
    return "sum" if network.spec.reduction == "sum" else "mean"


def _of_delta(network: Network, layer: int, place: int, unit: Unit) -> Hints:
    own = unit.net.name
    if layer == len(network.spec.layers) - 1:
        words = f"{unit.delta.name} is how the loss of the sample changes with the net input {own} of an output."
        loss = LOSSES[network.spec.loss]
        if loss.of_activation is None:
            slope = "Put the activation into the loss before you take the derivative: most of it cancels."
            return words, f"{unit.delta.name} = ∂E/∂{own}. {loss.text}", slope
        node = next(node for node, by in network.partials if by == unit.out and node.name.startswith("E"))
        pairs = ((node, unit.out), (unit.out, unit.net))
        factors = (f"∂{a.name}/∂{b.name} = {text(network.partials[a, b])}" for a, b in pairs)
        return words, f"{unit.delta.name} = ∂E/∂{unit.out.name} · ∂{unit.out.name}/∂{own}", ";   ".join(factors)
    sample = next(at for at, layers in enumerate(network.units) if layers[layer][place] is unit)
    fed = network.units[sample][layer + 1]
    names = ", ".join(one.net.name for one in fed)
    words = f"{own} reaches the loss through what {unit.out.name} feeds: {names}. What comes back from each adds up."
    chains = " + ".join(f"{one.delta.name} · ∂{one.net.name}/∂{unit.out.name}" for one in fed)
    weights = (f"∂{one.net.name}/∂{unit.out.name} = {text(network.partials[one.net, unit.out])}" for one in fed)
    slope = f"∂{unit.out.name}/∂{own} = {text(network.partials[unit.out, unit.net])}"
    return words, f"{unit.delta.name} = ({chains}) · ∂{unit.out.name}/∂{own}", ";   ".join([*weights, slope])


def _of_unit(network: Network, column: Column, layer: int, place: int, unit: Unit) -> Hints:
    activation = network.spec.layers[layer].activation
    if column.kind == "out":
        words = f"{unit.out.name} is what the unit passes on: its activation, {activation}, of its net input."
        return words, ACTIVATION_WORDS[activation], f"The net input is in the column {unit.net.name}."
    own = [one for one in network.of_layer(layer) if one.unit == place]
    pairs = [
        f"{one.symbol.name} with {text(network.partials[unit.net, one.symbol])}"
        for one in own
        if one.source is not None
    ]
    bias = [f"{one.symbol.name} alone" for one in own if one.source is None]
    words = f"{unit.net.name} is the net input: what arrives at the unit, each value times the weight on its way."
    return words, f"{unit.net.name} = Σ weight · value" + (" + bias" if bias else ""), ";   ".join([*pairs, *bias])


def _of_softmax(column: Column) -> Hints:
    name = column.symbol.name
    if name.startswith("max"):
        return (
            f"{name} is the largest net input of the outputs. It is taken from each of them before EXP.",
            "exp(x − m) / Σ exp(xj − m) is the same for every m: with the largest as m, nothing overflows.",
            "MAX takes several cells.",
        )
    return (
        f"{name} is what the outputs' activations are divided by, so that they add up to 1.",
        f"{name} = Σ exp(net input − largest net input)",
        "One EXP for each output.",
    )


def _of_loss(network: Network, column: Column) -> Hints:
    name, loss = column.symbol.name, LOSSES[network.spec.loss]
    parts = ", ".join(sorted(one.name for one in column.fill.free_symbols))
    if column.kind == "error":
        return (
            f"{name} is this output's part of the loss: how far it is from its target.",
            loss.text,
            f"It needs {parts}.",
        )
    over = " and the outputs" if averages(network.spec) else ""
    several = network.spec.reduction == "mean" and (network.samples > 1 or loss.mean)
    mean = f": the mean over the samples{over}" if several else ": their sum"
    return (
        f"{name} is what training makes small; it is made of the parts of every output.",
        f"E_total{mean}.",
        f"It needs {parts}.",
    )


def _of_update(exercise: Exercise, table: Table, column: Column) -> Hints:
    name = column.symbol.name
    spec = exercise.spec
    rate = table.settings[RATE]
    above = "" if column.kind == "next" else " All of it stands one row above."
    needed = ", ".join(
        f"{letter.name} in {cell}" for letter, cell in table.settings.items() if letter in column.fill.free_symbols
    )
    symbols = sorted(one.name.rstrip("⁻") for one in column.fill.free_symbols if one not in table.settings)
    words: Mapping[str, str] = {
        "parameter": f"{name} after an update: the gradient says which way is up, the rate how far to go down.{above}",
        "next": f"{name} is already updated within this row, for the gradients of the layers before.",
        "state": f"{name} is what the optimizer remembers of the gradients so far.{above}",
    }
    anchored = f" The rate stays in {rate}: write it with both $, or it slides when you fill down." if needed else ""
    if needed and spec.schedule:
        anchored = " Numbers in the head stay there: write them with both $, or they slide when you fill down."
    factors = f"It needs {', '.join(symbols)}" + (f", and {needed}." if needed else ".")
    return words[column.kind], update_words(spec, spec.optimizers[0]), factors + anchored
