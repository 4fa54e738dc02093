"""Inputs and targets that have no column: labelled numbers elsewhere on the tab, or what the formulas take for them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import product

from sheetgen.check.foreign.book import Book, Place
from sheetgen.check.foreign.draws import Draw, Machine
from sheetgen.check.foreign.labels import symbol_of
from sheetgen.check.foreign.network import Network
from sheetgen.check.foreign.tables import Table
from sheetgen.check.foreign.view import View
from sheetgen.formulas.parse import FormulaError
from sheetgen.xlsx.cells import is_number

__all__ = ["data_names", "implied_data", "labelled_data"]

MOST_WAYS = 8
"""Ways to take the numbers that are tried."""
LINEAR = 1e-7
DIGITS = 10
_INVERSE: tuple[Callable[[float], float], ...] = (
    lambda value: value,
    lambda value: math.log(value / (1 - value)) if 0 < value < 1 else math.nan,
    lambda value: math.atanh(value) if abs(value) < 1 else math.nan,
)


def data_names(network: Network) -> list[str]:
    """The symbols of inputs and targets."""
    sizes = (("i", network.units[0]), ("t", network.units[-1]))
    return [f"{letter}{k + 1}{mark}" for mark in network.sample_marks() for letter, size in sizes for k in range(size)]


def labelled_data(book: Book, table: Table) -> Iterator[tuple[str, float]]:
    """A labelled number elsewhere on the tab, beside or below its label."""
    cells = book.tabs[table.tab]
    for (row, column), cell in cells.items():
        symbol = symbol_of(cell.value) if cell.text is None else ""
        if (
            symbol[:1] not in ("i", "t")
            or symbol in table.columns
            or row in range(table.header_row, table.last_row + 1)
        ):
            continue
        for place in ((row, column + 1), (row + 1, column)):
            number = cells.get(place)
            if number is not None and is_number(number.value):
                yield symbol, float(number.value)
                break


def implied_data(view: View, network: Network, missing: list[str]) -> list[dict[str, float]]:
    """The numbers that formulas take for inputs and targets of one sample, as cells elsewhere or typed; ways to try.

    An input is what the net input of a hidden unit grows by with a weight, a target is where the loss is least.
    """
    probe = _Probe(view, network)
    found: list[dict[str, list[float]]] = []
    for by_input in (False, True):
        values: dict[str, list[float]] = {}
        for name in missing:
            of = probe.targets(name) if name[0] == "t" else probe.inputs(name, by_input)
            values[name] = [one for one, _ in Counter(of).most_common(2)]
        if all(values.values()) and values not in found:
            found.append(values)
    found.sort(key=lambda one: sum(map(len, one.values())))
    ways = [dict(zip(one, way, strict=True)) for one in found for way in product(*one.values())]
    return ways[:MOST_WAYS]


class _Probe:
    """Formulas of a row in the middle, computed where their symbols have chosen numbers."""

    def __init__(self, view: View, network: Network) -> None:
        self.view, self.network = view, network
        rows = view.table.rows
        self.row = rows[min(1, len(rows) - 1)]
        self.machine = Machine(network)

    def _value(self, symbol: str, **given: float) -> float:
        column = self.view.table.columns.get(symbol)
        if column is None:
            return math.nan
        place: Place = self.row, column
        cell = self.view.book.tabs[self.view.table.tab].get(place)
        if cell is None or cell.text is None:
            return math.nan
        try:
            value = self.view.compute(cell, place, Draw(self.machine, given, {0: lambda: given}, 0))
        except FormulaError:
            return math.nan
        return value if isinstance(value, float) else math.nan

    def inputs(self, name: str, by_input: bool) -> Iterator[float]:
        """What each hidden unit's formula takes for an input."""
        network, source = self.network, int(name[1:]) - 1
        weights = dict.fromkeys(network.weights, 0.0)
        for unit in range(network.units[1]):
            first = source * network.units[1] + unit if by_input else unit * network.units[0] + source
            weight = f"w{first + 1}"
            for symbol, inverse in product((network.net(1, unit), network.out(1, unit)), _INVERSE):
                none, one, two = (
                    inverse(self._value(symbol, **{**weights, weight: number})) for number in (0.0, 1.0, 2.0)
                )
                if abs(two - none - 2 * (one - none)) <= LINEAR * abs(one - none) and one != none:
                    yield float(f"{one - none:.{DIGITS}g}")
                    break

    def targets(self, name: str) -> Iterator[float]:
        """What the losses of an output, or else the gradients of its weights, take for its target."""
        number = name[1:]
        outs = {f"a_o{k + 1}": 0.0 for k in range(self.network.units[-1])}
        losses = {f"E{k + 1}": 0.0 for k in range(self.network.units[-1])}
        for symbol in (f"E{number}", "E_total"):
            less, none, more = (
                self._value(symbol, **{**losses, **outs, f"a_o{number}": value}) for value in (-1.0, 0.0, 1.0)
            )
            curve = less + more - 2 * none
            if curve > LINEAR:
                yield float(f"{(less - more) / (2 * curve):.{DIGITS}g}")
                return
        layer = self.network.depth
        before = {self.network.out(layer - 1, source): 1.0 for source in range(self.network.units[-2])}
        for source, slope in product(range(self.network.units[-2]), (lambda a: a * (1 - a), lambda _: 1.0)):
            symbol = f"∂E/∂{self.network.weight(layer, int(number) - 1, source)}"
            two, three, four = (
                self._value(symbol, **{**before, **outs, f"a_o{number}": value}) / slope(value)
                for value in (2.0, 3.0, 4.0)
            )
            if three != two and abs(four - three - (three - two)) <= LINEAR * abs(three - two):
                yield float(f"{2 - two / (three - two):.{DIGITS}g}")
                return
