"""Spec -> Plan: every run trained and given its place, and what charts draw of it. The tabs are filled from a plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from openpyxl.utils import quote_sheetname
from sympy import Symbol

from sheetgen.errors import ExcelError
from sheetgen.maths.network import Network, derive_network
from sheetgen.maths.rules import STEP
from sheetgen.maths.steps import Row, trace
from sheetgen.spec.structure import Run, Spec
from sheetgen.tabs.layout import Table, plan_table
from sheetgen.xlsx.cells import MAX_SERIES, column_letters

__all__ = ["Line", "Plan", "Training", "make_plan"]

# Columns that are kept for what is printed, to the right of the table and an empty column; as many fit on a page.
PAPER_COLUMNS = 18
# A chart draws a table of up to so many rows whole, and of a longer one about so many points.
MAX_DRAWN, THINNED = 501, 200


@dataclass(frozen=True)
class Line:
    """What a chart draws of one symbol: the ranges of its steps and values, and the numbers there."""

    x_ref: str
    y_ref: str
    xs: Sequence[float]
    ys: Sequence[float | ExcelError]


@dataclass(frozen=True)
class Training:
    """One run: its equations in their place, and the numbers of every row."""

    run: Run
    table: Table
    values: list[Row]

    @cached_property
    def drawn(self) -> tuple[int, ...]:
        """The steps that charts draw: all of them or, of a long table, every k-th and the last."""
        steps = self.table.rows - 1
        if self.table.rows <= MAX_DRAWN:
            return tuple(range(self.table.rows))
        stride = -(-steps // THINNED)
        return (*range(0, steps, stride), steps)

    @property
    def paper_place(self) -> int:
        """The sheet column where the page that is printed begins."""
        return len(self.table.equations.columns) + 2

    @property
    def thinned(self) -> bool:
        """Whether the charts draw a thinned copy, which stands to the right of the page that is printed."""
        return len(self.drawn) < self.table.rows

    @cached_property
    def drawn_symbols(self) -> tuple[Symbol, ...]:
        """The columns that have a thinned copy: the step, the loss and the parameters, as many as a chart holds."""
        network = self.table.equations.network
        return (STEP, network.total, *(p.symbol for p in network.trained[:MAX_SERIES]))

    def line(self, symbol: Symbol) -> Line:
        """What a chart draws of the symbol."""
        ys = [self.value(symbol, step) for step in self.drawn]
        if not self.thinned:
            return Line(self.table.column(STEP), self.table.column(symbol), self.drawn, ys)
        return Line(self._thinned_column(STEP), self._thinned_column(symbol), self.drawn, ys)

    def thinned_place(self, symbol: Symbol) -> int:
        """The sheet column of the thinned copy of a symbol."""
        return self.paper_place + PAPER_COLUMNS + 1 + self.drawn_symbols.index(symbol)

    def _thinned_column(self, symbol: Symbol) -> str:
        letter = column_letters(self.thinned_place(symbol))
        bottom = self.table.top + len(self.drawn) - 1
        return f"{quote_sheetname(self.table.tab)}!${letter}${self.table.top}:${letter}${bottom}"

    def series(self, symbol: Symbol) -> list[float | ExcelError]:
        """The symbol's numbers (or errors) over all steps."""
        place = self.table.places[symbol]
        return [row[place] for row in self.values]

    def value(self, symbol: Symbol, step: int) -> float | ExcelError:
        """The symbol's number (or error) after `step` updates."""
        return self.values[step][self.table.places[symbol]]


@dataclass(frozen=True)
class Plan:
    """Everything that the tabs are filled from."""

    spec: Spec
    network: Network
    trainings: tuple[Training, ...]

    @property
    def first(self) -> Training:
        """The run that is chosen when the workbook is opened."""
        return self.trainings[0]


def make_plan(spec: Spec, progress: Callable[[int], object] | None = None) -> Plan:
    """The plan of a workbook, with every run trained; `progress` gets the rows done since its last call."""
    trainings = []
    for run in spec.runs:
        table = plan_table(spec, run)
        trainings.append(Training(run, table, trace(table.equations, run, progress=progress)))
    return Plan(spec, derive_network(spec), tuple(trainings))
