"""The values at the chosen rate and step: one list on the Network tab that other tabs point at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from openpyxl.utils import quote_sheetname
from sympy import Symbol

from sheetgen.errors import SpecError
from sheetgen.maths.derive import Column
from sheetgen.maths.network import next_value
from sheetgen.maths.rules import RATE, STEP
from sheetgen.tabs.plan import Plan
from sheetgen.xlsx import formats
from sheetgen.xlsx.book import Tab
from sheetgen.xlsx.cells import MAX_FORMULA, Formula
from sheetgen.xlsx.style import color_where

TAB = "Network"
CHOICE_ROW, STEP_ROW, RUN_ROW, PLACE_ROW, RATE_ROW, HEADER, TOP = 4, 5, 6, 7, 8, 9, 10
NO_RUN, NO_STEP = "no such run: choose again", "no such step: choose again"
# Kinds whose columns every run has; an optimizer's own state is left to its training tab.
SHOWN = ("step", "rate", "data", "parameter", "net", "softmax", "part", "out", "error", "total", "delta", "gradient")


@dataclass(frozen=True)
class State:
    """Where the chosen run's values stand: sheet-qualified cells by symbol."""

    cells: Mapping[Symbol, str]

    def formula(self, symbol: Symbol) -> Formula:
        """A cell that shows the symbol's value."""
        return Formula("=" + self.cells[symbol])


def fill(tab: Tab, plan: Plan, step: int) -> State:
    """The two choices and the list, in columns A and B from row 4; `step` is chosen when the file is opened."""
    _choose(tab, plan, step)
    tab.header(HEADER, 1, ("symbol", "value"))
    moved = {next_value(parameter.symbol) for parameter in plan.network.trained}
    columns = plan.first.table.equations.columns
    shown = [column for column in columns if column.kind in SHOWN or column.symbol in moved]
    for row, column in enumerate(shown, TOP):
        tab.put(row, 1, column.symbol.name, "symbol")
        formula = _chosen(one.table.column(column.symbol) for one in plan.trainings)
        tab.put(row, 2, formula, "result" if column.kind == "total" else "formula", _format(column))
    return State({column.symbol: f"{quote_sheetname(TAB)}!$B${row}" for row, column in enumerate(shown, TOP)})


def _choose(tab: Tab, plan: Plan, step: int) -> None:
    """The dropdowns, and which table and row they mean; a choice that is not in its list says so, and means nothing."""
    steps = plan.first.table.column(STEP)
    rows = (
        (CHOICE_ROW, "run (its tab)", plan.first.run.label, "choice"),
        (STEP_ROW, "step", step, "choice"),
        (RUN_ROW, "number of the run", Formula(f'=IFERROR(MATCH(B{CHOICE_ROW},runs,0),"{NO_RUN}")'), "formula"),
        (PLACE_ROW, "row of its table", Formula(f'=IFERROR(MATCH(B{STEP_ROW},{steps},0),"{NO_STEP}")'), "formula"),
        (RATE_ROW, "learning rate", _chosen(one.table.setting(RATE) for one in plan.trainings), "result"),
    )
    for row, label, content, role in rows:
        tab.put(row, 1, label, "label")
        tab.put(row, 2, content, role)
    for row in (RUN_ROW, PLACE_ROW):
        color_where(tab.ws, f"B{row}", "bad", f"NOT(ISNUMBER(B{row}))")
    for name, row in (("chosen_run", CHOICE_ROW), ("chosen_step", STEP_ROW), ("chosen_rate", RATE_ROW)):
        tab.define(name, f"$B${row}")
    tab.offer(f"B{CHOICE_ROW}", "runs")
    tab.offer(f"B{STEP_ROW}", steps)


def _chosen(places: Iterable[str]) -> Formula:
    """What stands in one place of each run, a cell or the column of its table, of the run and step that are chosen.

    An INDEX of a CHOOSE among ranges would be shorter, and HyperFormula cannot read it.
    """
    parts = [f"INDEX({place},$B${PLACE_ROW})" if ":" in place else place for place in places]
    text = f"=CHOOSE($B${RUN_ROW},{','.join(parts)})"
    if len(text) > MAX_FORMULA:
        raise SpecError(f"{len(parts)} learning rates: a formula that chooses among them is too long; use fewer")
    return Formula(text)


def _format(column: Column) -> str:
    if column.kind in ("step", "data"):
        return formats.GENERAL
    return formats.LOSS if column.kind in ("error", "total") else formats.VALUE
