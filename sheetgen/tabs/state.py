"""The values at the chosen rate and step: one list on the Network tab that other tabs point at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from openpyxl.utils import quote_sheetname
from sympy import Symbol

from sheetgen.errors import SpecError
from sheetgen.maths.derive import Column
from sheetgen.maths.network import next_value
from sheetgen.maths.rules import STEP
from sheetgen.tabs.plan import Plan
from sheetgen.xlsx import formats
from sheetgen.xlsx.book import Tab
from sheetgen.xlsx.cells import MAX_FORMULA, Formula

TAB = "Network"
CHOICE_ROW, STEP_ROW, RUN_ROW, PLACE_ROW, HEADER, TOP = 4, 5, 6, 7, 9, 10
# Kinds whose columns every run has; an optimizer's own state is left to its training tab.
SHOWN = ("step", "data", "parameter", "net", "softmax", "out", "error", "total", "delta", "gradient")


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
        formula = Formula(f"=INDEX({_chosen(plan, column.symbol)},$B${PLACE_ROW})")
        tab.put(row, 2, formula, "result" if column.kind == "total" else "formula", _format(column))
    return State({column.symbol: f"{quote_sheetname(TAB)}!$B${row}" for row, column in enumerate(shown, TOP)})


def _choose(tab: Tab, plan: Plan, step: int) -> None:
    """The dropdowns, and which table and row they mean; a choice that is no longer there means the first."""
    several = len(plan.spec.optimizers) > 1
    choice = plan.first.run.optimizer.label if several else plan.first.run.rate
    steps = plan.first.table.column(STEP)
    listed = "optimizers" if several else "rates"
    rows = (
        (CHOICE_ROW, "optimizer" if several else "learning rate", choice, "choice"),
        (STEP_ROW, "step", step, "choice"),
        (RUN_ROW, "number of the tab", Formula(f"=IFERROR(MATCH(B{CHOICE_ROW},{listed},0),1)"), "formula"),
        (PLACE_ROW, "row of its table", Formula(f"=IFERROR(MATCH(B{STEP_ROW},{steps},0),1)"), "formula"),
    )
    for row, label, content, role in rows:
        tab.put(row, 1, label, "label")
        tab.put(row, 2, content, role)
    tab.define("chosen_optimizer" if several else "chosen_rate", f"$B${CHOICE_ROW}")
    tab.define("chosen_step", f"$B${STEP_ROW}")
    tab.offer(f"B{CHOICE_ROW}", listed)
    tab.offer(f"B{STEP_ROW}", steps)


def _chosen(plan: Plan, symbol: Symbol) -> str:
    """The symbol's column on the tab that is chosen."""
    columns = [training.table.column(symbol) for training in plan.trainings]
    if len(columns) == 1:
        return columns[0]
    text = f"CHOOSE($B${RUN_ROW},{','.join(columns)})"
    if len(text) > MAX_FORMULA - 20:
        raise SpecError(f"{len(columns)} learning rates: a formula that chooses among them is too long; use fewer")
    return text


def _format(column: Column) -> str:
    if column.kind in ("step", "data"):
        return formats.GENERAL
    return formats.LOSS if column.kind in ("error", "total") else formats.VALUE
