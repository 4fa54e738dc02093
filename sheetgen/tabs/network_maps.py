"""The Network tab of a network of maps, kernels and sequences: each a small grid of coloured cells with live values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from openpyxl.utils import get_column_letter
from sympy import Symbol

from sheetgen.maths.building import Unit, layer_prefix, suffix, unit_at
from sheetgen.maths.network import Network
from sheetgen.spec.structure import Layer, Shape
from sheetgen.tabs.kind_words import layer_words, shape_text
from sheetgen.tabs.plan import Plan
from sheetgen.tabs.state import State
from sheetgen.xlsx import formats
from sheetgen.xlsx.book import Tab
from sheetgen.xlsx.heat import scale
from sheetgen.xlsx.style import NEGATIVE, POSITIVE, WHITE

__all__ = ["draw"]

CELL_WIDTH, COLUMNS, ROW_HEIGHT = 7.5, 22, 18.0
Grid = list[list[Symbol]]
_SPREAD = (("mean", "mean"), ("std", "std"), ("n", "normalised"))
# kind -> what it computes between its input and its units: how the names begin, and what is written above them
_PARTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "attention": (
        ("q", "queries"), ("k", "keys"), ("v", "values"), ("s", "scores"), ("α", "shares α, a row for each query"),
        ("c", "contexts"),
    ),
    "layer_norm": _SPREAD,
    "batch_norm": _SPREAD,
}  # fmt: skip


@dataclass(frozen=True)
class Panel:
    """A grid of values under a caption."""

    caption: str
    grid: Grid


def draw(tab: Tab, plan: Plan, chosen: State, top: int, left: int) -> int:
    """The picture from the one-based row and column on: a band for each layer, from the inputs down; its last row."""
    for column in range(left, left + COLUMNS):
        tab.ws.column_dimensions[get_column_letter(column)].width = CELL_WIDTH
    row = top
    for title, panels in _bands(plan):
        tab.put(row, left, title, "panel_heading")
        row = _band(tab, chosen, panels, row + 1, left) + 2
    return row - 2


def _bands(plan: Plan) -> Iterator[tuple[str, list[Panel]]]:
    """What is drawn of the first sample of a row: inputs, each layer's parameters and units, the loss."""
    spec, network = plan.spec, plan.network
    shape = spec.shape or (len(spec.inputs[0]),)
    yield f"Inputs: {shape_text(shape)}", _maps("map" if len(shape) == 3 else "input", network.inputs[0], shape)
    for at, layer in enumerate(spec.layers):
        if layer.kind != "flatten":
            yield f"Layer {at + 1}: {layer_words(layer)}", [*_parameters(network, at), *_units(network, layer, at)]
    errors = [Panel("targets", [list(network.targets[0])]), Panel("errors", [list(network.errors[0])])]
    yield "Loss", [*errors, Panel("E_total", [[network.total]])]


def _maps(name: str, symbols: Sequence[Symbol], shape: Shape) -> list[Panel]:
    """One grid of a row or a sequence, one for each channel of maps."""
    width = shape[-1]
    rows = [list(symbols[at : at + width]) for at in range(0, len(symbols), width)]
    if len(shape) < 3:
        return [Panel(f"{name}s" if len(shape) == 1 else f"{name}s, a row per step", rows)]
    height = shape[1]
    return [Panel(f"{name} {at // height + 1}", rows[at : at + height]) for at in range(0, len(rows), height)]


def _parameters(network: Network, at: int) -> Iterator[Panel]:
    """Each tensor as grids, with the names of its entries."""
    own = network.of_layer(at)
    for tensor in network.spec.layers[at].parameters:
        mine = [parameter.symbol for parameter in own if parameter.tensor == tensor.name]
        width = tensor.shape[-1]
        size = width * (tensor.shape[-2] if len(tensor.shape) > 1 else 1)
        for start in range(0, len(mine), size):
            block = mine[start : start + size]
            names = block[0].name + (f" … {block[-1].name}" if len(block) > 1 else "")
            yield Panel(f"{tensor.name} {names}", [block[row : row + width] for row in range(0, size, width)])


def _units(network: Network, layer: Layer, at: int) -> Iterator[Panel]:
    """The net inputs and what comes out; of a recurrent layer every step."""
    units: Sequence[Unit] = network.units[0][at]
    shape = layer.given or (layer.units,)
    if layer.kind == "rnn" and not layer.option("return_sequences"):
        units, shape = _steps(network, at, layer), (layer.taken[0], layer.units)
    for letter, caption in _PARTS.get(layer.kind, ()):
        yield from _part(network, at, letter, caption)
    if layer.active:
        yield from _maps("net input", [unit.net for unit in units], shape)
    name = "activation" if layer.active else "map" if len(shape) == 3 else "output"
    yield from _maps(name, [unit.out for unit in units], shape)


def _part(network: Network, at: int, letter: str, caption: str) -> Iterator[Panel]:
    """What a layer computes between its input and its units, of the first sample: a row for each position."""
    head = f"{letter}_{layer_prefix(len(network.spec.layers), at)}"
    shared = head.removesuffix("_")
    end = suffix(0, network.samples)
    rows: dict[str, list[Symbol]] = {}
    for equation in network.forward:
        name = equation.symbol.name
        if (name.startswith(head) or name in (shared, shared + end)) and (name.endswith(end) or "[" not in name):
            rows.setdefault(name.removesuffix(end).rpartition(",")[0], []).append(equation.symbol)
    if rows:
        yield Panel(caption, list(rows.values()))


def _steps(network: Network, at: int, layer: Layer) -> list[Unit]:
    """The units of every step, of which the layer gives the last alone."""
    end, layers = suffix(0, network.samples), len(network.spec.layers)
    places = product(range(layer.taken[0]), range(layer.units))
    return [unit_at(layers, at, index, end) for index in places]


def _band(tab: Tab, chosen: State, panels: Sequence[Panel], row: int, left: int) -> int:
    """The panels from left to right, in as many lines as they need; the last row."""
    column, bottom = left, row
    for panel in panels:
        wide = len(panel.grid[0])
        room = max(wide, -(-len(panel.caption) // 8))
        if column > left and column + room > left + COLUMNS:
            row, column = bottom + 1, left
        tab.put(row, column, panel.caption, "caption")
        for down, symbols in enumerate(panel.grid, row + 1):
            for across, symbol in enumerate(symbols, column):
                tab.put(down, across, chosen.formula(symbol), "small_cell", formats.MEAN)
        last = row + len(panel.grid)
        _colour(tab, f"{get_column_letter(column)}{row + 1}:{get_column_letter(column + wide - 1)}{last}")
        bottom = max(bottom, last)
        column += room + 1
    return bottom


def _colour(tab: Tab, cells: str) -> None:
    """From the colour of −1 and below over white at 0 to that of 1 and above."""
    scale(tab.ws, cells, (("num", -1), ("num", 0), ("num", 1)), (NEGATIVE, WHITE, POSITIVE))
