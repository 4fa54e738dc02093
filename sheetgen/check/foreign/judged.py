"""A table as it is judged: its network, its rate, the numbers to judge by, and the cells that are found wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import pairwise

from sheetgen.check.foreign.book import Cell, Place, copied_row
from sheetgen.check.foreign.draws import Draw, Machine, new_draws
from sheetgen.check.foreign.labels import RATE
from sheetgen.check.foreign.network import Network
from sheetgen.check.foreign.tables import Table
from sheetgen.check.foreign.view import View
from sheetgen.formulas.values import Scalar
from sheetgen.xlsx.cells import is_number

__all__ = [
    "CLOSE", "KEPT", "PLACEHOLDER", "Judged", "Key", "RatePlace", "Rates", "Wrong", "close", "half_unit", "machine_of",
    "stored_numbers", "typed_right",
]  # fmt: skip

DRAWS = 4
CLOSE = 1e-9
"""Of the larger number: two formulas that mean the same differ by rounding alone, which is a millionth of this."""
KEPT = 9
"""Digits of a rate by which rates are told apart."""
PLACEHOLDER = 0.37
FEWEST_OF_SERIES = 3
SOME_DIGITS = 5e-6


Key = tuple[str, int]
"""A weight and a row."""
Rates = Mapping[Key, float | None]
"""The rate that an update implies; None if it is not one number."""
RatePlace = tuple[str, Place] | None
"""Tab and place of a rate; None if it stands in the formulas."""


@dataclass(frozen=True)
class Wrong:
    """A cell that is not what its row says: a formula that gives something else, or a number that is."""

    symbol: str
    place: Place
    kind: str


@dataclass
class Judged:
    """A table, the network that it is taken for, the rate and where it stands, and the cells that are wrong.

    `other_rates` are those of updates that rightly have another than most, and where it stands; `trouble` says why no
    update is judged.
    """

    view: View
    network: Network
    rate: float | None
    rate_place: RatePlace
    fixed: Mapping[str, float]
    rates: Rates = field(default_factory=dict)
    other_rates: Mapping[Key, tuple[float, RatePlace]] = field(default_factory=dict)
    trouble: str = ""
    unread: dict[Place, str] = field(default_factory=dict)
    texts: list[Place] = field(default_factory=list)
    compared: int = 0
    wrong: list[Wrong] = field(default_factory=list)

    @property
    def table(self) -> Table:
        """Where it stands."""
        return self.view.table

    @property
    def trains(self) -> bool:
        """Whether the table has anything of training: a gradient, or weights that are updated."""
        return self.rate is not None or any(name.startswith("∂E/∂") for name in self.table.columns)

    @cached_property
    def frozen(self) -> set[str]:
        """Weights that are not trained: none of their cells has another number than the row above, and no gradient."""
        names = [name for name in self.network.weights if f"∂E/∂{name}" not in self.table.columns]
        return {name for name in names if self._stays(name)}

    def _stays(self, name: str) -> bool:
        column, cells = self.table.columns.get(name), self.view.book.tabs[self.table.tab]
        if column is None:
            return True
        there = {row: cell for row in self.table.rows if (cell := cells.get((row, column))) is not None}
        changed = {row: cell for row, cell in there.items() if copied_row(cell, (row, column)) != row - 1}
        return len({cell.value for cell in changed.values()}) <= 1

    @cached_property
    def computed(self) -> set[str]:
        """Symbols whose columns are formulas for the most part, so that a typed number is none that was pasted."""
        return {
            symbol
            for symbol, cells in self._below.items()
            if 2 * sum(one.text is not None for _, one in cells) > len(cells)
        }

    @cached_property
    def copied(self) -> set[str]:
        """Symbols whose cells take the number of the row above for the most part."""
        table = self.table
        copies = {
            symbol: sum(copied_row(cell, (row, table.columns[symbol])) == row - 1 for row, cell in cells)
            for symbol, cells in self._below.items()
        }
        return {symbol for symbol, count in copies.items() if 2 * count > len(self._below[symbol])}

    @cached_property
    def _below(self) -> dict[str, list[tuple[int, Cell]]]:
        """The cells of each symbol below the first row."""
        table, cells = self.table, self.view.book.tabs[self.table.tab]
        return {
            symbol: [(row, cell) for row in table.rows[1:] if (cell := cells.get((row, column))) is not None]
            for symbol, column in table.columns.items()
        }

    @cached_property
    def typed_data(self) -> dict[str, dict[int, float]]:
        """The numbers that are typed as inputs and targets, by symbol and row."""
        cells = self.view.book.tabs[self.table.tab]
        found: dict[str, dict[int, float]] = {}
        for symbol, column in self.table.columns.items():
            there = {row: cells.get((row, column)) for row in self.table.rows} if symbol[0] in "it" else {}
            typed = {row: one.value for row, one in there.items() if one is not None and one.text is None}
            found[symbol] = {row: float(value) for row, value in typed.items() if is_number(value)}
        return {symbol: values for symbol, values in found.items() if values}

    @cached_property
    def series(self) -> set[str]:
        """Inputs and targets that grow by one step from row to row, as a program fills a series, while others stay.

        Where all grow, or any jumps, they are samples; but not if they grow by 1 from no whole number.
        """
        steps = {symbol: step_of(values) for symbol, values in self.typed_data.items()}
        if not steps or None in steps.values():
            return set()
        growing = {symbol for symbol, step in steps.items() if step}
        odd = any(abs(steps[one] or 0) == 1 and min(self.typed_data[one].values()) % 1 for one in growing)
        return growing if odd or len(growing) < len(steps) else set()

    @cached_property
    def in_turn(self) -> bool:
        """Whether most rows have other inputs and targets than the row above, as where samples come in turn; not where
        that is a mistake."""
        names = [symbol for symbol in self.table.columns if symbol[0] in "it"]
        cells = self.view.book.tabs[self.table.tab]
        found = [[cells.get((row, self.table.columns[name])) for name in names] for row in self.table.rows]
        rows = [[None if cell is None else cell.value for cell in row] for row in found]
        return not self.series and 2 * sum(one != other for one, other in pairwise(rows)) > len(rows)

    @cached_property
    def machine(self) -> Machine:
        """The network's equations."""
        return machine_of(self.network)

    @cached_property
    def draws(self) -> tuple[list[Draw], list[Draw]]:
        """Numbers to judge by: for formulas of their own row, and for updates."""
        return self._drawn(range(DRAWS))

    @cached_property
    def proof(self) -> tuple[list[Draw], list[Draw]]:
        """More of them, for what must not be right by chance."""
        return self._drawn(range(DRAWS, 3 * DRAWS))

    def _drawn(self, seeds: range) -> tuple[list[Draw], list[Draw]]:
        rate = PLACEHOLDER if self.rate is None else self.rate
        own, before = new_draws(self.machine, self.fixed, rate, seeds, self.in_turn)
        return (before, before) if self.table.lagged else (own, before)

    def draws_of(self, symbol: str, *, proof: bool = False) -> list[Draw]:
        """Those for a symbol's formulas."""
        return (self.proof if proof else self.draws)[symbol in self.network.weights]

    def expected(self, symbol: str, draw: Draw, row: int) -> float:
        """What a symbol's cell shows in a draw, if it stands in that row."""
        value = draw.state(0)[symbol]
        if (symbol, row) not in self.other_rates or not self.rate:
            return value
        name = symbol.rstrip("⁺")
        before = draw.state(0 if symbol != name else -1)[name]
        return before + (value - before) * self.other_rates[symbol, row][0] / self.rate

    def rate_of(self, symbol: str, row: int) -> tuple[float | None, RatePlace]:
        """The rate of an update, and where it stands."""
        return self.other_rates.get((symbol, row), (self.rate, self.rate_place))

    def given(self, symbol: str, row: int) -> dict[str, float]:
        """The numbers that have no column: data that stands outside, and the rate of an update."""
        rate = self.rate_of(symbol, row)[0]
        return {**self.fixed, RATE: PLACEHOLDER if rate is None else rate}


