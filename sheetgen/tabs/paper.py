"""What a training tab prints: one page with the charts and the rows and columns that a reader needs.

It stands beside the table, whose hundreds of columns and thousands of rows would fill as many pages, and is the tab's
print area. Its cells show those of the table.
"""

from __future__ import annotations

import math
from itertools import count

from sympy import Symbol

from sheetgen.maths.rules import STEP
from sheetgen.tabs.layout import HEADER_ROW
from sheetgen.tabs.plan import PAPER_COLUMNS, Plan, Training
from sheetgen.tabs.run_charts import charts
from sheetgen.xlsx import formats
from sheetgen.xlsx.book import Tab
from sheetgen.xlsx.cells import Formula, column_letters
from sheetgen.xlsx.charts import place
from sheetgen.xlsx.style import shorten_large
from sheetgen.xlsx.units import PAGE_HEIGHT, PAGE_WIDTH, PIXELS_PER_CHARACTER, ROW_PIXELS

__all__ = ["fill"]

STEP_WIDTH, COLUMN_WIDTH = 8.0, 12.5
# Rows from the top: the title, a line about it, the charts, what the rows are, and the table.
CHARTS_AT, CHART_ROWS, NOTE_AT, HEADER_AT = 2, 14, 17, 18
CHART_COLUMNS = 8
# A program's columns may be so much narrower, and the page then be printed larger.
SLACK = 1.05


def fill(tab: Tab, plan: Plan, training: Training, *, blanks: bool) -> None:
    """The page, and the tab's print area; `blanks` says that the table has cells that are still empty."""
    left, top = training.paper_place, training.table.top
    symbols, what = _columns(training)
    right = left + max(len(symbols), CHART_COLUMNS) - 1
    steps, which = _steps(plan.spec.steps, right - left + 1)
    for column in range(left, right + 1):
        tab.ws.column_dimensions[column_letters(column)].width = COLUMN_WIDTH if column > left else STEP_WIDTH
    tab.put(top, left, Formula("=B1"), "panel_heading")
    tab.put(top + 1, left, Formula("=B2"), "muted")
    _charts(tab, plan, training, left, right)
    remark = f"{which}: {what}. To print the whole table, mark it and print the selection."
    tab.put(top + NOTE_AT, left, remark, "muted")
    # As formulas: a second row of typed labels would be a second table to whoever looks for one.
    letters = training.table.letters
    tab.header(top + HEADER_AT, left, [Formula(f"={letters[symbol]}{HEADER_ROW}") for symbol in symbols])
    _rows(tab, training, symbols, steps, blanks)
    bottom = top + HEADER_AT + len(steps)
    shorten_large(tab.ws, f"{column_letters(left + 1)}{top + HEADER_AT + 1}:{column_letters(right)}{bottom}")
    tab.ws.print_area = f"{column_letters(left)}{top}:{column_letters(right)}{bottom}"


def _columns(training: Training) -> tuple[list[Symbol], str]:
    """The step, the loss, the weights and, if they fit too, their gradients; and what they are, in words."""
    network = training.table.equations.network
    weights, gradients = [one.symbol for one in network.trained], [one.gradient for one in network.trained]
    room = PAPER_COLUMNS - 2
    what = "the loss and the weights"
    if len(weights) + len(gradients) <= room:
        weights, what = weights + gradients, "the loss, the weights and their gradients"
    elif len(weights) > room:
        what = f"the loss and the first {room} of {len(weights)} weights"
    return [STEP, network.total, *weights[:room]], what


def _steps(last: int, columns: int) -> tuple[list[int], str]:
    """The first, every k-th and the last step, as many as fit on a page of so many columns; which, in words."""
    width = (STEP_WIDTH + (columns - 1) * COLUMN_WIDTH) * PIXELS_PER_CHARACTER
    rows = math.floor(max(1.0, width / PAGE_WIDTH) * PAGE_HEIGHT / ROW_PIXELS / SLACK) - HEADER_AT - 2
    strides = (10**power * digit for power in count() for digit in (1, 2, 3, 4, 5))
    stride = next(stride for stride in strides if last <= rows * stride)
    return [*range(0, last, stride), last], "Every step" if stride == 1 else f"One step in {stride:,}, and the last"


def _charts(tab: Tab, plan: Plan, training: Training, left: int, right: int) -> None:
    """The tab's charts once more, side by side."""
    first, middle = training.table.top + CHARTS_AT, left + (right - left + 1) // 2
    halves = (left, middle - 1), (middle, right)
    for (chart, words), ends in zip(charts(plan, training, small=False), halves, strict=True):
        start, end = map(column_letters, ends)
        place(tab.ws, chart, f"{start}{first}", f"{end}{first + CHART_ROWS - 1}", words)


def _rows(tab: Tab, training: Training, symbols: list[Symbol], steps: list[int], blanks: bool) -> None:
    table = training.table
    looks = {STEP: formats.WHOLE, table.equations.network.total: formats.LOSS}
    for column, symbol in enumerate(symbols, training.paper_place):
        role, look = "label" if symbol == STEP else "formula", looks.get(symbol, formats.VALUE)
        for row, step in enumerate(steps, table.top + HEADER_AT + 1):
            cell = f"{table.letters[symbol]}{table.top + step}"
            formula = (
                Formula(f'=IF({cell}="","",{cell})') if blanks else Formula(f"={cell}", training.value(symbol, step))
            )
            tab.put(row, column, formula, role, look)
