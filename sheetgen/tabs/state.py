"""The values at the chosen rate and step: one list on the Network tab that other tabs point at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from openpyxl.utils import quote_sheetname
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from sympy import Symbol

from sheetgen.book import Tab
from sheetgen.cells import MAX_FORMULA, ExcelError, Formula
from sheetgen.derive import Column
from sheetgen.errors import SpecError
from sheetgen.layout import Plan
from sheetgen.network import next_value
from sheetgen.rules import STEP
from sheetgen.style import LOSS, VALUE, apply

TAB = "Network"
CHOICE_ROW, STEP_ROW, RUN_ROW, PLACE_ROW, HEADER, TOP = 4, 5, 6, 7, 9, 10
# Kinds whose columns every run has; an optimizer's own state is left to its training tab.
SHOWN = ("step", "data", "parameter", "net", "softmax", "out", "error", "total", "delta", "gradient")


@dataclass(frozen=True)
class State:
    """Where the chosen run's values stand: sheet-qualified cells by symbol, and the numbers now."""

    cells: Mapping[Symbol, str]
    values: Mapping[Symbol, float | ExcelError]

    def formula(self, symbol: Symbol) -> Formula:
        """A cell that shows the symbol's value."""
        return Formula("=" + self.cells[symbol], self.values[symbol])


def fill(tab: Tab, plan: Plan, step: int) -> State:
    """The two choices and the list, in columns A and B from row 4; `step` is chosen when the file is opened."""
    _choose(tab, plan, step)
    apply(tab.put(HEADER, 1, "symbol"), "header")
    apply(tab.put(HEADER, 2, "value"), "header")
    moved = {next_value(parameter.symbol) for parameter in plan.network.trained}
    columns = plan.first.table.equations.columns
    shown = [column for column in columns if column.kind in SHOWN or column.symbol in moved]
    cells, values = {}, {}
    for row, column in enumerate(shown, TOP):
        symbol = column.symbol
        values[symbol] = plan.first.value(symbol, step)
        cells[symbol] = f"{quote_sheetname(TAB)}!$B${row}"
        apply(tab.put(row, 1, symbol.name), "symbol")
        formula = Formula(f"=INDEX({_chosen(plan, symbol)},$B${PLACE_ROW})", values[symbol])
        apply(tab.put(row, 2, formula), "result" if column.kind == "total" else "formula", _format(column))
    return State(cells, values)


def _choose(tab: Tab, plan: Plan, step: int) -> None:
    """The dropdowns, and which table and row they mean; a choice that is no longer there means the first."""
    several = len(plan.spec.optimizers) > 1
    kind = "optimizer" if several else "rate"
    choice = plan.first.run.optimizer.label if several else plan.first.run.rate
    steps = plan.first.table.column(STEP)
    listed = "optimizers" if several else "rates"
    rows = (
        (CHOICE_ROW, "optimizer" if several else "learning rate", choice, f"chosen_{kind}", "choice"),
        (STEP_ROW, "step", step, "chosen_step", "choice"),
        (RUN_ROW, "number of the tab", Formula(f"=IFERROR(MATCH(B{CHOICE_ROW},{listed},0),1)", 1), "", "formula"),
        (PLACE_ROW, "row of its table", Formula(f"=IFERROR(MATCH(B{STEP_ROW},{steps},0),1)", step + 1), "", "formula"),
    )
    for row, label, content, name, role in rows:
        apply(tab.put(row, 1, label), "label")
        apply(tab.put(row, 2, content), role)
        if name:
            book = tab.ws.parent
            assert book is not None
            book.defined_names[name] = DefinedName(name, attr_text=f"{TAB}!$B${row}")
    for row, source in ((CHOICE_ROW, listed), (STEP_ROW, steps)):
        rule = DataValidation(type="list", formula1=source, allow_blank=False, showErrorMessage=True)
        rule.errorTitle, rule.error = "Not in the list", "Choose one of the list."
        rule.add(f"B{row}")
        tab.ws.add_data_validation(rule)


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
        return "General"
    return LOSS if column.kind in ("error", "total") else VALUE
