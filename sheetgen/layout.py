"""Equations -> addresses: where each column, input and value stands, and the ranges that charts draw. Pure data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from openpyxl.utils import quote_sheetname
from sympy import Expr, Symbol

from sheetgen.algebra import before
from sheetgen.cells import MAX_COLUMNS, MAX_FORMULA, MAX_SERIES, ExcelError, column_letters
from sheetgen.derive import Column, Equations, derive
from sheetgen.errors import SpecError
from sheetgen.model import Run, Spec
from sheetgen.network import Network, derive_network
from sheetgen.printer import excel
from sheetgen.rules import STEP
from sheetgen.trace import Row, trace

__all__ = ["Line", "Plan", "Table", "Training", "make_plan", "printed", "setting_name"]

TITLE_ROW, SUBTITLE_ROW, SETTING_LABELS, SETTING_VALUES, GROUP_ROW, HEADER_ROW, TABLE_TOP = 1, 2, 3, 4, 6, 7, 8
# Columns that the charts take, to the right of the table and an empty column.
CHART_COLUMNS = 9
# A chart draws a table of up to so many rows whole, and of a longer one about so many points.
MAX_DRAWN, THINNED = 501, 200


@dataclass(frozen=True)
class Table:
    """The place of a training table on its tab: `columns` from column A, rows from `top` to `bottom`."""

    tab: str
    equations: Equations
    top: int
    rows: int

    @property
    def bottom(self) -> int:
        """The sheet row of the last step."""
        return self.top + self.rows - 1

    @property
    def letters(self) -> Mapping[Symbol, str]:
        """Column letters by symbol."""
        return _letters(self.equations)

    @cached_property
    def places(self) -> Mapping[Symbol, int]:
        """Zero-based places by symbol, as in a row of the trace."""
        return {column.symbol: place for place, column in enumerate(self.equations.columns)}

    @property
    def settings(self) -> Mapping[Symbol, str]:
        """The cells in the head of the tab, by the letter that formulas use for them."""
        return _settings(self.equations)

    def cell(self, symbol: Symbol, step: int) -> str:
        """The sheet-qualified absolute cell of a symbol after `step` updates."""
        return f"{quote_sheetname(self.tab)}!${self.letters[symbol]}${self.top + step}"

    def column(self, symbol: Symbol) -> str:
        """The sheet-qualified absolute range of a symbol over all steps."""
        letter = self.letters[symbol]
        return f"{quote_sheetname(self.tab)}!${letter}${self.top}:${letter}${self.bottom}"

    def formulas(self) -> Iterator[tuple[Column, str, str]]:
        """Each column with its formula in row 0 and in row 1, which is filled down; both without "="."""
        printed = _print_rows(self.equations, self.top)
        for column, (start, fill) in zip(self.equations.columns, printed, strict=True):
            longest = max(len(start), len(fill))
            if longest > MAX_FORMULA:
                raise SpecError(
                    f"{self.tab}: the formula of {column.symbol.name} would have {longest} characters; Excel allows "
                    f"{MAX_FORMULA}. Use fewer units, inputs or samples"
                )
            yield column, start, fill


@lru_cache(maxsize=16)
def _letters(equations: Equations) -> Mapping[Symbol, str]:
    return {column.symbol: column_letters(place) for place, column in enumerate(equations.columns, 1)}


@lru_cache(maxsize=16)
def _settings(equations: Equations) -> Mapping[Symbol, str]:
    return {symbol: f"${column_letters(place)}${SETTING_VALUES}" for place, symbol in enumerate(equations.settings, 2)}


@lru_cache(maxsize=16)
def _print_rows(equations: Equations, top: int) -> tuple[tuple[str, str], ...]:
    """The formulas of row 0 and row 1: the same for every run of an optimizer, whatever its rate."""
    first, second = _names(equations, top), _names(equations, top + 1)
    return tuple((excel(column.start, first), excel(column.fill, second)) for column in equations.columns)


def _names(equations: Equations, row: int) -> dict[Symbol, str]:
    """What a formula in this sheet row writes for each symbol."""
    letters = _letters(equations)
    here = {symbol: f"{letter}{row}" for symbol, letter in letters.items()}
    above = {before(symbol): f"{letter}{row - 1}" for symbol, letter in letters.items()}
    return {**here, **above, **_settings(equations)}


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
    def thinned(self) -> bool:
        """Whether the charts draw the thinned copy that stands to the right of them."""
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
        return len(self.table.equations.columns) + 1 + CHART_COLUMNS + 2 + self.drawn_symbols.index(symbol)

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


def plan_table(spec: Spec, run: Run) -> Table:
    """The run's table; SpecError where it is wider than a sheet."""
    equations = derive(spec, run.optimizer)
    width = len(equations.columns)
    if width > MAX_COLUMNS:
        raise SpecError(
            f"{run.label}: the table would have {width} columns; Excel allows {MAX_COLUMNS}. "
            'Use fewer units, inputs or samples, or batch = "online"'
        )
    return Table(run.label, equations, TABLE_TOP, spec.steps + 1)


def make_plan(spec: Spec, progress: Callable[[int], object] | None = None) -> Plan:
    """The plan of a workbook, with every run trained; `progress` gets the rows done since its last call."""
    trainings = []
    for run in spec.runs:
        table = plan_table(spec, run)
        trainings.append(Training(run, table, trace(table.equations, run, progress=progress)))
    return Plan(spec, derive_network(spec), tuple(trainings))


def setting_name(spec: Spec, run: Run, option: str) -> str:
    """The defined name on Inputs of a number in the head of a run's tab.

    Rates are rate_1, rate_2, … in the order of the runs; an optimizer's options carry torch's names, numbered by
    the optimizer where there are several.
    """
    if option == "learning_rate":
        several = len(spec.optimizers) > 1
        return f"rate_{1 if several else spec.learning_rates.index(run.rate) + 1}"
    number = spec.optimizers.index(run.optimizer) + 1
    return f"{option}_{number}" if len(spec.optimizers) > 1 else option


def printed(expr: Expr, names: Mapping[Symbol, str]) -> str:
    """A formula with its "=", for cells outside the tables."""
    return "=" + excel(expr, names)
