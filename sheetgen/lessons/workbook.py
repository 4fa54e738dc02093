"""Exercise -> book: the tabs that a learner gets, and the solution."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from openpyxl.formatting.rule import DataBarRule
from sympy import Expr, Integer, Symbol

from sheetgen.lessons import judge
from sheetgen.lessons.bugs import Bug, formulas_of, plant
from sheetgen.lessons.exercise import GROUPS, STARTS, Exercise, with_formulas
from sheetgen.lessons.hints import LEVELS, hints_of
from sheetgen.lessons.judge import Verdicts
from sheetgen.maths.network import derive_network
from sheetgen.maths.rules import RATE
from sheetgen.maths.steps import Row, trace
from sheetgen.tabs import derivation, inputs, network, run, start
from sheetgen.tabs.layout import HEADER_ROW, Table, plan_table
from sheetgen.tabs.plan import Plan, Training
from sheetgen.tabs.run import NOT_YET, RIGHT, Lesson
from sheetgen.tabs.words import rate_words
from sheetgen.xlsx import formats
from sheetgen.xlsx.book import Book, Tab
from sheetgen.xlsx.cells import Formula
from sheetgen.xlsx.page import Page, height_of
from sheetgen.xlsx.page import judge as colour
from sheetgen.xlsx.style import furnish, verdict_rules

__all__ = ["HEAD", "fill_exercise"]

HEAD = "table"
"""The name of the first cell of the training table's head, by which it is found wherever it is moved."""

WIDTHS = (20, 18, 16, 20, 18, 34)
HINT_WIDTHS = (16, 10, 96)
BAR = "7CC5A0"
TABS = {
    "Inputs": "every number that you can change: data, initial weights, the learning rate",
    "Network": "the picture of the network, with its values at the step that you choose",
    "Derivation": "the forward pass and the rule, but for what is yours to find",
    "Hints": "help with each blank, a little at a time",
}
BLANKS_TEXT = (
    "1.  Go to tab {tab}. Yellow cells are yours: write the formula of row 0, then that of row 1, which may look at "
    "the row above.",
    "2.  Fill row 1 down to the last row: mark it and double-click, or drag, the small square at its corner.",
    "3.  The mark above the column says how many rows are right. Any formula that gives the right number counts. A "
    "typed number may look right, but it does not follow when tab Inputs changes: it earns nothing.",
    "4.  The charts above the table come alive as it fills. Stuck? See tab Hints.",
)
BUGS_TEXT = (
    "1.  The table on tab {tab} is complete, and it has {count}. Training may look well all the same: the loss falls "
    "even with a wrong gradient.",
    "2.  Find them and mend them: correct the formula in row 0 and in row 1, and fill row 1 down to the last row.",
    "3.  Below it is counted how many columns are right; which they are is for you to find out.",
    "4.  Mend the forward pass first: with a mistake there, the gradients behind it are not those of the loss.",
)


def fill_exercise(exercise: Exercise, *, solved: bool = False) -> Book:
    """The workbook of an exercise, without the values of its formulas; `solved`, with every formula in its place."""
    bugs = plant(exercise)
    table = plan_table(exercise.spec, exercise.spec.runs[0])
    changed = {} if solved else _changed(exercise, bugs)
    shown = with_formulas(table.equations, changed)
    rows = trace(shown, exercise.spec.runs[0])
    training = Training(exercise.spec.runs[0], table, rows if exercise.bugs else _emptied(rows, table, changed))
    plan = Plan(exercise.spec, derive_network(exercise.spec), (training,))
    book = Book()
    with_hints = not exercise.bugs and exercise.hints > 0
    titles = ["Start", "Inputs", "Network", "Derivation", training.run.label, *(["Hints"] if with_hints else [])]
    tabs = {title: book.add(title) for title in (*titles, judge.TAB)}
    verdicts = judge.fill(tabs[judge.TAB], table, exercise)
    inputs.fill(tabs["Inputs"], plan, exercise.record)
    chosen = network.fill(tabs["Network"], plan, trying=False)
    hidden = () if solved else [column.symbol for column in exercise.counted]
    derivation.fill(tabs["Derivation"], plan, chosen, hidden)
    tabs[training.run.label].define(HEAD, f"$A${HEADER_ROW}")
    run.fill(tabs[training.run.label], plan, training, _lesson(exercise, table, bugs, verdicts, solved))
    if with_hints:
        _hints(tabs["Hints"], tabs[judge.TAB], exercise, table)
    _start(tabs["Start"], plan, exercise, verdicts, titles[1:], solved)
    return book


def _changed(exercise: Exercise, bugs: Sequence[Bug]) -> dict[Symbol, tuple[Expr, Expr]]:
    """What stands in row 0 and below in the columns of an exercise, a blank as 0."""
    if exercise.bugs:
        return formulas_of(bugs)
    zero = Integer(0)
    return {one.symbol: (one.start if one.kind in STARTS else zero, zero) for one in exercise.counted}


def _emptied(rows: list[Row], table: Table, blanks: Collection[Symbol]) -> list[Any]:
    """The rows with None where a cell is blank."""
    kinds = {column.symbol: column.kind for column in table.equations.columns}
    starts = {table.places[symbol]: int(kinds[symbol] in STARTS) for symbol in blanks}
    return [
        tuple(None if at in starts and step >= starts[at] else value for at, value in enumerate(row))
        for step, row in enumerate(rows)
    ]


