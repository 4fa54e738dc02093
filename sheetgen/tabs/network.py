"""The Network tab: the picture of the network with live values, for the chosen rate and step."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Symbol

from sheetgen.maths.network import Unit
from sheetgen.tabs import network_maps, network_picture, state
from sheetgen.tabs.network_picture import Edge, Node, Rank
from sheetgen.tabs.plan import Plan
from sheetgen.tabs.state import State
from sheetgen.xlsx.book import Tab
from sheetgen.xlsx.charts import HUES
from sheetgen.xlsx.style import furnish

PICTURE_TOP, PICTURE_LEFT = 4, 4


def fill(tab: Tab, plan: Plan) -> State:
    """The tab; returns where the values at the chosen rate and step stand, for the other tabs."""
    furnish(
        tab.ws,
        title="Network",
        subtitle="Choose a rate and a step in the yellow cells: picture, Derivation and Gradient check follow.",
        widths=[20, 16, 3],
        tab_color="explain",
    )
    chosen = state.fill(tab, plan, step=0)
    for row in range(state.CHOICE_ROW, state.TOP + len(chosen.cells)):
        tab.ws.row_dimensions[row].height = network_picture.ROW_HEIGHT
    if plan.spec.dense:
        layers, edges = list(_layers(plan, chosen)), list(_edges(plan, chosen))
        bottom = network_picture.draw(tab, PICTURE_TOP, PICTURE_LEFT, layers, edges).bottom
    else:
        bottom = network_maps.draw(tab, plan, chosen, PICTURE_TOP, PICTURE_LEFT)
    if plan.network.samples > 1:
        shown = "sample 1 of" if plan.spec.turns == 1 else "the first sample of a row's"
        note = f"The picture shows {shown} {plan.network.samples}."
        tab.put(bottom + 2, PICTURE_LEFT, note, "muted")
    return chosen


def _layers(plan: Plan, chosen: State) -> Iterator[Rank]:
    """Inputs, units of each layer, errors and the total, for the first sample of a row."""
    network = plan.network
    yield Rank("Inputs", _nodes("input", [[symbol] for symbol in network.inputs[0]], chosen), HUES[0])
    units = network.units[0]
    for place, layer in enumerate(units):
        last = place == len(units) - 1
        word = "output" if last else "hidden"
        title = f"{word.capitalize()}{'' if last or len(units) == 2 else f' {place + 1}'}"
        biases = {p.unit: p.symbol for p in network.of_layer(place) if p.source is None}
        shown = [
            [*([biases[index]] if index in biases else []), unit.net, unit.out] for index, unit in enumerate(layer)
        ]
        activation = plan.spec.layers[place].activation
        yield Rank(f"{title}: {activation}", _nodes(word, shown, chosen), HUES[1] if last else HUES[2])
    parts = [list(pair) for pair in zip(network.targets[0], network.errors[0], strict=True)]
    yield Rank("Errors", _nodes("error", parts, chosen), HUES[3])
    yield Rank("Loss", (_node("total", [network.total], chosen),), HUES[8])


def _nodes(word: str, shown: list[list[Symbol]], chosen: State) -> tuple[Node, ...]:
    return tuple(_node(f"{word} {number}", symbols, chosen) for number, symbols in enumerate(shown, 1))


def _node(title: str, symbols: list[Symbol], chosen: State) -> Node:
    return Node(title, tuple((symbol.name, chosen.formula(symbol)) for symbol in symbols))


def _edges(plan: Plan, chosen: State) -> Iterator[Edge]:
    network = plan.network
    for p in network.parameters:
        if p.source is not None:
            yield Edge(p.layer, p.source, p.unit, p.symbol.name, chosen.formula(p.symbol))
    outputs: tuple[Unit, ...] = network.units[0][-1]
    for place in range(len(outputs)):
        yield Edge(len(network.units[0]), place, place)
        yield Edge(len(network.units[0]) + 1, place, 0)