def step_of(values: Mapping[int, float]) -> float | None:
    """By how much numbers grow from row to row; None if not by the same everywhere, or in too few rows to tell."""
    steps = {float(f"{after - before:.{KEPT}g}") for before, after in pairwise(values.values())}
    if len(steps) != 1 or (steps != {0.0} and len(values) < FEWEST_OF_SERIES):
        return 0.0 if not steps else None
    return steps.pop()


def close(found: Scalar, expected: float) -> bool:
    """Whether a value is the expected number, but for rounding."""
    if not isinstance(found, float) or math.isnan(expected):
        return False
    return abs(found - expected) <= CLOSE * max(abs(found), abs(expected), 1e-6)


@lru_cache(maxsize=256)
def machine_of(network: Network) -> Machine:
    """A network's equations."""
    return Machine(network)


def stored_numbers(view: View, row: int) -> dict[str, float]:
    """The numbers that a row's symbols have in the file."""
    cells, columns = view.book.tabs[view.table.tab], view.table.columns
    found = {symbol: cells.get((row, column)) for symbol, column in columns.items()}
    if view.table.lagged:
        new = {symbol[:-1]: column for symbol, column in columns.items() if symbol.endswith("⁺")}
        found |= {symbol: cells.get((row - 1, column)) for symbol, column in new.items()}
    return {symbol: float(cell.value) for symbol, cell in found.items() if cell is not None and is_number(cell.value)}


def half_unit(value: float) -> float:
    """Half a unit of a number's last digit, as it is written."""
    text = repr(value)
    digits, _, power = text.partition("e")
    decimals = len(digits.partition(".")[2]) if not digits.endswith(".0") else 0
    return (
        0.5 * 10.0 ** (int(power or 0) - decimals)
        if len(digits.replace(".", "").lstrip("-0")) < 16
        else abs(value) * 2e-16
    )


def typed_right(
    view: View, machine: Machine, fixed: Mapping[str, float], symbol: str, place: Place, *, exact: bool = False
) -> bool:
    """Whether a number is what the stored numbers beside it give, if each is rounded in its last digit.

    With `exact`, it must have some digits: a few are what somebody typed.
    """
    network = machine.network
    name, row = network.source_of(symbol, place[0])
    stored = {**fixed, **stored_numbers(view, row)}
    value = view.book.tabs[view.table.tab][place].value
    if not is_number(value):
        return False
    stored.pop(name, None)
    expected = machine.run(stored).get(name, math.nan)
    if math.isnan(expected):
        return False
    own = half_unit(float(value)) * 1.01
    allowed = (min(own, SOME_DIGITS * abs(expected)) if exact else own) + 1e-12 * abs(expected)
    if abs(value - expected) <= allowed:
        return True
    first = row == view.table.first_row
    for other, number in stored.items():
        if other[0] in "itη" or other in fixed or (first and other in network.weights):
            continue  # what was typed to begin with is what it is
        moved = machine.run({**stored, other: number + half_unit(number)}).get(name, math.nan)
        allowed += abs(moved - expected)
    return abs(value - expected) <= allowed