def _lesson(exercise: Exercise, table: Table, bugs: Sequence[Bug], verdicts: Verdicts, solved: bool) -> Lesson:
    own = {column.symbol: (first, below) for column, first, below in table.formulas()}
    counted = {column.symbol: column.kind for column in exercise.counted}
    rule = solved or not {*GROUPS["updates"]} & {*counted.values()}
    if exercise.bugs:
        wrong = {} if solved else formulas_of(bugs)
        texts = {s: table.printed(*wrong[s]) if s in wrong else own[s] for s in counted}
        return Lesson(texts, rule=rule)
    if solved:
        return Lesson({symbol: own[symbol] for symbol in counted}, verdicts.marks)
    given = {symbol: own[symbol][0] if kind in STARTS else "" for symbol, kind in counted.items()}
    return Lesson({symbol: (text, "") for symbol, text in given.items()}, verdicts.marks, rule)


def _start(tab: Tab, plan: Plan, exercise: Exercise, verdicts: Verdicts, titles: Sequence[str], solved: bool) -> None:
    furnish(
        tab.ws,
        title=plan.spec.title,
        subtitle="The solution of the exercise." if solved else "An exercise in back-propagation that judges itself.",
        widths=WIDTHS,
        tab_color="start",
        landscape=False,
    )
    page = Page(tab, WIDTHS, 4)
    run_tab = plan.first.run.label
    page.heading("The network")
    page.text(start.summary(plan.spec))
    page.heading("What to do")
    count = f"{exercise.bugs} mistake{'s' if exercise.bugs > 1 else ''}"
    for line in BUGS_TEXT if exercise.bugs else BLANKS_TEXT[: 4 if "Hints" in titles else 3]:
        page.text(line.format(tab=run_tab, count=count))
    page.heading("How far it is")
    _progress(page, exercise, verdicts)
    page.heading("The tabs")
    for title in titles:
        if title == run_tab:
            rate = rate_words(plan.first.table.setting(RATE))
            text = Formula(f'="learning rate "&{rate}&": {plan.spec.steps + 1} rows, one per step, and the charts"')
            page.link(title, text)
            tab.define("runs", f"$A${page.row - 1}:$A${page.row - 1}")
        else:
            page.link(title, TABS[title])
    page.heading("Colours")
    for role, word, meaning in _LEGEND:
        page.cells((word, role, None), (f"  {meaning}", "muted", None))


_LEGEND = (
    ("input", "yellow", "yours to change, or to fill"),
    ("open", "pale", "yours too: filled down from the yellow cells"),
    ("formula", "formula", "computed from the inputs"),
    ("good", RIGHT, "every row of the column is right"),
    ("bad", NOT_YET, "some row of it is not"),
)


def _progress(page: Page, exercise: Exercise, verdicts: Verdicts) -> None:
    """How many columns are right, as a bar and in words; and, of blanks, each with its own mark."""
    tab, row, count = page.tab, page.row, len(exercise.counted)
    tab.put(row, 1, "columns right", "label")
    right = verdicts.columns_right.text.removeprefix("=")
    tab.merge(row, 2, 4, Formula(f"={right}/{count}"), "formula", number_format="0%")
    tab.put(row, 5, Formula(f'={right}&" of {count}"'), "verdict")
    bar: Any = DataBarRule("num", 0, "num", 1, color=BAR, minLength=0, maxLength=100)  # type: ignore[no-untyped-call]
    tab.ws.conditional_formatting.add(f"B{row}", bar)
    verdict_rules(tab.ws, f"E{row}", f"$B${row}=1", "FALSE")
    tab.ws.row_dimensions[row].height = 22
    page.row += 1
    if exercise.bugs:
        return
    page.row += 1
    page.header("column", "mark", "rows right", "of")
    first = page.row
    for symbol, words in verdicts.words.items():
        page.cells(
            (symbol.name, "symbol", None), (words, "verdict", None), (verdicts.right[symbol], "formula", formats.WHOLE),
            (verdicts.of[symbol], "formula", formats.WHOLE),
        )  # fmt: skip
    colour(tab, f"B{first}:B{page.row - 1}", RIGHT, NOT_YET)


def _hints(tab: Tab, judge_tab: Tab, exercise: Exercise, table: Table) -> None:
    """A line per blank and level; each shows once its level is typed. The texts stand on the hidden tab."""
    levels = min(LEVELS, exercise.hints)
    furnish(
        tab.ws,
        title="Hints",
        subtitle=f"Type {_levels(levels)} in the yellow cell beside a blank: a little help, and then more.",
        widths=HINT_WIDTHS,
        freeze="A5",
        repeat_rows="4:4",
        tab_color="explain",
    )
    tab.header(4, 1, ("blank", _levels(levels), "hint"))
    below = max(row for row, _ in judge_tab.stored) + 2
    row = 5
    for symbol, texts in hints_of(exercise, table):
        first = row
        tab.merge(row, 1, 1, symbol.name, "symbol", bottom=row + levels - 1)
        tab.merge(row, 2, 2, None, "choice", bottom=row + levels - 1)
        for level, text in enumerate(texts[:levels], 1):
            judge_tab.put(below, 1, text, "muted")
            tab.put(row, 3, Formula(f'=IF($B${first}>={level},{judge.TAB}!$A${below},"")'), "text")
            tab.ws.row_dimensions[row].height = height_of(text, HINT_WIDTHS[-1])
            below, row = below + 1, row + 1
        choices = ",".join(str(level + 1) for level in range(levels))
        tab.allow(
            f"B{first}", f"Type {_levels(levels)}, or leave it empty.", type="list", formula1=f'"{choices}"', blank=True
        )


def _levels(count: int) -> str:
    """
    >>> _levels(1), _levels(3)
    ('1', '1, 2 or 3')
    """
    *first, last = map(str, range(1, count + 1))
    return f"{', '.join(first)} or {last}" if first else last
