"""A training tab: the rate, the table of every step, and the charts of the loss and of the weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.pagebreak import Break
from sympy import Symbol

from sheetgen.maths.derive import Column
from sheetgen.maths.rules import RATE, STEP
from sheetgen.tabs.layout import GROUP_ROW, HEADER_ROW, SETTING_LABELS, SETTING_VALUES, TABLE_TOP, Table, setting_name
from sheetgen.tabs.plan import CHART_COLUMNS, Plan, Training
from sheetgen.tabs.words import KINDS, OPTIONS, rate_words, schedule_words, update_words
from sheetgen.xlsx import formats
from sheetgen.xlsx.book import Tab
from sheetgen.xlsx.cells import MAX_SERIES, Block, FillDown, Formula, column_letters
from sheetgen.xlsx.charts import Series, place, scatter
from sheetgen.xlsx.style import furnish, shorten_large, style_id, verdict_rules

CHART_ROWS = 20
WIDTHS = {"step": 8.0, "data": 8.0}
COLUMN_WIDTH = 12.5
# Printed on A4 across: at this scale, so many characters of column width fit on a page.
PRINT_SCALE, PAGE_WIDTH = 55, 240.0
MARK_ROW = GROUP_ROW - 1
# What a mark of an exercise says.
EMPTY, NOT_YET, RIGHT = "empty", "not yet", "right"


@dataclass(frozen=True)
class Lesson:
    """What an exercise changes in the table of a run.

    `formulas` stand in place of the run's own in row 0 and in row 1, "" for cells that are left empty; the columns that
    have some are open to be typed into. `marks` are shown above their columns. `rule` tells the update rule.
    """

    formulas: Mapping[Symbol, tuple[str, str]]
    marks: Mapping[Symbol, Formula] = field(default_factory=dict)
    rule: bool = True


def fill(tab: Tab, plan: Plan, training: Training, lesson: Lesson | None = None) -> None:
    """The tab of one run."""
    table = training.table
    columns = table.equations.columns
    widths = [WIDTHS.get(column.kind, COLUMN_WIDTH) for column in columns]
    furnish(
        tab.ws,
        widths=widths + [3.0] + [COLUMN_WIDTH] * CHART_COLUMNS,
        freeze=f"B{TABLE_TOP}",
        repeat_rows=f"{GROUP_ROW}:{HEADER_ROW}",
        tab_color="training",
        fit_width=False,
    )
    _page_breaks(tab, widths)
    _title(tab, plan, training, lesson is None or lesson.rule)
    _settings(tab, plan, training)
    _header(tab, table)
    if lesson is None:
        tab.block = Block(table.top, tuple(_block_columns(tab, table)), training.values)
    else:
        empty = [[None] * len(columns) for _ in range(table.rows)]
        tab.block = Block(table.top, tuple(_lesson_columns(tab, table, lesson)), empty, pending=True)
        _marks(tab, table, lesson)
    shorten_large(tab.ws, f"B{table.top}:{column_letters(len(columns))}{table.bottom}")
    _charts(tab, plan, training, len(columns) + 2)
    if training.thinned:
        _thinned(tab, training)


def _page_breaks(tab: Tab, widths: list[float]) -> None:
    """Print readable pages: as many columns as fit, the step on each, and the charts on a page of their own."""
    tab.ws.page_setup.scale = PRINT_SCALE
    tab.ws.page_setup.pageOrder = "overThenDown"
    tab.ws.print_title_cols = "A:A"
    used = 0.0
    for column, width in enumerate(widths, 1):
        if used + width > PAGE_WIDTH:
            tab.ws.col_breaks.append(Break(id=column - 1))
            used = widths[0]
        used += width
    tab.ws.col_breaks.append(Break(id=len(widths) + 1))


def _title(tab: Tab, plan: Plan, training: Training, rule: bool) -> None:
    several = training.run.label == training.run.optimizer.label
    head = f"{training.run.optimizer.label}, learning rate " if several else "Learning rate "
    quoted = head.replace('"', '""')
    tab.put(1, 1, training.run.label, "muted")
    tab.put(1, 2, Formula(f'="{quoted}"&{rate_words(training.table.settings[RATE])}'), "title")
    tab.put(2, 2, _subtitle(plan, training, rule), "subtitle")
    tab.ws.row_dimensions[1].height = 30


def _subtitle(plan: Plan, training: Training, rule: bool) -> str:
    said = f" Update rule: {update_words(plan.spec, training.run.optimizer)}" if rule else ""
    return f"{plan.spec.title}: {plan.spec.steps} updates, one row each.{said}"


def _settings(tab: Tab, plan: Plan, training: Training) -> None:
    """The numbers of the update rule, following Inputs."""
    for column, (symbol, option) in enumerate(training.table.equations.settings.items(), 2):
        tab.put(SETTING_LABELS, column, f"{OPTIONS[option]} {symbol.name}", "header")
        formula = Formula(f"={setting_name(plan.spec, training.run, option)}")
        tab.put(SETTING_VALUES, column, formula, "result", formats.RATE)
    tab.ws.row_dimensions[SETTING_LABELS].height = 46 if plan.spec.schedule else 32
    if plan.spec.schedule:
        tab.put(SETTING_VALUES, len(training.table.settings) + 3, schedule_words(plan.spec), "muted")


def _header(tab: Tab, table: Table) -> None:
    """The groups of columns and their names."""
    place_of = 1
    for kind, group in groupby(table.equations.columns, key=lambda column: KINDS[column.kind]):
        size = len(list(group))
        tab.merge(GROUP_ROW, place_of, place_of + size - 1, kind, "group")
        place_of += size
    tab.header(HEADER_ROW, 1, [column.symbol.name for column in table.equations.columns])


def _block_columns(tab: Tab, table: Table) -> list[FillDown]:
    return [FillDown(start, fill, _style(tab, one)) for one, start, fill in table.formulas()]


def _style(tab: Tab, column: Column, role: str = "") -> int:
    looks = {
        "step": formats.WHOLE,
        "rate": formats.RATE,
        "error": formats.LOSS,
        "total": formats.LOSS,
        "data": formats.RATE,
    }
    roles = {"step": "label", "total": "result"}
    return style_id(tab.ws, role or roles.get(column.kind, "formula"), looks.get(column.kind, formats.VALUE))


def _lesson_columns(tab: Tab, table: Table, lesson: Lesson) -> Iterator[FillDown]:
    """Yellow is where a formula is to be written; below it, it is to be filled down."""
    for one, start, fill in table.formulas():
        if one.symbol not in lesson.formulas:
            yield FillDown(start, fill, _style(tab, one))
            continue
        start, fill = lesson.formulas[one.symbol]
        below, written = _style(tab, one, "open"), _style(tab, one, "input")
        plain = _style(tab, one)
        if fill:
            yield FillDown(start, fill, below)
        else:
            yield FillDown(start, fill, below, plain if start else written, written)


def _marks(tab: Tab, table: Table, lesson: Lesson) -> None:
    """What each column of an exercise has been judged to be so far, above its head."""
    if not lesson.marks:
        return
    tab.ws.row_dimensions[MARK_ROW].height = 34
    for symbol, mark in lesson.marks.items():
        tab.put(MARK_ROW, table.places[symbol] + 1, mark, "verdict")
    first = f"{column_letters(min(table.places[one] for one in lesson.marks) + 1)}{MARK_ROW}"
    last = f"{column_letters(max(table.places[one] for one in lesson.marks) + 1)}{MARK_ROW}"
    good, bad = (f'ISNUMBER(SEARCH("{word}",{first}))' for word in (RIGHT, NOT_YET))
    verdict_rules(tab.ws, f"{first}:{last}", good, bad)


def _charts(tab: Tab, plan: Plan, training: Training, column: int) -> None:
    """Loss and parameters over the steps, to the right of the table.

    Their titles name no rate: LibreOffice does not let a title follow a cell.
    """
    left, right = get_column_letter(column), get_column_letter(column + CHART_COLUMNS - 1)
    parameters = [p.symbol for p in plan.network.trained][:MAX_SERIES]
    way = tab.put(MARK_ROW, 1, f"→ charts of the loss and of the weights: column {left}", "link")
    tab_of = quote_sheetname(training.table.tab)
    way.hyperlink = Hyperlink(ref=way.coordinate, location=f"{tab_of}!{left}{TABLE_TOP}")
    contents = (("E_total", "E_total", [plan.network.total]), ("Weights", "value", parameters))
    for number, (title, y_title, symbols) in enumerate(contents):
        top = TABLE_TOP + number * (CHART_ROWS + 1)
        lines = [_series(training, symbol) for symbol in symbols]
        chart = scatter(title, "step", y_title, lines, legend="r" if len(symbols) > 1 else None)
        place(tab.ws, chart, f"{left}{top}", f"{right}{top + CHART_ROWS - 1}")


def _series(training: Training, symbol: Symbol) -> Series:
    line = training.line(symbol)
    return Series(symbol.name, line.x_ref, line.y_ref, line.xs, line.ys)


def _thinned(tab: Tab, training: Training) -> None:
    """The rows that the charts draw of a long table, to the right of them."""
    table, drawn = training.table, training.drawn
    first = training.thinned_place(STEP)
    tab.put(GROUP_ROW, first, f"What the charts draw: 1 step in {drawn[1]:,}, and the last", "muted")
    for column, symbol in enumerate(training.drawn_symbols, first):
        tab.put(HEADER_ROW, column, symbol.name, "header")
        tab.ws.column_dimensions[column_letters(column)].width = WIDTHS["step"] if column == first else COLUMN_WIDTH
        letter = table.letters[symbol]
        look = formats.WHOLE if column == first else formats.VALUE
        for row, step in enumerate(drawn, table.top):
            formula = Formula(f"={letter}{table.top + step}", training.value(symbol, step))
            tab.put(row, column, formula, "formula", look)
