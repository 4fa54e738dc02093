"""A training tab: the rate, the table of every step, and the charts of the loss and of the weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from sympy import Symbol

from sheetgen.maths.derive import Column
from sheetgen.maths.rules import RATE, STEP
from sheetgen.tabs import paper
from sheetgen.tabs.layout import GROUP_ROW, HEADER_ROW, SETTING_LABELS, SETTING_VALUES, TABLE_TOP, Table, setting_name
from sheetgen.tabs.plan import PAPER_COLUMNS, Plan, Training
from sheetgen.tabs.run_charts import charts
from sheetgen.tabs.words import KINDS, OPTIONS, rate_words, schedule_words, update_words
from sheetgen.xlsx import formats
from sheetgen.xlsx.book import Tab
from sheetgen.xlsx.cells import MAX_COLUMNS, Block, FillDown, Formula, column_letters
from sheetgen.xlsx.charts import place_box
from sheetgen.xlsx.page import height_of
from sheetgen.xlsx.shapes import Grid
from sheetgen.xlsx.style import furnish, shorten_large, style_id, verdict_rules
from sheetgen.xlsx.units import EMU_PER_PIXEL, PIXELS_PER_CHARACTER, SCREEN_WIDTH

WIDTHS = {"step": 8.0, "data": 8.0}
COLUMN_WIDTH = 12.5
MARK_ROW = GROUP_ROW - 1
# The head: heights in points of its rows 1 to 5, the second without and with marks in the last. At most so high is the
# second for a long text: the table must have room below it.
TITLE_HEIGHT, SETTING_HEIGHTS, NO_MARKS, MARKS = 30.0, (32.0, 15.0), 6.0, 34.0
LEAD_HEIGHTS, TALLEST = (84.0, 60.0), 110.0
# Pixels of a letter of the title, and around a chart.
TITLE_LETTER, GAP = 13.0, 8.0
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
    scaled = {one for each in plan.network.inputs for one in each} if plan.spec.scale else set()
    widths = [COLUMN_WIDTH if one.symbol in scaled else WIDTHS.get(one.kind, COLUMN_WIDTH) for one in columns]
    furnish(tab.ws, widths=[*widths, 3.0], freeze=f"B{TABLE_TOP}", tab_color="training")
    marked = bool(lesson and lesson.marks)
    text_columns = _head(tab, plan, training, lesson is None or lesson.rule, marked)
    _settings(tab, plan, training)
    _header(tab, table)
    if lesson is None:
        tab.block = Block(table.top, tuple(_block_columns(tab, table)), training.values)
    else:
        empty = [[None] * len(columns) for _ in range(table.rows)]
        tab.block = Block(table.top, tuple(_lesson_columns(tab, table, lesson)), empty, pending=True)
        _marks(tab, table, lesson)
    # Data has as many digits as there is room for.
    computed = next(place for place, one in enumerate(columns, 1) if one.kind not in WIDTHS)
    shorten_large(tab.ws, f"{column_letters(computed)}{table.top}:{column_letters(len(columns))}{table.bottom}")
    if training.thinned:
        _thinned(tab, training)
    if training.paper_place + PAPER_COLUMNS <= MAX_COLUMNS:
        paper.fill(tab, plan, training, blanks=lesson is not None)
    _charts(tab, plan, training, text_columns)  # placed last: above a narrow table they reach over the page's columns


def _head(tab: Tab, plan: Plan, training: Training, rule: bool, marked: bool) -> int:
    """Title and text in the first columns, which leave the rest of a screen to the charts; how many columns."""
    several = training.run.label == training.run.optimizer.label
    head = f"{training.run.optimizer.label}, learning rate " if several else "Learning rate "
    quoted = head.replace('"', '""')
    tab.put(1, 1, training.run.label, "muted")
    tab.put(1, 2, Formula(f'="{quoted}"&{rate_words(training.table.settings[RATE])}'), "title")
    grid, text = Grid(tab.ws), _subtitle(plan, training, rule)
    least = grid.left(2) + TITLE_LETTER * len(f"{head}{training.run.rate:.7g}") * EMU_PER_PIXEL
    columns = 1 + len(training.table.equations.settings)
    while grid.left(columns + 1) < least:
        columns += 1
    tab.merge(2, 2, columns, text, "lead")
    width = (grid.left(columns + 1) - grid.left(2)) / EMU_PER_PIXEL / PIXELS_PER_CHARACTER
    second = min(max(LEAD_HEIGHTS[marked], height_of(text, width)), TALLEST)
    for row, height in enumerate((TITLE_HEIGHT, second, *SETTING_HEIGHTS, MARKS if marked else NO_MARKS), 1):
        tab.ws.row_dimensions[row].height = height
    return columns


def _subtitle(plan: Plan, training: Training, rule: bool) -> str:
    said = f" Update rule: {update_words(plan.spec, training.run.optimizer)}" if rule else ""
    rates = f" {schedule_words(plan.spec)}" if plan.spec.schedule else ""
    return f"{plan.spec.title}: {plan.spec.steps} updates, one row each.{said}{rates}"


def _settings(tab: Tab, plan: Plan, training: Training) -> None:
    """The numbers of the update rule, following Inputs."""
    for column, (symbol, option) in enumerate(training.table.equations.settings.items(), 2):
        tab.put(SETTING_LABELS, column, f"{OPTIONS[option]} {symbol.name}", "header")
        formula = Formula(f"={setting_name(plan.spec, training.run, option)}")
        tab.put(SETTING_VALUES, column, formula, "result", formats.RATE)


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
    for symbol, mark in lesson.marks.items():
        tab.put(MARK_ROW, table.places[symbol] + 1, mark, "verdict")
    first = f"{column_letters(min(table.places[one] for one in lesson.marks) + 1)}{MARK_ROW}"
    last = f"{column_letters(max(table.places[one] for one in lesson.marks) + 1)}{MARK_ROW}"
    good, bad = (f'ISNUMBER(SEARCH("{word}",{first}))' for word in (RIGHT, NOT_YET))
    verdict_rules(tab.ws, f"{first}:{last}", good, bad)


def _charts(tab: Tab, plan: Plan, training: Training, text_columns: int) -> None:
    """Loss and parameters over the steps, in the head beside the text, as wide as a small screen allows."""
    grid = Grid(tab.ws)
    left, bottom = (edge / EMU_PER_PIXEL for edge in (grid.left(text_columns + 1), grid.top(MARK_ROW)))
    width = (SCREEN_WIDTH - left) / 2
    for number, (chart, words) in enumerate(charts(plan, training, small=True)):
        start = left + number * width
        place_box(tab.ws, chart, (start + GAP, GAP / 2, start + width, bottom - GAP / 2), words)


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
