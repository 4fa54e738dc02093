"""Try an input, on the Network tab: a typed input, and the forward pass to the network's answer below the picture."""

from __future__ import annotations

from sheetgen.maths.printer import excel
from sheetgen.tabs import network_picture
from sheetgen.tabs.network_picture import Picture, numbered
from sheetgen.tabs.plan import Plan
from sheetgen.tabs.plane_passes import pass_of
from sheetgen.tabs.state import State
from sheetgen.xlsx.book import Tab
from sheetgen.xlsx.cells import MAX_FORMULA, Formula, column_letters
from sheetgen.xlsx.page import heading
from sheetgen.xlsx.style import shorten_extreme

__all__ = ["MAX_CELLS", "fill"]

MAX_CELLS = 100
"""Values that a pass may have, for its cells to be shown."""


def fill(tab: Tab, plan: Plan, chosen: State, picture: Picture) -> None:
    """The cells, from the row after the picture on, each in the column of its layer."""
    one, spec = pass_of(plan.network), plan.spec
    top = picture.bottom + 2
    columns = picture.right - picture.columns[0] + 2
    heading(tab, top, columns, "Try an input", picture.columns[0] - 1, height=network_picture.ROW_HEIGHT)
    if len(one.inputs) + len(one.equations) > MAX_CELLS:
        text = f"left out: the forward pass of one input has more than {MAX_CELLS} values"
        tab.put(top + 1, picture.columns[0] - 1, text, "muted")
        return
    tab.put(top + 1, picture.columns[0], "type here", "node_title")
    tab.put(top + 1, picture.columns[len(spec.layers)], "the answer", "node_title")
    cells = dict(chosen.cells)
    for row, (symbol, value) in enumerate(zip(one.inputs, spec.inputs[0], strict=True), top + 2):
        letters = column_letters(picture.columns[0])
        cells[symbol] = f"${letters}${row}"
        label = one.label(symbol)
        tab.put(row, picture.columns[0], value, "input", numbered(label, "General"))
    places = {
        symbol: layer
        for layer, units in enumerate(plan.network.units[0], 1)
        for unit in units
        for symbol in (unit.net, unit.out)
    }
    rows = [top + 2] * (len(spec.layers) + 1)
    for each in one.equations:
        # what softmax needs beside its net inputs belongs to the last layer
        layer = places.get(each.symbol, len(spec.layers))
        row, column = rows[layer], picture.columns[layer]
        rows[layer] += 1
        cells[each.symbol] = f"${column_letters(column)}${row}"
        text = excel(each.expr, cells)
        assert len(text) <= MAX_FORMULA, "MAX_CELLS is small"
        role, label = "result" if each.symbol in one.outputs else "formula", one.label(each.symbol)
        cell = tab.put(row, column, Formula(f"={text}"), role, numbered(label))
        shorten_extreme(tab.ws, cell.coordinate, numbered(label, "0.0E+00"))
