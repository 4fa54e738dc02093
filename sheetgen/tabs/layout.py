"""Equations -> addresses: where each column and setting of a training table stands. Pure data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from openpyxl.utils import quote_sheetname
from sympy import Expr, Symbol

from sheetgen.errors import SpecError
from sheetgen.maths.algebra import before
from sheetgen.maths.derive import Column, Equations, derive
from sheetgen.maths.printer import excel
from sheetgen.spec.structure import Run, Spec
from sheetgen.xlsx.cells import MAX_COLUMNS, MAX_FORMULA, column_letters

__all__ = ["Table", "plan_table", "setting_name"]

SETTING_LABELS, SETTING_VALUES, GROUP_ROW, HEADER_ROW, TABLE_TOP = 3, 4, 6, 7, 8


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

    def setting(self, symbol: Symbol) -> str:
        """The sheet-qualified absolute cell of a number in the head of the tab, such as the rate."""
        return f"{quote_sheetname(self.tab)}!{self.settings[symbol]}"

    def column(self, symbol: Symbol) -> str:
        """The sheet-qualified absolute range of a symbol over all steps."""
        letter = self.letters[symbol]
        return f"{quote_sheetname(self.tab)}!${letter}${self.top}:${letter}${self.bottom}"

    def printed(self, start: Expr, fill: Expr) -> tuple[str, str]:
        """What row 0 and row 1 of a column hold for other expressions than its own; both without "="."""
        return excel(start, _names(self.equations, self.top)), excel(fill, _names(self.equations, self.top + 1))

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


def setting_name(spec: Spec, run: Run, option: str) -> str:
    """The defined name on Inputs of a number in the head of a run's tab.

    Rates are rate_1, rate_2, … in the order of the runs; an optimizer's options carry torch's names, numbered by
    the optimizer where there are several. The schedule is that of every run.
    """
    if spec.schedule and option in dict(spec.schedule.options):
        return option
    if option == "learning_rate":
        several = len(spec.optimizers) > 1
        return f"rate_{1 if several else spec.learning_rates.index(run.rate) + 1}"
    number = spec.optimizers.index(run.optimizer) + 1
    return f"{option}_{number}" if len(spec.optimizers) > 1 else option
