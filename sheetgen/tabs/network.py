"""The Network tab: the picture of the network with live values, for the chosen rate and step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sympy import Symbol

from sheetgen.maths.network import Unit
from sheetgen.tabs import inputs, network_maps, network_picture, state, try_input
from sheetgen.tabs.network_picture import Edge, Node, Rank
from sheetgen.tabs.plan import Plan
from sheetgen.tabs.state import State
from sheetgen.xlsx.book import Tab
from sheetgen.xlsx.cells import Formula, column_letters
from sheetgen.xlsx.charts import HUES
from sheetgen.xlsx.shapes import Grid
from sheetgen.xlsx.style import fit_screen, furnish
from sheetgen.xlsx.units import EMU_PER_PIXEL, PAGE_HEIGHT, PAGE_WIDTH

PICTURE_TOP, PICTURE_LEFT = 4, 4
# Of more samples, the picture shows one of so many: CHOOSE takes no more.
MAX_SAMPLES = 254


def fill(tab: Tab, plan: Plan, *, trying: bool = True) -> State:
    """The tab; returns where the values at the chosen rate and step stand, for the other tabs.

    With `trying`, it has cells for an input of the reader's own, and the formulas of its forward pass.
    """
    furnish(
        tab.ws,
        title="Network",
        subtitle="Choose a rate and a step in the yellow cells: picture, Derivation and Gradient check follow.",
        widths=[20, 16, 3],
        fit_height=True,
        tab_color="explain",
    )
    chosen = state.fill(tab, plan, step=0)
    for row in range(state.CHOICE_ROW, state.TOP + len(chosen.cells)):
        tab.ws.row_dimensions[row].height = network_picture.ROW_HEIGHT
    if plan.spec.dense:
        samples = min(plan.network.samples, MAX_SAMPLES)
        shown = _Shown(plan, chosen, samples)
        layers, edges = list(_layers(shown)), list(_edges(plan, chosen))
        picture = network_picture.draw(tab, PICTURE_TOP, PICTURE_LEFT, layers, edges)
        if samples > 1:
            _choose_sample(tab, plan, samples, picture.columns[1])
        if trying and plan.spec.plain:
            try_input.fill(tab, plan, chosen, picture)
        right = picture.right + 1
    else:
        bottom = network_maps.draw(tab, plan, chosen, PICTURE_TOP, PICTURE_LEFT)
        right = PICTURE_LEFT + network_maps.COLUMNS
        if plan.network.samples > 1:
            shown_first = "sample 1 of" if plan.spec.turns == 1 else "the first sample of a row's"
            tab.put(bottom + 2, PICTURE_LEFT, f"The picture shows {shown_first} {plan.network.samples}.", "muted")
    grid = Grid(tab.ws)
    fit_screen(tab.ws, grid.left(right + 1) / EMU_PER_PIXEL)
    _print(tab, right, grid)
    return chosen


def _print(tab: Tab, right: int, grid: Grid) -> None:
    """One page: the picture, and as much of the list of values as fits beside it; training tabs print the others."""
    room = PAGE_HEIGHT * max(1.0, grid.left(right + 1) / EMU_PER_PIXEL / PAGE_WIDTH)
    drawn = max(row for row, column in tab.ws._cells if column >= PICTURE_LEFT)
    rows = range(PICTURE_TOP, tab.ws.max_row + 1)
    listed = max((row for row in rows if grid.top(row + 1) / EMU_PER_PIXEL <= room), default=0)
    tab.ws.print_area = f"A1:{column_letters(right)}{max(drawn, listed)}"


def _choose_sample(tab: Tab, plan: Plan, samples: int, column: int) -> None:
    """The sample that the picture shows, above it."""
    row = PICTURE_TOP - 1
    tab.put(row, column - 2, "sample shown", "axis")
    cell = tab.put(row, column, 1, "choice")
    tab.ws.row_dimensions[row].height = network_picture.ROW_HEIGHT
    tab.define("chosen_sample", f"${column_letters(column)}${row}")
    numbers, first = column_letters(inputs.DATA), inputs.TOP + 2
    tab.offer(cell.coordinate, f"{inputs.TAB}!${numbers}${first}:${numbers}${first + samples - 1}")
    if plan.network.samples > samples:
        tab.put(row, column + 2, f"of the first {samples}", "muted")


@dataclass(frozen=True)
class _Shown:
    """What the picture shows: the values of the chosen sample, for symbols that every sample has."""

    plan: Plan
    chosen: State
    samples: int

    def one(self, title: str, *each: tuple[Symbol, ...]) -> Node:
        """A node of lines, each the symbols of all the samples, or of one if it has no samples."""
        return Node(title, tuple(self._line(symbols) for symbols in each))

    def _line(self, symbols: tuple[Symbol, ...]) -> tuple[str, Formula]:
        if len(symbols) == 1:
            return symbols[0].name, self.chosen.formula(symbols[0])
        cells = ",".join(self.chosen.cells[symbol].split("!")[1] for symbol in symbols[: self.samples])
        return symbols[0].name.removesuffix("[1]"), Formula(f"=CHOOSE(chosen_sample,{cells})")


def _layers(shown: _Shown) -> Iterator[Rank]:
    """Inputs, units of each layer, errors and the total, for the chosen sample of a row."""
    plan, network = shown.plan, shown.plan.network
    first = (shown.one(f"input {number}", each) for number, each in enumerate(zip(*network.inputs, strict=True), 1))
    yield Rank("Inputs", tuple(first), HUES[0])
    for place, layer in enumerate(zip(*network.units, strict=True)):
        last = place == len(plan.spec.layers) - 1
        word = "output" if last else "hidden"
        title = f"{word.capitalize()}{'' if last or len(plan.spec.layers) == 2 else f' {place + 1}'}"
        biases = {p.unit: p.symbol for p in network.of_layer(place) if p.source is None}
        nodes = []
        for index, unit in enumerate(zip(*layer, strict=True)):
            own = [(biases[index],)] if index in biases else []
            lines = (*own, tuple(each.net for each in unit), tuple(each.out for each in unit))
            nodes.append(shown.one(f"{word} {index + 1}", *lines))
        activation = plan.spec.layers[place].activation
        yield Rank(f"{title}: {activation}", tuple(nodes), HUES[1] if last else HUES[2])
    parts = zip(zip(*network.targets, strict=True), zip(*network.errors, strict=True), strict=True)
    yield Rank("Errors", tuple(shown.one(f"error {number}", *pair) for number, pair in enumerate(parts, 1)), HUES[3])
    yield Rank("Loss", (shown.one("total", (network.total,)),), HUES[8])


def _edges(plan: Plan, chosen: State) -> Iterator[Edge]:
    network = plan.network
    for p in network.parameters:
        if p.source is not None:
            yield Edge(p.layer, p.source, p.unit, p.symbol.name, chosen.formula(p.symbol))
    outputs: tuple[Unit, ...] = network.units[0][-1]
    for place in range(len(outputs)):
        yield Edge(len(network.units[0]), place, place)
        yield Edge(len(network.units[0]) + 1, place, 0)
